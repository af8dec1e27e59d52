"""Ctrl-C in the middle of a run: what it says, and that the same command ends where an undisturbed run does."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from spanwise.cli import main; main()", "run", str(ROOT / "recipes" / "toy.toml")]
COMMAND += ["teacher.training.max_steps=8", "teacher.training.save_every=2", "students.training.max_steps=3"]
COMMAND += ["students.methods.sft=none", "environment.generator.train=6"]
COMMAND += ["teacher.rollouts.only_successful=false", "teacher.rollouts.max_new_tokens=8"]
COMMAND += ["evaluate.limit=2", "evaluate.max_new_tokens=8", "--out"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def results(run: Path) -> dict[str, str]:
    names = ["trajectories.jsonl", "teacher/model/model.safetensors"]
    names += [f"students/{name}/model.safetensors" for name in ("sad", "token_kd")]
    digests = {name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in names[1:]}
    lines = [json.loads(line) for line in (run / names[0]).read_text().splitlines()]
    return digests | {line["id"]: str([step["token_ids"] for step in line["steps"]]) for line in lines}


def interrupt(command: list[str | Path], moment: str) -> None:
    """Runs a command up to a line that begins so, then sends what Ctrl-C sends."""
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=ENVIRONMENT, start_new_session=True
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith(moment):
                os.killpg(run.pid, signal.SIGINT)
                break
        rest = run.stderr.read()
    assert run.returncode == 130, rest
    assert "spanwise: interrupted; run the same command again to go on" in rest
    assert "Traceback" not in rest


def test_an_interrupted_run_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    whole = subprocess.run([*COMMAND, tmp_path / "whole"], capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert whole.returncode == 0, whole.stderr

    # The second one trains its students side by side, which must not matter either.
    command = [*COMMAND, tmp_path / "broken", "students.side_by_side=2"]
    interrupt(command, "train.teacher: 4/")
    assert not (tmp_path / "broken/students").exists()
    interrupt(command, "train.students.sad: 1/")
    assert not (tmp_path / "broken/students/sad/model.safetensors").exists()

    again = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert again.returncode == 0, again.stderr
    assert "collect.expert: done before" in again.stderr
    assert results(tmp_path / "broken") == results(tmp_path / "whole")
