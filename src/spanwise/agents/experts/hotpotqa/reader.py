"""Reading: which name, date or number of a page answers to what is looked for, and the sentence that says so."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from spanwise.agents.experts.hotpotqa.lexicon import IDLE, NO_NOUNS, NOUNS, Kind, word_set
from spanwise.agents.experts.hotpotqa.memory import Passage
from spanwise.agents.experts.hotpotqa.question import same_name
from spanwise.agents.experts.hotpotqa.text import Name, names, plain, stem, stems
from spanwise.agents.experts.hotpotqa.values import DATE, NUMBER, YEAR

_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
_IS_A = re.compile(r"\b(?:is|was|are|were) (?:an?|the|one of the)\b", re.IGNORECASE)
_ADJECTIVE = re.compile(
    r"\b(?:is|was|are|were|and) (?:an?|the) (?:\d{4} |former |retired |late )*(?P<word>[A-Z][\w-]+)"
)
_ORGANISATION = re.compile(
    r"\b(?:University|College|Institute|School|Academy|Company|Inc|Corporation|Club|Band|Orchestra|Award|Prize|League"
    r"|Party|Group|Records|Museum|Church|Society|River|Lake|County|Street|Park|City|Press|War|Association|Films?)\b"
)
_PLACED = re.compile(
    r"(?:\b(?:in|at|near|of|from|to|on|around|by|outside|through|into)(?: the)?(?: \w+ (?:of|in))?|,) $"
)
#: What may stand between a word and what it speaks of: "known for", "position of", "plays the".
_LEADS = word_set("a an the as at in is are was were of on for about by concerns to its his her kind")
#: Questions for a measure want its unit as well.
_MEASURED = frozenset(
    ("minutes", "long", "tall", "large", "length", "height", "elevation", "area", "high", "old", "far", "deep")
)
_UNIT = re.compile(
    r" (?:(?:square|cubic|nautical) )?(?:minutes|hours|days|weeks|months|years|metres|meters|kilometres|kilometers"
    r"|miles|feet|ft|km|mi|m|acres|hectares|inches|tons|tonnes)\b"
)
_IS_IN = re.compile(
    r"\b(?:is|are|was|were|plays)(?: (?:an?|the|one of the) [^,.]*?)?(?:,)? (?:in|from|on)(?: the)?"
    r"(?: (?:[a-z]+ ){1,2}of)? $"
)
_OF_ROLE = re.compile(r"\b(?P<noun>[a-z]+) (?:of|for|in|to)(?: the)?(?: [a-z]+){0,2} \"?$")
_IS_A_ENDS = re.compile(r"\b(?:is|was) an? $")
_IS_A_LEADS = re.compile(r"\b(?:is|was|are|were) (?:an?|the) (?:[A-Z\d][\w-]* ){0,3}$")
#: Nouns that ask what class a thing is of, and what someone does.
_CLASSES = word_set("genre kind type style category music")
_CALLINGS = word_set("profession occupation job career")
#: Stems of what is said with the year in front: "a 1973 novel".
_MAKINGS = frozenset(("release", "publish", "ten-year", "record"))
_NOT_IT = -0.9
_ONE_OF = re.compile(r"\bone of the [a-z]+ of $")
_IS_BY = re.compile(r"\b(?:is|was) an? [^,.]*\bby (?:the )?(?:[a-z]+ )*$")
#: Nouns of places that nothing lies in.
_WATERS = word_set("river lake sea ocean")
_IS_THE = re.compile(r" (?:is|was) the (?P<what>[^,.;]*)")
_IS_KIND = re.compile(r" (?:is|was) (?:an?|one of the) (?:[\w-]+ ){0,3}$")
_OWN_IS_A = re.compile(r"^(?:Its|His|Her|Their) .* (?:is|was) an? ")
#: Stems of what one does for a body: who is its captain plays for it.
_DOINGS = frozenset(("play", "job", "coach", "sing", "act", "star"))
_ASIDE = re.compile(r", an? [a-z]+ $")
#: Bodies that works are by.
_BODIES = word_set("band group orchestra choir")
#: Stems of making something.
_MAKERS = frozenset(("write", "direct", "record", "paint", "compose", "produce", "design", "found", "perform"))
#: Nouns of works, which are in no place and of none.
_WORKS = word_set("film movie book novel poem play opera musical album song single series")
#: What the words around a find must give it to be believed.
ENOUGH = 0.34
#: How far a word may stand from a name to speak of it, in words.
_REACH = 14


@dataclass(frozen=True, slots=True)
class Find:
    """Something that may be what is looked for.

    Attributes:
        text: As it is written there.
        sentence: Where it stands.
        score: How well it fits.
        support: The part of that which the words around it give.
        passage: Number of the passage.
    """

    text: str
    sentence: str
    score: float
    support: float
    passage: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for.

    Attributes:
        kind: Kind of thing.
        noun: What it is called, e.g. ``city``.
        near: Weight by stem of the words that it should stand near.
        banned: Names that it is not.
    """

    kind: Kind
    noun: str
    near: dict[str, float]
    banned: tuple[str, ...] = ()

    @property
    def tied(self) -> bool:
        """Whether more is known than what it is called."""
        own = stem(self.noun) if self.noun else ""
        return any(key != own for key in self.near)


def find(wish: Wish, passages: Sequence[tuple[int, Passage]]) -> list[Find]:
    """Everything in some passages that may be what is looked for, the best first, and first of all what has support."""
    found: list[Find] = []
    for number, passage in passages:
        subject = subject_of(passage)
        for place, sentence in enumerate(passage.all):
            found += _in_sentence(wish, sentence, place, number, subject)
    best: dict[str, Find] = {}
    for one in sorted(found, key=lambda one: (one.support < ENOUGH, -one.score)):
        best.setdefault(plain(one.text), one)
    return list(best.values())


def subject_of(passage: Passage) -> str:
    """What a page is about, as its first sentence puts it."""
    first = passage.sentences[0] if passage.sentences else ""
    verb = re.search(r" (?:is|was|are|were) ", first)
    head = first[: verb.start()] if verb else ""
    head = re.sub(r" \(.*", "", head).strip(' ,"“”')
    return head if 0 < len(head) <= 80 else passage.title


def _in_sentence(wish: Wish, sentence: str, place: int, number: int, subject: str) -> Iterable[Find]:
    present = [(stem(word[0]), word.start()) for word in _WORD.finditer(sentence)]
    weights = [(wish.near[key], start, key) for key, start in present if key in wish.near]
    for text, start, end, fit in _candidates(wish, sentence, subject):
        if fit <= _NOT_IT:
            continue
        closest: dict[str, float] = {}
        for weight, where, key in weights:
            if not start <= where < end and (key != "locate" or where < start):
                gap = len(sentence[min(where, end) : max(where, start)].split())
                weight *= 0.8 if wish.kind is Kind.PLACE and where > start else 1.0
                closest[key] = max(
                    closest.get(key, 0.0),
                    _stress(sentence, where) * weight * (1.2 if gap <= 2 else max(0.35, 1.0 - gap / _REACH)),
                )
        implied = _implied(wish, sentence, start, end)
        noun = stem(wish.noun) if wish.noun and wish.tied else ""
        called = closest.pop(noun, 0.0)
        if noun in stems(text):
            called = wish.near.get(noun, 0.0)
        support = sum(closest.values()) + implied
        yield Find(text, sentence, fit + support + called - 0.02 * place, support, number)


def _stress(sentence: str, place: int) -> float:
    """How much a word speaks of more than what its neighbour is: ", a river known for …", "is a county in …"."""
    if _ASIDE.search(sentence[:place]):
        return 0.2
    word = re.sub(r"(?:ies|s)?\W*$", "", sentence[place:].split(maxsplit=1)[0])
    return (
        0.2
        if {NOUNS.get(word), NOUNS.get(f"{word}y")} & {Kind.PLACE, Kind.NAME} and _IS_KIND.search(sentence[:place])
        else 1.0
    )


def _implied(wish: Wish, sentence: str, start: int, end: int) -> float:
    """Support that a sentence gives without the word: "a university in NAME" says where it is."""
    before, after = sentence[:start], sentence[end:]
    kind, near = wish.kind, wish.near
    if kind in (Kind.DATE, Kind.YEAR):
        return _life(wish, before) or 0.7 * bool(near.keys() & _MAKINGS and _IS_A_ENDS.search(before))
    if kind is Kind.THING:
        if wish.noun in _CLASSES and _IS_A_LEADS.search(before):
            follows = re.match(r" (?P<noun>[a-z]+)\b", after)
            return 1.2 * (follows is not None and follows["noun"] in NOUNS)
        if wish.noun and re.search(
            rf"\b{re.escape(wish.noun)}(?: of [\w ]+)? (?:is|was|are|were) (?:the |an? )?$", before
        ):
            return 1.0
        return 0.7 * bool(wish.noun in _CALLINGS and _IS_A_LEADS.search(before))
    if kind is Kind.NATIONALITY:
        return 0.7
    text = sentence[start:end]
    if kind is Kind.PLACE:
        own = wish.noun in text.lower().split()
    else:
        own = bool(wish.noun) and stem(wish.noun) in stems(text)
    stated = _IS_THE.match(after)
    if stated is not None and wish.noun and stem(wish.noun) in stems(stated["what"].partition(" of ")[0])[-1:]:
        return 1.0
    if kind in (Kind.NAME, Kind.PLACE) and wish.noun:
        called = re.search(rf"\b{re.escape(wish.noun)}(?: of)? \"?$", before) is not None
        if own or (called and (kind is Kind.NAME or not wish.tied or "locate" in near)):
            return 0.5
        role = _OF_ROLE.search(before)
        if kind is Kind.NAME and near.keys() & _DOINGS and role is not None and NOUNS.get(role["noun"]) is Kind.PERSON:
            return 0.5
        if re.search(rf"\b{re.escape(wish.noun)} (?:is|was) (?:the )?(?:[a-z]+ of )?$", before):
            return 1.0
    if kind is Kind.PLACE and wish.noun not in _WATERS and "locate" in near and _IS_IN.search(before):
        return 0.0 if _OWN_IS_A.match(before) else 0.7
    if kind is Kind.PLACE and wish.noun in ("country", "state", "nation", "") and _ONE_OF.search(before):
        return 0.7
    made = kind in (Kind.PERSON, Kind.NAME) and (bool(_MAKERS & near.keys()) or wish.noun in _BODIES)
    return 0.6 if made and _IS_BY.search(before) else 0.0


def _candidates(wish: Wish, sentence: str, subject: str) -> Iterable[tuple[str, int, int, float]]:
    """(text, start, end, how well it is of the kind)."""
    kind = wish.kind
    if kind is Kind.YEAR:
        yield from ((one[0], one.start(), one.end(), 1.0) for one in YEAR.finditer(sentence))
    elif kind is Kind.DATE:
        yield from ((one[0], one.start(), one.end(), 1.5) for one in DATE.finditer(sentence))
        yield from ((one[0], one.start(), one.end(), 0.5) for one in YEAR.finditer(sentence))
    elif kind is Kind.NUMBER:
        for one in NUMBER.finditer(sentence):
            dated = YEAR.fullmatch(one[0]) or any(d.start() <= one.start() < d.end() for d in DATE.finditer(sentence))
            noun = bool(wish.noun) and stem(wish.noun) in stems(" ".join(sentence[one.end() :].split()[:3]))
            unit = _UNIT.match(sentence, one.end())
            end = unit.end() if unit is not None and wish.noun in _MEASURED else one.end()
            measured = 0.8 * (unit is not None and wish.noun in _MEASURED)
            fit = (-1.0 if dated else 1.0) + 2 * noun + measured
            yield sentence[one.start() : end], one.start(), end, fit if measured or wish.noun not in _MEASURED else -1.0
    elif kind is Kind.NATIONALITY:
        for one in _ADJECTIVE.finditer(sentence):
            yield one["word"], one.start("word"), one.end("word"), 1.5
    elif kind is Kind.THING:
        yield from _things(wish, sentence)
    else:
        for name in names(sentence):
            if not _banned(wish, name.text, subject):
                yield name.text, name.start, name.end, _fit(wish, sentence, name)


def _life(wish: Wish, before: str) -> float:
    """What a date's place in "Mara Fenwick (1 May 1900 – 2 June 1970)" says for it as one of birth or of death."""
    opened = before.rfind("(")
    wants_birth, wants_death = "birth" in wish.near, "death" in wish.near
    if opened < 0 or ")" in before[opened:] or wants_birth == wants_death or re.search(r" (?:is|was) ", before):
        return 0.0
    second = bool(re.search(r"[–-]|died", before[opened:]))
    return 2.0 if second == wants_death else -1.0


def _things(wish: Wish, sentence: str) -> Iterable[tuple[str, int, int, float]]:
    """Runs of words without a capital that may name a genre, an occupation, an instrument; a pair is one run."""
    words = list(re.finditer(r"[^\W_]+(?:[-'’][^\W_]+)*", sentence))
    run: list[re.Match[str]] = []
    for index, word in enumerate(words):
        after = sentence[word.end() : words[index + 1].start()] if index + 1 < len(words) else "."
        before = sentence[words[index - 1].end() : word.start()] if index else ""
        key = stem(word[0])
        pairs = word[0] == "and" and len(run) == 1 and after == " " and index + 1 < len(words)
        means = (
            word[0].islower()
            and not word[0].endswith("ly")
            and (pairs or (plain(word[0]) not in IDLE and plain(word[0]) not in NO_NOUNS and key not in wish.near))
        )
        if run and (not means or before != " "):
            yield from _thing(run, sentence, wish)
            run = []
        if means:
            run.append(word)
    if run:
        yield from _thing(run, sentence, wish)


def _thing(run: list[re.Match[str]], sentence: str, wish: Wish) -> Iterable[tuple[str, int, int, float]]:
    while run and run[-1][0] == "and":
        run = run[:-1]
    if not run:
        return
    start, end = run[0].start(), run[-1].end()
    if all(NOUNS.get(word[0].removesuffix("s")) in (Kind.NAME, Kind.PLACE) for word in run[:1]):
        return
    if wish.noun in _CALLINGS and not _IS_A_LEADS.search(sentence[:start]):
        return
    while (
        len(run) > 1 and NOUNS.get(run[-1][0], Kind.PERSON) is not Kind.PERSON and _IS_A_LEADS.search(sentence[:start])
    ):
        run = run[:-1]
        end = run[-1].end()
    before, after = sentence[:start].split(), sentence[end:]
    led = [stem(word.strip(",.")) for word in before[-4:]]
    direct = bool(led) and (
        led[-1] in wish.near
        or (len(led) > 1 and led[-2] in wish.near and before[-1] in _LEADS)
        or (len(led) > 2 and led[-3] in wish.near and before[-1] in _LEADS and before[-2] in _LEADS)
    )
    direct = direct and not (wish.noun in _CLASSES and before[-1] in ("in", "at"))
    named = re.match(r",? (?:the )?(?P<word>[\w-]+)", after)
    follows = named is not None and stem(named["word"]) in wish.near
    lead = -0.5 * (before[-1:] in (["by"], ["without"], ["during"])) + 0.3 * bool(
        re.search(r"\b(?:is|was|are|were) (?:an?|the) (?:[\w-]+ ){0,2}$", sentence[:start])
    )
    yield sentence[start:end], start, end, 0.2 + 0.9 * direct + 0.5 * follows + lead


def _banned(wish: Wish, text: str, subject: str) -> bool:
    return any(same_name(text, one) for one in (*wish.banned, subject)) or plain(text) in plain(subject)


def _fit(wish: Wish, sentence: str, name: Name) -> float:
    """How well a name is of the kind that is looked for."""
    text, before, after = name.text, sentence[: name.start], sentence[name.end :]
    words = text.split()
    if DATE.search(text) or YEAR.fullmatch(text) or (re.search(r"\ban? $", before) and re.match(r" [a-z]", after)):
        return -2.0
    organisation = bool(_ORGANISATION.search(text))
    placed = bool(_PLACED.search(before))
    last, beside = words[-1].lower(), before.rstrip(' "').rpartition(" ")[2].lower()
    fit = 0.5
    if wish.kind is Kind.PERSON:
        fit = 1.0 if 2 <= len(words) <= 4 and not organisation and not name.quoted else -0.5
        fit -= 0.7 * bool(re.search(r"\b(?:in|at|near|from|to)(?: the)? $", before))
        fit += 0.5 * bool(re.search(r"\bby (?:[a-z]+ )*$", before))
    elif wish.kind is Kind.PLACE:
        fit = 1.0 if placed else 0.4
        fit -= 0.6 * (organisation and last not in NOUNS and words[0].lower() not in NOUNS)
        fit -= 0.6 * bool(re.search(r"\bby $", before))
        fit += _rank(wish.noun, before)
    else:
        fit = 0.8 if organisation or name.quoted else 0.5
        fit -= 0.9 * (wish.noun in _WORKS and bool(re.search(r"\b(?:in|at|from|near)(?: the)? $", before)))
        fit -= 0.4 * bool(re.search(r"\b(?:from|in|near) $", before))
    noun = stem(wish.noun) if wish.noun else ""
    for said in (last, words[0].lower(), beside):
        if said in NOUNS:
            if noun and stem(said) == noun:
                fit += 1.0
            elif said == beside and wish.kind is Kind.NAME and NOUNS[said] in (Kind.PERSON, Kind.PLACE):
                fit -= 0.5
            elif wish.kind in (Kind.PERSON, Kind.PLACE) and (NOUNS[said] is not wish.kind or wish.kind is Kind.PLACE):
                fit -= 2.0 if said in _WATERS and said != beside else 1.0
    if wish.noun in _WATERS and wish.noun not in (last, words[0].lower(), beside):
        fit -= 2.0
    if noun and (follows := re.match(r"[\",]* (?:the|an?) (?:[\w-]+ )?(?P<noun>[\w-]+)", after)):
        fit += 0.5 * (stem(follows["noun"]) == noun)
    return fit


def _rank(noun: str, before: str) -> float:
    """What it says for a place that another one stands before it: "in Elmford, Otter County"."""
    inside = bool(re.search(r"[\w’']*[A-Z][\w’'-]+(?:,| in) $", before))
    if noun in ("county", "state", "country", "province", "region", "nation"):
        return 0.7 * inside - 0.7 * before.endswith("native of ")
    return -0.7 * inside if noun in ("town", "city", "village", "") else 0.0


def weights(stems_by_weight: Iterable[tuple[Iterable[str], float]], without: Collection[str] = ()) -> dict[str, float]:
    """Weight by stem, the highest of each."""
    found: dict[str, float] = {}
    for group, weight in stems_by_weight:
        for one in group:
            if one not in without:
                found[one] = max(found.get(one, 0.0), weight)
    return found


def says_is_a(passage: Passage, noun: str) -> bool:
    """Whether the first sentence of a page calls its subject so."""
    first = passage.sentences[0] if passage.sentences else ""
    is_a = _IS_A.search(first)
    return bool(noun) and is_a is not None and stem(noun) in stems(first[is_a.end() :])
