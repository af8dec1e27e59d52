"""Solvable is what has been solved: the walkthrough is played on the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_won_by_walkthrough(game: Mapping[str, Any]) -> bool:
    """Whether the engine counts the game as won after the commands of its ``walkthrough``."""
    import textworld
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler
    from textworld.envs.pddl.pddl import PddlEnv

    env = AlfredDemangler(PddlEnv(textworld.EnvInfos(won=True, feedback=True)))
    env.load(dict(game))
    state = env.reset()
    for command in game["walkthrough"]:
        state, _, _ = env.step(command)
    return state["won"]
