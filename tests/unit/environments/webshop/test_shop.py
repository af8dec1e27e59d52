from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.environments.webshop.conftest import WordSearch, product_record

from spanwise.environments.webshop.catalogue import make_catalogue
from spanwise.environments.webshop.goals import Goal
from spanwise.environments.webshop.nouns import WordNouns
from spanwise.environments.webshop.reward import Scorer
from spanwise.environments.webshop.shop import (
    DonePage,
    ItemPage,
    ResultsPage,
    SearchPage,
    Shop,
    SubPage,
    Visit,
    parse_action,
)
from spanwise.errors import TaskDataError


@pytest.fixture
def visit(shop: Shop, goal: Goal) -> Callable[..., Visit]:
    def play(*actions: str) -> Visit:
        made = Visit(shop, goal)
        for action in actions:
            assert made.act(action), action
        return made

    return play


def test_from_search_to_purchase(visit):
    played = visit("search[Velvet Pillow]", "click[b000000001]", "click[red]", "click[SMALL]", "click[Buy Now]")
    page = played.page
    assert isinstance(page, DonePage)
    assert (page.product.asin, page.options) == ("B000000001", {"color": "red", "size": "small"})
    assert page.score.reward == 1.0


def test_results_come_ten_a_page_and_pages_never_end(visit):
    played = visit("search[pillow]")
    first = played.page
    assert isinstance(first, ResultsPage)
    assert (len(first.results), len(first.shown)) == (13, 10)
    assert not played.act("click[< prev]")
    assert [played.act("click[next >]") for _ in range(2)] == [True, True]
    assert (played.page.number, played.page.shown) == (3, ())
    assert played.act("click[< prev]")
    assert (played.page.number, len(played.page.shown)) == (2, 3)
    assert played.act("click[< prev]")
    assert played.page == first


def test_a_product_is_clicked_on_its_page_only(visit):
    played = visit("search[pillow]")
    hidden = played.page.results[-1].asin
    assert not played.act(f"click[{hidden}]")
    assert played.act("click[next >]")
    assert played.act(f"click[{hidden}]")
    assert isinstance(played.page, ItemPage)
    assert played.act("click[< prev]")
    assert played.page.number == 2


def test_options_are_forgotten_with_the_product_and_kept_by_its_pages(visit):
    played = visit("search[velvet]", "click[b000000001]", "click[red]", "click[features]")
    assert isinstance(played.page, SubPage)
    assert not played.act("click[red]")
    assert not played.act("click[buy now]")
    assert played.act("click[< prev]")
    assert played.page.options == {"color": "red"}
    assert played.act("click[< prev]")
    assert played.act("click[b000000001]")
    assert played.page.options == {}


def test_a_choice_can_be_changed_and_a_shared_value_belongs_to_the_last_option(visit):
    played = visit("search[velvet]", "click[b000000001]", "click[red]", "click[navy | grey]", "click[one size]")
    assert played.page.options == {"color": "navy | grey", "style": "one size"}


def test_a_search_is_possible_everywhere_and_back_leads_to_the_start(visit):
    way = ("search[velvet]", "click[b000000001]", "click[reviews]")
    for steps in range(4):
        played = visit(*way[:steps])
        assert played.act("search[table]")
        assert isinstance(played.page, ResultsPage)
        assert played.act("click[back to search]")
        assert played.page == SearchPage()


def test_what_was_looked_at_is_forgotten_at_the_start(visit):
    played = visit("search[velvet]", "click[b000000001]", "search[velvet]")
    assert played.page.seen == {"B000000001"}
    assert visit("search[velvet]", "click[b000000001]", "click[back to search]", "search[x]").page.seen == frozenset()


@pytest.mark.parametrize(
    "action",
    [
        "",
        "search",
        "search[]",
        "search[x",
        "Search[x]",
        " search[x]",
        "search[a\nb]",
        "buy it",
        "think[x]",
        "[x]",
        "click[search]",
        "click[buy now]",
        "click[back to search]",
        "click[b000000001]",
    ],
)
def test_what_cannot_be_done_changes_nothing(visit, action: str):
    played = visit()
    assert not played.act(action)
    assert played.page == SearchPage()


@pytest.mark.parametrize("action", ["click[next >]", "click[attributes]", "click[blue]", "click[search]", "click[]"])
def test_what_a_product_does_not_offer_cannot_be_clicked(visit, action: str):
    played = visit("search[velvet]", "click[b000000001]")
    before = played.page
    assert not played.act(action)
    assert played.page is before


def test_options_that_are_called_as_buttons_are(goal: Goal):
    options = {"about": [{"value": value} for value in ("Search", "Attributes", "Description", "Next >", "Buy Now")]}
    catalogue = make_catalogue("f", [product_record("B1", "Pillow", customization_options=options)], {}, {})
    shop = Shop(catalogue, (goal,), WordSearch(catalogue), Scorer({"B1": 1.0}, WordNouns()))
    played = Visit(shop, replace(goal, asin="B1"))
    assert played.act("search[pillow]")
    assert played.act("click[b1]")
    assert not played.act("click[search]")
    for name in ("Attributes", "Description"):
        assert played.act(f"click[{name}]")
        assert isinstance(played.page, SubPage)
        assert played.page.name == name
        assert played.act("click[< prev]")
    assert played.act("click[next >]")
    assert played.page.options == {"about": "next >"}
    assert played.act("click[buy now]")
    assert isinstance(played.page, DonePage)


def test_nothing_can_be_clicked_after_the_purchase(visit):
    played = visit("search[velvet]", "click[b000000001]", "click[buy now]")
    assert not played.act("click[back to search]")
    assert isinstance(played.page, DonePage)


def test_a_goal_whose_product_is_gone_is_an_error(shop: Shop):
    played = Visit(shop, Goal("B0GONE", "find it", ("x",), 1.0, ()))
    assert played.act("search[velvet]")
    assert played.act("click[b000000001]")
    with pytest.raises(TaskDataError, match="'find it' wants the product 'B0GONE'"):
        played.act("click[buy now]")


@pytest.mark.parametrize(
    ("action", "parsed"),
    [
        ("search[red pillow]", ("search", "red pillow")),
        ("search[a]b", ("search", "a")),
        ("search[a] click[b]", ("search[a] click", "b")),
        ("click[a]]", ("click", "a]")),
        ("click[[a]", ("click[", "a")),
        ("search[]", ("search[]", "")),
        ("search[]]", ("search", "]")),
        ("[a]", ("[a]", "")),
        ("search[a\nb]", ("search[a\nb]", "")),
        ("search[a]\nb[c]", ("search", "a")),
        ("", ("", "")),
    ],
)
def test_actions_are_parsed_as_by_the_original(action: str, parsed: tuple[str, str]):
    assert parse_action(action) == parsed


@pytest.mark.parametrize("filler", ["[", "]", "a", "[]", "\0", "\n", "search[", "\ud800"])
def test_a_megabyte_of_anything_is_parsed_at_once(visit, filler: str):
    played = visit()
    text = filler * (1_000_000 // len(filler))
    played.act(f"click[{text}")
    played.act(f"click{text}]")
    assert isinstance(played.page, SearchPage)
