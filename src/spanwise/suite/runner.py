"""A suite at work: what all students share is made once, then the cells of the grid are worked off as one queue.

A run directory of a suite::

    suite.json             the suite as it was last asked for, and what makes it
    teacher/               what all cells share, an ordinary run directory: expert, tokenizer, teacher, trajectories,
                           what it says about them, and the episodes of expert and teacher on every split
    cells/METHOD/SIZE/SEED[-TRAJECTORIES]/    a student each; see ``cells.py``
    report.md, report.html

Whatever ends a suite, the same command goes on: cells that are done are skipped, those that failed are tried again,
training goes on from its last checkpoint, and the numbers are those of a run that nothing ended.
"""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spanwise.config import Recipe
from spanwise.pipeline import Pipeline
from spanwise.playing import evaluate_agent, load_agent
from spanwise.processes import Tick
from spanwise.progress import ProgressWatcher, progress_bar
from spanwise.run_content import run_tokenizer, teacher_folder
from spanwise.run_directory import RunDirectory, check_inputs, digest, write_atomically
from spanwise.stages import Stage, described, run_stages
from spanwise.suite.cells import ERRORS, SHARED, CellWork, shared_evaluation
from spanwise.suite.config import Suite, cell_folder
from spanwise.suite.loading import SUITE
from spanwise.suite.queue import Event, Job, run_queue
from spanwise.suite.status import CellStatus, in_words, read_stages, read_status, seconds_left
from spanwise.types import SCHEMA_VERSION


def run_suite(suite: Suite, run: Path, workers: int, watcher: ProgressWatcher) -> list[CellStatus]:
    """Does what is not done yet of a suite.

    Args:
        suite: What to do.
        run: Its run directory, made if it is not there.
        workers: Cells at a time, a process each.
        watcher: Shows the progress of what is shared.

    Returns:
        The status of every cell: those that are not done failed.

    Raises:
        RunDirectoryError: The directory is in use, or holds something else; or a cell was begun with other settings.
        SpanwiseError: What all cells share cannot be made.
    """
    recipe = suite.teaching()
    with RunDirectory.open(run / SHARED, recipe) as shared:
        _write_suite(suite, run)
        pipeline = Pipeline(recipe, shared, watcher)
        pipeline.teach()
        _evaluate_shared(suite, run, shared, watcher)
        taught = digest(shared.manifest["stages"][pipeline.taught]["inputs"])
        works = [CellWork(suite, cell, run, taught) for cell in suite.cells]
        for work in works:
            _check(work)
        statuses = read_status(suite, run)
        left = [work for work, status in zip(works, statuses, strict=True) if status.state != "done"]
        if left:
            _work_off(suite, run, left, workers)
        return read_status(suite, run)


def failure_lines(run: Path, statuses: Sequence[CellStatus]) -> list[str]:
    """A line for each cell that failed: which, why, and where more is said."""
    return [
        f"{one.cell.name}: {one.error} ({cell_folder(run, one.cell) / ERRORS})"
        for one in statuses
        if one.state == "failed"
    ]


def _write_suite(suite: Suite, run: Path) -> None:
    content = {"schema_version": SCHEMA_VERSION, "suite": suite.model_dump(mode="json")}
    write_atomically(run / SUITE, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _evaluate_shared(suite: Suite, run: Path, shared: RunDirectory, watcher: ProgressWatcher) -> None:
    """Lets expert and teacher play every split."""
    teacher = Path(teacher_folder(suite.recipe, shared.path))
    trained = shared.manifest["stages"].get("train.teacher")

    def inputs(stage: Stage) -> dict[str, Any]:
        after = {} if trained is None or not stage.upstream else {"train.teacher": digest(trained["inputs"])}
        return {**described(stage.settings), "after": after}

    stages = []
    for name in suite.splits:
        recipe = suite.playing(name)
        settings = {"evaluate": recipe.evaluate, "environment": recipe.environment, "seed": recipe.seed}
        for agent, folder in (("expert", None), ("teacher", teacher)):

            def work(tick: Tick, recipe: Recipe = recipe, folder: Path | None = folder, name: str = name) -> None:
                _play_shared(recipe, run, name, folder, tick)

            upstream = [] if folder is None else ["train.teacher"]
            stages.append(Stage(f"evaluate.{agent}.{name}", upstream, settings, work))
    run_stages(shared, watcher, stages, inputs)


def _play_shared(recipe: Recipe, run: Path, split: str, folder: Path | None, tick: Tick) -> None:
    from spanwise.agents.experts import make_expert

    settings = recipe.evaluate
    if folder is None:
        agent = make_expert(recipe.environment)
    else:
        rendering = recipe.environment.rendering
        agent = load_agent(folder, "teacher", settings.temperature, settings.max_new_tokens, recipe.seed, rendering)
    out = shared_evaluation(run, split, agent.name)
    evaluate_agent(agent, recipe, out, tick, folder, run_tokenizer(run / SHARED))


def _check(work: CellWork) -> None:
    """Refuses a cell that was begun with other settings, before anything else is done."""
    begun = read_stages(work.run, work.cell)
    for stage in work.stages():
        if stage.name in begun:
            check_inputs(cell_folder(work.run, work.cell), stage.name, begun[stage.name], work.inputs(stage))


def _work_off(suite: Suite, run: Path, works: Sequence[CellWork], workers: int) -> None:
    """Runs the cells, and says how each one ended."""
    cells = {work.cell.name: work.cell for work in works}
    begun: dict[str, float] = {}
    with progress_bar() as bar:
        overall = bar.add_task("cells", total=len(suite.cells), completed=len(suite.cells) - len(works), note="")
        rows: dict[str, Any] = {}
        for event in run_queue([Job(work.cell.name, work) for work in works], workers):
            name = event.job.name
            if event.what == "begins":
                begun[name] = time.monotonic()
                (cell_folder(run, cells[name]) / ERRORS).unlink(missing_ok=True)
                rows[name] = bar.add_task(name, total=None, note="")
            elif event.what == "ticks":
                done, of_all, note = event.tick
                bar.update(rows[name], completed=done, total=of_all, note=note)
            else:
                if event.error is not None:
                    _record_failure(cell_folder(run, cells[name]), event.error)
                bar.remove_task(rows.pop(name))
                statuses = read_status(suite, run)
                bar.update(overall, completed=sum(one.state == "done" for one in statuses))
                line = _line(event, time.monotonic() - begun[name], statuses, workers)
                bar.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _line(event: Event, seconds: float, statuses: Sequence[CellStatus], workers: int) -> str:
    counts = Counter(one.state for one in statuses)
    how = "done" if event.error is None else f"failed: {_in_a_line(event.error)}"
    left = seconds_left(statuses, workers)
    rest = [f"{counts['done']} of {len(statuses)} done"]
    rest += [f"{counts['failed']} failed"] if counts["failed"] else []
    rest += [f"about {in_words(left)} left"] if left else []
    return f"{event.job.name}: {how} in {in_words(seconds)}; {', '.join(rest)}"


def _record_failure(folder: Path, error: BaseException) -> None:
    """Keeps why a cell failed: the error in a line, then where it happened."""
    write_atomically(folder / ERRORS, f"{_in_a_line(error)}\n\n{''.join(traceback.format_exception(error))}")


def _in_a_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
