"""Comparing two things by what their pages say of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from spanwise.agents.experts.hotpotqa.lexicon import NOUNS, Kind
from spanwise.agents.experts.hotpotqa.memory import Passage
from spanwise.agents.experts.hotpotqa.question import Asked, Form, noun_kind
from spanwise.agents.experts.hotpotqa.reader import ENOUGH, Find, Wish, find, weights
from spanwise.agents.experts.hotpotqa.text import plain, stem, stems
from spanwise.agents.experts.hotpotqa.values import NUMBER, first_date, number_of

_EARLY = re.compile(
    r"\b(?:first|earlier|earliest|older|oldest|elder|eldest|before|sooner|longer ago|predates?)\b", re.IGNORECASE
)
_LATE = re.compile(r"\b(?:later|latest|younger|youngest|newer|newest|last|more recent(?:ly)?|after)\b", re.IGNORECASE)
_MORE = re.compile(
    r"\b(?:more|most|larger|largest|bigger|biggest|higher|highest|taller|tallest|longer|longest|greater|greatest"
    r"|deeper|wider|heavier|farther|further)\b",
    re.IGNORECASE,
)
_FEWER = re.compile(r"\b(?:fewer|fewest|less|least|smaller|smallest|lower|lowest|shorter|shortest)\b", re.IGNORECASE)
_SAME = re.compile(r"\b(?:same|share|shared|common|mutual)\b", re.IGNORECASE)
_MEASURES = {
    "high": "tall", "tall": "tall", "long": "long", "short": "long", "large": "large", "big": "large", "small": "large",
    "populou": "people", "low": "tall",
}  # fmt: skip
_EVENTS = frozenset(("birth", "death", "release", "publish", "found", "open", "build", "ten-year", "elect"))


@dataclass(frozen=True, slots=True)
class Point:
    """What a comparison goes by.

    Attributes:
        wish: What is looked for on each page.
        upward: Whether the lesser of the two wins (an earlier date, a smaller number); None: it is no contest.
        predicate: Stems of what must hold of a thing, where there is no value to look for.
        names: Names that must be said with it, e.g. of a place of birth.
    """

    wish: Wish | None
    upward: bool | None
    predicate: tuple[str, ...]
    names: tuple[str, ...] = ()


def point_of(asked: Asked) -> Point:
    """What a question's comparison goes by."""
    text = asked.text
    for name in asked.names:
        text = text.replace(name, "…")
    outer = [one for one in asked.outer if one]
    early, late = _EARLY.search(text), _LATE.search(text)
    more, fewer = _MORE.search(text), _FEWER.search(text)
    if late and more and late[0].startswith(more[0]):
        more = None
    if (early or late) and not more:
        events = [one for one in outer if one in _EVENTS]
        near = weights([(events or ["birth", "release", "publish", "found"], 1.0), (outer, 0.2)])
        return Point(Wish(Kind.DATE, "", near), not late or bool(early and early.start() < late.start()), ())
    if more or fewer:
        word = (more or fewer)[0]  # type: ignore[index]
        after = text[text.index(word) + len(word) :].split()
        noun = re.sub(r"\W", "", after[0]).lower() if after else ""
        measured = _MEASURES.get(stem(word)) if NOUNS.get(noun) is not Kind.NUMBER else None
        near = weights([([measured or stem(noun)], 1.0)])
        return Point(Wish(Kind.NUMBER, noun, near), more is None, ())
    if _SAME.search(text) or asked.form is Form.COMMON:
        return Point(_shared(asked), None, ())
    return Point(None, None, tuple(outer), tuple(name for name in asked.names if name not in asked.options))


def _shared(asked: Asked) -> Wish:
    """What two are said to have in common: "the same NOUN"."""
    found = re.search(r"\b(?:same|shared|mutual|common)\b(?: [a-z]+)?? (?P<noun>[a-z]+)\b", asked.text)
    share = re.search(r"\bshare (?:a|the same)? ?(?P<noun>[a-z]+)\b", asked.text)
    noun = asked.noun or (share["noun"] if share else found["noun"] if found else "")
    kind = noun_kind(noun) if noun else asked.kind
    if kind is Kind.YES_NO or kind is Kind.PERSON:
        kind = Kind.NAME
    where = ["locate"] if kind is Kind.PLACE and not set(asked.outer) - {stem(noun)} else []
    return Wish(kind, noun, weights([(asked.outer, 1.0), ([*where, stem(noun)], 1.0)]), asked.options)


def value(point: Point, number: int, passage: Passage) -> Find | None:
    """What a page says of the thing compared; None: nothing."""
    if point.wish is None:
        return None
    best = find(point.wish, [(number, passage)])
    return best[0] if best and best[0].support >= ENOUGH else None


def holds(point: Point, passage: Passage) -> float:
    """How much of a predicate a page says, in [0, 1]: what share of its words, and all of its names."""
    if point.names:
        return float(any(says(point, sentence) for sentence in passage.all))
    wanted = [one for one in point.predicate if not one.isdigit() or len(one) == 4]
    present = set(stems(passage.text))
    return sum(one in present for one in wanted) / len(wanted) if wanted else 0.0


def says(point: Point, sentence: str) -> bool:
    """Whether a sentence has the names of a predicate, and one of its other words if there are any."""
    if not point.names or not all(plain(name) in plain(sentence) for name in point.names):
        return False
    return not point.predicate or bool(set(point.predicate) & set(stems(sentence)))


def wins(point: Point, one: Find, other: Find) -> bool | None:
    """Whether the first value is the one asked for; None: it cannot be told."""
    if point.wish is None or point.upward is None:
        return None
    first, second = _order(point.wish.kind, one.text), _order(point.wish.kind, other.text)
    if first is None or second is None or first == second:
        return None
    return (first < second) == point.upward


def _order(kind: Kind, text: str) -> tuple[float, ...] | None:
    if kind is Kind.DATE:
        return first_date(text)
    number = NUMBER.search(text)
    return None if number is None else (number_of(number),)


def alike(one: Find | None, other: Find | None) -> bool:
    """Whether two pages say the same, be it as a country and its people ("Ravia", "Ravian")."""
    if one is None or other is None:
        return False
    first, second = (plain(found.text).removeprefix("the ") for found in (one, other))
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
    return first == second or (shared >= 4 and shared >= max(len(first), len(second)) - 3)


def common_words(one: Passage, other: Passage, wish: Wish) -> Sequence[str]:
    """Values of the kind that two pages have in common, the best first."""
    first = find(wish, [(0, one)])
    second = {plain(found.text).split()[-1] for found in find(wish, [(1, other)]) if found.text.split()}
    return [found.text for found in first if plain(found.text).split() and plain(found.text).split()[-1] in second]
