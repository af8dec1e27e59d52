"""What the run directory of a suite holds for its report. Nothing is computed here; what is absent is named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanwise.evaluation.fidelity import StepRecord, read_steps
from spanwise.evaluation.teacher_forcing import RECORDS
from spanwise.report.run_files import EvaluatedAgent, Role, read_agent, read_lines, read_object
from spanwise.run_content import FIDELITY, KEPT
from spanwise.run_directory import MANIFEST
from spanwise.suite.cells import MODEL, SHARED, shared_evaluation
from spanwise.suite.config import Amount, Cell, Suite, cell_folder
from spanwise.suite.status import CellStatus, read_status, summary

#: Who is no student.
OTHERS: tuple[Role, ...] = ("expert", "teacher")


@dataclass(frozen=True, slots=True)
class Student:
    """A cell that is done.

    Attributes:
        cell: Which.
        evaluations: Its episodes, by split.
        steps: Its turns beside those of the teacher; empty where nothing is held out.
        log: The lines of its training's ``metrics.jsonl``.
        seconds: That its stages took.
    """

    cell: Cell
    evaluations: dict[str, EvaluatedAgent]
    steps: list[StepRecord]
    log: list[dict[str, Any]]
    seconds: float

    @property
    def parameters(self) -> int:
        """Of its model."""
        parameters = next(iter(self.evaluations.values())).parameters
        assert parameters is not None  # it is no scripted agent
        return parameters


@dataclass(frozen=True, slots=True)
class SuiteFiles:
    """Everything that the report of a suite shows.

    Attributes:
        path: The run directory.
        suite: What was asked for.
        manifest: The content of the manifest of what all cells share.
        others: Expert and teacher, by split, then by name.
        students: Those that are done.
        trajectories: How many there are to learn from.
        missing: A sentence for each part that the suite asks for and the directory does not hold.
    """

    path: Path
    suite: Suite
    manifest: dict[str, Any]
    others: dict[str, dict[str, EvaluatedAgent]]
    students: tuple[Student, ...]
    trajectories: int
    missing: tuple[str, ...]

    @property
    def series(self) -> dict[str, int]:
        """Number of each learner's colour, the same wherever it is shown."""
        return {name: number for number, name in enumerate(["teacher", *self.suite.methods], start=1)}

    def of(self, method: str, size: str | None = None, data: Amount = "all") -> list[Student]:
        """The students of a method, of all seeds; None stands for the main size."""
        size = self.suite.main_size if size is None else size
        return [one for one in self.students if (one.cell.method, one.cell.size, one.cell.data) == (method, size, data)]

    @property
    def groups(self) -> list[list[Student]]:
        """The students that differ by their seeds alone, group by group."""
        groups: dict[tuple[str, str, Amount], list[Student]] = {}
        for one in self.students:
            groups.setdefault((one.cell.method, one.cell.size, one.cell.data), []).append(one)
        return list(groups.values())

    @property
    def methods(self) -> list[str]:
        """Those with a student of the main size that learnt from all there is."""
        return [method for method in self.suite.methods if self.of(method)]


def read_suite_files(run: Path, suite: Suite) -> SuiteFiles:
    """Reads what there is.

    Raises:
        RunDirectoryError: A file is damaged; the message names it.
        TraceError: A file of episodes or turns is damaged.
    """
    missing = []
    statuses = read_status(suite, run)
    if any(one.state != "done" for one in statuses):
        missing.append(f"Of {summary(statuses, 1).partition(';')[0]}; only those that are done are shown.")
    others: dict[str, dict[str, EvaluatedAgent]] = {}
    for split in suite.splits:
        others[split] = {}
        for name in OTHERS:
            folder = shared_evaluation(run, split, name)
            if (folder / "results.json").exists():
                others[split][name] = read_agent(folder, name, name, None)
            else:
                missing.append(f"{folder.relative_to(run).as_posix()}: {name} has not played {split}.")
    manifest = run / SHARED / MANIFEST
    return SuiteFiles(
        run,
        suite,
        read_object(manifest) if manifest.exists() else {},
        others,
        tuple(_student(suite, run, one) for one in statuses if one.state == "done"),
        _count_lines(run / SHARED / KEPT),
        tuple(missing),
    )


def _student(suite: Suite, run: Path, status: CellStatus) -> Student:
    cell, folder = status.cell, cell_folder(run, status.cell)
    method = suite.methods[cell.method].objective.method
    evaluations = {
        split: read_agent(folder / "evaluation" / split, cell.method, "student", method) for split in suite.splits
    }
    steps = folder / FIDELITY / RECORDS
    return Student(
        cell,
        evaluations,
        read_steps(steps) if steps.exists() else [],
        read_lines(folder / MODEL / "metrics.jsonl"),
        status.seconds,
    )


def _count_lines(path: Path) -> int:
    if not path.exists():
        return 0
    with path.open(encoding="utf-8") as lines:
        return sum(1 for _ in lines)


def hours(students: Sequence[Student]) -> float:
    """What training and evaluating them took, one after the other."""
    return math.fsum(one.seconds for one in students) / 3600
