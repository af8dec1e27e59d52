import re
from string import Formatter

import pytest

from spanwise.agents.experts.alfworld.wording import TEMPLATES, read_lists, word
from spanwise.agents.experts.remarks import Remark


@pytest.mark.parametrize("key", TEMPLATES)
def test_ways_to_say_the_same_mention_the_same_names(key: str):
    mentions = [{field for _, field, _, _ in Formatter().parse(way) if field} for way in TEMPLATES[key]]
    assert all(mentioned == mentions[0] for mentioned in mentions)
    assert len(set(TEMPLATES[key])) == len(TEMPLATES[key])


def test_the_words_are_few():
    words = {word for ways in TEMPLATES.values() for way in ways for word in re.findall(r"[a-z']+", way.lower())}
    assert len(words) < 120


def test_seed_and_step_choose_the_words():
    remark = Remark("none_here", {"target": "mug", "place": "shelf 1"})
    said = {word([remark], seed, step) for seed in range(5) for step in range(5)}
    assert said == {way.format(**remark.words) for way in TEMPLATES["none_here"]}
    assert word([remark], 3, 4) == word([remark], 3, 4)


def test_lists_are_read_back_from_thoughts_the_last_of_each_kind():
    remarks = [
        [Remark("places", {"target": "mug", "places": "shelf 1, desk 1"})],
        [Remark("places", {"target": "desklamp", "places": "desk 2"})],
        [Remark("closed", {"target": "mug", "place": "drawer 1"})],
        [Remark("places", {"target": "mug", "places": "drawer 1"})],
    ]
    assert read_lists(word(some, 0, 0) for some in remarks) == {"mug": ("drawer 1",), "desklamp": ("desk 2",)}
