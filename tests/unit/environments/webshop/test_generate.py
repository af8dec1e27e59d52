from collections import Counter
from pathlib import Path

import pytest

from spanwise.environments.webshop.catalogue import read_catalogue
from spanwise.environments.webshop.generate import generate_catalogue, generate_records, write_files
from spanwise.environments.webshop.goals import make_goals, split_goals
from spanwise.environments.webshop.kinds import KINDS
from spanwise.environments.webshop.nouns import make_finder
from spanwise.environments.webshop.reward import Scorer


def test_a_catalogue_depends_on_its_seed_alone():
    first, again, other = (list(generate_records(20, seed)) for seed in (3, 3, 4))
    assert first == again != other
    assert list(generate_records(10, 3)) == first[:10]


def test_products_are_of_all_kinds_and_no_two_share_an_asin():
    catalogue = generate_catalogue(400, 0)
    assert len(catalogue.by_asin) == len(catalogue.products) == 400
    assert Counter(product.query for product in catalogue.products).keys() == {kind.query for kind in KINDS}
    assert all(len(asin) == 10 for asin in catalogue.by_asin)
    assert {len(product.pricing) for product in catalogue.products} == {1, 2}
    assert any(product.price_tag == "$100.0" for product in catalogue.products)
    assert 0 < len(catalogue.human) < len(catalogue.synthetic) < 400


def test_asins_do_not_repeat_for_long():
    assert len({record.product["asin"] for record in generate_records(8000, 0)}) == 8000


def test_every_claim_stands_on_the_page():
    for product in generate_catalogue(100, 1).products:
        text = " ".join(product.bullets)
        assert all(claim in text and claim in product.description for claim in product.attributes)


@pytest.mark.parametrize("kind", ["synthetic", "human"])
def test_every_goal_can_be_reached_in_full(kind: str):
    catalogue = generate_catalogue(150, 2)
    goals, prices = make_goals(catalogue, kind, 1)
    scorer = Scorer(prices, make_finder(catalogue, "auto"), "fixed")
    for goal in goals:
        wanted = catalogue.by_asin[goal.asin]
        assert scorer.score(goal, wanted, wanted, [value for _, value in goal.options]).reward == 1.0, goal


def test_the_default_catalogue_fills_all_splits():
    goals, _ = make_goals(generate_catalogue(400, 0), "synthetic", 1)
    for scheme in ("paper", "product_disjoint"):
        assert min(len(numbers) for numbers in split_goals(goals, scheme).values()) > 300


def test_what_is_written_is_read_as_the_same(tmp_path: Path):
    write_files(tmp_path, 30, 5)
    written, made = read_catalogue(tmp_path, "all"), generate_catalogue(30, 5)
    assert [product.index_text for product in written.products] == [product.index_text for product in made.products]
    assert (written.synthetic, written.human, written.nouns) == (made.synthetic, made.human, made.nouns)
    assert make_goals(written, "synthetic", 1) == make_goals(made, "synthetic", 1)
