"""A student that plays too: what it learns from in which part, and that an interruption changes nothing."""

import pytest
from tests.unit.training.test_trainer import SETTINGS, logged, weights

from spanwise.config import EnvironmentConfig, ObjectiveConfig, OnPolicyConfig, Recipe, TermConfig, TrainingConfig
from spanwise.data.render import PLAIN
from spanwise.errors import TrainingError
from spanwise.on_policy import IMITATOR, PLAYED, train_on_policy
from spanwise.traces.jsonl import read_trajectories
from spanwise.training import trainer

RECIPE = Recipe(name="t", environment=EnvironmentConfig(name="toy", budget=3, workers=2))
OBJECTIVE = ObjectiveConfig(method="token_kd")
PLAYS = OnPolicyConfig(after=0.5, limit=4, max_new_tokens=12)


def config(**changes) -> TrainingConfig:
    return TrainingConfig(**{"objective": OBJECTIVE, "max_steps": 6, "on_policy": PLAYS, **SETTINGS, **changes})


@pytest.fixture
def learn(trajectories, tokenizer, small_model):
    def call(output, progress=lambda *_: None, settings=config()):  # noqa: B008
        student, teacher = small_model(0), small_model(7)
        return train_on_policy(RECIPE, student, tokenizer, trajectories, settings, output, 0, teacher, progress, PLAIN)

    return call


@pytest.mark.parametrize("step", [2, 5])
def test_resumed_equals_uninterrupted(step, learn, tmp_path) -> None:
    def interrupt(done: int, of_all: int, loss: float | None) -> None:
        if done == step:
            raise KeyboardInterrupt

    seen = []
    learn(tmp_path / "whole", lambda done, of_all, _: seen.append((done, of_all)))
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path / "cut", interrupt)
    if (tmp_path / "cut" / PLAYED).exists():  # as if it had been in the middle of its games
        lines = (tmp_path / "cut" / PLAYED).read_text().splitlines(keepends=True)
        (tmp_path / "cut" / PLAYED).write_text("".join(lines[:2]) + lines[2][:40])
    learn(tmp_path / "cut")
    assert seen == [(done, 6) for done in range(1, 7)]
    whole, resumed = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(whole[name].equal(value) for name, value in resumed.items())
    assert not (tmp_path / "cut" / IMITATOR).exists()
    assert [line["step"] for line in logged(tmp_path / "cut")] == [1, 2, 3, 4, 5, 6]
    assert logged(tmp_path / "cut") == logged(tmp_path / "whole")


def test_the_second_part_is_over_the_teachers_and_its_own_episodes(learn, trajectories, tmp_path, monkeypatch) -> None:
    parts = []
    train = trainer.train

    def watched(model, tokenizer, rows, settings, *others):
        parts.append((rows, settings))
        return train(model, tokenizer, rows, settings, *others)

    monkeypatch.setattr(trainer, "train", watched)
    learn(tmp_path / "m")
    played = sorted(read_trajectories(tmp_path / "m" / PLAYED), key=lambda one: one.id)
    assert [one.agent for one in played] == ["student"] * 4
    (first, before), (second, after) = parts
    assert first == trajectories
    assert second == [*trajectories, *played]
    assert (before.max_steps, after.max_steps, before.on_policy, after.on_policy) == (3, 3, None, None)


def test_only_what_it_won_where_that_is_asked_for(learn, trajectories, tmp_path, monkeypatch) -> None:
    parts = []
    train = trainer.train
    monkeypatch.setattr(trainer, "train", lambda *given: parts.append(given[2]) or train(*given))
    learn(tmp_path / "m", settings=config(on_policy=PLAYS.model_copy(update={"only_successful": True})))
    assert parts[1] == trajectories  # a student of three steps wins nothing


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_steps": None}, "needs max_steps"),
        ({"max_steps": 1}, "max_steps of 2 or more, which it divides; found 1"),
        ({"objective": ObjectiveConfig(method="sft")}, "asks the teacher alone"),
        ({"objective": ObjectiveConfig(method="sad", act=TermConfig(hard=0.5))}, "asks the teacher alone"),
        ({"objective": ObjectiveConfig(method="sad", act=TermConfig(divergence="cross_entropy"))}, "asks the teacher"),
    ],
)
def test_a_student_is_not_told_to_imitate_itself(changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        config(**changes)


def test_a_launcher_of_several_processes_is_refused(learn, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="WORLD_SIZE=2"):
        learn(tmp_path / "m")
    assert not (tmp_path / "m").exists()
