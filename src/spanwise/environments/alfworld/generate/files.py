"""Generated games on disk, in the layout of the official release."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spanwise.config import GeneratorConfig
from spanwise.environments.alfworld.generate.games import SPLITS, GeneratedGames
from spanwise.errors import TaskDataError

RELEASE = "json_2.1.1"
_MARK = "generated.json"


def write_games(config: GeneratorConfig, destination: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Writes every game of the configuration, verified, where the official environment and ALFWORLD_DATA find it.

    The files are ``DESTINATION/json_2.1.1/<split>/<task>/<trial>/`` with ``game.tw-pddl`` and ``traj_data.json``. A
    game that is there already is left alone: the same call continues an interrupted one, and larger counts add games.

    Args:
        config: Which games.
        destination: Folder to write into; made if it does not exist.
        progress: Called after each game with how many are done and how many there are.

    Returns:
        How many games there are.

    Raises:
        TaskDataError: The destination holds other games, or a game could not be made.
    """
    games = GeneratedGames(config)
    tasks = [(split, task) for split in SPLITS if getattr(config, split) for task in games.tasks(split)]
    _claim(destination / RELEASE, config)
    written = {path.parent.name for path in (destination / RELEASE).glob("*/*/*/traj_data.json")}
    for done, (split, task) in enumerate(tasks, start=1):
        if games.trial(task.task_id) not in written:
            _write(games.game(task.task_id), destination / RELEASE / split)
        if progress:
            progress(done, len(tasks))
    return len(tasks)


def _claim(folder: Path, config: GeneratorConfig) -> None:
    """Marks a folder as holding games of this configuration; their counts may differ from call to call."""
    mark = folder / _MARK
    ours = config.model_dump(mode="json", exclude=set(SPLITS))
    if mark.is_file():
        theirs = json.loads(mark.read_text())
        if theirs != ours:
            raise TaskDataError(
                f"{mark}: the games there were made with {theirs}, not with {ours}; choose another folder"
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise TaskDataError(f"{folder} holds games that were not generated here; choose another folder")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps(ours))


def _write(game: dict[str, Any], split: Path) -> None:
    trajectory = game.pop("traj_data")
    asked = trajectory["pddl_params"]
    names = (
        trajectory["task_type"],
        asked["object_target"],
        "None",
        asked["parent_target"] or asked["toggle_target"],
        trajectory["scene"]["floor_plan"],
    )
    trial = split / "-".join(names) / trajectory["task_id"]
    trial.mkdir(parents=True, exist_ok=True)
    (trial / "game.tw-pddl").write_text(json.dumps(game))
    # Last, because loaders look for this one: a game is there whole or not at all.
    (trial / "traj_data.json").write_text(json.dumps(trajectory))
