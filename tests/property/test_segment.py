import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from spanwise.traces.segment import STYLES, segment
from spanwise.types import SpanKind

# Plain random text seldom holds a marker, so its fragments are mixed in.
fragments = st.sampled_from(
    [
        *(
            "Action:",
            "Thought:",
            "Action 2:",
            "**Thought:** ",
            "think:",
            "think[",
            "> ",
            "Action Input:",
            "Final Answer:",
        ),
        *("<think>", "</think>", "<action>", "</action>", "<tool_call>", "</tool_call>", "<answer>", "<search>"),
        *("```", "```py", "<code>", "</code>", "<end_code>", "Code:", '{"name": "look"}'),
        *("\n", "\r\n", "\r", " ", "\t", "\u2028", "go to box 1"),
    ]
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
@example(completion="look<think></think>go to box 1")
def test_action_is_a_stripped_part_of_the_completion(style: str, completion: str):
    result = segment(completion, style)
    if result.action is None:
        assert not result.think_only
    else:  # calls of tools are several parts, a line each
        assert all(part in completion for part in (result.action.split("\n") if style == "tools" else [result.action]))
        assert result.action == result.action.strip() != ""
        assert "\n" not in result.action or style != "think"


@given(completion=completions)
def test_react_without_a_word_that_announces_a_command_has_no_act(completion: str):
    silent = re.sub("act|answer", "", completion, flags=re.IGNORECASE)
    assume(re.search("act|answer", silent, flags=re.IGNORECASE) is None)
    result = segment(silent, "react")
    assert result.action is None
    assert all(span.kind is SpanKind.REASON for span in result.spans)


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
