"""Instructions, taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.agents.experts.webshop.errand import read_errand
from spanwise.agents.experts.webshop.queries import plan


def test_kind_claims_options_and_limit_are_told_apart():
    errand = read_errand(
        "Find me wash cold, machine wash men's shirts with needle sleeve, classic fit for gym workout "
        "with color: royal blue, and fit type: men, and size: x-small, and price lower than 40.00 dollars"
    )
    assert errand.kind == "men's shirts"
    assert errand.claims == ("wash cold", "machine wash", "needle sleeve", "classic fit", "gym workout")
    assert errand.options == (("color", "royal blue"), ("fit type", "men"), ("size", "x-small"))
    assert errand.limit == 40.0
    assert not errand.spoken


@pytest.mark.parametrize(
    ("head", "claims", "kind"),
    [
        (
            "loose fit, hand wash women's tops, tees & blouses",
            ("loose fit", "hand wash"),
            "women's tops, tees & blouses",
        ),
        ("women's coats, jackets & vests", (), "women's coats, jackets & vests"),
        ("hair extensions, wigs & accessories", (), "hair extensions, wigs & accessories"),
        ("gold plated hdmi cables", ("gold plated",), "hdmi cables"),
        ("home office chairs", (), "home office chairs"),
        ("toothpicks", (), "toothpicks"),
        ("slim fit men's tops, tees & blouses", ("slim fit",), "men's tops, tees & blouses"),
        ("slim fit, men's tops, tees & blouses", ("slim fit",), "men's tops, tees & blouses"),
    ],
)
def test_claims_before_the_kind_end_where_the_kind_begins(head, claims, kind):
    errand = read_errand(f"Find me {head} for living room")
    assert errand.kind == kind
    assert errand.claims == (*claims, "living room")
    assert errand.limit is None


def test_a_claim_with_with_is_no_option():
    errand = read_errand("Find me flashes with usb port with color: usb256-dark blue, and size: 512gb")
    assert errand.claims == ("usb port",)
    assert errand.options == (("color", "usb256-dark blue"), ("size", "512gb"))


def test_what_a_person_says_is_kept_as_words_that_count():
    errand = read_errand("i am looking for x-large, red color women winter jacket, and price lower than 50.00 dollars")
    assert errand.spoken
    assert errand.kind == "x-large red color women winter jacket"
    assert errand.limit == 50.0


def test_searches_differ_and_name_every_option():
    errand = read_errand("Find me long lasting candles with scent: lime [new], and size: 3 pack")
    queries = plan(errand)
    assert len(set(queries)) == len(queries) == 3
    assert all("lime new" in query and "3 pack" in query for query in queries)
    assert queries[0].startswith("candles long lasting ")


def test_three_options_search_by_themselves_first():
    errand = read_errand("Find me men's shirts with color: red, and fit type: men, and size: 3t")
    assert plan(errand)[0] == "color: red, fit type: men, size: 3t"


@given(st.text(max_size=200))
def test_any_text_is_an_errand_with_searches_that_can_be_typed(text):
    for instruction in (
        text,
        f"Find me {text}",
        f"Find me {text} with color: {text}, and price lower than {text} dollars",
    ):
        for query in plan(read_errand(instruction)):
            assert query.strip()
            assert not set("[]\n") & set(query)
