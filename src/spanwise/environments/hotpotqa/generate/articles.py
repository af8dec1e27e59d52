"""Articles: a first sentence, then facts and other sentences in any order."""

from __future__ import annotations

import re
from random import Random

from spanwise.environments.hotpotqa.generate import words
from spanwise.environments.hotpotqa.generate.entities import Article, Entity, Manner
from spanwise.environments.hotpotqa.generate.institutions import INSTITUTIONS
from spanwise.environments.hotpotqa.generate.people import PEOPLE
from spanwise.environments.hotpotqa.generate.places import PLACES
from spanwise.environments.hotpotqa.generate.works import WORKS

MOST_SENTENCES = 12
#: Years mentioned by the way are later than the years of the entity itself, and between these.
_MODERN, _NOW = 1900, 2024
_MANNERS = {**PEOPLE, **PLACES, **INSTITUTIONS, **WORKS}
_KEY = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[AEIOaeio]|U(?!n))")
_YEAR = re.compile(r"\b\d{4}\b")
_KEYS: dict[str, tuple[str, ...]] = {}


def write_article(entity: Entity, towns: list[Entity], people: list[Entity], rng: Random) -> Article:
    """An article of 4 to 12 sentences; other towns and people of the region are mentioned by the way."""
    manner = _MANNERS[entity.kind]
    values = {
        **entity.values,
        "name": entity.name,
        "other_town": rng.choice([town.name for town in towns if town is not entity]),
        "other_person": rng.choice([person.name for person in people if person is not entity]),
        "building": rng.choice(words.BUILDINGS),
    }
    introduction = _choose(manner.introductions, values, rng)
    templates = [introduction, *_body(manner, values, _keys(introduction), rng)]
    years = [int(year) for value in entity.values.values() for year in _YEAR.findall(value)]
    since = max((year for year in years if year > _MODERN), default=_MODERN) + 1
    sentences = []
    told: dict[str, int] = {}
    for number, template in enumerate(templates):
        values["other_year"] = str(rng.randint(since, _NOW))
        text = _ARTICLE.sub(r"\1n ", template.format_map(values))
        text = text[0].upper() + text[1:]
        sentences.append(text if number == 0 else f" {text}")
        for key in _keys(template):
            told.setdefault(key, number)
    return Article(entity, tuple(sentences), told)


def _body(manner: Manner, values: dict[str, str], told: tuple[str, ...], rng: Random) -> list[str]:
    facts = [
        _choose(variants, values, rng)
        for key, variants in manner.facts.items()
        if key not in told and any(_can_be_said(variant, values) for variant in variants)
    ]
    room = MOST_SENTENCES - 1 - len(facts)
    fillers = rng.sample(manner.fillers, min(room, rng.randint(1, 4), len(manner.fillers)))
    body = facts + fillers
    rng.shuffle(body)
    return body


def _choose(variants: tuple[str, ...], values: dict[str, str], rng: Random) -> str:
    return rng.choice([variant for variant in variants if _can_be_said(variant, values)])


def _can_be_said(template: str, values: dict[str, str]) -> bool:
    return all(key in values or key == "other_year" for key in _keys(template))


def _keys(template: str) -> tuple[str, ...]:
    if template not in _KEYS:
        _KEYS[template] = tuple(_KEY.findall(template))
    return _KEYS[template]
