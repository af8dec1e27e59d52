"""The shop against records of the original program: goals, rewards, search results and whole episodes."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spanwise.config import EnvironmentConfig, WebshopConfig
from spanwise.environments.webshop.goals import Goal, make_goals
from spanwise.environments.webshop.shop import Shop
from spanwise.environments.webshop.tasks import WebshopTasks

GOLDENS = Path(os.environ.get("SPANWISE_WEBSHOP_GOLDENS", Path(__file__).parents[3] / "shared/data/webshop"))

pytestmark = pytest.mark.skipif(
    not GOLDENS.is_dir(), reason=f"no records of the original WebShop: {GOLDENS} (SPANWISE_WEBSHOP_GOLDENS) is missing"
)


def lines(name: str) -> list[dict[str, Any]]:
    with gzip.open(GOLDENS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def tasks_of(**settings: Any) -> WebshopTasks:
    webshop = WebshopConfig(**settings)
    return WebshopTasks(EnvironmentConfig(name="webshop", source="released", data=str(GOLDENS), webshop=webshop))


@pytest.fixture(scope="module")
def tasks() -> WebshopTasks:
    return tasks_of()


@pytest.fixture(scope="module")
def shop(tasks: WebshopTasks) -> Shop:
    return tasks.shop


def as_recorded(goal: Goal) -> dict[str, Any]:
    return {
        "asin": goal.asin,
        "instruction_text": goal.text,
        "attributes": list(goal.attributes),
        "price_upper": goal.price_upper,
        "goal_options": dict(goal.options),
        "weight": goal.weight,
    }


def test_goals_are_the_original_s_in_order(shop: Shop):
    recorded = lines("goals")
    assert [goal["index"] for goal in recorded] == list(range(len(shop.goals)))
    for ours, theirs in zip(shop.goals, recorded, strict=True):
        product = shop.catalogue.by_asin[ours.asin]
        made = as_recorded(ours) | {
            "index": theirs["index"],
            "name": product.title,
            "category": product.category,
            "query": product.query,
            "product_category": product.product_category,
        }
        assert made == theirs


def test_the_default_seed_draws_the_prices_and_goals_of_the_record(shop: Shop):
    goals, prices = make_goals(replace(shop.catalogue, prices={}), "synthetic", WebshopConfig().seed)
    assert prices == shop.catalogue.prices
    assert goals == tuple(shop.goals)


def test_goals_of_people_can_be_played():
    human = tasks_of(goals="human")
    assert human.shop.goals
    assert human.make("goal-0", 0).reset().startswith("WebShop [SEP] Instruction: [SEP] ")


def test_rewards_and_their_parts_are_the_original_s(shop: Shop):
    assert shop.scorer.finder.source == "title_nouns.json"
    products = shop.catalogue.by_asin
    for recorded in lines("rewards"):
        goal = shop.goals[recorded["goal"]]
        score = shop.scorer.score(goal, products[goal.asin], products[recorded["asin"]], recorded["options"].values())
        detail = recorded["detail"]
        assert score.reward == pytest.approx(recorded["reward"], abs=1e-6), recorded
        assert (score.type, score.same_query, score.same_category, score.price) == (
            detail["r_type"],
            detail["query_match"],
            detail["category_match"],
            detail["r_price"],
        ), recorded
        assert score.title == pytest.approx(detail["title_score"])
        assert score.attributes / len(goal.attributes) == pytest.approx(detail["r_att"])
        if goal.options:
            assert score.options / len(goal.options) == pytest.approx(detail["r_option"])


@pytest.mark.parametrize(("kind", "out_of_reach"), [("upstream", 458), ("fixed", 0)])
def test_goals_that_the_wanted_product_itself_does_not_fulfil(kind: str, out_of_reach: int):
    shop = tasks_of(reward=kind).shop
    own: Callable[[Goal], float] = lambda goal: (  # noqa: E731
        shop.scorer.score(
            goal,
            shop.catalogue.by_asin[goal.asin],
            shop.catalogue.by_asin[goal.asin],
            [value for _, value in goal.options],
        ).reward
    )
    assert sum(own(goal) < 1 for goal in shop.goals) == out_of_reach


def test_search_finds_what_lucene_finds(shop: Shop):
    recorded = lines("search")
    found = [[product.asin for product in shop.search(one["query"].lower()).results] for one in recorded]
    first_ten = sum(ours[:10] == one["asins"][:10] for ours, one in zip(found, recorded, strict=True))
    shared = sum(len(set(ours) & set(one["asins"])) for ours, one in zip(found, recorded, strict=True))
    assert first_ten >= 0.99 * len(recorded)
    assert shared >= 0.995 * sum(len(one["asins"]) for one in recorded)


def test_episodes_read_and_score_as_the_original_s(tasks: WebshopTasks):
    episodes = lines("episodes_text")
    for number, episode in enumerate(episodes):
        environment = tasks.make(f"goal-{episode['goal']}", 0)
        assert environment.reset() == episode["first_observation"]
        for step in episode["steps"]:
            outcome = environment.step(step["action"])
            assert outcome.observation == step["observation"], (number, step["action"])
            assert outcome.reward == pytest.approx(step["reward"], abs=1e-6)
            assert outcome.done == step["done"]
    assert episodes


def test_the_paper_s_split_leaks_and_the_other_does_not(tasks: WebshopTasks):
    test, _ = tasks.leakage()
    assert (test.goals, test.same_product) == (500, 479)
    assert [one.same_product for one in tasks_of(split="product_disjoint").leakage()] == [0, 0]
