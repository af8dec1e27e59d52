"""What is remembered of an episode."""

import pytest

from spanwise.agents.experts.hotpotqa.memory import read_titles, remember

MISS = "Could not find Fenwick. Similar: ['Mara Fenwick', \"Fenwick's Law\"]."
PASSAGE = "Mara Fenwick is a novelist. She studied at Kelman College.."


def remembered(*turns: tuple[str, str | None], last: str, **settings):
    return remember([("Question: Who?", turns[0][1]), *turns[1:]], last, **settings) if turns else remember([], last)


def test_pages_misses_and_lookups_are_kept():
    memory = remembered(
        ("", "search[Fenwick]"),
        (MISS, "search[Mara Fenwick]"),
        (PASSAGE, "lookup[born]"),
        last="(Result 1 / 2) She was born.",
    )
    assert memory.question == "Who?"
    assert memory.misses == {"Fenwick": ["Mara Fenwick", "Fenwick's Law"]}
    (passage,) = memory.passages
    assert (passage.title, passage.wanted) == ("Mara Fenwick", "Fenwick")
    assert passage.all == ["Mara Fenwick is a novelist.", "She studied at Kelman College.", "She was born."]
    assert memory.looked_up == {(0, "born")}
    assert not memory.exhausted
    assert (memory.last, memory.turns) == ("result", 3)


def test_a_lookup_is_exhausted_by_its_last_result_or_by_none():
    for reply in ("(Result 2 / 2) It is.", "No more results.\n"):
        memory = remembered(("", "search[X]"), (PASSAGE, "lookup[is]"), last=reply)
        assert memory.exhausted == {(0, "is")}


def test_thoughts_count_where_they_count():
    turns = [("", "think[hm]"), ("OK.", None), ("Nothing happens.", "search[X]")]
    assert remembered(*turns, last=PASSAGE).turns == 1
    assert remembered(*turns, last=PASSAGE, thoughts_count=True).turns == 3


@pytest.mark.parametrize("text", ["['a', 'b'", "[1, 'a', 'b']", "['a', 'b']", "[x('a'), 'b']"])
def test_titles_are_read_from_whatever_stands_there(text):
    assert read_titles(text) == ["a", "b"]
