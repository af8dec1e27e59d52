"""All generated games of one configuration: listed cheaply, made when asked for, the same every time.

A game depends on the seed, the split and its index alone, so that the first 100 of 1000 training games are the same as
all of 100 training games.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from spanwise.config import GeneratorConfig
from spanwise.environments.alfworld.generate.goals import draw_goal, possible_goals
from spanwise.environments.alfworld.generate.layout import (
    Layout,
    Size,
    draw_furniture,
    furniture_key,
    is_held_out,
    place_furniture,
)
from spanwise.environments.alfworld.generate.problem import game_data, trajectory_data
from spanwise.environments.alfworld.generate.rooms import ROOMS, TASK_MIX
from spanwise.environments.alfworld.generate.scene import Scene, draw_scene
from spanwise.environments.alfworld.generate.verification import is_won_by_walkthrough
from spanwise.environments.protocol import TaskInfo
from spanwise.errors import ConfigError, TaskDataError

SPLITS = ("train", "valid_seen", "valid_unseen")
PREFIX = "generated"
# The games of valid_seen are set, in turn, in the rooms of the first training games.
SEEN_ROOMS = 100
# In rooms that both splits have, a game belongs to valid_seen when its fingerprint is divisible by this, else to train.
_SEEN_ONE_IN = 4
_LAYOUT_TRIES = 10_000
_SCENE_TRIES = 200
_GAME_TRIES = 5


@dataclass(frozen=True)
class Plan:
    """What is settled of a game before it is made.

    Attributes:
        split: Which split it belongs to.
        index: Its place in the split.
        task_type: ALFRED's task type.
        room: The kind of room.
        layout_seed: What the room's furniture is drawn from; games with the same seed are set in the same room.
    """

    split: str
    index: int
    task_type: str
    room: str
    layout_seed: str


class GeneratedGames:
    """The games that a ``GeneratorConfig`` describes."""

    def __init__(self, config: GeneratorConfig) -> None:
        """Checks the configuration; makes nothing yet.

        Raises:
            ConfigError: An unknown task type or room, or none of the rooms has any of the task types.
        """
        self.config = config
        self._mix = _task_mix(config.task_types, config.rooms)
        self._counts = {split: getattr(config, split) for split in SPLITS}

    def facts(self) -> dict[str, Any]:
        """See :class:`spanwise.environments.protocol.TaskSet`: its settings say all."""
        return {}

    def tasks(self, split: str) -> Sequence[TaskInfo]:
        """The tasks of a split in order; their ids are ``generated/<split>/<index>``.

        Raises:
            TaskDataError: There is no such split, or ``valid_seen`` has rooms that ``train`` is too short to have.
        """
        count = self._count(split)
        return [TaskInfo(f"{PREFIX}/{split}/{index}", self._plan(split, index).task_type) for index in range(count)]

    def game(self, task_id: str, verify: bool = True) -> dict[str, Any]:
        """A game as in a game.tw-pddl, with ``walkthrough`` and ``traj_data``.

        With ``verify`` the walkthrough has been played and has won (``solvable`` is there and true); where it does not,
        the next sub-seed is drawn. Without, the first draw is returned as it is.

        Raises:
            TaskDataError: There is no such task, or none of the draws could be won.
        """
        plan = self._plan(*self._parse(task_id))
        trial = self.trial(task_id)
        layout = _layout(plan, self.config.size)
        for attempt in range(_GAME_TRIES):
            scene = _scene(plan, layout, self.config.size, f"{self._seed(plan.split, plan.index)}/{attempt}")
            game = {**game_data(scene, trial), "traj_data": trajectory_data(scene, trial)}
            if not verify:
                return game
            if is_won_by_walkthrough(game):
                return {**game, "solvable": True}
        raise TaskDataError(
            f"{task_id}: none of {_GAME_TRIES} generated games was won by its walkthrough; try another seed"
        )

    def trial(self, task_id: str) -> str:
        """The name of the game's folder on disk, and of its planning problem.

        Raises:
            TaskDataError: There is no such task.
        """
        split, index = self._parse(task_id)
        return f"trial_{split}_{index:06d}"

    def _seed(self, split: str, index: int) -> str:
        return f"{self.config.seed}/{split}/{index}"

    def _plan(self, split: str, index: int) -> Plan:
        room_split, room_index = ("train", index % SEEN_ROOMS) if split == "valid_seen" else (split, index)
        rng = Random(f"{self._seed(room_split, room_index)}/plan")
        task_type, room = rng.choices(list(self._mix), list(self._mix.values()))[0]
        return Plan(split, index, task_type, room, f"{self._seed(room_split, room_index)}/layout")

    def _count(self, split: str) -> int:
        if split not in self._counts:
            raise TaskDataError(f"generated games have no split {split!r}; there are {', '.join(SPLITS)}")
        seen = min(self.config.valid_seen, SEEN_ROOMS)
        if split == "valid_seen" and self.config.train < seen:
            raise TaskDataError(
                f"valid_seen is set in the rooms of the first {seen} train games, but train has {self.config.train}: "
                f"raise generator.train to {seen}, or lower generator.valid_seen to {self.config.train}"
            )
        return self._counts[split]

    def _parse(self, task_id: str) -> tuple[str, int]:
        prefix, _, rest = task_id.partition("/")
        split, _, index = rest.partition("/")
        known = split in self._counts and index.isdecimal() and int(index) < self._count(split)
        if prefix != PREFIX or not known or task_id != f"{PREFIX}/{split}/{int(index)}":
            counts = ", ".join(f"{PREFIX}/{split}/0 … {count - 1}" for split, count in self._counts.items() if count)
            raise TaskDataError(f"no generated game {task_id!r}; there are {counts or 'none'}")
        return split, int(index)


def _task_mix(task_types: Sequence[str], rooms: Sequence[str]) -> Mapping[tuple[str, str], int]:
    """(task type, room) -> weight, for what the configuration lets through."""
    for field, names, known in (("task_types", task_types, TASK_MIX), ("rooms", rooms, ROOMS)):
        for name in names:
            if name not in known:
                raise ConfigError(f"generator.{field}: unknown {name!r}; there are {', '.join(known)}")
    mix = {
        (task_type, room): weight
        for task_type, by_room in TASK_MIX.items()
        for room, weight in by_room.items()
        if (not task_types or task_type in task_types) and (not rooms or room in rooms)
    }
    if not mix:
        where = "; ".join(f"{task_type} in {', '.join(TASK_MIX[task_type])}" for task_type in task_types)
        raise ConfigError(f"generator.rooms: {', '.join(rooms)} has none of the task types; {where}")
    return mix


def _layout(plan: Plan, size: Size) -> Layout:
    """A room for the plan: held out for valid_unseen, otherwise not, and such that its task can be set in it."""
    rng = Random(plan.layout_seed)
    for _ in range(_LAYOUT_TRIES):
        furniture = draw_furniture(plan.room, size, rng)
        if is_held_out(furniture_key(plan.room, furniture)) != (plan.split == "valid_unseen"):
            continue
        layout = place_furniture(plan.room, furniture, rng)
        if possible_goals(layout, plan.task_type):
            return layout
    raise TaskDataError(f"no {size} {plan.room} for {plan.task_type} within {_LAYOUT_TRIES} draws")


def _scene(plan: Plan, layout: Layout, size: Size, seed: str) -> Scene:
    """Objects and goal for the plan, such that no other split can have the same game."""
    rng = Random(seed)
    for _ in range(_SCENE_TRIES):
        scene = draw_scene(layout, draw_goal(layout, plan.task_type, rng), size, rng)
        seen_share = scene.fingerprint % _SEEN_ONE_IN == 0
        if plan.split == "valid_unseen" or seen_share == (plan.split == "valid_seen"):
            return scene
    raise TaskDataError(f"no game for {plan.split}/{plan.index} within {_SCENE_TRIES} draws")
