"""`spanwise audit`: what it prints, what it writes, and its exit codes."""

import json
import sys

import pytest

from spanwise.cli import main
from spanwise.config import TokenizerConfig
from spanwise.traces.jsonl import write_trajectories
from spanwise.traces.segment import segment
from spanwise.training.models import create_tokenizer
from spanwise.types import Step, Trajectory

SAID = "Thought: the apple 1 is 🍎 hére.\nAction: take apple 1"


def make(completion: str, name: str) -> Trajectory:
    cut = segment(completion, "react")
    step = Step("Look.", completion, cut.action, cut.spans)
    return Trajectory(name, name, "toy", "x", 0, "", (step,), None, True, "success", {"style": "react"})


def run(monkeypatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["spanwise", "audit", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def files(tmp_path):
    tokenizer = create_tokenizer([SAID] * 4, TokenizerConfig(vocab_size=280))
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    write_trajectories(tmp_path / "clean.jsonl", [make(SAID, name="a"), make("Thought: well.\nAction: go", name="b")])
    write_trajectories(tmp_path / "warned.jsonl.gz", [make(f"{SAID}\n", name="w")])
    write_trajectories(tmp_path / "defect.jsonl", [make(SAID, name="t"), make("Action: x\nObservation: y", name="bad")])
    write_trajectories(tmp_path / "none.jsonl", [])
    return tmp_path


def test_the_command_tells_defects_by_its_exit_code(files, monkeypatch, capsys) -> None:
    assert run(monkeypatch, files / "clean.jsonl", "--tokenizer", files / "tokenizer") == 0
    assert "derived a second time" in capsys.readouterr().out
    assert run(monkeypatch, files / "warned.jsonl.gz") == 0
    shown = capsys.readouterr().out
    assert "white_space" in shown
    assert "tokens were not" in shown
    assert run(monkeypatch, files / "defect.jsonl") == 1
    assert "bad step 0" in capsys.readouterr().out
    assert run(monkeypatch, files / "defect.jsonl", "--limit", 1) == 0


def test_the_command_writes_json(files, monkeypatch, capsys) -> None:
    assert run(monkeypatch, files / "defect.jsonl", "--json", "-") == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["defects"][0]["check"] == "made_up"
    assert printed["file"].endswith("defect.jsonl")
    assert run(monkeypatch, files / "defect.jsonl", "--json", files / "report.json") == 1
    assert json.loads((files / "report.json").read_text()) == printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{}/none.jsonl"], "holds no trajectory"),
        (["{}/absent.jsonl"], "no such file"),
        (["{}/clean.jsonl", "--teacher", "{}/tokenizer"], "expected --tokenizer"),
        (["{}/clean.jsonl", "--max-length", "9"], "expected --tokenizer"),
        (["{}/clean.jsonl", "--tokenizer", "{}/tokenizer", "--rendering", "chat"], "no chat template"),
        (["{}/clean.jsonl", "--json", "{}/clean.jsonl"], "overwrite"),
        (["{}/clean.jsonl", "--json", "{}/no/report.json"], "cannot be written"),
        (["{}/clean.jsonl", "--tokenizer", "{}/absent"], "no such folder"),
    ],
)
def test_wrong_usage_is_a_line_and_exit_code_2(files, monkeypatch, capsys, arguments, message) -> None:
    assert run(monkeypatch, *(one.format(files) for one in arguments)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("spanwise: error: ")


def test_spans_that_do_not_partition_are_an_error_of_the_file(files, monkeypatch, capsys) -> None:
    path = files / "clean.jsonl"
    lines = path.read_text().splitlines()
    values = json.loads(lines[1])
    values["steps"][0]["spans"][-1][1] -= 1
    path.write_text("\n".join([lines[0], json.dumps(values)]) + "\n")
    assert run(monkeypatch, path) == 2
    assert ":2: steps.0: spans cover" in capsys.readouterr().err
