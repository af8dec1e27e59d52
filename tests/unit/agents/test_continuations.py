import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from spanwise.agents.continuations import Continuations
from spanwise.errors import ModelError


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {token: index for index, token in enumerate(["<eos>", *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")


@pytest.fixture
def model(tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    # A few rows pad the embedding: they are no tokens.
    made = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer) + 7, max_position_embeddings=128, **sizes))
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5)
        made.lm_head.weight[0] *= 3  # so that turns do end
        made.lm_head.weight[-7:] *= 9  # were they tokens, they would be said
    return made.eval()


def by_hand(model: PreTrainedModel, prompt: list[int], vocabulary: int, limit: int) -> tuple[int, ...]:
    """One token at a time, everything read anew for each."""
    ids = list(prompt)
    while len(ids) < len(prompt) + limit:
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1, :vocabulary].argmax()))
        if ids[-1] == 0:
            break
    return tuple(ids[len(prompt) :])


def encode(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def test_each_turn_is_what_the_model_writes_after_the_true_history(model, tokenizer) -> None:
    """Histories that go on with what the model did not write, rows that end at different turns, and one begun anew."""
    texts = [
        ["box 1", "box 1 was shut. box 2", "box 1 was shut. box 2 was not. What now?"],
        ["a key"],
        ["look around", "look away", "look"],  # the second and third are no continuations of what stood before
        ["x" * 60, "x" * 60 + "yz"],
    ]
    prompts = [[encode(tokenizer, text) for text in episode] for episode in texts]
    told: list[int] = []
    found = Continuations(model, tokenizer, 12).complete(prompts, told.append)
    assert told == [4, 3, 2]
    lengths = set()
    for of_episode, completions in zip(prompts, found, strict=True):
        assert len(completions) == len(of_episode)
        for prompt, completion in zip(of_episode, completions, strict=True):
            expected = by_hand(model, prompt, len(tokenizer), 12)
            assert completion.token_ids == expected
            assert completion.truncated == (expected[-1] != 0)
            assert completion.text == tokenizer.decode(expected[:-1] if expected[-1] == 0 else expected)
            lengths.add(len(expected))
    assert len(lengths) > 1  # turns of different lengths were in one batch


def test_a_completion_ends_with_the_context(model, tokenizer) -> None:
    prompt = encode(tokenizer, "x" * 125)
    ((completion,),) = Continuations(model, tokenizer, 50).complete([[prompt]])
    assert completion.token_ids is not None
    assert len(completion.token_ids) <= 3


def test_no_prompts_are_no_completions(model, tokenizer) -> None:
    assert Continuations(model, tokenizer, 5).complete([]) == []


def test_a_tokenizer_without_an_end_is_refused(model, tokenizer) -> None:
    tokenizer.eos_token = None
    with pytest.raises(ModelError, match="eos_token"):
        Continuations(model, tokenizer, 5)
