"""Pages, read back from text."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.agents.experts.webshop.conftest import INSTRUCTION

from spanwise.agents.experts.webshop.pages import Hit, Kind, Price, read_page, read_price

HITS = (("B000000001", "Shirt (Navy) [2 Pack]", "$9.99 to $19.5"), ("B000000002", "Other shirt", "$1,100.0"))
OPTIONS = {"fit type": ("men", "women"), "color": ("navy", "color: red"), "size": ("large", '5"w x 7"l')}


def test_the_search_page_states_the_errand(pages):
    page = read_page(pages.start())
    assert page.kind is Kind.SEARCH
    assert page.instruction == INSTRUCTION


def test_results_are_read_with_their_prices(pages):
    page = read_page(pages.results(*HITS, number=2))
    assert page.kind is Kind.RESULTS
    assert page.number == 2
    assert page.hits == (
        Hit("B000000001", "Shirt (Navy) [2 Pack]", Price("$9.99 to $19.5", 9.99, 19.5)),
        Hit("B000000002", "Other shirt", Price("$1,100.0", 1100.0, 1100.0)),
    )


def test_an_item_is_read_with_its_options(pages):
    page = read_page(pages.item("Shirt [navy]", "$9.99", OPTIONS))
    assert page.kind is Kind.ITEM
    assert page.item is not None
    assert page.item.title == "Shirt [navy]"
    assert page.item.price == Price("$9.99", 9.99, 9.99)
    assert page.item.options == OPTIONS


def test_an_item_without_options_has_none(pages):
    page = read_page(pages.item("Toothpicks", "$9.99", {}))
    assert page.item is not None
    assert (page.item.title, dict(page.item.options)) == ("Toothpicks", {})


def test_names_of_options_that_the_errand_speaks_of_are_names(pages):
    text = pages.item("Shirt", "$9.99", {"color": ("navy",), "sleeve": ("long", "short")})
    item = read_page(text, ("sleeve",)).item
    assert item is not None
    assert item.options == {"color": ("navy",), "sleeve": ("long", "short")}


def test_a_sub_page_is_its_text(pages):
    page = read_page(pages.features("Machine Wash", "Page 3 of the manual"))
    assert (page.kind, page.text) == (Kind.SUB_PAGE, "Machine Wash\nPage 3 of the manual")


def test_choices_are_marked_by_brackets_or_words():
    text = "\n[Back to Search] \n[< Prev] \ncolor [[navy]][red][green]\nShirt \nPrice: $9.99 \n[Buy Now] "
    item = read_page(text).item
    assert item is not None
    assert item.options == {"color": ("navy", "red", "green")}
    rich = "\n".join(
        (
            "You have clicked navy.",
            "Instruction:",
            INSTRUCTION,
            "[button] Back to Search [button_]",
            "[button] < Prev [button_]",
            "color",
            "  [clicked button] navy [clicked button_]",
            "  [button] red [button_]",
            "Shirt",
            "Price: $9.99",
            "[button] Buy Now [button_]",
        )
    )
    page = read_page(rich)
    assert page.item is not None
    assert (page.instruction, page.item.title) == (INSTRUCTION, "Shirt")
    assert page.item.options == {"color": ("navy", "red")}


def test_short_answers_are_told_apart():
    assert read_page("You have clicked x-large..").kind is Kind.CHOSEN
    assert read_page("You have clicked x-large.").text == "x-large"
    assert read_page("Invalid action!").kind is Kind.OTHER
    assert read_page("OK.").kind is Kind.OTHER
    assert read_page("Your score (min 0.0, max 1.0): 0.5").kind is Kind.DONE


def test_a_price_tag_of_another_form_says_nothing():
    assert read_price("free") == Price("free")
    assert read_price("$1.2.3") == Price("$1.2.3")


@given(
    st.lists(
        st.sampled_from(
            [
                "[SEP]",
                "\n",
                "Back to Search",
                "[Back to Search]",
                "Buy Now",
                "$9",
                "Price: $x",
                "a [b]",
                "[",
                "Page 1 (Total results: 2)",
                "< Prev",
            ]
        )
    )
)
def test_any_text_is_a_page(parts):
    assert read_page(" ".join(parts)).kind in Kind
    assert read_page(" [SEP] ".join(parts)).kind in Kind
