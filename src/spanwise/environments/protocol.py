"""What the rollout loop needs of an environment, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one action led to.

    Attributes:
        observation: The environment's answer, cleaned as the agent shall see it.
        reward: Reward so far (final when ``done``).
        done: The episode is over.
        success: The task is solved; implies ``done``.
        valid: The environment understood and carried out the action.
    """

    observation: str
    reward: float
    done: bool
    success: bool
    valid: bool = True


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What is known of a task without playing it: its id and its type (for the table per task type)."""

    task_id: str
    task_type: str


class Environment(Protocol):
    """One episode of one task. Single use: ``reset`` once, then ``step`` until done, then ``close``."""

    def reset(self) -> str:
        """The first observation, the goal included."""
        ...

    def step(self, action: str) -> Outcome:
        """Carry out one action. A malformed action is an observation, never an exception."""
        ...

    def close(self) -> None:
        """Free what the episode holds."""
        ...


class ListsCommands(Protocol):
    """An environment that knows what can be done in it now."""

    def admissible_commands(self) -> Sequence[str]:
        """The commands that ``step`` would carry out, each as an agent may say it."""
        ...


class TaskSet(Protocol):
    """The tasks of one environment. Must be picklable: workers receive it and make their own environments."""

    @property
    def name(self) -> str:
        """Name of the environment, as trajectories record it."""
        ...

    def tasks(self, split: str) -> Sequence[TaskInfo]:
        """All tasks of a split, in an order that never changes.

        Raises:
            TaskDataError: The split does not exist or its data are missing; the message lists what there is.
        """
        ...

    def make(self, task_id: str, seed: int) -> Environment:
        """A fresh episode of a task.

        Raises:
            TaskDataError: The task is unknown or its data are damaged.
        """
        ...

    def facts(self) -> dict[str, Any]:
        """What results depend on beyond the settings, such as which data were found; JSON values, for the record."""
        ...
