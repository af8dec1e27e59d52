"""An evaluation plays each task once, survives interruption and crashes, and says what it was."""

import json
from dataclasses import replace

import pytest

from spanwise.agents.experts.toy import ToyExpert
from spanwise.agents.protocol import Completion
from spanwise.config import EnvironmentConfig, EvaluateConfig
from spanwise.environments.protocol import TaskInfo
from spanwise.environments.toy import ToyTasks
from spanwise.errors import RunDirectoryError, TaskDataError
from spanwise.evaluation.metrics import read_records, summarise
from spanwise.evaluation.rollouts import choose_tasks, episode_seed, evaluate, plan_episodes
from spanwise.traces.jsonl import read_trajectories

TASKS = ToyTasks(train=4, valid_seen=8, valid_unseen=0)
CONFIG = EvaluateConfig(split="valid_seen", concurrency=3)
ENVIRONMENT = EnvironmentConfig(name="toy", budget=20, workers=0)


class Interrupted(Exception):
    """Stands for Ctrl-C."""


class FlakyExpert(ToyExpert):
    """Plays well for a number of calls."""

    def __init__(self, calls):
        self.calls = calls

    def act(self, histories):
        self.calls -= 1
        if self.calls < 0:
            raise Interrupted
        return super().act(histories)


class Mumbler:
    name = "mumbler"

    def act(self, histories):
        return [Completion("I wonder.") for _ in histories]

    def forget(self, episode):
        pass


def _evaluate(out, agent=None, config=CONFIG, seed=1, tasks=TASKS, **keywords):
    return evaluate(agent or ToyExpert(), tasks, config, ENVIRONMENT, out, seed, **keywords)


def _without_time(results):
    results = json.loads(json.dumps(results))
    for summary in (results, *results["by_task_type"].values()):
        del summary["seconds_per_step"]
    return results


def test_the_expert_solves_every_task_and_the_files_agree(tmp_path):
    results = _evaluate(tmp_path)
    assert (results["n"], results["success_rate"]["value"]) == (8, 1)
    assert results == json.loads((tmp_path / "results.json").read_text())
    trajectories = list(read_trajectories(tmp_path / "trajectories.jsonl"))
    assert [trajectory.task_id for trajectory in trajectories] == [task.task_id for task in TASKS.tasks("valid_seen")]
    assert {path.name for path in tmp_path.iterdir()} == {
        "settings.json",
        "trajectories.jsonl",
        "episodes.jsonl",
        "results.json",
    }


def test_results_can_be_recomputed_from_the_records_alone(tmp_path):
    results = _evaluate(tmp_path, Mumbler())
    summary = summarise(read_records(tmp_path / "episodes.jsonl"), results["confidence"], results["provenance"]["seed"])
    assert summary == {name: results[name] for name in summary}
    assert results["parse_failure_rate"]["value"] == 1
    assert results["stop_reasons"] == {"parse": 8}


def test_an_interrupted_evaluation_goes_on_and_ends_the_same(tmp_path):
    whole = _evaluate(tmp_path / "whole")
    with pytest.raises(Interrupted):
        _evaluate(tmp_path / "resumed", FlakyExpert(calls=8))
    played = {trajectory.id for trajectory in read_trajectories(tmp_path / "resumed" / "trajectories.jsonl")}
    assert 0 < len(played) < 8
    assert not (tmp_path / "resumed" / "results.json").exists()

    seen = []
    resumed = _evaluate(tmp_path / "resumed", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 8) for done in range(len(played), 9)]
    assert _without_time(resumed) == _without_time(whole)

    def turns(folder):
        return [replace(t, metadata={}) for t in read_trajectories(tmp_path / folder / "trajectories.jsonl")]

    assert turns("resumed") == turns("whole")


def test_a_finished_evaluation_plays_nothing_again(tmp_path):
    results = _evaluate(tmp_path)
    assert _evaluate(tmp_path, FlakyExpert(calls=0)) == results


def test_a_higher_limit_adds_episodes_and_a_lower_one_is_refused(tmp_path):
    few = CONFIG.model_copy(update={"limit": 3})
    assert _evaluate(tmp_path, config=few)["n"] == 3
    assert _evaluate(tmp_path)["n"] == 8
    with pytest.raises(RunDirectoryError, match="holds 5 episodes that are not asked for"):
        _evaluate(tmp_path, config=few)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 2}, "seed"),
        ({"agent": Mumbler()}, "agent"),
        ({"config": CONFIG.model_copy(update={"temperature": 1.0})}, "evaluate"),
    ],
)
def test_a_folder_of_another_evaluation_is_refused_and_left_alone(tmp_path, change, named):
    _evaluate(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RunDirectoryError, match=f"another evaluation; different: {named}"):
        _evaluate(tmp_path, **change)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_crashing_game_is_a_failed_episode(tmp_path):
    class TasksWithABrokenOne(ToyTasks):
        def facts(self):
            return {}

        def tasks(self, split):
            return [*super().tasks(split)[:3], TaskInfo("crash-raise", "carry")]

    class Careless(ToyExpert):
        def act(self, histories):
            play = super().act
            return [Completion("Action: look") if "any" in h.observation else play([h])[0] for h in histories]

    results = _evaluate(tmp_path, Careless(), tasks=TasksWithABrokenOne())
    assert results["success_rate"]["value"] == 0.75
    assert results["stop_reasons"] == {"error": 1, "success": 3}


def test_seeds_depend_on_recipe_task_and_repetition_alone():
    assert episode_seed(0, "a") == episode_seed(0, "a")
    assert len({episode_seed(0, "a"), episode_seed(1, "a"), episode_seed(0, "b"), episode_seed(0, "a", 1)}) == 4
    assert all(0 <= episode_seed(seed, "a") < 2**31 for seed in range(100))


def test_each_repetition_is_an_episode_of_its_own():
    specs = plan_episodes(TASKS, CONFIG.model_copy(update={"episodes_per_task": 3, "limit": 2}), seed=0)
    assert len(specs) == len({spec.trajectory_id for spec in specs}) == 6
    assert len({spec.task_id for spec in specs}) == 2


def test_a_limit_takes_tasks_of_all_types_and_a_higher_one_keeps_them():
    tasks = [TaskInfo(f"{kind}-{index}", kind) for kind in "abcd" for index in range(50)]
    few, more = choose_tasks(tasks, 20), choose_tasks(tasks, 40)
    assert len(few) == 20
    assert {task.task_type for task in few} == set("abcd")
    assert set(few) < set(more)
    assert more == [task for task in tasks if task in more]
    assert choose_tasks(tasks, 500) == tasks


def test_a_split_without_tasks_is_an_error(tmp_path):
    with pytest.raises(TaskDataError, match="'valid_unseen' has no tasks"):
        _evaluate(tmp_path, config=CONFIG.model_copy(update={"split": "valid_unseen"}))
    assert not list(tmp_path.iterdir())
