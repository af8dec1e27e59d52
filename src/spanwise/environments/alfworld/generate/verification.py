"""Solvable is what has been solved: the walkthrough is played on the engine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from typing import Any


def is_won_by_walkthrough(game: Mapping[str, Any]) -> bool:
    """Whether the engine counts the game as won after the commands of its ``walkthrough``."""
    import textworld
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler

    with tempfile.NamedTemporaryFile("w", suffix=".tw-pddl") as file:
        json.dump(dict(game), file)
        file.flush()
        env = textworld.start(file.name, textworld.EnvInfos(won=True, feedback=True), wrappers=[AlfredDemangler()])
        state = env.reset()
        for command in game["walkthrough"]:
            state, _, _ = env.step(command)
    return state["won"]
