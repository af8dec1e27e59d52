import json
import random
from dataclasses import replace

import pytest

from spanwise.config import TracesConfig
from spanwise.errors import TraceError
from spanwise.traces.jsonl import read_trajectories, write_trajectories
from spanwise.traces.segment import segment
from spanwise.traces.selection import (
    Selection,
    data_digest,
    dump_selection,
    read_selection,
    select_trajectories,
    why_left_out,
)
from spanwise.traces.splits import is_held_out
from spanwise.types import Step, Trajectory

COMPLETION = "Thought: Hm.\nAction: look"


def make(number=0, task="t", steps=2, **fields):
    spans = segment(COMPLETION, "react").spans
    turns = tuple(Step(f"see {index}", COMPLETION, "look", spans) for index in range(steps))
    values = {"reward": None, "success": None, "stop_reason": "unknown"} | fields
    return Trajectory(f"t-{number}", task, "unknown", "unknown", 0, "", turns, **values)


@pytest.mark.parametrize(
    ("settings", "trajectory", "reason"),
    [
        ({}, make(success=False), "failed"),
        ({}, make(success=None), None),
        ({"only_successful": True}, make(success=None), "of unknown outcome"),
        ({"only_successful": True}, make(success=True), None),
        ({"only_successful": False}, make(success=False), None),
        ({"min_reward": 0.5}, make(reward=0.5), None),
        ({"min_reward": 0.5}, make(reward=0.4), "of too low a reward"),
        ({"min_reward": 0.5}, make(), "of unknown reward"),
        ({"min_steps": 3}, make(), "too short"),
        ({"max_steps": 1}, make(), "too long"),
        ({}, make(steps=0), "too short"),
        ({}, replace(make(), steps=tuple(replace(s, supervised=False) for s in make().steps)), "with nothing to learn"),
    ],
)
def test_what_is_left_out_has_a_reason(settings, trajectory, reason) -> None:
    assert why_left_out(trajectory, TracesConfig(**settings)) == reason


def select(tmp_path, trajectories, share=0.3, seed=0):
    data, train, held_out = (tmp_path / name for name in ("data.jsonl", "train.jsonl", "held_out.jsonl"))
    write_trajectories(data, trajectories)
    found = select_trajectories(data, TracesConfig(held_out=share), seed, train, held_out)
    return found, list(read_trajectories(train)), list(read_trajectories(held_out))


def test_a_task_is_on_one_side_whatever_the_order(tmp_path) -> None:
    trajectories = [make(number, f"task {number % 20}", success=number % 7 != 0) for number in range(60)]
    found, train, held_out = select(tmp_path, trajectories)
    sides = [{one.task_id for one in side} for side in (train, held_out)]
    assert not sides[0] & sides[1]
    assert (found.train, found.train_tasks) == (len(train), len(sides[0]))
    assert (found.held_out, found.held_out_tasks) == (len(held_out), len(sides[1]))
    assert found.left_out == {"failed": 9}
    assert found.train + found.held_out + 9 == 60
    random.Random(0).shuffle(trajectories)
    again, shuffled, _ = select(tmp_path, trajectories)
    assert again == found
    assert {one.id for one in shuffled} == {one.id for one in train}
    other, _, _ = select(tmp_path, trajectories, seed=1)
    assert other != found


def test_the_share_is_about_that_of_the_tasks() -> None:
    assert 0.08 < sum(is_held_out(f"task {number}", 0.1, 3) for number in range(5000)) / 5000 < 0.12


def test_the_split_never_changes() -> None:
    """What was held out once must be held out by every version: models were trained on the rest."""
    assert [number for number in range(40) if is_held_out(f"task {number}", 0.1)] == [19, 26]


def test_an_empty_side_is_an_error(tmp_path) -> None:
    with pytest.raises(TraceError, match=r"data.jsonl: none of 1 tasks was held out at a share of 0.3; raise traces.h"):
        select(tmp_path, [make(0, "task 1")])
    with pytest.raises(TraceError, match=r"nothing is left to learn from: 0 trajectories .* left out: 2 failed"):
        select(tmp_path, [make(number, f"task {number}", success=False) for number in range(2)])


def test_a_log_is_no_file_of_trajectories(tmp_path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"messages": []}\n')
    with pytest.raises(TraceError, match=r"log.jsonl:1: schema_version.* Is it a log .* spanwise import .*log.jsonl"):
        select_trajectories(log, TracesConfig(), 0, tmp_path / "a", tmp_path / "b")
    write_trajectories(log, [make()])
    with log.open("a") as file:
        file.write("{}\n")
    with pytest.raises(TraceError, match=r"log.jsonl:2: schema_version: found None") as error:
        select_trajectories(log, TracesConfig(), 0, tmp_path / "a", tmp_path / "b")
    assert "spanwise import" not in str(error.value)  # it is one, and damaged
    with pytest.raises(TraceError, match=r"data: .*nowhere.jsonl: no such file; spanwise import LOG --out"):
        data_digest(tmp_path / "nowhere.jsonl")
    with pytest.raises(TraceError, match="cannot be read"):
        data_digest(tmp_path)


def test_a_selection_survives_its_file(tmp_path) -> None:
    selection = Selection(3, 2, 1, 1, {"failed": 4})
    (tmp_path / "s.json").write_text(dump_selection(selection))
    assert read_selection(tmp_path / "s.json") == selection
    said = "3 trajectories (2 tasks) to learn from, 1 (1 tasks) held out, left out: 4 failed"
    assert str(selection) == said
    (tmp_path / "s.json").write_text(json.dumps({"train": 1}))
    with pytest.raises(TraceError, match=r"s\.json: cannot be read"):
        read_selection(tmp_path / "s.json")
