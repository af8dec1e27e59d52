"""A distribution seen through a few of its tokens: each of them an outcome, all others together one more.

Shape suffixes: N positions, V vocabulary, K recorded tokens.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Log-mass that stands for none: e to this power is 0 in every precision, yet 0 times it is 0 and not NaN.
NOTHING = -1e4


def coarse_log_probs(logits_NV: Tensor, ids_NK: Tensor, recorded_NK: Tensor) -> Tensor:
    """Log-probabilities of the recorded tokens, and of all others together as outcome K: [N, K + 1], fp32 or fp64.

    It costs one pass over the logits, and another for the gradient: no [N, V] log-probabilities are made.

    Args:
        logits_NV: Unnormalised.
        ids_NK: Tokens; distinct where recorded, and the first one of the row elsewhere.
        recorded_NK: False where a row has fewer tokens than others; such outcomes have no mass. The first is True.
    """
    return cast(Tensor, _Coarse.apply(logits_NV, ids_NK, recorded_NK))


class _Coarse(torch.autograd.Function):
    """With s the softmax and g the incoming gradient, G its sum, and r the mass of the others:

    d/dz_k = g_k - G s_k for a recorded token, and d/dz_v = s_v (g_r / r - G) for any other.
    """

    @staticmethod
    def forward(ctx: Any, logits_NV: Tensor, ids_NK: Tensor, recorded_NK: Tensor) -> Tensor:
        wide = logits_NV.dtype if logits_NV.dtype == torch.float64 else torch.float32
        highest_N1 = logits_NV.amax(-1, keepdim=True).to(wide)
        mass_NV = torch.sub(logits_NV, highest_N1).exp_()
        log_mass_NK = logits_NV.gather(-1, ids_NK).to(wide) - highest_N1
        # What is left is added up without the recorded ones: 1 minus them would lose its digits where they are all.
        mass_NV.scatter_(-1, ids_NK, 0.0)
        others_N1 = mass_NV.sum(-1, keepdim=True).clamp(min=torch.finfo(wide).tiny)
        mass_NK = log_mass_NK.exp() * recorded_NK
        total_N1 = mass_NK.sum(-1, keepdim=True) + others_N1
        ctx.save_for_backward(mass_NV, ids_NK, recorded_NK, mass_NK / total_N1, others_N1, total_N1)
        ctx.dtype = logits_NV.dtype
        outcomes_NO = torch.cat([log_mass_NK, others_N1.log()], dim=-1) - total_N1.log()
        no_others_N1 = recorded_NK.sum(-1, keepdim=True) == logits_NV.shape[-1]
        return outcomes_NO.masked_fill(torch.cat([~recorded_NK, no_others_N1], dim=-1), NOTHING)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        mass_NV, ids_NK, recorded_NK, share_NK, others_N1, total_N1 = ctx.saved_tensors
        of_recorded_NK = gradient[:, :-1] * recorded_NK
        of_others_N1 = gradient[:, -1:]
        sum_N1 = of_recorded_NK.sum(-1, keepdim=True) + of_others_N1
        result_NV = mass_NV * (of_others_N1 / others_N1 - sum_N1 / total_N1)
        result_NK = of_recorded_NK - sum_N1 * share_NK
        result_NV.scatter_(-1, ids_NK, torch.where(recorded_NK, result_NK, result_NK[:, :1]))
        return result_NV.to(ctx.dtype), None, None
