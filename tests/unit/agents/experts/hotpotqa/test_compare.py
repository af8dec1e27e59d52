"""What two pages compared by a question come to."""

import pytest

from spanwise.agents.experts.hotpotqa.compare import alike, holds, point_of, value, wins
from spanwise.agents.experts.hotpotqa.memory import Passage
from spanwise.agents.experts.hotpotqa.question import read_question
from spanwise.agents.experts.hotpotqa.text import sentences

ONE = "Elmford is a town in Otter County. It was founded in 1802. Its population is 9,000. "
ONE += "It lies at an elevation of 20 metres."
TWO = "Otterby is a town in Otter County. It was founded in 1790. Its population is 12,345. "
TWO += "It lies at an elevation of 7 metres."


def values(text: str):
    point = point_of(read_question(text))
    found = [value(point, number, Passage("x", "x", sentences(page))) for number, page in enumerate((ONE, TWO))]
    return point, found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Which town was founded first, Elmford or Otterby?", False),
        ("Which town was founded later, Elmford or Otterby?", True),
        ("Which town is older, Elmford or Otterby?", False),
        ("Which has the larger population, Elmford or Otterby?", False),
        ("Which town has fewer inhabitants, Elmford or Otterby?", True),
        ("Which town lies higher, Elmford or Otterby?", True),
        ("Which town lies lower, Upper Elmford or Lower Otterby?", False),
    ],
)
def test_the_first_wins_or_loses(text, expected):
    point, (one, other) = values(text)
    assert one is not None
    assert other is not None
    assert wins(point, one, other) is expected


def test_equal_values_decide_nothing():
    point, (one, _) = values("Which town was founded first, Elmford or Otterby?")
    assert one is not None
    assert wins(point, one, one) is None


def test_pages_that_say_the_same_are_alike():
    _, (one, other) = values("Are Elmford and Otterby in the same county?")
    assert alike(one, other)
    assert not alike(one, None)


def test_a_predicate_holds_where_its_name_and_a_word_stand_together():
    point = point_of(read_question("Were both Mara Fenwick and Otto Brenner born in Elmford?"))
    said, unsaid = "Fenwick was born in Elmford.", "Brenner was born in Otterby. A street in Elmford has his name."
    assert holds(point, Passage("x", "x", sentences(said))) == 1.0
    assert holds(point, Passage("x", "x", sentences(unsaid))) == 0.0
