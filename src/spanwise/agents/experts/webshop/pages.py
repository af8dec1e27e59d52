"""Pages of the shop, read back from text: what kind of page it is, and what it offers.

Reads ReAct's rendering, ``text`` (pieces joined by ``[SEP]``) and ``text_rich`` (buttons marked). Where ``text`` does
not tell an option's name from its values, names that shops commonly use, and those of the errand, are taken for names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

SEARCH, BACK, PREVIOUS, NEXT, BUY = "Search", "Back to Search", "< Prev", "Next >", "Buy Now"
DESCRIPTION, FEATURES, REVIEWS = "Description", "Features", "Reviews"

_BUTTONS = frozenset((SEARCH, BACK, PREVIOUS, NEXT, BUY, DESCRIPTION, FEATURES, REVIEWS))
_OPTION_NAMES = frozenset(
    (
        *("color", "size", "style", "fit type", "flavor", "flavor name", "scent", "scent name", "pattern name"),
        *("item shape", "number of items", "material type", "item package quantity", "team name", "unit count"),
        "configuration",
    )
)
_SEPARATOR = " [SEP] "
_RICH_BUTTON = re.compile(r"^\s*\[(?:clicked )?button\] (.*) \[(?:clicked )?button_\]\s*$")
_REACT_BUTTONS = re.compile(r"^\[([^\[\]]+)\]\s*$")
_PAGE = re.compile(r"^Page (\d+) \(Total results: (\d+)\)$")
_PRICE = re.compile(r"^\$([\d.,]+)(?: to \$([\d.,]+))?$")
_ITEM_PRICE = re.compile(r"^Price: (.*)$")
_CLICKED = re.compile(r"^You have clicked (.*)\.$")
_SCORE = "Your score (min 0.0, max 1.0)"


class Kind(Enum):
    """What an observation shows."""

    SEARCH = "search"
    RESULTS = "results"
    ITEM = "item"
    SUB_PAGE = "sub-page"
    CHOSEN = "chosen"
    DONE = "done"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs, in dollars: from ``low`` to ``high``; both are 0 where the page does not say."""

    tag: str
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """One product of a page of results."""

    asin: str
    title: str
    price: Price


@dataclass(frozen=True, slots=True)
class Item:
    """A product's page."""

    title: str
    price: Price
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """An observation, read.

    Attributes:
        kind: What it shows.
        instruction: The errand, where the page repeats it.
        number: Of the page of results; 0 elsewhere.
        hits: The results that it shows.
        further: There is a button for more results.
        item: The product, on a product's page.
        text: What a sub-page says, or the value that was chosen.
    """

    kind: Kind
    instruction: str = ""
    number: int = 0
    hits: tuple[Hit, ...] = ()
    further: bool = False
    item: Item | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    button: bool = False


def read_price(tag: str) -> Price:
    """A price tag, read; a tag of another form has no bounds."""
    found = _PRICE.match(tag.strip())
    try:
        low = float(found[1].replace(",", "")) if found else 0.0
        high = float(found[2].replace(",", "")) if found and found[2] else low
    except ValueError:
        return Price(tag)
    return Price(tag, min(low, high), max(low, high))


def read_page(observation: str, option_names: Collection[str] = ()) -> Page:
    """What an observation shows; never fails.

    Args:
        observation: Of any mode.
        option_names: Names of options that the errand speaks of.
    """
    text = observation.strip()
    if "\n" not in text and (clicked := _CLICKED.match(text)):
        return Page(Kind.CHOSEN, text=clicked[1])
    if _SCORE in text:
        return Page(Kind.DONE, text=text)
    pieces = _pieces(observation)
    words = [piece.text for piece in pieces]
    instruction, rest = _instruction(pieces)
    if BACK not in words:
        kind = Kind.SEARCH if SEARCH in words and instruction else Kind.OTHER
        return Page(kind, instruction, text=text)
    number = next((index for index, word in enumerate(words) if _PAGE.match(word)), None)
    if number is not None:
        found = _PAGE.match(words[number])
        hits = _hits(pieces[number + 1 :])
        further = any(piece.text == NEXT for piece in pieces[number + 1 :])
        return Page(Kind.RESULTS, instruction, int(found[1]) if found else 1, hits, further)
    inside = _after(rest, PREVIOUS)
    if BUY in words:
        return Page(Kind.ITEM, instruction, item=_item(inside, _OPTION_NAMES | set(option_names)))
    return Page(Kind.SUB_PAGE, instruction, text="\n".join(piece.text for piece in inside))


def _pieces(observation: str) -> list[_Piece]:
    if _SEPARATOR in observation:
        return [_Piece(text.strip(), text.strip() in _BUTTONS) for text in observation.split(_SEPARATOR)]
    pieces = []
    for line in observation.split("\n"):
        if not line.strip():
            continue
        button = _RICH_BUTTON.match(line) or _REACT_BUTTONS.match(line.strip())
        pieces.append(_Piece(button[1].strip(), True) if button else _Piece(line.strip()))
    return pieces


def _instruction(pieces: list[_Piece]) -> tuple[str, list[_Piece]]:
    """The errand that the page repeats, and what follows it."""
    for index, piece in enumerate(pieces[:4]):
        if piece.text.rstrip(": ") == "Instruction" and index + 1 < len(pieces):
            if pieces[index + 1].button:
                return "", pieces[index + 1 :]
            return pieces[index + 1].text, pieces[index + 2 :]
    return "", pieces


def _after(pieces: list[_Piece], name: str) -> list[_Piece]:
    place = next((index for index, piece in enumerate(pieces) if piece.text == name), -1)
    return pieces[place + 1 :]


def _hits(pieces: list[_Piece]) -> tuple[Hit, ...]:
    """Each price closes a product: its id and title stand before it."""
    hits = []
    before: list[str] = []
    for piece in pieces:
        if piece.button and piece.text in _BUTTONS:
            before = []
        elif _PRICE.match(piece.text) and before:
            hits.append(Hit(before[0], " ".join(before[1:]), read_price(piece.text)))
            before = []
        else:
            before.append(piece.text)
    return tuple(hits)


def _item(pieces: list[_Piece], names: Collection[str]) -> Item:
    place = next((index for index, piece in enumerate(pieces) if _ITEM_PRICE.match(piece.text)), len(pieces))
    tag = pieces[place].text.removeprefix("Price: ") if place < len(pieces) else ""
    title = pieces[place - 1].text if place > 0 and not pieces[place - 1].button else ""
    options: dict[str, tuple[str, ...]] = {}
    name = ""
    for piece in pieces[: max(place - 1, 0)]:
        if not piece.button and piece.text.endswith("]") and "[" in piece.text[1:]:
            start = piece.text.index("[", 1)
            options[piece.text[:start].strip()] = _values(piece.text[start:])
        elif not piece.button and (piece.text in names or not name):
            name = piece.text
            options.setdefault(name, ())
        else:
            options[name] = (*options.get(name, ()), piece.text)
    return Item(title, read_price(tag), {name: values for name, values in options.items() if values})


def _values(text: str) -> tuple[str, ...]:
    """The values of ``[a][[b]][c]``; doubled brackets mark a choice."""
    values = []
    for value in text[1:-1].split("]["):
        marked = value.startswith("[") and value.endswith("]")
        values.append(value[1:-1] if marked else value)
    return tuple(values)
