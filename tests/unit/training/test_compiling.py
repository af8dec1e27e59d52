"""Compiled layers compute what layers compute."""

from contextlib import ExitStack

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from spanwise.config import ObjectiveConfig, TrainingConfig
from spanwise.errors import TrainingError
from spanwise.training.compiling import compiled_layers, repeated_layers
from spanwise.training.trainer import train


@pytest.mark.filterwarnings("ignore")  # of torch, about itself
@pytest.mark.parametrize("change", [{}, {"activation_checkpointing": True, "layout": "padded"}])
def test_compiled_training_is_training(change, trajectories, tokenizer, small_model, tmp_path) -> None:
    shared = {"precision": "fp32", "batch_tokens": 600, "max_steps": 3, "learning_rate": 1e-3, "optimizer": "adamw"}
    shared |= {"objective": ObjectiveConfig(method="sad"), **change}
    used = []
    for name, compiled in (("plain", False), ("compiled", True)):
        model = small_model(0)
        with ExitStack() as stack:
            for layer in repeated_layers(model):
                hook = layer.register_forward_hook(lambda layer, *_: used.append(layer._compiled_call_impl is not None))
                stack.callback(hook.remove)
            config = TrainingConfig.model_validate({**shared, "compile": compiled})
            train(model, tokenizer, trajectories, config, tmp_path / name, 0, small_model(7))
        assert any(used) == compiled, "only training is compiled, not what comes before"
        used.clear()
        assert all(layer._compiled_call_impl is None for layer in repeated_layers(model))
    plain, compiled = (AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in ("plain", "compiled"))
    for (name, ours), theirs in zip(compiled.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=2e-5, msg=name)


def test_without_a_compiler_the_message_says_what_to_do(small_model, monkeypatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with (
        pytest.raises(TrainingError, match=r"'no-such-compiler': install one.*training.compile = false"),
        compiled_layers(small_model(0)),
    ):
        pass


def test_a_model_without_layers_is_refused() -> None:
    with pytest.raises(TrainingError, match="Linear has no repeated layers"):
        repeated_layers(nn.Linear(2, 2))
