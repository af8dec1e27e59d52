"""A room without its objects: which receptacles, where the agent stands before each, which can be opened.

A layout is *held out* or not by a hash of its furniture alone, so the rooms of ``valid_unseen`` are disjoint from those
of ``train`` whatever the seed, the size and the number of games.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Literal

from spanwise.environments.alfworld.generate.rooms import (
    ALWAYS_OPENABLE,
    MOSTLY_OPENABLE,
    ROOMS,
    SHARE_PLACE,
    SMALL_RECEPTACLES,
)

Size = Literal["small", "full"]

# One layout in five is held out.
_HELD_OUT_ONE_IN = 5
# ALFRED names what a sink or a bathtub holds by the whole and its part: Sink|x|y|z|SinkBasin.
_BASINS = {"SinkBasin": "Sink", "BathtubBasin": "Bathtub"}


@dataclass(frozen=True)
class Receptacle:
    """Something that holds objects.

    Attributes:
        id: As in the released games, e.g. ``Drawer_bar__plus_01_dot_63_bar__plus_00_dot_18_bar__minus_01_dot_21``.
        type: E.g. ``Drawer``.
        position: x, height, z in metres.
        place: Id of the location from which the agent reaches it.
        openable: It can be opened, and is closed at the start.
    """

    id: str
    type: str
    position: tuple[float, float, float]
    place: str
    openable: bool


@dataclass(frozen=True)
class Layout:
    """A furnished room.

    Attributes:
        room: Name of the kind of room.
        receptacles: Its receptacles, grouped by type.
        start: Id of the location where the agent begins; no receptacle is there.
    """

    room: str
    receptacles: tuple[Receptacle, ...]
    start: str

    @property
    def key(self) -> str:
        """Eight hex digits that tell furniture apart: rooms with the same receptacles have the same key."""
        return furniture_key(self.room, Counter(receptacle.type for receptacle in self.receptacles))

    def types(self) -> tuple[str, ...]:
        """The types of receptacles that the room has, sorted."""
        return tuple(sorted({receptacle.type for receptacle in self.receptacles}))


def furniture_key(room: str, furniture: Counter[str]) -> str:
    """Eight hex digits of a hash over the kind of room and how many receptacles of each type it has."""
    text = room + "".join(f" {type_}:{count}" for type_, count in sorted(furniture.items()) if count)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def is_held_out(key: str) -> bool:
    """Whether rooms with this furniture belong to ``valid_unseen`` (one in five), or to the other splits."""
    return int(key, 16) % _HELD_OUT_ONE_IN == 0


def draw_furniture(room: str, size: Size, rng: Random) -> Counter[str]:
    """How many receptacles of each type a new room has."""
    table = ROOMS[room]
    counts = table.full if size == "full" else table.small
    fewest, most = SMALL_RECEPTACLES if size == "small" else (1, 1000)
    while True:
        furniture = Counter({type_: rng.choice(choices) for type_, choices in counts.items()})
        if fewest <= furniture.total() <= most:
            return furniture


def place_furniture(room: str, furniture: Counter[str], rng: Random) -> Layout:
    """A layout with that furniture; positions, neighbourhoods and which compartments open are drawn."""
    receptacles: list[Receptacle] = []
    ids: set[str] = set()
    places = _Places(rng)
    for type_, count in sorted(furniture.items()):
        for _ in range(count):
            position = (rng.uniform(-3, 3), rng.uniform(0, 2), rng.uniform(-3, 3))
            id_ = entity_id(type_, position, ids, rng)
            neighbour = receptacles[-1] if receptacles and receptacles[-1].type == type_ else None
            shared = neighbour is not None and rng.random() < SHARE_PLACE.get(type_, 0)
            place = neighbour.place if neighbour is not None and shared else places.new(position)
            openable = type_ in ALWAYS_OPENABLE or rng.random() < MOSTLY_OPENABLE.get(type_, 0)
            receptacles.append(Receptacle(id_, type_, position, place, openable))
    return Layout(room, tuple(receptacles), places.new((rng.uniform(-2, 2), 0, rng.uniform(-2, 2))))


def entity_id(type_: str, position: tuple[float, float, float], taken: set[str], rng: Random) -> str:
    """An id in ALFRED's form that is not taken yet, at the position or centimetres beside it; adds it to ``taken``."""
    x, y, z = position
    while True:
        numbers = "_bar_".join(_number(value) for value in (x, y, z))
        part = f"_bar_{type_}" if type_ in _BASINS else ""
        id_ = f"{_BASINS.get(type_, type_)}_bar_{numbers}{part}"
        if id_ not in taken:
            taken.add(id_)
            return id_
        x, z = x + rng.uniform(-0.2, 0.2), z + rng.uniform(-0.2, 0.2)


def _number(value: float) -> str:
    sign = "minus" if value < 0 else "plus"
    return f"_{sign}_{abs(value):05.2f}".replace(".", "_dot_")


class _Places:
    """Hands out location ids on ALFRED's grid of 25 cm, each once."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()

    def new(self, position: tuple[float, float, float]) -> str:
        while True:
            x, z = (round(4 * value) + self._rng.randint(-2, 2) for value in (position[0], position[2]))
            view = (self._rng.randrange(4), self._rng.choice((0, 30, 45, 60)))
            place = "loc" + "".join(f"_bar_{'_minus_' if n < 0 else ''}{abs(n)}" for n in (x, z, *view))
            if place not in self._taken:
                self._taken.add(place)
                return place
