"""How an objective sees rows: what is kept of the text, what follows from seed and row alone, how much tokens count."""

import numpy as np
import pytest

from spanwise.config import ObjectiveConfig, TermConfig
from spanwise.data.tokenize import TokenizedTrajectory, tokenize_trajectory
from spanwise.errors import TrainingError
from spanwise.training.views import plain_view, view_rows
from spanwise.types import SUPERVISED_KINDS, SpanKind


@pytest.fixture
def rows(trajectories, tokenizer) -> list[TokenizedTrajectory]:
    return [tokenize_trajectory(one, tokenizer) for one in trajectories]


def sad(**settings) -> ObjectiveConfig:
    return ObjectiveConfig(method="sad", **settings)


def test_unless_asked_otherwise_a_view_is_the_row(rows) -> None:
    for row, view in zip(rows, view_rows(rows, sad(), 0), strict=True):
        assert (view.kind == row.kind).all()
        assert (view.weight == 1).all()


def test_without_segmentation_a_completion_is_one_span(rows) -> None:
    for row, view in zip(rows, view_rows(rows, sad(segmentation="none"), 0), strict=True):
        assert ((view.kind == SpanKind.CONTEXT) == (row.kind == SpanKind.CONTEXT)).all()
        assert not (view.kind == SpanKind.REASON).any()
        for step in np.unique(row.step):
            inside = (row.step == step) & (row.kind != SpanKind.CONTEXT)
            assert (view.span_length[inside] == inside.sum()).all()


def test_random_kinds_keep_tokens_and_spans_of_every_step(rows) -> None:
    moved = 0
    for row, view in zip(rows, view_rows(rows, sad(segmentation="random"), 0), strict=True):
        plain = plain_view(row)
        assert ((view.kind == SpanKind.CONTEXT) == (row.kind == SpanKind.CONTEXT)).all()
        moved += (view.kind != row.kind).sum()
        for step in np.unique(row.step):
            for kind in SUPERVISED_KINDS:
                ours, theirs = ((one.kind == kind) & (row.step == step) for one in (view, plain))
                assert ours.sum() == theirs.sum()
                spans, wanted = (1 / view.span_length[ours]).sum(), (1 / plain.span_length[theirs]).sum()
                assert spans == pytest.approx(wanted)
    supervised = sum(row.supervised for row in rows)
    assert 0.15 * supervised < moved < 0.85 * supervised


def test_random_kinds_follow_from_seed_and_row_alone(rows) -> None:
    objective = sad(segmentation="random")
    together, backwards = view_rows(rows, objective, 3), view_rows(rows[::-1], objective, 3)[::-1]
    assert all((one.kind == other.kind).all() for one, other in zip(together, backwards, strict=True))
    other_seed = view_rows(rows, objective, 4)
    assert any((one.kind != other.kind).any() for one, other in zip(together, other_seed, strict=True))


def entropies_of(rows) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.exponential(1, row.supervised).astype(np.float32) for row in rows]


def of_kind(rows, values, kind) -> np.ndarray:
    """The values at supervised targets, of a kind."""
    pairs = zip(rows, values, strict=True)
    return np.concatenate([one[row.kind[row.kind != SpanKind.CONTEXT] == kind] for row, one in pairs])


def weights_of(rows, views, kind) -> np.ndarray:
    return np.concatenate([view.weight[row.kind == kind] for row, view in zip(rows, views, strict=True)])


@pytest.mark.parametrize("gate", [1.0, 0.3, -0.7])
def test_a_gate_weighs_one_kind_by_the_teachers_entropy(rows, gate) -> None:
    entropies = entropies_of(rows)
    views = view_rows(rows, sad(reason=TermConfig(gate=gate)), 0, entropies)
    found, entropy = weights_of(rows, views, SpanKind.REASON), of_kind(rows, entropies, SpanKind.REASON)
    np.testing.assert_allclose(found, np.maximum(0, 1 + gate * (entropy / entropy.mean() - 1)), rtol=1e-5)
    assert (weights_of(rows, views, SpanKind.ACT) == 1).all()
    if gate > 0:
        assert found.mean() == pytest.approx(1, rel=1e-5)
    else:
        assert found.min() == 0 < found.max() < 2


def test_a_gate_of_token_kd_is_that_of_sad_with_equal_terms(rows) -> None:
    term, entropies = TermConfig(gate=0.5), entropies_of(rows)
    ours = view_rows(rows, ObjectiveConfig(method="token_kd", act=term), 0, entropies)
    theirs = view_rows(rows, sad(reason=term, act=term), 0, entropies)
    assert all((one.weight == other.weight).all() for one, other in zip(ours, theirs, strict=True))


def test_a_teacher_that_is_sure_of_everything_gates_nothing(rows) -> None:
    views = view_rows(rows, sad(act=TermConfig(gate=1.0)), 0, [np.zeros(row.supervised) for row in rows])
    assert all((view.weight == 1).all() for view in views)


def test_a_gate_needs_entropies(rows) -> None:
    with pytest.raises(ValueError, match="entropies"):
        view_rows(rows, sad(act=TermConfig(gate=1.0)), 0)


@pytest.mark.parametrize(("name", "kind"), [("decisions", SpanKind.ACT), ("foretells", SpanKind.REASON)])
def test_words_of_commands_are_weighed_where_it_is_asked_for(rows, name, kind) -> None:
    views = view_rows(rows, sad(**{name: 3.0}), 0)
    for row, view in zip(rows, views, strict=True):
        chosen = row.decides & (row.kind == kind)
        assert (view.weight == np.where(chosen, 3, 1)).all()
        assert chosen.any()


@pytest.mark.parametrize(("name", "words"), [("decisions", "no completion holds"), ("foretells", "no thought says")])
def test_words_of_commands_that_there_are_not_are_an_error(rows, name, words) -> None:
    silent = [
        TokenizedTrajectory(row.id, row.input_ids, row.target_ids, row.kind, row.step, row.decides & False)
        for row in rows
    ]
    with pytest.raises(TrainingError, match=words):
        view_rows(silent, sad(**{name: 3.0}), 0)
