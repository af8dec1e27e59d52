import sys
from types import SimpleNamespace

import pytest
from tests.unit.environments.webshop.conftest import RECORDS, product_record

from spanwise.environments.webshop.catalogue import Catalogue, make_catalogue
from spanwise.environments.webshop.nouns import WordNouns, make_finder
from spanwise.errors import TaskDataError


def test_nouns_of_the_folder_are_used_and_named():
    catalogue = make_catalogue("f", RECORDS, {}, {}, nouns={"B000000001": ("pillow",)})
    finder = make_finder(catalogue, "auto")
    assert finder.source == "title_nouns.json"
    assert finder.nouns(catalogue.products[0]) == ("pillow",)
    with pytest.raises(TaskDataError, match=r"title_nouns\.json has no nouns for asin B000000002"):
        finder.nouns(catalogue.products[1])


def test_words_that_are_no_nouns_are_left_out():
    title = "Women's Soft Pillow for the Sofa, 16 x 16 – Pillow"
    catalogue = make_catalogue("f", [product_record("B1", title)], {}, {})
    finder = make_finder(catalogue, "words")
    assert isinstance(finder, WordNouns)
    assert finder.nouns(catalogue.products[0]) == ("pillow", "sofa", "pillow")


def test_without_spacy_the_message_says_what_can_be_done(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    for choice in ("auto", "spacy"):
        with pytest.raises(TaskDataError, match=r'needs the nouns .*python -m spacy download .*nouns = "words"'):
            make_finder(catalogue, choice)


def test_spacy_is_asked_for_nouns_and_names(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    def load(name: str) -> object:
        assert name == "en_core_web_sm"
        return Pipeline()

    class Pipeline:
        meta = {"version": "3.8.0"}  # noqa: RUF012

        def __call__(self, title: str) -> list[SimpleNamespace]:
            tags = {"Velvet": "PROPN", "Pillow": "NOUN"}
            return [SimpleNamespace(text=word, pos_=tags.get(word, "ADJ")) for word in f"Nice {title}".split()]

    monkeypatch.setitem(sys.modules, "spacy", SimpleNamespace(load=load))
    finder = make_finder(catalogue, "auto")
    assert finder.source.startswith("spaCy ")
    assert finder.source.endswith(" en_core_web_sm 3.8.0")
    assert finder.nouns(catalogue.products[0]) == ("velvet", "pillow")
