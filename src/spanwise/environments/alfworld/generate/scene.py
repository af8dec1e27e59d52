"""A room with its objects: what lies where at the start of a game, and what everything is called in it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random

from spanwise.environments.alfworld.generate import wheel
from spanwise.environments.alfworld.generate.goals import LOOK, TWO, Goal, lamp_types
from spanwise.environments.alfworld.generate.layout import Layout, Receptacle, Size, entity_id
from spanwise.environments.alfworld.generate.rooms import GOAL_OBJECT_PULL, LAMP, PULL, ROOMS, SINGLE, SMALL_OBJECTS

# How many instances of the goal's object there are: drawn from these; in full rooms as often as in ALFRED.
_INSTANCES: Mapping[Size, tuple[int, ...]] = {"full": (1, 1, 1, 2, 2, 3, 3, 4), "small": (1,)}
_INSTANCES_OF_TWO: Mapping[Size, tuple[int, ...]] = {"full": (2, 2, 2, 3, 3, 4, 4), "small": (2,)}


@dataclass(frozen=True)
class Item:
    """An object in a receptacle.

    Attributes:
        id: As in the released games, e.g. ``Apple_bar__minus_01_dot_07_bar__plus_00_dot_91_bar__plus_00_dot_20``.
        type: E.g. ``Apple``.
        receptacle: What it lies in.
        portable: It can be taken; a room's fixtures cannot.
    """

    id: str
    type: str
    receptacle: Receptacle
    portable: bool = True


@dataclass(frozen=True)
class Scene:
    """The start of one game."""

    layout: Layout
    items: tuple[Item, ...]
    goal: Goal

    @cached_property
    def names(self) -> dict[str, str]:
        """Id -> what the game calls it, e.g. ``apple 1``: ALFWorld numbers a type's ids downwards in sorted order."""
        entities = [(item.type, item.id) for item in self.items]
        entities += [(receptacle.type, receptacle.id) for receptacle in self.layout.receptacles]
        of_type: dict[str, list[str]] = defaultdict(list)
        for type_, id_ in entities:
            of_type[type_.lower()].append(id_)
        return {
            id_: f"{type_} {len(ids) - rank}"
            for type_, ids in of_type.items()
            for rank, id_ in enumerate(sorted(ids, key=str.lower))
        }

    @cached_property
    def fingerprint(self) -> int:
        """A 64-bit hash of what the game is, its numbering aside: the furniture, what lies in each piece, the goal."""
        inside = Counter((item.receptacle.id, item.type) for item in self.items)
        pieces = sorted(
            (
                receptacle.type,
                receptacle.openable,
                sorted((t, n) for (id_, t), n in inside.items() if id_ == receptacle.id),
            )
            for receptacle in self.layout.receptacles
        )
        goal = (self.goal.task_type, self.goal.object_type, self.goal.receptacle_type)
        return int(hashlib.sha256(repr((self.layout.room, pieces, goal)).encode()).hexdigest()[:16], 16)


def draw_scene(layout: Layout, goal: Goal, size: Size, rng: Random) -> Scene:
    """Puts objects into a room so that the goal can be reached and is not reached yet."""
    placing = _Placing(layout, goal, rng)
    counts = _INSTANCES_OF_TWO if goal.task_type == TWO else _INSTANCES
    placing.put(goal.object_type, rng.choice(counts[size]))
    if goal.task_type == LOOK:
        placing.stand(LAMP, lamp_types(layout))
    if size == "full":
        _fill(placing)
    else:
        _fill_sparsely(placing, rng.randint(*SMALL_OBJECTS))
    return Scene(layout, tuple(placing.items), goal)


def _fill(placing: _Placing) -> None:
    """Everything that such a room has in ALFRED."""
    room, rng = ROOMS[placing.layout.room], placing.rng
    for type_, (chance, hosts) in room.fixtures.items():
        present = any(item.type == type_ for item in placing.items)
        if not present and rng.random() < chance:
            placing.stand(type_, hosts)
    for type_, (chance, most) in room.objects.items():
        if type_ != placing.goal.object_type and rng.random() < chance:
            placing.put(type_, rng.randint(1, most))


def _fill_sparsely(placing: _Placing, total: int) -> None:
    """Some of it, until there are as many objects as asked for (or nothing else fits)."""
    objects, rng = ROOMS[placing.layout.room].objects, placing.rng
    types = [type_ for type_ in objects if type_ != placing.goal.object_type]
    rng.shuffle(types)
    for type_ in types:
        chance, most = objects[type_]
        if len(placing.items) < total and rng.random() < chance:
            placing.put(type_, min(rng.randint(1, min(2, most)), total - len(placing.items)))


class _Placing:
    """The room while it is being filled."""

    def __init__(self, layout: Layout, goal: Goal, rng: Random) -> None:
        self.layout, self.goal, self.rng = layout, goal, rng
        self.items: list[Item] = []
        self._ids: set[str] = set()
        self._full: set[str] = set()

    def put(self, type_: str, count: int) -> None:
        """Lays objects into receptacles that may hold them and have room; what fits nowhere stays away."""
        for _ in range(count):
            free = [receptacle for receptacle in self.layout.receptacles if self._accepts(receptacle, type_)]
            if not free:
                return
            receptacle = self.rng.choices(free, [self._pull(receptacle, type_) for receptacle in free])[0]
            self._add(type_, receptacle, portable=True)

    def stand(self, type_: str, hosts: Iterable[str]) -> None:
        """Stands a fixture on a receptacle of one of the types, if the room has any."""
        present = [host for host in hosts if host in self.layout.types()]
        if present:
            host = self.rng.choice(present)
            places = [receptacle for receptacle in self.layout.receptacles if receptacle.type == host]
            self._add(type_, self.rng.choice(places), portable=False)

    def _accepts(self, receptacle: Receptacle, type_: str) -> bool:
        if type_ == self.goal.object_type and receptacle.type == self.goal.starts_outside:
            return False
        return type_ in wheel.receptacle_objects()[receptacle.type] and receptacle.id not in self._full

    def _pull(self, receptacle: Receptacle, type_: str) -> float:
        factor = GOAL_OBJECT_PULL.get(receptacle.type, 1.0) if type_ == self.goal.object_type else 1.0
        return PULL[receptacle.type] * factor

    def _add(self, type_: str, receptacle: Receptacle, portable: bool) -> None:
        x, y, z = receptacle.position
        position = (x + self.rng.uniform(-0.3, 0.3), y + self.rng.uniform(0, 0.1), z + self.rng.uniform(-0.3, 0.3))
        self.items.append(Item(entity_id(type_, position, self._ids, self.rng), type_, receptacle, portable))
        if receptacle.type in SINGLE:
            self._full.add(receptacle.id)
