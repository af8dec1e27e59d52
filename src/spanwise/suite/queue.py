"""One queue of jobs for a few processes; what fails is handed back, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Literal, cast

from spanwise.processes import in_process
from spanwise.stages import Work


@dataclass(frozen=True, slots=True)
class Job:
    """Work by its name; it can be pickled."""

    name: str
    work: Work


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job.

    Attributes:
        job: Which.
        what: It ``begins``, tells how far it is (``ticks``), or ``ends``.
        tick: Done, of all, a word on how it goes.
        error: What ended it, with the traceback as its note; None where it did its work.
    """

    job: Job
    what: Literal["begins", "ticks", "ends"]
    tick: tuple[int, int, str] = (0, 0, "")
    error: BaseException | None = None


class DiedError(Exception):
    """A job's process died without a word."""


def run_queue(jobs: Sequence[Job], workers: int) -> Iterator[Event]:
    """Runs jobs in the order of the queue, so many at a time, a process each; leaving it early ends the processes.

    Args:
        jobs: All of them.
        workers: How many run at once; each has its share of the CPU's threads.
    """
    with ExitStack() as everything:
        waiting, running = list(jobs), dict[Connection, tuple[ExitStack, Job]]()
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                around = everything.enter_context(ExitStack())
                running[around.enter_context(in_process(job.work, workers))] = (around, job)
                yield Event(job, "begins")
            for connection in cast(list[Connection], wait(list(running))):
                around, job = running[connection]
                said = _receive(connection)
                if isinstance(said, tuple):
                    yield Event(job, "ticks", said)
                    continue
                del running[connection]
                around.close()
                yield Event(job, "ends", error=said)


def _receive(connection: Connection) -> tuple[int, int, str] | BaseException | None:
    try:
        return connection.recv()
    except EOFError:
        return DiedError("its process died (out of memory, or killed)")
