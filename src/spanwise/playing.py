"""Agents that play: models read from their folders, and the evaluation of one agent on a recipe's games."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spanwise.config import CollectConfig, Recipe
from spanwise.devices import on_best_device
from spanwise.errors import ModelError, TaskDataError
from spanwise.processes import Tick

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from spanwise.agents.protocol import Agent


def load_agent(
    folder: Path, name: str, temperature: float, max_new_tokens: int, seed: int, rendering: Literal["plain", "chat"]
) -> Agent:
    """The agent of a model folder; it computes on a GPU where there is one.

    Raises:
        ModelError: The folder holds no model that can play.
    """
    from spanwise.agents.huggingface import HuggingFaceAgent
    from spanwise.data.render import make_rendering
    from spanwise.training.models import load_model, load_tokenizer

    if not folder.is_dir():
        raise ModelError(f"{folder}: expected a model folder")
    model = on_best_device(load_model(folder))
    tokenizer = load_tokenizer(folder)
    text = make_rendering(rendering, tokenizer)
    return HuggingFaceAgent(model.eval(), tokenizer, name, temperature, max_new_tokens, seed, text)


def collect(agent: Agent, recipe: Recipe, settings: CollectConfig, path: Path, tick: Tick) -> None:
    """Plays what is not yet recorded in a file.

    Args:
        agent: Who plays.
        recipe: Says where: its environment; and has the seed of the episodes.
        settings: Which tasks, how many at a time.
        path: The file, made if it is not there.
        tick: Told after each episode.

    Raises:
        TaskDataError: There are no tasks.
    """
    from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
    from spanwise.environments import make_task_set
    from spanwise.evaluation.rollouts import choose_tasks, episode_seed
    from spanwise.traces.jsonl import TrajectoryAppender

    task_set = make_task_set(recipe.environment)
    specs = [
        EpisodeSpec(task.task_id, task.task_type, episode_seed(recipe.seed, task.task_id, repetition))
        for task in choose_tasks(task_set.tasks(settings.split), settings.limit)
        for repetition in range(settings.episodes_per_task)
    ]
    if not specs:
        raise TaskDataError(f"{task_set.name}: the split {settings.split!r} has no tasks")
    played = RolloutSettings.of(recipe.environment, settings.concurrency)
    won = 0
    with TrajectoryAppender(path) as recorded:
        remaining = [spec for spec in specs if spec.trajectory_id not in recorded.ids]
        tick(len(recorded.ids), len(specs), "")
        for number, trajectory in enumerate(rollout(agent, task_set, remaining, played), start=1):
            recorded.append(trajectory)
            won += trajectory.success is True
            tick(len(recorded.ids), len(specs), f"won {won}/{number}")


def evaluate_agent(
    agent: Agent,
    recipe: Recipe,
    out: Path,
    tick: Tick,
    model: Path | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> dict[str, Any]:
    """Evaluates one agent on the recipe's games; see :func:`spanwise.evaluation.rollouts.evaluate`."""
    from spanwise.environments import make_task_set
    from spanwise.evaluation.rollouts import evaluate

    return evaluate(
        agent,
        make_task_set(recipe.environment),
        recipe.evaluate,
        recipe.environment,
        out,
        recipe.seed,
        tokenizer,
        lambda done, of_all: tick(done, of_all, ""),
        model,
    )
