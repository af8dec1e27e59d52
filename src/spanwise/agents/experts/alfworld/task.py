"""What an ALFWorld goal asks for, read from the sentence that states it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from spanwise.errors import TaskDataError

Treatment = Literal["clean", "heat", "cool"]


@dataclass(frozen=True, slots=True)
class Task:
    """A goal.

    Attributes:
        target: Kind of object that is wanted, e.g. ``"apple"``.
        goal: Kind of receptacle it goes to; for ``look``, kind of lamp to hold it under.
        treatment: What must be done to it first.
        count: How many are wanted.
        look: Whether it is to be looked at under a lamp, rather than put somewhere.
    """

    target: str
    goal: str
    treatment: Treatment | None = None
    count: int = 1
    look: bool = False


_STATED = re.compile(r"Your task is to: (?P<goal>[^.\n]*)")
_LOOK = re.compile(r"(?:look at|examine the) (?P<target>\w+) (?:under|with) the (?P<goal>\w+)")
_TREAT = re.compile(r"(?P<verb>clean|heat|cool) some (?P<target>\w+) and put it in (?P<goal>\w+)")
_PUT = re.compile(r"put (?:a|some) (?:(?P<state>clean|hot|cool) )?(?P<target>\w+) (?:in|on) (?P<goal>\w+)")
_TWO = re.compile(r"(?:find two (?P<target>\w+) and put them|put two (?P<other>\w+)) in (?P<goal>\w+)")
_TREATMENTS: dict[str, Treatment] = {"clean": "clean", "hot": "heat", "heat": "heat", "cool": "cool"}


def read_task(text: str) -> Task:
    """The goal that a first observation states.

    Raises:
        TaskDataError: The text states no goal, or one that is not worded as ALFWorld words it.
    """
    stated = _STATED.search(text)
    if stated is None:
        raise TaskDataError(f"an ALFWorld game begins with 'Your task is to: ...', found {text[-120:]!r}")
    sentence = stated["goal"].strip()
    if match := _LOOK.fullmatch(sentence):
        return Task(match["target"], match["goal"], look=True)
    if match := _TREAT.fullmatch(sentence):
        return Task(match["target"], match["goal"], treatment=_TREATMENTS[match["verb"]])
    if match := _PUT.fullmatch(sentence):
        return Task(match["target"], match["goal"], treatment=_TREATMENTS.get(match["state"] or ""))
    if match := _TWO.fullmatch(sentence):
        return Task(match["target"] or match["other"], match["goal"], count=2)
    raise TaskDataError(f"not a goal that ALFWorld states: {sentence!r}; expected one like 'put a clean mug in shelf'")
