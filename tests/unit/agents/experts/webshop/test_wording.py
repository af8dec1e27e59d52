"""What can be said."""

import re
from pathlib import Path

from spanwise.agents.experts import webshop
from spanwise.agents.experts.remarks import Remark
from spanwise.agents.experts.webshop.remarks import listed, short
from spanwise.agents.experts.webshop.wording import TEMPLATES, word

_FOLDER = Path(webshop.__file__).parent


def test_every_template_is_used():
    source = (_FOLDER / "policy.py").read_text() + (_FOLDER / "remarks.py").read_text()
    quoted = set(re.findall(r'"(\w+)"', source))
    keys = {key.removeprefix("hit_") for key in TEMPLATES}
    assert keys <= quoted


def test_a_thought_is_its_remarks_in_order():
    ways = {word([Remark("has", {"values": "red"}), Remark("buy")], seed, 4) for seed in range(20)}
    assert ways <= {
        f"{first} {second}" for first in ("It comes in red.", "It can be had in red.") for second in TEMPLATES["buy"]
    }
    assert len(ways) > 1


def test_long_lists_and_titles_are_cut():
    assert listed([]) == "nothing"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c", "d"]) == "a, b, c and d"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert short("One two three four five six, seven eight") == "One two three four five six"
    assert short("  ") == "a product without a title"
