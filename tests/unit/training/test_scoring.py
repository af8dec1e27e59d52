import numpy as np
import pytest
import torch

from spanwise.data.tokenize import tokenize_trajectory
from spanwise.training.scoring import score_rows
from spanwise.types import SpanKind


@pytest.fixture
def rows(trajectories, tokenizer):
    return [tokenize_trajectory(one, tokenizer) for one in trajectories[:5]]


@pytest.fixture
def sure_model(small_model):
    """Random weights, large enough that models differ."""

    def make(seed):
        model = small_model(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    parameter.mul_(8)
        return model

    return make


def log_probs(model, row, vocabulary):
    """At the supervised positions of a row, by the model's own forward pass."""
    with torch.no_grad():
        logits = model(torch.from_numpy(row.input_ids)[None]).logits[0, :, :vocabulary]
    return logits.log_softmax(-1)[torch.from_numpy(row.kind != SpanKind.CONTEXT)]


def test_scores_are_those_of_the_whole_distributions(rows, tokenizer, sure_model) -> None:
    model, teacher = sure_model(0), sure_model(1)
    found = score_rows(model, rows, len(tokenizer), teacher, batch_tokens=400)
    for row, scores in zip(rows, found, strict=True):
        ours, theirs = (log_probs(one, row, len(tokenizer)) for one in (model, teacher))
        targets = torch.from_numpy(row.target_ids[row.kind != SpanKind.CONTEXT])
        nats = -ours.gather(1, targets[:, None])[:, 0]
        kl = (theirs.exp() * (theirs - ours)).sum(-1)
        assert scores.nats == pytest.approx(nats.numpy(), rel=1e-3, abs=1e-4)
        assert scores.kl == pytest.approx(kl.numpy(), rel=1e-3, abs=1e-4)
        assert len(scores.nats) == row.supervised


def test_a_model_is_no_way_from_itself(rows, tokenizer, small_model) -> None:
    for scores in score_rows(small_model(0), rows, len(tokenizer), small_model(0)):
        assert scores.kl is not None
        assert np.abs(scores.kl).max() < 1e-6


def test_without_a_teacher_there_is_no_divergence(rows, tokenizer, small_model) -> None:
    assert {scores.kl is None for scores in score_rows(small_model(0), rows, len(tokenizer))} == {True}
