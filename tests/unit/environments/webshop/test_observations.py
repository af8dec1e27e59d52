from dataclasses import replace

import pytest

from spanwise.environments.webshop.catalogue import Review
from spanwise.environments.webshop.observations import render_react, render_rich, render_text
from spanwise.environments.webshop.reward import Score
from spanwise.environments.webshop.shop import DonePage, ItemPage, ResultsPage, SearchPage, Shop, SubPage

TEXT = "find a red pillow"
SCORE = Score(0.75, 1.0, 1.0, True, True, 1, 1, False)


@pytest.fixture
def results(shop: Shop) -> ResultsPage:
    return shop.search("velvet")


@pytest.fixture
def item(results: ResultsPage) -> ItemPage:
    return ItemPage(results.results[0], {}, results)


def test_text_of_search_and_results(results: ResultsPage):
    assert render_text(SearchPage(), TEXT) == "WebShop [SEP] Instruction: [SEP] find a red pillow [SEP] Search"
    assert render_text(results, TEXT) == (
        "Instruction: [SEP] find a red pillow [SEP] Back to Search [SEP] Page 1 (Total results: 2) [SEP] Next > [SEP] "
        "B000000001 [SEP] Velvet Pillow [SEP] $9.99 [SEP] B000000004 [SEP] Velvet Cushion [SEP] $9.99"
    )
    assert render_text(replace(results, number=2), TEXT).endswith("Page 2 (Total results: 2) [SEP] < Prev [SEP] Next >")


def test_text_of_a_product_and_its_pages(item: ItemPage):
    start = "Instruction: [SEP] find a red pillow [SEP] Back to Search [SEP] < Prev"
    assert render_text(item, TEXT) == (
        f"{start} [SEP] color [SEP] red [SEP] navy | grey [SEP] size [SEP] small [SEP] one size [SEP] style [SEP] "
        "one size [SEP] Velvet Pillow [SEP] Price: $9.99 [SEP] Rating: N.A. [SEP] Description [SEP] Features [SEP] "
        "Reviews [SEP] Buy Now"
    )
    assert render_text(SubPage("Description", item), TEXT) == f"{start} [SEP] About the Velvet Pillow."
    assert render_text(SubPage("Features", item), TEXT) == f"{start} [SEP] Machine wash [SEP] Made well"
    assert render_text(SubPage("Reviews", item), TEXT) == start
    reviewed = replace(item, product=replace(item.product, reviews=(Review("Good", "5.0", "I like it"),)))
    assert render_text(SubPage("Reviews", reviewed), TEXT) == f'{start} [SEP] "Good" [SEP] 5.0 [SEP] I like it'


def test_text_of_the_end(item: ItemPage):
    page = DonePage(item.product, {"size": "it's <b>", "color": "réd"}, SCORE)
    assert render_text(page, TEXT) == (
        "Thank you for shopping with us! [SEP] Your code: [SEP] None [SEP] (Paste it in your MTurk interface.) [SEP] "
        'Purchased [SEP] asin [SEP] B000000001 [SEP] options [SEP] {"color": "r\\u00e9d", '
        '"size": "it\\u0027s \\u003cb\\u003e"} [SEP] attrs [SEP] None [SEP] category [SEP] None [SEP] query [SEP] None '
        "[SEP] product category [SEP] None [SEP] Target [SEP] asin [SEP] options [SEP] attrs [SEP] price upper [SEP] "
        "instuction text [SEP] category [SEP] product category [SEP] query [SEP] Goal [SEP] None [SEP] Reward [SEP] "
        "Your score (min 0.0, max 1.0) [SEP] 0.75 [SEP] Reward Details [SEP] None"
    )


@pytest.mark.parametrize(
    ("bullets", "shown"),
    [
        (("a", "", "b"), ["a", "", "b"]),  # the space before an empty one is there
        (("a", " \n ", "b"), ["a", "b"]),
        ((" a\n", "\u00a0"), ["a", ""]),
        (("<b>&amp;</b>",), ["<b>&amp;</b>"]),
    ],
)
def test_space_alone_is_seen_as_a_parser_of_html_sees_it(item: ItemPage, bullets: tuple[str, ...], shown: list[str]):
    page = SubPage("Features", replace(item, product=replace(item.product, bullets=bullets)))
    assert render_text(page, TEXT).split(" [SEP] ")[4:] == shown


def test_an_empty_title_and_description_leave_no_trace(item: ItemPage):
    empty = replace(item, product=replace(item.product, title="", description=""))
    assert "one size [SEP] Price: $9.99" in render_text(empty, TEXT)
    assert render_text(SubPage("Description", empty), TEXT).endswith("< Prev")


def test_rich_text_marks_what_can_be_clicked_and_what_was(results: ResultsPage, item: ItemPage):
    assert render_rich(SearchPage(), TEXT) == "WebShop\nInstruction: \nfind a red pillow\n[button] Search [button_]\n"
    assert render_rich(replace(results, seen=frozenset({"B000000004"})), TEXT) == (
        "Instruction:\nfind a red pillow\n[button] Back to Search [button_]\nPage 1 (Total results: 2)\n"
        "[button] Next > [button_]\n\n[button] B000000001 [button_]\nVelvet Pillow\n$9.99\n\n"
        "[clicked button] B000000004 [clicked button_]\nVelvet Cushion\n$9.99\n"
    )
    chosen = replace(item, options={"color": "red", "size": "small"})
    assert render_rich(chosen, TEXT) == (
        "You have clicked small.\nYou have clicked red.\nInstruction:\nfind a red pillow\n"
        "[button] Back to Search [button_]\n[button] < Prev [button_]\ncolor\n"
        "  [clicked button] red [clicked button_]\n"
        "  [button] navy | grey [button_]\nsize\n  [clicked button] small [clicked button_]\n"
        "  [button] one size [button_]\nstyle\n  [button] one size [button_]\nVelvet Pillow\nPrice: $9.99\n"
        "Rating: N.A.\n[button] Description [button_]\n[button] Features [button_]\n[button] Reviews [button_]\n"
        "[button] Buy Now [button_]\n"
    )


def test_react_sees_three_results_and_options_in_brackets(shop: Shop, item: ItemPage):
    page = render_react(shop.search("pillow"), TEXT)
    assert page.startswith("\n[Back to Search] \nPage 1 (Total results: 13) \n[Next >] \n[B")
    assert page.count("\n[B0") == 3
    assert page.endswith("] \nPillow No. 0 \n$9.99 ")
    assert render_react(SearchPage(), TEXT) == "\nWebshop \nInstruction:  \nfind a red pillow \n[Search] "
    assert render_react(replace(item, options={"color": "red"}), TEXT) == (
        "\n[Back to Search] \n[< Prev] \ncolor [[red]][navy | grey]\nsize [small][one size]\nstyle [one size]\n"
        "Velvet Pillow \nPrice: $9.99 \nRating: N.A. \n[Description] \n[Features] \n[Reviews] \n[Buy Now] "
    )
    assert render_react(SubPage("Features", item), TEXT) == (
        "\n[Back to Search] \n[< Prev] \n Machine wash \n Made well "
    )
    assert render_react(DonePage(item.product, {}, SCORE), TEXT) == "Your score (min 0.0, max 1.0): 0.75"


def test_react_reads_escapes_in_texts(item: ItemPage):
    page = SubPage("Description", replace(item, product=replace(item.product, description=r"é one\ntwo \q \u2019")))
    assert render_react(page, TEXT).endswith("\né one\ntwo \\q \\u2019 ")
