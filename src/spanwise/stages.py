"""Stages at work: each runs unless it is done, one after the other or some side by side in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol, cast

from spanwise.config import Table
from spanwise.errors import RunDirectoryError
from spanwise.processes import Tick, in_process
from spanwise.run_directory import RunDirectory

#: What a stage does; it tells how far it is.
Work = Callable[[Tick], None]


class Watcher(Protocol):
    """Whoever shows the progress of a stage."""

    def stage(self, name: str) -> AbstractContextManager[Tick]:
        """A stage begins; the function it gives is told how far it is."""
        ...

    def skipped(self, name: str) -> None:
        """A stage was done before."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage to run: its name, the stages before it, the tables or values it depends on, and who does the work."""

    name: str
    upstream: list[str]
    settings: dict[str, Any]
    work: Work


def run_stages(
    run: RunDirectory,
    watcher: Watcher,
    stages: Sequence[Stage],
    inputs: Callable[[Stage], dict[str, Any]],
    at_a_time: int = 1,
) -> None:
    """Runs the stages that are not done: one after the other here, or so many at a time in processes of their own.

    Args:
        run: Where they are recorded.
        watcher: Shows them.
        stages: In the order in which they begin.
        inputs: What a stage depends on; asked when it begins.
        at_a_time: How many run at once.

    Raises:
        RunDirectoryError: A stage that one of them needs is not finished; or a process died.
    """
    with ExitStack() as everything:
        waiting, running = list(stages), dict[Connection, tuple[ExitStack, Stage, Tick]]()
        while waiting or running:
            if waiting and len(running) < at_a_time:
                stage = waiting.pop(0)
                around = everything.enter_context(ExitStack())
                if not around.enter_context(run.stage(stage.name, inputs(stage))):
                    watcher.skipped(stage.name)
                    continue
                tick = around.enter_context(watcher.stage(stage.name))
                if at_a_time > 1:
                    running[around.enter_context(in_process(stage.work, at_a_time))] = (around, stage, tick)
                else:
                    stage.work(tick)
                    around.close()
                continue
            for connection in cast(list[Connection], wait(list(running))):
                around, stage, tick = running[connection]
                try:
                    said = connection.recv()
                except EOFError as error:
                    raise RunDirectoryError(
                        f"{run.path}: the process of the stage {stage.name!r} died (out of memory, or "
                        "killed); the same command continues"
                    ) from error
                if isinstance(said, BaseException):
                    raise said
                if said is None:
                    del running[connection]
                    around.close()
                else:
                    tick(*said)


#: Settings that say how fast, how often saved or where, and never what comes out.
_PASSING = frozenset({"workers", "data", "concurrency", "save_every", "log_every", "activation_checkpointing"})


def lasting(table: Table) -> dict[str, Any]:
    """The settings of a table that change what a stage makes."""
    return table.model_dump(mode="json", exclude=set(_PASSING & type(table).model_fields.keys()))


def described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a stage as JSON values: tables by what is lasting of them."""
    return {key: lasting(one) if isinstance(one, Table) else one for key, one in settings.items()}
