"""Generated games are won on the engine, written as the official release is, and loaded by the official code."""

import json
from pathlib import Path

import pytest

from spanwise.config import EnvironmentConfig, GeneratorConfig
from spanwise.environments.alfworld.generate import GeneratedGames, games, write_games
from spanwise.environments.alfworld.generate.rooms import TASK_MIX
from spanwise.environments.alfworld.generate.verification import is_won_by_walkthrough
from spanwise.environments.alfworld.tasks import AlfworldTasks
from spanwise.errors import TaskDataError

PAIRS = [(task_type, room) for task_type, by_room in TASK_MIX.items() for room in by_room]
TINY = GeneratorConfig(seed=3, train=2, valid_seen=1, valid_unseen=1, size="small")


@pytest.mark.parametrize("size", ["small", "full"])
@pytest.mark.parametrize(("task_type", "room"), PAIRS, ids=[f"{room}-{task}" for task, room in PAIRS])
def test_every_task_in_every_room_is_won_on_the_first_draw(task_type, room, size, monkeypatch):
    monkeypatch.setattr(games, "_GAME_TRIES", 1)
    config = GeneratorConfig(seed=3, train=1, task_types=(task_type,), rooms=(room,), size=size)
    assert GeneratedGames(config).game("generated/train/0")["solvable"] is True


def test_a_walkthrough_that_does_not_win_is_not_solvable():
    game = GeneratedGames(TINY).game("generated/train/0", verify=False)
    assert is_won_by_walkthrough(game)
    assert not is_won_by_walkthrough({**game, "walkthrough": game["walkthrough"][:-1]})


def test_a_game_that_cannot_be_won_is_drawn_again_and_then_refused(monkeypatch):
    played = []
    monkeypatch.setattr(games, "is_won_by_walkthrough", lambda game: played.append(game) or len(played) == 2)
    second = GeneratedGames(TINY).game("generated/train/0")
    assert second == {**played[1], "solvable": True}
    assert played[0]["pddl_problem"] != played[1]["pddl_problem"]
    assert played[0]["traj_data"]["scene"] == played[1]["traj_data"]["scene"]
    monkeypatch.setattr(games, "is_won_by_walkthrough", lambda game: False)
    with pytest.raises(TaskDataError, match="generated/train/0: none of 5 generated games was won"):
        GeneratedGames(TINY).game("generated/train/0")


def test_written_games_are_those_of_the_configuration(tmp_path):
    seen = []
    assert write_games(TINY, tmp_path, lambda done, total: seen.append((done, total))) == 4
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    made = GeneratedGames(TINY)
    for split, count in (("train", 2), ("valid_seen", 1), ("valid_unseen", 1)):
        trials = sorted((tmp_path / "json_2.1.1" / split).glob("*/*"), key=lambda trial: trial.name)
        assert [trial.name for trial in trials] == [f"trial_{split}_{index:06d}" for index in range(count)]
        for index, trial in enumerate(trials):
            game = made.game(f"generated/{split}/{index}")
            assert json.loads((trial / "traj_data.json").read_text()) == game.pop("traj_data")
            assert json.loads((trial / "game.tw-pddl").read_text()) == game
            assert trial.parent.name.split("-")[0] == made.tasks(split)[index].task_type


def test_writing_goes_on_where_it_was_cut_off_and_grows(tmp_path, monkeypatch):
    write_games(TINY, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    lost = next(tmp_path.glob("json_2.1.1/train/*/trial_train_000001/traj_data.json"))
    lost.unlink()
    made = []
    monkeypatch.setattr(games, "is_won_by_walkthrough", lambda game: made.append(game["traj_data"]["task_id"]) or True)
    assert write_games(TINY.model_copy(update={"train": 3}), tmp_path) == 5
    assert made == ["trial_train_000001", "trial_train_000002"]
    assert lost.is_file()
    unchanged = [path for path in before if "trial_train_000001" not in str(path)]
    assert {path: path.stat().st_mtime_ns for path in unchanged} == {path: before[path] for path in unchanged}


def test_a_folder_with_other_games_is_refused(tmp_path):
    none = TINY.model_copy(update={"train": 0, "valid_seen": 0, "valid_unseen": 0})
    write_games(none, tmp_path / "ours")
    with pytest.raises(TaskDataError, match=r"'seed': 3.*choose another folder"):
        write_games(none.model_copy(update={"seed": 4}), tmp_path / "ours")
    (tmp_path / "theirs/json_2.1.1/train").mkdir(parents=True)
    with pytest.raises(TaskDataError, match="games that were not generated here"):
        write_games(none, tmp_path / "theirs")


def test_the_task_set_plays_written_games_as_it_plays_generated_ones(tmp_path):
    write_games(TINY, tmp_path)
    generated = AlfworldTasks(EnvironmentConfig(source="generated", generator=TINY))
    written = AlfworldTasks(EnvironmentConfig(source="released", data=str(tmp_path)))
    made = GeneratedGames(TINY)
    for split in ("train", "valid_seen", "valid_unseen"):
        ours = {made.trial(task.task_id): task for task in generated.tasks(split)}
        theirs = {task.task_id.split("/")[-1]: task for task in written.tasks(split)}
        assert {name: task.task_type for name, task in ours.items()} == {
            n: task.task_type for n, task in theirs.items()
        }
        for name, task in ours.items():
            played = [generated.make(task.task_id, seed=0), written.make(theirs[name].task_id, seed=0)]
            first, second = (environment.reset() for environment in played)
            assert first == second
            for command in made.game(task.task_id)["walkthrough"]:
                first, second = (environment.step(command) for environment in played)
                assert first == second
                assert first.valid
            assert first.success
            for environment in played:
                environment.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_official_environment_takes_written_games(tmp_path):
    import textworld
    from alfworld.agents.environment.alfred_tw_env import TASK_TYPES, AlfredDemangler, AlfredTWEnv

    config = TINY.model_copy(update={"train": 2, "valid_seen": 0, "valid_unseen": 0})
    write_games(config, tmp_path)
    settings = {
        "env": {"goal_desc_human_anns_prob": 0, "task_types": list(TASK_TYPES)},
        "dataset": {"data_path": str(tmp_path / "json_2.1.1/train"), "num_train_games": -1},
    }
    official = AlfredTWEnv(settings, train_eval="train")
    assert official.num_games == 2
    for path in official.game_files:
        env = textworld.start(path, textworld.EnvInfos(won=True), wrappers=[AlfredDemangler()])
        state = env.reset()
        assert "Your task is to: " in state.feedback
        for command in json.loads(Path(path).read_text())["walkthrough"]:
            assert not state["won"]
            state, _, done = env.step(command)
            assert state.feedback != "Nothing happens."
        assert state["won"]
        assert done
