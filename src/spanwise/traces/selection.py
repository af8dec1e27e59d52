"""Which recorded trajectories models learn from, which they are judged by, and which are neither, with the reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path

from spanwise.config import TracesConfig
from spanwise.errors import TraceError
from spanwise.traces.jsonl import read_trajectories, write_trajectories
from spanwise.traces.splits import is_held_out
from spanwise.types import Trajectory


@dataclass(frozen=True, slots=True)
class Selection:
    """What came of a file of trajectories.

    Attributes:
        train: Trajectories to learn from.
        train_tasks: Their tasks.
        held_out: Trajectories to judge models by.
        held_out_tasks: Their tasks, none of which is among the others.
        left_out: How many are neither, by reason.
    """

    train: int
    train_tasks: int
    held_out: int
    held_out_tasks: int
    left_out: dict[str, int]

    def __str__(self) -> str:
        """In a sentence."""
        left_out = ", ".join(f"{count} {reason}" for reason, count in self.left_out.items())
        return (
            f"{self.train} trajectories ({self.train_tasks} tasks) to learn from, {self.held_out} "
            f"({self.held_out_tasks} tasks) held out, left out: {left_out or 'none'}"
        )


def select_trajectories(
    data: Path,
    settings: TracesConfig,
    seed: int,
    train: Path,
    held_out: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> Selection:
    """Writes the trajectories of a file to learn from, and those held out, each in the order of the file.

    Args:
        data: Trajectories, as ``spanwise import`` writes them.
        settings: Which of them.
        seed: Of the split.
        train: Written.
        held_out: Written.
        progress: Told how many were read.

    Raises:
        TraceError: The file cannot be read or is no file of trajectories; or one side of the split is empty.
    """
    left_out: Counter[str] = Counter()
    tasks: dict[bool, set[str]] = {False: set(), True: set()}

    def side(of_held_out: bool) -> Iterator[Trajectory]:
        for number, one in enumerate(read_trajectories(data), start=1):
            reason = why_left_out(one, settings)
            if reason is not None and not of_held_out:
                left_out[reason] += 1
            if reason is None and is_held_out(one.task_id, settings.held_out, seed) == of_held_out:
                tasks[of_held_out].add(one.task_id)
                yield one
            progress(number)

    counts = [write_trajectories(path, side(path == held_out)) for path in (train, held_out)]
    found = Selection(counts[0], len(tasks[False]), counts[1], len(tasks[True]), dict(sorted(left_out.items())))
    if not found.train:
        raise TraceError(f"{data}: nothing is left to learn from: {found}")
    if not found.held_out:
        raise TraceError(
            f"{data}: none of {found.train_tasks} tasks was held out at a share of {settings.held_out:g}; raise "
            "traces.held_out, or take another seed"
        )
    return found


def why_left_out(trajectory: Trajectory, settings: TracesConfig) -> str | None:
    """The reason why a trajectory is not used; None if it is."""
    if trajectory.success is False and settings.only_successful is not False:
        return "failed"
    if trajectory.success is None and settings.only_successful is True:
        return "of unknown outcome"
    if settings.min_reward is not None:
        if trajectory.reward is None:
            return "of unknown reward"
        if trajectory.reward < settings.min_reward:
            return "of too low a reward"
    if len(trajectory.steps) < settings.min_steps:
        return "too short"
    if settings.max_steps is not None and len(trajectory.steps) > settings.max_steps:
        return "too long"
    if not any(step.supervised for step in trajectory.steps):
        return "with nothing to learn"
    return None


def data_digest(data: Path) -> str:
    """Hash of a file of trajectories.

    Raises:
        TraceError: It cannot be read.
    """
    try:
        with data.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise TraceError(f"data: {data}: no such file; spanwise import LOG --out {data} makes one of a log") from error
    except OSError as error:
        raise TraceError(f"data: {data}: cannot be read: {error}") from error


def dump_selection(selection: Selection) -> str:
    """The text of a JSON file."""
    return json.dumps(asdict(selection), indent=2) + "\n"


def read_selection(path: Path) -> Selection:
    """The selection of a JSON file.

    Raises:
        TraceError: It cannot be read.
    """
    try:
        return Selection(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise TraceError(f"{path}: cannot be read: {error}") from error
