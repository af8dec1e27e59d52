"""A cell of a suite at work: one student is trained, plays every split, and is compared with its teacher turn by turn.

Its folder is a run directory of its own, so that a cell can be looked into, copied, and begun again alone::

    cells/<method>/<size>/<seed>[-<trajectories>]/
        manifest.json          what was asked for, what made it, which of its stages are done
        model/                 the student
        evaluation/<split>/    its episodes
        fidelity/              its turns beside the teacher's
        error.log              why it failed, where it did; gone once it is tried again
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanwise.fitting import Fit
from spanwise.playing import evaluate_agent, load_agent
from spanwise.processes import Tick
from spanwise.run_content import FIDELITY, HELD_OUT, KEPT, needed, run_tokenizer, teacher_folder
from spanwise.run_directory import RunDirectory, digest
from spanwise.stages import Stage, described, run_stages
from spanwise.suite.config import Cell, Suite, cell_folder

#: Folder of what all cells share: an ordinary run directory, whose students are elsewhere.
SHARED = "teacher"
MODEL, ERRORS = "model", "error.log"
TRAIN = "train"


@dataclass(frozen=True, slots=True)
class CellWork:
    """The work of one cell, which another process can be given.

    Attributes:
        suite: The whole suite.
        cell: Which of its students.
        run: The run directory of the suite.
        taught: Digest of all that the student learns from.
    """

    suite: Suite
    cell: Cell
    run: Path
    taught: str

    def __call__(self, tick: Tick) -> None:
        """Does the stages that are not done."""
        folder = cell_folder(self.run, self.cell)
        with RunDirectory.open(folder, self.suite.recipe_of(self.cell)) as run:
            for stage in self.stages():
                run_stages(run, _Relay(tick), [stage], self.inputs)

    def stages(self) -> list[Stage]:
        """Training, an evaluation for each split, and the comparison with the teacher."""
        suite = self.suite
        settings: dict[str, Any] = {
            "training": suite.methods[self.cell.method],
            "model": suite.sizes[self.cell.size],
            "environment": suite.recipe.environment,
            "seed": self.cell.seed,
            "trajectories": self.cell.data,
        }
        stages = [Stage(TRAIN, [], settings, self._train)]
        for name, split in suite.splits.items():
            played = {"evaluate": split.evaluate, "environment": split.environment, "seed": suite.recipe.seed}
            stages.append(Stage(f"evaluate.{name}", [TRAIN], played, lambda tick, name=name: self._play(name, tick)))
        if suite.recipe.judges_text:
            judged = {"trajectories": suite.fidelity, "max_new_tokens": suite.recipe.evaluate.max_new_tokens}
            stages.append(Stage(FIDELITY, [TRAIN], judged, self._judge))
        return stages

    def inputs(self, stage: Stage) -> dict[str, Any]:
        """What a stage depends on: its settings, and those of what came before it."""
        train = next(one for one in self.stages() if one.name == TRAIN)
        after = {"taught": self.taught}
        if stage.name != TRAIN:
            after[TRAIN] = digest(described(train.settings))
        return {**described(stage.settings), "after": after}

    def _train(self, tick: Tick) -> None:
        Fit(
            self.suite.teaching(),
            self.run / SHARED,
            KEPT,
            self.suite.sizes[self.cell.size],
            self.suite.methods[self.cell.method],
            cell_folder(self.run, self.cell) / MODEL,
            None,
            self.cell.seed,
            None if self.cell.data == "all" else self.cell.data,
        )(tick)

    def _play(self, split: str, tick: Tick) -> None:
        recipe = self.suite.playing(split, workers=0)  # a process that is one of several has none of its own
        settings, folder = recipe.evaluate, cell_folder(self.run, self.cell)
        rendering = recipe.environment.rendering
        model = folder / MODEL
        agent = load_agent(
            model, self.cell.method, settings.temperature, settings.max_new_tokens, recipe.seed, rendering
        )
        evaluate_agent(agent, recipe, folder / "evaluation" / split, tick, model, run_tokenizer(self.run / SHARED))

    def _judge(self, tick: Tick) -> None:
        from spanwise.evaluation.teacher_forcing import FidelitySettings, measure_fidelity
        from spanwise.traces.jsonl import read_trajectories

        recipe, folder = self.suite.recipe, cell_folder(self.run, self.cell)
        measure_fidelity(
            folder / MODEL,
            list(read_trajectories(needed(self.run / SHARED, HELD_OUT))),
            folder / FIDELITY,
            FidelitySettings(
                rendering=recipe.environment.rendering,
                style=recipe.environment.style,
                max_new_tokens=recipe.evaluate.max_new_tokens,
                limit=self.suite.fidelity,
                concurrency=recipe.evaluate.concurrency,
                confidence=recipe.evaluate.confidence,
                seed=recipe.seed,
            ),
            self.cell.method,
            Path(teacher_folder(self.suite.recipe, self.run / SHARED)),
            lambda done, of_all: tick(done, of_all, ""),
        )


def shared_evaluation(run: Path, split: str, agent: str) -> Path:
    """Where the episodes of an agent lie that is no student: ``expert`` or ``teacher``."""
    return run / SHARED / "evaluation" / split / agent


class _Relay:
    """Tells another process which stage is how far."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick

    @contextmanager
    def stage(self, name: str) -> Iterator[Tick]:
        """See :class:`spanwise.stages.Watcher`."""
        yield lambda done, of_all, note: self._tick(done, of_all, f"{name} {note}".rstrip())

    def skipped(self, name: str) -> None:
        """See :class:`spanwise.stages.Watcher`."""
