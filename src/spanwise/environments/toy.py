"""A text world of a handful of places: find the thing, carry it (washed, perhaps) to where it belongs.

Small enough that a model of a few hundred thousand parameters learns it in a minute; it exists for tests, examples and
debugging. It speaks like ALFWorld, in fewer words::

    You are in a room. You see box 2, drawer 1, shelf 1, sink 1, table 3.
    Your task is to: wash the key and put it on shelf 1.
    > go to drawer 1
    At drawer 1 you see a key.
    > take key
    You take the key.

Commands: ``go to PLACE``, ``take THING``, ``wash THING`` (at the sink), ``put THING`` (where one is). Everything else,
and whatever cannot be done now, is answered by ``Nothing happens.`` A task takes four to eight commands if played well.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spanwise.environments.protocol import Environment, Outcome, TaskInfo
from spanwise.errors import TaskDataError

TASK_TYPES = ("carry", "wash")
THINGS = ("key", "cup", "book", "ball", "pen", "plate")
PLACES = tuple(f"{kind} {number}" for kind in ("box", "shelf", "drawer", "table") for number in (1, 2, 3))
SINK = "sink 1"
NOTHING_HAPPENS = "Nothing happens."

#: Tasks of no split that break at their first command: by an exception, or by killing the process that plays them.
#: They are there to test what must survive a broken game.
CRASHES = ("crash-raise", "crash-exit")


@dataclass(frozen=True)
class ToyTasks:
    """The toy world's tasks: ``train-0000`` and so on, of both types in turn.

    In ``valid_unseen`` things go to places to which they never go in the other splits.
    """

    train: int = 200
    valid_seen: int = 20
    valid_unseen: int = 20
    name: str = "toy"

    def facts(self) -> dict[str, Any]:
        """See :class:`spanwise.environments.protocol.TaskSet`: its settings say all."""
        return {}

    def tasks(self, split: str) -> Sequence[TaskInfo]:
        """All tasks of a split."""
        task_ids = (f"{split}-{number:04}" for number in range(self._size(split)))
        return [TaskInfo(task_id, _task_type(task_id)) for task_id in task_ids]

    def make(self, task_id: str, seed: int) -> Environment:
        """A fresh episode; places are drawn from task and seed together, thing and goal from the task alone."""
        if task_id in CRASHES:
            return _CrashingWorld(task_id)
        split, _, number = task_id.rpartition("-")
        if not (number.isdecimal() and int(number) < self._size(split)):
            raise TaskDataError(f"toy: no task {task_id!r}; the split {split!r} has {self._size(split)} tasks")
        return ToyWorld(task_id, seed, unseen=split == "valid_unseen")

    def _size(self, split: str) -> int:
        sizes = {"train": self.train, "valid_seen": self.valid_seen, "valid_unseen": self.valid_unseen}
        if split not in sizes:
            raise TaskDataError(f"toy: no split {split!r}; there are: {', '.join(sizes)}")
        return sizes[split]


class ToyWorld:
    """One episode."""

    def __init__(self, task_id: str, seed: int, unseen: bool = False):
        draw = random.Random(task_id)
        self._wash = _task_type(task_id) == "wash"
        self._thing, self._goal = draw.choice([pair for pair in _PAIRS if _is_unseen(*pair) == unseen])
        draw = random.Random(f"{task_id}/{seed}")
        hiding_places = draw.sample([place for place in PLACES if place != self._goal], 3)
        self._places = sorted((*hiding_places, self._goal, SINK))
        self._thing_at: str | None = draw.choice(hiding_places)  # None: in the hand
        self._clean = False
        self._here: str | None = None

    def reset(self) -> str:
        """The places, and the goal."""
        goal = f"wash the {self._thing} and put it" if self._wash else f"put the {self._thing}"
        return f"You are in a room. You see {', '.join(self._places)}.\nYour task is to: {goal} on {self._goal}."

    def step(self, action: str) -> Outcome:
        """Carries out a command, or answers that nothing happens."""
        answer = self._carry_out(action)
        success = self._thing_at == self._goal and self._clean >= self._wash
        return Outcome(
            observation=answer or NOTHING_HAPPENS,
            reward=float(success),
            done=success,
            success=success,
            valid=answer is not None,
        )

    def admissible_commands(self) -> list[str]:
        """What can be done now."""
        said = [f"go to {place}" for place in self._places]
        here = self._here is not None
        if here and self._thing_at == self._here:
            said.append(f"take {self._thing}")
        if here and self._thing_at is None:
            said += [f"wash {self._thing}"] * (self._here == SINK) + [f"put {self._thing}"]
        return said

    def close(self) -> None:
        """There is nothing to free."""

    def _carry_out(self, action: str) -> str | None:
        """What the world says to an action; None when it cannot be done."""
        if action.startswith("go to ") and (place := action.removeprefix("go to ")) in self._places:
            self._here = place
            return f"At {place} you see {f'a {self._thing}' if self._thing_at == place else 'nothing'}."
        held = self._thing_at is None
        if action == f"take {self._thing}" and self._here is not None and self._thing_at == self._here:
            self._thing_at = None
            return f"You take the {self._thing}."
        if action == f"wash {self._thing}" and held and self._here == SINK:
            self._clean = True
            return f"You wash the {self._thing}."
        if action == f"put {self._thing}" and held and self._here is not None:
            self._thing_at = self._here
            return f"You put the {self._thing} on {self._here}."
        return None


class _CrashingWorld:
    """A game that breaks, in the way that its id says."""

    def __init__(self, task_id: str):
        self._task_id = task_id

    def reset(self) -> str:
        return "You are in a room.\nYour task is to: do anything."

    def step(self, action: str) -> Outcome:
        if self._task_id == "crash-exit":
            os._exit(3)
        raise RuntimeError(f"this world breaks at {action!r}")

    def close(self) -> None:
        pass


_PAIRS = [(thing, place) for thing in THINGS for place in PLACES]


def _is_unseen(thing: str, place: str) -> bool:
    """Whether this thing goes to this place in ``valid_unseen`` only: every fourth pair, spread over all words."""
    return (THINGS.index(thing) + PLACES.index(place)) % 4 == 0


def _task_type(task_id: str) -> str:
    return TASK_TYPES[int(task_id.rpartition("-")[2]) % len(TASK_TYPES)]
