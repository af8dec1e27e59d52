"""Questions over the articles of a region, each with an answer that follows from two of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from spanwise.environments.hotpotqa.generate.entities import Article, Entity
from spanwise.environments.hotpotqa.generate.people import PEOPLE
from spanwise.environments.hotpotqa.generate.wording import AGREEMENTS, ATTRIBUTES, CONTRASTS, LINKS
from spanwise.environments.hotpotqa.records import Question

QUESTIONS = 60
#: One question in so many is a comparison.
_COMPARISON_EVERY = 5
#: What a search shows of an article; an answer that stands later has to be looked up.
SHOWN = 5
_LATE_SHARE = 0.2
#: Of the comparisons, the share of those that are answered with yes or no.
_YES_NO_SHARE = 0.4
_WORD = re.compile(r"[a-z]{4,}")
_NO_KEYWORDS = frozenset(("what", "which", "when", "where", "does", "that", "have", "with", "from", "were", "they"))
#: In no more sentences than this may a word stand that leads to a sentence which a search does not show.
_MOST_RESULTS = 3
_SAYS_KIND = 0.6


@dataclass(frozen=True)
class _Draft:
    relation: str
    text: str
    answer: str
    type: str
    facts: tuple[tuple[Article, int], tuple[Article, int]]

    @property
    def is_late(self) -> bool:
        return any(sentence >= SHOWN for _, sentence in self.facts)

    def question(self, id: str) -> Question:
        obstacles = self.is_late + sum(article.entity.title != article.entity.name for article, _ in self.facts)
        return Question(
            id=id,
            text=self.text,
            answer=self.answer,
            type=self.type,
            level=("easy", "medium", "hard")[min(obstacles, 2)],
            supporting_facts=tuple((article.entity.title, sentence) for article, sentence in self.facts),
        )


@dataclass(frozen=True)
class _Chain:
    """What an article links to, and what the article of that tells."""

    first: Article
    key: str
    second: Article
    attribute: str

    @property
    def relation(self) -> str:
        return f"{'person' if self.first.entity.kind in PEOPLE else self.first.entity.kind} {self.key}"

    @property
    def is_late(self) -> bool:
        return self.second.told[self.attribute] >= SHOWN


class QuestionWriter:
    """Writes the questions of a split, region after region.

    It remembers which answer each kind of comparison had last, so that none can be guessed.
    """

    def __init__(self, split: str, rng: Random) -> None:
        self._split, self._rng = split, rng
        self._turn: dict[str, bool] = {}
        self._count = 0

    def write(self, articles: Sequence[Article], known: Sequence[Article]) -> Iterator[Question]:
        """The questions over a region, and on what it links to of ``known``; one in five is a comparison."""
        bridges = iter(self._bridges(articles, known, QUESTIONS - QUESTIONS // _COMPARISON_EVERY))
        asked: set[str] = set()
        for number in range(QUESTIONS):
            is_comparison = number % _COMPARISON_EVERY == _COMPARISON_EVERY - 1
            draft = self._comparison(articles, asked) if is_comparison else next(bridges)
            asked.add(draft.text)
            yield draft.question(f"generated/{self._split}/{self._count}")
            self._count += 1

    def _bridges(self, articles: Sequence[Article], known: Sequence[Article], count: int) -> list[_Draft]:
        by_entity = {article.entity: article for article in [*known, *articles]}
        chains = [
            _Chain(first, key, second, attribute)
            for first in articles
            for key, number in first.told.items()
            if number < SHOWN and (first.entity.kind, key) in LINKS and first.entity.links[key] in by_entity
            for second in (by_entity[first.entity.links[key]],)
            for attribute in ATTRIBUTES[second.entity.kind]
            if attribute in second.told
        ]
        left = {True: round(count * _LATE_SHARE)}
        left[False] = count - left[True]
        drafts = []
        for chain in self._in_turn(chains):
            if left[chain.is_late] and (draft := self._bridge(chain)):
                left[chain.is_late] -= 1
                drafts.append(draft)
        self._rng.shuffle(drafts)
        return drafts

    def _in_turn(self, chains: list[_Chain]) -> list[_Chain]:
        """The chains, shuffled, such that each relation comes once before any comes twice."""
        self._rng.shuffle(chains)
        seen: Counter[str] = Counter()
        turns = []
        for chain in chains:
            seen[chain.relation] += 1
            turns.append(seen[chain.relation])
        return [chains[number] for number in sorted(range(len(chains)), key=turns.__getitem__)]

    def _bridge(self, chain: _Chain) -> _Draft | None:
        """The question, unless it or the first article tells the answer, or the second is called as the first."""
        first, second = chain.first, chain.second
        described = self._rng.choice(LINKS[first.entity.kind, chain.key])
        described = described.format(it=self._mention(first.entity), **first.entity.values)
        template = self._rng.choice(ATTRIBUTES[second.entity.kind][chain.attribute])
        text = _capital(template.format(np=described))
        answer = second.entity.values[chain.attribute]
        asked = text.lower()
        if second.entity.name.lower() in asked or answer.lower() in f"{asked}\n{''.join(first.sentences).lower()}":
            return None
        facts = ((first, first.told[chain.key]), (second, second.told[chain.attribute]))
        if chain.is_late and not _leads_to(asked, first.entity, facts[1]):
            return None
        return _Draft(chain.relation, text, answer, "bridge", facts)

    def _comparison(self, articles: Sequence[Article], asked: set[str]) -> _Draft:
        is_late, is_yes_no = self._rng.random() < _LATE_SHARE, self._rng.random() < _YES_NO_SHARE
        table = AGREEMENTS if is_yes_no else CONTRASTS
        keys = [(kind, attribute) for kind in table for attribute in table[kind]]
        self._rng.shuffle(keys)
        for late in (is_late, not is_late):
            for kind, attribute in keys:
                pairs = [
                    pair
                    for pair in combinations([a for a in articles if attribute in a.told and _is(a.entity, kind)], 2)
                    if any(article.told[attribute] >= SHOWN for article in pair) == late
                    and pair[0].entity.name != pair[1].entity.name
                ]
                self._rng.shuffle(pairs)
                for pair in pairs:
                    draft = (
                        self._agreement(kind, attribute, pair) if is_yes_no else self._contrast(kind, attribute, pair)
                    )
                    if draft and draft.text not in asked:
                        self._turn[draft.relation] = not self._turn[draft.relation]
                        return draft
        raise AssertionError("a region has many pairs of people to compare")

    def _contrast(self, kind: str, attribute: str, pair: tuple[Article, Article]) -> _Draft | None:
        sizes = [_number(article.entity.values[attribute]) for article in pair]
        if sizes[0] == sizes[1]:
            return None
        wants_more = self._rng.random() < 0.5
        relation = f"{kind} {attribute} {'more' if wants_more else 'less'}"
        answer, other = pair if (sizes[0] > sizes[1]) == wants_more else (pair[1], pair[0])
        named = (answer, other) if self._is_turn(relation) else (other, answer)
        return self._compare(relation, CONTRASTS[kind][attribute][wants_more], answer.entity.name, attribute, named)

    def _is_turn(self, relation: str) -> bool:
        """Whether the first of two is to be the answer, or yes; after a coin for the first time, in turn."""
        return self._turn.setdefault(relation, self._rng.random() < 0.5)

    def _agreement(self, kind: str, attribute: str, pair: tuple[Article, Article]) -> _Draft | None:
        relation = f"{kind} {attribute} same"
        same = pair[0].entity.values[attribute] == pair[1].entity.values[attribute]
        if same != self._is_turn(relation):
            return None
        if attribute == "occupation" and any(article.entity.title != article.entity.name for article in pair):
            return None
        named = pair if self._rng.random() < 0.5 else (pair[1], pair[0])
        return self._compare(relation, AGREEMENTS[kind][attribute], "yes" if same else "no", attribute, named)

    def _compare(
        self, relation: str, templates: Sequence[str], answer: str, attribute: str, named: tuple[Article, Article]
    ) -> _Draft:
        says_kind = any(article.entity.title != article.entity.name for article in named)
        a, b = (self._mention(article.entity, says_kind) for article in named)
        text = _capital(self._rng.choice(templates).format(a=a, b=b, **self._rng.choice(named).entity.values))
        first, second = ((article, article.told[attribute]) for article in named)
        return _Draft(relation, text, answer, "comparison", (first, second))

    def _mention(self, entity: Entity, says_kind: bool | None = None) -> str:
        """The entity by name, and, as is wished or where the name is not its title, by what it is."""
        if entity.kind == "river":
            return f"the {entity.name}"
        if entity.kind in ("county", "college", "country"):
            return entity.name
        if says_kind is None:
            says_kind = self._rng.random() < _SAYS_KIND
        if not says_kind and entity.title == entity.name:
            return entity.name
        return f"the {entity.noun} {'of ' if entity.kind == 'town' else ''}{entity.name}"


def _is(entity: Entity, kind: str) -> bool:
    return entity.kind == kind or (kind == "person" and entity.kind in PEOPLE)


def _leads_to(question: str, named: Entity, fact: tuple[Article, int]) -> bool:
    """Whether a word of the question, looked up in the second article, soon leads to the sentence."""
    article, number = fact
    words = set(_WORD.findall(question.replace(named.name.lower(), " "))) - _NO_KEYWORDS
    sentences = [sentence.lower() for sentence in article.sentences]
    return any(
        word in sentences[number] and sum(word in sentence for sentence in sentences) <= _MOST_RESULTS for word in words
    )


def _number(value: str) -> int:
    """The number that a value is or begins with; of a date, its year."""
    numbers = re.findall(r"\d+", value.replace(",", ""))
    return int(max(numbers, key=len))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
