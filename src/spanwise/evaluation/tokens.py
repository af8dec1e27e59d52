"""How many tokens of each kind an agent wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanwise.data.tokenize import tokenize_trajectory
from spanwise.types import SUPERVISED_KINDS, SpanKind, Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def count_tokens(trajectory: Trajectory, tokenizer: PreTrainedTokenizerBase) -> dict[SpanKind, int]:
    """Tokens of each supervised kind over all completions, counted as training counts them.

    Ids that a model generated are counted as they are; other text is tokenised. End-of-turn tokens are ACT.
    """
    if not trajectory.steps:
        return dict.fromkeys(SUPERVISED_KINDS, 0)
    kinds = tokenize_trajectory(trajectory, tokenizer).kind
    return {kind: int((kinds == kind).sum()) for kind in SUPERVISED_KINDS}
