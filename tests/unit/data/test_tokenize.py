"""Tokens, kinds and the shift between what is read and what is predicted."""

from dataclasses import replace

import pytest

from spanwise.config import TokenizerConfig
from spanwise.data.tokenize import context_ids, prompt_ids, tokenize_all, tokenize_trajectory
from spanwise.errors import TokenizationError
from spanwise.traces.segment import segment
from spanwise.training.models import create_tokenizer
from spanwise.types import SpanKind, Step, Trajectory

COMPLETIONS = ("Thought: the apple 1 is 🍎 hére.\nAction: take apple 1", "Thought: done.\nAction: go to box 2")


@pytest.fixture(scope="module")
def tokenizer():
    return create_tokenizer(["You see apple 1, box 2. Thought: take go to Action:"], TokenizerConfig(vocab_size=300))


def make(completions, token_ids=None) -> Trajectory:
    steps = tuple(
        Step(f"You see {index}.", text, "x", segment(text, "react").spans, token_ids[index] if token_ids else None)
        for index, text in enumerate(completions)
    )
    return Trajectory("t", "t", "toy", "expert", 0, "", steps, 1.0, True, "success")


def test_kinds_belong_to_targets_and_spell_the_spans(tokenizer) -> None:
    row = tokenize_trajectory(make(COMPLETIONS), tokenizer)
    assert (row.input_ids[1:] == row.target_ids[:-1]).all()
    for index, completion in enumerate(COMPLETIONS):
        thought, _, command = completion.partition("Action:")
        chosen = row.step == index
        reason = row.target_ids[chosen & (row.kind == SpanKind.REASON)]
        act = row.target_ids[chosen & (row.kind == SpanKind.ACT)]
        assert tokenizer.decode(reason) == thought
        assert tokenizer.decode(act[:-1]) == "Action:" + command
        assert act[-1] == tokenizer.eos_token_id


def test_the_target_after_the_context_is_the_first_supervised_one(tokenizer) -> None:
    row = tokenize_trajectory(make(COMPLETIONS), tokenizer)
    context = len(context_ids((), "You see 0.", tokenizer))
    assert row.kind[: context - 1].tolist() == [SpanKind.CONTEXT] * (context - 1)
    assert row.kind[context - 1] == SpanKind.REASON


def test_prompts_are_prefixes_of_the_training_row(tokenizer) -> None:
    trajectory = make(COMPLETIONS)
    row = tokenize_trajectory(trajectory, tokenizer)
    prompt = prompt_ids(trajectory.steps[:1], trajectory.steps[1].observation, tokenizer)
    assert row.input_ids[: len(prompt)].tolist() == prompt
    assert row.step[len(prompt) - 1] == 1
    assert row.kind[len(prompt) - 1] == SpanKind.REASON


def test_generated_ids_are_kept_however_they_split_characters(tokenizer) -> None:
    odd = []
    for text in COMPLETIONS:  # a token a byte, as no encoder would split it
        odd.append(tuple(i for character in text.encode() for i in _byte_ids(tokenizer, character)))
        odd[-1] = (*odd[-1], tokenizer.eos_token_id)
    row = tokenize_trajectory(make(COMPLETIONS, odd), tokenizer)
    for index, completion in enumerate(COMPLETIONS):
        reason = completion.partition("Action:")[0]
        chosen = (row.step == index) & (row.kind == SpanKind.REASON)
        assert chosen.sum() == len(reason.encode())
        assert row.target_ids[(row.step == index) & (row.kind != 0)].tolist() == list(odd[index])


def _byte_ids(tokenizer, byte: int) -> list[int]:
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return [tokenizer.convert_tokens_to_ids(bytes_to_unicode()[byte])]


def test_ids_that_spell_other_text_are_an_error(tokenizer) -> None:
    ids = [(*tokenizer.encode("Thought: no"), tokenizer.eos_token_id)] * 2
    with pytest.raises(TokenizationError, match=r"'t', step 0.*spell 'Thought: no'"):
        tokenize_trajectory(make(COMPLETIONS, ids), tokenizer)


def test_zero_supervised_tokens_is_an_error(tokenizer) -> None:
    with pytest.raises(TokenizationError, match="supervised"):
        tokenize_trajectory(make(()), tokenizer)
    with pytest.raises(TokenizationError, match="zero supervised"):
        tokenize_all([make(COMPLETIONS)], tokenizer, 8, "drop")


def test_overlong_trajectories_are_cut_between_steps(tokenizer) -> None:
    whole = tokenize_trajectory(make(COMPLETIONS), tokenizer)
    first_step = int((whole.step == 0).sum())
    rows, report = tokenize_all([make(COMPLETIONS)], tokenizer, len(whole) - 1, "cut")
    assert (report.kept, report.cut, report.dropped) == (1, 1, 0)
    assert len(rows[0]) == first_step
    assert rows[0].target_ids[-1] == tokenizer.eos_token_id


def test_what_is_left_of_a_cut_trajectory_must_have_something_to_learn(tokenizer) -> None:
    shown, learnt = make(COMPLETIONS).steps
    trajectory = replace(make(COMPLETIONS), steps=(replace(shown, supervised=False), learnt))
    whole = tokenize_trajectory(trajectory, tokenizer)
    assert whole.kind[whole.step == 0].tolist() == [SpanKind.CONTEXT] * int((whole.step == 0).sum())
    rows, report = tokenize_all([trajectory, make(COMPLETIONS[:1])], tokenizer, len(whole) - 1, "cut")
    assert (len(rows), report.kept, report.cut, report.dropped, report.samples) == (1, 1, 0, 1, 0)
