"""What the generated world is made of before it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(eq=False)
class Entity:
    """Something with an article.

    Attributes:
        kind: What it is, as in the tables of questions; ``director`` or ``town``.
        noun: What it is in words; ``film director``.
        name: What texts call it.
        title: The title of its article: the name, or the name with what it is in parentheses.
        values: Everything that its article may say, by key, in words.
        links: Of those, what has an article itself.
    """

    kind: str
    noun: str
    name: str
    title: str
    values: dict[str, str] = field(default_factory=dict)
    links: dict[str, Entity] = field(default_factory=dict)

    def say(self, **values: str | Entity) -> None:
        """Adds what its article may say."""
        for key, value in values.items():
            if isinstance(value, Entity):
                self.links[key] = value
                self.values[key] = value.name
            else:
                self.values[key] = value


@dataclass(frozen=True)
class Manner:
    """The sentences for articles of a kind, with values of the entity in braces.

    Attributes:
        introductions: First sentences.
        facts: What is told of, and sentences that tell it.
        fillers: Sentences that answer nothing.
    """

    introductions: tuple[str, ...]
    facts: Mapping[str, tuple[str, ...]]
    fillers: tuple[str, ...]


@dataclass(frozen=True)
class Article:
    """A written article.

    Attributes:
        entity: What it is about.
        sentences: As on the page.
        told: In which sentence each value of the entity stands first.
    """

    entity: Entity
    sentences: tuple[str, ...]
    told: Mapping[str, int]
