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


class QuestionWriter:
    """Writes the questions of a split, region after region.

    It remembers which answer each kind of comparison had last, so that none can be guessed.
    """

    def __init__(self, split: str, rng: Random) -> None:
        self._split, self._rng = split, rng
        self._turn: Counter[tuple[str, ...]] = Counter()
        self._count = 0

    def write(self, articles: Sequence[Article]) -> Iterator[Question]:
        """The questions over a region; one in five is a comparison."""
        bridges = iter(self._bridges(articles, QUESTIONS - QUESTIONS // _COMPARISON_EVERY))
        asked: set[str] = set()
        for number in range(QUESTIONS):
            is_comparison = number % _COMPARISON_EVERY == _COMPARISON_EVERY - 1
            draft = self._comparison(articles, asked) if is_comparison else next(bridges)
            asked.add(draft.text)
            yield draft.question(f"generated/{self._split}/{self._count}")
            self._count += 1

    def _bridges(self, articles: Sequence[Article], count: int) -> list[_Draft]:
        by_entity = {article.entity: article for article in articles}
        drafts = [
            draft
            for article in articles
            for key in article.told
            if key in article.entity.links and article.told[key] < SHOWN
            for draft in self._from_link(article, key, by_entity)
        ]
        self._rng.shuffle(drafts)
        seen: Counter[str] = Counter()
        order = []
        for draft in drafts:
            seen[draft.relation] += 1
            order.append((seen[draft.relation], draft))
        in_turn = [draft for _, draft in sorted(order, key=lambda pair: pair[0])]
        late = [draft for draft in in_turn if draft.is_late][: round(count * _LATE_SHARE)]
        chosen = [*late, *[draft for draft in in_turn if not draft.is_late][: count - len(late)]]
        self._rng.shuffle(chosen)
        return chosen

    def _from_link(self, first: Article, key: str, by_entity: dict[Entity, Article]) -> Iterator[_Draft]:
        """Questions about what an article links to, of which the article itself does not tell the answer."""
        phrases = LINKS.get((first.entity.kind, key))
        second = by_entity.get(first.entity.links[key])
        if phrases is None or second is None:
            return
        told_before = " ".join(first.sentences).lower()
        it = self._mention(first.entity)
        described = self._rng.choice(phrases).format(it=it, **first.entity.values)
        kind = "person" if first.entity.kind in PEOPLE else first.entity.kind
        for attribute, templates in ATTRIBUTES[second.entity.kind].items():
            if attribute not in second.told:
                continue
            answer = second.entity.values[attribute]
            text = _capital(self._rng.choice(templates).format(np=described))
            asked = text.lower()
            if answer.lower() in told_before or answer.lower() in asked or second.entity.name.lower() in asked:
                continue
            facts = ((first, first.told[key]), (second, second.told[attribute]))
            if second.told[attribute] < SHOWN or _leads_to(asked, first.entity, facts[1]):
                yield _Draft(f"{kind} {key}", text, answer, "bridge", facts)

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
                        self._turn["yes/no" if is_yes_no else "first/second", draft.relation] += 1
                        return draft
        raise AssertionError("a region has many pairs of people to compare")

    def _contrast(self, kind: str, attribute: str, pair: tuple[Article, Article]) -> _Draft | None:
        sizes = [_number(article.entity.values[attribute]) for article in pair]
        if sizes[0] == sizes[1]:
            return None
        wants_more = self._rng.random() < 0.5
        relation = f"{kind} {attribute} {'more' if wants_more else 'less'}"
        answer, other = pair if (sizes[0] > sizes[1]) == wants_more else (pair[1], pair[0])
        named = (answer, other) if self._turn["first/second", relation] % 2 == 0 else (other, answer)
        return self._compare(relation, CONTRASTS[kind][attribute][wants_more], answer.entity.name, attribute, named)

    def _agreement(self, kind: str, attribute: str, pair: tuple[Article, Article]) -> _Draft | None:
        relation = f"{kind} {attribute} same"
        same = pair[0].entity.values[attribute] == pair[1].entity.values[attribute]
        if same != (self._turn["yes/no", relation] % 2 == 0):
            return None
        if attribute == "occupation" and any(article.entity.title != article.entity.name for article in pair):
            return None
        named = pair if self._rng.random() < 0.5 else (pair[1], pair[0])
        return self._compare(relation, AGREEMENTS[kind][attribute], "yes" if same else "no", attribute, named)

    def _compare(
        self, relation: str, templates: Sequence[str], answer: str, attribute: str, named: tuple[Article, Article]
    ) -> _Draft:
        a, b = (self._mention(article.entity, says_kind=False) for article in named)
        text = _capital(self._rng.choice(templates).format(a=a, b=b))
        first, second = ((article, article.told[attribute]) for article in named)
        return _Draft(relation, text, answer, "comparison", (first, second))

    def _mention(self, entity: Entity, says_kind: bool | None = None) -> str:
        """The entity by name; what it is is said where the name is not its title."""
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
