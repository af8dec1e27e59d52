"""How an ALFWorld expert says what it thinks: few words, always the same ones, in two or three ways each.

The ways differ so that a student has more to learn than one string; the words are few so that it can. Objects and
places are named as the game names them ("a apple"), and what the command needs is named last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from spanwise.agents.experts.remarks import Remark, put_in_words

TEMPLATES: dict[str, tuple[str, ...]] = {
    "plan_put": (
        "I need to find a {target}, then put it in/on {goal}.",
        "To solve the task, I find a {target} and put it in/on {goal}.",
    ),
    "plan_treat": (
        "I need to find a {target}, {verb} it with {appliance}, then put it in/on {goal}.",
        "To solve the task, I find a {target}, {verb} it with {appliance} and put it in/on {goal}.",
    ),
    "plan_two": (
        "I need to find two {target}, then put them in/on {goal}, one by one.",
        "To solve the task, I find two {target} and put them in/on {goal}, one by one.",
    ),
    "plan_look": (
        "I need to find a {target}, take it to a {lamp}, then turn on the {lamp}.",
        "To solve the task, I find a {target}, take it to a {lamp} and turn on the {lamp}.",
    ),
    "places": ("Places to look for a {target}: {places}.",),
    "first": ("First is {place}.", "I go to {place} first.", "I start with {place}."),
    "read": ("At {place}: {things}.", "At {place} I see {things}."),
    "none_here": ("No {target} here.", "There is no {target} here.", "I see no {target} here."),
    "next": ("Next is {place}.", "Next on my list is {place}.", "Next I go to {place}."),
    "after": ("After {before} comes {place}.", "After {before} I go to {place}."),
    "already_here": ("I am already at {place}, so I look at it.", "I am already at {place}. I look at it."),
    "closed": (
        "The {place} is closed. I open it to look for a {target}.",
        "The {place} is closed. A {target} may be inside, so I open it.",
    ),
    "found": ("I see {thing} at {place}. I take it.", "There is {thing} at {place}, so I take it."),
    "found_first": (
        "I see {thing} at {place}. I take it, the first of two.",
        "There is {thing} at {place}, so I take it, the first of two.",
    ),
    "found_second": (
        "I see {thing} at {place}. I take it, the second of two.",
        "There is {thing} at {place}, so I take it, the second of two.",
    ),
    "notice": ("I remember {thing} at {place} for later.", "For later, {thing} is at {place}."),
    "go_back": ("I saw {thing} at {place}, so I go back to {place}.", "I remember {thing} at {place}, so I go there."),
    "open_for": ("The {place} is closed and {thing} is inside, so I open it.",),
    "one_down": ("One {target} is in/on {goal}, one to go.", "One {target} down at {goal}, one to go."),
    "have_to_treat": (
        "I have {thing}. Now I {verb} it with {place}, so I go to {place}.",
        "I have {thing} and need to {verb} it, so I go to {place}.",
    ),
    "treat_here": ("I am at {place} with {thing}. I {verb} it.", "I {verb} {thing} here with {place}."),
    "have_to_put": (
        "I have {state}{thing}. Now I put it in/on {place}, so I go to {place}.",
        "I have {state}{thing} and need to put it in/on {place}, so I go there.",
    ),
    "open_to_put": (
        "The {place} is closed. I open it to put {state}{thing} in.",
        "I have {state}{thing} but {place} is closed, so I open it.",
    ),
    "put_here": ("I am at {place} with {state}{thing}. I put it here.", "I put {state}{thing} here in/on {place}."),
    "have_to_find": ("I have {thing}. Now I need a {target}.", "I have {thing}, next I find a {target}."),
    "have_but_none": (
        "I have {thing} but see no {target} here.",
        "I have {thing}, there is no {target} here.",
    ),
    "have_and_remember": (
        "I have {thing}. I saw {lamp} at {place}, so I go to {place}.",
        "I have {thing} and remember {lamp} at {place}, so I go there.",
    ),
    "lamp_here": ("I have {thing} and {lamp} is here. I turn it on.", "I am at {lamp} with {thing}, so I turn it on."),
    "wrong_put_down": ("I have {thing} but need a {target}, so I put it down here in/on {place}.",),
    "wrong_carry": ("I have {thing} but need a {target}. It can go in/on {place}, so I go there.",),
    "wrong_open": ("I have {thing} but need a {target}. The {place} is closed, so I open it to put {thing} in.",),
    "take_stock_inventory": ("That did not work. I check what I have.",),
    "take_stock_look": ("That did not work. I look where I am.",),
    "elsewhere": ("That did not work. I go to {place}.",),
}

_PLACES = re.compile(r"Places to look for a (\w+): ([^.]*)\.")


def word(remarks: Sequence[Remark], seed: int, step: int) -> str:
    """A thought: the remarks in order, each in one of its wordings, which seed and step choose."""
    return put_in_words(remarks, TEMPLATES, seed, step)


def read_lists(completions: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The places to look at that thoughts have listed, the last list for each kind of object."""
    lists: dict[str, tuple[str, ...]] = {}
    for completion in completions:
        for target, places in _PLACES.findall(completion):
            lists[target] = tuple(place.strip() for place in places.split(",") if place.strip())
    return lists
