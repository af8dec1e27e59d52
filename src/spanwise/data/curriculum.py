"""From simple to complex: how hard a trajectory is, and in which order training meets them.

C(tau) = alpha * |REASON tokens| + beta * |ACT tokens| + gamma * H(tau), where H is the teacher's entropy summed over
supervised tokens (nats). Each term is standardised over the data set first, so that the weights compare.

Source: arXiv 2505.13820, section 3.3; competence pacing from Platanios et al. 2019, arXiv 1903.09848, equation 7.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spanwise.config import CurriculumConfig
from spanwise.data.tokenize import TokenizedTrajectory
from spanwise.types import SpanKind

#: Share of the data, by complexity, that competence pacing starts with.
INITIAL_COMPETENCE = 0.1


def complexity(
    rows: Sequence[TokenizedTrajectory], config: CurriculumConfig, entropy: Sequence[float] | np.ndarray | None = None
) -> np.ndarray:
    """C of each trajectory, float64 [rows].

    Args:
        rows: The data set.
        config: The weights alpha, beta, gamma.
        entropy: Teacher entropy of each row, summed over its supervised tokens (nats); None: no such term.

    Raises:
        ValueError: ``entropy`` has another length than ``rows``.
    """
    reason = np.array([row.count(SpanKind.REASON) for row in rows], dtype=np.float64)
    act = np.array([row.count(SpanKind.ACT) for row in rows], dtype=np.float64)
    total = config.alpha * standardise(reason) + config.beta * standardise(act)
    if entropy is None:
        return total
    if len(entropy) != len(rows):
        raise ValueError(f"expected an entropy for each of {len(rows)} trajectories, found {len(entropy)}")
    return total + config.gamma * standardise(np.asarray(entropy, dtype=np.float64))


def standardise(values: np.ndarray) -> np.ndarray:
    """Values with mean 0 and deviation 1; all zero where they do not differ."""
    deviation = values.std()
    return (values - values.mean()) / deviation if deviation > 0 else np.zeros_like(values)


def competence(progress: float) -> float:
    """Share of the data, simplest first, that may be drawn at ``progress`` of the curriculum (square-root law).

    The curriculum ends at 1; after that all is drawn from.
    """
    start = INITIAL_COMPETENCE**2
    return min(1.0, (progress * (1 - start) + start) ** 0.5)
