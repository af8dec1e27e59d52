"""How well a product answers an errand."""

import pytest

from spanwise.agents.experts.webshop.errand import read_errand
from spanwise.agents.experts.webshop.judge import affordability, choose, far_below, judge, kinship, says
from spanwise.agents.experts.webshop.memory import Candidate
from spanwise.agents.experts.webshop.pages import Item, Price

ERRAND = read_errand(
    "Find me machine wash men's shirts with color: navy, and size: x-large, and price lower than 100.00 dollars"
)


def candidate(options, title="Men's shirt", price=80.0, features=None):
    read = {} if features is None else {"Features": features}
    return Candidate("B1", Item(title, Price(f"${price}", price, price), options), "shirts", 1, read)


@pytest.mark.parametrize(
    ("text", "claim", "expected"),
    [
        ("Machine Washable", "machine wash", True),
        ("It is easy for you to carry", "easy carry", True),
        ("95% Polyester, 5% Spandex", "polyester spandex", True),
        ("11 grams of protein per serving", "protein serving", True),
        ("Hand wash, no machine", "machine wash", False),
        ("", "machine wash", False),
    ],
)
def test_a_claim_is_read_but_for_small_words_and_endings(text, claim, expected):
    assert says(text, claim) is expected


def test_a_product_with_all_that_is_wanted_lacks_nothing():
    verdict = judge(ERRAND, candidate({"color": ("red", "Navy"), "size": ("x-large",)}, features="Machine Wash"))
    assert [choice.offered for choice in verdict.choices] == ["Navy", "x-large"]
    assert (verdict.missing, verdict.unsaid, verdict.affordable) == ((), (), 1.0)
    assert verdict.score == 1.0


def test_what_is_near_is_offered_but_missing():
    verdict = judge(ERRAND, candidate({"color": ("b-navy", "red"), "size": ("small",)}))
    color, size = verdict.missing
    assert (color.offered, color.exact) == ("b-navy", False)
    assert size.offered == ""


def test_more_read_and_less_missing_is_better():
    fits = {"color": ("navy",), "size": ("x-large",)}
    worse = [
        candidate(fits, features="Hand wash"),
        candidate(fits, title="Women's shirt", features="Machine wash"),
        candidate(fits, price=120.0, features="Machine wash"),
        candidate(fits, price=10.0, features="Machine wash"),
        candidate({**fits, "style": ("a", "b")}, features="Machine wash"),
        candidate({"color": ("navy",)}, features="Machine wash"),
    ]
    best = judge(ERRAND, candidate(fits, features="Machine wash")).score
    assert all(judge(ERRAND, one).score < best for one in worse)


def test_claims_that_were_looked_for_in_vain_are_held_against_it():
    fits = {"color": ("navy",), "size": ("x-large",)}
    assert judge(ERRAND, candidate(fits, features="Hand wash")).score < judge(ERRAND, candidate(fits)).score


def test_a_range_of_prices_may_hold_the_limit():
    assert affordability(Price("", 10, 30), 20.0) == 0.5
    assert affordability(Price("", 10, 20), 20.0) == 1.0
    assert affordability(Price("", 21, 30), 20.0) == 0.0
    assert affordability(Price("", 21, 30), None) == 1.0


def test_limits_are_set_for_things_that_cost_about_as_much():
    assert far_below(Price("", 10, 59), 100.0)
    assert not far_below(Price("", 10, 61), 100.0)
    assert not far_below(Price("?"), 100.0)
    assert not far_below(Price("", 10, 10), None)


def test_titles_for_the_other_sex_are_told():
    assert kinship(ERRAND, "Womens Blouse Shirt") < kinship(ERRAND, "Curtain") < kinship(ERRAND, "Men's Polo") == 1.0
    assert kinship(ERRAND, "Unisex shirt for men and women") == 1.0


def test_options_that_a_person_named_are_chosen():
    errand = read_errand("i need men's loafers in black, size 10.5, 120 ml")
    options = {
        "color": ("brown", "black1901"),
        "size": ("10", "10.5"),
        "volume": ("60ml", "120ml"),
        "style": ("a", "z"),
    }
    chosen = [(choice.name, choice.offered) for choice in choose(errand, candidate(options).item)]
    assert chosen == [("color", "black1901"), ("size", "10.5"), ("volume", "120ml")]
