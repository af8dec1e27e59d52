"""Names that no two pages share, put together from parts that all splits share."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from random import Random

from spanwise.environments.hotpotqa.generate import words
from spanwise.errors import TaskDataError

SPLITS = ("train", "dev", "test")
_TRIES = 5000


def owner(name: str) -> str:
    """The split whose entities alone may have the name: eight of ten are train's, whatever the seed."""
    return SPLITS[max(0, zlib.crc32(name.encode()) % 10 - 7)]


class Names:
    """Draws names for the entities of a split, no name twice."""

    def __init__(self, split: str, rng: Random) -> None:
        self._split = split
        self.rng = rng
        self._used: set[str] = set()

    def unique(self, draw: Callable[[], str]) -> str:
        """What ``draw`` gives, drawn until it is a name of this split that is still free.

        Raises:
            TaskDataError: None was free; the world is larger than its names allow.
        """
        for _ in range(_TRIES):
            name = draw()
            if owner(name) == self._split and self.claim(name):
                return name
        raise TaskDataError(
            f"no free name like {name!r} for the {self._split} split within {_TRIES} draws; ask for fewer questions"
        )

    def claim(self, name: str) -> bool:
        """Whether a name was free; it no longer is."""
        free = name not in self._used
        self._used.add(name)
        return free

    def _one(self, parts: tuple[str, ...]) -> str:
        return self.rng.choice(parts)

    def surname(self) -> str:
        """A family name, which many may share; none that stutters."""
        while True:
            start, end = self._one(words.SURNAME_STARTS), self._one(words.SURNAME_ENDS)
            if not end.startswith(start[-2:].lower()):
                return start + end

    def person(self, woman: bool, surname: str | None = None) -> str:
        """A first and a family name; the given family name, if this split has a free name with it."""
        firsts = words.WOMEN if woman else words.MEN

        def draw() -> str:
            family = surname if surname and self.rng.random() < 0.9 else self.surname()
            return f"{self._one(firsts)} {family}"

        return self.unique(draw)

    def town(self, near: str | None = None) -> str:
        """A town's name; one that differs from ``near`` by a word in front of it, if that is given."""

        def draw() -> str:
            core = near or self._one(words.TOWN_STEMS) + self._one(words.TOWN_ENDS)
            return f"{self._one(words.TOWN_FRONTS)} {core}" if near or self.rng.random() < 0.2 else core

        return self.unique(draw)

    def has_neighbour(self, town: str) -> bool:
        """Whether a town without a word in front of its name can be told from another by one."""
        neighbours = [f"{front} {town}" for front in words.TOWN_FRONTS]
        return " " not in town and any(owner(name) == self._split and name not in self._used for name in neighbours)

    def county(self) -> str:
        """A county's name."""

        def draw() -> str:
            stem = self._one(("", "", "", "North ", "South ", "East ", "West ")) + self._one(words.TOWN_STEMS)
            if self.rng.random() < 0.5:
                return stem + self._one(words.COUNTY_ENDS)
            return f"{stem}{self._one(words.TOWN_ENDS)} County"

        return self.unique(draw)

    def river(self) -> str:
        """A river's name."""

        def draw() -> str:
            stem = self._one(words.SURNAME_STARTS) + self._one(words.RIVER_MIDDLES) + self._one(words.RIVER_ENDS)
            front = self._one(("River ", "River ", "River ", "White ", "Black ", "Little "))
            return f"{front}{stem}" if front == "River " else f"{front}{stem} River"

        return self.unique(draw)

    def country(self) -> tuple[str, str]:
        """A country's name and the adjective for its people."""
        demonyms: dict[str, str] = {}

        def draw() -> str:
            stem = self._one(words.COUNTRY_STARTS) + self._one(words.COUNTRY_MIDDLES)
            end, people = self.rng.choice(words.COUNTRY_ENDS)
            demonyms[stem + end] = stem + people
            return stem + end

        name = self.unique(draw)
        return name, demonyms[name]

    def language(self) -> str:
        """A language's name."""
        parts = (words.COUNTRY_STARTS, words.COUNTRY_MIDDLES, words.LANGUAGE_ENDS)
        return self.unique(lambda: "".join(self._one(part) for part in parts))

    def work(self) -> str:
        """A title of a film, a novel or an album."""

        def draw() -> str:
            adjective, noun, other = self._one(words.TITLE_ADJECTIVES), *self.rng.sample(words.TITLE_NOUNS, 2)
            return self._one(
                (
                    f"The {adjective} {noun}",
                    f"A {adjective} {noun}" if adjective[0] not in "AEIO" else f"An {adjective} {noun}",
                    f"{adjective} {noun}",
                    f"The {noun} and the {other}",
                    f"The {noun} in the {other}",
                    f"Beyond the {adjective} {noun}",
                    self._one(words.TOWN_STEMS) + self._one(("fall", "light", "song", "tide", "heart", "shade")),
                )
            )

        return self.unique(draw)

    def band(self) -> str:
        """A band's name."""
        return self.unique(
            lambda: (
                f"{self._one(words.TITLE_ADJECTIVES + words.TOWN_STEMS)} {self._one(words.TITLE_NOUNS)} "
                f"{self._one(('Quartet', 'Band', 'Trio', 'Orchestra', 'Club', 'Collective'))}"
            )
        )

    def team(self) -> str:
        """A football club's name."""
        return self.unique(
            lambda: (
                f"{self._one(words.TITLE_ADJECTIVES + words.TOWN_STEMS)} {self._one(words.TITLE_NOUNS)} "
                f"{self._one(words.CLUB_WORDS)}"
            )
        )

    def company(self) -> str:
        """A company's name."""
        return self.unique(lambda: f"{self.surname()} {self._one(words.COMPANY_WORDS)}")

    def college(self) -> str:
        """A university's name."""
        return self.unique(lambda: f"{self.surname()} {self._one(words.COLLEGE_WORDS)}")

    def thing(self, *ends: str) -> str:
        """A name of this split for what has no article of its own: a prize, a stadium."""
        while True:
            name = f"{self._one(words.TITLE_ADJECTIVES)} {self._one(words.TITLE_NOUNS)} {self._one(ends)}"
            if owner(name) == self._split:
                return name
