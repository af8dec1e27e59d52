import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.traces.segment import STYLES, segment
from spanwise.types import SpanKind

# Plain random text seldom holds a marker, so its fragments are mixed in.
fragments = st.sampled_from(
    ["Action:", "Thought:", "think:", "> ", "\n", "\r\n", "\r", " ", "\t", "\u2028", "go to box 1"]
)
completions = st.one_of(st.text(), st.lists(st.one_of(fragments, st.text(max_size=6)), max_size=20).map("".join))
styles = pytest.mark.parametrize("style", STYLES)


@styles
@given(completion=completions)
def test_spans_partition_any_text(style: str, completion: str):
    spans = segment(completion, style).spans
    assert "".join(completion[span.start : span.end] for span in spans) == completion
    assert [span.start for span in spans[1:]] == [span.end for span in spans[:-1]]


@styles
@given(completion=completions)
def test_reason_precedes_act(style: str, completion: str):
    kinds = [span.kind for span in segment(completion, style).spans]
    assert kinds == sorted(set(kinds))


@styles
@given(completion=completions)
def test_action_is_one_stripped_line_of_the_completion(style: str, completion: str):
    result = segment(completion, style)
    if result.action is None:
        assert not result.think_only
    else:
        assert result.action in completion
        assert result.action == result.action.strip() != ""
        assert "\n" not in result.action


@given(completion=completions)
def test_react_has_an_act_span_exactly_if_a_line_starts_with_the_marker(completion: str):
    lines = re.split("\n", completion)
    marked = any(line.lstrip(" \t").startswith("Action:") for line in lines)
    assert any(span.kind is SpanKind.ACT for span in segment(completion, "react").spans) == marked


thoughts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=40)
commands = thoughts.map(str.strip).filter(lambda text: text and not text.startswith(("think:", ">")))


@given(thought=thoughts, command=commands)
def test_react_gives_back_what_was_put_in(thought: str, command: str):
    completion = f"Thought: {thought}\nAction: {command}"
    result = segment(completion, "react")
    assert result.action == command
    assert completion[: result.spans[0].end] == f"Thought: {thought}\n"


@given(command=commands)
def test_think_gives_back_the_command(command: str):
    result = segment(f"> {command}", "think")
    assert result.action == command
    assert [span.kind for span in result.spans] == [SpanKind.ACT]
