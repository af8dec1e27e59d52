import pickle
import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.unit.environments.webshop.conftest import product_record

from spanwise.config import EnvironmentConfig, GeneratorConfig, WebshopConfig
from spanwise.environments import make_task_set
from spanwise.environments.webshop.catalogue import make_catalogue
from spanwise.environments.webshop.generate import write_files
from spanwise.environments.webshop.goals import Goal
from spanwise.environments.webshop.shop import Shop, Visit
from spanwise.environments.webshop.tasks import INDEX_FOLDER, WebshopEnvironment, WebshopTasks, index_of
from spanwise.errors import TaskDataError


def tasks_of(**settings: object) -> WebshopTasks:
    return WebshopTasks(EnvironmentConfig(name="webshop", webshop=WebshopConfig(**settings)))


@pytest.fixture(scope="module")
def generated() -> WebshopTasks:
    return tasks_of(products=250)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("webshop")
    write_files(folder, 60, 0)
    return folder


def released(folder: Path | None, **settings: object) -> WebshopTasks:
    webshop = WebshopConfig(**{"catalogue": "all", "split": "product_disjoint", **settings})
    data = None if folder is None else str(folder)
    return WebshopTasks(EnvironmentConfig(name="webshop", source="released", data=data, webshop=webshop))


def test_the_recipe_names_it():
    assert isinstance(make_task_set(EnvironmentConfig(name="webshop")), WebshopTasks)


def test_settings_of_the_shop_belong_to_the_shop():
    with pytest.raises(ValidationError, match='webshop belongs to name = "webshop"'):
        EnvironmentConfig(webshop=WebshopConfig(reward="fixed"))
    with pytest.raises(ValidationError):
        WebshopConfig(observation="html")  # type: ignore[arg-type]


def test_tasks_are_goals_by_number(generated: WebshopTasks):
    assert [task.task_id for task in generated.tasks("test")] == [f"goal-{number}" for number in range(500)]
    assert generated.tasks("valid")[0].task_id == "goal-500"
    assert generated.tasks("train")[0].task_id == "goal-1500"
    assert {task.task_type for task in generated.tasks("test")} == {
        "beauty", "electronics", "fashion", "garden", "grocery",
    }  # fmt: skip
    with pytest.raises(TaskDataError, match="no split 'valid_seen'; there are: test, valid, train"):
        generated.tasks("valid_seen")


def test_a_split_that_is_empty_is_an_error():
    with pytest.raises(TaskDataError, match="the split 'train' has no goal"):
        tasks_of(products=20).tasks("train")


@pytest.mark.parametrize("task_id", ["", "7", "goal-", "goal-x", "goal--1", "goal-²", "goal-999999"])
def test_a_task_that_is_not_there_is_an_error(generated: WebshopTasks, task_id: str):
    with pytest.raises(TaskDataError, match=r"no task|no goal"):
        generated.make(task_id, 0)


@pytest.mark.parametrize("observation", ["text", "text_rich", "react"])
def test_an_episode_is_won_by_buying_the_wanted_product(observation: str):
    tasks = tasks_of(products=40, reward="fixed", observation=observation, split="product_disjoint")
    task_id = tasks.tasks("train")[0].task_id
    goal = tasks.shop.goals[int(task_id.removeprefix("goal-"))]
    wanted = tasks.shop.catalogue.by_asin[goal.asin]
    environment = tasks.make(task_id, 0)
    assert goal.text in environment.reset()
    actions = [f"search[{wanted.title}]", f"click[{wanted.asin}]", *(f"click[{value}]" for _, value in goal.options)]
    for action in actions:
        outcome = environment.step(action)
        assert (outcome.valid, outcome.done, outcome.reward) == (True, False, 0.0), action
    outcome = environment.step("click[Buy Now]")
    assert (outcome.reward, outcome.done, outcome.success, outcome.valid) == (1.0, True, True, True)
    assert "1.0" in outcome.observation
    environment.close()


def test_nearly_right_is_no_success(shop: Shop):
    goal = Goal("B000000001", "find it", ("super soft",) * 19 + ("unheard of",), 30.0, ())
    environment = WebshopEnvironment(Visit(shop, goal), "text")
    for action in ("search[velvet]", "click[b000000001]"):
        environment.step(action)
    outcome = environment.step("click[buy now]")
    assert outcome.reward == pytest.approx(20 / 21)
    assert (outcome.done, outcome.success) == (True, False)


def test_of_equal_products_the_smaller_asin_is_found_first():
    records = [product_record(asin, "Pillow") for asin in ("B3", "B1", "B2")]
    catalogue = make_catalogue("f", records, {}, {})
    assert [catalogue.products[number].asin for number in index_of(catalogue).search("pillow")] == ["B1", "B2", "B3"]


def test_what_cannot_be_done_is_an_observation(generated: WebshopTasks):
    environment = generated.make("goal-3", 0)
    first = environment.reset()
    outcome = environment.step("click[nothing]")
    assert (outcome.observation, outcome.valid, outcome.done) == (first, False, False)
    environment = tasks_of(products=20, observation="react").make("goal-3", 0)
    assert environment.step("go north").observation == "Invalid action!"
    assert environment.step("think[hm]").observation == "OK."


def test_workers_open_the_same_shop(generated: WebshopTasks):
    assert generated.tasks("test")
    data = pickle.dumps(generated)
    assert len(data) < 5000
    assert pickle.loads(data).tasks("test") == generated.tasks("test")


def test_the_generator_s_seed_makes_another_shop():
    webshop = WebshopConfig(products=20)
    texts = {
        WebshopTasks(EnvironmentConfig(name="webshop", webshop=webshop, generator=GeneratorConfig(seed=seed)))
        .make("goal-0", 0)
        .reset()
        for seed in (0, 1)
    }
    assert len(texts) == 2


def test_leakage_is_reported(generated: WebshopTasks):
    test, valid = generated.leakage()
    assert (test.split, test.goals, valid.goals) == ("test", 500, 1000)
    assert test.same_product > 400
    assert [one.same_product for one in tasks_of(products=60, split="product_disjoint").leakage()] == [0, 0]


def test_a_folder_of_files_is_a_shop(written: Path, monkeypatch: pytest.MonkeyPatch):
    tasks = released(written)
    assert tasks.shop.scorer.finder.source == "title_nouns.json"
    monkeypatch.setenv("WEBSHOP_DATA", str(written))
    assert released(None).tasks("test") == tasks.tasks("test")
    assert len(released(written, goals="human").shop.goals) < len(tasks.shop.goals)


def test_a_folder_that_is_not_named_or_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WEBSHOP_DATA", raising=False)
    with pytest.raises(TaskDataError, match=r"WEBSHOP_DATA is not set .*spanwise data webshop DEST"):
        released(None).tasks("test")
    with pytest.raises(TaskDataError, match="missing; expected the folder"):
        released(tmp_path / "x").tasks("test")


def test_an_index_that_is_there_is_used_if_it_fits(tmp_path: Path):
    write_files(tmp_path, 60, 0)
    built = released(tmp_path).shop
    kept = tmp_path / INDEX_FOLDER / "all"
    kept.mkdir(parents=True)
    index_of(built.catalogue).save(kept)
    assert released(tmp_path).shop.search("oak table").results[0].asin == built.search("oak table").results[0].asin
    write_files(tmp_path, 61, 0)
    with pytest.raises(TaskDataError, match=re.escape("index of 60 products")):
        released(tmp_path).tasks("test")


def test_facts_say_what_was_found(generated: WebshopTasks, written: Path) -> None:
    assert generated.facts()["products"] == 250
    assert generated.facts()["goals"] == len(generated.shop.goals)
    assert released(written, nouns="words").facts()["nouns"] == "words"
