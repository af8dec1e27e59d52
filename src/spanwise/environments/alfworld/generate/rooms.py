"""What the four kinds of room hold: tables, read as data by the rest of the package.

The counts of nine are quantiles: sort ALFRED's 27 training rooms of a kind by how many cabinets they have, and write
down every third number, from the second on. Drawing one of the nine gives rooms whose furniture is spread like the
original's, without reproducing any floor plan. Which objects may lie where, and what can be washed, heated, cooled or
cut, is not repeated here: it is read from ALFRED's own tables in the `alfworld` wheel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Counts = tuple[int, ...]

# A piece that one of the 27 rooms has.
_IN_ONE_OF_27: Counts = (*(0,) * 26, 1)


@dataclass(frozen=True)
class Room:
    """One kind of room.

    Attributes:
        name: ``kitchen``, ``bedroom``, ``livingroom`` or ``bathroom``.
        full: Receptacle type -> counts, one of which is drawn with equal chance; as in ALFRED.
        small: The same for a room that loads fast: ``SMALL_RECEPTACLES`` of them, drawn again until the number fits.
        objects: Object type -> (probability that the room has any, most instances); how many is uniform from 1.
        fixtures: What stands in a receptacle and cannot be taken: type -> (probability, receptacle types). Some of it
            is odd, but the released games see a window on a countertop too. Paper towel rolls and teddy bears are here
            because ALFRED's tables have no place where they could be put down.
    """

    name: str
    full: Mapping[str, Counts]
    small: Mapping[str, Counts]
    objects: Mapping[str, tuple[float, int]]
    fixtures: Mapping[str, tuple[float, tuple[str, ...]]]


LAMP = "DeskLamp"
SMALL_RECEPTACLES = (5, 8)
SMALL_OBJECTS = (8, 12)

# How many objects a receptacle of a type tends to hold, against the others that may hold the object too.
PULL = {
    "ArmChair": 1.0,
    "BathtubBasin": 6.0,
    "Bed": 9.0,
    "Cabinet": 0.9,
    "Cart": 3.0,
    "CoffeeMachine": 14.0,
    "CoffeeTable": 4.0,
    "CounterTop": 6.0,
    "Desk": 5.0,
    "DiningTable": 9.0,
    "Drawer": 0.8,
    "Dresser": 4.0,
    "Fridge": 7.0,
    "GarbageCan": 1.5,
    "HandTowelHolder": 100.0,
    "LaundryHamper": 1.0,
    "Microwave": 2.3,
    "Ottoman": 1.2,
    "Safe": 2.0,
    "Shelf": 1.3,
    "SideTable": 2.5,
    "SinkBasin": 2.2,
    "Sofa": 3.0,
    "StoveBurner": 12.0,
    "TVStand": 4.0,
    "Toaster": 1.0,
    "Toilet": 3.2,
    "ToiletPaperHanger": 2.0,
    "TowelHolder": 1.0,
}
# Room for one object only.
SINGLE = frozenset({"CoffeeMachine", "HandTowelHolder", "StoveBurner", "ToiletPaperHanger", "TowelHolder"})
# Part of the room, never the goal.
NEVER_GOAL = frozenset(
    {"BathtubBasin", "HandTowelHolder", "LaundryHamper", "SinkBasin", "TVStand", "Toaster", "TowelHolder"}
)
# What the goal asks for lies in the open more often than its like.
GOAL_OBJECT_PULL = {"Cabinet": 0.7, "Drawer": 0.3, "Fridge": 0.7}
ALWAYS_OPENABLE = frozenset({"Fridge", "Microwave", "Safe"})
# Every sixth cabinet and drawer of ALFRED is a plain compartment, which the simulator could not open.
MOSTLY_OPENABLE = {"Cabinet": 0.83, "Drawer": 0.84}
# Neighbours that the agent reaches from one and the same place.
SHARE_PLACE = {"Cabinet": 0.15, "Drawer": 0.15, "Shelf": 0.1, "StoveBurner": 0.3}

KITCHEN = Room(
    name="kitchen",
    full={
        "Cabinet": (4, 9, 10, 11, 13, 15, 19, 20, 26),
        "CoffeeMachine": (1,),
        "CounterTop": (1, 1, 2, 2, 2, 3, 3, 3, 4),
        "DiningTable": (0, 0, 0, 0, 1, 1, 1, 1, 2),
        "Drawer": (1, 3, 3, 4, 4, 5, 6, 9, 13),
        "Fridge": (1,),
        "GarbageCan": (1,),
        "Microwave": (1,),
        "Safe": _IN_ONE_OF_27,
        "Shelf": (0, 0, 0, 0, 0, 0, 0, 3, 3),
        "SideTable": (0, 0, 0, 0, 0, 0, 0, 0, 1),
        "SinkBasin": (1,),
        "StoveBurner": (4,),
        "Toaster": (1,),
    },
    small={
        "Cabinet": (0, 1, 1, 2),
        "CoffeeMachine": (0, 0, 1),
        "CounterTop": (1, 1, 1, 2),
        "DiningTable": (0, 1),
        "Drawer": (0, 0, 1, 2),
        "Fridge": (1,),
        "GarbageCan": (0, 1),
        "Microwave": (1,),
        "Shelf": (0, 0, 1),
        "SinkBasin": (1,),
        "StoveBurner": (0, 0, 1, 2),
    },
    objects={
        "Apple": (1.0, 3),
        "Book": (0.11, 2),
        "Bowl": (1.0, 3),
        "Bread": (1.0, 2),
        "ButterKnife": (0.97, 3),
        "CellPhone": (0.11, 3),
        "CreditCard": (0.09, 3),
        "Cup": (1.0, 3),
        "DishSponge": (1.0, 3),
        "Egg": (1.0, 3),
        "Fork": (1.0, 3),
        "Glassbottle": (0.24, 3),
        "Kettle": (0.52, 3),
        "Knife": (1.0, 3),
        "Ladle": (0.35, 3),
        "Lettuce": (1.0, 3),
        "Mug": (1.0, 3),
        "Pan": (1.0, 2),
        "Pen": (0.06, 3),
        "Pencil": (0.07, 3),
        "PepperShaker": (1.0, 3),
        "Plate": (1.0, 3),
        "Pot": (1.0, 2),
        "Potato": (1.0, 3),
        "SaltShaker": (1.0, 3),
        "SoapBottle": (1.0, 3),
        "Spatula": (1.0, 3),
        "Spoon": (1.0, 3),
        "SprayBottle": (0.07, 3),
        "Statue": (0.15, 3),
        "Tomato": (1.0, 3),
        "Vase": (0.15, 3),
        "WineBottle": (0.42, 3),
    },
    fixtures={
        "HousePlant": (0.36, ("CounterTop", "DiningTable")),
        "PaperTowelRoll": (0.35, ("CounterTop", "DiningTable", "Shelf")),
        "Window": (0.07, ("CounterTop",)),
    },
)

LIVINGROOM = Room(
    name="livingroom",
    full={
        "ArmChair": (0, 1, 1, 1, 1, 1, 2, 2, 2),
        "Cabinet": (0, 0, 0, 0, 0, 0, 0, 0, 4),
        "CoffeeTable": (0, 1, 1, 1, 1, 1, 1, 2, 2),
        "Desk": _IN_ONE_OF_27,
        "DiningTable": (0, 0, 0, 0, 1, 1, 1, 1, 2),
        "Drawer": (0, 0, 1, 1, 4, 4, 6, 7, 12),
        "Dresser": (0, 0, 0, 0, 0, 0, 1, 1, 1),
        "GarbageCan": (1,),
        "Ottoman": (0, 0, 0, 0, 0, 0, 0, 0, 1),
        "Safe": _IN_ONE_OF_27,
        "Shelf": (0, 0, 0, 0, 0, 0, 3, 6, 13),
        "SideTable": (0, 0, 1, 1, 1, 2, 2, 3, 3),
        "Sofa": (1, 1, 1, 1, 1, 1, 1, 2, 2),
        "TVStand": (0, 0, 0, 0, 0, 1, 1, 1, 2),
    },
    small={
        "ArmChair": (0, 1, 1, 2),
        "CoffeeTable": (0, 1, 1),
        "DiningTable": (0, 0, 1),
        "Drawer": (0, 1, 2),
        "Dresser": (0, 0, 1),
        "GarbageCan": (0, 1),
        "Ottoman": (0, 0, 1),
        "Shelf": (0, 0, 1, 2),
        "SideTable": (1, 1, 2),
        "Sofa": (1,),
    },
    objects={
        "Book": (0.26, 3),
        "Bowl": (0.11, 3),
        "Box": (1.0, 2),
        "Candle": (0.09, 3),
        "CellPhone": (0.21, 3),
        "CreditCard": (1.0, 3),
        "KeyChain": (1.0, 3),
        "Laptop": (1.0, 2),
        "Newspaper": (0.62, 3),
        "Pen": (0.2, 3),
        "Pencil": (0.17, 3),
        "Pillow": (1.0, 1),
        "Plate": (0.36, 3),
        "RemoteControl": (1.0, 3),
        "Statue": (0.96, 3),
        "TissueBox": (0.34, 3),
        "Vase": (0.56, 4),
        "Watch": (0.5, 3),
        "WateringCan": (0.3, 1),
    },
    fixtures={
        LAMP: (0.25, ("SideTable", "CoffeeTable")),
        "Curtains": (0.04, ("SideTable",)),
        "HousePlant": (0.65, ("SideTable", "CoffeeTable", "Dresser", "DiningTable")),
        "Television": (0.7, ("TVStand", "Dresser", "CoffeeTable", "SideTable")),
    },
)

BEDROOM = Room(
    name="bedroom",
    full={
        "ArmChair": (0, 0, 0, 0, 0, 0, 0, 1, 2),
        "Bed": (1, 1, 1, 1, 1, 1, 1, 1, 2),
        "Cabinet": (0, 0, 0, 0, 0, 0, 0, 0, 4),
        "CounterTop": _IN_ONE_OF_27,
        "Desk": (0, 0, 0, 1, 1, 1, 1, 1, 2),
        "DiningTable": (0, 0, 0, 0, 0, 0, 0, 0, 1),
        "Drawer": (2, 2, 2, 3, 5, 5, 8, 11, 16),
        "Dresser": (0, 0, 0, 0, 0, 1, 1, 1, 2),
        "GarbageCan": (1,),
        "LaundryHamper": (0, 0, 0, 0, 0, 0, 0, 1, 1),
        "Safe": (0, 0, 0, 0, 0, 0, 0, 0, 1),
        "Shelf": (0, 0, 0, 1, 1, 2, 5, 7, 12),
        "SideTable": (0, 0, 0, 1, 1, 1, 1, 2, 2),
    },
    small={
        "ArmChair": (0, 0, 1),
        "Bed": (1,),
        "Desk": (0, 1, 1),
        "Drawer": (0, 1, 2, 2),
        "Dresser": (0, 0, 1),
        "GarbageCan": (0, 1),
        "Safe": (0, 0, 0, 1),
        "Shelf": (0, 1, 2),
        "SideTable": (1, 1, 2),
    },
    objects={
        "AlarmClock": (1.0, 3),
        "BaseballBat": (0.1, 1),
        "BasketBall": (0.1, 1),
        "Book": (1.0, 3),
        "Bowl": (0.45, 2),
        "Box": (0.2, 1),
        "CD": (1.0, 3),
        "CellPhone": (1.0, 3),
        "CreditCard": (1.0, 3),
        "KeyChain": (1.0, 3),
        "Laptop": (1.0, 2),
        "Mug": (0.51, 3),
        "Pen": (1.0, 3),
        "Pencil": (1.0, 3),
        "Pillow": (1.0, 2),
        "RemoteControl": (0.12, 3),
        "Statue": (0.15, 2),
        "TennisRacket": (0.1, 1),
        "TissueBox": (0.14, 3),
        "Vase": (0.06, 3),
        "Watch": (0.07, 3),
    },
    fixtures={
        LAMP: (0.71, ("Desk", "SideTable", "Dresser", "Shelf")),
        "HousePlant": (0.27, ("Shelf", "Desk", "Dresser")),
        "Mirror": (0.05, ("CounterTop", "Dresser")),
        "TeddyBear": (0.27, ("Bed",)),
        "Television": (0.03, ("Dresser",)),
        "Window": (0.1, ("Shelf", "Dresser")),
    },
)

BATHROOM = Room(
    name="bathroom",
    full={
        "BathtubBasin": (0, 0, 0, 1, 1, 1, 1, 1, 1),
        "Cabinet": (0, 0, 0, 0, 0, 4, 4, 4, 5),
        "Cart": (0, 0, 0, 0, 0, 0, 0, 0, 1),
        "CounterTop": (0, 1, 1, 1, 1, 1, 1, 1, 2),
        "Drawer": (0, 0, 0, 0, 1, 2, 4, 6, 8),
        "Dresser": _IN_ONE_OF_27,
        "GarbageCan": (1,),
        "HandTowelHolder": (1, 1, 1, 1, 1, 2, 2, 2, 2),
        "Shelf": (0, 0, 0, 0, 0, 0, 0, 1, 3),
        "SideTable": (0, 0, 0, 0, 0, 0, 0, 0, 1),
        "SinkBasin": (1, 1, 1, 1, 1, 2, 2, 2, 2),
        "Toilet": (1,),
        "ToiletPaperHanger": (1,),
        "TowelHolder": (1, 1, 1, 1, 1, 1, 2, 2, 2),
    },
    small={
        "BathtubBasin": (0, 0, 1),
        "Cabinet": (0, 1, 2),
        "Cart": (0, 0, 0, 1),
        "CounterTop": (1,),
        "Drawer": (0, 1, 2),
        "GarbageCan": (0, 1, 1),
        "HandTowelHolder": (0, 1),
        "Shelf": (0, 0, 1),
        "SinkBasin": (1,),
        "Toilet": (1,),
        "ToiletPaperHanger": (0, 1),
        "TowelHolder": (0, 1),
    },
    objects={
        "Candle": (1.0, 3),
        "Cloth": (1.0, 3),
        "DishSponge": (0.24, 3),
        "HandTowel": (1.0, 2),
        "SoapBar": (1.0, 3),
        "SoapBottle": (1.0, 3),
        "SprayBottle": (1.0, 3),
        "TissueBox": (0.25, 3),
        "ToiletPaper": (1.0, 3),
        "Towel": (1.0, 1),
    },
    fixtures={
        "Mirror": (0.1, ("CounterTop",)),
        "PaperTowelRoll": (0.13, ("CounterTop", "Toilet", "Shelf")),
        "ShowerGlass": (0.03, ("CounterTop", "Shelf")),
    },
)

ROOMS = {room.name: room for room in (KITCHEN, LIVINGROOM, BEDROOM, BATHROOM)}

# Games of ALFRED's training split by task type and room: what a draw is weighted by.
TASK_MIX: Mapping[str, Mapping[str, int]] = {
    "pick_and_place_simple": {"kitchen": 79, "livingroom": 210, "bedroom": 237, "bathroom": 264},
    "look_at_obj_in_light": {"livingroom": 51, "bedroom": 257},
    "pick_clean_then_place_in_recep": {"kitchen": 501, "bathroom": 149},
    "pick_heat_then_place_in_recep": {"kitchen": 459},
    "pick_cool_then_place_in_recep": {"kitchen": 533},
    "pick_two_obj_and_place": {"kitchen": 124, "livingroom": 215, "bedroom": 240, "bathroom": 233},
}
