"""What the shopper is sent for, read from the instruction: kind of product, claims, options, price limit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_LIMIT = re.compile(r",? and price lower than ([\d.,]+) dollars\.?\s*$")
_OPENING = re.compile(r"^\s*find me\s+", re.IGNORECASE)
_NAME = r"(?:(?!with |for )[a-z]+ ?){1,4}: "
_OPTIONS = re.compile(rf"(?:^|\s)with (?={_NAME}\S)")
_NEXT_OPTION = re.compile(rf", and (?={_NAME})")
_JOINERS = re.compile(r" with | for |, ")

#: Words that begin, or end, a claim of two words that stands before the kind of product.
_BEGINS = frozenset(
    re.findall(
        r"\w+",
        """
        anti animal artificial certified clinically compatible dermatologist dual easy fast fully hand hands height
        high highly keto light long low non noise officially plug quick ready rich super ultra usda white winter wide
        1080p 4k
        """,
    )
)
_ENDS = frozenset(
    re.findall(
        r"\w+",
        """
        aging assembled based cancelling century certified clean cold comfort cooked covered crafted dried duty family
        fashioned fit free friendly gmo hang high leg licensed lifting lined mounted organic plated proof proven ray
        release required resistant rise saving serving sided size slip soft stable tested toe tufted wash washable
        weight whitening wicking
        """,
    )
)

#: Words that carry no meaning in an instruction that a person wrote.
_IDLE = frozenset(
    re.findall(
        r"[\w']+",
        """
        a about also am an and any are around as at be buy by can could d find for from get has have hello help hi i if
        im in interested is it its like ll look looking lower m make me my need of on one or order place please price
        s set show should size so some that the them they this to under up use want wants which will with would you
        dollars dollar pair pack type
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Errand:
    """An instruction, taken apart.

    Attributes:
        text: The instruction without its price.
        kind: What to buy, e.g. ``men's shirts``.
        claims: What it must be, e.g. ``machine wash``.
        options: What is to be chosen: (name, value), in the order of the instruction.
        limit: What it may cost, in dollars; None: anything.
        spoken: A person's own words: claims and options are not marked off, ``kind`` holds the words that count.
    """

    text: str
    kind: str
    claims: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    limit: float | None
    spoken: bool = False

    @property
    def option_names(self) -> tuple[str, ...]:
        """Names of the options."""
        return tuple(name for name, _ in self.options)


@lru_cache(maxsize=1 << 12)
def read_errand(instruction: str) -> Errand:
    """The instruction, taken apart; never fails."""
    text = instruction.strip()
    limit = None
    if found := _LIMIT.search(text):
        text, limit = text[: found.start()], _number(found[1])
    opening = _OPENING.match(text)
    if opening is None:
        words = [word for word in re.findall(r"[\w'.&-]+", text.lower()) if word.strip("'.-") not in _IDLE]
        return Errand(text, " ".join(words), (), (), limit, spoken=True)
    body = text[opening.end() :]
    options: tuple[tuple[str, str], ...] = ()
    if found := _OPTIONS.search(body):
        pairs = (pair.partition(": ") for pair in _NEXT_OPTION.split(body[found.end() :]))
        options = tuple((name.strip(), value.strip()) for name, _, value in pairs)
        body = body[: found.start()]
    head, *tail = re.split(r" (?=with |for )", body)
    before, kind = _head(head)
    after = [claim for part in tail for claim in _JOINERS.split(f" {part}") if claim.strip()]
    return Errand(text, kind, (*before, *(claim.strip() for claim in after)), options, limit)


def _head(head: str) -> tuple[list[str], str]:
    """Claims before the kind of product, and the kind: claims are of two words, the last one runs into the kind."""
    parts = head.split(", ")
    claims: list[str] = []
    while parts:
        words = parts[0].split()
        if len(words) == 2 and len(parts) > 1 and (_is_claim(words) or (claims and "'" not in parts[0])):
            claims.append(parts.pop(0))
            continue
        if len(words) > 2 and (_is_claim(words) or claims):
            claims.append(" ".join(words[:2]))
            parts[0] = " ".join(words[2:])
        break
    return claims, ", ".join(parts)


def _is_claim(words: list[str]) -> bool:
    return (words[0] in _BEGINS or words[1] in _ENDS) and not any("'" in word for word in words[:2])


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None
