"""Which games there are: listing, determinism, errors."""

import json
import pickle
import subprocess
import sys
from collections import Counter

import pytest

from spanwise.config import GeneratorConfig
from spanwise.environments.alfworld.generate import SPLITS, GeneratedGames
from spanwise.environments.alfworld.generate.rooms import ROOMS, TASK_MIX
from spanwise.errors import ConfigError, TaskDataError

SMALL = GeneratorConfig(size="small", train=120, valid_seen=120, valid_unseen=60)


def made(games: GeneratedGames, split: str) -> list[dict]:
    return [games.game(task.task_id, verify=False) for task in games.tasks(split)]


def test_tasks_are_listed_in_order_with_the_type_of_the_game():
    games = GeneratedGames(SMALL)
    for split in SPLITS:
        tasks = games.tasks(split)
        assert [task.task_id for task in tasks] == [f"generated/{split}/{i}" for i in range(getattr(SMALL, split))]
        for task in tasks[:10]:
            assert games.game(task.task_id, verify=False)["traj_data"]["task_type"] == task.task_type


def test_a_game_is_the_same_in_every_process_and_after_pickling():
    games = GeneratedGames(SMALL)
    code = (
        "import pickle, sys, json; games = pickle.load(sys.stdin.buffer); "
        "json.dump([games.game(f'generated/train/{i}', verify=False) for i in range(6)], sys.stdout)"
    )
    run = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(games), capture_output=True, check=True)
    assert json.loads(run.stdout) == made(games, "train")[:6]


def test_a_game_does_not_depend_on_how_many_there_are():
    few = GeneratedGames(SMALL.model_copy(update={"train": 100, "valid_seen": 7, "valid_unseen": 3}))
    many = GeneratedGames(SMALL)
    for split in SPLITS:
        assert made(few, split) == made(many, split)[: len(few.tasks(split))]


def test_all_task_types_and_rooms_occur_as_often_as_in_alfred():
    tasks = GeneratedGames(GeneratorConfig(train=4000)).tasks("train")
    total = sum(sum(by_room.values()) for by_room in TASK_MIX.values())
    counts = Counter(task.task_type for task in tasks)
    for task_type, by_room in TASK_MIX.items():
        assert counts[task_type] / len(tasks) == pytest.approx(sum(by_room.values()) / total, abs=0.03)
    assert {room for by_room in TASK_MIX.values() for room in by_room} == set(ROOMS)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("task_types", ("pick_heat",), "unknown 'pick_heat'; there are pick_and_place_simple, "),
        ("rooms", ("garage",), "unknown 'garage'; there are kitchen, livingroom, bedroom, bathroom"),
    ],
)
def test_unknown_names_are_refused(field, value, message):
    with pytest.raises(ConfigError, match=message):
        GeneratedGames(GeneratorConfig(**{field: value}))


def test_a_task_that_no_room_has_is_refused():
    config = GeneratorConfig(task_types=("pick_heat_then_place_in_recep",), rooms=("bathroom",))
    with pytest.raises(ConfigError, match=r"bathroom has none of the task types; pick_heat.* in kitchen"):
        GeneratedGames(config)


def test_unknown_splits_and_tasks_are_refused():
    games = GeneratedGames(GeneratorConfig(train=3, valid_seen=0, valid_unseen=2))
    with pytest.raises(TaskDataError, match="no split 'test'; there are train, valid_seen, valid_unseen"):
        games.tasks("test")
    unknown = (
        *("generated/train/3", "generated/train/-1", "generated/train/00", "generated/train/x", "generated/test/0"),
        *("train/0", "generated/valid_seen/0", "", "generated/train/0/0"),
    )
    for task_id in unknown:
        with pytest.raises(TaskDataError, match=r"there are generated/train/0 … 2, generated/valid_unseen/0 … 1"):
            games.game(task_id)


def test_seen_rooms_that_train_is_too_short_to_have_are_refused():
    games = GeneratedGames(GeneratorConfig(train=10, valid_seen=11))
    with pytest.raises(TaskDataError, match=r"raise generator.train to 11, or lower generator.valid_seen to 10"):
        games.tasks("valid_seen")
    assert len(games.tasks("train")) == 10


def test_making_games_does_not_import_alfworld():
    # Importing it makes a folder in the user's home and sets ALFWORLD_DATA.
    code = (
        "import sys; from spanwise.config import GeneratorConfig; "
        "from spanwise.environments.alfworld.generate import GeneratedGames; "
        "GeneratedGames(GeneratorConfig()).game('generated/train/0', verify=False); "
        "sys.exit('alfworld' in sys.modules or 'torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
