"""A suite from end to end, in small on the toy world: killed on its way, it ends where an undisturbed one does."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.command import ROOT, error_of, spanwise

RECIPE = ROOT / "recipes" / "suite" / "alfworld.toml"
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
METHODS = re.findall(r"^\[methods\.(\w+)\]", (ROOT / "recipes/suite/methods.toml").read_text(), re.MULTILINE)
SPLITS = ("constrained", "generated", "valid_seen")
#: Those that the undisturbed suite has.
FEW = ("token_kd", "sad", "random_spans")

pytestmark = pytest.mark.timeout(1500)


def command(out: Path, *more: str) -> list[str]:
    start = [sys.executable, "-c", "from spanwise.cli import main; main()", "suite", str(RECIPE), "--smoke"]
    return [*start, "--workers", "2", "--out", str(out), *more]


def run(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(out, *more), capture_output=True, text=True, env=ENVIRONMENT, timeout=900)


def only(*names: str) -> list[str]:
    return [f"methods.{name}=none" for name in METHODS if name not in names]


def manifest(cell: Path) -> dict:
    return json.loads((cell / "manifest.json").read_text())


def numbers(cell: Path) -> dict[str, object]:
    """All that a cell found, without what a clock said."""
    found: dict[str, object] = {"model": hashlib.sha256((cell / "model/model.safetensors").read_bytes()).hexdigest()}
    for path in sorted(cell.glob("evaluation/*/episodes.jsonl")):
        records = [json.loads(line) for line in path.read_text().splitlines()]
        found[path.parent.name] = [{**record, "seconds": None} for record in records]
    found["fidelity"] = (cell / "fidelity/fidelity.jsonl").read_text()
    return found


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    """A suite of every method that was killed after its second cell, without a chance to put things in order."""
    out = tmp_path_factory.mktemp("suite") / "run"
    with subprocess.Popen(command(out), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as suite:
        assert suite.stderr is not None
        said, ended = "", 0
        for line in suite.stderr:
            said += line
            ended += " done in " in line
            if ended == 2:
                suite.kill()
                break
    assert ended == 2, said
    return out


@pytest.fixture(scope="module")
def finished(killed: Path) -> Path:
    """The same suite, after the same command again."""
    status = spanwise("suite", "status", killed)
    assert status.returncode == 0, status.stderr
    assert re.search(r"\d+ cells: 2 done, .*left; about .* left with", status.stdout), status.stdout
    before = {path: path.stat().st_mtime_ns for path in killed.glob("cells/**/model/model.safetensors")}
    again = run(killed)
    assert again.returncode == 0, again.stderr
    assert "collect.expert: done before" in again.stderr
    done = [path for path in before if manifest(path.parents[1])["stages"].get("fidelity", {}).get("status") == "done"]
    assert len(done) >= 2
    assert all(path.stat().st_mtime_ns == before[path] for path in before), "no finished model is made again"
    return killed


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("few") / "run"
    answer = run(out, *only(*FEW), "seeds=[0]")
    assert answer.returncode == 0, answer.stderr
    return out


def test_every_method_and_every_axis_has_its_cells(finished: Path) -> None:
    cells = {path.parent.relative_to(finished / "cells").as_posix() for path in finished.glob("cells/*/*/*/model")}
    assert cells >= {f"{name}/sixth/0" for name in METHODS}
    assert cells >= {
        "token_kd/sixth/1",
        "token_kd/twentieth/0",
        "token_kd/eighth/0",
        "token_kd/third/0",
        "token_kd/sixth/0-8",
    }
    for cell in cells:
        stages = manifest(finished / "cells" / cell)["stages"]
        assert {stage["status"] for stage in stages.values()} == {"done"}
        assert set(stages) == {"train", *(f"evaluate.{split}" for split in SPLITS), "fidelity"}
    assert f"{len(cells)} cells: {len(cells)} done" in spanwise("suite", "status", finished).stdout


def test_cells_share_one_teacher_and_differ_in_what_their_names_say(finished: Path) -> None:
    cells = finished / "cells"
    assert not list(cells.rglob("tokenizer")), "what is shared is not copied"
    models = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in cells.glob("*/*/*/model/*.safetensors")}
    assert len(set(models.values())) == len(models)
    inputs = manifest(cells / "token_kd/sixth/0-8")["stages"]["train"]["inputs"]
    assert (inputs["trajectories"], inputs["seed"]) == (8, 0)


def test_a_killed_suite_ends_like_an_undisturbed_one(finished: Path, undisturbed: Path) -> None:
    cells = sorted(path.parent.relative_to(undisturbed) for path in undisturbed.glob("cells/*/*/*/model"))
    assert {cell.parts[1] for cell in cells} == set(FEW)
    for cell in cells:
        assert numbers(finished / cell) == numbers(undisturbed / cell), cell


def test_methods_of_a_suite_can_be_compared(finished: Path, undisturbed: Path) -> None:
    ours, theirs = finished / "cells/sad/sixth/0", finished / "cells/token_kd/sixth/0"
    answer = spanwise("compare", ours, theirs, "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)["comparisons"]
    assert [(one["name"], one["episodes"]) for one in found] == [(split, 8) for split in SPLITS]
    same = json.loads(spanwise("compare", finished / "cells/sad", undisturbed / "cells/sad", "--json").stdout)
    assert {one["difference"]["value"] for one in same["comparisons"]} == {0.0}
    other = spanwise("compare", ours / "evaluation/valid_seen", theirs / "evaluation/generated")
    assert "played different episodes: 0 in common" in error_of(other)


def test_a_cell_that_fails_does_not_stop_the_others_and_is_tried_again(undisturbed: Path) -> None:
    few = [*only("token_kd", "sad", "sft"), "seeds=[0]", "methods.sft.learning_rate=1e30"]
    answer = run(undisturbed, *few)
    assert answer.returncode == 1, answer.stderr
    last = answer.stderr.splitlines()[-2:]
    assert last[0].startswith("failed: sft/sixth/0: TrainingError: the loss is not finite at step")
    assert last[1] == "spanwise: 1 cells failed; the same command tries them again"
    log = (undisturbed / "cells/sft/sixth/0/error.log").read_text()
    assert "Traceback" in log
    assert "in compute_loss" in log
    status = spanwise("suite", "status", undisturbed).stdout
    assert "1 failed" in status
    assert "sft/sixth/0: TrainingError" in status

    changed = run(undisturbed, *few, "methods.token_kd.learning_rate=0.001")
    assert "cells/token_kd/sixth/0: the stage 'train' was done with other settings" in error_of(changed)
    assert "training.learning_rate was 0.01, is 0.001" in changed.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "methods.sad.objective.redaction=1",
            "unknown key 'methods.sad.objective.redaction'; did you mean 'reduction'",
        ),
        ("main_size=eigth", "main_size: there is no 'eigth'; did you mean 'eighth'"),
        ("seeds", "expected key=value"),
    ],
)
def test_a_wrong_suite_is_one_line(change: str, message: str, tmp_path: Path) -> None:
    assert message in error_of(spanwise("suite", RECIPE, change, "--out", tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_no_suite(tmp_path: Path) -> None:
    assert "holds no suite.json; expected the run directory of a suite" in error_of(
        spanwise("suite", "status", tmp_path)
    )
