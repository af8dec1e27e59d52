import pickle

import pytest
from tests.unit.environments.hotpotqa.conftest import question, write_lines

from spanwise.config import EnvironmentConfig, HotpotqaConfig
from spanwise.environments import make_task_set
from spanwise.environments.hotpotqa.tasks import HotpotqaTasks
from spanwise.environments.protocol import TaskInfo
from spanwise.errors import TaskDataError


def released(folder, **settings):
    return HotpotqaTasks(
        EnvironmentConfig(
            name="hotpotqa",
            source="released",
            data=None if folder is None else str(folder),
            hotpotqa=HotpotqaConfig(**settings),
        )
    )


def test_the_splits_are_the_files(folder):
    tasks = released(folder)
    assert tasks.tasks("dev") == [TaskInfo("q2", "bridge"), TaskInfo("dev-1", "comparison")]
    assert [task.task_id for task in tasks.tasks("train")] == ["q0", "q1"]
    with pytest.raises(TaskDataError, match="no split 'test'; there are: train, dev"):
        tasks.tasks("test")


def test_an_episode_of_a_task_that_came_through_a_pickle(folder):
    tasks = pickle.loads(pickle.dumps(released(folder)))
    environment = tasks.make("dev-1", 0)
    assert environment.reset() == "Question: Who is number 3?"
    assert environment.step("search[nixon]").observation == "Richard Nixon was a president.."
    assert environment.step("finish[Yes]").success


def test_facts_say_what_was_searched(folder):
    facts = released(folder).facts()
    assert facts["questions"] == {"train": 2, "dev": 2}
    assert facts["encyclopedia"] == "local"
    assert (facts["pages"], facts["redirects"], len(facts["corpus"])) == (2, 1, 16)


def test_the_folder_may_be_named_by_a_variable(folder, monkeypatch):
    monkeypatch.setenv("HOTPOTQA_DATA", str(folder))
    assert released(None).tasks("dev")
    monkeypatch.delenv("HOTPOTQA_DATA")
    with pytest.raises(TaskDataError, match=r"HOTPOTQA_DATA is not set.*spanwise data hotpotqa"):
        released(None).tasks("dev")


def test_unknown_tasks_and_ids_in_two_splits_are_refused(folder):
    with pytest.raises(TaskDataError, match="no task 'q9' among 4; ids read as q0, q1, q2"):
        released(folder).make("q9", 0)
    write_lines(folder / "dev.jsonl", [question(0)])
    with pytest.raises(TaskDataError, match="'q0' of 'dev' is in another split too"):
        released(folder).make("q0", 0)


def test_a_split_without_questions_is_refused(folder):
    write_lines(folder / "dev.jsonl", [])
    with pytest.raises(TaskDataError, match="the split 'dev' has no question"):
        released(folder).tasks("dev")


def test_the_live_encyclopedia_is_told_in_the_facts_and_asks_nothing_before_it_must(folder, tmp_path):
    tasks = released(folder, encyclopedia="live", index=str(tmp_path / "kept"), wikipedia="http://127.0.0.1:9/api")
    assert tasks.facts()["wikipedia"] == "http://127.0.0.1:9/api"
    assert tasks.make("q0", 0).reset() == "Question: Who is number 0?"


def test_a_generated_world_needs_no_files():
    config = EnvironmentConfig(name="hotpotqa", hotpotqa=HotpotqaConfig(train=6, dev=4, test=2))
    tasks, again = make_task_set(config), make_task_set(config)
    assert [len(tasks.tasks(split)) for split in ("train", "dev", "test")] == [6, 4, 2]
    assert tasks.tasks("dev") == again.tasks("dev")
    assert tasks.facts() == again.facts()
    assert tasks.facts()["encyclopedia"] == "generated"
    assert isinstance(tasks, HotpotqaTasks)
    for split in ("train", "dev", "test"):
        for task in tasks.tasks(split):
            gold = tasks.question(task.task_id)
            environment = tasks.make(task.task_id, 0)
            for title, number in gold.supporting_facts:
                assert not environment.step(f"search[{title}]").observation.startswith("Could not find"), number
            assert environment.step(f"finish[{gold.answer}]").success


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "toy", "hotpotqa": {"train": 3}}, "hotpotqa belongs to name"),
        ({"name": "hotpotqa", "webshop": {"products": 3}}, "webshop belongs to name"),
        ({"name": "hotpotqa", "hotpotqa": {"encyclopedia": "live"}}, "is for released questions"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        EnvironmentConfig.model_validate(settings)
