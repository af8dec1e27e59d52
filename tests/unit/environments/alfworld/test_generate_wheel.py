"""The wheel's grammar and domain in the released games' words."""

import json
import os
from pathlib import Path

import pytest

from spanwise.environments.alfworld.generate import wheel
from spanwise.errors import TaskDataError


def released_game() -> dict:
    root = os.environ.get("ALFWORLD_DATA")
    path = next(Path(root, "json_2.1.1").glob("*/*/*/game.tw-pddl"), None) if root else None
    if path is None:
        pytest.skip("no released games: ALFWORLD_DATA does not name a folder that holds json_2.1.1")
    return json.loads(path.read_text())


def test_grammar_is_the_released_games_grammar():
    released = released_game()["grammar"]
    task = released.split("Your task is to: ")[1].split('."')[0]
    assert wheel.grammar().replace(wheel.TASK_PLACEHOLDER, task).split() == released.split()


def test_domain_has_the_released_games_actions():
    def actions(domain: str) -> list[str]:
        lines = (line.split(";")[0] for line in domain.splitlines())
        return " ".join(lines).split("(:action")[1:]

    def name(action: str) -> str:
        return action.split()[0]

    ours, released = (
        {name(action): action.split() for action in actions(text)}
        for text in (wheel.domain(), released_game()["pddl_domain"])
    )
    assert [name for name in released if ours.get(name) != released[name]] == ["CleanObject"]
    # The released domain also washes at a receptacle of type Sink, of which no game has any.
    sink = "(receptacleType ?r SinkType) "
    assert ours["CleanObject"] == " ".join(released["CleanObject"]).replace(sink, "").split()
    assert ours.keys() == released.keys()


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
