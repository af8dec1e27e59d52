"""What people are shown of a trajectory: every character, its kind with and without colour, and nothing executed."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from spanwise.errors import TraceError
from spanwise.traces.jsonl import write_trajectories
from spanwise.traces.segment import segment
from spanwise.traces.view import completion_html, context_html, render_terminal, show
from spanwise.types import SpanKind, Step, Trajectory


def _step(observation, completion, valid=True):
    cut = segment(completion, "react")
    return Step(observation, completion, cut.action, cut.spans, valid=valid if cut.action else None)


def _trajectory(*steps, trajectory_id="t0", **fields):
    steps = steps or (_step("You are in a room.", "Thought: The desk may hold it.\nAction: go to desk 1"),)
    values = {
        "id": trajectory_id,
        "task_id": "valid_seen/0",
        "environment": "alfworld",
        "agent": "expert",
        "seed": 3,
        "task": "put a pen on the shelf",
        "reward": 1.0,
        "success": True,
        "stop_reason": "success",
        "final_observation": "You win.",
    }
    return Trajectory(steps=steps, **(values | fields))


def _printed(action, colour=None, width=100):
    file = io.StringIO()
    action(Console(file=file, width=width, color_system=colour, force_terminal=colour is not None))
    return file.getvalue()


def test_kinds_are_coloured_as_the_paper_colours_them():
    text = _printed(lambda console: render_terminal(_trajectory(), console), colour="standard")
    assert re.search(r"\x1b\[34mThought: The desk may hold it\.", text)
    assert re.search(r"\x1b\[31mAction: go to desk 1", text)
    assert re.search(r"\x1b\[2mYou are in a room\.", text)


def test_what_a_log_does_not_tell_is_not_shown():
    assert "expert · seed 3" in _printed(lambda console: render_terminal(_trajectory(), console))
    unknown = _trajectory(agent="unknown", environment="unknown")
    assert "unknown" not in _printed(lambda console: render_terminal(unknown, console))


def test_tokens_are_counted_per_kind_if_they_are_known():
    counts = {SpanKind.REASON: 12, SpanKind.ACT: 7}
    assert "12 reason, 7 act" in _printed(lambda console: render_terminal(_trajectory(), console, counts))
    assert "tokens" not in _printed(lambda console: render_terminal(_trajectory(), console))


def test_without_colour_the_kinds_are_named():
    text = _printed(lambda console: render_terminal(_trajectory(), console))
    assert "\x1b" not in text
    lines = [line.rstrip() for line in text.splitlines()]
    assert "context You are in a room." in lines
    assert " reason Thought: The desk may hold it." in lines
    assert "    act Action: go to desk 1" in lines
    assert "context You win." in lines


def test_markup_and_control_characters_are_shown_and_not_obeyed():
    step = _step("[bold]look[/bold] \x1b[31m\x07", "Thought: [red]x\x9b2J\u202e\ud800\nAction: go")
    text = _printed(lambda console: render_terminal(_trajectory(step), console))
    assert "[bold]look[/bold] \\x1b[31m\\x07" in text
    assert "[red]x\\x9b2J\\u202e\\ud800" in text
    assert "\x1b" not in text
    assert "\x9b" not in text


@pytest.mark.parametrize(
    ("step", "remark"),
    [
        (_step("o", "Thought: hm"), "no action"),
        (_step("o", ""), "no action"),
        (_step("o", "Action: fly", valid=False), "refused"),
    ],
)
def test_what_went_wrong_is_remarked(step, remark):
    assert f"({remark})" in _printed(lambda console: render_terminal(_trajectory(step), console))
    assert f'<span class="remark">{remark}</span>' in completion_html(step)


def test_html_holds_the_whole_completion_by_kind_and_escapes_it():
    html = completion_html(_step("o", "Thought: a < b\nAction: <img src=x>"))
    assert context_html("<script>alert(1)</script> & co") == (
        '<div class="context">&lt;script&gt;alert(1)&lt;/script&gt; &amp; co</div>'
    )
    assert '<span class="reason">Thought: a &lt; b\n</span>' in html
    assert '<span class="act">Action: &lt;img src=x&gt;</span>' in html


def test_show_prints_the_first_and_lists_the_others(tmp_path):
    path = tmp_path / "t.jsonl"
    failed = replace(_trajectory(trajectory_id="t1"), success=False, stop_reason="budget")
    write_trajectories(path, [_trajectory(), failed])
    text = _printed(lambda console: show(path, console))
    assert "Thought: The desk may hold it." in text
    assert re.search(r"expert +failed \(budget\) +1 +put a pen on the shelf +t1", text)
    assert "2 trajectories" in text


def test_show_finds_one_by_id(tmp_path):
    path = tmp_path / "t.jsonl"
    other = _trajectory(_step("o", "Thought: other\nAction: look"), trajectory_id="t1")
    write_trajectories(path, [_trajectory(), other])
    text = _printed(lambda console: show(path, console, "t1"))
    assert "Thought: other" in text
    assert "desk" not in text


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("valid_sen/3", r"t\.jsonl: no id 'valid_sen/3' among 5.*valid_seen/3"),
        ("valid", r"t\.jsonl: 5 ids begin with 'valid', for example: valid_seen/0"),
    ],
)
def test_an_unknown_or_ambiguous_id_is_an_error_that_names_some(tmp_path, asked, message):
    path = tmp_path / "t.jsonl"
    write_trajectories(path, [_trajectory(trajectory_id=f"valid_seen/{index}") for index in range(5)])
    with pytest.raises(TraceError, match=message):
        show(path, Console(file=io.StringIO()), asked)


def test_the_beginning_of_an_id_is_enough_but_the_whole_one_wins(tmp_path):
    path = tmp_path / "t.jsonl"
    steps = {name: _step("o", f"Thought: {name}\nAction: look") for name in ("one", "two", "three")}
    ids = {"one": "a1", "two": "a12", "three": "b3"}
    write_trajectories(path, [_trajectory(steps[name], trajectory_id=ids[name]) for name in steps])
    assert "Thought: one" in _printed(lambda console: show(path, console, "a1"))
    assert "Thought: three" in _printed(lambda console: show(path, console, "b"))


def test_an_empty_file_is_an_error(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text("")
    with pytest.raises(TraceError, match="holds no trajectory"):
        show(path, Console(file=io.StringIO()))
