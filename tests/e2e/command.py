"""The command line in a process of its own, as a user calls it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def spanwise(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs a verb; games that this machine may have are not found."""
    environment = {key: value for key, value in os.environ.items() if key not in ("ALFWORLD_DATA", "WEBSHOP_DATA")}
    return subprocess.run(
        [sys.executable, "-m", "spanwise", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment | {"OMP_NUM_THREADS": "1"},
        timeout=300,
    )


def error_of(answer: subprocess.CompletedProcess[str]) -> str:
    """The one line that an error is."""
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
    last = answer.stderr.strip().splitlines()[-1]
    assert last.startswith("spanwise: error: ")
    return last
