"""The stages of a run, in order: each reads files of the run directory and writes others, and can be called alone.

    collect.expert -> train.tokenizer -> train.teacher.base -> train.teacher -> collect.teacher -> cache.teacher
    -> train.students.base -> train.students.<method> ... -> evaluate.<agent> ... -> fidelity.<model> ... -> report

The ``fidelity`` stages are there where some of the teacher's episodes are held out (``teacher.rollouts.held_out``).

Where a recipe has ``data``, recorded trajectories, nothing is played::

    select -> train.tokenizer -> train.teacher.base -> train.teacher -> cache.teacher
    -> train.students.base -> train.students.<method> ... -> fidelity.<agent> ... -> report

A stage that is done is skipped; one that was interrupted goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from spanwise.config import ArchitectureConfig, Recipe, TrainingConfig
from spanwise.errors import RunDirectoryError
from spanwise.fitting import Fit
from spanwise.playing import collect, evaluate_agent, load_agent
from spanwise.processes import Tick
from spanwise.run_content import (
    EXPERT,
    FIDELITY,
    HELD_OUT,
    KEPT,
    ROLLOUTS,
    SELECTION,
    SIGNALS,
    STUDENTS_BASE,
    TEACHER,
    TEACHER_BASE,
    TOKENIZER,
    learnt_from,
    needed,
    run_tokenizer,
    teacher_folder,
    texts_of,
)
from spanwise.run_directory import RunDirectory, digest, write_atomically
from spanwise.stages import Stage, Watcher, Work, described, lasting, run_stages

if TYPE_CHECKING:
    from spanwise.agents.protocol import Agent
    from spanwise.types import Trajectory


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A recipe at work in a run directory."""

    recipe: Recipe
    run: RunDirectory
    watcher: Watcher

    def run_all(self) -> None:
        """Every stage."""
        self.teach()
        self.train_students()
        self.evaluate()
        self.report()

    def teach(self) -> None:
        """Every stage before the students."""
        self.collect_expert()
        self.train_teacher()
        if self.recipe.data is None:
            self.collect_teacher()
        if self.recipe.teacher.source == "cache":
            self.cache()

    def collect(self) -> None:
        """The expert's trajectories; and the teacher's, once there is a teacher. Or those of the recipe's data."""
        self.collect_expert()
        if self.recipe.data is None and (self._finished(TEACHER) or self.recipe.teacher.training is None):
            self.collect_teacher()

    def train(self) -> None:
        """The teacher; and the students, once there are the teacher's trajectories, or the recipe's data."""
        if self.recipe.data is not None:
            self.select()
        self.train_teacher()
        if (self.run.path / KEPT).exists():
            if self.recipe.teacher.source == "cache":
                self.cache()
            self.train_students()

    def collect_expert(self) -> None:
        """Records the scripted expert; or, where the recipe has data, selects from it."""
        if self.recipe.data is not None:
            self.select()
            return
        from spanwise.agents.experts import make_expert

        recipe = self.recipe
        agent = make_expert(recipe.environment, recipe.collect.slips, recipe.collect.expert)
        self._stage(
            "collect.expert",
            [],
            {"collect": recipe.collect},
            lambda tick: collect(agent, recipe, recipe.collect, self.run.path / EXPERT, tick),
        )

    def select(self) -> None:
        """Divides the recipe's data: what is learnt from, what is held out, what is neither."""
        from spanwise.traces.selection import data_digest, dump_selection, select_trajectories

        settings = self.recipe.traces
        data = Path(cast(str, self.recipe.data))
        before = self.run.manifest["stages"].get("select")
        if before is not None and before["status"] == "done" and not data.exists():
            content = before["inputs"]["data"]  # what was selected is here: a run that goes on elsewhere needs no more
        else:
            content = {"sha256": data_digest(data)}

        def work(tick: Tick) -> None:
            kept, held_out = self.run.path / KEPT, self.run.path / HELD_OUT
            found = select_trajectories(data, settings, self.recipe.seed, kept, held_out)
            write_atomically(self.run.path / SELECTION, dump_selection(found))
            of_all = found.train + found.held_out + sum(found.left_out.values())
            tick(of_all, of_all, str(found))

        self._stage("select", [], {"traces": settings, "data": content}, work)

    def train_teacher(self) -> None:
        """Makes the tokenizer and the teacher."""
        recipe, teacher = self.recipe, self.recipe.teacher
        settings: dict[str, Any] = {"tokenizer": recipe.tokenizer}
        data, first = EXPERT, "collect.expert"
        if recipe.data is not None:
            data, first = KEPT, "select"
            settings["model"] = {"path": recipe.tokenizer_path}
        self._stage("train.tokenizer", [first], settings, self._make_tokenizer)
        if teacher.training is None:
            return
        start: str | None = None
        done = ["train.tokenizer"]
        if teacher.pretraining is not None:
            base = ("train.teacher.base", done, data, teacher.model, teacher.pretraining, TEACHER_BASE, None)
            self._stages([self._fitting(*base)])
            start, done = TEACHER_BASE, ["train.teacher.base"]
        self._stages([self._fitting("train.teacher", done, data, teacher.model, teacher.training, TEACHER, start)])

    def collect_teacher(self) -> None:
        """Records the teacher on the train games; divides them into what students learn from and what is held out."""
        settings = self.recipe.teacher.rollouts

        def work(tick: Tick) -> None:
            from spanwise.traces.jsonl import read_trajectories, write_trajectories
            from spanwise.traces.splits import is_held_out

            agent = self._model_agent(self._teacher(), "teacher", settings.temperature, settings.max_new_tokens)
            everything = self.run.path / ROLLOUTS
            collect(agent, self.recipe, settings, everything, tick)

            def side(of_held_out: bool) -> Iterator[Trajectory]:
                for one in read_trajectories(everything):
                    chosen = one.success or not (of_held_out or settings.only_successful)
                    if chosen and is_held_out(one.task_id, settings.held_out, self.recipe.seed) == of_held_out:
                        yield one

            if settings.held_out > 0 and write_trajectories(self.run.path / HELD_OUT, side(True)) == 0:
                raise RunDirectoryError(
                    f"{everything}: the teacher won no game of the tasks that a share of {settings.held_out:g} holds "
                    "out; raise teacher.rollouts.held_out"
                )
            if write_trajectories(self.run.path / KEPT, side(False)) == 0:
                raise RunDirectoryError(
                    f"{everything}: the teacher won no game, so students have nothing to learn from"
                )

        self._stage("collect.teacher", ["train.teacher"], {"rollouts": settings}, work)

    def cache(self, again: bool = False) -> None:
        """Keeps what the teacher says about the trajectories that students learn from.

        Args:
            again: Look for what is missing even if the stage is done: a shard was removed, or a student asks for more.
                Attention that is missing as a whole is looked for anyhow: a student came that learns it.
        """
        signals = self.recipe.teacher.signals
        before = self.run.manifest["stages"].get("cache.teacher")
        if not again and self.recipe.kept_attention and (self.run.path / SIGNALS).exists():
            from spanwise.teacher.run import lacks_attention

            again = lacks_attention(self.recipe, self.run.path)
        if again and before is not None:
            before["status"] = "running"

        def work(tick: Tick) -> None:
            from spanwise.teacher.run import write_run_signals

            write_run_signals(self.recipe, self.run.path, lambda done, of_all: tick(done, of_all, ""))

        self._stage("cache.teacher", [self._taught], {"signals": signals}, work)

    def train_students(self) -> None:
        """Trains every student of the recipe."""
        students = self.recipe.students
        start: str | None = None
        done = [self.taught]
        if students.pretraining is not None:
            base = ("train.students.base", done, KEPT, students.model, students.pretraining, STUDENTS_BASE, None)
            self._stages([self._fitting(*base)])
            start, done = STUDENTS_BASE, ["train.students.base"]
        self._stages(
            [
                self._fitting(
                    f"train.students.{name}", done, KEPT, students.model, student.training, f"students/{name}", start
                )
                for name, student in students.methods.items()
            ],
            students.side_by_side,
        )

    def evaluate(self) -> None:
        """Lets every agent play the same games; where trajectories are held out, judges models by them."""
        if self.recipe.data is None:
            self._play()
        if self.recipe.judges_text:
            self.fidelity()

    def _play(self) -> None:
        from spanwise.agents.experts import make_expert

        settings = self.recipe.evaluate
        folders: dict[str, Path | None] = {"expert": None, "teacher": self._teacher()}
        folders |= {name: self.run.path / "students" / name for name in self.recipe.students.methods}
        for name, folder in folders.items():

            def work(tick: Tick, name: str = name, folder: Path | None = folder) -> None:
                agent = (
                    make_expert(self.recipe.environment)
                    if folder is None
                    else self._model_agent(folder, name, settings.temperature, settings.max_new_tokens)
                )
                evaluate_agent(
                    agent, self.recipe, self.run.path / "evaluation" / name, tick, folder, run_tokenizer(self.run.path)
                )

            trained = [] if folder is None else ["train.teacher" if name == "teacher" else f"train.students.{name}"]
            self._stage(f"evaluate.{name}", trained, {"evaluate": settings}, work)

    def fidelity(self) -> None:
        """Judges every model on the trajectories that none of them learnt from."""
        from spanwise.traces.jsonl import read_trajectories

        recipe, evaluate = self.recipe, self.recipe.evaluate
        settings: dict[str, Any] = {"evaluate": evaluate}
        limit = evaluate.limit
        if recipe.data is None:  # the other settings, and the limit, are of games
            settings = {"evaluate": evaluate.model_dump(include={"max_new_tokens", "confidence"})}
            limit = None
        teacher = self._teacher() if recipe.teacher.exists else None
        folders = {} if teacher is None else {"teacher": teacher}
        folders |= {name: self.run.path / "students" / name for name in recipe.students.methods}
        for name, folder in folders.items():

            def work(tick: Tick, name: str = name, folder: Path = folder) -> None:
                from spanwise.evaluation.teacher_forcing import FidelitySettings, measure_fidelity

                measure_fidelity(
                    folder,
                    list(read_trajectories(needed(self.run.path, HELD_OUT))),
                    self.run.path / FIDELITY / name,
                    FidelitySettings(
                        rendering=recipe.environment.rendering,
                        style=recipe.environment.style,
                        max_new_tokens=evaluate.max_new_tokens,
                        limit=limit,
                        concurrency=evaluate.concurrency,
                        confidence=evaluate.confidence,
                        seed=recipe.seed,
                    ),
                    name,
                    None if name == "teacher" else teacher,
                    lambda done, of_all: tick(done, of_all, ""),
                )

            trained = [self._taught] if name == "teacher" else [self._taught, f"train.students.{name}"]
            self._stage(f"fidelity.{name}", trained, settings, work)

    def report(self) -> None:
        """Writes the report anew; it is cheap, so it is never skipped."""
        from spanwise.report.page import write_report

        with self.watcher.stage("report"):
            write_report(self.run.path, self.recipe)

    @property
    def taught(self) -> str:
        """The stage after which students can learn."""
        return "cache.teacher" if self.recipe.teacher.source == "cache" else self._taught

    @property
    def _taught(self) -> str:
        """The stage after which there is a teacher, and text to learn from."""
        if self.recipe.data is None:
            return "collect.teacher"
        return "train.tokenizer" if self.recipe.teacher.training is None else "train.teacher"

    def _stage(self, name: str, upstream: list[str], settings: dict[str, Any], work: Work) -> None:
        """Runs one stage unless it is done."""
        self._stages([Stage(name, upstream, settings, work)])

    def _stages(self, stages: Sequence[Stage], at_a_time: int = 1) -> None:
        """Runs the stages that are not done."""
        run_stages(self.run, self.watcher, stages, self._inputs, at_a_time)

    def _inputs(self, stage: Stage) -> dict[str, Any]:
        """What a stage depends on: its settings and those of the stages before it."""
        stages = self.run.manifest["stages"]
        missing = [one for one in stage.upstream if one in stages and stages[one]["status"] != "done"]
        if missing:
            raise RunDirectoryError(
                f"{self.run.path}: the stage {stage.name!r} needs {missing[0]!r} to be finished first"
            )
        environment = self.recipe.environment
        return {
            **described(stage.settings),
            "environment": lasting(environment)
            if self.recipe.data is None
            else {"rendering": environment.rendering, "style": environment.style},
            "seed": self.recipe.seed,
            "after": {one: digest(stages[one]["inputs"]) for one in stage.upstream if one in stages},
        }

    def _fitting(
        self,
        name: str,
        upstream: list[str],
        data: str,
        architecture: ArchitectureConfig,
        training: TrainingConfig,
        output: str,
        start: str | None,
    ) -> Stage:
        """A training stage: a model on trajectories, from a finished folder or from scratch."""
        run = self.run.path
        begin = None if start is None else run / start
        work = Fit(self.recipe, run, data, architecture, training, run / output, begin, self.recipe.seed)
        return Stage(name, upstream, {"training": training, "model": architecture}, work)

    def _make_tokenizer(self, tick: Tick) -> None:
        from spanwise.training.models import create_tokenizer, load_tokenizer

        path = self.recipe.tokenizer_path
        if path is not None:
            tokenizer = load_tokenizer(path)
        else:
            data = EXPERT if self.recipe.data is None else KEPT
            texts = (
                text for trajectory in learnt_from(self.recipe, self.run.path, data) for text in texts_of(trajectory)
            )
            tokenizer = create_tokenizer(texts, self.recipe.tokenizer)
        tokenizer.save_pretrained(self.run.path / TOKENIZER)

    def _teacher(self) -> Path:
        return Path(teacher_folder(self.recipe, self.run.path))

    def _model_agent(self, folder: Path, name: str, temperature: float, max_new_tokens: int) -> Agent:
        rendering = self.recipe.environment.rendering
        return load_agent(folder, name, temperature, max_new_tokens, self.recipe.seed, rendering)

    def _finished(self, folder: str) -> bool:
        return (self.run.path / folder / "training.json").exists()
