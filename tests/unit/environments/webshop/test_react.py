from collections.abc import Callable

import pytest

from spanwise.environments.webshop.goals import Goal
from spanwise.environments.webshop.react import ReactVisit
from spanwise.environments.webshop.shop import DonePage, ItemPage, ResultsPage, SearchPage, Shop, SubPage

TO_ITEM = ("search[velvet]", "click[B000000001]")


@pytest.fixture
def visit(shop: Shop, goal: Goal) -> Callable[..., ReactVisit]:
    def play(*actions: str) -> ReactVisit:
        made = ReactVisit(shop, goal)
        for action in actions:
            assert made.act(action) is not None, action
        return made

    return play


def test_a_purchase(visit):
    played = visit(*TO_ITEM)
    assert played.act("think[it is red]") == "OK."
    assert played.act("think: it is red") == "OK."
    assert played.act("click[red]") == "You have clicked red."
    assert played.act("click[small]") == "You have clicked small."
    assert played.act("click[Buy Now]") == "Your score (min 0.0, max 1.0): 1.0"
    assert isinstance(played.page, DonePage)


def test_pages_lead_back(visit):
    played = visit(*TO_ITEM, "click[red]", "click[Description]")
    assert isinstance(played.page, SubPage)
    assert "[[red]]" in played.act("click[< Prev]")
    assert isinstance(played.page, ItemPage)
    assert played.act("click[< Prev]").startswith("\n[Back to Search] \nPage 1")
    assert played.act("click[Back to Search]").startswith("\nWebshop")
    assert isinstance(visit(*TO_ITEM, "reset").page, SearchPage)


def test_the_page_of_attributes_is_there_without_a_button(visit):
    assert visit(*TO_ITEM).act("click[Attributes]") == (
        "\n[Back to Search] \n[< Prev] \n machine washable \n super soft \ngarden \ndecorative pillows \n"
        "Home › Bedding › Pillows "
    )


@pytest.mark.parametrize(
    ("way", "action"),
    [
        ((), "search[]"),
        ((), "buy"),
        ((), ""),
        ((), "click[Buy Now]"),
        ((), "click[Back to Search]"),
        ((), "click[< Prev]"),
        (("search[velvet]",), "search[velvet]"),
        (("search[velvet]",), "click[Next >]"),
        (("search[velvet]",), "click[< Prev]"),
        (("search[velvet]",), "click[b000000001]"),
        (("search[velvet]",), "click[Description]"),
        (TO_ITEM, "click[buy now]"),
        (TO_ITEM, "click[Red]"),
        (TO_ITEM, "click[< Back to Search]"),
        ((*TO_ITEM, "click[Features]"), "click[Buy Now]"),
        ((*TO_ITEM, "click[Features]"), "click[Reviews]"),
        ((*TO_ITEM, "click[Buy Now]"), "click[Back to Search]"),
    ],
)
def test_what_cannot_be_done_changes_nothing(visit, way: tuple[str, ...], action: str):
    played = visit(*way)
    before = played.page
    assert played.act(action) is None
    assert played.page is before


def test_a_click_on_nothing_shows_the_page_again_where_react_does_not_look(visit):
    assert visit().act("click[x]").startswith("\nWebshop")
    played = visit(*TO_ITEM, "click[Features]")
    assert played.act("click[x]") == played.look()


def test_the_last_character_ends_the_argument_whatever_it_is(visit):
    played = visit("search[velvets")
    assert isinstance(played.page, ResultsPage)
    assert played.page.query == "velvet"


def test_options_of_the_product_before_can_be_clicked_where_there_are_none(visit):
    played = visit(*TO_ITEM, "click[< Prev]", "click[Back to Search]", "search[pillow]", "click[B000000001]")
    assert played.act("click[< Prev]") is not None
    assert played.act("click[B000000002]") is not None
    assert played.act("click[red]") == "You have clicked red."
    assert visit("search[linen]", "click[B000000002]").act("click[red]") is None
