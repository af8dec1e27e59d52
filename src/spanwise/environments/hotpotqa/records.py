"""What an encyclopedia and a set of questions are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """An article: its title, and its sentences as the data set has them (spaces at their beginnings included)."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what a score is computed from; an agent is told ``text`` alone.

    Attributes:
        id: Unique within a split.
        text: The question.
        answer: The gold answer.
        type: ``bridge`` or ``comparison``.
        level: ``easy``, ``medium`` or ``hard``.
        supporting_facts: Title of a page and number of a sentence on it, from 0, of each fact that the answer follows
            from. Some of the released ones name a sentence that its page does not have.
    """

    id: str
    text: str
    answer: str
    type: str
    level: str
    supporting_facts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another title of a page."""

    title: str
    target: str
