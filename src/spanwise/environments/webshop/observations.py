"""Pages as text: what is visible on each, and three ways of writing it down.

``text`` joins what is visible by ``[SEP]``; ``text_rich`` marks what can be clicked and what was; ``react`` is how
ReAct's agents saw the shop: three results a page, options in brackets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum

from spanwise.environments.webshop.shop import (
    BACK,
    BUY,
    NEXT,
    PREVIOUS,
    SEARCH,
    SUB_PAGES,
    DonePage,
    ItemPage,
    Page,
    ResultsPage,
    SearchPage,
    SubPage,
)

SEPARATOR = " [SEP] "
SCORE_LABEL = "Your score (min 0.0, max 1.0)"
#: Results that ReAct's agents are shown of a page.
REACT_RESULTS = 3
_NOT_VISIBLE = " \n\t\f\r"


class Part(Enum):
    """What a piece of text on a page is."""

    TEXT = "text"
    BUTTON = "button"
    OPTION = "option"
    PRODUCT = "product"


Piece = tuple[Part, str]


def visible(page: Page, instruction: str) -> list[Piece]:
    """The pieces of text that a page shows, in order.

    Args:
        page: The page.
        instruction: The goal in words, which all pages but the last repeat.
    """
    if isinstance(page, DonePage):
        return _texts(_done(page), as_it_is=True)
    if isinstance(page, SearchPage):
        return [*_texts(("WebShop", "Instruction: ", instruction)), (Part.BUTTON, SEARCH)]
    pieces = [*_texts(("Instruction:", instruction)), (Part.BUTTON, BACK)]
    if isinstance(page, ResultsPage):
        return pieces + _results(page)
    pieces.append((Part.BUTTON, PREVIOUS))
    return pieces + (_item(page) if isinstance(page, ItemPage) else _sub_page(page))


def render_text(page: Page, instruction: str) -> str:
    """A page as one line, pieces joined by ``[SEP]``: the original's ``text`` mode."""
    return SEPARATOR.join([text.strip() for _, text in visible(page, instruction)])


def render_rich(page: Page, instruction: str) -> str:
    """A page as lines, what can be clicked and what was clicked marked: the original's ``text_rich`` mode."""
    address = f"{_address(page)}/{json.dumps(page.options)}" if isinstance(page, ItemPage) else ""
    seen = page.seen if isinstance(page, ResultsPage) else frozenset()
    clicked: list[str] = []
    lines = []
    for part, text in visible(page, instruction):
        if part is Part.TEXT:
            lines.append(text)
            continue
        before = {Part.BUTTON: "", Part.OPTION: "  ", Part.PRODUCT: "\n"}[part]
        if part is Part.OPTION and f'"{text}"' in address:
            clicked.insert(0, f"You have clicked {text}.")
            marker = "clicked button"
        else:
            marker = "clicked button" if part is Part.PRODUCT and text in seen else "button"
        lines.append(f"{before}[{marker}] {text} [{marker}_]")
    return "".join(f"{line}\n" for line in (*clicked, *lines))


def render_react(page: Page, instruction: str) -> str:
    """A page as ReAct's agents saw it: the goal on the first page only, and the first three results."""
    if isinstance(page, DonePage):
        return f"{SCORE_LABEL}: {page.score.reward}"
    address = f"{_address(page)}/{dict(page.options)}" if isinstance(page, ItemPage) else ""
    pieces = visible(page, instruction)
    if isinstance(page, SearchPage):
        pieces[0] = (Part.TEXT, "Webshop")
    else:
        pieces = pieces[2:]
    written = []
    products = 0
    for part, text in pieces:
        products += part is Part.PRODUCT
        if products > REACT_RESULTS:
            break
        if not text.replace("\n", "").replace("\\n", "").replace(" ", ""):
            continue
        if part is Part.TEXT:
            written.append(f"\n{text} ")
        elif part is Part.OPTION:
            written.append(f"[[{text}]]" if f"'{text}'" in address else f"[{text}]")
        else:
            written.append(f"\n[{text}] ")
    return _unescaped("".join(written))


def _address(page: ItemPage) -> str:
    """The end of the page's address but for its options; modes that mark choices look for them in all of it."""
    return f"{page.product.asin}/{page.results.query.replace(' ', '+')}/{page.results.number}"


def _results(page: ResultsPage) -> list[Piece]:
    pieces: list[Piece] = [(Part.TEXT, f"Page {page.number} (Total results: {len(page.results)})")]
    if page.number > 1:
        pieces.append((Part.BUTTON, PREVIOUS))
    pieces.append((Part.BUTTON, NEXT))
    for product in page.shown:
        pieces.append((Part.PRODUCT, product.asin))
        pieces += _texts((product.title, product.price_tag))
    return pieces


def _item(page: ItemPage) -> list[Piece]:
    product = page.product
    pieces: list[Piece] = []
    for name, values in product.options.items():
        pieces += _texts((name,))
        pieces += [(Part.OPTION, value) for _, value in _texts(values)]
    pieces += _texts((product.title, f"Price: {product.price_tag}", f"Rating: {product.rating}"))
    return [*pieces, *((Part.BUTTON, name) for name in (*SUB_PAGES, BUY))]


def _sub_page(page: SubPage) -> list[Piece]:
    product = page.item.product
    if page.name == "Description":
        return _texts((product.description,))
    if page.name == "Features":
        return _texts(f" {bullet}" for bullet in product.bullets)
    if page.name == "Reviews":
        return _texts(
            text for review in product.reviews for text in (f'"{review.title}"', review.score, review.body) if text
        )
    claims = (f" {attribute}" for attribute in product.attributes)
    return _texts((*claims, product.category, product.query, product.product_category))


def _done(page: DonePage) -> tuple[str, ...]:
    """The last page. The original's text environment leaves most of it empty: it tells reward and purchase only."""
    return (
        "Thank you for shopping with us!",
        "Your code: ",
        "None",
        " (Paste it in your MTurk interface.)",
        *("Purchased", "asin", page.product.asin, "options", _json_in_html(page.options)),
        *("attrs", "None", "category", "None", "query", "None", "product category", "None"),
        *("Target", "asin", "options", "attrs", "price upper", "instuction text", "category", "product category"),
        *("query", "Goal ", "None", "Reward"),
        *(SCORE_LABEL, str(page.score.reward), "Reward Details ", "None"),
    )


def _texts(texts: Iterable[str], as_it_is: bool = False) -> list[Piece]:
    """Texts as a parser of HTML leaves them: none where there is nothing; space alone is dropped, or one space."""
    pieces = []
    for text in texts:
        if text and not as_it_is and not text.strip(_NOT_VISIBLE):
            text = "" if "\n" in text else " "
        if text:
            pieces.append((Part.TEXT, text))
    return pieces


def _json_in_html(options: Mapping[str, str]) -> str:
    """JSON as it is written into pages: names sorted, and no character that HTML knows."""
    text = json.dumps(dict(options), sort_keys=True)
    return "".join(f"\\u{ord(char):04x}" if char in "<>&'" else char for char in text)


_ESCAPE = re.compile(r"""\\(?:[\\'"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2})""")


def _unescaped(text: str) -> str:
    """A text whose backslash escapes are what they stand for, as ReAct's program reads pages."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: found[0].encode().decode("unicode-escape"), text)


RENDERERS: Mapping[str, Callable[[Page, str], str]] = {
    "text": render_text,
    "text_rich": render_rich,
    "react": render_react,
}
