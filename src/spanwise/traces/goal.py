"""The goal of an episode, as environments state it in their first words."""

from __future__ import annotations

#: What the goal stands behind, the surest first; it ends with its line, or with WebShop's ``[SEP]``.
_MARKERS = ("Your task is to:", "Your task is to ", "Instruction:", "Question:", "Claim:", "Task:")
_SEPARATOR = "[SEP]"


def goal_of(observation: str) -> str:
    """The goal that an observation states; all of it where nothing says which words that is."""
    for marker in _MARKERS:
        _, found, rest = observation.partition(marker)
        if found:
            rest = rest.strip().removeprefix(_SEPARATOR).strip()
            if goal := rest.partition("\n")[0].partition(_SEPARATOR)[0].strip():
                return goal
    return observation.strip()
