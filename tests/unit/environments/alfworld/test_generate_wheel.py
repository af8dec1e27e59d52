"""The wheel's grammar and domain in the released games' words."""

import json
import os
from pathlib import Path

import pytest

from spanwise.environments.alfworld.generate import wheel
from spanwise.errors import TaskDataError

SHARED = Path(os.environ.get("SPANWISE_SHARED_DATA", Path(__file__).parents[5] / "shared/data"))


@pytest.fixture
def released() -> dict:
    """The grammar and the domain of the released games."""
    path = SHARED / "alfworld/logic.json"
    if not path.is_file():
        pytest.skip(f"no released games to compare with: {path} does not exist (SPANWISE_SHARED_DATA)")
    logic = json.loads(path.read_text())
    return {"grammar": logic["grammars"][0], "pddl_domain": logic["domains"][0]}


def test_grammar_is_the_released_games_grammar(released):
    assert wheel.grammar().split() == released["grammar"].split()


def test_domain_has_the_released_games_actions(released):
    def actions(domain: str) -> list[str]:
        lines = (line.split(";")[0] for line in domain.splitlines())
        return " ".join(lines).split("(:action")[1:]

    def name(action: str) -> str:
        return action.split()[0]

    ours, theirs = (
        {name(action): action.split() for action in actions(text)} for text in (wheel.domain(), released["pddl_domain"])
    )
    assert ours.keys() == theirs.keys()
    assert [action for action in theirs if ours[action] != theirs[action]] == ["CleanObject"]
    # The released domain also washes at a receptacle of type Sink, of which no game has any.
    sink = "(receptacleType ?r SinkType) "
    assert ours["CleanObject"] == " ".join(theirs["CleanObject"]).replace(sink, "").split()


def test_grammar_without_what_the_wording_changes_is_refused(tmp_path, monkeypatch):
    (tmp_path / "alfred.twl2").write_text("grammar of another version")
    monkeypatch.setattr(wheel, "_file", lambda name: tmp_path / Path(name).name)
    wheel.grammar.cache_clear()
    try:
        with pytest.raises(TaskDataError, match=r"occurs 0 times, alfworld==0.4.2 has 1; install that version"):
            wheel.grammar()
    finally:
        wheel.grammar.cache_clear()


def test_a_missing_wheel_is_named(monkeypatch):
    monkeypatch.setattr(wheel, "find_spec", lambda name: None)
    with pytest.raises(TaskDataError, match=r"pip install alfworld==0.4.2"):
        wheel._file("data/alfred.pddl")
