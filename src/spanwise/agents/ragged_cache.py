"""A key-value cache whose rows are sequences of unequal length, for episodes that grow side by side.

Row ``r`` holds ``lengths[r]`` tokens, in columns ``0 … lengths[r] - 1``: there is no padding between the turns of an
episode, and nothing is moved when rows grow at different speed. A forward pass feeds some rows with some new tokens
each (``plan``, then the model, then ``commit``); a row that is free again is simply begun anew (``clear``).

Shapes: B rows of a forward pass, Q new tokens (of the row that has most), T columns that the pass may look at, H heads,
D numbers a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

#: Columns are added in this many at a time.
_GROWTH = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """Where one forward pass reads and writes.

    Attributes:
        numbers: Which rows, in the order of the batch. [B]
        rows: The same as an index; a slice costs no copy. [B]
        row_index: And as a column of numbers. [B, 1]
        columns: Where each new token goes; left padding goes to the last column, which nobody reads. [B, Q]
        horizon: Number of columns that the pass looks at (T).
        counts: New tokens of each row. [B]
        positions: Position of each new token in its sequence; 0 for padding. [B, Q]
        mask: What attention scores are raised by: 0 where a token may look, a very low number elsewhere. [B, 1, Q, T]
    """

    numbers: Sequence[int]
    rows: slice | torch.Tensor
    row_index: torch.Tensor
    columns: torch.Tensor
    horizon: int
    counts: Sequence[int]
    positions: torch.Tensor
    mask: torch.Tensor


class RaggedCache(Cache):
    """Keys and values of all layers; passes for transformers' own caches in ``model(past_key_values=…)``."""

    def __init__(self, layers: int, dtype: torch.dtype, device: torch.device):
        """An empty cache, without rows; ``dtype`` is that of the model's attention scores."""
        self._layers = [_RaggedLayer(self) for _ in range(layers)]
        super().__init__(layers=list(self._layers))
        self.lengths: list[int] = []
        self.capacity = _GROWTH
        self.plan_of_pass: Plan | None = None
        self._dtype, self._device = dtype, device

    def plan(self, rows: Sequence[int], counts: Sequence[int]) -> Plan:
        """Prepares a pass that feeds ``counts[i]`` > 0 tokens, left-padded to the most of them, to ``rows[i]``."""
        starts = [self.lengths[row] for row in rows]
        horizon = max(start + count for start, count in zip(starts, counts, strict=True))
        if horizon >= self.capacity:
            self.capacity = (horizon // _GROWTH + 1) * _GROWTH
        device, longest = self._device, max(counts)
        row_B, start_B, count_B = torch.tensor([rows, starts, counts]).to(device, non_blocking=True)
        start_B1, count_B1 = start_B[:, None], count_B[:, None]
        offset_BQ = torch.arange(longest, device=device)[None] + count_B1 - longest  # negative in the padding
        column_BQ = torch.where(offset_BQ < 0, self.capacity - 1, start_B1 + offset_BQ)
        visible_BQT = torch.arange(horizon, device=device) <= column_BQ[:, :, None]
        mask_BQT = torch.zeros(visible_BQT.shape, dtype=self._dtype, device=device)
        mask_BQT.masked_fill_(~visible_BQT, torch.finfo(self._dtype).min)
        is_prefix = list(rows) == list(range(len(rows)))
        self.plan_of_pass = Plan(
            numbers=rows,
            rows=slice(0, len(rows)) if is_prefix else row_B,
            row_index=row_B[:, None],
            columns=column_BQ,
            horizon=horizon,
            counts=counts,
            positions=torch.where(offset_BQ < 0, 0, start_B1 + offset_BQ),
            mask=mask_BQT[:, None],
        )
        return self.plan_of_pass

    def commit(self, plan: Plan) -> None:
        """Counts the tokens of a pass that has run."""
        for row, count in zip(plan.numbers, plan.counts, strict=True):
            self.lengths[row] += count

    def add_row(self) -> int:
        """A new row, empty."""
        self.lengths.append(0)
        return len(self.lengths) - 1

    def clear(self, row: int) -> None:
        """Forgets what a row holds."""
        self.lengths[row] = 0

    def crop(self, row: int, length: int) -> None:
        """Forgets what a row holds after its first ``length`` tokens."""
        self.lengths[row] = min(length, self.lengths[row])

    def swap(self, first: int, second: int) -> None:
        """Exchanges two rows."""
        longest = max(self.lengths[first], self.lengths[second])
        self.lengths[first], self.lengths[second] = self.lengths[second], self.lengths[first]
        for layer in self._layers:
            layer.swap(first, second, longest)


class _RaggedLayer(CacheLayerMixin):
    """Keys and values of one layer, [rows, H, capacity, D]."""

    is_sliding = False
    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self, cache: RaggedCache):
        super().__init__()
        self._cache = cache

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes new keys and values [B, H, Q, D] where the plan says; returns all that the pass sees [B, H, T, D]."""
        plan = self._cache.plan_of_pass
        assert plan is not None, "RaggedCache.plan must come before the model"
        self.lazy_initialization(key_states, value_states)
        self.keys[plan.row_index, :, plan.columns] = key_states.transpose(1, 2)
        self.values[plan.row_index, :, plan.columns] = value_states.transpose(1, 2)
        return self.keys[plan.rows, :, : plan.horizon], self.values[plan.rows, :, : plan.horizon]

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Makes room for all rows and columns of the cache, keeping what there is."""
        self.keys = self._with_room(self.keys, key_states)
        self.values = self._with_room(self.values, value_states)
        self.is_initialized = True

    def swap(self, first: int, second: int, columns: int) -> None:
        """Exchanges the beginnings of two rows."""
        if not self.is_initialized:
            return
        self.lazy_initialization(self.keys, self.values)
        for states in (self.keys, self.values):
            kept = states[first, :, :columns].clone()
            states[first, :, :columns] = states[second, :, :columns]
            states[second, :, :columns] = kept

    def _with_room(self, states: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
        """The states in a tensor that is large enough; zeros where it is new, for a NaN would show through the mask."""
        rows, capacity = len(self._cache.lengths), self._cache.capacity
        if states is not None and states.shape[0] >= rows and states.shape[2] >= capacity:
            return states
        grown = torch.zeros((rows, like.shape[1], capacity, like.shape[3]), dtype=like.dtype, device=like.device)
        if states is not None:
            grown[: states.shape[0], :, : states.shape[2]] = states
        return grown

    def get_seq_length(self) -> int:
        """The longest row."""
        return max(self._cache.lengths, default=0)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Unused: the mask is given. Length and offset that a model would need to make its own."""
        return self.get_seq_length() + query_length, 0

    def get_max_length(self) -> int:
        """There is none."""
        return -1
