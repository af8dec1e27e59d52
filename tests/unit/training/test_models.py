"""Models and tokenizers from scratch, from folders whole and damaged, and whether they fit each other."""

import random

import pytest
import torch
from safetensors.torch import load_file, save_file

from spanwise.config import ArchitectureConfig, TokenizerConfig
from spanwise.errors import ModelError
from spanwise.training.models import (
    check_same_vocabulary,
    count_parameters,
    create_model,
    create_tokenizer,
    fingerprint,
    load_model,
    load_tokenizer,
)

TEXTS = [f"You see a cabinet {n}, a mug {n + 1}.\nThought: go.\nAction: go to cabinet {n}" for n in range(1, 15)]
SHAPE = ArchitectureConfig(hidden_size=16, intermediate_size=24, layers=2, heads=4, kv_heads=2, max_length=64)


@pytest.fixture(scope="module")
def tokenizer():
    return create_tokenizer(TEXTS, TokenizerConfig(vocab_size=400))


@pytest.fixture
def folder(tokenizer, tmp_path):
    create_model(SHAPE, tokenizer, 0).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def test_names_and_numbers_are_a_token_each(tokenizer) -> None:
    assert tokenizer.tokenize(" go to cabinet 12.") == ["Ġgo", "Ġto", "Ġcabinet", "Ġ12", "."]
    assert tokenizer.tokenize("\nThought:") == ["Ċ", "Thought", ":"]


def test_any_text_can_be_spelled(tokenizer) -> None:
    text = "Ünseen 🍎 wörds\t\r\n  0123 — and  more"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_order_of_texts_does_not_matter(tokenizer) -> None:
    shuffled = random.Random(0).sample(TEXTS, len(TEXTS))
    again = create_tokenizer(shuffled, TokenizerConfig(vocab_size=400))
    assert again.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()


def test_a_tokenizer_survives_its_folder(tokenizer, folder) -> None:
    loaded = load_tokenizer(folder)
    assert fingerprint(loaded) == fingerprint(tokenizer)
    assert (loaded.pad_token_id, loaded.eos_token_id) == (0, 1)
    assert loaded.encode(TEXTS[3]) == tokenizer.encode(TEXTS[3])


def test_a_model_depends_on_its_seed_alone(tokenizer) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = create_model(SHAPE, tokenizer, 3)
    assert torch.equal(torch.rand(1), expected)  # nobody else's random numbers are used up
    second, other = create_model(SHAPE, tokenizer, 3), create_model(SHAPE, tokenizer, 4)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


def test_tied_weights_count_once(tokenizer) -> None:
    attention = 16 * 16 * 2 + 16 * 8 * 2
    expected = len(tokenizer) * 16 + 2 * (attention + 2 * 4 + 3 * 16 * 24 + 2 * 16) + 16
    assert count_parameters(create_model(SHAPE, tokenizer, 0)) == expected


def test_loaded_models_are_the_saved_ones_in_fp32(tokenizer, folder) -> None:
    saved, loaded = create_model(SHAPE, tokenizer, 0), load_model(folder)
    assert loaded.dtype == torch.float32
    assert all(torch.equal(a, b) for a, b in zip(saved.parameters(), loaded.parameters(), strict=True))
    assert [p.shape for p in create_model(ArchitectureConfig(path=str(folder)), tokenizer, 9).parameters()] == [
        p.shape for p in saved.parameters()
    ]


def test_loading_says_nothing(folder, capfd) -> None:
    load_model(folder)
    load_tokenizer(folder)
    assert capfd.readouterr() == ("", "")


def cut_weights(folder) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def drop_a_weight(folder) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def reshape_a_weight(folder) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"] = torch.zeros(8, 16)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_weights, "cannot be loaded as a causal language model: Error while deserializing header"),
        (drop_a_weight, "weight model.layers.1.mlp.up_proj.weight is missing"),
        (reshape_a_weight, r"up_proj.weight: expected shape \(24, 16\), found \(8, 16\)"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no file named model.safetensors"),
        (lambda folder: (folder / "config.json").write_text("{"), "not a valid JSON file"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "t5"}'), "causal language model"),
        (lambda folder: (folder / "config.json").unlink(), "model_type"),
    ],
)
def test_a_damaged_model_is_an_error_that_names_the_folder(damage, message, folder) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=message) as error:
        load_model(folder)
    assert str(error.value).startswith(f"{folder}: ")
    assert "\n" not in str(error.value)


def test_a_damaged_tokenizer_is_an_error_that_names_the_folder(folder) -> None:
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="holds no tokenizer") as error:
        load_tokenizer(folder)
    assert str(error.value).startswith(f"{folder}: ")


@pytest.mark.parametrize("load", [load_model, load_tokenizer])
def test_a_missing_folder_is_not_taken_for_a_hub_name(load, tmp_path) -> None:
    for path in (tmp_path / "none", str(tmp_path / "none"), "./none", "runs/alfworld/teacher"):
        with pytest.raises(ModelError, match="no such folder"):
            load(path)


def test_different_vocabularies_are_named(tokenizer, folder) -> None:
    check_same_vocabulary(load_tokenizer(folder), tokenizer)
    smaller = create_tokenizer(TEXTS, TokenizerConfig(vocab_size=300))
    with pytest.raises(ModelError, match=f"{folder} has {len(tokenizer)} tokens and the student 300") as error:
        check_same_vocabulary(load_tokenizer(folder), smaller)
    assert "of the one and None of the other" in str(error.value)
