"""A student that reads what its teacher once said learns what it would have learnt from the teacher itself."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from spanwise.config import CurriculumConfig, ObjectiveConfig, SignalConfig, TermConfig, TrainingConfig
from spanwise.data.tokenize import tokenize_trajectory
from spanwise.devices import on_best_device
from spanwise.errors import SignalError
from spanwise.teacher.cache import CachedTeacher, Identity, write_signals
from spanwise.teacher.online import OnlineTeacher
from spanwise.teacher.signal import SparseSignal, sparse_signal
from spanwise.training.trainer import train

SETTINGS = {"precision": "fp32", "batch_tokens": 600, "log_every": 1, "learning_rate": 1e-2, "max_steps": 6}
SAD = ObjectiveConfig(
    method="sad", reason=TermConfig(divergence="jsd", beta=0.4), act=TermConfig(divergence="reverse_kl", weight=2.0)
)
#: Reverse KL hears of what a student says that a teacher would not, and hears less of it from fewer outcomes.
COVERING = ObjectiveConfig(
    method="sad", reason=TermConfig(divergence="jsd", beta=0.6), act=TermConfig(divergence="skew_forward_kl", weight=2)
)


GATED = ObjectiveConfig(
    method="sad", reason=TermConfig(gate=0.8), act=TermConfig(gate=-0.5, hard=0.3), decisions=2.0, reduction="span_mean"
)


@pytest.fixture
def sharp_model(small_model) -> Callable[[int], PreTrainedModel]:
    """Models that prefer some tokens by far, as trained ones do."""

    def make(seed: int) -> PreTrainedModel:
        model = small_model(seed)
        with torch.no_grad():
            model.lm_head.weight.mul_(25.0)
        return model

    return make


def logged(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "tokens_per_second"} for line in lines]


def assert_same_curves(first: Path, second: Path, within: float) -> None:
    ours, theirs = logged(first), logged(second)
    assert len(ours) == len(theirs) == 6
    assert max(line["reason_kl"] for line in theirs) > 0.1  # there is something to learn
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert one[name] == pytest.approx(other[name], rel=within, abs=within), name


@pytest.fixture
def cached(trajectories, tokenizer, sharp_model, tmp_path) -> Callable[..., CachedTeacher]:
    def make(settings: SignalConfig, chosen: Sequence | None = None) -> CachedTeacher:
        folder, vocabulary = tmp_path / "signals", len(tokenizer)
        rows = [tokenize_trajectory(one, tokenizer) for one in (trajectories if chosen is None else chosen)]
        identity = Identity("teacher", "tokenizer", vocabulary, "fp32", settings)
        write_signals(folder, identity, OnlineTeacher(sharp_model(7), vocabulary), rows)
        return CachedTeacher(folder, settings.variant == "sampled")

    return make


class EveryToken:
    """A teacher whose signals are sparse and leave nothing out."""

    def __init__(self, teacher: OnlineTeacher, vocabulary: int) -> None:
        self.teacher, self.vocabulary = teacher, vocabulary

    def signal(self, batch: Mapping[str, Tensor], positions: Tensor) -> SparseSignal:
        deferred = self.teacher.signal(batch, positions)
        return sparse_signal(
            deferred.at(torch.arange(len(deferred.hidden), device=deferred.hidden.device)), self.vocabulary
        )


@pytest.mark.parametrize("objective", [SAD, ObjectiveConfig(method="token_kd")])
def test_a_sparse_teacher_of_all_tokens_teaches_as_a_dense_one(
    objective, trajectories, tokenizer, small_model, sharp_model, tmp_path
) -> None:
    config = TrainingConfig(objective=objective, **SETTINGS)
    every = EveryToken(OnlineTeacher(on_best_device(sharp_model(7)), len(tokenizer)), len(tokenizer))
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "sparse", 0, every)
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "dense", 0, sharp_model(7))
    assert_same_curves(tmp_path / "sparse", tmp_path / "dense", within=2e-4)


@pytest.mark.parametrize("layout", ["packed", "padded"])
@pytest.mark.parametrize("objective", [COVERING, ObjectiveConfig(method="token_kd"), GATED])
def test_a_cache_teaches_as_the_teacher_does(
    objective, layout, trajectories, tokenizer, small_model, sharp_model, cached, tmp_path
) -> None:
    config = TrainingConfig(
        objective=objective, layout=layout, curriculum=CurriculumConfig(pacing="competence"), **SETTINGS
    )
    teacher = cached(SignalConfig(mass=1.0, most=255))
    assert teacher.store.summary()["covered_mass"] > 0.99
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "cache", 0, teacher)
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "online", 0, sharp_model(7))
    assert_same_curves(tmp_path / "cache", tmp_path / "online", within=0.02)


def test_a_sampled_cache_teaches_plain_kl(trajectories, tokenizer, small_model, sharp_model, cached, tmp_path) -> None:
    config = TrainingConfig(objective=ObjectiveConfig(method="token_kd"), **SETTINGS)
    teacher = cached(SignalConfig(variant="sampled", draws=255))
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "sampled", 0, teacher)
    train(small_model(0), tokenizer, trajectories, config, tmp_path / "online", 0, sharp_model(7))
    for one, other in zip(logged(tmp_path / "sampled"), logged(tmp_path / "online"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=0.05)
    refused = TrainingConfig(objective=SAD, **SETTINGS)
    with pytest.raises(ValueError, match="sampled signals are for forward_kl"):
        train(small_model(0), tokenizer, trajectories, refused, tmp_path / "refused", 0, teacher)


def test_a_trajectory_without_signals_stops_training(trajectories, tokenizer, small_model, cached, tmp_path) -> None:
    config = TrainingConfig(objective=SAD, **SETTINGS)
    teacher = cached(SignalConfig(), trajectories[:-1])
    with pytest.raises(SignalError, match="holds no signals for the row"):
        train(small_model(0), tokenizer, trajectories, config, tmp_path / "m", 0, teacher)
    assert not (tmp_path / "m/training.json").exists()


def test_a_student_that_imitates_asks_no_cache(trajectories, tokenizer, small_model, tmp_path) -> None:
    config = TrainingConfig(objective=ObjectiveConfig(method="sft"), **{**SETTINGS, "max_steps": 1})
    (tmp_path / "signals").mkdir()
    result = train(
        small_model(0), tokenizer, trajectories, config, tmp_path / "m", 0, CachedTeacher(tmp_path / "signals")
    )
    assert result.steps == 1
