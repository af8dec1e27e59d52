import pytest
import torch

from spanwise.agents.ragged_cache import RaggedCache


def make_cache(rows: int) -> RaggedCache:
    cache = RaggedCache(layers=1, dtype=torch.float32, device=torch.device("cpu"))
    for _ in range(rows):
        cache.add_row()
    return cache


def feed(cache: RaggedCache, tokens: dict[int, list[float]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Feeds numbers to rows; a token's key is its number, its value the negative. Returns what the pass sees. [B, T]"""
    longest = max(map(len, tokens.values()))
    plan = cache.plan(list(tokens), [len(new) for new in tokens.values()])
    keys = torch.tensor([[float("inf")] * (longest - len(new)) + new for new in tokens.values()], dtype=torch.float32)
    seen_keys, seen_values = cache.update(keys[:, None, :, None], -keys[:, None, :, None], 0)
    cache.commit(plan)
    visible = plan.mask[:, 0, -1] == 0
    return (torch.where(visible, seen[:, 0, :, 0], 0.0) for seen in (seen_keys, seen_values))  # type: ignore[return-value]


def seen(cache: RaggedCache, tokens: dict[int, list[float]]) -> list[list[float]]:
    keys, values = feed(cache, tokens)
    assert torch.equal(keys, -values)
    return keys.tolist()


def test_rows_grow_at_their_own_pace_without_gaps():
    cache = make_cache(2)
    assert seen(cache, {0: [1], 1: [5, 6, 7]}) == [[1, 0, 0], [5, 6, 7]]
    assert seen(cache, {0: [2, 3], 1: [8]}) == [[1, 2, 3, 0], [5, 6, 7, 8]]
    assert seen(cache, {1: [9]}) == [[5, 6, 7, 8, 9]]
    assert cache.lengths == [3, 5]


def test_a_token_sees_itself_and_what_is_before_it_in_its_own_row():
    cache = make_cache(2)
    feed(cache, {0: [1, 2]})
    plan = cache.plan([0, 1], [2, 3])
    low = torch.finfo(torch.float32).min
    assert plan.mask[0, 0, 1:].tolist() == [[0, 0, 0, low], [0, 0, 0, 0]]
    assert plan.mask[1, 0].tolist() == [[0, low, low, low], [0, 0, low, low], [0, 0, 0, low]]
    assert plan.positions.tolist() == [[0, 2, 3], [0, 1, 2]]


def test_rows_may_come_in_any_order_and_be_swapped():
    cache = make_cache(3)
    feed(cache, {0: [1, 1], 1: [2], 2: [3, 3, 3]})
    assert seen(cache, {2: [4], 0: [5]}) == [[3, 3, 3, 4], [1, 1, 5, 0]]
    cache.swap(1, 2)
    assert cache.lengths == [3, 4, 1]
    assert seen(cache, {1: [6], 2: [7]}) == [[3, 3, 3, 4, 6], [2, 7, 0, 0, 0]]


def test_a_new_row_may_be_swapped_before_it_is_fed():
    cache = make_cache(1)
    cache.swap(0, cache.add_row())
    feed(cache, {0: [1]})
    cache.swap(0, cache.add_row())
    assert cache.lengths == [0, 0, 1]
    assert seen(cache, {2: [2]}) == [[1, 2]]


def test_a_cleared_row_begins_anew():
    cache = make_cache(1)
    feed(cache, {0: [1, 2, 3]})
    cache.clear(0)
    assert seen(cache, {0: [4, 5]}) == [[4, 5]]


@pytest.mark.parametrize("size", [255, 256, 600])
def test_columns_are_added_and_what_is_there_is_kept(size: int):
    cache = make_cache(1)
    feed(cache, {0: [1.0, 2.0]})
    cache.add_row()
    (row, other) = seen(cache, {0: [3.0] * size, 1: [4.0]})
    assert row == [1.0, 2.0] + [3.0] * size
    assert other[:2] == [4.0, 0.0]
    assert len(row) < cache.capacity


def test_padding_is_written_where_nobody_reads():
    cache = make_cache(2)
    feed(cache, {0: [1.0] * 250, 1: [2.0]})
    keys, _ = feed(cache, {0: [1.0] * 5, 1: [2.0]})
    assert torch.isfinite(keys).all()
