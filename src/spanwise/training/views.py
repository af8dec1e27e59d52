"""How an objective sees a row: which kind each target counts as, in how long a span, and how much.

Kinds are those of the text (``segmentation = "spans"``), or one kind for all that an agent wrote (``none``), or those
of the text moved along by a random distance within each step, round and round (``random``): as many tokens and spans
of each kind in each step as there are in the text, in places that mean nothing. The distance follows from seed, row
and step alone.

A token's weight is the product of these factors, all 1 unless asked for:

    gate        w = max(0, 1 + gate * (H / mean H - 1)), H the teacher's entropy at that position, its mean that of all
                tokens of the kind in the data set: with gate > 0 tokens count more where the teacher sees several ways
                to go on, with gate < 0 where it sees one; with gate >= 0 the mean weight of a kind is 1
    decisions   w = decisions for ACT tokens in which a word of the command begins (``data/decisions.py``)
    foretells   w = foretells for REASON tokens in which a word begins that the command of the step says too

Where the objective has a ``fade``, a weight w is 1 + (w - 1) * max(0, 1 - s / fade), s the share of training that is
done. All of it is known before training begins, so it does not depend on batches, on their layout or on processes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanwise.config import ObjectiveConfig
from spanwise.data.tokenize import TokenizedTrajectory
from spanwise.errors import TrainingError
from spanwise.types import SpanKind


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What an objective makes of the T targets of a row.

    Attributes:
        kind: SpanKind that each counts as, int8 [T].
        span_length: Tokens of the span that each belongs to, int32 [T].
        weight: How much each counts, fp32 [T].
    """

    kind: np.ndarray
    span_length: np.ndarray
    weight: np.ndarray


def plain_view(row: TokenizedTrajectory) -> View:
    """The row as it is: the kinds of the text, all tokens alike."""
    return View(row.kind, span_lengths(row.kind, row.step), np.ones(len(row), dtype=np.float32))


def view_rows(
    rows: Sequence[TokenizedTrajectory],
    objective: ObjectiveConfig,
    seed: int,
    entropies: Sequence[np.ndarray] | None = None,
) -> list[View]:
    """The view of each row of a data set.

    Args:
        rows: The data set.
        objective: Says how they are seen.
        seed: Of the random places.
        entropies: The teacher's entropy at each supervised target of each row, nats; needed by a ``gate`` alone.

    Raises:
        TrainingError: Decisions shall count more or less, and the data have none.
        ValueError: A gate without entropies.
    """
    views = [_segmented(row, objective, seed) for row in rows]
    if objective.needs_entropy:
        if entropies is None:
            raise ValueError("a gate needs the teacher's entropies")
        _gate(views, objective, entropies)
    _weigh_decisions(rows, views, SpanKind.ACT, "decisions", objective.decisions)
    _weigh_decisions(rows, views, SpanKind.REASON, "foretells", objective.foretells)
    return views


def span_lengths(kind: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Tokens of the span that each target belongs to, int32 [T]; a span ends where kind or step change."""
    borders = np.flatnonzero((np.diff(kind) != 0) | (np.diff(step) != 0)) + 1
    sizes = np.diff(np.concatenate([[0], borders, [len(kind)]]))
    return np.repeat(sizes, sizes).astype(np.int32)


def _segmented(row: TokenizedTrajectory, objective: ObjectiveConfig, seed: int) -> View:
    plain = plain_view(row)
    if objective.segmentation == "spans":
        return plain
    if objective.segmentation == "none":
        kind = np.where(row.kind == SpanKind.CONTEXT, row.kind, np.int8(SpanKind.ACT))
        return View(kind, span_lengths(kind, row.step), plain.weight)
    kind, length = plain.kind.copy(), plain.span_length.copy()
    for step in np.unique(row.step).tolist():
        places = np.flatnonzero((row.step == step) & (row.kind != SpanKind.CONTEXT))
        if len(places):
            drawn = hashlib.blake2b(f"{seed}/{row.id}/{step}".encode(), digest_size=8).digest()
            distance = int.from_bytes(drawn) % len(places)
            # Lengths move along, so a span that goes round the end of the step is still one.
            kind[places], length[places] = np.roll(kind[places], distance), np.roll(length[places], distance)
    return View(kind, length, plain.weight)


def _weigh_decisions(
    rows: Sequence[TokenizedTrajectory], views: Sequence[View], kind: SpanKind, name: str, weight: float
) -> None:
    """Multiplies the weights of the tokens of a kind that decide."""
    if weight == 1:
        return
    chosen = [row.decides & (row.kind == kind) for row in rows]
    if not any(one.any() for one in chosen):
        where = "completion holds its command" if kind is SpanKind.ACT else "thought says a word of its command"
        raise TrainingError(f"objective.{name} = {weight} weighs words of commands, and no {where} as it was given")
    for view, one in zip(views, chosen, strict=True):
        view.weight[one] *= weight


def _gate(views: Sequence[View], objective: ObjectiveConfig, entropies: Sequence[np.ndarray]) -> None:
    """Multiplies weights by those that follow from entropies."""
    kinds = [view.kind[view.kind != SpanKind.CONTEXT] for view in views]
    reason = objective.act if objective.method == "token_kd" else objective.reason
    for kind, gate in ((SpanKind.REASON, reason.gate), (SpanKind.ACT, objective.act.gate)):
        found = [values[of == kind] for values, of in zip(entropies, kinds, strict=True)]
        tokens = sum(map(len, found))
        mean = sum(float(values.sum(dtype=np.float64)) for values in found) / max(1, tokens)
        if gate == 0 or mean == 0:  # a teacher that is sure of everything tells no token from another
            continue
        for view, values in zip(views, found, strict=True):
            view.weight[view.kind == kind] *= np.maximum(0, 1 + gate * (values / mean - 1)).astype(np.float32)
