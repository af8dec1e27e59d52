"""Recorded trajectories into students from the command line, without an environment."""

import json
import re
from pathlib import Path
from shutil import copytree

import pytest
from tests.e2e.command import ROOT, error_of, spanwise

from spanwise.agents.experts import make_expert
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import EnvironmentConfig
from spanwise.environments import make_task_set
from spanwise.traces.jsonl import read_trajectories, write_trajectories

TRACES = ROOT / "recipes" / "traces.toml"
SMALL = ["students.training.max_steps=3", "students.training.batch_tokens=1024", "tokenizer.vocab_size=400"]
SMALL += ["students.model.hidden_size=16", "students.model.heads=2", "students.model.layers=1"]
SMALL += ["traces.held_out=0.25", "evaluate.max_new_tokens=6", "students.side_by_side=1"]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two episodes of each of some tasks of the toy world, as an import of them would be."""
    config = EnvironmentConfig(name="toy", workers=0)
    tasks = make_task_set(config)
    specs = [EpisodeSpec(one.task_id, one.task_type, seed) for one in tasks.tasks("train")[:12] for seed in (0, 1)]
    path = tmp_path_factory.mktemp("traces") / "data.jsonl.gz"
    write_trajectories(path, rollout(make_expert(config), tasks, specs, RolloutSettings(workers=0)))
    return path


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("traces") / "run"
    answer = spanwise("run", TRACES, f"data={data}", *SMALL, "--out", run)
    assert answer.returncode == 0, answer.stderr
    assert "held out, left out: none" in answer.stdout
    assert "steps of held-out trajectories" in answer.stdout
    return run


def test_text_alone_makes_students_and_judges_them(finished: Path, data: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text())
    stages = ["select", "train.tokenizer", "train.students.sft", "train.students.sad", "fidelity.sft", "fidelity.sad"]
    assert list(manifest["stages"]) == stages
    assert {stage["status"] for stage in manifest["stages"].values()} == {"done"}
    kept, held_out = (list(read_trajectories(finished / name)) for name in ("trajectories.jsonl", "held_out.jsonl"))
    assert not {one.task_id for one in kept} & {one.task_id for one in held_out}
    assert len(kept) + len(held_out) == 24
    steps = sum(len(one.steps) for one in held_out)
    for name in ("sft", "sad"):
        results = json.loads((finished / "fidelity" / name / "fidelity.json").read_text())
        assert results["steps"] == steps
        assert results["metrics"]["reason_nll"]["value"] > 0
        assert results["metrics"]["act_kl"]["n"] == 0
    report = (finished / "report.md").read_text()
    assert "Fidelity on held-out trajectories" in report
    assert "What is missing" not in report
    assert not re.search(r'(src|href)="http', (finished / "report.html").read_text())


def test_a_second_run_does_nothing_again_even_without_the_data(finished: Path, data: Path, tmp_path: Path) -> None:
    answer = spanwise("run", TRACES, f"data={tmp_path / 'gone.jsonl'}", *SMALL, "--out", finished)
    assert answer.returncode == 0, answer.stderr
    assert "select: done before" in answer.stderr
    assert "fidelity.sad: done before" in answer.stderr
    answer = spanwise("evaluate", TRACES, f"data={data}", *SMALL, "--out", finished)
    assert answer.returncode == 0, answer.stderr
    assert "fidelity.sft: done before" in answer.stderr


def test_an_interrupted_selection_ends_like_an_undisturbed_one(finished: Path, data: Path, tmp_path: Path) -> None:
    """What is left by a stop between the two files, and before the stage was done."""
    run = tmp_path / "run"
    run.mkdir()
    manifest = json.loads((finished / "manifest.json").read_text())
    manifest["stages"] = {"select": {**manifest["stages"]["select"], "status": "running"}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    (run / "trajectories.jsonl").write_bytes((finished / "trajectories.jsonl").read_bytes())
    (run / ".held_out.jsonl.1.partial").write_text('{"half": ')
    answer = spanwise("collect", TRACES, f"data={data}", *SMALL, "--out", run)
    assert answer.returncode == 0, answer.stderr
    for name in ("trajectories.jsonl", "held_out.jsonl", "selection.json"):
        assert (run / name).read_bytes() == (finished / name).read_bytes()


def test_other_data_and_other_settings_are_refused(finished: Path, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    write_trajectories(other, list(read_trajectories(data))[:20])
    error = error_of(spanwise("run", TRACES, f"data={other}", *SMALL, "--out", finished))
    assert "the stage 'select' was done with other settings (data.sha256 was" in error
    error = error_of(spanwise("run", TRACES, f"data={data}", *SMALL, "traces.held_out=0.5", "--out", finished))
    assert "traces.held_out was 0.25, is 0.5" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", TRACES, "data=nowhere.jsonl", "--out", "OUT"], "data: nowhere.jsonl: no such file"),
        (["run", TRACES, "data=pyproject.toml", "--out", "OUT"], "spanwise import pyproject.toml --out data.jsonl"),
        (["run", TRACES, "--out", "OUT"], "a teacher without training needs teacher.model.path"),
        (["evaluate", TRACES, "data=d", "--agent", "x"], "spanwise fidelity judges one model"),
        (["evaluate", TRACES, "data=d", "--split", "train", "--out", "OUT"], "its held-out part is the split"),
        (["fidelity", "nowhere", "d.jsonl"], "nowhere: expected a model folder"),
        (["fidelity", "src", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["fidelity", "src", "d.jsonl", "--json", "d.jsonl"], "--json would overwrite the trajectories"),
        (["fidelity", "src", "d.jsonl", "--style", "verse"], "--style: found 'verse'; there are: react"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, tmp_path: Path) -> None:
    assert message in error_of(spanwise(*(tmp_path / "out" if one == "OUT" else one for one in arguments)))


def test_a_teacher_that_scores_the_text_and_one_that_is_trained_on_it(
    finished: Path, data: Path, tmp_path: Path
) -> None:
    """A folder is the first teacher; the second one is trained here, kept as signals, and shares its tokenizer."""
    kd = [
        "students.methods.sft=none",
        "students.methods.sad=none",
        "students.methods.kd.training.objective.method=token_kd",
    ]
    scoring = [f'teacher.model.path="{finished / "students/sft"}"', *kd]
    answer = spanwise("run", TRACES, f"data={data}", *SMALL, *scoring, "evaluate.limit=2", "--out", tmp_path / "a")
    assert answer.returncode == 0, answer.stderr
    assert "train.teacher" not in answer.stderr
    found = {
        name: json.loads((tmp_path / "a/fidelity" / name / "fidelity.json").read_text()) for name in ("teacher", "kd")
    }
    assert found["teacher"]["metrics"]["act_kl"]["n"] == 0
    assert found["kd"]["metrics"]["act_kl"]["value"] > 0
    assert found["kd"]["trajectories"] == 2

    trained = ["teacher.training.objective.method=sft", "teacher.training.max_steps=3", "teacher.source=cache", *kd]
    trained += ["teacher.model.hidden_size=32", "teacher.model.heads=2", "teacher.model.layers=1"]
    answer = spanwise("run", TRACES, f"data={data}", *SMALL, *trained, "evaluate.limit=2", "--out", tmp_path / "b")
    assert answer.returncode == 0, answer.stderr
    stages = json.loads((tmp_path / "b/manifest.json").read_text())["stages"]
    assert list(stages)[:5] == ["select", "train.tokenizer", "train.teacher", "cache.teacher", "train.students.kd"]
    answer = spanwise("cache", "verify", tmp_path / "b", "--rows", 2)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_pretrained_student_brings_its_tokenizer(finished: Path, data: Path, tmp_path: Path) -> None:
    change = f'students.model.path="{finished / "students/sft"}"'
    answer = spanwise(
        "train", TRACES, f"data={data}", *SMALL, change, "tokenizer.vocab_size=300", "--out", tmp_path / "r"
    )
    assert answer.returncode == 0, answer.stderr
    for folder in (tmp_path / "r/tokenizer", tmp_path / "r/students/sad"):
        assert (folder / "tokenizer.json").read_bytes() == (finished / "tokenizer/tokenizer.json").read_bytes()


def test_one_model_is_judged_alone(finished: Path, tmp_path: Path) -> None:
    copytree(finished / "students/sft", tmp_path / "model")
    held_out = finished / "held_out.jsonl"
    command = ["fidelity", "model", held_out, "--teacher", finished / "students/sad", "--max-new-tokens", 6]
    for _ in range(2):  # the second time nothing is left to do
        answer = spanwise(*command, "--limit", 2, "--json", "out.json", cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        assert "ACT KL" in answer.stdout
    (folder,) = (tmp_path / "runs/fidelity").iterdir()
    assert f"results: {folder.relative_to(tmp_path)}" in answer.stdout
    assert json.loads((tmp_path / "out.json").read_text()) == json.loads((folder / "fidelity.json").read_text())
    steps = json.loads((tmp_path / "out.json").read_text())["steps"]
    assert f"fidelity.model: {steps}/{steps}" in answer.stderr
    assert len((folder / "fidelity.jsonl").read_text().splitlines()) == steps
    answer = spanwise(*command, "--out", "mine", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "mine/fidelity.json").exists()


def test_runs_have_a_folder_by_default(data: Path, tmp_path: Path) -> None:
    answer = spanwise("collect", TRACES, f"data={data}", *SMALL, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "--out runs/traces" in answer.stderr
    assert (tmp_path / "runs/traces/trajectories.jsonl").exists()
