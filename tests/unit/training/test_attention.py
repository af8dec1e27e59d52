"""Attention in blocks is torch's attention."""

import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from spanwise.training import attention
from spanwise.training.attention import attention_in_blocks, fast_attention


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(attention, "_BLOCK", 4)


@pytest.mark.parametrize("tokens", [1, 4, 11])
@pytest.mark.parametrize("key_heads", [1, 2, 6])
@pytest.mark.parametrize("scaling", [None, 0.3])
def test_outputs_and_gradients_are_those_of_torch(tokens, key_heads, scaling) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 6, tokens, 5), (2, key_heads, tokens, 5), (2, key_heads, tokens, 5)]
    inputs = [torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]
    ours, _ = attention_in_blocks(nn.Identity(), *inputs, None, scaling=scaling)
    query, key, value = inputs
    theirs = nn.functional.scaled_dot_product_attention(
        query, key, value, is_causal=True, scale=scaling, enable_gqa=True
    ).transpose(1, 2)
    torch.testing.assert_close(ours, theirs)
    direction = torch.randn(ours.shape, generator=generator, dtype=torch.float64)
    for first, second in zip(
        torch.autograd.grad(ours, inputs, direction), torch.autograd.grad(theirs, inputs, direction), strict=True
    ):
        torch.testing.assert_close(first, second)


def small_llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=17,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config)


def test_a_model_computes_the_same_for_a_while_and_is_then_as_before(tmp_path, monkeypatch) -> None:
    model, ids = small_llama(), torch.arange(18).view(2, 9) % 17
    expected = model(input_ids=ids).logits
    calls = []
    monkeypatch.setattr(attention.torch, "baddbmm", lambda *a, f=torch.baddbmm, **k: (calls.append(a), f(*a, **k))[1])
    with fast_attention(model):
        torch.testing.assert_close(model(input_ids=ids).logits, expected)
        assert len(calls) == 2 * 3  # layers, blocks
        model.save_pretrained(tmp_path)
    assert LlamaForCausalLM.from_pretrained(tmp_path).config._attn_implementation == "sdpa"
    assert model.config._attn_implementation == "sdpa"
    model(input_ids=ids)
    assert len(calls) == 2 * 3


def test_padding_on_the_left_is_masked_as_ever() -> None:
    model, ids = small_llama(), torch.arange(18).view(2, 9) % 17
    mask = torch.ones_like(ids)
    mask[0, :4] = 0
    expected = model(input_ids=ids, attention_mask=mask).logits
    with fast_attention(model):
        torch.testing.assert_close(model(input_ids=ids, attention_mask=mask).logits[0, 4:], expected[0, 4:])


def test_other_implementations_are_left_alone() -> None:
    model = small_llama()
    model.set_attn_implementation("eager")
    with fast_attention(model):
        assert model.config._attn_implementation == "eager"
