import copy
import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from spanwise.environments.webshop.catalogue import Catalogue, draw_prices, make_catalogue, read_catalogue
from spanwise.errors import TaskDataError

RECORD = {
    "asin": "B000000001",
    "name": "Pillow",
    "full_description": "Soft.",
    "small_description": ["Washable", "Warm"],
    "pricing": "$1,234.50",
    "images": [],
    "product_category": "Home › Bedding",
    "customization_options": {"Color": [{"value": " Red/Blue "}, {"value": "White"}], "Size": None},
    "category": "garden",
    "query": " Pillows ",
}


def changed(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(RECORD), **changes}


def one(**changes: Any) -> Catalogue:
    return make_catalogue("file.json", [changed(**changes)], {}, {})


def test_a_product_is_read_as_the_original_reads_it():
    product = one().products[0]
    assert product.options == {"color": ("red | blue", "white")}
    assert product.query == "pillows"
    assert (product.price_tag, product.pricing) == ("$1234.5", (1234.5,))
    assert product.attributes == ("DUMMY_ATTR",)
    assert product.index_text == "pillow soft. washable color: red | blue, white"


@pytest.mark.parametrize(
    ("written", "tag", "pricing"),
    [
        ("", "$100.0", (100.0,)),
        (None, "$100.0", (100.0,)),
        ("$3.00$9.50$12.00", "$3.0 to $9.5", (3.0, 9.5)),
    ],
)
def test_prices_are_read(written: str | None, tag: str, pricing: tuple[float, ...]):
    product = one(pricing=written).products[0]
    assert (product.price_tag, product.pricing) == (tag, pricing)


def test_the_first_product_of_an_asin_counts_and_odd_asins_are_left_out():
    records = [changed(), changed(name="Later"), changed(asin="nan"), changed(asin="B" * 11), changed(asin="B2")]
    catalogue = make_catalogue("file.json", records, {}, {})
    assert [product.title for product in catalogue.products] == ["Pillow", "Pillow"]
    assert list(catalogue.by_asin) == ["B000000001", "B2"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", None),
        ("name", 3),
        ("full_description", ["x"]),
        ("small_description", [1]),
        ("pricing", "free"),
        ("pricing", "$1.2.3"),
        ("pricing", 9.99),
        ("customization_options", [1]),
        ("customization_options", {"color": [{"name": "red"}]}),
        ("customization_options", {"color": [{"value": None}]}),
        ("query", None),
    ],
)
def test_a_damaged_record_is_named(name: str, value: Any):
    with pytest.raises(TaskDataError, match=rf"file\.json: product 1 \(asin B2\): '{name}' holds"):
        make_catalogue("file.json", [changed(), changed(asin="B2", **{name: value})], {}, {})


def test_a_product_without_a_price_is_named():
    record = changed(asin="B2")
    del record["pricing"]
    with pytest.raises(TaskDataError, match=r"product 1 \(asin B2\): 'pricing' holds nothing, expected a price"):
        make_catalogue("file.json", [changed(), record], {}, {})


@pytest.mark.parametrize("record", [7, {}, {"asin": None}])
def test_a_record_that_is_no_product_is_numbered(record: Any):
    with pytest.raises(TaskDataError, match=r"file\.json: product 0: 'asin' holds"):
        make_catalogue("file.json", [record], {}, {})


@pytest.mark.parametrize(
    ("attributes", "human", "message"),
    [
        ({"attributes": "soft"}, [], "asin B000000001: 'attributes' holds 'soft', expected a list of texts"),
        ({"attributes": [], "instruction": "x"}, [], "'instruction_attributes' holds None"),
        ({"attributes": [], "instruction": "x", "instruction_attributes": []}, [], "expected at least one"),
        ({"attributes": []}, [{"instruction": "x"}], "items_human_ins: asin B000000001"),
        ({"attributes": []}, 3, "items_human_ins: asin B000000001"),
    ],
)
def test_damaged_instructions_name_their_product(attributes: Any, human: Any, message: str):
    with pytest.raises(TaskDataError, match=re.escape(message)):
        make_catalogue("file.json", [RECORD], {"B000000001": attributes}, {"B000000001": human})


def test_a_catalogue_without_products_is_an_error():
    with pytest.raises(TaskDataError, match="holds no product"):
        make_catalogue("file.json", [], {}, {})


def test_a_product_that_is_gone_is_named_with_who_wants_it(catalogue: Catalogue):
    with pytest.raises(TaskDataError, match=r"goal 7 wants the product 'B0GONE'.* not among the 16"):
        catalogue.product("B0GONE", "goal 7")


def test_prices_take_one_draw_for_each_range(catalogue: Catalogue):
    prices = draw_prices(catalogue.products, Random(0))
    assert prices["B000000001"] == 9.99
    assert prices["B000000002"] == Random(0).uniform(20.0, 30.5)


def write(folder: Path, **files: Any) -> Path:
    for name, data in files.items():
        (folder / f"{name}.json").write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return folder


def test_a_folder_is_read_with_all_that_it_holds(tmp_path: Path):
    reviews = [{"asin": "B000000001", "average_rating": 4.5, "reviews": [{"title": "Good", "stars": 5, "review": "!"}]}]
    write(
        tmp_path,
        items_shuffle=[RECORD],
        items_ins_v2={"B000000001": {"attributes": ["soft"]}},
        reviews=reviews,
        prices={"B000000001": 5.0},
        title_nouns={"B000000001": ["pillow"]},
    )
    catalogue = read_catalogue(tmp_path, "all")
    product = catalogue.products[0]
    assert (product.rating, product.reviews[0].title, product.reviews[0].score) == ("4.5", "Good", "5")
    assert (catalogue.prices, catalogue.nouns) == ({"B000000001": 5.0}, {"B000000001": ("pillow",)})


def test_what_is_missing_is_named(tmp_path: Path):
    with pytest.raises(TaskDataError, match=r"is missing; expected the folder.*spanwise data webshop"):
        read_catalogue(tmp_path / "nowhere")
    write(tmp_path, items_shuffle=[RECORD])
    with pytest.raises(TaskDataError, match=r"items_shuffle_1000\.json .* is missing \(found: items_shuffle\.json\)"):
        read_catalogue(tmp_path)
    with pytest.raises(TaskDataError, match=r"items_ins_v2\.json .* is missing"):
        read_catalogue(tmp_path, "all")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"items_ins_v2": "[1]"}, "holds a list, expected a table by asin"),
        ({"items_ins_v2": '{"a": '}, "not JSON"),
        ({"prices": {"B0": "5"}}, "asin B0: holds '5', expected a price"),
        ({"title_nouns": {"B0": "x"}}, "asin B0: 'nouns' holds 'x'"),
        ({"reviews": [{"asin": "B0"}]}, "record 0: KeyError 'reviews'"),
        ({"reviews": [3]}, "record 0"),
    ],
)
def test_damaged_side_files_are_named(tmp_path: Path, files: dict[str, Any], message: str):
    write(tmp_path, **{"items_shuffle": [RECORD], "items_ins_v2": {}, **files})
    with pytest.raises(TaskDataError, match=re.escape(message)) as caught:
        read_catalogue(tmp_path, "all")
    assert next(iter(files)) in str(caught.value)
