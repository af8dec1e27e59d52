"""What a game asks for: which goals a room allows, and how they are said in words and in PDDL."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from spanwise.environments.alfworld.generate import wheel
from spanwise.environments.alfworld.generate.layout import Layout
from spanwise.environments.alfworld.generate.rooms import LAMP, NEVER_GOAL, ROOMS, SINGLE

LOOK = "look_at_obj_in_light"
TWO = "pick_two_obj_and_place"


@dataclass(frozen=True)
class Treatment:
    """A change that the object needs first: its verb, what it is done with, and ALFRED's table of objects it fits."""

    verb: str
    appliance: str
    affordance: str


TREATMENTS = {
    "pick_clean_then_place_in_recep": Treatment("clean", "SinkBasin", "Cleanable"),
    "pick_heat_then_place_in_recep": Treatment("heat", "Microwave", "Heatable"),
    "pick_cool_then_place_in_recep": Treatment("cool", "Fridge", "Coolable"),
}


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
        task_type: ALFRED's name of it.
        object_type: What is to be moved or looked at.
        receptacle_type: Where it shall end; empty for ``look_at_obj_in_light``, which has a lamp instead.
        wording: Which of the task type's templates tells it.
    """

    task_type: str
    object_type: str
    receptacle_type: str
    wording: int

    @property
    def lamp(self) -> str:
        """The lamp's type, or empty."""
        return LAMP if self.task_type == LOOK else ""

    @property
    def starts_outside(self) -> str:
        """The type of receptacle in which no such object lies at the start, as in the released games.

        It is the appliance where there is one, else the goal itself (carrying alone would be done already), or empty.
        """
        treatment = TREATMENTS.get(self.task_type)
        return treatment.appliance if treatment else self.receptacle_type

    @property
    def text(self) -> str:
        """The task in words, e.g. ``put a clean apple in fridge``."""
        template = wheel.task_wordings(self.task_type)[self.wording]
        words = {"obj": self.object_type, "recep": self.receptacle_type, "toggle": self.lamp}
        return template.format(**{name: word.lower() for name, word in words.items()})

    @property
    def condition(self) -> str:
        """The goal in PDDL; closes the problem's last parenthesis."""
        condition = wheel.goal_condition(self.task_type)
        return condition.format(obj=self.object_type, recep=self.receptacle_type, toggle=self.lamp)


def lamp_types(layout: Layout) -> tuple[str, ...]:
    """Types of receptacles in this room that a desk lamp may stand on; empty where rooms of the kind have no lamps."""
    hosts = ROOMS[layout.room].fixtures.get(LAMP, (0, ()))[1]
    return tuple(type_ for type_ in layout.types() if type_ in hosts)


def possible_goals(layout: Layout, task_type: str) -> dict[str, tuple[str, ...]]:
    """Object type -> receptacle types that can be the goal (for ``look_at_obj_in_light``: one empty name)."""
    receptacles = layout.types()
    treatment = TREATMENTS.get(task_type)
    if (treatment and treatment.appliance not in receptacles) or (task_type == LOOK and not lamp_types(layout)):
        return {}
    goals: dict[str, tuple[str, ...]] = {}
    for object_type in ROOMS[layout.room].objects:
        if treatment and object_type not in wheel.action_objects()[treatment.affordance]:
            continue
        fitting = [type_ for type_ in receptacles if object_type in wheel.receptacle_objects()[type_]]
        if task_type == LOOK:
            targets = ("",) if fitting else ()
        elif treatment:
            targets = tuple(type_ for type_ in fitting if type_ not in NEVER_GOAL and type_ != treatment.appliance)
        else:
            targets = _carrying_targets(fitting, roomy=task_type == TWO)
        if targets:
            goals[object_type] = targets
    return goals


def _carrying_targets(fitting: list[str], roomy: bool) -> tuple[str, ...]:
    """Goals among the fitting types: the object must have another type to start in (roomy: each holds several)."""
    starts = [type_ for type_ in fitting if type_ not in SINGLE] if roomy else fitting
    return tuple(
        type_
        for type_ in fitting
        if type_ not in NEVER_GOAL and not (roomy and type_ in SINGLE) and any(start != type_ for start in starts)
    )


def draw_goal(layout: Layout, task_type: str, rng: Random) -> Goal:
    """One of the goals that the room allows; rare objects are asked for as rarely as they are there."""
    goals = possible_goals(layout, task_type)
    objects = ROOMS[layout.room].objects
    object_type = rng.choices(list(goals), [objects[type_][0] for type_ in goals])[0]
    wording = rng.randrange(len(wheel.task_wordings(task_type)))
    return Goal(task_type, object_type, rng.choice(goals[object_type]), wording)
