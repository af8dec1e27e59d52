"""Which words of a page answer to what is looked for."""

import pytest

from spanwise.agents.experts.hotpotqa.lexicon import Kind
from spanwise.agents.experts.hotpotqa.memory import Passage
from spanwise.agents.experts.hotpotqa.reader import ENOUGH, Wish, find, subject_of
from spanwise.agents.experts.hotpotqa.text import sentences, stem

PERSON = (
    "Mara Fenwick (12 May 1931 – 3 June 2001) was a Ravian novelist and the author of Lost Key. Critics have compared "
    "Fenwick with Otto Brenner. Born in the town of Elmford in Otter County, she studied botany at Kelman College. "
    "She won the Dark Moon Medal in 1975."
)
PLACE = (
    "Elmford is a town in Otter County, on the River Lune. It is known for its bell founding. It has 1,045 inhabitants."
)


@pytest.mark.parametrize(
    ("text", "kind", "noun", "near", "expected"),
    [
        (PERSON, Kind.DATE, "", "born", "12 May 1931"),
        (PERSON, Kind.DATE, "", "died", "3 June 2001"),
        (PERSON, Kind.PLACE, "town", "born", "Elmford"),
        (PERSON, Kind.PLACE, "county", "born", "Otter County"),
        (PERSON, Kind.NAME, "university", "studied", "Kelman College"),
        (PERSON, Kind.THING, "", "studied", "botany"),
        (PERSON, Kind.NAME, "award", "won", "Dark Moon Medal"),
        (PERSON, Kind.YEAR, "year", "won award", "1975"),
        (PERSON, Kind.NATIONALITY, "nationality", "nationality", "Ravian"),
        (PLACE, Kind.PLACE, "river", "stands", "River Lune"),
        (PLACE, Kind.PLACE, "county", "lies", "Otter County"),
        (PLACE, Kind.THING, "", "known", "bell founding"),
        (PLACE, Kind.NUMBER, "population", "population", "1,045"),
    ],
)
def test_values_by_kind(text, kind, noun, near, expected):
    passage = Passage("x", "x", sentences(text))
    best = find(Wish(kind, noun, {stem(word): 1.0 for word in near.split()}), [(3, passage)])[0]
    assert best.text == expected
    assert best.support >= ENOUGH
    assert best.sentence in passage.all
    assert best.passage == 3


def test_what_only_stands_there_has_no_support():
    passage = Passage("x", "x", sentences(PERSON))
    (brenner,) = (
        one for one in find(Wish(Kind.PERSON, "", {"marry": 1.0}), [(0, passage)]) if one.text == "Otto Brenner"
    )
    assert brenner.support < ENOUGH


def test_the_subject_of_a_page_is_none_of_its_answers():
    passage = Passage("x", "x", sentences(PERSON))
    assert subject_of(passage) == "Mara Fenwick"
    assert "Mara Fenwick" not in {one.text for one in find(Wish(Kind.PERSON, "", {}), [(0, passage)])}
