"""From hidden states to the vocabulary: at supervised positions only, and never all of them at once.

For a small model with a large vocabulary the last projection is most of the memory of training, and none of its result
is needed for long. So the body's hidden states are caught before they enter the head, and logits exist for one chunk
of positions at a time. A chunk's gradients are taken in the forward pass, while its logits are there.

Shape suffixes: B rows, T positions, N supervised positions, H channels, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from accelerate.utils import extract_model_from_parallel
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import PreTrainedModel

from spanwise.errors import ModelError

#: Logits of one chunk: 128 MiB in fp32, whatever the vocabulary.
CHUNK_LOGITS = 2**25

#: What models of the library do to logits after the head, by the key of their configuration that says how much.
_AFTER_HEAD: dict[str, Callable[[Tensor, float], Tensor]] = {
    "final_logit_softcapping": lambda logits, cap: cap * torch.tanh(logits / cap),
    "logit_scale": lambda logits, scale: logits * scale,
    "logits_scaling": lambda logits, scale: logits / scale,
}


@dataclass(frozen=True, slots=True)
class Head:
    """The part of a causal LM that follows its hidden states.

    Attributes:
        module: The output embedding.
        after: What the model does to the logits then.
        vocabulary: Rows that stand for tokens; those by which an embedding is padded are cut off.
    """

    module: nn.Module
    after: tuple[Callable[[Tensor], Tensor], ...]
    vocabulary: int

    def __call__(self, hidden_NH: Tensor) -> Tensor:
        """Logits, [N, V]."""
        logits_NV = self.module(hidden_NH)[..., : self.vocabulary]
        for change in self.after:
            logits_NV = change(logits_NV)
        return logits_NV

    @property
    def chunk(self) -> int:
        """How many positions are projected at a time."""
        return max(1, CHUNK_LOGITS // self.vocabulary)


def output_head(model: nn.Module, vocabulary: int) -> Head:
    """The head of a causal LM, wrapped for training or not; :func:`check_head` tells whether that is all of it."""
    plain = cast(PreTrainedModel, extract_model_from_parallel(model))
    settings = plain.config.get_text_config().to_dict()
    after = tuple(
        (lambda logits, change=change, amount=settings[key]: change(logits, amount))
        for key, change in _AFTER_HEAD.items()
        if settings.get(key) is not None
    )
    return Head(cast(nn.Module, plain.get_output_embeddings()), after, vocabulary)


@torch.no_grad()
def check_head(model: PreTrainedModel) -> None:
    """Makes sure that a model's logits are what its head makes of its hidden states.

    Raises:
        ModelError: They are not: the model changes them in a way that is not known here.
    """
    inputs = {"input_ids": torch.arange(1, 5, device=model.device)[None] % model.config.get_text_config().vocab_size}
    training = model.training
    model.eval()
    expected_V = model(**inputs, use_cache=False).logits[0, -1]
    hidden_1H = hidden_at(model, inputs, torch.tensor([[False, False, False, True]], device=model.device))
    found_V = output_head(model, len(expected_V))(hidden_1H)[0]
    model.train(training)
    if not torch.allclose(found_V, expected_V, rtol=1e-2, atol=1e-2, equal_nan=True):
        raise ModelError(
            f"{type(model).__name__} changes its logits after the head in a way that is not known to spanwise "
            f"(known: {', '.join(_AFTER_HEAD)}), so it cannot be trained or be a teacher"
        )


def hidden_at(model: nn.Module, inputs: Mapping[str, Any], positions: Tensor) -> Tensor:
    """What enters the head at the chosen positions of a batch, [N, H], in row-major order.

    The model is called as ever, so wrappers for several processes and their hooks work; only its head gets no rows.

    Args:
        model: A causal LM, wrapped for training or not.
        inputs: Of the model: ``input_ids`` [B, T], and what else its layout needs.
        positions: bool [B, T].
    """
    caught: list[Tensor] = []

    def catch(_: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor]:
        caught.append(arguments[0][positions])
        return (arguments[0][:0],)

    head = cast(PreTrainedModel, extract_model_from_parallel(model)).get_output_embeddings()
    catching = cast(nn.Module, head).register_forward_pre_hook(catch)
    try:
        model(**inputs, use_cache=False)
    finally:
        catching.remove()
    return caught[0]


def logits_at(model: nn.Module, input_ids: Tensor, positions: Tensor, vocabulary: int) -> Tensor:
    """Logits at the chosen positions of right-padded rows, [N, V], all at once; see :func:`hidden_at`."""
    return output_head(model, vocabulary)(hidden_at(model, {"input_ids": input_ids}, positions))


def sum_over_chunks(loss_of: Callable[[Tensor, Tensor], Tensor], head: Head, hidden_NH: Tensor) -> Tensor:
    """The sum of a loss over chunks of positions, with the gradients of doing all of them at once.

    Args:
        loss_of: Given a chunk's indices [n] and logits [n, V]: its share of the loss, a scalar.
        head: Its trainable parameters get their gradients too.
        hidden_NH: Hidden states.
    """
    if not torch.is_grad_enabled():
        hidden_NH, parameters = hidden_NH.detach(), list[nn.Parameter]()
    else:
        parameters = [parameter for parameter in head.module.parameters() if parameter.requires_grad]
    return cast(Tensor, _SumOverChunks.apply(loss_of, head, hidden_NH, *parameters))


class _SumOverChunks(torch.autograd.Function):
    """Takes the gradients of each chunk in the forward pass; the backward pass only scales them."""

    @staticmethod
    def forward(ctx: Any, loss_of: Any, head: Head, hidden_NH: Tensor, *parameters: Tensor) -> Tensor:
        # Only here is it known who needs a gradient: inside, nothing seems to.
        wanted: Sequence[bool] = ctx.needs_input_grad[2:]
        losses: list[Tensor] = []
        of_hidden: list[Tensor] = []
        of_parameters: list[Tensor] = []
        for chunk in torch.arange(len(hidden_NH), device=hidden_NH.device).split(head.chunk):
            with torch.set_grad_enabled(any(wanted)):
                part = hidden_NH[chunk].detach().requires_grad_(wanted[0])
                loss = loss_of(chunk, head(part))
            losses.append(loss.detach())
            sources = [one for one, wants in zip((part, *parameters), wanted, strict=True) if wants]
            found = list(torch.autograd.grad(loss, sources)) if sources else []
            if wanted[0]:
                of_hidden.append(found.pop(0))
            of_parameters = [total.add_(one) for total, one in zip(of_parameters, found, strict=False)] or found
        gradients = iter([torch.cat(of_hidden), *of_parameters] if wanted[0] else of_parameters)
        ctx.gradients = [next(gradients) if wants else None for wants in wanted]
        return torch.stack(losses).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        scaled = [None if one is None else one * gradient for one in ctx.gradients]
        return (None, None, *scaled)
