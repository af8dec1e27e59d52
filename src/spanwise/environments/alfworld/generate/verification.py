"""Solvable is what has been solved: the walkthrough is played on the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_won_by_walkthrough(game: Mapping[str, Any]) -> bool:
    """Whether the game is won by the last command of its ``walkthrough``, and not before.

    The engine keeps the last games that it translated, so who plays the game next does not translate it again.
    """
    # Here, because games are listed and made without the engine, which takes a second to import.
    from spanwise.environments.alfworld.engine import load_engine

    engine = load_engine(game)
    engine.reset()
    won = [engine.step(command).won for command in game["walkthrough"]]
    engine.close()
    return won.index(True) == len(won) - 1 if True in won else False
