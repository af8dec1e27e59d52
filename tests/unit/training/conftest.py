"""A tokenizer, trajectories and models small enough for equality to be tested."""

from collections.abc import Callable

import pytest
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from spanwise.agents.experts import make_expert
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import ArchitectureConfig, EnvironmentConfig, TokenizerConfig
from spanwise.environments import make_task_set
from spanwise.training.models import create_model, create_tokenizer
from spanwise.types import Trajectory


@pytest.fixture(scope="session")
def trajectories() -> list[Trajectory]:
    config = EnvironmentConfig(name="toy", workers=0)
    tasks = make_task_set(config)
    specs = [EpisodeSpec(task.task_id, task.task_type, 0) for task in tasks.tasks("train")[:12]]
    return list(rollout(make_expert(config), tasks, specs, RolloutSettings(workers=0)))


@pytest.fixture(scope="session")
def tokenizer(trajectories: list[Trajectory]) -> PreTrainedTokenizerBase:
    texts = [text for one in trajectories for step in one.steps for text in (step.observation, step.completion)]
    return create_tokenizer(texts, TokenizerConfig(vocab_size=400))


@pytest.fixture
def small_model(tokenizer: PreTrainedTokenizerBase) -> Callable[[int], PreTrainedModel]:
    shape = ArchitectureConfig(hidden_size=16, intermediate_size=32, layers=2, heads=2, max_length=512)
    return lambda seed: create_model(shape, tokenizer, seed)
