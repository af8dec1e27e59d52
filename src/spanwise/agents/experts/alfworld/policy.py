"""What to do next in an ALFWorld room, and what there is to say about it.

A decision is a command and the remarks that lead to it; how a remark is worded is ``wording.py``'s business. Whatever a
remark mentions stands in the history: the last one names the command's object or place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spanwise.agents.experts.alfworld.beliefs import Beliefs
from spanwise.agents.experts.alfworld.names import kind
from spanwise.agents.experts.alfworld.priors import search_order
from spanwise.agents.experts.alfworld.task import Task
from spanwise.agents.experts.remarks import Remark
from spanwise.errors import TaskDataError

#: Places that a list holds at most. In 96 of 100 train games no further list is needed.
LIST_LENGTH = 8

APPLIANCES = {"clean": "sinkbasin", "heat": "microwave", "cool": "fridge"}
ADJECTIVES = {"clean": "clean", "heat": "hot", "cool": "cool"}


@dataclass(frozen=True, slots=True)
class Decision:
    """A command, and the remarks that lead to it.

    Attributes:
        remarks: What there is to say.
        action: The command.
        reads: Whether it depends on what a place holds, so that this is to be said first.
    """

    remarks: tuple[Remark, ...]
    action: str
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What a decision depends on.

    Attributes:
        task: The goal.
        beliefs: What is known of the room.
        lists: The places to look at, as last listed in a thought, for each kind of object.
        started: Whether anything was done yet.
    """

    task: Task
    beliefs: Beliefs
    lists: dict[str, tuple[str, ...]]
    started: bool = True

    @property
    def goal(self) -> str:
        """The receptacle that things go to: where one was put already, else the first of its kind."""
        task, beliefs = self.task, self.beliefs
        for thing, place in beliefs.given_to.items():
            if kind(thing) == task.target and kind(place) == task.goal:
                return place
        return first_of(task.goal, beliefs)

    def fit(self, thing: str) -> bool:
        """Whether an object is as the goal wants it."""
        return self.task.treatment is None or self.task.treatment in self.beliefs.treatments.get(thing, ())


def first_of(receptacle: str, beliefs: Beliefs) -> str:
    """The first receptacle of a kind.

    Raises:
        TaskDataError: The room has none.
    """
    places = [place for place in beliefs.room if kind(place) == receptacle]
    if not places:
        raise TaskDataError(f"the goal needs a {receptacle}; this room has {', '.join(beliefs.room) or 'nothing'}")
    return search_order("", places)[0]


def decide(now: Situation) -> Decision:
    """The next command, and why."""
    decision = _with_hands_full(now, now.beliefs.holding) if now.beliefs.holding else _with_hands_free(now)
    if decision.action in now.beliefs.tried:
        return _reconsider(now)
    return Decision((*_read(now.beliefs), *decision.remarks), decision.action) if decision.reads else decision


def _read(beliefs: Beliefs) -> tuple[Remark, ...]:
    """What the last observation showed, said over: what follows from it is then said with it in sight."""
    if beliefs.in_view is None:
        return ()
    things = ", ".join(beliefs.contents[beliefs.in_view])
    return (Remark("read", {"place": beliefs.in_view, "things": things or "nothing"}),)


def _with_hands_full(now: Situation, thing: str) -> Decision:
    task = now.task
    if kind(thing) != task.target:
        return _put_down(now, thing)
    if task.look:
        return _look_at(now, thing)
    if not now.fit(thing):
        return _treat(now, thing)
    return _deliver(now, thing)


def _with_hands_free(now: Situation) -> Decision:
    task, beliefs = now.task, now.beliefs
    remarks: tuple[Remark, ...] = ()
    delivered = 0
    if task.count == 2:
        goal = now.goal
        delivered = sum(kind(thing) == task.target for thing in beliefs.contents.get(goal, ()))
        if delivered and goal in beliefs.here:
            remarks = (Remark("one_down", {"target": task.target, "goal": goal}),)
    wanted = _wanted(now)
    if not wanted:
        return _search(now, task.target, remarks, _pointless(now))
    thing, place = wanted[0]
    words = {"thing": thing, "place": place, "target": task.target}
    if place not in beliefs.here:
        return Decision((*remarks, Remark("go_back", words)), f"go to {place}")
    if place in beliefs.closed:
        return Decision((*remarks, Remark("open_for", words)), f"open {place}")
    found = ("found_first", "found_second")[delivered > 0] if task.count == 2 else "found"
    remarks = (*remarks, *_noticed(now, task.target), Remark(found, words))
    if task.count == 2 and not delivered and len(wanted) > 1:
        remarks = (Remark("notice", {"thing": wanted[1][0], "place": wanted[1][1]}), *remarks)
    return Decision(remarks, f"take {thing} from {place}", reads=True)


def _wanted(now: Situation) -> list[tuple[str, str]]:
    """Objects that may be taken and where they are: those within reach first, then those seen first."""
    task, beliefs = now.task, now.beliefs
    delivered = None if task.look else now.goal
    found = [
        (thing, place)
        for place, things in beliefs.contents.items()
        for thing in things
        if kind(thing) == task.target and not (place == delivered and now.fit(thing))
    ]
    return sorted(found, key=lambda item: (not now.fit(item[0]), item[1] != beliefs.place, item[1] not in beliefs.here))


def _pointless(now: Situation) -> frozenset[str]:
    """Where the target cannot be, or need not be looked for: it would be at the goal already."""
    if now.task.look or now.task.treatment is not None:
        return frozenset()
    if now.task.count == 2:
        return frozenset({now.goal})
    return frozenset(place for place in now.beliefs.room if kind(place) == now.task.goal)


def _search(
    now: Situation, target: str, remarks: tuple[Remark, ...], pointless: frozenset[str] = frozenset()
) -> Decision:
    beliefs = now.beliefs
    here = beliefs.place
    if here is not None and here in beliefs.closed and here not in beliefs.contents and here not in pointless:
        return Decision((*remarks, Remark("closed", {"place": here, "target": target})), f"open {here}")
    if not remarks and here is not None and here in beliefs.contents:
        remarks = (Remark("none_here", {"target": target, "place": here}),)
    remarks = (*remarks, *_noticed(now, target))

    listed = [place for place in now.lists.get(target, ()) if place in beliefs.room]
    ahead = [place for place in listed if place not in beliefs.contents]
    if ahead:
        following = ahead[0]
        position = listed.index(following)
        before = listed[position - 1] if position else None
        if before is None or (before == here and remarks and remarks[0].key in ("none_here", "have_but_none")):
            remarks = (*remarks, Remark("next", {"place": following}))
        else:
            remarks = (*remarks, Remark("after", {"before": before, "place": following}))
    else:
        if not now.started:
            remarks = _plan(now)
        places = _places(now, target, pointless)
        following = places[0]
        remarks = (
            *remarks,
            Remark("places", {"target": target, "places": ", ".join(places)}),
            Remark("first", {"place": following}),
        )
    return _approach(now, following, remarks)


def _places(now: Situation, target: str, pointless: frozenset[str]) -> Sequence[str]:
    """Where to look next: places not seen yet, likely ones first; if none is left, those seen longest ago."""
    beliefs = now.beliefs
    order = search_order(target, beliefs.room)
    unseen = [place for place in order if place not in beliefs.contents]
    likely = [place for place in unseen if place not in pointless]
    again = sorted(
        (place for place in order if place not in beliefs.here), key=lambda place: beliefs.seen_at.get(place, 0)
    )
    return (likely or unseen or again)[:LIST_LENGTH]


def _noticed(now: Situation, target: str) -> tuple[Remark, ...]:
    """What will be needed later, and is in sight."""
    task, beliefs = now.task, now.beliefs
    if task.look and target != task.goal and beliefs.place is not None:
        for thing in beliefs.contents.get(beliefs.place, ()):
            if kind(thing) == task.goal:
                return (Remark("notice", {"thing": thing, "place": beliefs.place}),)
    return ()


def _approach(now: Situation, place: str, remarks: tuple[Remark, ...]) -> Decision:
    """Go to a place; where that is impossible because one is there, look at it."""
    if place not in now.beliefs.here:
        return Decision(remarks, f"go to {place}", reads=True)
    return Decision((*remarks[:-1], Remark("already_here", {"place": place})), f"examine {place}", reads=True)


def _treat(now: Situation, thing: str) -> Decision:
    treatment = now.task.treatment
    assert treatment is not None
    appliance = first_of(APPLIANCES[treatment], now.beliefs)
    words = {"thing": thing, "verb": treatment, "place": appliance}
    if appliance in now.beliefs.here:
        return Decision((Remark("treat_here", words),), f"{treatment} {thing} with {appliance}")
    return Decision((Remark("have_to_treat", words),), f"go to {appliance}")


def _deliver(now: Situation, thing: str) -> Decision:
    beliefs, goal, treatment = now.beliefs, now.goal, now.task.treatment
    state = f"{ADJECTIVES[treatment]} " if treatment else ""
    words = {"thing": thing, "state": state, "place": goal}
    if goal not in beliefs.here:
        return Decision((Remark("have_to_put", words),), f"go to {goal}")
    if goal in beliefs.closed:
        return Decision((Remark("open_to_put", words),), f"open {goal}")
    if goal not in beliefs.contents:
        return Decision((Remark("already_here", words),), f"examine {goal}")
    return Decision((Remark("put_here", words),), f"put {thing} in/on {goal}")


def _look_at(now: Situation, thing: str) -> Decision:
    beliefs, lamp_kind = now.beliefs, now.task.goal
    lamps = [(lamp, place) for place, things in beliefs.contents.items() for lamp in things if kind(lamp) == lamp_kind]
    lamps.sort(key=lambda item: item[1] not in beliefs.here)
    if not lamps:
        here = beliefs.place
        words = {"thing": thing, "target": lamp_kind, "place": here or ""}
        listed = lamp_kind in now.lists and here in beliefs.contents
        return _search(now, lamp_kind, (Remark("have_but_none" if listed else "have_to_find", words),))
    lamp, place = lamps[0]
    words = {"thing": thing, "lamp": lamp, "place": place}
    if place not in beliefs.here:
        return Decision((Remark("have_and_remember", words),), f"go to {place}", reads=True)
    if place in beliefs.closed:
        return Decision((Remark("open_for", {**words, "thing": lamp}),), f"open {place}")
    return Decision((Remark("lamp_here", words),), f"use {lamp}", reads=True)


def _put_down(now: Situation, thing: str) -> Decision:
    """Get rid of an object that is not wanted: here, if it may lie here, else where it came from, else anywhere."""
    beliefs = now.beliefs
    nearest = (beliefs.place, beliefs.taken_from.get(thing), *search_order(kind(thing), beliefs.room))
    for place in nearest:
        if place is None or (kind(thing), kind(place)) in beliefs.misfits:
            continue
        words = {"thing": thing, "target": now.task.target, "place": place}
        if place not in beliefs.here:
            return Decision((Remark("wrong_carry", words),), f"go to {place}")
        if place in beliefs.closed:
            return Decision((Remark("wrong_open", words),), f"open {place}")
        return Decision((Remark("wrong_put_down", words),), f"put {thing} in/on {place}")
    return _reconsider(now)


def _plan(now: Situation) -> tuple[Remark, ...]:
    task = now.task
    words = {"target": task.target}
    if task.look:
        return (Remark("plan_look", {**words, "lamp": task.goal}),)
    words["goal"] = now.goal
    if task.count == 2:
        return (Remark("plan_two", words),)
    if task.treatment is None:
        return (Remark("plan_put", words),)
    appliance = first_of(APPLIANCES[task.treatment], now.beliefs)
    return (Remark("plan_treat", {**words, "verb": task.treatment, "appliance": appliance}),)


def _reconsider(now: Situation) -> Decision:
    """What seemed right did not work: take stock, then go elsewhere."""
    beliefs = now.beliefs
    for action in ("inventory", "look"):
        if action not in beliefs.tried:
            return Decision((Remark(f"take_stock_{action}", {}),), action)
    places = sorted(beliefs.room, key=lambda place: beliefs.seen_at.get(place, -1))
    elsewhere = [place for place in places if place not in beliefs.here and f"go to {place}" not in beliefs.tried]
    if not elsewhere:
        return Decision((Remark("take_stock_look", {}),), "look")
    return Decision((Remark("elsewhere", {"place": elsewhere[0]}),), f"go to {elsewhere[0]}")
