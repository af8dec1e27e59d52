"""Training in which the student plays too, and its teacher tells it what to say where that led.

What a teacher wrote shows a student only where a teacher gets to. A student that errs once is somewhere else, where
nobody has told it anything; there it errs again, and the errors of an episode grow with the square of its length (Ross
et al. 2011, arXiv 1011.0686). So training stops after a share of its steps, the student plays train games as it is by
then, and the rest of the steps are over the teacher's trajectories and the student's own together. Of the latter no
word is imitated: the objective compares with what the teacher, reading the student's words, would say next (on-policy
distillation: GKD, Agarwal et al. 2023, arXiv 2306.13649).

Each part has the learning rate's whole schedule. The folder of the model holds, while it is made and after::

    imitator/       the student that plays; gone in the end
    played.jsonl    its episodes
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spanwise.config import OnPolicyConfig, Recipe, TrainingConfig
from spanwise.errors import TrainingError
from spanwise.playing import collect, load_agent
from spanwise.run_directory import write_atomically
from spanwise.types import Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from spanwise.data.render import Rendering
    from spanwise.training.trainer import Progress, TrainingResult

IMITATOR, PLAYED, METRICS = "imitator", "played.jsonl", "metrics.jsonl"


def train_on_policy(
    recipe: Recipe,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    trajectories: Sequence[Trajectory],
    config: TrainingConfig,
    output: Path,
    seed: int,
    teacher: PreTrainedModel,
    progress: Progress,
    rendering: Rendering,
) -> TrainingResult:
    """:func:`spanwise.training.trainer.train`, in two parts, between which the student plays in a recipe's world.

    An interrupted training goes on where it stopped. The result is that of the second part.

    Args:
        recipe: Whose train games are played.
        model: And the others: as for ``train``; ``config`` has ``on_policy`` and ``max_steps``.
        tokenizer: See there.
        trajectories: The teacher's.
        config: See there.
        output: See there.
        seed: See there; of the student's choices too.
        teacher: A model: nothing is kept of what it says to a student.
        progress: See there.
        rendering: See there.

    Raises:
        TrainingError: A distributed launcher started this process: each would play the same games.
    """
    from spanwise.training.models import load_model
    from spanwise.training.trainer import RESULT_FILE, train

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise TrainingError(
            f"on_policy trains in one process, found WORLD_SIZE={os.environ['WORLD_SIZE']}: start it without a launcher"
        )
    settings, steps = config.on_policy, config.max_steps
    assert settings is not None
    assert steps is not None
    before = max(1, min(steps - 1, round(settings.after * steps)))  # a step for each part
    first, second = (config.model_copy(update={"on_policy": None, "max_steps": n}) for n in (before, steps - before))
    imitator = output / IMITATOR
    if not (output / RESULT_FILE).exists():
        train(
            *(model, tokenizer, trajectories, first, imitator, seed, teacher),
            lambda step, _, loss: progress(step, steps, loss),
            rendering,
        )
        trajectories = [*trajectories, *_play(recipe, imitator, output / PLAYED, settings, seed)]
        model = load_model(imitator)
    result = train(
        *(model, tokenizer, trajectories, second, output, seed + 1, teacher),
        lambda step, _, loss: progress(before + step, steps, loss),
        rendering,
    )
    if imitator.exists():
        _join_logs(imitator / METRICS, output / METRICS, before)
        shutil.rmtree(imitator)
    return result


def _join_logs(first: Path, second: Path, before: int) -> None:
    """Puts the first part's log in front of the second's, whose steps come ``before`` steps later."""
    earlier, later = (path.read_text(encoding="utf-8") for path in (first, second))
    if not later.startswith(earlier):  # else it was done, and the process ended here
        lines = [json.loads(line) for line in later.splitlines()]
        shifted = [json.dumps({**line, "step": line["step"] + before}) + "\n" for line in lines]
        write_atomically(second, earlier + "".join(shifted))


def _play(recipe: Recipe, model: Path, path: Path, settings: OnPolicyConfig, seed: int) -> list[Trajectory]:
    """The episodes of a student, as it is, that it learns from; in an order that an interruption cannot change."""
    from spanwise.traces.jsonl import read_trajectories

    here = recipe.environment.model_copy(update={"workers": 0})  # a process that is one of several has none of its own
    agent = load_agent(model, "student", settings.temperature, settings.max_new_tokens, seed, here.rendering)
    collect(agent, recipe.model_copy(update={"environment": here}), settings, path, lambda *_: None)
    found = [one for one in read_trajectories(path) if one.success or not settings.only_successful]
    return sorted(found, key=lambda one: one.id)
