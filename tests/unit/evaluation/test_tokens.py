"""Tokens are counted per kind, with a tokenizer of one token per byte, so that the right counts are plain to see."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from spanwise.evaluation import tokens
from spanwise.evaluation.metrics import record_episode, summarise
from spanwise.traces.segment import segment
from spanwise.types import SpanKind, Step, Trajectory


@pytest.fixture(scope="module")
def tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<eos>": 0} | {character: index for index, character in enumerate(alphabet, start=1)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<eos>", pad_token="<eos>")


def _trajectory(*completions, token_ids=None):
    steps = []
    for completion in completions:
        cut = segment(completion, "react")
        steps.append(Step("You see a desk.", completion, cut.action, cut.spans, token_ids, valid=True))
    return Trajectory("t", "a", "toy", "expert", 0, "do it", tuple(steps), 1.0, True, "success")


def test_each_kind_is_counted_and_the_end_of_turn_is_act(tokenizer):
    counts = tokens.count_tokens(_trajectory("Thought: so\nAction: go", "Action: look"), tokenizer)
    assert counts == {SpanKind.REASON: len("Thought: so\n"), SpanKind.ACT: len("Action: go" + "Action: look") + 2}


def test_an_episode_without_turns_has_no_tokens(tokenizer):
    assert tokens.count_tokens(_trajectory(), tokenizer) == {SpanKind.REASON: 0, SpanKind.ACT: 0}


def test_the_experts_reasoning_is_told_in_tokens(tokenizer):
    record = record_episode(_trajectory("Thought: so\nAction: go", "Action: look"), tokenizer)
    assert record.tokens == record.reasoning_tokens + record.action_tokens
    assert summarise([record])["reasoning_tokens_per_step"]["value"] == len("Thought: so\n") / 2


def test_generated_ids_are_counted_as_they_are(tokenizer):
    ids = (*tokenizer.encode("Thought: so\nAction: go"), tokenizer.eos_token_id)
    generated = _trajectory("Thought: so\nAction: go", token_ids=ids)
    assert sum(tokens.count_tokens(generated, tokenizer).values()) == len(ids)
