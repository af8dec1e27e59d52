"""Train games numbered anew by seed: other names, the same game."""

import re

import pytest

from spanwise.agents.experts.alfworld import AlfworldExpert
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import EnvironmentConfig, GeneratorConfig
from spanwise.environments.alfworld.tasks import AlfworldTasks

SIZES = GeneratorConfig(size="small", train=12, valid_seen=8)


@pytest.fixture(scope="module")
def randomized() -> AlfworldTasks:
    return AlfworldTasks(EnvironmentConfig(domain_randomization=True, generator=SIZES))


def everything(tasks: AlfworldTasks, task_id: str, seed: int) -> str:
    """What there is to see from every place of a room."""
    environment = tasks.make(task_id, seed)
    seen = [environment.reset()]
    places = re.findall(r"an? ([a-z]+ \d+)", seen[0].splitlines()[0])
    seen += [environment.step(f"go to {place}").observation for place in places]
    return "\n".join(seen)


def test_the_numbering_follows_the_seed_and_keeps_what_there_is(randomized: AlfworldTasks) -> None:
    differing = 0
    for task in randomized.tasks("train"):
        first, again, other = (everything(randomized, task.task_id, seed) for seed in (1, 1, 2))
        assert first == again
        differing += first != other
        nameless = [sorted(re.sub(r"\d+", "", text).split()) for text in (first, other)]
        assert nameless[0] == nameless[1]
    assert differing > len(randomized.tasks("train")) / 2


def test_games_of_other_splits_keep_their_numbers(randomized: AlfworldTasks) -> None:
    plain = AlfworldTasks(EnvironmentConfig(generator=SIZES))
    for task in randomized.tasks("valid_seen"):
        assert everything(randomized, task.task_id, 5) == everything(plain, task.task_id, 0)


def test_the_expert_wins_however_things_are_numbered(randomized: AlfworldTasks) -> None:
    specs = [EpisodeSpec(task.task_id, task.task_type, seed) for task in randomized.tasks("train") for seed in (3, 4)]
    played = list(rollout(AlfworldExpert(), randomized, specs, RolloutSettings(workers=0)))
    assert all(one.success for one in played)
