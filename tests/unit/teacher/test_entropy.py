"""A trajectory's entropy is the sum over what its agent wrote, however trajectories are batched."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from spanwise.data.tokenize import TokenizedTrajectory
from spanwise.teacher.entropy import position_entropies, summed_entropies
from spanwise.teacher.signal import DenseSignal


class ByLastToken:
    """Is unsure among as many tokens as the token before says."""

    def signal(self, batch: Mapping[str, torch.Tensor], positions: torch.Tensor) -> DenseSignal:
        choices = batch["input_ids"][positions][:, None]
        weights = (torch.arange(9) < choices).float()
        return DenseSignal((weights / weights.sum(-1, keepdim=True)).clamp(min=1e-30).log())


def row(tokens: list[int], kinds: list[int]) -> TokenizedTrajectory:
    ids = np.array(tokens, dtype=np.int64)
    return TokenizedTrajectory("x", ids, ids, np.array(kinds, dtype=np.int8), ids, ids > 9)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("batch_tokens", [1, 6, 100])
def test_entropies_are_summed_over_supervised_positions_of_each_row(batch_tokens, packed) -> None:
    rows = [row([7, 2, 4], [0, 1, 2]), row([3], [2]), row([8, 8, 8, 8, 2], [0, 0, 0, 0, 1]), row([1, 5], [1, 0])]
    found = position_entropies(ByLastToken(), rows, batch_tokens, torch.device("cpu"), packed)
    np.testing.assert_allclose(np.concatenate(found), np.log([2, 4, 3, 2, 1]), atol=1e-6)
    np.testing.assert_allclose(summed_entropies(found), [np.log(2) + np.log(4), np.log(3), np.log(2), 0], atol=1e-6)
