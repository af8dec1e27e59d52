import atexit
import errno
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from spanwise.errors import ModelError
from spanwise.processes import Tick, in_process, take_gpu


def count_to(number: int, tick: Tick) -> None:
    for done in range(number):
        tick(done + 1, number, "well")


def fail(error: Exception, tick: Tick) -> None:
    raise error


def die(tick: Tick) -> None:
    os._exit(9)


def go_on_for_ever(tick: Tick) -> None:
    while True:
        tick(os.getpid(), 0, "")
        time.sleep(0.01)


def sleep_for_ever(tick: Tick) -> None:
    tick(os.getpid(), 0, "")
    time.sleep(3600)  # it does not find out by what it says that nobody listens


def test_a_process_tells_how_far_it_is_and_that_it_is_done():
    with in_process(partial(count_to, 2), 1) as connection:
        assert [connection.recv() for _ in range(3)] == [(1, 2, "well"), (2, 2, "well"), None]


def test_an_error_arrives_with_its_place(capfd):
    for error in (ModelError("no such folder"), ZeroDivisionError("a fault"), OSError(errno.ENOSPC, "full")):
        with in_process(partial(fail, error), 1) as connection:
            said = connection.recv()
        assert type(said) is type(error)
        assert str(said) == str(error)
        assert "in fail" in said.__notes__[0], "where a fault happened must not be lost"
    assert capfd.readouterr().err == "", "it is for the parent to say"


def put_away_later(path: Path, tick: Tick) -> None:
    atexit.register(lambda: (time.sleep(0.5), path.write_text("put away")))


def test_what_is_done_puts_away_what_it_holds(tmp_path):
    with in_process(partial(put_away_later, tmp_path / "note"), 1) as connection:
        assert connection.recv() is None
    assert (tmp_path / "note").read_text() == "put away"


def test_a_death_is_told_from_an_end():
    with in_process(die, 1) as connection, pytest.raises(EOFError):
        connection.recv()


@pytest.mark.parametrize(
    ("gpus", "seen", "taken"),
    [(0, None, [""] * 3), (1, "3", ["3"] * 3), (2, None, ["0", "1", "0"]), (3, "5,2,7", ["5", "2", "7"])],
)
def test_each_takes_one_gpu_in_turn(gpus, seen, taken, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    found = []
    for number in range(3):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen or "")
        take_gpu(number)
        found.append(os.environ["CUDA_VISIBLE_DEVICES"])
    assert found == taken


def test_nothing_is_left_running():
    with in_process(go_on_for_ever, 1) as connection:
        process = connection.recv()[0]
        os.kill(process, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_process_ends_with_its_parent_however_that_ends():
    code = (
        "import os, sys\n"
        "from spanwise.processes import in_process\n"
        "from tests.unit.test_processes import sleep_for_ever\n"
        "if __name__ == '__main__':\n"
        "    with in_process(sleep_for_ever, 1) as connection:\n"
        "        print(connection.recv()[0], flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
    )
    parent = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert parent.returncode == -9, parent.stderr
    child = int(parent.stdout)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < deadline, "it works on, and nobody asked it to"
        time.sleep(0.05)
