"""How far a suite is, read from the manifests of its cells: what is done, what failed, what is left, and how long."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import rich.box
import rich.table

from spanwise.errors import RunDirectoryError
from spanwise.run_directory import MANIFEST, in_use
from spanwise.suite.cells import ERRORS, CellWork
from spanwise.suite.config import Cell, Suite, cell_folder

State = Literal["done", "running", "interrupted", "failed", "left"]
STATES: tuple[State, ...] = ("done", "running", "interrupted", "failed", "left")


@dataclass(frozen=True, slots=True)
class CellStatus:
    """How far a cell is.

    Attributes:
        cell: Which.
        state: Which ``interrupted`` and ``failed`` are begun, and nobody works on them.
        seconds: That its stages took so far.
        error: The first line of its ``error.log``; None where it has not failed.
    """

    cell: Cell
    state: State
    seconds: float
    error: str | None


def read_status(suite: Suite, run: Path) -> list[CellStatus]:
    """The status of every cell, in the order of the queue.

    Raises:
        RunDirectoryError: A manifest is damaged.
    """
    now = datetime.now(UTC)
    return [_status(suite, run, cell, now) for cell in suite.cells]


def read_stages(run: Path, cell: Cell) -> dict[str, Any]:
    """The stages in a cell's manifest; empty where there is none yet.

    Raises:
        RunDirectoryError: The manifest is damaged.
    """
    path = cell_folder(run, cell) / MANIFEST
    try:
        return json.loads(path.read_text(encoding="utf-8"))["stages"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(f"{path}: not a manifest that can be read: {error!r}") from error


def seconds_left(statuses: Sequence[CellStatus], workers: int) -> float | None:
    """About how long the cells that are not done will take; None where none is done yet to judge by.

    A cell is taken to need what cells of its size and amount of data did, or else those of its size, or else all.
    """
    measured: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for one in statuses:
        if one.state == "done":
            for key in ((one.cell.size, one.cell.data), (one.cell.size,), ()):
                measured[key].append(one.seconds)
    if not measured:
        return None
    left = []
    for one in statuses:
        if one.state != "done":
            keys = ((one.cell.size, one.cell.data), (one.cell.size,), ())
            known = next(measured[key] for key in keys if key in measured)
            spent = one.seconds if one.state in ("running", "interrupted") else 0.0
            left.append(max(0.0, math.fsum(known) / len(known) - spent))
    return max([math.fsum(left) / max(1, workers), *left], default=0.0)


def in_words(seconds: float) -> str:
    """A time span as people say it: ``40 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def status_table(suite: Suite, statuses: Sequence[CellStatus]) -> rich.table.Table:
    """How many cells of each method, size and amount of data are in which state."""
    table = rich.table.Table(title=suite.name, title_justify="left", title_style="bold", box=rich.box.SIMPLE)
    shown = [state for state in STATES if any(one.state == state for one in statuses)]
    for heading in ("method", "size", "data"):
        table.add_column(heading, no_wrap=True)
    for heading in (*shown, "min each"):
        table.add_column(heading, justify="right")
    rows: dict[tuple[str, str, str], list[CellStatus]] = defaultdict(list)
    for one in statuses:
        rows[one.cell.method, one.cell.size, str(one.cell.data)].append(one)
    for names, cells in rows.items():
        counts = Counter(one.state for one in cells)
        seconds = [one.seconds for one in cells if one.state == "done"]
        mean = f"{math.fsum(seconds) / len(seconds) / 60:.1f}" if seconds else ""
        table.add_row(*names, *(str(counts[state] or "") for state in shown), mean)
    return table


def summary(statuses: Sequence[CellStatus], workers: int) -> str:
    """The counts, and the time left, in a line."""
    counts = Counter(one.state for one in statuses)
    words = [f"{counts[state]} {state}" for state in STATES if counts[state]]
    line = f"{len(statuses)} cells: {', '.join(words)}"
    left = seconds_left(statuses, workers)
    if left is None or counts["done"] == len(statuses):
        return line
    return f"{line}; about {in_words(left)} left with {workers} at a time"


def _status(suite: Suite, run: Path, cell: Cell, now: datetime) -> CellStatus:
    stages, folder = read_stages(run, cell), cell_folder(run, cell)
    seconds = math.fsum(stage["seconds"] for stage in stages.values())
    wanted = [stage.name for stage in CellWork(suite, cell, run, "").stages()]
    if all(stages.get(name, {}).get("status") == "done" for name in wanted):
        return CellStatus(cell, "done", seconds, None)
    if stages and in_use(folder):
        begun = [stage["started"] for stage in stages.values() if stage["status"] == "running"]
        seconds += sum((now - datetime.fromisoformat(one)).total_seconds() for one in begun)
        return CellStatus(cell, "running", seconds, None)
    if (folder / ERRORS).exists():
        first, _, _ = (folder / ERRORS).read_text(encoding="utf-8").partition("\n")
        return CellStatus(cell, "failed", seconds, first)
    return CellStatus(cell, "interrupted" if stages else "left", seconds, None)
