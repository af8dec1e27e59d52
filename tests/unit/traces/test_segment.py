import pytest

from spanwise.traces.segment import STYLES, made_up_at, segment
from spanwise.types import SpanKind


def cut(completion: str, style: str = "react") -> list[tuple[str, str]]:
    return [(span.kind.name, completion[span.start : span.end]) for span in segment(completion, style).spans]


def test_react_thought_ends_where_the_marker_begins():
    completion = "Thought: The key may be in box 2.\nAction: go to box 2"
    assert cut(completion) == [
        ("REASON", "Thought: The key may be in box 2.\n"),
        ("ACT", "Action: go to box 2"),
    ]
    assert segment(completion, "react").action == "go to box 2"
    assert not segment(completion, "react").think_only


def test_react_thought_may_span_lines():
    completion = "Thought: One.\n\nTwo.\nAction: look"
    assert cut(completion) == [("REASON", "Thought: One.\n\nTwo.\n"), ("ACT", "Action: look")]


def test_react_without_thought_is_all_act():
    assert cut("Action: look") == [("ACT", "Action: look")]


def test_react_without_marker_is_all_reason_and_has_no_action():
    assert cut("Thought: hm") == [("REASON", "Thought: hm")]
    assert segment("Thought: hm", "react").action is None


def test_react_marker_counts_at_line_start_only():
    completion = "Thought: my next Action: is clear.\nAction: look"
    assert cut(completion)[1] == ("ACT", "Action: look")
    assert segment("Thought: my next Action: look", "react").action is None


def test_react_indented_marker_leaves_its_indentation_to_the_thought():
    assert cut("Thought: hm\n \tAction: look") == [("REASON", "Thought: hm\n \t"), ("ACT", "Action: look")]


def test_react_first_of_several_markers_wins_and_the_rest_is_act():
    completion = "Thought: a\nAction: look\nObservation: b\nAction: go to box 1"
    assert cut(completion) == [
        ("REASON", "Thought: a\n"),
        ("ACT", "Action: look\nObservation: b\nAction: go to box 1"),
    ]
    assert segment(completion, "react").action == "look"


def test_react_command_may_stand_on_the_line_after_its_marker():
    assert cut("Thought:\na\n\nAction:  \nlook") == [("REASON", "Thought:\na\n\n"), ("ACT", "Action:  \nlook")]
    assert segment("Thought: a\nAction:  \nlook", "react").action == "look"


def test_react_marker_without_command_is_a_parse_failure_though_its_span_is_act():
    assert cut("Thought: a\nAction:  \n") == [("REASON", "Thought: a\n"), ("ACT", "Action:  \n")]
    assert segment("Thought: a\nAction:  \n", "react").action is None


def test_react_think_as_action_is_think_only():
    result = segment("Thought: a\nAction: think: I need a lamp.", "react")
    assert result.think_only
    assert result.action == "think: I need a lamp."


def test_crlf_is_a_line_end():
    completion = "Thought: a\r\nAction: look\r\n"
    assert cut(completion) == [("REASON", "Thought: a\r\n"), ("ACT", "Action: look\r\n")]
    assert segment(completion, "react").action == "look"


@pytest.mark.parametrize("completion", ["think: I need a lamp.", "> think: I need a lamp.", " think: I need a lamp.\n"])
def test_think_thought_is_all_reason(completion: str):
    result = segment(completion, "think")
    assert cut(completion, "think") == [("REASON", completion)]
    assert result.think_only
    assert result.action == "think: I need a lamp."


@pytest.mark.parametrize("completion", ["go to box 1", "> go to box 1", ">go to box 1\r\nmore"])
def test_think_command_is_all_act(completion: str):
    result = segment(completion, "think")
    assert cut(completion, "think") == [("ACT", completion)]
    assert not result.think_only
    assert result.action == "go to box 1"


@pytest.mark.parametrize("completion", [" ", "\n\n", ">", "> "])
def test_think_without_command_is_a_parse_failure(completion: str):
    assert cut(completion, "think") == [("REASON", completion)]
    assert segment(completion, "think").action is None


@pytest.mark.parametrize("style", STYLES)
def test_empty_completion_has_no_spans(style: str):
    result = segment("", style)
    assert (result.spans, result.action, result.think_only) == ((), None, False)


def test_unknown_style_is_named_with_those_that_exist():
    with pytest.raises(
        ValueError, match="unknown style 'yaml'; there are: react, think, tags, tools, code, json, plain"
    ):
        segment("look", "yaml")


def test_kinds_are_never_context():
    assert {span.kind for span in segment("a\nAction: b", "react").spans} == {SpanKind.REASON, SpanKind.ACT}


def test_json_thought_ends_where_the_key_of_the_command_begins():
    completion = '{"thought": "In box 2.", "action": "go to box 2"}'
    assert cut(completion, "json") == [("REASON", '{"thought": "In box 2.", '), ("ACT", '"action": "go to box 2"}')]
    assert segment(completion, "json").action == "go to box 2"
    fenced = '```json\n{"command": {"name": "go", "to": 2}}\n```'
    assert cut(fenced, "json") == [("ACT", fenced)]
    assert segment(fenced, "json").action == '{"name": "go", "to": 2}'
    assert segment('{"thought": "In box 2."', "json").action is None


@pytest.mark.parametrize(
    ("completion", "action"),
    [
        (
            "I run.\n<function=bash>\n<parameter=cmd>ls</parameter>\n</function>",
            "<function=bash>\n<parameter=cmd>ls</parameter>\n</function>",
        ),
        ("I call.[TOOL_CALLS][{}]", "[TOOL_CALLS][{}]"),
        ("I call.\n<|python_tag|>f(1)", "<|python_tag|>f(1)"),
    ],
)
def test_tools_calls_in_the_markup_of_other_models(completion, action):
    assert segment(completion, "tools").action == action
    assert cut(completion, "tools")[-1] == ("ACT", action)
    assert cut(completion, "tools")[0][0] == "REASON"


def test_react_rarer_announcements():
    assert cut("Reasoning: near.\nCommand: look") == [("REASON", "Reasoning: near.\n"), ("ACT", "Command: look")]
    assert segment("Thought: t\n**Next Action:** look", "react").action == "look"
    assert segment("Thought 1: a Action 1: Search[x]", "react").action == "Search[x]"
    assert segment("Thought: the Command: line is no label\nAction: look", "react").action == "look"


def test_think_in_brackets_with_a_command_below():
    completion = "think[It is near.]\ngo to box 1"
    assert cut(completion, "think") == [("REASON", "think[It is near.]\n"), ("ACT", "go to box 1")]
    assert segment(completion, "think").action == "go to box 1"
    assert segment("think[It is near.]\n", "think").think_only


def test_several_calls_in_tags_are_all_the_command():
    one, two = '{"name": "go", "arguments": {"to": "a"}}', '{"name": "go", "arguments": {"to": "b"}}'
    text = f"<tool_call>\n{one}\n</tool_call>\n<tool_call>\n{two}\n</tool_call>"
    assert segment(text, "tools").action == f"{one}\n{two}"
    # What the model thinks after a call is no part of it.
    after = segment(f"<tool_call>\n{one}\n</tool_call>\n<think>hm</think>", "tools")
    assert [span.kind.name for span in after.spans] == ["ACT", "REASON"]
    thinking = '<tool_call>\n{"name": "think", "arguments": {"thought": "hm"}}\n</tool_call>'
    assert segment(thinking, "tools").think_only


def test_an_answer_below_the_action_to_answer():
    cut = segment('Thought: t\nAction: Answer\nFinal Answer: ["5"]', "react")
    assert cut.action == 'Answer\nFinal Answer: ["5"]'
    assert segment("Action: Answer\nThought: t", "react").action == "Answer"


def test_labels_in_a_thought_in_tags_are_words():
    text = "<think>Should I?\nAction: wait\nObservation: none yet\n</think>\nThought: yes\nAction: go"
    cut = segment(text, "react")
    assert cut.action == "go"
    assert [text[span.start : span.end] for span in cut.spans][1] == "Action: go"
    assert made_up_at(text, "react") is None
    assert made_up_at(f"{text}\nObservation: here", "react") == len(text) + 1
