"""What is found in rows against counting all of them."""

from array import array

import numpy as np
import pytest

from spanwise.environments.hotpotqa import postings
from spanwise.environments.hotpotqa.postings import group, pack


def make(rows):
    pairs = sorted((item, row) for row, items in enumerate(rows) for item in items)
    numbers = np.array([item for item, _ in pairs], np.int32)
    return group(array("i", [row for _, row in pairs]), numbers, len(rows))


ROWS = [[1, 5, 9], [5, 9], list(range(100)), [], [200]]


def test_rows_are_kept_in_order():
    made = make(ROWS)
    assert [made.row(number).tolist() for number in range(5)] == ROWS
    assert [made.length(number) for number in range(5)] == [3, 2, 100, 0, 1]


def test_the_heaviest_come_first_then_the_nearest():
    found, scores = make(ROWS).best({0: 1.0, 1: 2.0, 4: 0.5}, 10, near=8)
    assert found.tolist() == [9, 5, 1, 200]
    assert scores.tolist() == [3.0, 3.0, 1.0, 0.5]


@pytest.mark.parametrize("limits", [(3, 8, 2), (3, 2, 500), (1, 1, 1)])
def test_long_rows_are_asked_and_count_once(monkeypatch, limits):
    for name, limit in zip(("READ_EACH", "READ", "ASKED"), limits, strict=True):
        monkeypatch.setattr(postings, name, limit)
    found, scores = make(ROWS).best({0: 1.0, 1: 2.0, 2: 0.25}, 10, near=9)
    naive = {item: sum(w for row, w in ((0, 1.0), (1, 2.0), (2, 0.25)) if item in ROWS[row]) for item in range(100)}
    assert found[0] in (5, 9)
    assert scores.tolist() == [naive[item] for item in found.tolist()]


def test_of_a_long_row_what_is_near_is_read(monkeypatch):
    monkeypatch.setattr(postings, "READ_EACH", 4)
    assert sorted(make(ROWS).best({2: 1.0}, 10, near=50)[0].tolist()) == [48, 49, 50, 51]
    assert sorted(make(ROWS).best({2: 1.0}, 10, near=999)[0].tolist()) == [96, 97, 98, 99]


def test_nothing_is_found_in_nothing():
    assert make(ROWS).best({}, 10, near=0)[0].tolist() == []
    assert make(ROWS).best({3: 1.0}, 10, near=0)[0].tolist() == []


def test_packed_texts_come_back():
    texts = ["", "a", "é\n", "\ud800", "x" * 1000]
    packed = pack(texts)
    assert [packed[number] for number in range(len(packed))] == texts
