"""Where things are usually found: the order in which an ALFWorld expert looks for them."""

from __future__ import annotations

from collections.abc import Sequence

from spanwise.agents.experts.alfworld.names import kind, number

#: Kinds of receptacles by kind of object, best first: by the share of such receptacles that hold one, per action that
#: looking costs (two where a door must be opened). Counted over the train games.
_LIKELY = {
    "alarmclock": "desk sidetable dresser diningtable shelf",
    "apple": "sidetable diningtable garbagecan countertop microwave fridge sinkbasin",
    "book": "bed desk dresser diningtable coffeetable sofa armchair sidetable cabinet shelf drawer",
    "bowl": "desk diningtable dresser coffeetable countertop shelf tvstand sidetable fridge microwave cabinet",
    "box": "sofa coffeetable diningtable tvstand dresser sidetable armchair cabinet",
    "bread": "diningtable countertop garbagecan fridge microwave",
    "butterknife": "countertop sidetable diningtable drawer sinkbasin",
    "candle": "toilet countertop sidetable shelf dresser cabinet drawer",
    "cd": "diningtable dresser desk sidetable armchair garbagecan safe cabinet shelf drawer",
    "cellphone": "coffeetable bed dresser desk diningtable sofa armchair sidetable safe shelf drawer cabinet",
    "cloth": "cart countertop bathtubbasin dresser toilet shelf cabinet drawer sinkbasin",
    "creditcard": "desk dresser sofa diningtable tvstand sidetable coffeetable armchair countertop safe shelf drawer",
    "cup": "diningtable sidetable countertop shelf fridge sinkbasin microwave cabinet",
    "desklamp": "dresser sidetable desk coffeetable shelf",
    "dishsponge": "diningtable countertop cart bathtubbasin toilet shelf garbagecan sinkbasin drawer cabinet",
    "egg": "sidetable diningtable garbagecan countertop sinkbasin fridge microwave",
    "fork": "diningtable sidetable countertop drawer",
    "glassbottle": "diningtable countertop sinkbasin shelf garbagecan fridge cabinet",
    "handtowel": "handtowelholder toilet countertop",
    "kettle": "diningtable stoveburner countertop shelf cabinet sinkbasin",
    "keychain": "coffeetable sidetable dresser diningtable desk ottoman tvstand armchair sofa safe shelf drawer",
    "knife": "sidetable diningtable countertop drawer",
    "ladle": "diningtable countertop drawer cabinet",
    "laptop": "bed sofa desk diningtable ottoman coffeetable countertop dresser sidetable armchair",
    "lettuce": "diningtable sidetable countertop garbagecan fridge sinkbasin",
    "mug": "coffeemachine desk sidetable diningtable dresser countertop shelf sinkbasin fridge microwave cabinet",
    "newspaper": "diningtable dresser coffeetable sofa armchair sidetable ottoman shelf tvstand garbagecan drawer",
    "pan": "stoveburner countertop diningtable fridge cabinet",
    "pen": "diningtable desk dresser sidetable countertop coffeetable shelf garbagecan drawer",
    "pencil": "desk dresser sidetable diningtable coffeetable shelf garbagecan drawer",
    "peppershaker": "diningtable countertop sidetable shelf drawer cabinet",
    "pillow": "bed sofa armchair ottoman",
    "plate": "diningtable coffeetable countertop dresser tvstand sidetable fridge shelf sinkbasin cabinet microwave",
    "pot": "stoveburner diningtable countertop shelf fridge sinkbasin cabinet",
    "potato": "sidetable diningtable countertop garbagecan fridge sinkbasin microwave",
    "remotecontrol": "coffeetable diningtable sofa dresser ottoman tvstand armchair countertop sidetable shelf drawer",
    "saltshaker": "countertop sidetable diningtable shelf cabinet drawer",
    "soapbar": "sidetable cart countertop toilet bathtubbasin garbagecan shelf cabinet sinkbasin drawer",
    "soapbottle": "countertop toilet sidetable dresser cart shelf diningtable garbagecan cabinet drawer",
    "spatula": "diningtable countertop sidetable sinkbasin drawer",
    "spoon": "diningtable sidetable countertop sinkbasin drawer",
    "spraybottle": "sidetable toilet countertop cart garbagecan dresser shelf cabinet drawer",
    "statue": "coffeetable desk diningtable sidetable dresser shelf tvstand",
    "tissuebox": "countertop diningtable coffeetable desk cart toilet dresser sidetable tvstand shelf drawer",
    "toiletpaper": "dresser countertop toilet sidetable toiletpaperhanger shelf garbagecan cart cabinet drawer",
    "tomato": "sidetable diningtable countertop garbagecan fridge sinkbasin microwave",
    "vase": "dresser coffeetable diningtable desk tvstand shelf sidetable cabinet",
    "watch": "coffeetable tvstand diningtable dresser sidetable desk shelf drawer",
    "wateringcan": "coffeetable shelf",
    "winebottle": "diningtable garbagecan countertop shelf cabinet fridge",
}

#: Where anything may be, open places first; what is left of a room when the likely places are searched.
_ANYWHERE = (
    "diningtable countertop desk sidetable dresser coffeetable bed sofa armchair shelf tvstand ottoman cart toilet "
    "coffeemachine stoveburner sinkbasin bathtubbasin garbagecan toaster fridge microwave safe cabinet drawer"
)


def search_order(target: str, room: Sequence[str]) -> tuple[str, ...]:
    """All receptacles of a room, in the order in which to look for a kind of object; equal kinds by number."""
    kinds = list(dict.fromkeys(f"{_LIKELY.get(target, '')} {_ANYWHERE}".split()))
    rank = {name: position for position, name in enumerate(kinds)}
    return tuple(sorted(room, key=lambda place: (rank.get(kind(place), len(rank)), kind(place), number(place))))
