"""The shop under any actions whatever: it answers, and what it answers is in order."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.config import EnvironmentConfig, WebshopConfig
from spanwise.environments.webshop.goals import Goal, split_goals
from spanwise.environments.webshop.reward import alike
from spanwise.environments.webshop.shop import parse_action
from spanwise.environments.webshop.tasks import WebshopTasks

OBSERVATIONS = ("text", "text_rich", "react")
BUTTONS = ("Back to Search", "< Prev", "Next >", "Buy Now", "Description", "Features", "Reviews", "Attributes")
#: What stands between names on a page, however it is written.
BETWEEN = re.compile(r"\[SEP\]|\[(?:clicked )?button_?\]|[\[\]\n]")


@cache
def tasks_of(observation: str) -> WebshopTasks:
    webshop = WebshopConfig(products=40, observation=observation, split="product_disjoint")  # type: ignore[arg-type]
    return WebshopTasks(EnvironmentConfig(name="webshop", webshop=webshop))


@cache
def names() -> list[str]:
    products = tasks_of("text").shop.catalogue.products
    values = {value for product in products for values in product.options.values() for value in values}
    return [*BUTTONS, *(product.asin for product in products), *sorted(values)]


WORDS = st.one_of(
    st.sampled_from(names()).map(lambda name: f"click[{name}]"),
    st.sampled_from(names()).map(lambda name: f"search[{name}]"),
    st.text(max_size=40),
    st.text(alphabet="searchlik[]<> \n\0\ud800", max_size=30),
    st.text(max_size=20).map(lambda text: f"click[{text}]"),
    st.text(max_size=20).map(lambda text: f"search[{text}]"),
)
#: A number stands for a click on what the page shows at that place.
ACTIONS = st.sampled_from(range(1, 60)) | WORDS


def action_on(page: str, action: str | int) -> str:
    if isinstance(action, str):
        return action
    shown = [name for piece in BETWEEN.split(page) if (name := piece.strip()) in names()] or ["nothing"]
    return f"click[{shown[action % len(shown)]}]"


@pytest.mark.parametrize("observation", OBSERVATIONS)
@given(actions=st.lists(ACTIONS, max_size=25), goal=st.integers(0, 100))
def test_any_actions_are_answered(observation: str, actions: list[str | int], goal: int):
    environment = tasks_of(observation).make(f"goal-{goal}", 0)
    page = environment.reset()
    for action in ["search[known]", *actions]:
        outcome = environment.step(action_on(page, action))
        assert outcome.observation
        assert 0 <= outcome.reward <= 1
        assert outcome.success == (outcome.reward == 1)
        assert outcome.done or not outcome.reward
        if not outcome.valid:
            assert outcome.observation == ("Invalid action!" if observation == "react" else page)
        if outcome.done:
            break
        page = outcome.observation


@given(actions=st.lists(ACTIONS, max_size=25), goal=st.integers(0, 100))
def test_both_text_modes_tell_of_the_same_visit(actions: list[str | int], goal: int):
    plain, rich = (tasks_of(observation).make(f"goal-{goal}", 0) for observation in ("text", "text_rich"))
    page = plain.reset()
    for action in ["search[known]", *actions]:
        taken = action_on(page, action)
        one, other = plain.step(taken), rich.step(taken)
        page = one.observation
        assert (one.reward, one.done, one.valid) == (other.reward, other.done, other.valid)
        marked = re.sub(r"^You have clicked .*\n", "", other.observation, flags=re.MULTILINE)
        bare = re.sub(r" *\[/?(?:clicked )?button_?\] ?", "", marked)
        assert re.sub(r"\s|\[SEP\]", "", one.observation) == re.sub(r"\s", "", bare)
        if one.done:
            break


@given(st.text(alphabet="ab[]\n ", max_size=14))
def test_actions_are_parsed_as_by_the_original_s_pattern(action: str):
    found = re.match(r"(.+)\[(.+)\]", action)
    assert parse_action(action) == (found.groups() if found else (action, ""))


@given(st.text(max_size=20), st.text(max_size=20))
def test_likeness_is_mutual(first: str, second: str):
    assert alike(first, second) == alike(second, first)


@given(
    st.lists(st.sampled_from("ABCDEFGHIJKLMNOP"), min_size=1, max_size=60),
    st.sampled_from(("paper", "product_disjoint")),
)
def test_splits_are_a_partition(asins: list[str], scheme: str):
    goals = [Goal(asin, "", ("x",), 1.0, ()) for asin in asins]
    splits = split_goals(goals, scheme)
    assert sorted(number for numbers in splits.values() for number in numbers) == list(range(len(goals)))
    if scheme == "product_disjoint":
        parts = [{asins[number] for number in numbers} for numbers in splits.values()]
        assert sum(map(len, parts)) == len(set(asins))
