"""Choices by a hash: the same ones in every file, whatever its order; a larger choice only adds to a smaller one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from spanwise.types import Trajectory


def is_held_out(task_id: str, share: float, seed: int = 0) -> bool:
    """Whether a task belongs to the held-out split, as about ``share`` of all tasks do.

    A function of its arguments alone, so all trajectories of a task fall on the same side. A larger share holds out
    more tasks and gives none back.

    Args:
        task_id: Of the trajectory.
        share: Of the tasks, in [0, 1].
        seed: Another seed is another split.
    """
    digest = hashlib.sha256(f"{seed}/{task_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def choose(trajectories: Sequence[Trajectory], limit: int | None) -> list[Trajectory]:
    """``limit`` of the trajectories, by a hash of their ids, in the order of these; a higher limit only adds some."""
    ranked = sorted(trajectories, key=lambda one: hashlib.sha256(one.id.encode()).digest())
    return sorted(ranked[:limit], key=lambda one: one.id)
