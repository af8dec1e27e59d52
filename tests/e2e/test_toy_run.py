"""The command line from end to end on the toy world."""

import json
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest
from tests.e2e.command import ROOT, spanwise

TOY = ROOT / "recipes" / "toy.toml"
SMALL = ["teacher.training.max_steps=8", "students.training.max_steps=3", "environment.generator.train=6"]
SMALL += ["evaluate.limit=3", "teacher.rollouts.only_successful=false", "teacher.rollouts.max_new_tokens=8"]
SMALL += ["evaluate.max_new_tokens=8"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("toy") / "run"
    answer = spanwise("run", TOY, *SMALL, "--out", run)
    assert answer.returncode == 0, answer.stderr
    assert "sad" in answer.stdout
    return run


def test_a_run_leaves_everything(finished: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text())
    assert {stage["status"] for stage in manifest["stages"].values()} == {"done"}
    for name in ("expert", "teacher", "sft", "token_kd", "sad"):
        results = json.loads((finished / "evaluation" / name / "results.json").read_text())
        assert results["n"] == 3
    assert json.loads((finished / "evaluation/expert/results.json").read_text())["success_rate"]["value"] == 1.0
    for name in ("report.md", "report.html", "teacher/model/model.safetensors", "students/sad/metrics.jsonl"):
        assert (finished / name).stat().st_size > 0


def test_a_second_run_does_nothing_again(finished: Path) -> None:
    before = (finished / "students/sad/model.safetensors").stat().st_mtime_ns
    answer = spanwise("run", TOY, *SMALL, "--out", finished)
    assert answer.returncode == 0, answer.stderr
    assert "train.students.sad: done before" in answer.stderr
    assert (finished / "students/sad/model.safetensors").stat().st_mtime_ns == before


def test_show_prints_a_trajectory(finished: Path) -> None:
    answer = spanwise("show", finished / "expert/trajectories.jsonl")
    assert answer.returncode == 0, answer.stderr
    assert "Thought:" in answer.stdout


def test_evaluate_a_model_folder(finished: Path, tmp_path: Path) -> None:
    model = finished / "students/sad"
    answer = spanwise(
        "evaluate", TOY, "--agent", model, "--limit", 2, "evaluate.max_new_tokens=8", "--out", tmp_path / "e"
    )
    assert answer.returncode == 0, answer.stderr
    assert json.loads((tmp_path / "e/results.json").read_text())["n"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", TOY, "teacher.trainin.epochs=1", "--out", "OUT"], "did you mean 'training'"),
        (["run", "nowhere.toml", "--out", "OUT"], "nowhere.toml: the recipe cannot be read"),
        (["evaluate", TOY, "--agent", "nowhere", "--out", "OUT"], "nowhere: expected a model folder"),
        (["evaluate", "recipes/alfworld.toml", "--agent", "expert", "--out", "OUT"], "ALFWORLD_DATA"),
        (["show", "nowhere.jsonl"], "nowhere.jsonl"),
        (["train", TOY, "--out", "OUT"], "earlier stage makes it"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, tmp_path: Path) -> None:
    answer = spanwise(*(tmp_path / "out" if one == "OUT" else one for one in arguments))
    assert answer.returncode == 2, answer.stderr
    last = answer.stderr.strip().splitlines()[-1]
    assert last.startswith("spanwise: error: ")
    assert message in last
    assert "Traceback" not in answer.stderr


def test_another_recipe_is_refused(finished: Path) -> None:
    answer = spanwise("run", TOY, *SMALL, 'name="other"', "--out", finished)
    assert answer.returncode == 2
    assert "made by the recipe 'toy'" in answer.stderr
    answer = spanwise("run", TOY, *SMALL, "tokenizer.vocab_size=300", "--out", finished)
    assert answer.returncode == 2
    assert "'train.tokenizer' was done with other settings (tokenizer.vocab_size was 512, is 300)" in answer.stderr


def test_help_starts_without_heavy_imports() -> None:
    code = "import sys, spanwise.cli; print([m for m in ('torch', 'transformers', 'textworld') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert answer.stdout.strip() == "[]"
    assert "collect" in spanwise("--help").stdout


def test_a_student_with_another_tokenizer_is_refused(finished: Path, tmp_path: Path) -> None:
    from spanwise.config import ArchitectureConfig, TokenizerConfig
    from spanwise.training.models import create_model, create_tokenizer

    tokenizer = create_tokenizer(["other words"], TokenizerConfig(vocab_size=264))
    shape = ArchitectureConfig(hidden_size=16, intermediate_size=16, layers=1, heads=2)
    create_model(shape, tokenizer, 0).save_pretrained(tmp_path / "other")
    tokenizer.save_pretrained(tmp_path / "other")
    run = tmp_path / "run"
    copytree(finished, run)
    manifest = json.loads((run / "manifest.json").read_text())
    for stage in [name for name in manifest["stages"] if name.startswith(("train.students", "evaluate"))]:
        del manifest["stages"][stage]
    (run / "manifest.json").write_text(json.dumps(manifest))

    answer = spanwise("train", TOY, *SMALL, f'students.model.path="{tmp_path / "other"}"', "--out", run)

    assert answer.returncode == 2, answer.stderr
    assert "different tokenizers" in answer.stderr.splitlines()[-1]
