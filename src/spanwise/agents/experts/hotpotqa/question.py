"""What is asked, read from the question alone: the names in it, what is compared, and what kind of answer is wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import pairwise

from spanwise.agents.experts.hotpotqa.lexicon import IDLE, NOUNS, Kind, word_set
from spanwise.agents.experts.hotpotqa.text import Name, names, plain, stem, stems

_AUXILIARY = r"(?:is|are|was|were|did|do|does|has|have|had|can|could|will|would)"
_YES_NO = re.compile(rf"^\W*(?:{_AUXILIARY})\b", re.IGNORECASE)
_ASKING = re.compile(
    r"\b(?P<wh>how many|how much|how (?:old|long|tall|high|large|far|deep|wide)"
    r"|who|whom|whose|when|where|what|which)\b",
    re.IGNORECASE,
)
_STOP = re.compile(
    rf"(?:{_AUXILIARY}|be|been|being|of|in|on|at|by|for|with|to|from|that|which|who|whose|where|when|as|into|the|a|an"
    r"|both|and|or|not|also|behind|about|after|against|among|around|before|between|during|inside|near|over|through"
    r"|under|within|without|'s)$",
    re.IGNORECASE,
)
_OR = re.compile(r"\b(?:or|and)\b", re.IGNORECASE)
_RELATIVE = re.compile(r"(?:that|which|who|whom|whose|where|when)$", re.IGNORECASE)
_ASKS = re.compile(r"(?:what|which|who|whom|whose|when|where|how)$", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:the|an?)$", re.IGNORECASE)
_IS = re.compile(r"\b(?:(?:that|who|which) (?:is|was) (?:an?|th)|(?:is|was) an?)$", re.IGNORECASE)
_PREPOSITION = re.compile(r"(?:of|in|on|at|by|for|with|to|from|as|into|under)$")


#: Stems of what is done, not of what a thing is: "what did NAME study".
_DOINGS = frozenset(("study", "mak", "make", "do", "play", "produce"))


#: Nouns of places that a place has: "the capital of NAME" is another thing than NAME.
_OF_PLACES = frozenset(("capital", "birthplace", "hometown", "coast", "area", "location", "street"))


#: Parts of a thing, which are not looked for by themselves: "the actor who played the lead in NAME".
_PARTS = word_set("lead part story music role soundtrack script score lyrics text plot theme cast cover rights mouth")


class Form(Enum):
    """How a question is built."""

    BRIDGE = "bridge"  # something about a thing that is described by another thing
    CHOICE = "choice"  # which of two
    AGREEMENT = "agreement"  # whether something holds of two: yes or no
    COMMON = "common"  # what two have in common


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, taken apart.

    Attributes:
        text: As it was put.
        form: How it is built.
        names: What it names, the one to begin with first.
        options: The two that are compared; empty in a bridge question.
        kind: Kind of the answer.
        noun: The word that says what is wanted, e.g. ``city``; "" where there is none.
        inner: Stems of the words next to the first name: what leads from it to the thing asked about.
        inner_noun: What that thing is, e.g. ``author``; "" where the question asks of the named thing itself.
        described: The question's own words for that thing, the name included, e.g. ``the author of Lost Key``; "" too.
        outer: Stems of the other words: what is asked of that thing.
    """

    text: str
    form: Form
    names: tuple[str, ...]
    options: tuple[str, ...]
    kind: Kind
    noun: str
    inner: tuple[str, ...]
    inner_noun: str
    described: str
    outer: tuple[str, ...]

    @property
    def stems(self) -> frozenset[str]:
        """Stems of all words that carry meaning, names left out."""
        return frozenset((*self.inner, *self.outer))


@lru_cache(maxsize=1 << 12)
def read_question(text: str) -> Asked:
    """A question, taken apart; never fails."""
    text = " ".join(text.split())
    found = _without_generic(text, names(text))
    ordered = sorted(found, key=lambda name: -_promise(text, name))
    named = tuple(dict.fromkeys(name.text for name in ordered))
    options = _options(text, found)
    form = _form(text, options)
    inner_words, inner_noun, described = _inner(text, ordered[0]) if ordered and form is Form.BRIDGE else ([], "", "")
    kind, noun = _wanted(text.replace(described, ordered[0].text, 1) if described else text)
    if form is Form.AGREEMENT:
        kind = Kind.YES_NO
    if form is Form.BRIDGE:
        options = ()
    inner_words = inner_words[inner_words.index(inner_noun) :] if inner_noun in inner_words else inner_words
    inner = tuple(stems(" ".join(inner_words)))
    if re.match(r"the (?:home (?:town|city)|.* home to)\b", described, re.IGNORECASE):
        inner = (*inner, "locate")
    rest = _blank(text, found) if not described else _ASKING.sub(" ", text.replace(described, " ", 1))
    rest = _blank(rest, names(rest)) if described else rest
    outer = tuple(dict.fromkeys(one for one in stems(rest) if described or one not in inner))
    if kind is Kind.PLACE and not set(outer) - {stem(noun)}:
        outer = (*outer, "locate")
    return Asked(text, form, named, options, kind, noun, inner, inner_noun, described, outer)


def _form(text: str, options: tuple[str, ...]) -> Form:
    if len(options) < 2:
        return Form.BRIDGE
    between = text[text.find(options[0]) + len(options[0]) : text.find(options[1])]
    if re.search(r"\bor\b", between):
        return Form.CHOICE
    if _YES_NO.match(text) or (not _ASKING.search(text) and re.search(r"\bboth\b|\bare\b", text)):
        return Form.AGREEMENT
    if re.search(
        r"\b(?:older|oldest|younger|youngest|first|earlier|later|larger|smaller|taller"
        r"|longer|shorter|higher|lower|more|fewer|less)\b",
        text,
    ):
        return Form.CHOICE
    if re.search(r"\b(?:both|common|share|shared|mutual|same|are|were|do)\b", text) and not re.search(
        r"\bwhom?\b", text
    ):
        return Form.COMMON
    return Form.BRIDGE


def _options(text: str, found: list[Name]) -> tuple[str, ...]:
    """The two names that "or" or "and" joins."""
    for word in ("or", "and"):
        for one, other in pairwise(found):
            between = text[one.end : other.start]
            if not re.search(rf"\b{word}\b", between) or len(between.split()) > 5:
                continue
            if word == "or" or re.search(
                r"\b(?:both|same|common|share|shared|mutual|older|first|earlier|later)\b", text
            ):
                return (one.text, other.text)
            if (
                _YES_NO.match(text)
                or re.match(r"(?:of|between|among)\b", text, re.IGNORECASE)
                or re.match(r".{0,24}$", text[: one.start])
            ):
                return (one.text, other.text)
    return ()


def _without_generic(text: str, found: list[Name]) -> list[Name]:
    """Names, but for adjectives like "American" where there are others."""
    kept = [name for name in found if name.quoted or not _is_adjective(text, name)]
    return kept or found


def _is_adjective(text: str, name: Name) -> bool:
    after = re.match(r"[ -](?P<word>[a-z]+)", text[name.end :])
    before = re.search(r"\b(?:an?|the|which|what|of|by|this)\s+$", text[: name.start], re.IGNORECASE)
    alone = " " not in name.text and bool(before) and after is not None and not _STOP.match(after["word"])
    return alone and bool(re.search(r"(?:an|ian|ish|ese|ic|ch|i|er|ss|tch)$", name.text)) and name.text[:1].isupper()


def _promise(text: str, name: Name) -> float:
    """How well a search begins with a name."""
    score = 2.0 * name.quoted + min(len(name.text.split()), 4)
    if re.match(r"\d", name.text) or "(" in name.text:
        score += 1
    if re.match(r"(?:NFL|NBA|NHL|MLB|UK|US|U\.S\.|BBC|United States|New York|England|America)$", name.text):
        score -= 3
    before = text[: name.start].rstrip(" \"'")
    if re.search(r"\b(?:of|by|in which|that|where|with|from)$", before):
        score += 0.5
    return score - name.start / 1000


def _wanted(text: str) -> tuple[Kind, str]:
    """Kind of the answer, and the noun that says so."""
    asking = list(_ASKING.finditer(text))
    if not asking:
        return Kind.NAME, ""
    first = asking[0]
    relative = [one for one in asking if len(text[: one.start()].split()) > 1]
    chosen = first if first not in relative or len(relative) == len(asking) == 1 else asking[-1]
    wh = chosen["wh"].lower()
    after = text[chosen.end() :].split()
    if wh == "when":
        return Kind.DATE, ""
    if wh == "where":
        return (Kind.NAME, "university") if "study" in stems(text) else (Kind.PLACE, "")
    if wh.startswith("how"):
        if wh in ("how many", "how much"):
            return Kind.NUMBER, _clean(after[0]).lower() if after else ""
        noun = _head_noun(after)
        return Kind.NUMBER, noun if NOUNS.get(noun) is Kind.NUMBER else wh.split()[1]
    if wh in ("who", "whom", "whose"):
        return Kind.PERSON, ""
    for_what = bool(re.search(r"\b(?:for|on|about) $", text[: chosen.start()], re.IGNORECASE)) and bool(
        after and re.match(_AUXILIARY, after[0])
    )
    doing = bool(after and re.match(r"(?:did|does|do)$", after[0]))
    if wh == "what" and (for_what or doing or re.search(r"\b(?:for|about|of|with)\W*$", text)):
        return Kind.THING, ""
    noun = _head_noun(after)
    if not noun or stem(noun) in _DOINGS:
        return Kind.THING, ""
    return noun_kind(noun), noun


def _head_noun(after: list[str]) -> str:
    """The noun of "what NOUN …" or "what is the NOUN of …"."""
    words = [_clean(word) for word in after]
    start = 0
    if words and re.match(_AUXILIARY + r"$", words[0], re.IGNORECASE):
        start = 1
        while start < len(words) and words[start].lower() in ("the", "a", "an", "name", "of", "full", "title"):
            start += 1
    if words[start : start + 2] == ["number", "of"]:
        start += 2
    head = ""
    for raw, word in zip(after[start:], words[start:], strict=True):
        lower = word.lower()
        if not word or _STOP.match(word) or (head and (lower.endswith("ed") or (lower not in NOUNS and head in NOUNS))):
            break
        if word[:1].isupper() or word[:1].isdigit():
            if head:
                break
        elif lower not in IDLE and lower not in ("two", "three", "main", "official", "full"):
            head = lower
        if raw[-1:] in ",?;:":
            break
    return head


def called(text: str, name: str) -> tuple[str, ...]:
    """Stems of what a text calls a named thing right before it: "the film director NAME", "the town of NAME"."""
    place = text.find(name)
    if place < 0:
        return ()
    words = [_clean(word) for word in text[:place].rstrip("\"'“ ").split()[-5:]]
    if _is_place_of(words[-2:]):
        words.pop()
    taken = []
    for word in reversed(words):
        if _ARTICLE.match(word) or _qualifies(word) or not word[:1].islower():
            break
        taken.append(stem(word))
    return tuple(taken)


def _inner(text: str, name: Name) -> tuple[list[str], str, str]:
    """The words that tie a name to the thing that is asked about, what that thing is, and how the question puts it."""
    opened = name.start - (name.quoted and text[name.start - 1 : name.start] in tuple("\"'“"))
    closed = name.end + (name.quoted and text[name.end : name.end + 1] in tuple("\"'”"))
    if possessive := re.match(r"['’]s? (?P<words>(?:[a-z-]+ ){0,3}?(?P<noun>[a-z-]+))\b", text[closed:]):
        words = possessive["words"].split()
        if noun := next((word for word in words if word in NOUNS), ""):
            words = words[: words.index(noun) + 1]
            end = closed + possessive.start("words") + len(" ".join(words))
            return words, noun, text[opened:end]
    taken: list[str] = []
    kinds = 0  # words right before the name that only say what it is
    start = opened
    for found in reversed(list(re.finditer(r"\S+", text[:opened]))[-16:]):
        word = found[0]
        bare = _clean(word)
        if word[-1:] in ",;:?" and taken:
            return taken, "", ""
        if _ASKS.match(bare) and not (bare[:1].islower() and _RELATIVE.match(bare)):
            return taken, "", ""
        taken.insert(0, bare)
        start = found.start()
        if _is_apposition(taken):
            kinds = len(taken)
        elif _ARTICLE.match(bare):
            if kinds == len(taken) - 1 or not any(map(_qualifies, taken[1:])) or _is_place_of(taken[1:]):
                kinds = len(taken)
            elif _first_noun(taken[1:]) not in _PARTS and not _IS.search(text[:start] + bare.lower()[:2]):
                break
    if not taken or not _ARTICLE.match(taken[0]) or kinds == len(taken):
        return taken[: len(taken) - kinds], "", ""
    words = taken[: len(taken) - kinds]
    relative = next((index for index, word in enumerate(words) if index and _RELATIVE.match(word)), None)
    end = closed
    bare_relative = relative is not None and all(
        _ARTICLE.match(word) or word in _PARTS or word == "of" for word in words[relative + 1 :]
    )
    if bare_relative or words[-1] == "with":
        clause, length = _clause(text[closed:], bare_relative)
        words += clause
        end += length
    return words[1:], _first_noun(words[1:]), text[start:end].rstrip(" ,?.")


def _is_apposition(words: list[str]) -> bool:
    """Whether words only say what a name is of: "1987 novel (Lost Key)"."""
    return bool(words) and words[-1] in NOUNS and not any(map(_qualifies, words))


def _is_place_of(words: list[str]) -> bool:
    """Whether words only say what kind of place a name is of: "town of (Elmford)"."""
    return len(words) == 2 and words[1] == "of" and NOUNS.get(words[0]) is Kind.PLACE and words[0] not in _OF_PLACES


def _qualifies(word: str) -> bool:
    return bool(_STOP.match(word)) or word.endswith(("ed", "ing"))


def _first_noun(words: list[str]) -> str:
    """The noun that a description is built on: the last one before what qualifies it."""
    noun = ""
    for word in words:
        lower = word.lower()
        if _STOP.match(lower) or (noun and lower not in NOUNS and (noun in NOUNS or lower.endswith(("ed", "ing")))):
            break
        if word[:1].islower():
            noun = lower
    return noun


def _clause(right: str, has_verb: bool) -> tuple[list[str], int]:
    """What follows a name in "(the city where NAME) was born", "has its seat", "with NAME in the lead"; its length."""
    taken: list[str] = []
    meant, length = not has_verb, 0
    for found in re.finditer(r"\S+", right):
        word = _clean(found[0])
        determines = word in ("its", "the", "his", "her", "their", "a", "an")
        if meant and not (_PREPOSITION.match(word) or determines or word in NOUNS):
            break
        taken.append(word)
        length = found.end()
        meant = not determines and (meant or not _STOP.match(word))
        if not has_verb and not determines:
            meant = not _PREPOSITION.match(word) or len(taken) == 1
        if found[0][-1:] in ",?;" or len(taken) > 6:
            break
    return taken, length


def _blank(text: str, found: list[Name]) -> str:
    for name in sorted(found, key=lambda one: -one.start):
        text = f"{text[: name.start]} {text[name.end :]}"
    return _ASKING.sub(" ", text)


def _clean(word: str) -> str:
    return word.strip("\"'“”?,.;:!()")


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are of one name."""
    one, other = plain(re.sub(r" \([^)]*\)$", "", one)), plain(re.sub(r" \([^)]*\)$", "", other))
    return one.removeprefix("the ") == other.removeprefix("the ")


def noun_kind(noun: str) -> Kind:
    """Kind of thing that a noun names."""
    return NOUNS.get(noun, NOUNS.get(noun.removesuffix("s"), Kind.NAME))
