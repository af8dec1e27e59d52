"""ALFWorld's tasks: the released games under ``ALFWORLD_DATA``, or games that spanwise makes itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.config import EnvironmentConfig
from spanwise.environments.alfworld.observations import (
    clean_first_observation,
    clean_observation,
    dialects,
    in_dialect,
)
from spanwise.environments.protocol import Outcome, TaskInfo
from spanwise.errors import TaskDataError

if TYPE_CHECKING:
    from spanwise.environments.alfworld.engine import Engine
    from spanwise.environments.alfworld.generate import GeneratedGames

RELEASE = "json_2.1.1"
SPLITS = ("train", "valid_train", "valid_seen", "valid_unseen")
TASK_TYPES = (
    "pick_and_place_simple",
    "look_at_obj_in_light",
    "pick_clean_then_place_in_recep",
    "pick_heat_then_place_in_recep",
    "pick_cool_then_place_in_recep",
    "pick_two_obj_and_place",
)
GAME_FILE = "game.tw-pddl"
TRAJECTORY_FILE = "traj_data.json"


class AlfworldTasks:
    """ALFWorld's games as tasks. An id is ``<split>/<task>/<trial>``, as the release names its folders.

    Picklable: it holds its configuration only, and finds the games where it is used.
    """

    name = "alfworld"

    def __init__(self, config: EnvironmentConfig):
        """The tasks that ``config`` asks for; nothing is read yet."""
        self.config = config
        self._listed: dict[str, tuple[TaskInfo, ...]] = {}

    def __reduce__(self) -> tuple[type[AlfworldTasks], tuple[EnvironmentConfig]]:
        return AlfworldTasks, (self.config,)

    def facts(self) -> dict[str, Any]:
        """See :class:`spanwise.environments.protocol.TaskSet`: its settings say all."""
        return {}

    def tasks(self, split: str) -> Sequence[TaskInfo]:
        """All tasks of a split, sorted by id.

        Raises:
            TaskDataError: The split does not exist or its games are missing; the message says what there is.
        """
        if self.config.source == "generated":
            return self._generated.tasks(split)
        if split not in self._listed:
            self._listed[split] = _released(_release_folder(self.config.data), split)
        return self._listed[split]

    def make(self, task_id: str, seed: int) -> AlfworldEnvironment:
        """A fresh episode of a task. The seed numbers the objects of train games under domain randomization; else the
        games have no chance in them, and it changes nothing.

        Raises:
            TaskDataError: The task is unknown or its game is damaged.
        """
        from spanwise.environments.alfworld.engine import load_engine

        randomized = self.config.domain_randomization and "train" in task_id.split("/")[:2]
        return AlfworldEnvironment(load_engine(self._game(task_id), renumber=seed if randomized else None))

    @cached_property
    def _generated(self) -> GeneratedGames:
        from spanwise.environments.alfworld.generate import GeneratedGames

        return GeneratedGames(self.config.generator)

    def _game(self, task_id: str) -> Path | Mapping[str, Any]:
        if self.config.source == "generated":
            return self._generated.game(task_id)
        folder = _release_folder(self.config.data)
        parts = task_id.split("/")
        path = folder.joinpath(*parts) / GAME_FILE
        if len(parts) != 3 or parts[0] not in SPLITS or ".." in parts or not path.is_file():
            raise TaskDataError(f"{folder}: there is no task {task_id!r}; ids read <split>/<task>/<trial>")
        return path


class AlfworldEnvironment:
    """One episode of one game, in ReAct's words; see :class:`spanwise.environments.protocol.Environment`."""

    def __init__(self, engine: Engine):
        """An episode on an engine that has not been started."""
        self._engine = engine

    def reset(self) -> str:
        """The room and the goal."""
        return clean_first_observation(self._engine.reset())

    def step(self, action: str) -> Outcome:
        """Carry out one command, said in either dialect. Success is the engine's ``won``."""
        from spanwise.environments.alfworld.engine import NOTHING_HAPPENS

        answer = self._engine.step(in_dialect(action, self._engine.offered()))
        return Outcome(
            observation=clean_observation(answer.observation),
            reward=float(answer.won),
            done=answer.done,
            success=answer.won,
            valid=answer.observation != NOTHING_HAPPENS,
        )

    def admissible_commands(self) -> list[str]:
        """The commands that the game would carry out now, sorted, each in all its dialects."""
        return [said for command in self._engine.admissible_commands() for said in dialects(command)]

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.close()


def _release_folder(configured: str | None) -> Path:
    """The folder of the release, checked.

    Raises:
        TaskDataError: It is not set, or not there.
    """
    named = configured or os.environ.get("ALFWORLD_DATA")
    if not named:
        raise TaskDataError(
            "ALFWORLD_DATA is not set and environment.data is not given: the released games need the folder that holds "
            f'{RELEASE}; fetch them with `spanwise data alfworld DEST`, or use environment.source = "generated"'
        )
    setting = "environment.data" if configured else "ALFWORLD_DATA"
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise TaskDataError(
            f"{folder} ({setting}) is {'not a folder' if folder.exists() else 'missing'}; expected the folder that "
            f"holds {RELEASE}; `spanwise data alfworld {folder}` fetches it"
        )
    release = folder / RELEASE
    if not release.is_dir():
        found = ", ".join(sorted(entry.name for entry in folder.iterdir())[:5]) or "nothing"
        raise TaskDataError(
            f"{folder} ({setting}) holds no folder {RELEASE} (found: {found}); "
            f"`spanwise data alfworld {folder}` fetches it"
        )
    return release


def _released(release: Path, split: str) -> tuple[TaskInfo, ...]:
    """The games that ALFWorld itself plays: solvable, of its six types, no movable receptacles, nothing sliced."""
    present = [name for name in SPLITS if (release / name).is_dir()]
    if split not in present:
        known = f"not one of {', '.join(SPLITS)}" if split not in SPLITS else "missing"
        raise TaskDataError(f"{release}: split {split!r} is {known}; found {', '.join(present) or 'no split at all'}")
    tasks = []
    for task in sorted((release / split).iterdir()):
        if "movable" in task.name or "Sliced" in task.name or not task.is_dir():
            continue
        for trial in sorted(task.iterdir()):
            game, trajectory = trial / GAME_FILE, trial / TRAJECTORY_FILE
            if game.is_file() and trajectory.is_file():
                task_type = _task_type(trajectory)
                if task_type in TASK_TYPES and _solvable(game):
                    tasks.append(TaskInfo(f"{split}/{task.name}/{trial.name}", task_type))
    if not tasks:
        raise TaskDataError(
            f"{release / split}: found no playable game; expected <task>/<trial>/{GAME_FILE} beside {TRAJECTORY_FILE}; "
            f"`spanwise data alfworld {release.parent}` fetches them"
        )
    return tuple(tasks)


_TASK_TYPE = re.compile(rb'"task_type"\s*:\s*"([^"]*)"')
_SOLVABLE = re.compile(rb'"solvable"\s*:\s*(true|false)')


def _task_type(path: Path) -> str:
    """The task type that ``traj_data.json`` states; found without parsing the hundreds of kilobytes around it."""
    data = path.read_bytes()
    if not (found := _TASK_TYPE.findall(data)):
        raise TaskDataError(
            f'{path}: found {len(data):,} bytes without a "task_type"; the file is cut short or damaged, fetch it again'
        )
    return found[-1].decode()


def _solvable(path: Path) -> bool:
    """Whether ``game.tw-pddl`` says that the game can be won; where it does not say, ALFWorld leaves it out."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 256))
        tail = file.read()
        if not tail.rstrip().endswith(b"}"):
            raise TaskDataError(
                f"{path}: found {size:,} bytes that do not end a JSON object; "
                "the file is cut short or damaged, fetch it again"
            )
        if not (found := _SOLVABLE.findall(tail)):
            file.seek(0)
            try:
                return json.load(file).get("solvable") is True
            except ValueError as error:
                raise TaskDataError(f"{path}: not JSON ({error}); the file is damaged, fetch it again") from error
    return found[-1] == b"true"
