"""The work of a training stage: a model on trajectories of a run, from a finished folder or from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spanwise.config import ArchitectureConfig, Recipe, TrainingConfig
from spanwise.errors import RunDirectoryError
from spanwise.processes import Tick
from spanwise.run_content import learnt_from, run_tokenizer, teacher_folder
from spanwise.traces.splits import choose


@dataclass(frozen=True, slots=True)
class Fit:
    """The work of a training stage, which another process can be given.

    Attributes:
        recipe: The whole recipe.
        run: The run directory that has tokenizer, teacher and trajectories.
        data: The trajectories: a file in it.
        architecture: Of a model from scratch.
        training: How to train.
        output: Where the model goes.
        start: The folder of the model to start from; None: from scratch.
        seed: Of a model from scratch, and of the order of the data.
        limit: Trajectories to learn from, chosen by a hash of their ids, so that more of them only add to fewer; None:
            all.
    """

    recipe: Recipe
    run: Path
    data: str
    architecture: ArchitectureConfig
    training: TrainingConfig
    output: Path
    start: Path | None
    seed: int
    limit: int | None = None

    def __call__(self, tick: Tick) -> None:
        """Trains; see :func:`spanwise.training.trainer.train`.

        Raises:
            RunDirectoryError: There are fewer trajectories than ``limit``.
        """
        from transformers import PreTrainedModel

        from spanwise.data.render import make_rendering
        from spanwise.on_policy import train_on_policy
        from spanwise.teacher.run import open_run_signals
        from spanwise.training.models import check_same_vocabulary, create_model, load_model, load_tokenizer
        from spanwise.training.trainer import train

        tokenizer = run_tokenizer(self.run)
        teacher, needs_teacher = None, self.training.objective.needs_teacher
        if needs_teacher and self.recipe.teacher.source == "cache" and self.training.on_policy is None:
            teacher = open_run_signals(self.recipe, self.run)
        elif needs_teacher:
            folder = teacher_folder(self.recipe, self.run)
            teacher = load_model(folder)
            check_same_vocabulary(load_tokenizer(folder), tokenizer)
        if self.start is None and self.architecture.path is not None:
            check_same_vocabulary(tokenizer, load_tokenizer(self.architecture.path))
        trajectories = learnt_from(self.recipe, self.run, self.data)
        if self.limit is not None and self.limit > len(trajectories):
            raise RunDirectoryError(
                f"{self.run / self.data}: holds {len(trajectories)} trajectories to learn from, {self.limit} are wanted"
            )
        model = create_model(self.architecture, tokenizer, self.seed) if self.start is None else load_model(self.start)
        chosen = choose(trajectories, self.limit)
        rendering = make_rendering(self.recipe.environment.rendering, tokenizer)

        def progress(step: int, steps: int, loss: float | None) -> None:
            tick(step, steps, "" if loss is None else f"loss {loss:.4f}")

        how = (self.training, self.output, self.seed)
        if self.training.on_policy is None:
            train(model, tokenizer, chosen, *how, teacher, progress, rendering)
        else:
            assert isinstance(teacher, PreTrainedModel)  # which on_policy needs
            train_on_policy(self.recipe, model, tokenizer, chosen, *how, teacher, progress, rendering)
