"""What generated games hold: ALFRED's affordances, an open goal, the right words, and splits that share no game."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanwise.config import GeneratorConfig
from spanwise.environments.alfworld.generate import SPLITS, GeneratedGames, wheel
from spanwise.environments.alfworld.generate import games as generator
from spanwise.environments.alfworld.generate.rooms import BATHROOM, KITCHEN, ROOMS, SINGLE, TASK_MIX

SMALL = GeneratorConfig(size="small", train=120, valid_seen=120, valid_unseen=60)
FULL = GeneratorConfig(size="full", train=110, valid_seen=20, valid_unseen=20)
# As few train games as the rooms of valid_seen allow.
TIGHT = GeneratorConfig(size="full", train=25, valid_seen=25, valid_unseen=0)
PAIRS = [(task_type, room) for task_type, by_room in TASK_MIX.items() for room in by_room]
TREATED = {
    "pick_clean_then_place_in_recep": ("cleanable", "SinkBasin"),
    "pick_heat_then_place_in_recep": ("heatable", "Microwave"),
    "pick_cool_then_place_in_recep": ("coolable", "Fridge"),
}
PHRASES = {
    "pick_and_place_simple": ("put a {obj} in {recep}", "put some {obj} on {recep}"),
    "look_at_obj_in_light": ("look at {obj} under the {toggle}", "examine the {obj} with the {toggle}"),
    "pick_clean_then_place_in_recep": ("put a clean {obj} in {recep}", "clean some {obj} and put it in {recep}"),
    "pick_heat_then_place_in_recep": ("put a hot {obj} in {recep}", "heat some {obj} and put it in {recep}"),
    "pick_cool_then_place_in_recep": ("put a cool {obj} in {recep}", "cool some {obj} and put it in {recep}"),
    "pick_two_obj_and_place": ("put two {obj} in {recep}", "find two {obj} and put them in {recep}"),
}


def facts(game: dict) -> list[tuple[str, ...]]:
    """The initial state's facts."""
    init = game["pddl_problem"].split("(:init")[1].split("(:goal")[0]
    return [tuple(fact.split()) for fact in re.findall(r"\(([^()]+)\)", init)]


def of(game: dict, *predicates: str) -> dict[str, str]:
    """First argument -> second one (or the empty text), of the facts with these predicates."""
    return {fact[1]: (*fact, "")[2] for fact in facts(game) if fact[0] in predicates}


def furniture(game: dict) -> tuple[str, ...]:
    """The kind of room, and the types of its receptacles."""
    room = game["traj_data"]["scene"]["floor_plan"].split("_")[0]
    return (room, *sorted(of(game, "receptacleType").values()))


def content(game: dict) -> tuple:
    """What a game is, ids aside: its room, what lies in each piece of furniture, its task."""
    types, opens = of(game, "receptacleType", "objectType"), of(game, "openable")
    inside: dict[str, list[str]] = {id_: [] for id_ in of(game, "receptacleType")}
    for item, receptacle in of(game, "inReceptacle").items():
        inside[receptacle].append(types[item])
    pieces = sorted((types[id_], id_ in opens, tuple(sorted(held))) for id_, held in inside.items())
    task = game["traj_data"]
    return (furniture(game)[0], tuple(pieces), task["task_type"], *sorted(task["pddl_params"].items()))


def made(games: GeneratedGames, split: str) -> list[dict]:
    return [games.game(task.task_id, verify=False) for task in games.tasks(split)]


def drawn(seed: int, split: str, size: str, task_type: str = "", room: str = "") -> dict:
    chosen = {"task_types": (task_type,), "rooms": (room,)} if task_type else {}
    config = GeneratorConfig(seed=seed, train=1, valid_seen=1, valid_unseen=1, size=size, **chosen)
    return GeneratedGames(config).game(f"generated/{split}/0", verify=False)


any_game = st.builds(
    lambda seed, split, size, pair: drawn(seed, split, size, *pair),
    st.integers(0, 10**9),
    st.sampled_from(("train", "valid_seen", "valid_unseen")),
    st.sampled_from(("small", "full")),
    st.sampled_from(PAIRS),
)


@settings(max_examples=150)
@given(any_game)
def test_objects_lie_only_where_alfred_lets_them(game):
    types = of(game, "receptacleType", "objectType")
    portable = of(game, "pickupable")
    inside = of(game, "inReceptacle")
    assert inside.keys() == of(game, "objectType").keys()
    room = ROOMS[furniture(game)[0]]
    for item, receptacle in inside.items():
        object_type, receptacle_type = types[item].removesuffix("Type"), types[receptacle].removesuffix("Type")
        if item in portable:
            assert object_type in wheel.receptacle_objects()[receptacle_type]
        else:
            assert receptacle_type in room.fixtures[object_type][1]
    crowded = [receptacle for receptacle, count in Counter(inside.values()).items() if count > 1]
    assert not [receptacle for receptacle in crowded if types[receptacle].removesuffix("Type") in SINGLE]


@settings(max_examples=150)
@given(any_game)
def test_what_objects_can_undergo_is_alfreds(game):
    types = of(game, "objectType")
    for affordance in ("Heatable", "Coolable", "Cleanable", "Sliceable", "Toggleable"):
        expected = {
            id_ for id_, type_ in types.items() if type_.removesuffix("Type") in wheel.action_objects()[affordance]
        }
        assert of(game, affordance.lower()).keys() == expected
    allowed = {(f"{place}Type", f"{type_}Type") for place, held in wheel.receptacle_objects().items() for type_ in held}
    assert {fact[1:] for fact in facts(game) if fact[0] == "canContain"} <= allowed
    openable = {of(game, "receptacleType")[id_] for id_ in of(game, "openable")}
    assert openable <= {"FridgeType", "MicrowaveType", "SafeType", "CabinetType", "DrawerType"}


@settings(max_examples=150)
@given(any_game)
def test_the_goal_is_open_and_has_what_it_needs(game):
    task, types = game["traj_data"], of(game, "receptacleType", "objectType")
    asked, task_type = task["pddl_params"], task["task_type"]
    inside = {item: types[place].removesuffix("Type") for item, place in of(game, "inReceptacle").items()}
    targets = [item for item in inside if types[item] == f"{asked['object_target']}Type"]
    assert len(targets) >= (2 if task_type == "pick_two_obj_and_place" else 1)
    if task_type == "look_at_obj_in_light":
        assert (asked["toggle_target"], asked["parent_target"]) == ("DeskLamp", "")
        assert [item for item in of(game, "toggleable") if item in inside]
        return
    assert f"{asked['parent_target']}Type" in types.values()
    assert asked["object_target"] in wheel.receptacle_objects()[asked["parent_target"]]
    affordance, appliance = TREATED.get(task_type, ("pickupable", asked["parent_target"]))
    assert f"{appliance}Type" in types.values()
    assert asked["parent_target"] != appliance or task_type not in TREATED
    assert all(item in of(game, affordance) and inside[item] != appliance for item in targets)


@settings(max_examples=100)
@given(any_game)
def test_the_task_is_told_in_the_released_games_words(game):
    asked = {
        "obj": game["traj_data"]["pddl_params"]["object_target"].lower(),
        "recep": game["traj_data"]["pddl_params"]["parent_target"].lower(),
        "toggle": game["traj_data"]["pddl_params"]["toggle_target"].lower(),
    }
    told = game["grammar"].split("Your task is to: ")[1].split('."')[0]
    assert told in [phrase.format(**asked) for phrase in PHRASES[game["traj_data"]["task_type"]]]


@settings(max_examples=100)
@given(any_game)
def test_ids_look_like_the_released_games(game):
    number = r"_(plus|minus)_\d\d_dot_\d\d"
    for id_, type_ in of(game, "receptacleType", "objectType").items():
        type_ = type_.removesuffix("Type")
        stem, tail = {"SinkBasin": ("Sink", "_bar_SinkBasin"), "BathtubBasin": ("Bathtub", "_bar_BathtubBasin")}.get(
            type_, (type_, "")
        )
        assert re.fullmatch(rf"{stem}_bar_{number}_bar_{number}_bar_{number}{tail}", id_), id_
    for place in {*of(game, "receptacleAtLocation").values(), of(game, "atLocation")["agent1"]}:
        assert re.fullmatch(r"loc(_bar_(_minus_)?\d+){4}", place), place


@settings(max_examples=100)
@given(st.integers(0, 10**9), st.sampled_from(("train", "valid_unseen")), st.sampled_from(PAIRS))
def test_small_rooms_are_small(seed, split, pair):
    game = drawn(seed, split, "small", *pair)
    assert 5 <= len(of(game, "receptacleType")) <= 8
    assert len(of(game, "objectType")) <= 12


def test_full_rooms_are_furnished_like_alfreds():
    # Means over ALFRED's training games: 33.4, 14.5, 14.5 and 14.4 receptacles, and as many objects as given here.
    expected = {"kitchen": (33.4, 44.4), "livingroom": (14.5, 20.5), "bedroom": (14.5, 22.9), "bathroom": (14.4, 15.5)}
    games = GeneratedGames(GeneratorConfig(train=600, size="full"))
    sizes: dict[str, list[tuple[int, int]]] = {room: [] for room in expected}
    for task in games.tasks("train"):
        game = games.game(task.task_id, verify=False)
        sizes[furniture(game)[0]].append((len(of(game, "receptacleType")), len(of(game, "objectType"))))
    for room, (receptacles, objects) in expected.items():
        count = len(sizes[room])
        assert sum(pair[0] for pair in sizes[room]) / count == pytest.approx(receptacles, rel=0.15)
        assert sum(pair[1] for pair in sizes[room]) / count == pytest.approx(objects, rel=0.15)


def test_kitchens_and_bathrooms_always_have_their_appliances():
    for room, types in ((KITCHEN, ("Fridge", "Microwave", "SinkBasin")), (BATHROOM, ("SinkBasin",))):
        for table in (room.full, room.small):
            assert all(min(table[type_]) >= 1 for type_ in types)


def test_another_seed_gives_other_games():
    other = GeneratedGames(SMALL.model_copy(update={"seed": 1}))
    assert not {content(game) for game in made(GeneratedGames(SMALL), "train")} & {
        content(game) for game in made(other, "train")
    }


@pytest.mark.parametrize("config", [SMALL, FULL, TIGHT], ids=["small", "full", "tight"])
def test_valid_unseen_has_no_room_of_train_and_valid_seen_only_rooms_of_train(config):
    games = GeneratedGames(config)
    rooms = {split: {furniture(game) for game in made(games, split)} for split in SPLITS}
    assert not rooms["valid_unseen"] & rooms["train"]
    assert rooms["valid_seen"] <= rooms["train"]


def test_rooms_are_held_out_across_seeds():
    seen = {furniture(game) for game in made(GeneratedGames(SMALL), "train")}
    unseen = {furniture(game) for game in made(GeneratedGames(SMALL.model_copy(update={"seed": 5})), "valid_unseen")}
    assert not seen & unseen


def test_no_game_is_in_two_splits_or_twice_in_one():
    games = GeneratedGames(SMALL)
    contents = Counter(content(game) for split in SPLITS for game in made(games, split))
    assert len(contents) == sum(len(games.tasks(split)) for split in SPLITS)


def test_train_and_valid_seen_never_draw_from_the_same_games():
    games = GeneratedGames(SMALL)

    def drawn_fingerprints(split: str) -> set[int]:
        plans = [games._plan(split, index) for index in range(40)]
        layouts = [generator._layout(plan, "small") for plan in plans]
        return {
            generator._scene(plan, layout, "small", f"{plan}").fingerprint
            for plan, layout in zip(plans, layouts, strict=True)
        }

    assert {fingerprint % 4 for fingerprint in drawn_fingerprints("valid_seen")} == {0}
    assert {fingerprint % 4 for fingerprint in drawn_fingerprints("train")} == {1, 2, 3}


def test_task_types_and_rooms_can_be_chosen():
    config = SMALL.model_copy(update={"task_types": ("pick_and_place_simple",), "rooms": ("bathroom",)})
    for game in made(GeneratedGames(config), "valid_unseen"):
        assert game["traj_data"]["task_type"] == "pick_and_place_simple"
        assert furniture(game)[0] == "bathroom"
