"""What a run directory holds, by name, and what later stages read of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spanwise.config import Recipe
from spanwise.errors import RunDirectoryError
from spanwise.types import Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: Files and folders of a run directory.
EXPERT, ROLLOUTS, KEPT = "expert/trajectories.jsonl", "rollouts.jsonl", "trajectories.jsonl"
TOKENIZER, TEACHER_BASE, TEACHER, STUDENTS_BASE = "tokenizer", "teacher/base", "teacher/model", "students/base"
SIGNALS = "signals"
HELD_OUT, SELECTION, FIDELITY = "held_out.jsonl", "selection.json", "fidelity"


def learnt_from(recipe: Recipe, run: Path, data: str) -> list[Trajectory]:
    """The trajectories of a file that training may see; in an order that an interruption cannot change."""
    from spanwise.traces.jsonl import read_trajectories

    path = needed(run, data)
    if recipe.data is not None:  # they were selected
        return sorted(read_trajectories(path), key=lambda one: one.id)
    wanted = recipe.collect if data == EXPERT else recipe.teacher.rollouts
    kept = [one for one in read_trajectories(path) if one.success or not wanted.only_successful]
    if not kept:
        raise RunDirectoryError(f"{path}: no episode was won, so there is nothing to learn from")
    return sorted(kept, key=lambda one: one.id)


def texts_of(trajectory: Trajectory) -> Iterator[str]:
    """All that a model reads of a trajectory."""
    if trajectory.system is not None:
        yield trajectory.system
    for step in trajectory.steps:
        yield from (step.observation, step.completion)


def run_tokenizer(run: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a run."""
    from spanwise.training.models import load_tokenizer

    return load_tokenizer(needed(run, TOKENIZER))


def teacher_folder(recipe: Recipe, run: Path) -> str | Path:
    """Where a run's teacher is: its own, or the folder or hub name that the recipe gives."""
    if recipe.teacher.training is None:
        path = recipe.teacher.model.path
        assert path is not None  # the recipe's own check
        return path
    return run / TEACHER


def needed(run: Path, name: str) -> Path:
    """A file or folder of a run directory.

    Raises:
        RunDirectoryError: It is not there.
    """
    path = run / name
    if not path.exists():
        raise RunDirectoryError(f"{path}: is not there; an earlier stage makes it (spanwise run does all of them)")
    return path
