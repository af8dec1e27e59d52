"""What the original program's search engine found for 457 queries, found again."""

import gzip
import json
import os
from pathlib import Path

import pytest

from spanwise.environments.webshop.catalogue import read_catalogue
from spanwise.environments.webshop.search import Index, build_index

GOLDENS = Path(os.environ.get("SPANWISE_WEBSHOP_GOLDENS", Path(__file__).parents[3] / "shared/data/webshop"))
pytestmark = pytest.mark.skipif(
    not (GOLDENS / "search.jsonl.gz").exists(),
    reason=f"no recorded searches: {GOLDENS / 'search.jsonl.gz'} (SPANWISE_WEBSHOP_GOLDENS) is missing",
)


def test_the_order_of_results_is_that_of_lucene(tmp_path):
    products = read_catalogue(GOLDENS).products
    build_index((product.index_text for product in products), [product.asin for product in products]).save(tmp_path)
    index = Index.load(tmp_path)
    with gzip.open(GOLDENS / "search.jsonl.gz", "rt", encoding="utf-8") as file:
        recorded = [json.loads(line) for line in file]
    first_page = shared = asked = 0
    for one in recorded:
        expected = one["asins"]
        found = [products[number].asin for number in index.search(one["query"])]
        first_page += found[:10] == expected[:10]
        shared, asked = shared + len(set(found) & set(expected)), asked + max(len(found), len(expected))
    assert first_page >= 0.99 * len(recorded) > 0
    assert shared >= 0.995 * asked
