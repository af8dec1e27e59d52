"""The experts on a generated world, and on released questions where there are any."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from spanwise.agents.experts import make_expert
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import EnvironmentConfig
from spanwise.environments import make_task_set
from spanwise.types import Trajectory

GOLDENS = Path(os.environ.get("SPANWISE_HOTPOTQA_GOLDENS", Path(__file__).parents[3] / "shared/data/hotpotqa"))
GENERATED = {"hotpotqa": {"train": 0, "dev": 240, "test": 0}, "generator": {"seed": 77}}


def play(kind: str, **settings: object) -> list[Trajectory]:
    config = EnvironmentConfig.model_validate({"name": "hotpotqa", "budget": 7, "workers": 0, **settings})
    tasks = make_task_set(config)
    specs = [EpisodeSpec(task.task_id, task.task_type, 0) for task in tasks.tasks("dev")]
    return list(rollout(make_expert(config, kind=kind), tasks, specs, RolloutSettings.of(config, 60)))


def share_of_right(played: list[Trajectory]) -> float:
    return sum(bool(one.success) for one in played) / len(played)


@pytest.mark.parametrize(("kind", "least"), [("expert", 0.93), ("informed", 0.97)])
def test_an_expert_answers_a_generated_world(kind: str, least: float):
    played = play(kind, **GENERATED)
    assert len(played) == 240
    assert share_of_right(played) >= least
    for one in played:
        assert one.agent == kind
        actions = [step.action or "" for step in one.steps]
        assert actions[-1].startswith("finish[")
        searches = [action for action in actions if action.startswith("search[")]
        assert len(set(searches)) == len(searches)


def test_the_informed_expert_names_only_what_was_shown():
    for one in play("informed", **GENERATED):
        seen = ""
        for step in one.steps:
            seen = " ".join(f"{seen} {step.observation}".split())
            thought, _, action = step.completion.rpartition("\nAction: ")
            for quoted in re.findall(r'(?:says|read): "([^"]+)"', thought):
                assert quoted.rstrip(".") in seen
            if found := re.fullmatch(r"search\[(.*)\]", action):
                assert found[1].lower() in seen.lower()
            if found := re.fullmatch(r"finish\[(.*)\]", action):
                assert found[1] in (*seen.split(), "yes", "no") or found[1] in seen


@pytest.mark.parametrize(("kind", "least"), [("expert", 0.12), ("informed", 0.6)])
def test_an_expert_answers_released_questions(kind: str, least: float, tmp_path: Path):
    if not GOLDENS.is_dir():
        pytest.skip(f"no questions of HotPotQA: {GOLDENS} (SPANWISE_HOTPOTQA_GOLDENS) is missing")
    played = play(kind, source="released", data=str(GOLDENS), hotpotqa={"index": str(tmp_path)})
    assert share_of_right(played) >= least
    assert not any(step.action is None for one in played for step in one.steps)
    assert {one.stop_reason for one in played} <= {"success", "done"}
