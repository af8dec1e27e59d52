"""What a run directory holds for its report. Nothing is computed here; what is absent is named."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from spanwise.config import Recipe
from spanwise.errors import RunDirectoryError
from spanwise.evaluation.fidelity import completed_fidelity
from spanwise.evaluation.metrics import EpisodeRecord, completed, read_records
from spanwise.evaluation.teacher_forcing import RESULT
from spanwise.run_content import FIDELITY, SELECTION
from spanwise.traces.selection import Selection, read_selection

#: What a ``fidelity.json`` holds at the least.
_JUDGED = ("trajectories", "tasks", "steps", "metrics", "left_out", "provenance", "confidence")

#: And a ``results.json``.
_RESULTS = ("n", "success_rate", "reward", "steps", "by_task_type", "stop_reasons", "unknown", "provenance")

Role = Literal["expert", "teacher", "student"]


@dataclass(frozen=True, slots=True)
class EvaluatedAgent:
    """One agent's evaluation.

    Attributes:
        name: Folder below ``evaluation/``, and the name in every table.
        role: What it is in the run.
        method: A student's objective; None for others.
        results: The content of ``results.json``.
        records: The content of ``episodes.jsonl``.
        trajectories: Where its episodes are.
    """

    name: str
    role: Role
    method: str | None
    results: dict[str, Any]
    records: list[EpisodeRecord]
    trajectories: Path

    @property
    def parameters(self) -> int | None:
        """Parameters of its model; None for a scripted agent."""
        model = self.results["provenance"].get("model")
        return None if model is None else model["parameters"]


@dataclass(frozen=True, slots=True)
class JudgedModel:
    """One model on the trajectories that were held out.

    Attributes:
        name: Folder below ``fidelity/``, and the name in every table.
        results: The content of ``fidelity.json``.
    """

    name: str
    results: dict[str, Any]

    @property
    def parameters(self) -> int:
        """Of the model."""
        return self.results["provenance"]["model"]["parameters"]


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """One training run's log.

    Attributes:
        name: What was trained: ``teacher``, a student's name, or ``students`` for what all students start from.
        pretraining: Whether this was the language modelling that came first.
        series: Number of the learner's colour.
        lines: The objects of ``metrics.jsonl``, in order.
    """

    name: str
    pretraining: bool
    series: int
    lines: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Everything that a report shows.

    Attributes:
        path: The run directory.
        recipe: What the run was asked to do.
        manifest: The content of ``manifest.json``; empty if there is none.
        agents: Those evaluated: expert, teacher, students in the recipe's order.
        logs: Training logs: teacher, then students.
        missing: A sentence for each part that the recipe asks for and the directory does not hold.
        judged: Where trajectories are held out: the models, the teacher first, then students in the recipe's order.
        selection: Where the recipe has data: what came of it; None if it was not selected from yet.
    """

    path: Path
    recipe: Recipe
    manifest: dict[str, Any]
    agents: list[EvaluatedAgent]
    logs: list[TrainingLog]
    missing: list[str]
    judged: list[JudgedModel] = field(default_factory=list)
    selection: Selection | None = None

    @property
    def series(self) -> dict[str, int]:
        """Number of each learner's colour, the same wherever it is shown."""
        return series_of(self.recipe)

    def teacher(self) -> EvaluatedAgent | None:
        """The evaluated teacher, if there is one."""
        return next((agent for agent in self.agents if agent.role == "teacher"), None)


def series_of(recipe: Recipe) -> dict[str, int]:
    """Number of each learner's colour: 1 for the teacher, students from 2 on."""
    return {name: number for number, name in enumerate(["teacher", *recipe.students.methods], start=1)}


def read_run(run: Path, recipe: Recipe) -> RunFiles:
    """Reads what there is.

    Raises:
        RunDirectoryError: The directory does not exist, or a file in it is damaged; the message names file and line.
        TraceError: An ``episodes.jsonl`` is damaged.
    """
    if not run.is_dir():
        raise RunDirectoryError(f"{run}: no such run directory")
    missing: list[str] = []
    manifest = read_object(run / "manifest.json") if (run / "manifest.json").exists() else {}
    if not manifest:
        missing.append("manifest.json: nothing says what produced this run")
    judged = _read_judged(run, recipe, missing) if recipe.judges_text else []
    if recipe.data is not None:
        selection = read_selection(run / SELECTION) if (run / SELECTION).exists() else None
        return RunFiles(run, recipe, manifest, [], _read_logs(run, recipe, missing), missing, judged, selection)
    agents = _read_agents(run, recipe, missing)
    return RunFiles(run, recipe, manifest, agents, _read_logs(run, recipe, missing), missing, judged)


def _read_judged(run: Path, recipe: Recipe, missing: list[str]) -> list[JudgedModel]:
    judged = []
    for name in [*(["teacher"] if recipe.teacher.exists else []), *recipe.students.methods]:
        path = run / FIDELITY / name / RESULT
        if not path.exists():
            missing.append(f"{FIDELITY}/{name}/{RESULT}: {name} has not been judged on what is held out")
            continue
        results = read_object(path)
        absent = [key for key in _JUDGED if key not in results]
        if absent:
            raise RunDirectoryError(f"{path}: not results of a model's fidelity; no {', '.join(absent)}")
        judged.append(JudgedModel(name, completed_fidelity(results)))
    return judged


def _read_agents(run: Path, recipe: Recipe, missing: list[str]) -> list[EvaluatedAgent]:
    roles: dict[str, tuple[Role, str | None]] = {"expert": ("expert", None), "teacher": ("teacher", None)}
    for name, student in recipe.students.methods.items():
        roles[name] = ("student", student.training.objective.method)
    agents = []
    for name, (role, method) in roles.items():
        folder = run / "evaluation" / name
        if not (folder / "results.json").exists():
            missing.append(f"evaluation/{name}/results.json: {name} has not been evaluated")
            continue
        agents.append(read_agent(folder, name, role, method))
    return agents


def read_agent(folder: Path, name: str, role: Role, method: str | None) -> EvaluatedAgent:
    """The evaluation of one agent.

    Args:
        folder: Where it is.
        name: Of the agent.
        role: What it is in the run.
        method: A student's objective.

    Raises:
        RunDirectoryError: The results are damaged.
        TraceError: The records are.
    """
    results = read_object(folder / "results.json")
    absent = [key for key in _RESULTS if key not in results]
    if absent:
        raise RunDirectoryError(f"{folder / 'results.json'}: not results of an evaluation; no {', '.join(absent)}")
    records = read_records(folder / "episodes.jsonl")
    return EvaluatedAgent(name, role, method, completed(results), records, folder / "trajectories.jsonl")


def _read_logs(run: Path, recipe: Recipe, missing: list[str]) -> list[TrainingLog]:
    series = series_of(recipe)
    places: list[tuple[str, bool, int, Path]] = []
    if recipe.teacher.pretraining is not None:
        places.append(("teacher", True, 1, run / "teacher" / "base"))
    if recipe.students.pretraining is not None:
        places.append(("students", True, len(series) + 1, run / "students" / "base"))
    if recipe.teacher.training is not None:
        places.append(("teacher", False, 1, run / "teacher" / "model"))
    places += [(name, False, series[name], run / "students" / name) for name in recipe.students.methods]
    logs = []
    for name, pretraining, number, folder in places:
        path = folder / "metrics.jsonl"
        if path.exists():
            logs.append(TrainingLog(name, pretraining, number, read_lines(path)))
        else:
            what = f"the pretraining of {name}" if pretraining else name
            missing.append(f"{path.relative_to(run).as_posix()}: no training log of {what}")
    return logs


def read_object(path: Path) -> dict[str, Any]:
    """A file with one JSON object.

    Raises:
        RunDirectoryError: It cannot be read, or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise RunDirectoryError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def read_lines(path: Path) -> list[dict[str, Any]]:
    """A file with a JSON value a line.

    Raises:
        RunDirectoryError: A line is something else.
    """
    lines = []
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            try:
                lines.append(json.loads(line))
            except ValueError as error:
                raise RunDirectoryError(f"{path}:{number}: not JSON: {error}") from error
    return lines
