from dataclasses import replace

import pytest

from spanwise.environments.webshop.catalogue import Catalogue, Product
from spanwise.environments.webshop.goals import Goal
from spanwise.environments.webshop.nouns import KnownNouns
from spanwise.environments.webshop.reward import Scorer, alike, color_of

NOUNS = {
    "wanted": ("acme", "velvet", "pillow", "cover", "sofa", "bed"),
    "half": ("acme", "pillow", "cover"),
    "sixth": ("pillow", "other"),
    "none": ("table",),
}


def product(asin: str, **changes: object) -> Product:
    made = Product(asin, "Title", "", (), "garden", asin, "A › B", "$5.0", (5.0,), {}, ("super soft",))
    return replace(made, **changes)


WANTED = product("wanted", product_category="Home › Bedding › Pillows")
GOAL = Goal("wanted", "", ("super soft", "machine washable"), 10.0, (("color", "sky blue"), ("size", "small")))


def scorer(kind: str = "upstream", price: float = 5.0) -> Scorer:
    return Scorer(dict.fromkeys(NOUNS, price), KnownNouns(NOUNS, "f"), kind)


def test_a_perfect_purchase_is_worth_one():
    bought = product("half", attributes=("soft super", "machine washable"))
    score = scorer().score(GOAL, WANTED, bought, ["sky blue", "small"])
    assert score.reward == 1.0
    assert (score.attributes, score.options, score.price) == (2, 2, True)


def test_every_part_counts_the_same():
    score = scorer(price=10.01).score(GOAL, WANTED, product("wanted"), ["small"])
    assert score.reward == pytest.approx((1 + 1 + 0) / 5)


@pytest.mark.parametrize(
    ("asin", "same_query", "category", "type_"),
    [
        ("half", False, "X", 1.0),  # more than a fifth of the nouns
        ("sixth", False, "X", 0.5),  # fewer
        ("sixth", True, "X", 1.0),
        ("sixth", False, "Other › Bedding › Home", 1.0),  # two categories in common
        ("sixth", False, "Other › Bedding", 0.5),
        ("none", True, "Home › Bedding", 0.0),  # no noun in common: another thing, whatever else says
    ],
)
def test_a_purchase_of_another_type_is_worth_less(asin: str, same_query: bool, category: str, type_: float):
    bought = product(asin, product_category=category, query="wanted" if same_query else asin)
    assert scorer().score(GOAL, WANTED, bought, []).type == type_


def test_few_shared_nouns_make_another_type():
    nouns = {"wanted": tuple("abcdefghijkl"), "half": ("a",)}
    judge = Scorer({"half": 1.0}, KnownNouns(nouns, "f"))
    assert judge.score(GOAL, WANTED, product("half", query="wanted"), []).type == 0.1


def test_a_tenth_of_the_nouns_is_enough_for_half_a_type():
    nouns = {"wanted": tuple("abcdefghij"), "half": ("a",)}
    assert Scorer({"half": 1.0}, KnownNouns(nouns, "f")).score(GOAL, WANTED, product("half"), []).type == 0.5


def test_a_price_at_the_limit_is_within_it():
    assert scorer(price=10.0).score(GOAL, WANTED, WANTED, []).price
    assert not scorer(price=10.01).score(GOAL, WANTED, WANTED, []).price


def test_a_wanted_title_without_nouns_is_alike_to_a_fifth():
    judge = Scorer({"half": 1.0}, KnownNouns({"wanted": (), "half": ("a",)}, "f"))
    score = judge.score(GOAL, WANTED, product("half"), [])
    assert (score.title, score.type) == (0.2, 0.5)


@pytest.mark.parametrize("field", ["title", "description", "bullets"])
def test_an_attribute_may_stand_anywhere_in_the_text(field: str):
    text = "It is Machine Washable."
    bought = product("half", **{field: (text,) if field == "bullets" else text})
    assert scorer().score(GOAL, WANTED, bought, []).attributes == 2


def test_upstream_cannot_match_a_colour_inside_a_word():
    goal = replace(GOAL, options=(("color", "navyblue1"),))
    chosen = ["navyblue1"]
    assert scorer().score(goal, WANTED, WANTED, chosen).options == 0
    assert scorer("fixed").score(goal, WANTED, WANTED, chosen).options == 1


def test_the_options_of_people_are_compared_by_value():
    goal = replace(GOAL, options=(("", "navyblue1"),))
    assert scorer().score(goal, WANTED, WANTED, ["navyblue1"]).options == 1


def test_a_wanted_option_is_counted_once():
    goal = replace(GOAL, options=(("color", "red"),))
    assert scorer().score(goal, WANTED, WANTED, ["red", "dark red", "wine red"]).options == 1


@pytest.mark.parametrize(
    ("text", "color"), [("black forest", "black"), ("violet lavender", "lavender"), ("", ""), ("webshop", "webshop")]
)
def test_the_first_colour_of_the_list_names_a_text(text: str, color: str):
    assert color_of(text) == color


def test_phrases_are_alike_if_one_holds_the_words_of_the_other():
    assert alike("Machine-Washable!", "washable machine")
    assert alike("super soft", "soft")
    assert not alike("short sleeve", "long sleeve")
    assert not alike("", "")


def test_likeness_is_rounded_and_keeps_what_thefuzz_keeps():
    assert alike("machine washable", "machine wash")  # 85.7 of 100
    assert alike("a\u00e9\u00e9\u00e9", "a")  # dropped
    assert not alike("a\u0113\u0113\u0113", "a")  # kept


def test_the_scorer_judges_a_catalogue(catalogue: Catalogue, shop):
    goal = Goal("B000000001", "", ("super soft",), 50.0, (("color", "red"),))
    wanted, other = catalogue.by_asin["B000000001"], catalogue.by_asin["B000000003"]
    assert shop.scorer.score(goal, wanted, wanted, ["red"]).reward == 1.0
    assert shop.scorer.score(goal, wanted, other, ["red"]).reward == 0.0
