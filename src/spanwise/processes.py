"""Work in a process of its own, which tells how far it is and ends with whoever started it."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait

#: Told (done, of all, a word on how it goes).
Tick = Callable[[int, int, str], None]

_NUMBERS = itertools.count()
#: That a process may take to leave once its work is done.
_SECONDS_TO_LEAVE = 20


@contextmanager
def in_process(work: Callable[[Tick], None], sharers: int) -> Iterator[Connection]:
    """Starts work in a new process, and ends that process in the end, whatever it is doing.

    Args:
        work: Can be pickled; gets a function to tell its progress to.
        sharers: How many such processes share the CPU: each takes its share of torch's threads. Where there are
            several GPUs each takes one, in turn.

    Yields:
        What the process says: ticks as tuples, then None once it is done, or the exception that ended it, with the
        traceback as its note. A process that was killed closes it without either.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, theirs, sharers, next(_NUMBERS)), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.terminate()
        process.join()
        ours.close()


def take_gpu(number: int) -> None:
    """Leaves this process one of the GPUs that it sees, by its number among such processes; before it uses any."""
    import torch

    count = torch.cuda.device_count()
    if count > 1:
        seen = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(count)))
        os.environ["CUDA_VISIBLE_DEVICES"] = seen.split(",")[number % count]


def _work(work: Callable[[Tick], None], connection: Connection, sharers: int, number: int) -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(max(1, torch.get_num_threads() // sharers))
    take_gpu(number)
    end: Exception | None = None
    try:
        work(lambda done, of_all, note: connection.send((done, of_all, note)))
    except Exception as error:
        error.add_note(traceback.format_exc())  # the traceback itself cannot be sent
        end = error
    # Whoever started this ends it once it has heard, and it has still to put away what libraries hold (semaphores).
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.alarm(_SECONDS_TO_LEAVE)
    connection.send(end)


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, however that ended: else it would work on, and write, unasked."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
