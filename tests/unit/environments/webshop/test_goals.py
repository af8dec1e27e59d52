import numpy as np
import pytest
from tests.unit.environments.webshop.conftest import ATTRIBUTES, RECORDS

from spanwise.environments.webshop.catalogue import Catalogue, make_catalogue
from spanwise.environments.webshop.goals import Goal, goal_at, leakage, make_goals, split_goals
from spanwise.errors import TaskDataError


def test_a_synthetic_goal_for_each_combination_of_options(catalogue: Catalogue):
    goals, prices = make_goals(catalogue, "synthetic", 1)
    assert len(goals) == 8
    pillow = [goal for goal in goals if goal.asin == "B000000001"]
    assert {goal.options for goal in pillow} == {
        (("color", color), ("size", size), ("style", "one size"))
        for color in ("red", "navy | grey")
        for size in ("small", "one size")
    }
    limit = pillow[0].price_upper
    assert {goal.price_upper for goal in pillow} == {limit}
    assert limit in (20.0, 30.0, 40.0)
    assert (
        f"Find me super soft decorative pillows with color: red, and size: small, and style: one size, "
        f"and price lower than {limit:.2f} dollars"
    ) in [goal.text for goal in pillow]
    assert [goal.weight for goal in pillow] == [0.25] * 4
    assert prices["B000000005"] == 100.0


def test_goals_depend_on_the_seed_alone(catalogue: Catalogue):
    assert make_goals(catalogue, "synthetic", 1) == make_goals(catalogue, "synthetic", 1)
    assert len({make_goals(catalogue, "synthetic", seed)[1]["B000000002"] for seed in range(5)}) == 5


def test_the_order_and_the_draws_are_those_of_a_verified_run(catalogue: Catalogue):
    """Goals and prices as they were when those of the original's catalogue were the original's."""
    goals, prices = make_goals(catalogue, "synthetic", 1)
    assert [(goal.asin[-1], *(value for _, value in goal.options)) for goal in goals] == [
        ("3", "navy | grey", "small", "one size"),
        ("3", "navy | grey", "one size", "one size"),
        ("1", "red", "small", "one size"),
        ("3", "red", "one size", "one size"),
        ("1", "navy | grey", "one size", "one size"),
        ("1", "red", "one size", "one size"),
        ("3", "red", "small", "one size"),
        ("1", "navy | grey", "small", "one size"),
    ]
    assert prices["B000000002"] == 25.976640685633228


def test_limits_are_drawn_from_the_next_four_tens_above_the_price():
    records = [{**record, "pricing": "$20.00"} for record in RECORDS]
    catalogue = make_catalogue("f", records, ATTRIBUTES, {})
    limits = {goal.price_upper for seed in range(40) for goal in make_goals(catalogue, "synthetic", seed)[0]}
    assert limits == {40.0, 50.0, 60.0}


def test_options_are_named_in_the_order_of_the_alphabet():
    options = {"Size": [{"value": "s"}], "Color": [{"value": "red"}]}
    catalogue = make_catalogue("f", [{**RECORDS[0], "customization_options": options}], ATTRIBUTES, {})
    goals, _ = make_goals(catalogue, "synthetic", 1)
    assert "pillows with color: red, and size: s, and" in goals[0].text


def test_an_option_without_a_value_leaves_no_goal():
    options = {"Size": [], "Color": [{"value": "red"}]}
    records = [{**RECORDS[0], "customization_options": options}, RECORDS[2]]
    goals, _ = make_goals(make_catalogue("f", records, ATTRIBUTES, {}), "synthetic", 1)
    assert {goal.asin for goal in goals} == {"B000000003"}


def test_what_people_wrote_becomes_goals(catalogue: Catalogue):
    goals, _ = make_goals(catalogue, "human", 1)
    (goal,) = goals
    assert goal.text.startswith("i want a red pillow, and price lower than ")
    assert (goal.options, goal.attributes, goal.weight) == ((("", "red"),), ("super soft",), 1.0)


def test_dear_things_have_no_limit():
    records = [{**RECORDS[0], "pricing": "$985.00"}]
    known = {"B000000001": {"attributes": [], "instruction": "Find me x", "instruction_attributes": ["y"]}}
    goals, _ = make_goals(make_catalogue("f", records, known, {}), "synthetic", 1)
    assert {goal.price_upper for goal in goals} == {1_000_000}
    assert all("price" not in goal.text for goal in goals)


def test_prices_of_the_folder_count():
    prices = {record["asin"]: 55.0 for record in RECORDS}
    known = {"B000000001": {"attributes": [], "instruction": "Find me x", "instruction_attributes": ["y"]}}
    goals, used = make_goals(make_catalogue("f", RECORDS, known, {}, prices=prices), "synthetic", 1)
    assert used == prices
    assert all(goal.price_upper > 55 for goal in goals)
    del prices["B000000104"]
    with pytest.raises(TaskDataError, match="no price for asin B000000104"):
        make_goals(make_catalogue("f", RECORDS, known, {}, prices=prices), "synthetic", 1)


def test_no_instructions_are_an_error():
    with pytest.raises(TaskDataError, match=r'no human instructions .* environment\.webshop\.goals = "synthetic"'):
        make_goals(make_catalogue("f", RECORDS, {}, {}), "human", 1)


def many(products: int, each: int) -> list[Goal]:
    goals = [
        Goal(f"B{product}", f"{product} {n}", ("x",), 10.0, ()) for n in range(each) for product in range(products)
    ]
    return goals


def test_the_papers_splits():
    splits = split_goals(many(170, 10), "paper")
    assert {split: (numbers[0], numbers[-1]) for split, numbers in splits.items()} == {
        "test": (0, 499),
        "valid": (500, 1499),
        "train": (1500, 1699),
    }


def test_leakage_counts_shared_products_and_texts():
    goals = many(170, 10)
    test, valid = leakage(goals, split_goals(goals, "paper"))
    assert (test.split, test.goals, test.same_product, test.same_text) == ("test", 500, 500, 0)
    assert (valid.goals, valid.same_product) == (1000, 1000)
    assert leakage([goals[0]] * 1600, split_goals([goals[0]] * 1600, "paper"))[0].same_text == 500


def test_a_disjoint_split_shares_no_product_and_loses_no_goal():
    goals = many(40, 7)
    splits = split_goals(goals, "product_disjoint")
    products = {split: {goals[number].asin for number in numbers} for split, numbers in splits.items()}
    assert {split: len(asins) for split, asins in products.items()} == {"test": 6, "valid": 6, "train": 28}
    assert set.union(*products.values()) == {goal.asin for goal in goals}
    assert sorted(number for numbers in splits.values() for number in numbers) == list(range(len(goals)))
    assert [one.same_product for one in leakage(goals, splits)] == [0, 0]


@pytest.mark.parametrize("index", [3, np.int64(3), np.uint8(3)])
def test_a_goal_is_found_by_integers_of_any_type(index: int):
    goals = many(5, 1)
    assert goal_at(goals, index) is goals[3]


@pytest.mark.parametrize("index", [-1, 5])
def test_a_goal_that_is_not_there_is_an_error(index: int):
    with pytest.raises(TaskDataError, match="there are 5, numbered from 0"):
        goal_at(many(5, 1), index)
