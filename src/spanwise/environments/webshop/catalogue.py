"""WebShop's product files, read: what each product is called, costs, offers and claims.

A folder in WebShop's own layout holds ``items_shuffle*.json`` (products), ``items_ins_v2*.json`` (attributes and
synthetic instructions), ``items_human_ins.json`` (people's instructions) and, if there are any, ``reviews.json``,
``prices.json`` (what each product cost in one run of the original) and ``title_nouns.json`` (nouns of the titles).
Each may be compressed (``.gz``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from random import Random
from typing import Any

from spanwise.environments.json_files import find_file, read_json, records
from spanwise.errors import TaskDataError

#: Suffix of the file names of each catalogue that WebShop's authors publish.
CATALOGUES: Mapping[str, str] = {"1000": "_1000", "all": ""}

#: What the original gives a product of which no attributes are known.
NO_ATTRIBUTES = ("DUMMY_ATTR",)
NO_PRICE = 100.0
NO_RATING = "N.A."
_LONGEST_ASIN = 10
_NOT_OF_A_NUMBER = re.compile(r"[^\d.]")


@dataclass(frozen=True, slots=True)
class Review:
    """What one buyer wrote."""

    title: str
    score: str
    body: str


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """One product, as its pages show it and as the reward judges it.

    Attributes:
        asin: Amazon's id, up to ten characters.
        title: Name, verbatim.
        description: Verbatim; may be empty.
        bullets: What the page "Features" lists.
        category: One of five departments, e.g. ``garden``.
        query: The search that found the product when it was collected, in lower case; its kind, e.g. ``wall art``.
        product_category: Path of Amazon's categories, joined by ``›``.
        price_tag: What the pages show: ``$9.99`` or ``$9.99 to $12.5``.
        pricing: One price, or the bounds of a range, in dollars.
        options: What can be chosen: name -> values, in the order of the page, in lower case.
        attributes: What the product claims, e.g. ``machine washable``; hidden from the agent.
        rating: Of five, or ``N.A.``.
        reviews: What buyers wrote.
        image: Address of the first picture; empty where there is none.
    """

    asin: str
    title: str
    description: str
    bullets: tuple[str, ...]
    category: str
    query: str
    product_category: str
    price_tag: str
    pricing: tuple[float, ...]
    options: Mapping[str, tuple[str, ...]]
    attributes: tuple[str, ...]
    rating: str = NO_RATING
    reviews: tuple[Review, ...] = ()
    image: str = ""

    @property
    def index_text(self) -> str:
        """What the search engine reads of it, in lower case."""
        options = ", and ".join(f"{name}: {', '.join(values)}" for name, values in self.options.items())
        return " ".join((self.title, self.description, self.bullets[0] if self.bullets else "", options)).lower()


@dataclass(frozen=True, slots=True)
class Instruction:
    """An errand in words, before a price is added: of a machine or of a person.

    Attributes:
        asin: The product that it was written for.
        text: The errand.
        attributes: What the product must claim.
        options: Values to be chosen (people's instructions only; synthetic ones take every combination).
    """

    asin: str
    text: str
    attributes: tuple[str, ...]
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """A shop's stock.

    Attributes:
        source: Where it was read, for messages.
        products: In the order of the file, which the search engine's document numbers follow.
        synthetic: Instructions made from attributes, at most one a product, by asin.
        human: People's instructions, by asin.
        prices: What each product costs, by asin, as one run of the original drew them; empty: still to be drawn.
        nouns: Nouns of the titles in lower case, by asin; empty: not known.
        by_asin: The products, by asin.
    """

    source: str
    products: tuple[Product, ...]
    synthetic: Mapping[str, Instruction]
    human: Mapping[str, tuple[Instruction, ...]]
    prices: Mapping[str, float] = field(default_factory=dict)
    nouns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_asin: Mapping[str, Product] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_asin", {product.asin: product for product in self.products})

    def product(self, asin: str, wanted_by: str) -> Product:
        """The product of an asin.

        Raises:
            TaskDataError: It is not in stock; the message names who wanted it.
        """
        if asin not in self.by_asin:
            raise TaskDataError(
                f"{self.source}: {wanted_by} wants the product {asin!r}, which is not among the {len(self.products):,} "
                "of the catalogue; goals and catalogue must be of the same release"
            )
        return self.by_asin[asin]


def draw_prices(products: Iterable[Product], draw: Random) -> dict[str, float]:
    """What each product costs, in dollars, by asin: its price, or one from its range.

    Args:
        products: In the order of the catalogue, in which the original draws.
        draw: Where chance comes from; one number is taken for each range.
    """
    return {
        product.asin: product.pricing[0] if len(product.pricing) == 1 else draw.uniform(*product.pricing)
        for product in products
    }


def read_catalogue(folder: Path, catalogue: str = "1000") -> Catalogue:
    """The catalogue in a folder of WebShop's files.

    Args:
        folder: Where the files are.
        catalogue: A key of ``CATALOGUES``.

    Raises:
        TaskDataError: A file is missing or damaged; the message names file and record.
    """
    if not folder.is_dir():
        raise TaskDataError(
            f"{folder} is {'not a folder' if folder.exists() else 'missing'}; expected the folder that holds WebShop's "
            f"items_shuffle*.json; `spanwise data webshop {folder}` fetches it"
        )
    suffix = CATALOGUES[catalogue]
    products_file = _data_file(folder, f"items_shuffle{suffix}.json")
    attributes_file = _data_file(folder, f"items_ins_v2{suffix}.json")
    reviews_file = find_file(folder, "reviews.json")
    prices_file, nouns_file = find_file(folder, "prices.json"), find_file(folder, "title_nouns.json")
    human_file = find_file(folder, "items_human_ins.json")
    return make_catalogue(
        str(products_file),
        records(products_file),
        _mapping(attributes_file),
        human={} if human_file is None else _mapping(human_file),
        reviews={} if reviews_file is None else _reviews(reviews_file),
        prices={} if prices_file is None else _prices(prices_file),
        nouns={} if nouns_file is None else _nouns(nouns_file),
    )


def make_catalogue(
    source: str,
    products: Iterable[Any],
    attributes: Mapping[str, Any],
    human: Mapping[str, Any],
    reviews: Mapping[str, tuple[str, tuple[Review, ...]]] | None = None,
    prices: Mapping[str, float] | None = None,
    nouns: Mapping[str, tuple[str, ...]] | None = None,
) -> Catalogue:
    """A catalogue of records in WebShop's format. As in the original, the first product of an asin counts.

    Raises:
        TaskDataError: A record is damaged; the message names it.
    """
    stock: dict[str, Product] = {}
    rated = reviews or {}
    for number, record in enumerate(products):
        asin = _text(_Record(source, number, None, record), "asin")
        if asin == "nan" or len(asin) > _LONGEST_ASIN or asin in stock:
            continue
        of = _Record(source, number, asin, record)
        rating, written = rated.get(asin, (NO_RATING, ()))
        stock[asin] = _product(of, attributes.get(asin), rating, written)
    if not stock:
        raise TaskDataError(f"{source}: holds no product; the file is damaged, fetch it again")
    synthetic = {asin: made for asin in stock if (made := _synthetic(asin, attributes.get(asin))) is not None}
    written_by_people = {asin: _human(asin, human[asin]) for asin in stock if asin in human}
    return Catalogue(source, tuple(stock.values()), synthetic, written_by_people, prices or {}, nouns or {})


@dataclass(frozen=True, slots=True)
class _Record:
    """A product's record, and how to name it in a message."""

    source: str
    number: int
    asin: str | None
    fields: Any

    def error(self, name: str, found: Any, expected: str) -> TaskDataError:
        which = "" if self.asin is None else f" (asin {self.asin})"
        shown = "nothing" if found is None else repr(found)[:80]
        return TaskDataError(
            f"{self.source}: product {self.number}{which}: {name!r} holds {shown}, expected {expected}"
        )


def _product(record: _Record, known: Any, rating: str, reviews: tuple[Review, ...]) -> Product:
    fields = record.fields
    bullets = fields.get("small_description")
    bullets = bullets if isinstance(bullets, list) else [bullets]
    if not all(isinstance(bullet, str) for bullet in bullets):
        raise record.error("small_description", fields.get("small_description"), "a text or a list of texts")
    price_tag, pricing = _pricing(record)
    images = fields.get("images")
    return Product(
        asin=_text(record, "asin"),
        title=_text(record, "name"),
        description=_text(record, "full_description"),
        bullets=tuple(bullets),
        category=_text(record, "category"),
        query=_text(record, "query").lower().strip(),
        product_category=_text(record, "product_category"),
        price_tag=price_tag,
        pricing=pricing,
        options=_options(record),
        attributes=_claims(record, known),
        rating=rating,
        reviews=reviews,
        image=images[0] if isinstance(images, list) and images and isinstance(images[0], str) else "",
    )


def _text(record: _Record, name: str) -> str:
    value = record.fields.get(name) if isinstance(record.fields, dict) else None
    if not isinstance(value, str):
        raise record.error(name, value, "a text")
    return value


def _pricing(record: _Record) -> tuple[str, tuple[float, ...]]:
    """The tag and the bounds. An empty text is what products have whose price was not shown: the original says $100."""
    if "pricing" not in record.fields:
        raise record.error("pricing", None, "a price as '$9.99', a range as '$9.99$12.50', or '' where none is shown")
    written = record.fields["pricing"]
    if written is None or written == "":
        return f"${NO_PRICE}", (NO_PRICE,)
    try:
        prices = [float(Decimal(_NOT_OF_A_NUMBER.sub("", price))) for price in written.split("$")[1:]]
        first, *others = prices
    except (AttributeError, InvalidOperation, ValueError):
        raise record.error("pricing", written, "a price as '$9.99' or a range as '$9.99$12.50'") from None
    if not others:
        return f"${first}", (first,)
    return f"${first} to ${others[0]}", (first, others[0])


def _options(record: _Record) -> dict[str, tuple[str, ...]]:
    written = record.fields.get("customization_options")
    if not written:
        return {}
    try:
        return {
            name.lower(): tuple(content["value"].strip().replace("/", " | ").lower() for content in contents)
            for name, contents in written.items()
            if contents is not None
        }
    except (AttributeError, KeyError, TypeError):
        raise record.error(
            "customization_options", written, "a table of lists of options, each with a text as its 'value'"
        ) from None


def _claims(record: _Record, known: Any) -> tuple[str, ...]:
    if not isinstance(known, dict) or "attributes" not in known:
        return NO_ATTRIBUTES
    return _texts(known["attributes"], record.source, str(record.asin), "attributes")


def _synthetic(asin: str, known: Any) -> Instruction | None:
    if not isinstance(known, dict) or known.get("instruction") is None:
        return None
    attributes = _texts(known.get("instruction_attributes"), "items_ins_v2", asin, "instruction_attributes")
    if not attributes:
        raise TaskDataError(
            f"items_ins_v2: asin {asin}: has an instruction and no 'instruction_attributes', expected at least one"
        )
    return Instruction(asin, str(known["instruction"]), attributes)


def _human(asin: str, written: Any) -> tuple[Instruction, ...]:
    try:
        return tuple(
            Instruction(
                asin,
                str(one["instruction"]),
                _texts(one["instruction_attributes"], "items_human_ins", asin, "instruction_attributes"),
                _texts(one["instruction_options"], "items_human_ins", asin, "instruction_options"),
            )
            for one in written
        )
    except (KeyError, TypeError):
        raise TaskDataError(
            f"items_human_ins: asin {asin}: holds {written!r:.80}, expected a list of tables with 'instruction', "
            "'instruction_attributes' and 'instruction_options'"
        ) from None


def _texts(value: Any, source: str, asin: str, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TaskDataError(f"{source}: asin {asin}: {name!r} holds {value!r:.80}, expected a list of texts")
    return tuple(value)


def _mapping(path: Path) -> dict[str, Any]:
    data = read_json(path)
    if not isinstance(data, dict):
        raise TaskDataError(f"{path}: holds a {type(data).__name__}, expected a table by asin")
    return data


def _prices(path: Path) -> dict[str, float]:
    prices = _mapping(path)
    for asin, price in prices.items():
        if not isinstance(price, int | float) or isinstance(price, bool):
            raise TaskDataError(f"{path}: asin {asin}: holds {price!r:.80}, expected a price in dollars")
    return prices


def _nouns(path: Path) -> dict[str, tuple[str, ...]]:
    return {asin: _texts(nouns, str(path), asin, "nouns") for asin, nouns in _mapping(path).items()}


def _reviews(path: Path) -> dict[str, tuple[str, tuple[Review, ...]]]:
    """Rating and reviews by asin; reviews write ``stars`` for ``score`` and ``review`` for ``body``."""
    rated = {}
    for number, record in enumerate(records(path)):
        try:
            written = tuple(
                Review(
                    title=str(one["title"]),
                    score=str(one["score"] if "score" in one else one["stars"]),
                    body=str(one.get("review", "")),
                )
                for one in record["reviews"]
            )
            rated[record["asin"]] = (str(record["average_rating"]), written)
        except (KeyError, TypeError, AttributeError) as error:
            raise TaskDataError(
                f"{path}: record {number}: {type(error).__name__} {error}, expected 'asin', 'average_rating' and "
                "'reviews', each with 'title' and 'stars'"
            ) from None
    return rated


def _data_file(folder: Path, name: str) -> Path:
    """The file of that name in a folder, plain or compressed.

    Raises:
        TaskDataError: It is missing; the message says what there is.
    """
    path = find_file(folder, name)
    if path is None:
        found = ", ".join(sorted(entry.name for entry in folder.iterdir())[:8]) or "nothing"
        raise TaskDataError(
            f"{folder}: {name} (or {name}.gz) is missing (found: {found}); `spanwise data webshop {folder}` fetches it"
        )
    return path
