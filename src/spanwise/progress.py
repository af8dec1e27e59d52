"""How far work is: bars on a terminal, a line at each tenth of the way elsewhere; all on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from spanwise.processes import Tick

_errors = Console(stderr=True)


def progress_bar() -> Progress:
    """A bar with a count and an estimate, on a terminal only; a task needs the field ``note``."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=_errors,
        disable=not _errors.is_terminal,
    )


class ProgressWatcher:
    """Bars with an estimate on a terminal; elsewhere a line at each tenth of the way."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._open = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[Tick]:
        """See :class:`spanwise.stages.Watcher`."""
        if not _errors.is_terminal:
            print(f"{name}: begins", file=sys.stderr, flush=True)
        tenth = -1
        with self._shared_bar() as bar:
            row = bar.add_task(name, total=None, note="")

            def tick(done: int, of_all: int, note: str) -> None:
                nonlocal tenth
                bar.update(row, completed=done, total=of_all, note=note)
                if not _errors.is_terminal and done * 10 // max(1, of_all) > tenth:
                    tenth = done * 10 // max(1, of_all)
                    print(f"{name}: {done}/{of_all} {note}".rstrip(), file=sys.stderr, flush=True)

            yield tick
        if not _errors.is_terminal:
            print(f"{name}: done", file=sys.stderr, flush=True)

    @contextmanager
    def _shared_bar(self) -> Iterator[Progress]:
        """The bars of all stages that run side by side: a terminal shows one live thing at a time."""
        if self._bar is None:
            self._bar = progress_bar()
            self._bar.start()
        self._open += 1
        try:
            yield self._bar
        finally:
            self._open -= 1
            if not self._open:
                self._bar.stop()
                self._bar = None

    def skipped(self, name: str) -> None:
        """See :class:`spanwise.stages.Watcher`."""
        print(f"{name}: done before", file=sys.stderr, flush=True)
