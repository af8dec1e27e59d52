"""Two agents on the same episodes: the difference in success, whether chance explains it, what could have been seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanwise.evaluation.metrics import EpisodeRecord
from spanwise.evaluation.statistics import (
    Estimate,
    McNemar,
    detectable_paired_difference,
    mcnemar,
    paired_difference,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much more often one agent succeeds than another.

    Attributes:
        n: Episodes (task and seed) that both played; the comparison is over these.
        unmatched: Episodes that only one of them played; 0 in a sound evaluation.
        difference: First agent's success rate minus the second's, with a bootstrap interval over tasks.
        test: McNemar's exact test; None where tasks were played more than once: the pairs are then not independent.
        detectable: Smallest difference that this many episodes would have shown with a power of 80%; None where none.
    """

    n: int
    unmatched: int
    difference: Estimate
    test: McNemar | None
    detectable: float | None


def compare(
    first: Sequence[EpisodeRecord], second: Sequence[EpisodeRecord], confidence: float = 0.95, seed: int = 0
) -> Comparison | None:
    """The paired comparison of two agents' success; None where they have no episode in common."""
    ours, theirs = (
        {(record.task_id, record.seed): record.success for record in records} for records in (first, second)
    )
    common = sorted(ours.keys() & theirs.keys())
    if not common:
        return None
    by_task: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for episode in common:
        by_task[episode[0]].append((ours[episode], theirs[episode]))
    means = np.array([np.mean(pairs, axis=0) for pairs in by_task.values()])
    pairs = np.array([(ours[episode], theirs[episode]) for episode in common], dtype=float)
    discordant = float((pairs[:, 0] != pairs[:, 1]).mean())
    return Comparison(
        n=len(common),
        unmatched=len(ours.keys() ^ theirs.keys()),
        difference=paired_difference(means[:, 0], means[:, 1], confidence, seed, bounds=(-1.0, 1.0)),
        test=mcnemar(pairs[:, 0], pairs[:, 1]) if len(by_task) == len(common) else None,
        detectable=detectable_paired_difference(discordant, len(by_task), confidence),
    )
