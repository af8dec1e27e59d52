"""A small shop of our own making, in WebShop's format: seeded, and as large as is wanted.

Products of a kind share words, claims and options, so that finding the right one takes reading; each product depends
on seed and number alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from spanwise.environments.webshop.catalogue import Catalogue, make_catalogue
from spanwise.environments.webshop.kinds import KINDS, Kind

#: Shares of products with a range of prices, with no price, without an instruction, and with one as a person writes it.
_RANGE, _NO_PRICE, _NO_ERRAND, _HUMAN = 0.1, 0.05, 0.1, 0.25
_ASINS = 36**8
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Coprime to the number of asins, so that no two products share one.
_STRIDE = 2_654_435_761


@dataclass(frozen=True)
class Record:
    """One product in WebShop's format: what its files hold of it."""

    product: dict[str, Any]
    attributes: dict[str, Any]
    human: list[dict[str, Any]]
    nouns: list[str]


def generate_catalogue(products: int, seed: int) -> Catalogue:
    """A catalogue of so many products; the same for the same seed."""
    records = list(generate_records(products, seed))
    asins = [record.product["asin"] for record in records]
    return make_catalogue(
        f"generated catalogue (seed {seed})",
        [record.product for record in records],
        {asin: record.attributes for asin, record in zip(asins, records, strict=True)},
        {asin: record.human for asin, record in zip(asins, records, strict=True) if record.human},
        nouns={asin: tuple(record.nouns) for asin, record in zip(asins, records, strict=True)},
    )


def write_files(folder: Path, products: int, seed: int) -> None:
    """Writes the same as WebShop's files, as those of all products (``environment.webshop.catalogue = "all"``)."""
    folder.mkdir(parents=True, exist_ok=True)
    attributes, human, nouns = {}, {}, {}
    with (folder / "items_shuffle.json").open("w", encoding="utf-8") as file:
        for number, record in enumerate(generate_records(products, seed)):
            file.write(("[" if number == 0 else ",\n") + json.dumps(record.product))
            asin = record.product["asin"]
            attributes[asin], nouns[asin] = record.attributes, record.nouns
            if record.human:
                human[asin] = record.human
        file.write("]")
    for name, data in (("items_ins_v2", attributes), ("items_human_ins", human), ("title_nouns", nouns)):
        (folder / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")


def generate_records(products: int, seed: int) -> Iterator[Record]:
    """The records of so many products, one at a time."""
    for number in range(products):
        yield _record(number, seed)


def _record(number: int, seed: int) -> Record:
    draw = Random(f"{seed}/{number}")
    kind = draw.choice(KINDS)
    asin = _asin(number, seed)
    name = draw.choice(kind.names)
    brand = draw.choice(_BRAND_STARTS) + draw.choice(_BRAND_ENDS)
    claims = draw.sample(kind.claims, draw.randint(2, min(5, len(kind.claims))))
    plain = [claim.lstrip("+>") for claim in claims]
    options = {
        option: draw.sample(values, draw.randint(2, min(6, len(values)))) for option, values in kind.options.items()
    }
    uses = [claim[1:] for claim in claims if claim.startswith(">")]
    praised = [claim for claim in claims if claim[0] not in "+>"] or plain
    title = f"{brand} {praised[0].title()} {name}{f' for {uses[0].title()}' if uses else ''}"
    title += f", {draw.choice(_SERIES)} {draw.randint(100, 999)}"
    bullets = [
        f"{draw.choice(_OPENERS)}: {draw.choice(_SENTENCES).format(claim=claim, name=name.lower())}" for claim in plain
    ]
    errand = None if draw.random() < _NO_ERRAND else _errand(draw, kind, claims)
    attributes: dict[str, Any] = {"attributes": plain}
    human = []
    if errand is not None:
        attributes |= {"instruction": errand[0], "instruction_attributes": errand[1]}
        if draw.random() < _HUMAN:
            human.append(_human(draw, asin, name, claims, options))
    return Record(
        product={
            "name": title,
            "full_description": f"{draw.choice(_INTRODUCTIONS).format(brand=brand, name=name.lower())} "
            f"It is known for {_listed(plain)}.",
            "small_description": bullets,
            "pricing": _pricing(draw, kind),
            "images": [],
            "product_category": " › ".join(kind.path),
            "average_rating": "",
            "customization_options": {
                option: [{"value": value, "image": None} for value in values] for option, values in options.items()
            },
            "asin": asin,
            "category": kind.category,
            "query": kind.query,
        },
        attributes=attributes,
        human=human,
        nouns=[word.lower() for word in (brand, *name.split(), *(uses[0].split() if uses else ()))],
    )


def _asin(number: int, seed: int) -> str:
    rest = (number + seed) * _STRIDE % _ASINS
    digits = ""
    for _ in range(8):
        rest, digit = divmod(rest, 36)
        digits = _DIGITS[digit] + digits
    return f"B0{digits}"


def _pricing(draw: Random, kind: Kind) -> str:
    price = round(draw.uniform(*kind.price), 2)
    chance = draw.random()
    if chance < _NO_PRICE:
        return ""
    return f"${price:.2f}${price * 1.4:.2f}" if chance < _NO_PRICE + _RANGE else f"${price:.2f}"


def _errand(draw: Random, kind: Kind, claims: Sequence[str]) -> tuple[str, list[str]]:
    """An instruction in the manner of the original's synthetic ones, and the attributes that it names."""
    wanted = draw.sample(claims, draw.randint(1, len(claims)))
    return f"Find me {_described(kind.query, wanted)}", [claim.lstrip("+>") for claim in wanted]


def _human(draw: Random, asin: str, name: str, claims: Sequence[str], options: dict[str, list[str]]) -> dict[str, Any]:
    """An errand as a person might put it: a claim or two, and an option or two by their values."""
    wanted = claims[: draw.randint(1, 2)]
    chosen = [draw.choice(values) for values in options.values()][: draw.randint(0, 2)]
    wish = draw.choice(("i am looking for", "i need", "i would like"))
    text = f"{wish} a {_described(name.lower(), wanted)}{f', in {_listed(chosen)}' if chosen else ''}."
    attributes = [claim.lstrip("+>") for claim in wanted]
    return {"asin": asin, "instruction": text, "instruction_attributes": attributes, "instruction_options": chosen}


def _described(what: str, claims: Sequence[str]) -> str:
    """A thing and its claims in words: before it, with "with", and with "for"."""
    before = ", ".join(claim for claim in claims if claim[0] not in "+>")
    having = ", ".join(claim[1:] for claim in claims if claim[0] == "+")
    serving = ", ".join(claim[1:] for claim in claims if claim[0] == ">")
    return " ".join(part for part in (before, what, having and f"with {having}", serving and f"for {serving}") if part)


def _listed(words: Sequence[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


_BRAND_STARTS = (
    "Al",
    "Bre",
    "Cor",
    "Dal",
    "El",
    "Fen",
    "Gar",
    "Hol",
    "Iv",
    "Jor",
    "Kel",
    "Lun",
    "Mar",
    "Nor",
    "Or",
    "Pel",
)
_BRAND_ENDS = (
    "ano",
    "dale",
    "eta",
    "ford",
    "gate",
    "ika",
    "lyn",
    "mere",
    "nova",
    "ora",
    "pine",
    "ridge",
    "stad",
    "vik",
)
_SERIES = ("Series", "Model", "No.", "Edition", "Style")
_OPENERS = ("MADE WELL", "WHAT YOU GET", "WHY YOU WILL LIKE IT", "GOOD TO KNOW", "OUR PROMISE")
_SENTENCES = (
    "this {name} is made with {claim} in mind.",
    "you asked for {claim}, and this {name} delivers it.",
    "{claim}, as every {name} should be.",
    "nothing but {claim}, tested by people who use it every day.",
)
_INTRODUCTIONS = (
    "{brand} presents a {name} that lasts.",
    "A {name} by {brand}, drawn and tested in our own workshop.",
    "Years of work went into this {name}. {brand} stands behind it.",
)
