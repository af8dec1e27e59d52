"""Evaluation of one agent: every agent of a recipe plays the same tasks with the same seeds.

The folder fills as episodes end, so an interrupted evaluation goes on where it stopped::

    settings.json        what the episodes depend on; an evaluation with other settings refuses the folder
    trajectories.jsonl   the episodes: while it runs in the order of their ends, once done in the order of the tasks
    episodes.jsonl       a record per episode
    results.json         the summary, recomputable from episodes.jsonl; written last: where it is, all is done
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.agents.protocol import Agent
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import EnvironmentConfig, EvaluateConfig
from spanwise.environments.protocol import TaskInfo, TaskSet
from spanwise.errors import RunDirectoryError, TaskDataError
from spanwise.evaluation.metrics import dump_records, record_episode, summarise
from spanwise.evaluation.models import ModelFacts, describe_model
from spanwise.run_directory import write_atomically
from spanwise.traces.jsonl import TrajectoryAppender, read_trajectories, write_trajectories
from spanwise.types import SCHEMA_VERSION

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: Called with the number of episodes that are done, and of all.
Progress = Callable[[int, int], None]

_PACKAGES = ("spanwise", "alfworld", "textworld", "torch", "transformers", "tokenizers", "numpy", "scipy")


def evaluate(
    agent: Agent,
    task_set: TaskSet,
    config: EvaluateConfig,
    environment: EnvironmentConfig,
    out: Path,
    seed: int,
    tokenizer: PreTrainedTokenizerBase | None = None,
    progress: Progress | None = None,
    model: Path | None = None,
) -> dict[str, Any]:
    """Plays what is not yet played, and writes results, records and trajectories to ``out``.

    Args:
        agent: Who plays.
        task_set: The tasks of ``environment``.
        config: Which tasks, and how.
        environment: Budget, style, worker processes; recorded with the results.
        out: The folder; may hold part of the same evaluation.
        seed: The recipe's seed; the episodes' seeds come from it and the task alone.
        tokenizer: Counts tokens per kind; for a scripted agent, that of the models it is compared with.
        progress: Told at the start and after each episode.
        model: The folder of the agent's model, for its size and fingerprint; None for an agent without one.

    Returns:
        The content of ``results.json``.

    Raises:
        RunDirectoryError: ``out`` holds an evaluation with other settings, or cannot be written.
        TaskDataError: The split has no tasks.
        ModelError: ``model`` is not a model folder.
        TraceError: ``trajectories.jsonl`` is damaged.
    """
    facts = None if model is None else describe_model(model)
    specs = plan_episodes(task_set, config, seed)
    claim(out, _settings(agent, facts, config, environment, seed))
    path = out / "trajectories.jsonl"
    with TrajectoryAppender(path) as finished:
        strangers = finished.ids - {spec.trajectory_id for spec in specs}
        if strangers:
            raise RunDirectoryError(
                f"{path}: holds {len(strangers)} episodes that are not asked for, for example {min(strangers)!r}; "
                "was the limit lowered? Choose another folder"
            )
        remaining = [spec for spec in specs if spec.trajectory_id not in finished.ids]
        if progress:
            progress(len(finished.ids), len(specs))
        settings = RolloutSettings.of(environment, config.concurrency, config.constrained)
        for trajectory in rollout(agent, task_set, remaining, settings):
            finished.append(trajectory)
            if progress:
                progress(len(finished.ids), len(specs))

    order = {spec.trajectory_id: index for index, spec in enumerate(specs)}
    trajectories = sorted(read_trajectories(path), key=lambda trajectory: order[trajectory.id])
    records = [record_episode(trajectory, tokenizer) for trajectory in trajectories]
    results = {
        "schema_version": SCHEMA_VERSION,
        "agent": agent.name,
        "confidence": config.confidence,
        **summarise(records, config.confidence, seed),
        "provenance": {
            "model": None if facts is None else asdict(facts),
            "seed": seed,
            "evaluate": config.model_dump(mode="json"),
            "environment": environment.model_dump(mode="json"),
            "facts": task_set.facts(),
            "tokenizer": tokenizer is not None,
            "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
            "machine": {
                "platform": f"{platform.system()} {platform.machine()}",
                "python": platform.python_version(),
                "cores": os.cpu_count(),
            },
        },
    }
    write_trajectories(path, trajectories)
    write_atomically(out / "episodes.jsonl", dump_records(records))
    write_atomically(out / "results.json", json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return results


def plan_episodes(task_set: TaskSet, config: EvaluateConfig, seed: int) -> list[EpisodeSpec]:
    """The episodes that every agent plays, in the order of the tasks.

    Raises:
        TaskDataError: The split has no tasks.
    """
    tasks = choose_tasks(task_set.tasks(config.split), config.limit)
    if not tasks:
        raise TaskDataError(f"{task_set.name}: the split {config.split!r} has no tasks to evaluate on")
    return [
        EpisodeSpec(task.task_id, task.task_type, episode_seed(seed, task.task_id, repetition))
        for task in tasks
        for repetition in range(config.episodes_per_task)
    ]


def choose_tasks(tasks: Sequence[TaskInfo], limit: int | None) -> list[TaskInfo]:
    """``limit`` of the tasks, in their order.

    Splits are sorted by type, so the first few would all be alike: the choice goes by a hash of the task's id. It is
    always the same, and a higher limit only adds to it.
    """
    if limit is None or limit >= len(tasks):
        return list(tasks)
    chosen = set(sorted((task.task_id for task in tasks), key=_hash)[:limit])
    return [task for task in tasks if task.task_id in chosen]


def episode_seed(seed: int, task_id: str, repetition: int = 0) -> int:
    """The seed of an episode, below 2**31; a function of the recipe's seed, the task and the repetition alone."""
    return int.from_bytes(_hash(f"{seed}/{repetition}/{task_id}")[:4]) >> 1


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _settings(
    agent: Agent, facts: ModelFacts | None, config: EvaluateConfig, environment: EnvironmentConfig, seed: int
) -> dict[str, Any]:
    """What the episodes depend on: not how many are played, at once or at all, nor where files lie."""
    return {
        "agent": agent.name,
        "model": None if facts is None else facts.sha256,
        "seed": seed,
        "environment": environment.model_dump(mode="json", exclude={"workers", "data"}),
        "evaluate": config.model_dump(mode="json", include={"split", "temperature", "max_new_tokens", "constrained"}),
    }


def claim(out: Path, settings: dict[str, Any], work: str = "trajectories.jsonl") -> None:
    """Writes the settings into a new folder, or checks that the folder is of the same ones.

    Args:
        out: The folder of an evaluation.
        settings: What its results depend on, JSON values.
        work: The file that the evaluation fills.

    Raises:
        RunDirectoryError: The folder is of other settings, or of none.
    """
    path = out / "settings.json"
    if not path.exists():
        if (out / work).exists():
            raise RunDirectoryError(f"{out}: holds {work} without settings.json; choose another folder")
        write_atomically(path, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"{path}: cannot be read as JSON: {error}") from error
    if found != settings:
        differing = [name for name in settings if not isinstance(found, dict) or found.get(name) != settings[name]]
        raise RunDirectoryError(
            f"{path}: this folder belongs to another evaluation; different: {', '.join(differing) or 'fields'}. "
            "Choose another folder, or remove this one"
        )
