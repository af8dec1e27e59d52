"""Attention in blocks is torch's attention."""

import pytest
import torch
from torch import nn
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from spanwise.training import attention
from spanwise.training.attention import attention_in_blocks, fast_attention, packs
from spanwise.training.batches import model_inputs
from spanwise.training.projection import hidden_at


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


LENGTHS = [5, 1, 9, 4]


@pytest.mark.parametrize("key_heads", [1, 6])
def test_packed_rows_are_each_row_alone(key_heads) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(1, 6, sum(LENGTHS), 5), (1, key_heads, sum(LENGTHS), 5), (1, key_heads, sum(LENGTHS), 5)]
    inputs = [torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]
    borders = torch.tensor([0, *LENGTHS], dtype=torch.int32).cumsum(0, dtype=torch.int32)
    packed, _ = attention_in_blocks(nn.Identity(), *inputs, None, cu_seq_lens_q=borders)
    alone = []
    for start, end in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        row = [one[:, :, start:end] for one in inputs]
        causal = nn.functional.scaled_dot_product_attention(*row, is_causal=True, enable_gqa=True)
        alone.append(causal.transpose(1, 2))
    expected = torch.cat(alone, dim=1)
    torch.testing.assert_close(packed, expected)
    direction = torch.randn(packed.shape, generator=generator, dtype=torch.float64)
    for first, second in zip(
        torch.autograd.grad(packed, inputs, direction), torch.autograd.grad(expected, inputs, direction), strict=True
    ):
        torch.testing.assert_close(first, second)


SIZES = {
    "vocab_size": 17,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 4,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "attn_implementation": "sdpa",
}


def qwen3() -> PreTrainedModel:
    return Qwen3ForCausalLM(Qwen3Config(**SIZES))


def mistral() -> PreTrainedModel:
    return MistralForCausalLM(MistralConfig(**SIZES, sliding_window=3))


def sliding_qwen3() -> PreTrainedModel:
    return Qwen3ForCausalLM(Qwen3Config(**SIZES, use_sliding_window=True, sliding_window=3, max_window_layers=1))


def gemma2() -> PreTrainedModel:
    return Gemma2ForCausalLM(Gemma2Config(**{**SIZES, "attn_implementation": "eager"}, sliding_window=3))


def padded_and_packed() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], torch.Tensor]:
    """The same rows in both layouts, and which positions of the padded one are rows."""
    ids = torch.randint(17, (len(LENGTHS), max(LENGTHS)), generator=torch.Generator().manual_seed(1))
    valid = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    packed = {
        "input_ids": ids[valid][None],
        "position_ids": torch.cat([torch.arange(length) for length in LENGTHS])[None],
        "borders": torch.tensor([0, *LENGTHS]).cumsum(0).int(),
    }
    return {"input_ids": ids}, packed, valid


@pytest.mark.parametrize("make", [small_llama, qwen3, mistral, sliding_qwen3, gemma2])
@pytest.mark.parametrize("fast", [True, False])
def test_a_model_computes_packed_rows_as_padded_ones(fast, make) -> None:
    torch.manual_seed(0)
    model = make().double()
    padded, packed, valid = padded_and_packed()
    expected = hidden_at(model, model_inputs(padded), valid)
    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    wanted = torch.autograd.grad(expected, list(model.model.parameters()), direction)
    everything = torch.ones_like(packed["input_ids"], dtype=torch.bool)
    with fast_attention(*([model] if fast else [])):
        found = hidden_at(model, model_inputs(packed), everything)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)  # eager attention has an fp32 softmax
        gradients = torch.autograd.grad(found, list(model.model.parameters()), direction)
        for one, other in zip(gradients, wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
        one_row = {name: one for name, one in packed.items() if name == "input_ids"}
        assert not torch.allclose(hidden_at(model, one_row, everything), expected)  # without borders it is another text


@pytest.mark.parametrize("make", [mistral, sliding_qwen3])
def test_a_sliding_window_is_kept(make) -> None:
    torch.manual_seed(0)
    model = make().double()
    ids = torch.arange(12)[None] % 17
    before = model(input_ids=ids).logits
    with fast_attention(model):
        torch.testing.assert_close(model(input_ids=ids).logits, before)
        model.config.sliding_window = 100
        assert not torch.allclose(model(input_ids=ids).logits, before)


def test_packed_rows_stay_apart_under_attention_dropout() -> None:
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**SIZES, attention_dropout=0.5)).train()
    _, packed, _ = padded_and_packed()
    inputs = model_inputs(packed)
    changed = {**inputs, "input_ids": inputs["input_ids"].clone()}
    changed["input_ids"][0, : LENGTHS[0]] = (changed["input_ids"][0, : LENGTHS[0]] + 1) % 17
    with fast_attention(model):
        seen = []
        for one in (inputs, changed, inputs):
            torch.manual_seed(1 if len(seen) < 2 else 2)
            seen.append(model(**one, use_cache=False).logits[0].detach())
    first, second, other_seed = seen
    assert not torch.allclose(first[: LENGTHS[0]], second[: LENGTHS[0]])
    torch.testing.assert_close(first[LENGTHS[0] :], second[LENGTHS[0] :])
    assert not torch.allclose(first, other_seed)  # something is dropped


def test_rows_are_packed_where_attention_keeps_them_apart_at_no_cost() -> None:
    assert packs(small_llama())
    assert packs(qwen3())
    assert not packs(sliding_qwen3())
    assert not packs(gemma2())
    assert not packs(mistral())
    model = qwen3()
    model.set_attn_implementation("eager")
    assert not packs(model)
    with fast_attention(model := qwen3()):
        assert packs(model)
