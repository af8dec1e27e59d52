"""How well a product answers an errand, as far as its page and what was read of it tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, utils

from spanwise.agents.experts.webshop.errand import Errand
from spanwise.agents.experts.webshop.memory import Candidate
from spanwise.agents.experts.webshop.pages import Item, Price

#: Words between those of a claim that do not matter: "easy to install" is "easy install".
_SMALL = frozenset(
    re.findall(r"\w+", "a all an and as at by every for in is it of on or other out per the to very with you your")
)
_ALIKE = 86
#: Share of an option's words that a person must have used to mean it.
_SPOKEN = 0.5
_ENDINGS = re.compile(r"(?:ies|es|s|ing|ed|able|y|e)$")

#: How likely a claim holds of which nothing was read yet, where the features say nothing of it, and where the options
#: tell that it is another product.
_UNREAD, _UNSAID, _UNLIKELY = 0.6, 0.25, 0.3

#: How much a product is worth that is for the other sex, or whose title has no word of what was asked for.
_OTHER_SEX, _OTHER_NAME = 0.5, 0.8
#: A product with choices that the errand does not speak of is less likely to be the one that it speaks of.
_MORE_OPTIONS = 0.97
#: Limits are set a little above what the thing costs: what costs this much less, in dollars, is hardly what is meant.
_USUAL_MARGIN = 40.0
_FAR_BELOW = 0.85
_SEXES = (
    frozenset(("men", "mens", "man", "male", "boy", "boys")),
    frozenset(("women", "womens", "woman", "female", "ladies", "girl", "girls")),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A wanted option and what the page offers for it.

    Attributes:
        name: Of the wanted option, e.g. ``color``.
        wanted: The value asked for.
        offered: What to click; "" where the page has nothing near.
        exact: It is the value asked for.
    """

    name: str
    wanted: str
    offered: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a product answers an errand.

    Attributes:
        choices: One for each wanted option.
        affordable: 1 within the limit, 0 above it, between where its price is a range that holds the limit.
        said: Claims that were read of it.
        unsaid: Claims that were not.
        kind: 1 where it looks like the kind of product asked for, less where it does not.
        score: Share of the errand that it is expected to fulfil, in [0, 1].
    """

    choices: tuple[Choice, ...]
    affordable: float
    said: tuple[str, ...]
    unsaid: tuple[str, ...]
    kind: float
    score: float

    @property
    def missing(self) -> tuple[Choice, ...]:
        """Wanted options that cannot be had as they were asked for."""
        return tuple(choice for choice in self.choices if not choice.exact)


def judge(errand: Errand, candidate: Candidate) -> Verdict:
    """How well a product that was looked at answers the errand."""
    item = candidate.item
    choices = choose(errand, item)
    text = "\n".join((item.title, *candidate.read.values()))
    said = tuple(claim for claim in errand.claims if says(text, claim))
    unsaid = tuple(claim for claim in errand.claims if claim not in said)
    affordable = affordability(item.price, errand.limit)
    doubt = _UNLIKELY if any(not choice.exact for choice in choices) else _UNREAD
    if candidate.read:
        doubt = _UNSAID
    options = sum(1.0 if choice.exact else 0.5 if choice.offered else 0.0 for choice in choices)
    parts = len(errand.claims) + len(choices) + 1
    kind = kinship(errand, item.title)
    more = _MORE_OPTIONS if set(item.options) - set(errand.option_names) and not errand.spoken else 1.0
    score = (
        (len(said) + doubt * len(unsaid) + options + affordable)
        / parts
        * kind
        * more
        * (_FAR_BELOW if far_below(item.price, errand.limit) else 1.0)
    )
    return Verdict(choices, affordable, said, unsaid, kind, score)


def choose(errand: Errand, item: Item) -> tuple[Choice, ...]:
    """What to choose on a product's page."""
    if errand.spoken:
        found = ((name, _spoken(errand, values)) for name, values in item.options.items())
        return tuple(Choice(name, value, value, True) for name, value in found if value)
    return tuple(_choice(name, wanted, item) for name, wanted in errand.options)


def affordability(price: Price, limit: float | None) -> float:
    """1 within the limit, 0 above it, between where a range of prices holds the limit."""
    if limit is None or price.high <= limit:
        return 1.0
    if price.low > limit:
        return 0.0
    return (limit - price.low) / (price.high - price.low)


def far_below(price: Price, limit: float | None) -> bool:
    """Whether something is so cheap that the limit was hardly set for it."""
    return limit is not None and 0 < price.high < limit - _USUAL_MARGIN


def kinship(errand: Errand, title: str) -> float:
    """How much a title looks like the kind of product that was asked for, in [0, 1]."""
    wanted, named = _plain(errand.kind), _plain(title)
    for one, other in (_SEXES, _SEXES[::-1]):
        if wanted & one and not wanted & other and named & other and not named & one:
            return _OTHER_SEX
    asked, told = set(_stems(errand.kind)), set(_stems(title))
    return 1.0 if asked & told or not title else _OTHER_NAME


def _plain(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower().replace("'", "").replace("’", "")))


def says(text: str, claim: str) -> bool:
    """Whether a text makes a claim: its words, in order and side by side but for small words and endings."""
    wanted = _stems(claim)
    words = _stems(text)
    return any(words[index : index + len(wanted)] == wanted for index in range(len(words) - len(wanted) + 1))


def _stems(text: str) -> list[str]:
    """Words without endings; small words and bare numbers are left out, as in "95% polyester, 5% spandex"."""
    found = re.findall(r"[a-z0-9']+", text.lower())
    words = (word for word in found if word not in _SMALL and not word.isdigit())
    return [_ENDINGS.sub("", word.replace("'", "")) or word for word in words]


def _choice(name: str, wanted: str, item: Item) -> Choice:
    own = item.options.get(name, ())
    every = [value for values in item.options.values() for value in values]
    for values in (own, every):
        if same := _same(wanted, values):
            return Choice(name, wanted, same, True)
    near = max(own or every, key=lambda value: _nearness(value, wanted), default="")
    return Choice(name, wanted, near if near and _nearness(near, wanted) >= _ALIKE else "", False)


def _same(wanted: str, values: Iterable[str]) -> str:
    return next((value for value in values if value.strip().lower() == wanted.lower()), "")


def _nearness(value: str, wanted: str) -> float:
    """Of 100; ties go to the longer likeness."""
    first, second = utils.default_process(value), utils.default_process(wanted)
    return fuzz.token_set_ratio(first, second) + fuzz.ratio(first, second) / 1000


def _spoken(errand: Errand, values: Iterable[str]) -> str:
    """The value whose words a person used most of; "" where none was used."""
    used = set(_parts(errand.text))
    shares = {value: _share(_parts(value), used) for value in values}
    best = max(shares, key=lambda value: shares[value], default="")
    return best if best and shares[best] >= (_SPOKEN, 1) else ""


def _parts(text: str) -> list[str]:
    """Words and numbers, apart: "120ml" is "120 ml"."""
    found = re.findall(r"\d+(?:\.\d+)?|[a-z]+", text.lower())
    return [_ENDINGS.sub("", part) or part for part in found if part not in _SMALL]


def _share(words: list[str], used: set[str]) -> tuple[float, int]:
    hits = sum(word in used for word in words)
    return (hits / len(words) if words else 0.0, hits)
