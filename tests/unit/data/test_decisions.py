"""Which tokens a command's words begin in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.config import TokenizerConfig
from spanwise.data.decisions import deciding, foretelling
from spanwise.data.tokenize import tokenize_trajectory
from spanwise.traces.segment import segment
from spanwise.training.models import create_tokenizer
from spanwise.types import SpanKind, Step, Trajectory


def decided(text: str, tokens: list[str], style: str = "react", find=deciding) -> list[str]:
    """The tokens that decide, of a completion in ``style``."""
    cut = segment(text, style)
    assert "".join(tokens) == text
    ends = [sum(map(len, tokens[: index + 1])) for index in range(len(tokens))]
    offsets = [(end - len(token), end) for token, end in zip(tokens, ends, strict=True)]
    found = find(offsets, text, cut.spans, cut.action)
    return [token for token, one in zip(tokens, found, strict=True) if one]


def test_words_of_the_command_decide_and_its_scaffold_does_not() -> None:
    text = "Thought: go to box 1?\nAction: go to box 12"
    tokens = ["Thought:", " go to box 1?", "\n", "Action", ":", " go", " to", " b", "ox", " 1", "2"]
    assert decided(text, tokens) == [" go", " to", " b", " 1"]


def test_a_thought_foretells_the_words_that_the_command_repeats() -> None:
    tokens = ["Thought:", " I", " go", " past", " box", " 3", " to", " box", " 12", ".\n", "Action:", " go to box 12"]
    assert decided("".join(tokens), tokens, find=foretelling) == [" go", " box", " to", " box", " 12"]


@pytest.mark.parametrize(
    ("text", "style"), [("Thought: go\nAction:", "react"), ("Action: go\nThought: go", "react"), ("> go", "think")]
)
def test_without_a_thought_before_a_command_nothing_is_foretold(text: str, style: str) -> None:
    assert decided(text, re.findall(r"\s*\S+", text), style, foretelling) == []


def test_brackets_and_what_follows_a_command_do_not_decide() -> None:
    tokens = ["Action:", " search", "[", "red", " shoe", "s", "]", "\n"]
    assert decided("Action: search[red shoes]\n", tokens) == [" search", "red", " shoe"]


def test_a_token_of_several_words_decides_once_and_one_that_ends_before_a_word_does_not() -> None:
    assert decided("Action: go to box", ["Action: ", "go to", " ", "box"]) == ["go to", "box"]


def test_a_completion_without_a_command_decides_nothing() -> None:
    assert decided("I do not know", ["I do", " not know"]) == []


@given(st.text(alphabet="ab .[]1", min_size=1), st.integers(1, 4))
def test_every_word_begins_in_one_token_however_they_are_cut(command, size) -> None:
    text = "Action: " + command
    cut = segment(text, "react")
    offsets = [(at, min(at + size, len(text))) for at in range(0, len(text), size)]
    found = deciding(offsets, text, cut.spans, cut.action)
    words = [] if cut.action is None else list(re.finditer(r"\w+", cut.action))
    assert sum(found) <= len(words)
    assert any(found) == bool(words)
    if size == 1:
        assert sum(found) == len(words)


@pytest.mark.parametrize("generated", [False, True])
def test_rows_know_what_decides(generated) -> None:
    tokenizer = create_tokenizer(["Action: go to box 2"], TokenizerConfig(vocab_size=280))
    text = "Thought: box 2.\nAction: go to box 2"
    cut = segment(text, "react")
    ids = (*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id) if generated else None
    step = Step("You see boxes.", text, cut.action, cut.spans, token_ids=ids)
    row = tokenize_trajectory(Trajectory("a", "t", "toy", "x", 0, "", (step, step), 1.0, True, "done"), tokenizer)
    for kind, words in ((SpanKind.REASON, ["box", "2"]), (SpanKind.ACT, ["go", "to", "box", "2"])):
        chosen = row.target_ids[row.decides & (row.kind == kind)]
        assert words[0].startswith(tokenizer.decode(chosen[:1]).strip())
        assert len(chosen) == 2 * len(words)
    assert not row.decides[row.kind == SpanKind.CONTEXT].any()
    assert not row.until(3).decides.any()
