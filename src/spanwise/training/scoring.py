"""How likely a model finds what was written, and how far it is from a teacher, token by token; nothing is learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from spanwise.data.batching import batches_of_similar_length
from spanwise.data.tokenize import TokenizedTrajectory
from spanwise.teacher.online import OnlineTeacher
from spanwise.training import divergences
from spanwise.training.attention import fast_attention, packs
from spanwise.training.batches import collate, model_inputs
from spanwise.training.projection import hidden_at, output_head
from spanwise.types import SpanKind


@dataclass(frozen=True, slots=True, eq=False)
class RowScores:
    """Of the N supervised positions of a row, in order, nats.

    Attributes:
        nats: -log p(target), float64 [N].
        kl: KL(teacher || model), float64 [N]; None without a teacher.
    """

    nats: np.ndarray
    kl: np.ndarray | None


@torch.no_grad()
def score_rows(
    model: PreTrainedModel,
    rows: Sequence[TokenizedTrajectory],
    vocabulary: int,
    teacher: PreTrainedModel | None = None,
    batch_tokens: int = 8192,
) -> list[RowScores]:
    """The scores of every row, by one pass over it.

    Args:
        model: Who is judged.
        rows: What was written.
        vocabulary: Tokens of the tokenizer; more rows of a head are padding.
        teacher: On the same device, with the same vocabulary.
        batch_tokens: Positions of one forward pass.
    """
    model.eval()
    models = [model] if teacher is None else [model, teacher]
    head = output_head(model, vocabulary)
    asked = None if teacher is None else OnlineTeacher(teacher, vocabulary)
    packed = all(map(packs, models))
    found: dict[int, RowScores] = {}
    with fast_attention(*models):
        for batch in batches_of_similar_length([len(row) for row in rows], batch_tokens, packed):
            tensors = collate([rows[index] for index in batch], packed)
            tensors = {name: one.to(model.device) for name, one in tensors.items()}
            chosen = tensors["kind"] != SpanKind.CONTEXT
            hidden_NH, target_ids = hidden_at(model, model_inputs(tensors), chosen), tensors["target_ids"][chosen]
            signal = None if asked is None else asked.signal(tensors, chosen)
            nats, kl = [], []
            for chunk in torch.arange(len(hidden_NH), device=hidden_NH.device).split(head.chunk):
                logits = head(hidden_NH[chunk])
                nats.append(divergences.cross_entropy(logits, target_ids[chunk]).double())
                if signal is not None:
                    kl.append(divergences.forward_kl(*signal.at(chunk).align(logits, 1.0)).double())
            ends = np.cumsum([rows[index].supervised for index in batch])[:-1]
            parts = np.split(torch.cat(nats).cpu().numpy(), ends)
            of_teacher = np.split(torch.cat(kl).cpu().numpy(), ends) if kl else []
            for place, index in enumerate(batch):
                found[index] = RowScores(parts[place], of_teacher[place] if of_teacher else None)
    return [found[index] for index in range(len(rows))]
