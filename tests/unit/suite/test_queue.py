"""Jobs side by side: what fails or dies is handed back, the others go on."""

import os
from functools import partial

from spanwise.processes import Tick
from spanwise.suite.queue import DiedError, Job, run_queue


def work(number: int, tick: Tick) -> None:
    tick(number, 10, "well")


def fail(tick: Tick) -> None:
    raise ZeroDivisionError("a fault")


def die(tick: Tick) -> None:
    os._exit(9)


def test_one_that_fails_and_one_that_dies_do_not_stop_the_others() -> None:
    jobs = [Job("first", partial(work, 1)), Job("fails", fail), Job("dies", die), Job("last", partial(work, 4))]
    events = list(run_queue(jobs, 2))
    assert [event.job.name for event in events if event.what == "begins"] == ["first", "fails", "dies", "last"]
    ends = {event.job.name: event.error for event in events if event.what == "ends"}
    assert (ends["first"], ends["last"]) == (None, None)
    assert isinstance(ends["fails"], ZeroDivisionError)
    assert "in fail" in ends["fails"].__notes__[0]
    assert isinstance(ends["dies"], DiedError)
    assert [event.tick for event in events if event.what == "ticks"] == [(1, 10, "well"), (4, 10, "well")]


def test_no_more_than_so_many_at_a_time() -> None:
    running, most = 0, 0
    for event in run_queue([Job(str(number), partial(work, number)) for number in range(3)], 1):
        running += {"begins": 1, "ticks": 0, "ends": -1}[event.what]
        most = max(most, running)
    assert (running, most) == (0, 1)
