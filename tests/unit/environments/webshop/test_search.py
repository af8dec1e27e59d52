"""The search engine against the formula written down naively, and against damaged files."""

import contextlib
import math
import struct
import zlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanwise.environments.webshop.analysis import terms
from spanwise.environments.webshop.search import FILE, Index, build_index
from spanwise.errors import TaskDataError

TEXTS = [
    "red cotton shirt for men, size: small, medium",
    "blue cotton shirt, blue buttons",
    "a lamp; bronze, for the living room",
    "",
    "the of and",
    "living room table of solid wood, brown",
]
few_words = st.lists(st.sampled_from(["red", "blue", "lamp", "table", "shirts", "the", "wood"]), max_size=60)
documents = st.lists(few_words.map(" ".join), max_size=25)
any_text = st.text(st.characters(exclude_categories=()))


def kept_length(length):
    """What eight bits keep of a document's length: all up to 39, then the four highest bits of what exceeds 24."""
    excess = length - 24
    if excess < 16:
        return length
    shift = excess.bit_length() - 4
    return 24 + (excess >> shift << shift)


def naive_search(texts, query, k=50, names=None):
    """The formula, one document at a time."""
    one, k1, b = np.float32(1), np.float32(0.9), np.float32(0.4)
    counts = [Counter(terms(text)) for text in texts]
    sizes = [sum(count.values()) for count in counts]
    holding = sum(1 for size in sizes if size)
    scores = {}
    for name, times in Counter(terms(query)).items():
        having = [number for number, count in enumerate(counts) if name in count]
        rarity = math.log(1 + (holding - len(having) + 0.5) / (len(having) + 0.5))
        weight = np.float32(times) * np.float32(rarity)
        for number in having:
            average = np.float32(sum(sizes) / holding)
            inverse = one / (k1 * ((one - b) + b * np.float32(kept_length(sizes[number])) / average))
            part = weight - weight / (one + np.float32(counts[number][name]) * inverse)
            scores[number] = scores.get(number, 0.0) + float(part)
    ties = names or range(len(texts))
    return sorted(scores, key=lambda number: (-np.float32(scores[number]), ties[number], number))[:k]


def test_the_best_document_comes_first_and_others_do_not_come():
    index = build_index(TEXTS)
    assert len(index) == 6
    assert index.search("blue cotton shirts") == [1, 0]
    assert index.search("lamps in the living room") == [2, 5]
    assert index.search("bronze") == [2]


@pytest.mark.parametrize("query", ["", "the of and", "?!", "unheard", "_"])
def test_a_query_that_no_document_shares_a_term_with_finds_nothing(query):
    assert build_index(TEXTS).search(query) == []


def test_no_documents_at_all(tmp_path):
    for texts in ([], ["", "the"]):
        index = build_index(texts)
        index.save(tmp_path)
        assert index.search("lamp") == Index.load(tmp_path).search("lamp") == []


def test_k_bounds_the_answer():
    index = build_index(["lamp"] * 80)
    assert index.search("lamp") == list(range(50))
    assert index.search("lamp", 3) == [0, 1, 2]
    assert index.search("lamp", 1000) == list(range(80))
    assert index.search("lamp", 0) == []


def test_equal_scores_go_by_name_and_then_by_number():
    names = ["C", "a", "B", "B", "A"]
    assert build_index(["lamp"] * 5, names).search("lamp") == [4, 2, 3, 0, 1]
    assert build_index(["lamp", "lamp lamp", "lamp"], ["b", "c", "a"]).search("lamp") == [1, 2, 0]


def test_each_document_needs_a_name():
    with pytest.raises(ValueError, match="argument 2"):
        build_index(["lamp"] * 3, ["a", "b"])


def test_a_term_twice_in_the_query_counts_twice():
    texts = ["red shirt", "blue shirt"]
    assert build_index(texts).search("red blue blue") == [1, 0]
    assert build_index(texts).search("red red blue") == [0, 1]


def test_a_part_that_rounds_to_nothing_still_finds():
    texts = ["lamp " + "word " * 400_000, *["word"] * 400]
    assert build_index(texts).search("lamp") == [0]


def test_lengths_are_kept_to_eight_bits():
    same, shorter = ["lamp" + " word" * 48, "lamp" + " word" * 47], ["lamp" + " word" * 48, "lamp" + " word" * 46]
    assert build_index(same).search("lamp") == [0, 1]
    assert build_index(shorter).search("lamp") == [1, 0]


@given(documents, few_words.map(" ".join), st.integers(1, 30))
def test_the_order_is_that_of_the_formula(texts, query, k):
    assert build_index(texts).search(query, k) == naive_search(texts, query, k)


common_words = st.lists(st.sampled_from(["red"] * 30 + ["blue"] * 20 + ["lamp"] * 4 + ["table", "wood"]), max_size=12)


@given(st.lists(common_words.map(" ".join), min_size=20, max_size=60), st.permutations(["red", "blue", "lamp", "wood"]))
def test_frequent_terms_that_are_passed_over_change_nothing(texts, query):
    index = build_index(texts)
    for frequent, k in ((3, 1), (5, 2), (9, 1), (15, 5)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("spanwise.environments.webshop.search.FREQUENT", frequent)
            assert index.search(" ".join(query), k) == naive_search(texts, " ".join(query), k)


def test_frequent_terms_are_not_passed_over_where_too_little_was_found(monkeypatch):
    monkeypatch.setattr("spanwise.environments.webshop.search.FREQUENT", 2)
    assert build_index(["red", "red lamp", "", "wood", "red"]).search("red lamp", 4) == [1, 0, 4]


def test_frequent_terms_are_passed_over(monkeypatch):
    texts = ["red"] * 200 + ["red bronze lamp"] * 3 + ["red lamp"]
    index, read = build_index(texts), []
    monkeypatch.setattr("spanwise.environments.webshop.search.FREQUENT", 5)
    parts = Index._parts
    monkeypatch.setattr(
        Index, "_parts", lambda self, weight, pairs: read.append(len(pairs)) or parts(self, weight, pairs)
    )
    assert index.search("red bronze lamp", 2) == [200, 201]
    assert read == [3, 4, 3]


@given(documents.filter(bool), st.data())
def test_names_decide_ties_as_in_the_formula(texts, data):
    names = data.draw(st.lists(st.sampled_from("abcdeF"), min_size=len(texts), max_size=len(texts)))
    assert build_index(texts, names).search("lamp table") == naive_search(texts, "lamp table", names=names)


@given(st.lists(any_text, max_size=8), any_text)
def test_any_text_is_a_document_and_a_query(texts, query):
    assert build_index(texts).search(query) == naive_search(texts, query)


@given(st.lists(any_text, min_size=1, max_size=8), st.data())
def test_a_word_that_only_one_document_has_finds_it(texts, data):
    number = data.draw(st.integers(0, len(texts) - 1))
    assert build_index([text + " zqzq" * (place == number) for place, text in enumerate(texts)]).search("Zqzq") == [
        number
    ]


@settings(max_examples=30)
@given(st.lists(st.one_of(any_text, few_words.map(" ".join)), max_size=12), st.integers(1, 13))
def test_the_same_bytes_are_written_whatever_the_batch(tmp_path_factory, texts, batch):
    folder = tmp_path_factory.mktemp("index")
    build_index(texts).save(folder / "whole")
    build_index(iter(texts), batch=batch).save(folder / "parts")
    assert (folder / "whole" / FILE).read_bytes() == (folder / "parts" / FILE).read_bytes()


def test_a_build_that_spills_and_forgets_is_the_same(tmp_path, monkeypatch):
    texts = [f"lamp {number} {number % 7} table" for number in range(500)]
    build_index(texts).save(tmp_path / "whole")
    monkeypatch.setattr("spanwise.environments.webshop.search.SPOOLED", 100)
    monkeypatch.setattr("spanwise.environments.webshop.search.REMEMBERED", 3)
    index = build_index(texts, batch=13)
    index.save(tmp_path / "parts")
    assert (tmp_path / "whole" / FILE).read_bytes() == (tmp_path / "parts" / FILE).read_bytes()
    assert [index.search(f"{number} lamp", 1) for number in (77, 78, 79, 80)] == [[77], [78], [79], [80]]


@settings(max_examples=30)
@given(documents, few_words.map(" ".join))
def test_a_loaded_index_answers_as_the_saved_one(tmp_path_factory, texts, query):
    folder = tmp_path_factory.mktemp("index")
    index = build_index(texts, [str(-number) for number in range(len(texts))])
    index.save(folder)
    assert Index.load(folder).search(query) == index.search(query)


def test_a_loaded_index_is_memory_mapped_and_may_be_written_over(tmp_path):
    build_index(TEXTS).save(tmp_path)
    loaded = Index.load(tmp_path)
    assert isinstance(loaded.documents.base, np.memmap)
    build_index(["other lamp"]).save(tmp_path)
    assert loaded.search("cotton") == [1, 0]
    assert Index.load(tmp_path).search("cotton") == []
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_missing_index_is_named(tmp_path):
    with pytest.raises(TaskDataError, match=rf"{FILE}: cannot be read: .*No such file"):
        Index.load(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TaskDataError, match=rf"{FILE}: cannot be written"):
        build_index(TEXTS).save(tmp_path / "file")


def test_every_damaged_byte_and_every_cut_is_seen(tmp_path):
    build_index(TEXTS).save(tmp_path)
    path, answer = tmp_path / FILE, build_index(TEXTS).search("cotton")
    whole, unseen = path.read_bytes(), 0
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        with contextlib.suppress(TaskDataError):
            assert Index.load(tmp_path).search("cotton") == answer
            unseen += 1
    assert unseen < len(whole) / 6, "more than what lies between two arrays"
    for place in (0, 4, 17, 200, len(whole) - 1):
        path.write_bytes(whole[:place])
        with pytest.raises(TaskDataError, match=FILE):
            Index.load(tmp_path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(TaskDataError, match="bytes"):
        Index.load(tmp_path)


def test_an_index_of_another_version_is_told(tmp_path):
    build_index(TEXTS).save(tmp_path)
    path = tmp_path / FILE
    whole = path.read_bytes()
    (length,) = struct.unpack_from("<I", whole, 8)
    header = whole[16 : 16 + length].replace(b'"version": 1', b'"version": 7')
    path.write_bytes(whole[:12] + struct.pack("<I", zlib.crc32(header)) + header + whole[16 + length :])
    with pytest.raises(TaskDataError, match="is of version 7; this program reads 1"):
        Index.load(tmp_path)
