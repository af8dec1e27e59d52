"""The toy world's expert: plays it from the text alone, thinking aloud."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from spanwise.agents.protocol import Completion, History
from spanwise.environments.toy import SINK

_ROOM = re.compile(
    r"You see (?P<places>.+)\.\nYour task is to: (?P<wash>wash)?.*?the (?P<thing>\w+) .*on (?P<goal>.+)\."
)
_ARRIVAL = re.compile(r"At (.+) you see ")
_SEARCH = ("It may be at {place}.", "Let me look at {place}.")


class ToyExpert:
    """Writes ``Thought: … Action: …``; the history says all there is to know, so nothing is kept between turns."""

    name = "expert"

    def act(self, histories: Sequence[History]) -> list[Completion]:
        """The best next command of each episode, with the reason for it."""
        return [Completion("Thought: {}\nAction: {}".format(*_decide(history))) for history in histories]

    def forget(self, episode: int) -> None:
        """Nothing was kept."""


def _decide(history: History) -> tuple[str, str]:
    """Thought and action.

    Raises:
        ValueError: The first observation is not the toy world's.
    """
    first, *seen = [*(step.observation for step in history.steps), history.observation]
    room = _ROOM.search(first)
    if room is None:
        raise ValueError(f"not the toy world: {first!r}")
    thing, goal, wash = room["thing"], room["goal"], room["wash"] is not None
    visited = [arrival[1] for text in seen if (arrival := _ARRIVAL.match(text))]
    here = visited[-1] if visited else None

    if f"You take the {thing}." not in seen:
        if here and seen[-1] == f"At {here} you see a {thing}.":
            return f"The {thing} is here. I take it.", f"take {thing}"
        place = next(place for place in room["places"].split(", ") if place not in {*visited, goal, SINK})
        plan = "" if seen else f"I find the {thing}{', wash it' if wash else ''} and put it on {goal}. "
        search = random.Random(f"{history.seed}/{len(seen)}").choice(_SEARCH).format(place=place)
        return plan + search, f"go to {place}"
    if wash and f"You wash the {thing}." not in seen:
        if here == SINK:
            return f"I wash the {thing} here.", f"wash {thing}"
        return f"I have the {thing}. It must be washed at {SINK}.", f"go to {SINK}"
    if here == goal:
        return f"I put the {thing} here.", f"put {thing}"
    return f"I have the {thing}. It goes on {goal}.", f"go to {goal}"
