"""The expert wins games on the real engine, and its commands can be read off its thoughts."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from spanwise.agents.experts import make_expert
from spanwise.agents.experts.alfworld import AlfworldExpert
from spanwise.agents.protocol import History
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import EnvironmentConfig, GeneratorConfig
from spanwise.environments.alfworld.tasks import TASK_TYPES, AlfworldTasks
from spanwise.environments.protocol import TaskInfo
from spanwise.types import SpanKind, Trajectory


@pytest.fixture(scope="module")
def generated() -> AlfworldTasks:
    """Games of our own."""
    return AlfworldTasks(EnvironmentConfig(generator=GeneratorConfig(train=0, valid_seen=0, valid_unseen=40)))


@pytest.fixture(scope="module")
def released(released_games: Path) -> AlfworldTasks:
    """The released games."""
    return AlfworldTasks(EnvironmentConfig(source="released", data=str(released_games)))


@pytest.fixture(scope="module")
def played(generated: AlfworldTasks) -> list[Trajectory]:
    """The expert's episodes of two generated games of each type."""
    return play(generated, some_of_each(generated.tasks("valid_unseen"), 2))


def some_of_each(tasks: Sequence[TaskInfo], count: int) -> list[TaskInfo]:
    """The first tasks of each type."""
    return [task for kind in TASK_TYPES for task in [task for task in tasks if task.task_type == kind][:count]]


def play(task_set: AlfworldTasks, tasks: Sequence[TaskInfo], slips: float = 0.0) -> list[Trajectory]:
    episodes = [EpisodeSpec(task.task_id, task.task_type, seed) for seed, task in enumerate(tasks)]
    return list(rollout(make_expert(task_set.config, slips), task_set, episodes, RolloutSettings(workers=0)))


def check_names(trajectory: Trajectory) -> None:
    """Whatever a command names stands in its thought; the name of a place may also be where the player is."""
    for step in trajectory.steps:
        thought = step.text(SpanKind.REASON)
        for name in re.findall(r"\w+ \d+", step.action or ""):
            assert re.search(rf"\b{name}\b", thought), (thought, step.action)


def test_it_wins_generated_games(played: list[Trajectory]):
    assert {trajectory.metadata["task_type"] for trajectory in played} == set(TASK_TYPES)
    assert [trajectory.task_id for trajectory in played if not trajectory.success] == []


def test_it_wins_in_spite_of_slips_and_says_what_it_does(generated: AlfworldTasks):
    trajectories = play(generated, some_of_each(generated.tasks("valid_unseen"), 2), slips=0.15)
    refused = sum(not step.valid for one in trajectories for step in one.steps)
    assert refused > 5
    assert [trajectory.task_id for trajectory in trajectories if not trajectory.success] == []
    for trajectory in trajectories:
        check_names(trajectory)


def test_it_wins_released_games_of_all_types_in_few_actions(released: AlfworldTasks):
    chosen = some_of_each(released.tasks("valid_seen"), 3)
    trajectories = play(released, chosen)
    assert [trajectory.task_id for trajectory in trajectories if not trajectory.success] == []
    assert sum(trajectory.metadata["actions"] for trajectory in trajectories) / len(chosen) < 12
    for trajectory in trajectories:
        check_names(trajectory)


def test_commands_can_be_read_off_thoughts(played: list[Trajectory]):
    for trajectory in played:
        check_names(trajectory)


def test_a_fresh_expert_gives_the_same_answer_at_any_point(played: list[Trajectory]):
    for trajectory in played:
        for turn, step in enumerate(trajectory.steps):
            history = History(7, trajectory.task_id, trajectory.seed, trajectory.steps[:turn], step.observation)
            assert AlfworldExpert().act([history])[0].text == step.completion
