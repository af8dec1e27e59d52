"""The teacher's attention as a second target: where to look while one writes.

A student from scratch mostly fails where it does not read: it copies another name than the observation's. What the
teacher says there tells that it was wrong, its attention where it should have looked. So, of the REASON and ACT
tokens i of an optimizer step, each with its weight w (1, or that of ``training/views.py``),

    sum(w_i * KL(A_teacher[i] || A_student[i])) / sum(w_i)

is added to the loss, ``objective.attention`` times. A[i] is the attention, a mean over heads, of the query that
predicts token i, over all tokens of the row that were read by then, CONTEXT too. The mean lets models differ in heads.
Weights and reductions of kinds have no part in it.
Source of the idea: MiniLM (Wang et al. 2020, arXiv 2002.10957), there over all queries, head by head.

Models compute their attention as ever; queries and keys are caught on the way in, and probabilities exist for a block
of supervised queries at a time. Their gradients are taken in the forward pass, while they are there.

The teacher's may come from a cache (``teacher/cache.py``): of a query the few tokens that it looks at most, by how far
back they are, and the mass of all others as one more outcome. The divergence is then over these, never more than that
over all.

Shape suffixes: B rows, H heads, G key heads (each serves H / G heads), T tokens, D channels of a head, N supervised
positions, n those of a block, K kept tokens, O outcomes (K + 1).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface, PreTrainedModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from spanwise.errors import ModelError
from spanwise.teacher.signal import DenseSignal, SparseSignal, sparse_signal

if TYPE_CHECKING:
    from spanwise.teacher.cache import CachedAttention

#: Queries that go together: enough for the matrix products, few enough that most keys are not in their future.
_BLOCK = 128

#: What changes scores on their way to probabilities, by its name in calls of attention; none of it is known here.
_CHANGES = ("sliding_window", "softcap", "s_aux", "position_bias")


@dataclass(frozen=True, slots=True)
class Projections:
    """What the attention of a layer is computed from.

    Attributes:
        query: With its positions rotated in, [B, H, T, D].
        key: Likewise, [B, G, T, D].
        scaling: Of their products.
    """

    query: Tensor
    key: Tensor
    scaling: float


class AttentionRecorder:
    """Keeps the queries and keys of some layers of models, which compute as ever."""

    def __init__(self, layers: Mapping[PreTrainedModel, set[int]]) -> None:
        """Of each model the layers with these numbers."""
        self._models = list(layers)
        self._places = {
            module: (model, cast(int, vars(module)["layer_idx"]))
            for model, chosen in layers.items()
            for module in model.modules()
            if vars(module).get("layer_idx") in chosen
        }
        self._listening = False
        self._heard: dict[tuple[PreTrainedModel, int], Projections] = {}

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Has attention pass by here for a while, whichever the models use.

        Raises:
            ModelError: It is eager attention of compiled layers.
        """
        names = {cast(str, model.config._attn_implementation) for model in self._models}
        before = {name: ALL_ATTENTION_FUNCTIONS[name] for name in names - {"eager"}}
        # Eager attention is no entry: each model has its own. Compiled layers would not see that there is one now.
        if "eager" in names:
            if any(module._compiled_call_impl for model in self._models for module in model.modules()):
                raise ModelError("objective.attention hears no eager attention that is compiled: set compile = false")
            ALL_ATTENTION_FUNCTIONS["eager"] = self._passing_by(_own_attention)
        for name, computes in before.items():
            AttentionInterface.register(name, torch.compiler.disable(self._passing_by(computes)))
        try:
            yield
        finally:
            for name, computes in before.items():
                AttentionInterface.register(name, computes)
            if "eager" in names:
                del ALL_ATTENTION_FUNCTIONS["eager"]

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Has forward passes heard; those that only compute activations again are not."""
        self._heard, self._listening = {}, True
        try:
            yield
        finally:
            self._listening = False

    def take(self) -> dict[tuple[PreTrainedModel, int], Projections]:
        """What was heard of each model's layers since listening began; it is kept no longer."""
        heard, self._heard = self._heard, {}
        missing = [place for place in self._places.values() if place not in heard]
        if missing:
            model, layer = missing[0]
            raise ModelError(
                f"layer {layer} of {type(model).__name__} does not compute attention in the way of transformers' "
                "AttentionInterface: set objective.attention = 0.0"
            )
        return heard

    def _passing_by(self, computes: Callable[..., Any]) -> Callable[..., Any]:
        def attention(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Any, **others: Any) -> Any:
            if self._listening and module in self._places:
                self._hear(module, query, key, others)
            return computes(module, query, key, value, mask, **others)

        return attention

    def _hear(self, module: nn.Module, query: Tensor, key: Tensor, others: Mapping[str, Any]) -> None:
        model, layer = self._places[module]
        changes = [name for name in _CHANGES if others.get(name) is not None]
        if changes:
            raise ModelError(
                f"layer {layer} of {type(model).__name__} has attention with {changes[0]}, which objective.attention "
                "does not know: set it to 0.0"
            )
        scaling = others.get("scaling")
        self._heard[model, layer] = Projections(query, key, query.shape[-1] ** -0.5 if scaling is None else scaling)


def _own_attention(module: nn.Module, *arguments: Any, **others: Any) -> Any:
    """The eager attention of the file that a layer comes from."""
    return vars(sys.modules[type(module).__module__])["eager_attention_forward"](module, *arguments, **others)


class AttentionTarget:
    """How far a student's attention is from its teacher's, layer by layer."""

    def __init__(
        self, student: PreTrainedModel, teacher: PreTrainedModel | CachedAttention, layers: Literal["last", "all"]
    ) -> None:
        """A target over the last layer of both, or over all of the student's, each with one as deep of the teacher.

        Raises:
            SignalError: The teacher is a cache that lacks such a layer.
        """
        of_student = model_depth(student)
        of_teacher = model_depth(teacher) if isinstance(teacher, PreTrainedModel) else teacher.depth
        pairs = [(layer, -(-(layer + 1) * of_teacher // of_student) - 1) for layer in range(of_student)]
        self.pairs = pairs[-1:] if layers == "last" else pairs
        self._student, self._teacher = student, teacher
        first, second = zip(*self.pairs, strict=True)
        heard = {student: set(first)}
        if isinstance(teacher, PreTrainedModel):
            heard[teacher] = set(second)
        else:
            self._kept = dict(zip(second, map(teacher.layer, second), strict=True))
        self.recorder = AttentionRecorder(heard)

    def loss(self, batch: Mapping[str, Tensor], positions: Tensor, weight_N: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted sum of the divergences of what the recorder heard last, and each of them, nats [N].

        Args:
            batch: What both models read, as :func:`spanwise.training.batches.collate` makes it.
            positions: Which positions are supervised, bool [B, T]; N of them, in row-major order.
            weight_N: What each divergence is multiplied by.

        Raises:
            ModelError: A layer was not heard.
            SignalError: A row of the batch is not in the cache, or damaged there.
        """
        heard = self.recorder.take()
        columns_N, blocks = query_blocks(batch, positions)
        losses, divergences = [], []
        for of_student, of_teacher in self.pairs:
            student = heard[self._student, of_student]
            if isinstance(self._teacher, PreTrainedModel):
                wanted = _Dense(heard[self._teacher, of_teacher])
            else:
                wanted = _Sparse(self._kept[of_teacher].signal(batch, positions))
            loss, kl_N = _AttentionKl.apply(
                student.query, student.key, student.scaling, wanted, columns_N, blocks, weight_N
            )
            losses.append(loss)
            divergences.append(kl_N)
        return torch.stack(losses).mean(), torch.stack(divergences).mean(0)


@dataclass(frozen=True, slots=True)
class QueryBlock:
    """Some supervised queries of one row of text.

    Attributes:
        row: Of the tensors.
        first: Column of the first token of the text.
        end: Column after the last query.
        queries: Which of all N.
    """

    row: int
    first: int
    end: int
    queries: slice


def query_blocks(batch: Mapping[str, Tensor], positions: Tensor) -> tuple[Tensor, list[QueryBlock]]:
    """Columns of the supervised positions, int64 [N], and the blocks in which they are gone through."""
    places = positions.nonzero()
    rows, columns = places.cpu().numpy().T
    firsts = np.zeros_like(columns)
    if "borders" in batch:
        borders = batch["borders"].cpu().numpy()
        firsts = borders[np.searchsorted(borders, columns, side="right") - 1]
    changes = np.flatnonzero((np.diff(rows) != 0) | (np.diff(firsts) != 0)) + 1
    edges = np.concatenate([[0], changes, [len(rows)]]).tolist()
    blocks = []
    for begin, end in pairwise(edges):
        for start in range(begin, end, _BLOCK):
            stop = min(start + _BLOCK, end)
            queries = slice(start, stop)
            blocks.append(QueryBlock(int(rows[start]), int(firsts[start]), int(columns[stop - 1]) + 1, queries))
    return places[:, 1], blocks


def sparse_attention(
    layer: Projections, columns_N: Tensor, blocks: Sequence[QueryBlock], most: int, mass: float
) -> Iterator[SparseSignal]:
    """What a cache keeps of a layer's attention, block by block: see :func:`spanwise.teacher.signal.sparse_signal`.

    Args:
        layer: What it is computed from.
        columns_N: And the blocks: as :func:`query_blocks` gives them.
        blocks: Those that are wanted.
        most: Tokens that a query may have.
        mass: What they shall hold, in (0, 1].
    """
    with torch.autocast(layer.query.device.type, enabled=False):
        for block in blocks:
            columns_n = columns_N[block.queries]
            precise = torch.promote_types(layer.query.dtype, torch.float32)
            mean_nT = _probabilities(layer, block, columns_n, precise)[0].mean(0)
            sparse = sparse_signal(DenseSignal(mean_nT.log()), most, mass)
            # Its own entropy is none where something cannot be seen: 0 * log 0.
            back_nK = (columns_n - block.first)[:, None] - sparse.ids
            yield replace(sparse, ids=back_nK, entropy=torch.special.entr(mean_nT).sum(-1))


class _Target(Protocol):
    """What a teacher's queries look at."""

    def compare(self, block: QueryBlock, columns_n: Tensor, mean_nT: Tensor) -> tuple[Tensor, Tensor]:
        """KL of the block's queries to a student's attention, [n], and minus its derivative by that, [n, T]."""
        ...


@dataclass(frozen=True, slots=True)
class _Dense:
    """All tokens are outcomes."""

    layer: Projections

    def compare(self, block: QueryBlock, columns_n: Tensor, mean_nT: Tensor) -> tuple[Tensor, Tensor]:
        wanted_nT = _probabilities(self.layer, block, columns_n, mean_nT.dtype)[0].mean(0)
        return _kl(wanted_nT, mean_nT), wanted_nT / mean_nT


@dataclass(frozen=True, slots=True)
class _Sparse:
    """The kept tokens, and all others together."""

    signal: SparseSignal

    def compare(self, block: QueryBlock, columns_n: Tensor, mean_nT: Tensor) -> tuple[Tensor, Tensor]:
        part = self.signal.at(torch.arange(block.queries.start, block.queries.stop, device=mean_nT.device))
        keys_nK = (columns_n - block.first)[:, None] - part.ids
        wanted_nO = torch.cat([part.log_probs, part.tail_log_mass[:, None]], dim=-1).to(mean_nT.dtype).exp()
        # Added up without the kept ones: 1 minus them would lose its digits where they are all.
        others_n1 = mean_nT.scatter(-1, keys_nK, 0.0).sum(-1, keepdim=True).clamp(min=torch.finfo(mean_nT.dtype).tiny)
        found_nO = torch.cat([mean_nT.gather(-1, keys_nK), others_n1], dim=-1)
        ratio_nO = wanted_nO / found_nO
        # Places without a token stand at the first one, and have no mass to add to its.
        ratio_nT = ratio_nO[:, -1:].expand_as(mean_nT).scatter(-1, keys_nK, 0.0)
        return _kl(wanted_nO, found_nO), ratio_nT.scatter_add_(-1, keys_nK, ratio_nO[:, :-1])


def _kl(wanted_nO: Tensor, found_nO: Tensor) -> Tensor:
    return (wanted_nO * (wanted_nO.clamp(min=torch.finfo(wanted_nO.dtype).tiny) / found_nO).log()).sum(-1)


class _AttentionKl(torch.autograd.Function):
    """Takes the gradients of each block in the forward pass; the backward pass only scales them."""

    @staticmethod
    def forward(
        ctx: Any,
        query_BHTD: Tensor,
        key_BGTD: Tensor,
        scaling: float,
        teacher: _Target,
        columns_N: Tensor,
        blocks: list[QueryBlock],
        weight_N: Tensor,
    ) -> tuple[Tensor, Tensor]:
        student = Projections(query_BHTD, key_BGTD, scaling)
        precise = torch.promote_types(query_BHTD.dtype, torch.float32)
        of_query = torch.zeros_like(query_BHTD, dtype=precise)
        of_key = torch.zeros_like(key_BGTD, dtype=precise)
        kl_N = torch.zeros(len(columns_N), dtype=precise, device=query_BHTD.device)
        tiny = torch.finfo(precise).tiny
        with torch.autocast(query_BHTD.device.type, enabled=False):
            for block in blocks:
                columns_n, keys = columns_N[block.queries], slice(block.first, block.end)
                found_HnT, query_GnD, key_GTD = _probabilities(student, block, columns_n, precise)
                mean_nT = found_HnT.mean(0).clamp(min=tiny)  # what cannot be seen counts for nothing: 0 * log
                kl_N[block.queries], ratio_nT = teacher.compare(block, columns_n, mean_nT)
                # Through the mean over heads, and the softmax of each.
                pull_nT = ratio_nT * (weight_N[block.queries, None] / len(found_HnT))
                pulled_Hn1 = torch.einsum("hnt,nt->hn", found_HnT, pull_nT)[..., None]
                of_scores_GnT = found_HnT.mul_(pulled_Hn1 - pull_nT).view(len(key_GTD), -1, key_GTD.shape[1])
                of_scores_GnT *= scaling
                of_query[block.row, :, columns_n] = (of_scores_GnT @ key_GTD).view(len(found_HnT), len(columns_n), -1)
                of_key[block.row, :, keys] += of_scores_GnT.mT @ query_GnD
        ctx.gradients = of_query.to(query_BHTD.dtype), of_key.to(key_BGTD.dtype)
        ctx.mark_non_differentiable(kl_N)
        return (kl_N * weight_N).sum(), kl_N

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        of_query, of_key = ctx.gradients
        return of_query * gradient, of_key * gradient, None, None, None, None, None


def _probabilities(
    layer: Projections, block: QueryBlock, columns_n: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Attention of a block's queries over the text so far, [H, n, T]; the queries, [G, H / G * n, D]; the keys."""
    query_HnD = layer.query[block.row][:, columns_n].to(dtype)
    key_GTD = layer.key[block.row, :, block.first : block.end].to(dtype)
    H, n, D = query_HnD.shape
    query_GnD = query_HnD.reshape(len(key_GTD), -1, D)
    scores_HnT = (query_GnD @ key_GTD.mT).mul_(layer.scaling).view(H, n, -1)
    later_nT = torch.arange(block.first, block.end, device=columns_n.device) > columns_n[:, None]
    return scores_HnT.masked_fill_(later_nT, -torch.inf).softmax(-1), query_GnD, key_GTD


def model_depth(model: PreTrainedModel) -> int:
    """Layers of a model."""
    return model.config.get_text_config().num_hidden_layers
