"""What a reader sees in a text: sentences, names, and the words that carry meaning, alike words as one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from spanwise.agents.experts.hotpotqa.lexicon import ALIKE, IDLE, STARTERS

_ABBREVIATION = re.compile(r"(?:\b[A-Z]|\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|No|vs|Mt|Inc|Co|Ltd|Gen|Col|Capt|Lt|Prof|Rev))\.$")
_BREAK = re.compile(r"(?<=[.!?])[\"”')]*\s+(?=[\"“'(\[]*[^\W_])")
_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
_CAPITAL = r"[A-ZÀ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶŁŃŅŇŌŐŒŘŚŞŠŢŤŪŮŰŹŻŽ]"
_TOKEN = rf"{_CAPITAL}[\w'’&/!-]*(?:\.(?:[\w'’-]+\.?)+|(?<=\b[A-Z])\.)?"
_JOINER = r"(?:(?:of|for|in|on|to|at|from)(?: (?:the|a))?|de|la|le|du|da|di|del|der|den|van|von|y|e|al|el|bin|ibn|&|\+)"
_NUMBER = r"#?\d[\w.,–-]*(?<![.,])"
_BEFORE = (
    r"\b(?:Above|Across|After|Against|Around|Before|Behind|Below|Between|Beyond|During|For|From|In|Inside|Into|On|Outside"
    r"|Over|Through|To|Toward|Towards|Under|Until|With|Without)"
)
_NAME = re.compile(
    rf"(?:(?<![\w-]){_NUMBER} (?={_CAPITAL})|{_BEFORE} (?:the|an?) )?{_TOKEN}"
    rf"(?:(?: (?:{_JOINER} ){{0,2}}| and the |: |-|–)(?:{_TOKEN}|{_NUMBER})(?!\w)|(?: \([^()]*\))(?= |[?.,]|$)){{0,9}}"
)
#: What joins two names rather than the words of one, unless that begins with an article: "The Key in the Water".
_TWO = re.compile(r" and the | (?:in|on|to|at|from|for) (?:the )?")
#: The first word of a sentence.
_OPENING = re.compile(r"(?:^|[.!?:][\"”')]* )[\s\"'“(]*(?P<word>\w+)")
#: An article that is none of a name, at the beginning of a sentence.
_THE_RIVER = re.compile(r"The (?:\d|(?:.* )?(?:River|Ocean|Sea|Mountains|Valley)\b)")
_AT_A_TIME = re.compile(r"\b(?:in|since|by|until|from|after|before|to) $", re.IGNORECASE)
#: After the first word of a sentence: that word is none of a name.
_GOES_ON = re.compile(r" (?!is|was|has|are|were)[a-z]")
_QUOTED = re.compile(r"[\"“”]([^\"“”]{2,80})[\"“”]|(?<![\w'])'([^']{2,60})'(?!\w)")
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ing|ed|es|s|e|y|ies|ied|er|or|ers|ors)$")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a text, and where it stands there.

    Attributes:
        text: As it is written, quotes left out.
        start: Of its first character, quotes left out.
        end: Past its last character.
        quoted: It stands in quotes.
    """

    text: str
    start: int
    end: int
    quoted: bool = False


def sentences(text: str) -> list[str]:
    """The sentences of a text; initials and the usual abbreviations end none."""
    found: list[str] = []
    whole = re.sub(r"(?<!\.)\.\.$", ".", " ".join(text.split()))
    for part in _BREAK.split(whole):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {part}"
        elif part:
            found.append(part)
    return found


def plain(text: str) -> str:
    """Lower case, without accents, quotes and outer space: what two spellings of a name share."""
    letters = unicodedata.normalize("NFKD", text)
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter) and letter not in "\"“”'’")
    return " ".join(kept.lower().split())


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """What a word shares with its other forms, or the key of the words that mean much the same."""
    word = plain(word)
    word = re.sub(r"(?:'s|’s)$", "", word)
    known = ALIKE.get(word)
    if known is not None:
        return known
    while (short := _ENDING.sub("", word)) != word:
        if short in ALIKE:
            return ALIKE[short]
        word = short
    return word


def stems(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order."""
    return [stem(found[0]) for found in _WORD.finditer(text) if plain(re.sub(r"['’]s$", "", found[0])) not in IDLE]


def names(text: str) -> list[Name]:
    """Names in a text, in order: what stands in quotes, and runs of capitalised words with what joins them."""
    quoted = []
    for found in _QUOTED.finditer(text):
        group = 1 if found[1] is not None else 2
        body = found[group].strip(" ,.")
        if body:
            start = text.index(body, found.start(group))
            quoted.append(Name(body, start, start + len(body), quoted=True))
    taken = [(name.start, name.end) for name in quoted]
    found_names = [name for name in _capitalised(text) if not any(a < name.end and name.start < b for a, b in taken)]
    return sorted((*quoted, *found_names), key=lambda name: name.start)


def _capitalised(text: str) -> list[Name]:
    found_names = []
    openings = {opening.start("word") for opening in _OPENING.finditer(text)}
    for found in _NAME.finditer(_OPENING.sub(_lower_starter, text)):
        start, end = found.start(), found.end()
        begins = start in openings
        if begins and _THE_RIVER.match(text[start:end]):
            start += 4
        if re.match(r"\d{4} ", text[start:end]) and _AT_A_TIME.search(text[:start]):
            start += 5
        places = [start]
        if not text.startswith(("The ", "A ", "An "), start):
            places += [place for two in _TWO.finditer(text, start, end) for place in (two.start(), two.end())]
        places.append(end)
        for one, other in zip(places[::2], places[1::2], strict=True):
            lone = begins and one == found.start() and " " not in text[one:other] and _GOES_ON.match(text, other)
            if not lone and (name := _trimmed(text, one, other)) is not None:
                found_names.append(name)
    return found_names


def _lower_starter(found: re.Match[str]) -> str:
    """The opening of a sentence, its first word without a capital if that is no part of a name."""
    word = found["word"]
    return found[0][: -len(word)] + (word.lower() if plain(word) in STARTERS else word)


def _trimmed(text: str, start: int, end: int) -> Name | None:
    body = text[start:end] if re.search(r"\b[A-Z]\.$", text[start:end]) else text[start:end].rstrip(" ,:;.'’")
    body = re.sub(r"['’]s?$", "", body)
    if not re.search(r"[^\W\d_]", body) or plain(body) in STARTERS or plain(body) == "the":
        return None
    return Name(body, start, start + len(body))
