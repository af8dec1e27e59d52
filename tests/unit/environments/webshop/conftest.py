"""A shop of five products, made by hand, with a search engine that counts shared words."""

from __future__ import annotations

from typing import Any

import pytest

from spanwise.environments.webshop.catalogue import Catalogue, make_catalogue
from spanwise.environments.webshop.goals import Goal
from spanwise.environments.webshop.nouns import WordNouns
from spanwise.environments.webshop.reward import Scorer
from spanwise.environments.webshop.shop import Shop


def product_record(asin: str, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "asin": asin,
        "name": name,
        "full_description": f"About the {name}.",
        "small_description": ["Machine wash", "Made well"],
        "pricing": "$9.99",
        "images": ["https://example.org/a.jpg"],
        "product_category": "Home › Bedding › Pillows",
        "customization_options": {
            "Color": [{"value": "Red", "image": None}, {"value": "Navy/Grey ", "image": None}],
            "Size": [{"value": "Small"}, {"value": "One Size"}],
            "Style": [{"value": "One Size"}],
        },
        "category": "garden",
        "query": " Decorative Pillows",
        **changes,
    }


RECORDS = [
    product_record("B000000001", "Velvet Pillow"),
    product_record("B000000002", "Linen Pillow", customization_options="", pricing="$20.00$30.50", full_description=""),
    product_record("B000000003", "Oak Table", query="tables", product_category="Home › Furniture › Tables"),
    product_record("B000000004", "Velvet Cushion", small_description="One bullet"),
    product_record("B000000005", "Steel Table", pricing=""),
    *(product_record(f"B0000001{number:02}", f"Pillow No. {number}") for number in range(11)),
]
ATTRIBUTES = {
    "B000000001": {
        "attributes": ["machine washable", "super soft"],
        "instruction": "Find me super soft decorative pillows",
        "instruction_attributes": ["super soft"],
    },
    "B000000002": {"attributes": []},
    "B000000003": {
        "attributes": ["solid wood"],
        "instruction": "Find me tables with solid wood",
        "instruction_attributes": ["solid wood"],
    },
}
HUMAN = {
    "B000000001": [
        {
            "instruction": "i want a red pillow.",
            "instruction_attributes": ["super soft"],
            "instruction_options": ["red"],
        },
        {"instruction": "anything.", "instruction_attributes": [], "instruction_options": []},
    ],
    "B999999999": [{"instruction": "gone", "instruction_attributes": ["x"], "instruction_options": []}],
}


class WordSearch:
    """Ranks products by how many of a query's words they hold; a stand-in for the search engine."""

    def __init__(self, catalogue: Catalogue):
        self._texts = [product.index_text for product in catalogue.products]

    def search(self, query: str, k: int = 50) -> list[int]:
        hits = {number: sum(word in text for word in query.split()) for number, text in enumerate(self._texts)}
        return [number for number in sorted(hits, key=lambda number: -hits[number]) if hits[number]][:k]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return make_catalogue("products.json", RECORDS, ATTRIBUTES, HUMAN)


@pytest.fixture(scope="session")
def goal() -> Goal:
    return Goal("B000000001", "find a red pillow", ("super soft",), 30.0, (("color", "red"), ("size", "small")))


@pytest.fixture(scope="session")
def shop(catalogue: Catalogue, goal: Goal) -> Shop:
    prices = {product.asin: product.pricing[0] for product in catalogue.products}
    return Shop(catalogue, (goal,), WordSearch(catalogue), Scorer(prices, WordNouns()))
