"""The scripted expert on the original's goals."""

import os
from pathlib import Path

import pytest

from spanwise.agents.experts import make_expert
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import EnvironmentConfig
from spanwise.environments import make_task_set

GOLDENS = Path(os.environ.get("SPANWISE_WEBSHOP_GOLDENS", Path(__file__).parents[3] / "shared/data/webshop"))


@pytest.mark.parametrize("observation", ["react", "text"])
def test_the_expert_reaches_what_a_teacher_needs(observation):
    if not GOLDENS.is_dir():
        pytest.skip(f"no files of WebShop: {GOLDENS} does not exist (SPANWISE_WEBSHOP_GOLDENS)")
    settings = {"name": "webshop", "source": "released", "data": str(GOLDENS), "budget": 15, "workers": 0}
    environment = EnvironmentConfig.model_validate({**settings, "webshop": {"observation": observation}})
    tasks = make_task_set(environment)
    specs = [EpisodeSpec(task.task_id, task.task_type, 0) for task in tasks.tasks("test")]
    played = list(rollout(make_expert(environment), tasks, specs, RolloutSettings.of(environment, 100)))
    assert len(played) == 500
    assert sum(one.reward for one in played) / 500 >= 0.85
    assert sum(one.success for one in played) / 500 >= 0.45
    assert not any(step.action is None for one in played for step in one.steps)
    assert {one.stop_reason for one in played} <= {"success", "done"}
