"""Which rows train together: batches of a token budget, planned for the whole run, so it can be resumed anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spanwise.config import Pacing
from spanwise.data.curriculum import competence

#: Rows are sorted by length within windows of this many batches' worth, so batches are even and epochs still random.
_WINDOW = 8


def plan_batches(
    lengths: Sequence[int],
    budget: int,
    batches: int | None,
    epochs: float,
    seed: int,
    pacing: Pacing = "none",
    complexity: np.ndarray | None = None,
    multiple: int = 1,
    until: float = 0.3,
    packed: bool = False,
) -> list[list[int]]:
    """The rows of every batch of a training run, in order; a pure function of its arguments.

    Args:
        lengths: Tokens of each row.
        budget: Positions of a batch: rows times the longest of them or, packed, all of their tokens; a longer row is a
            batch of its own.
        batches: How many are wanted; None: as many as ``epochs`` make.
        epochs: Passes over the data, where ``batches`` is None; the last may be a part.
        seed: Of the shuffling.
        pacing: ``none``: shuffled; ``sorted``: every epoch from simple to complex; ``competence``: the simplest share
            is drawn from, and grows until it is all (then ``epochs`` say how much is drawn, not how often each row).
        complexity: C of each row; needed unless pacing is ``none``.
        multiple: What the number of batches shall be a multiple of, so that so many processes have equal shares; where
            ``epochs`` do not make it one, the plan goes on into the next.
        until: Share of the batches, in (0, 1], after which ``competence`` draws from all rows.
        packed: Whether rows will lie one after the other, so that nothing pads them.

    Raises:
        ValueError: Pacing without complexity.
    """
    if pacing != "none" and complexity is None:
        raise ValueError(f"pacing {pacing!r} needs the complexity of each row")
    sizes = np.asarray(lengths)
    simplest_first = np.arange(len(sizes)) if complexity is None else np.argsort(complexity, kind="stable")
    generator = np.random.default_rng(seed)
    per_pass = len(batches_of_similar_length(lengths, budget, packed))

    def one_pass(share: float) -> list[list[int]]:
        if pacing == "sorted":
            return _fill(simplest_first, sizes, budget, packed)
        return _shuffled(simplest_first[: max(1, round(share * len(sizes)))], sizes, budget, generator, packed)

    plan: list[list[int]] = []
    if batches is not None:
        total = batches
    elif pacing == "competence":
        total = round(epochs * per_pass)
    else:
        for _ in range(int(epochs)):
            plan.extend(one_pass(1.0))
        total = len(plan) + round(epochs % 1 * per_pass)
    total = -(-max(1, total) // multiple) * multiple
    # Below full competence all is drawn anew every 20th of the way, so that the share grows smoothly.
    while len(plan) < total:
        share = competence(len(plan) / total / until) if pacing == "competence" else 1.0
        drawn = one_pass(share) if share == 1 else one_pass(share)[: max(1, round(total * until / 20))]
        plan.extend(drawn[: total - len(plan)])
    return plan


def batches_of_similar_length(lengths: Sequence[int], budget: int, packed: bool = False) -> list[list[int]]:
    """Every row once, shortest first: the fewest batches, for work whose order does not matter."""
    sizes = np.asarray(lengths)
    return _fill(np.argsort(sizes, kind="stable"), sizes, budget, packed)


def padding_share(lengths: Sequence[int], plan: Sequence[Sequence[int]]) -> float:
    """Share of the positions of all batches that hold no token."""
    positions = sum(len(batch) * max(lengths[row] for row in batch) for batch in plan)
    return 1 - sum(lengths[row] for batch in plan for row in batch) / positions


def _shuffled(
    rows: np.ndarray, sizes: np.ndarray, budget: int, generator: np.random.Generator, packed: bool
) -> list[list[int]]:
    """A random pass over the rows; where they will be padded, in batches of similar lengths."""
    order = generator.permutation(rows)
    if packed:
        return _fill(order, sizes, budget, packed)
    window = max(1, int(_WINDOW * budget / max(1.0, sizes[rows].mean())))
    batches: list[list[int]] = []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        batches.extend(_fill(part[np.argsort(sizes[part], kind="stable")], sizes, budget, packed))
    return [batches[index] for index in generator.permutation(len(batches))]


def _fill(order: np.ndarray, sizes: np.ndarray, budget: int, packed: bool) -> list[list[int]]:
    batches: list[list[int]] = []
    current: list[int] = []
    tokens = longest = 0
    for row in order.tolist():
        size = int(sizes[row])
        positions = tokens + size if packed else (len(current) + 1) * max(longest, size)
        if current and positions > budget:
            batches.append(current)
            current, tokens, longest = [], 0, 0
        current.append(row)
        tokens, longest = tokens + size, max(longest, size)
    if current:
        batches.append(current)
    return batches
