import json
import pickle
import shutil
from pathlib import Path

import pytest

from spanwise.config import EnvironmentConfig, GeneratorConfig
from spanwise.environments.alfworld.generate import GeneratedGames
from spanwise.environments.alfworld.tasks import AlfworldTasks
from spanwise.environments.protocol import TaskInfo
from spanwise.errors import TaskDataError

WALK = GeneratedGames(GeneratorConfig(seed=4, train=1, size="small", task_types=("pick_and_place_simple",)))


@pytest.fixture(scope="session")
def game() -> dict:
    return WALK.game("generated/train/0")


def add_game(root: Path, task_id: str, task_type: str = "pick_and_place_simple", **game: object) -> Path:
    folder = root / "json_2.1.1" / task_id
    folder.mkdir(parents=True)
    # In the full release the type comes after a hundred kilobytes of plan and images.
    (folder / "traj_data.json").write_text(json.dumps({"images": [{"low_idx": 0}], "task_type": task_type, "turk": {}}))
    (folder / "game.tw-pddl").write_text(json.dumps({"pddl_domain": "", "grammar": "", "pddl_problem": "", **game}))
    return folder


@pytest.fixture
def release(tmp_path, game) -> Path:
    shared = {key: game[key] for key in ("pddl_domain", "grammar", "pddl_problem")}
    add_game(tmp_path, "valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_2", solvable=True, **shared)
    add_game(tmp_path, "valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_1", solvable=True)
    add_game(
        tmp_path, "valid_seen/look_at_obj_in_light-Book-None-Lamp-301/trial_9", "look_at_obj_in_light", solvable=True
    )
    add_game(tmp_path, "valid_seen/pick_and_place_simple-Pen-None-Desk-301/trial_unsolvable", solvable=False)
    add_game(tmp_path, "valid_seen/pick_and_place_simple-Pen-None-Desk-301/trial_unsaid")
    add_game(tmp_path, "valid_seen/pick_and_place_simple-PenSliced-None-Desk-301/trial_sliced", solvable=True)
    add_game(tmp_path, "valid_seen/pick_and_place_with_movable_recep-Pen-Cup-Desk-3/trial_movable", solvable=True)
    add_game(tmp_path, "valid_seen/other-Pen-None-Desk-3/trial_type", "sing_a_song", solvable=True)
    alone = add_game(tmp_path, "valid_seen/pick_and_place_simple-Cup-None-Desk-3/trial_no_annotations", solvable=True)
    (alone / "traj_data.json").unlink()
    alone = add_game(tmp_path, "valid_seen/pick_and_place_simple-Cup-None-Desk-3/trial_no_game", solvable=True)
    (alone / "game.tw-pddl").unlink()
    (tmp_path / "json_2.1.1/valid_unseen").mkdir()
    return tmp_path


def released(data: Path | str | None) -> AlfworldTasks:
    return AlfworldTasks(EnvironmentConfig(source="released", data=None if data is None else str(data)))


def test_tasks_are_alfworlds_own_choice_sorted(release):
    tasks = released(release)
    expected = (
        TaskInfo("valid_seen/look_at_obj_in_light-Book-None-Lamp-301/trial_9", "look_at_obj_in_light"),
        TaskInfo("valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_1", "pick_and_place_simple"),
        TaskInfo("valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_2", "pick_and_place_simple"),
    )
    assert tuple(tasks.tasks("valid_seen")) == expected
    assert tuple(pickle.loads(pickle.dumps(tasks)).tasks("valid_seen")) == expected


def test_solvable_is_found_wherever_it_stands(tmp_path):
    folder = add_game(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-1/trial_1")
    for number, walkthrough in ((1, []), (2, ["go to the moon"] * 100)):
        text = json.dumps({"solvable": True, "walkthrough": walkthrough})
        (folder / "game.tw-pddl").write_text(text)
        assert len(released(tmp_path).tasks("train")) == 1, number
        (folder / "game.tw-pddl").write_text(text.replace("true", "false"))
        with pytest.raises(TaskDataError, match="no playable game"):
            released(tmp_path).tasks("train")


def test_an_episode_is_played_in_reacts_words(release, game):
    environment = released(release).make("valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_2", seed=0)
    first = environment.reset()
    assert first.startswith("You are in the middle of a room. Looking quickly around you, you see a ")
    _, goal = first.split("\n")
    assert goal.startswith("Your task is to: ")
    assert not environment.step("sing").valid
    assert environment.step("sing").observation == "Nothing happens."
    *way, last = game["walkthrough"]
    for command in way:
        outcome = environment.step(command)
        assert (outcome.valid, outcome.reward, outcome.done, outcome.success) == (True, 0.0, False, False)
        assert "You arrive" not in outcome.observation
    thing, place = last.removeprefix("put ").split(" in/on ")
    assert last in environment.admissible_commands()
    outcome = environment.step(f"move {thing} to {place}")  # the other dialect
    assert (outcome.valid, outcome.reward, outcome.done, outcome.success) == (True, 1.0, True, True)
    assert outcome.observation == f"You put the {thing} in/on the {place}."
    environment.close()


def test_episodes_of_one_task_are_apart(release, game):
    tasks = released(release)
    one, other = (tasks.make("valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_2", seed) for seed in (0, 1))
    assert one.reset() == other.reset()
    for command in game["walkthrough"]:
        outcome = one.step(command)
    assert outcome.success
    assert not other.step("look").success


def test_generated_games_are_tasks_too(game):
    tasks = AlfworldTasks(EnvironmentConfig(source="generated", generator=WALK.config))
    assert list(tasks.tasks("train")) == [TaskInfo("generated/train/0", "pick_and_place_simple")]
    environment = pickle.loads(pickle.dumps(tasks)).make("generated/train/0", seed=0)
    environment.reset()
    assert [environment.step(command).success for command in game["walkthrough"]][-2:] == [False, True]


class TestWrongData:
    def test_unset(self, monkeypatch):
        monkeypatch.delenv("ALFWORLD_DATA", raising=False)
        with pytest.raises(TaskDataError, match=r"ALFWORLD_DATA is not set .*`spanwise data alfworld DEST`.*generated"):
            released(None).tasks("train")

    def test_the_variable_is_heeded_and_the_setting_goes_first(self, monkeypatch, release):
        monkeypatch.setenv("ALFWORLD_DATA", str(release))
        assert len(released(None).tasks("valid_seen")) == 3
        with pytest.raises(TaskDataError, match=r"/nowhere \(environment.data\) is missing"):
            released("/nowhere").tasks("valid_seen")

    def test_missing_folder(self, monkeypatch, tmp_path):
        monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "gone"))
        with pytest.raises(
            TaskDataError, match=r"gone \(ALFWORLD_DATA\) is missing; .*`spanwise data alfworld .*gone`"
        ):
            released(None).tasks("train")

    def test_a_file(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(TaskDataError, match="is not a folder"):
            released(tmp_path / "file").tasks("train")

    def test_empty_folder(self, tmp_path):
        with pytest.raises(TaskDataError, match=r"holds no folder json_2.1.1 \(found: nothing\)"):
            released(tmp_path).tasks("train")

    def test_the_folder_itself_instead_of_its_parent(self, release):
        with pytest.raises(TaskDataError, match=r"holds no folder json_2.1.1 \(found: valid_seen, valid_unseen\)"):
            released(release / "json_2.1.1").tasks("valid_seen")

    def test_split_that_is_not_there(self, release):
        with pytest.raises(TaskDataError, match="split 'train' is missing; found valid_seen, valid_unseen"):
            released(release).tasks("train")
        with pytest.raises(
            TaskDataError, match="split 'test' is not one of train, valid_train, valid_seen, valid_unseen"
        ):
            released(release).tasks("test")

    def test_empty_split(self, release):
        with pytest.raises(
            TaskDataError, match=r"valid_unseen: found no playable game; expected <task>/<trial>/game.tw-"
        ):
            released(release).tasks("valid_unseen")

    @pytest.mark.parametrize(
        "task_id",
        ["valid_seen/nothing/trial_1", "valid_seen", "", "../json_2.1.1/valid_seen/x", "valid_seen/../valid_seen"],
    )
    def test_unknown_task(self, release, task_id):
        with pytest.raises(TaskDataError, match="there is no task"):
            released(release).make(task_id, 0)

    def test_truncated_game_is_named_when_listing_and_when_playing(self, release):
        task_id = "valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_2"
        path = release / "json_2.1.1" / task_id / "game.tw-pddl"
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(TaskDataError, match=r"trial_2/game.tw-pddl: found [\d,]+ bytes .* cut short or damaged"):
            released(release).tasks("valid_seen")
        with pytest.raises(TaskDataError, match=r"trial_2/game.tw-pddl: found [\d,]+ bytes .* cut short or damaged"):
            released(release).make(task_id, 0)

    def test_game_that_is_no_json(self, release):
        path = release / "json_2.1.1/valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_2/game.tw-pddl"
        path.write_text("{ this ends like a game }")
        with pytest.raises(TaskDataError, match=r"trial_2/game.tw-pddl: not JSON"):
            released(release).tasks("valid_seen")

    def test_truncated_annotations(self, release):
        path = release / "json_2.1.1/valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_2/traj_data.json"
        path.write_text('{"images": [')
        with pytest.raises(TaskDataError, match=r'trial_2/traj_data.json: found 12 bytes without a "task_type"'):
            released(release).tasks("valid_seen")

    def test_folder_of_games_that_is_gone(self, release):
        tasks = released(release)
        tasks.tasks("valid_seen")
        shutil.rmtree(release / "json_2.1.1")
        with pytest.raises(TaskDataError, match=r"holds no folder json_2\.1\.1"):
            tasks.make("valid_seen/pick_and_place_simple-Mug-None-Desk-301/trial_2", 0)
