"""Who writes what was written does so in full, whatever that was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.evaluation.fidelity import judge_completion
from spanwise.evaluation.matching import rouge_l, token_f1, words
from spanwise.traces.segment import STYLES
from spanwise.traces.splits import is_held_out

fragments = st.sampled_from(
    [
        *(
            "Thought:",
            "Action:",
            "Action: think[",
            "> ",
            "> think: ",
            "<think>",
            "</think>",
            "<tool_call>",
            "</tool_call>",
        ),
        *(
            '{"name": "go", "arguments": {"to": "box  2"}}',
            "search[Oslo]",
            "go to box 1",
            "```",
            "\n",
            " ",
            "]",
            "Ünï 打开",
        ),
    ]
)
completions = st.lists(st.one_of(fragments, st.text(max_size=6)), max_size=15).map("".join)


@pytest.mark.parametrize("style", STYLES)
@given(completion=completions)
def test_a_reference_is_like_itself(style: str, completion: str) -> None:
    found = judge_completion(completion, completion, style, lambda text, cut: len(text))
    for name in ("action_match", "name_match", "argument_match", "argument_f1", "rouge_l", "thought_f1", "parsed"):
        assert found[name] in (1, None)
    assert found["thought_tokens"] == found["reference_thought_tokens"]
    assert (found["action_match"] is None) == (found["reference_action"] is None)


@given(st.text(), st.text())
def test_scores_are_symmetric_shares(first: str, second: str) -> None:
    for score in (rouge_l, token_f1):
        value = score(words(first), words(second))
        assert 0 <= value <= 1
        assert value == pytest.approx(score(words(second), words(first)))
    assert rouge_l(words(first), words(second)) <= token_f1(words(first), words(second)) + 1e-12


@given(st.text(), st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_a_larger_share_holds_out_more(task: str, less: float, more: float, seed: int) -> None:
    less, more = min(less, more), max(less, more)
    assert is_held_out(task, more, seed) or not is_held_out(task, less, seed)
    assert is_held_out(task, 1.0, seed)
    assert not is_held_out(task, 0.0, seed)
