"""Compiled layers: what a layer does between its matrix products, fused.

On a CPU a small model spends most of a training step on norms, rotations, activations and copies, each of which goes
over all activations; ``torch.compile`` makes few loops of them. Only the repeated layers are compiled, all by the same
code, so that it takes seconds and not minutes. Attention in blocks stays as it is. ``benchmarks/training.py`` measures
what it is worth.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from transformers import AttentionInterface, PreTrainedModel

from spanwise.errors import TrainingError
from spanwise.training.attention import NAME, attention_in_blocks


def repeated_layers(model: nn.Module) -> list[nn.Module]:
    """The layers that a model repeats: those of its lists of modules of one class.

    Raises:
        TrainingError: It has none.
    """
    lists = [list(module) for module in model.modules() if isinstance(module, nn.ModuleList) and len(module)]
    layers = [layer for found in lists if len({type(one) for one in found}) == 1 for layer in found]
    if not layers:
        raise TrainingError(f"{type(model).__name__} has no repeated layers to compile: set training.compile = false")
    return layers


@contextmanager
def compiled_layers(*models: PreTrainedModel) -> Iterator[None]:
    """Has models compute with compiled layers for a while; they are compiled when they are first used.

    Raises:
        TrainingError: There is no C++ compiler, which code for CPUs needs, or nothing to compile.
    """
    compiler = os.environ.get("CXX", "g++")
    if any(model.device.type == "cpu" for model in models) and shutil.which(compiler) is None:
        raise TrainingError(
            f"training.compile needs a C++ compiler, and there is no {compiler!r}: install one, name it in CXX, or set "
            "training.compile = false"
        )
    layers = [layer for model in models for layer in repeated_layers(model)]
    AttentionInterface.register(NAME, torch.compiler.disable(attention_in_blocks))
    for layer in layers:
        layer.compile(dynamic=True)
    try:
        yield
    finally:
        for layer in layers:
            layer._compiled_call_impl = None
        AttentionInterface.register(NAME, attention_in_blocks)
