"""Which tasks are kept out of training, by a hash: the same ones in every file, whatever its order and its length."""

from __future__ import annotations

import hashlib


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
