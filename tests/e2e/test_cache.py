"""Students that learn from cached signals, from the command line: kept, verified, damaged, missing."""

import json
from pathlib import Path
from shutil import copytree, rmtree

import pytest
from tests.e2e.command import ROOT, error_of, spanwise

TOY = ROOT / "recipes" / "toy.toml"
SMALL = ["teacher.training.max_steps=8", "students.training.max_steps=3", "environment.generator.train=6"]
SMALL += ["teacher.rollouts.only_successful=false", "teacher.rollouts.max_new_tokens=8", "evaluate.max_new_tokens=8"]
SMALL += ["evaluate.limit=1", "teacher.source=cache", "students.methods.sft=none", "students.methods.token_kd=none"]
THREADS = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("cache") / "run"
    answer = spanwise("run", TOY, *SMALL, "--out", run)
    assert answer.returncode == 0, answer.stderr
    assert "cache.teacher: done" in answer.stderr
    return run


@pytest.fixture
def untrained(finished: Path, tmp_path: Path) -> Path:
    """The same run before its student learnt anything."""
    run = tmp_path / "run"
    copytree(finished, run)
    manifest = json.loads((run / "manifest.json").read_text())
    for stage in [name for name in manifest["stages"] if name.startswith(("train.students", "evaluate"))]:
        del manifest["stages"][stage]
    (run / "manifest.json").write_text(json.dumps(manifest))
    rmtree(run / "students")
    return run


def damage(run: Path, array: str) -> Path:
    """Changes one bit of an array of the only shard."""
    (shard,) = (run / "signals").glob("*.safetensors")
    content = bytearray(shard.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    content[start + json.loads(content[8:start])[array]["data_offsets"][0]] ^= 1
    shard.write_bytes(content)
    return shard


def test_a_run_keeps_signals_and_its_student_learns_from_them(finished: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text())
    assert manifest["stages"]["cache.teacher"]["status"] == "done"
    assert {stage["status"] for stage in manifest["stages"].values()} == {"done"}
    lines = [json.loads(line) for line in (finished / "students/sad/metrics.jsonl").read_text().splitlines()]
    assert lines
    assert lines[-1]["reason_kl"] > 0


def test_a_student_that_learns_attention_needs_no_teacher(untrained: Path) -> None:
    """It comes to a run whose teacher was asked before anyone wanted to know."""
    before = json.loads((untrained / "manifest.json").read_text())["stages"]["cache.teacher"]["inputs"]
    reads = "students.methods.reads.training.objective={method='token_kd', attention=1.0}"
    learns = [*SMALL, "students.methods.sad=none", reads, "--out", untrained]
    answer = spanwise("cache", TOY, *learns)
    assert answer.returncode == 0, answer.stderr
    assert "attention of layer " in answer.stdout
    assert len(list((untrained / "signals/attention").iterdir())) == 1
    teacher = untrained / "teacher/model"
    teacher.rename(untrained / "gone")
    answer = spanwise("train", TOY, *learns)
    assert answer.returncode == 0, answer.stderr
    lines = [json.loads(line) for line in (untrained / "students/reads/metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["reason_attention_kl"] > 0
    assert json.loads((untrained / "manifest.json").read_text())["stages"]["cache.teacher"]["inputs"] == before
    (untrained / "gone").rename(teacher)
    answer = spanwise("cache", "verify", untrained, "--rows", 1)
    assert answer.returncode == 0, answer.stderr


def test_attention_is_added_when_a_student_comes_that_learns_it(untrained: Path) -> None:
    reads = "students.methods.reads.training.objective={method='token_kd', attention=1.0, attention_layers='all'}"
    answer = spanwise("train", TOY, *SMALL, "students.methods.sad=none", reads, "--out", untrained)
    assert answer.returncode == 0, answer.stderr
    assert "cache.teacher: done" in answer.stderr
    assert len(list((untrained / "signals").glob("*.safetensors"))) == 1  # what it had said is not asked again
    assert len(list((untrained / "signals/attention").glob("*/*.safetensors"))) > 1


def test_signals_are_told_about_and_verified(finished: Path) -> None:
    answer = spanwise("cache", TOY, *SMALL, "--out", finished)
    assert answer.returncode == 0, answer.stderr
    assert "cache.teacher: 6/6" in answer.stderr
    assert "6 trajectories" in answer.stdout
    assert len(list((finished / "signals").glob("*.safetensors"))) == 1  # nothing was missing
    answer = spanwise("cache", "verify", finished, "--rows", 3)
    assert answer.returncode == 0, answer.stderr
    assert "all signals are whole" in answer.stdout
    assert "cache.verify: 3/3" in answer.stderr


def test_damaged_signals_are_named_and_teach_no_one(untrained: Path) -> None:
    shard = damage(untrained, "log_probs")
    answer = spanwise("cache", "verify", untrained, "--rows", 0)
    assert answer.returncode == 1, answer.stderr
    assert answer.stdout.startswith(f"{shard}: damaged: the row ")
    assert answer.stdout.strip().endswith("1 faults")
    error = error_of(spanwise("train", TOY, *SMALL, "--out", untrained))
    assert f"{shard}: damaged" in error
    assert "remove this file" in error
    assert not (untrained / "students/sad/training.json").exists()
    shard.unlink()  # as the error says
    assert spanwise("cache", TOY, *SMALL, "--out", untrained).returncode == 0
    answer = spanwise("train", TOY, *SMALL, "--out", untrained)
    assert answer.returncode == 0, answer.stderr
    assert (untrained / "students/sad/training.json").exists()


def test_signals_that_are_gone_are_an_error(untrained: Path) -> None:
    rmtree(untrained / "signals")
    error = error_of(spanwise("train", TOY, *SMALL, "--out", untrained))
    assert f"{untrained / 'signals'}: holds no teacher signals" in error


def test_another_teacher_is_an_error(untrained: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = untrained / "teacher/model/model.safetensors"
    weights = load_file(path)
    weights["model.norm.weight"][0] += 1
    save_file(weights, path, metadata={"format": "pt"})
    error = error_of(spanwise("cache", "verify", untrained))
    assert "its signals have another teacher" in error


def test_no_run_directory_is_an_error() -> None:
    assert "/nonexistent: holds no manifest.json" in error_of(spanwise("cache", "verify", "/nonexistent"))


def test_help_names_both_verbs() -> None:
    answer = spanwise("cache", "--help")
    assert answer.returncode == 0
    assert "write" in answer.stdout
    assert "verify" in answer.stdout
