"""What a player may believe of an ALFWorld room, from the text alone: what it did, and what it was answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from spanwise.agents.experts.alfworld.names import kind
from spanwise.agents.protocol import History

NOTHING_HAPPENS = "Nothing happens."

_NAME = r"\w+ \d+"
_ROOM = re.compile(r"Looking quickly around you, you see (.*?)\.")
_OPEN = re.compile(rf"The ({_NAME}) is open\. In it, you see (.*?)\.")
_SURFACE = re.compile(rf"On the ({_NAME}), you see (.*?)\.")
_CLOSED = re.compile(rf"The ({_NAME}) is closed\.|You close the ({_NAME})\.")
_FACING = re.compile(r"You are facing (.*?)\. ")
_TAKEN = re.compile(rf"You pick up the ({_NAME}) from the ({_NAME})\.")
_GIVEN = re.compile(rf"You (?:put|move) the ({_NAME}) (?:in/on|to) the ({_NAME})\.")
_TREATED = re.compile(rf"You (clean|heat|cool) the ({_NAME}) using the ({_NAME})\.")
_LIT = re.compile(rf"You turn on the ({_NAME})\.")
_CARRYING = re.compile(rf"You are carrying: a ({_NAME})")
_GO = re.compile(rf"go to ({_NAME})")
_PUT = re.compile(rf"(?:put|move) ({_NAME}) (?:in/on|in|on|to) ({_NAME})")
_ANY = re.compile(_NAME)
_IDLE = ("look", "inventory", "examine ")  # commands that change nothing


@dataclass(slots=True)
class Beliefs:
    """What is known of a room.

    Attributes:
        room: Its receptacles, as the first observation lists them.
        place: The receptacle that was last looked at from near; None in the middle of the room.
        in_view: The receptacle whose contents the last observation told that was not a refusal; None if it told none.
        holding: The object in hand.
        contents: What each receptacle held when it was last seen; a receptacle never seen inside is missing.
        seen_at: Step at which each of them was last seen.
        closed: Receptacles whose door is shut.
        groups: For receptacles that stand together all that stand there: who is at one is at all of them.
        treatments: What was done to each object: ``clean``, ``heat``, ``cool``.
        taken_from: Where each object was last picked up.
        given_to: Where each object was last put, while it is there.
        misfits: Kinds of object and of receptacle that do not go together, as a refused ``put`` has shown.
        tried: Commands that changed nothing, since the last that did change something.
    """

    room: tuple[str, ...] = ()
    place: str | None = None
    in_view: str | None = None
    holding: str | None = None
    contents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seen_at: dict[str, int] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    treatments: dict[str, set[str]] = field(default_factory=dict)
    taken_from: dict[str, str] = field(default_factory=dict)
    given_to: dict[str, str] = field(default_factory=dict)
    misfits: set[tuple[str, str]] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)

    @property
    def here(self) -> frozenset[str]:
        """The receptacles within reach."""
        return frozenset() if self.place is None else self.groups.get(self.place, frozenset({self.place}))

    def observe(self, action: str | None, observation: str, step: int) -> None:
        """Learn from what an action was answered; ``step`` counts the observations."""
        if action is not None and observation.startswith(NOTHING_HAPPENS):
            self._learn_refusal(action)
            return
        self.in_view = None
        if action is None or observation == "OK.":
            return
        if action.startswith(_IDLE):
            self.tried.add(action)
        else:
            self.tried.clear()
        for match in (*_OPEN.finditer(observation), *_SURFACE.finditer(observation)):
            self._learn_contents(match[1], match[2], step)
        if match := _CLOSED.search(observation):
            self._learn_closed(match[1] or match[2])
        if match := _FACING.search(observation):
            self._learn_together(_ANY.findall(match[1]))
        if match := _TAKEN.search(observation):
            self._learn_taken(match[1], match[2])
        if match := _GIVEN.search(observation):
            self._learn_given(match[1], match[2])
        if match := _TREATED.search(observation):
            self._learn_treated(match[1], match[2])
        if match := _CARRYING.search(observation):
            self.holding = match[1]
        if observation.startswith("You are not carrying anything"):
            self.holding = None

    def _learn_refusal(self, action: str) -> None:
        self.tried.add(action)
        # Nobody can go where he already is: what cannot be gone to stands with what the player is at.
        match = _GO.fullmatch(action)
        if match and match[1] in self.room and match[1] not in self.here:
            self._learn_together([match[1], *self.here])
            self.place = match[1]
            self.in_view = None
        match = _PUT.fullmatch(action)
        if match and match[1] == self.holding and match[2] in self.here and match[2] not in self.closed:
            self.misfits.add((kind(match[1]), kind(match[2])))

    def _learn_contents(self, place: str, things: str, step: int) -> None:
        self.place = self.in_view = place
        self.contents[place] = tuple(_ANY.findall(things))
        self.seen_at[place] = step
        self.closed.discard(place)

    def _learn_closed(self, place: str) -> None:
        self.place = place
        self.closed.add(place)

    def _learn_together(self, places: list[str]) -> None:
        group = frozenset(places).union(*(self.groups.get(place, ()) for place in places))
        self.groups.update(dict.fromkeys(group, group))
        if places and self.place not in group:
            self.place = places[0]

    def _learn_taken(self, thing: str, place: str) -> None:
        self.holding = thing
        self.place = place
        self.taken_from[thing] = place
        self.given_to.pop(thing, None)
        self.contents[place] = tuple(other for other in self.contents.get(place, ()) if other != thing)

    def _learn_given(self, thing: str, place: str) -> None:
        self.holding = None
        self.place = place
        self.given_to[thing] = place
        self.contents[place] = (*self.contents.get(place, ()), thing)

    def _learn_treated(self, treatment: str, thing: str) -> None:
        done = self.treatments.setdefault(thing, set())
        done.add(treatment)
        done -= {"heat": {"cool"}, "cool": {"heat"}}.get(treatment, set())


def believe(history: History) -> Beliefs:
    """What the history of an episode lets one believe."""
    first, *answers = [*(step.observation for step in history.steps), history.observation]
    room = _ROOM.search(first)
    beliefs = Beliefs(room=tuple(_ANY.findall(room[1])) if room else ())
    for number, (step, answer) in enumerate(zip(history.steps, answers, strict=True), start=1):
        beliefs.observe(step.action, answer, number)
    return beliefs
