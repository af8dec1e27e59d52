"""A world of any size, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from spanwise.environments.hotpotqa.generate.articles import write_article
from spanwise.environments.hotpotqa.generate.entities import Article, Entity
from spanwise.environments.hotpotqa.generate.names import SPLITS, Names
from spanwise.environments.hotpotqa.generate.questions import QUESTIONS, QuestionWriter
from spanwise.environments.hotpotqa.generate.region import Region, draw_countries
from spanwise.environments.hotpotqa.records import Page, Question

#: So many regions in a row lie in the same countries.
_REGIONS_OF_A_COUNTRY = 5


@dataclass(frozen=True)
class World:
    """One encyclopedia, and the questions of each split.

    Attributes:
        pages: All articles; no two share a title.
        questions: By split (``train``, ``dev``, ``test``).
    """

    pages: tuple[Page, ...]
    questions: dict[str, tuple[Question, ...]]


def generate_world(seed: int, train: int, dev: int, test: int) -> World:
    """A world with so many questions in each split.

    The questions of a split depend on the seed and their place alone: a larger split begins with those of a smaller
    one. Splits share no entity, and no entity of one is called as one of another, whatever their
    seeds.

    Raises:
        TaskDataError: The names do not suffice for so many questions.
    """
    pages: list[Page] = []
    questions: dict[str, tuple[Question, ...]] = {}
    for split, count in zip(SPLITS, (train, dev, test), strict=True):
        new_pages, new_questions = _split(seed, split, count)
        pages += new_pages
        questions[split] = tuple(new_questions)
    return World(tuple(pages), questions)


def _split(seed: int, split: str, count: int) -> tuple[list[Page], list[Question]]:
    rng = Random(f"{seed}/{split}")
    names, writer = Names(split, rng), QuestionWriter(split, rng)
    pages: list[Page] = []
    questions: list[Question] = []
    countries: list[Entity] = []
    abroad: list[Article] = []
    for number in range(-(-count // QUESTIONS)):
        is_first = number % _REGIONS_OF_A_COUNTRY == 0
        if is_first:
            countries = draw_countries(names)
        region = Region(names, countries)
        if is_first:
            for country, capital in zip(countries, region.towns, strict=False):
                country.say(capital=capital)
            abroad = [write_article(country, region.towns, region.people, rng) for country in countries]
        articles = [write_article(entity, region.towns, region.people, rng) for entity in region.entities]
        pages += [Page(article.entity.title, article.sentences) for article in (abroad if is_first else []) + articles]
        questions += writer.write(articles, abroad)
    return pages, questions[:count]
