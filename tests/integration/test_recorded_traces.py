"""Logs that other people's agents left: what is found in them, against counts that are made without the importer."""

import gzip
import json
import re
from pathlib import Path

import pytest
from tests.integration.conftest import SHARED

from spanwise.traces.importing import ImportOptions, ImportSummary, import_traces
from spanwise.types import SpanKind

TRACES = SHARED / "traces"
FILES = {
    "fireact": "fireact__alpaca_format__hotpotqa.json.gz",
    "knowagent": "knowagent__ALFWorld_processed_knowagent.jsonl.gz",
    "webshop": "react__WebShop_outputs_0_249.txt.gz",
    "alfworld": "react__prompts__alfworld_3prompts.json.gz",
    "fever": "react__prompts__fever.json.gz",
    "hotpotqa": "react__prompts__prompts_naive.json.gz",
    "reflexion": "reflexion__ReAct__base__100_questions_5_trials.txt.gz",
    "ground_truth": "wts70B__alfworld_train_gt_traj_3554.jsonl.gz",
}
#: Lines with which an agent acts, in each file's own notation.
ACTIONS = {
    "fireact": r"^Action: (.*)$",
    "knowagent": r"^> (?!Think:|ActionPath:)(.*)$",
    "webshop": r"^Action: (?!reset)(.*)$",
    "alfworld": r"^>(?! ?think:) ?(.*)$",
    "fever": r"^(?:Action \d+|Answer): ?(.*)$",
    "hotpotqa": r"^(?:Action \d+|Answer): ?(.*)$",
    "reflexion": r"^Action \d+: (.*)$",
}
EPISODES = {
    "fireact": 500,
    "knowagent": 218,
    "webshop": 250,
    "alfworld": 36,
    "fever": 12,
    "hotpotqa": 51,
    "reflexion": 512,
    "ground_truth": 3554,
}


def path_of(name) -> Path:
    path = TRACES / FILES[name]
    if not path.exists():
        pytest.skip(f"no recorded traces: {path} does not exist (SPANWISE_SHARED_DATA)")
    return path


def text_of(name) -> str:
    """All transcripts of a file, one after the other."""
    raw = gzip.decompress(path_of(name).read_bytes()).decode()
    if name == "knowagent":
        return "\n".join(json.loads(line)["traj"] for line in raw.splitlines())
    if name == "fireact":
        return "\n".join(one["output"] for one in json.loads(raw))
    return "\n".join(json.loads(raw).values()) if raw.startswith("{") else raw


def imported(name):
    summary = ImportSummary()
    found = list(import_traces([path_of(name)], ImportOptions(deduplicate=False), summary))
    assert not summary.failures
    assert not summary.dropped
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_episode_is_found(name):
    assert len(imported(name)) == EPISODES[name]


@pytest.mark.parametrize("name", ACTIONS)
def test_commands_are_those_of_the_text_in_order(name):
    expected = [one.strip() for one in re.findall(ACTIONS[name], text_of(name), re.MULTILINE)]
    found = [step.action for one in imported(name) for step in one.steps]
    assert [one for one in found if name != "alfworld" or not one.startswith("think:")] == expected


@pytest.mark.parametrize("name", ["fireact", "reflexion", "hotpotqa", "fever"])
def test_thoughts_are_those_of_the_text(name):
    expected = re.findall(r"^Thought(?: \d+)?: .*$", text_of(name), re.MULTILINE)
    steps = [step for one in imported(name) for step in one.steps]
    assert [step.text(SpanKind.REASON).strip() for step in steps if step.text(SpanKind.REASON)] == [
        one.strip() for one in expected
    ]


@pytest.mark.parametrize("name", ["knowagent", "alfworld"])
def test_thoughts_of_text_games_are_never_commands(name):
    for trajectory in imported(name):
        for step in trajectory.steps:
            act = step.text(SpanKind.ACT)
            assert not re.search(r"think|actionpath", act, re.IGNORECASE)
            assert act.count("\n") <= 1
            assert not step.completion or step.completion.startswith(">")


def test_no_observation_is_in_a_completion():
    for name in ("fireact", "reflexion", "webshop", "hotpotqa", "fever"):
        for trajectory in imported(name):
            assert not any("Observation" in step.completion for step in trajectory.steps)


def test_outcomes_are_those_that_the_logs_tell():
    assert sum(one.success is True for one in imported("fireact")) == 500
    assert sum(one.success is True for one in imported("knowagent")) == 218
    webshop = imported("webshop")
    said = re.findall(r"^250 (\S+) (\S+) ", text_of("webshop"), re.MULTILINE)[0]
    assert sum(one.reward for one in webshop) / 250 == pytest.approx(float(said[0]))
    assert sum(one.success for one in webshop) / 250 == pytest.approx(float(said[1]))
    scores = [float(one) for one in re.findall(r"Your score \(min 0.0, max 1.0\): (\S+)", text_of("webshop"))]
    scored = [one.reward for one in webshop if one.final_observation and "Your score" in one.final_observation]
    assert scored == pytest.approx(scores)
    reflexion = imported("reflexion")
    assert sum(one.success for one in reflexion) == text_of("reflexion").count("Answer is CORRECT\n")
    # A halted section also holds episodes that answered in their last step.
    assert sum(one.stop_reason == "budget" for one in reflexion) == 13 + 12 + 12 + 11 + 12
    assert [sum(one.metadata["trial"] == trial for one in reflexion) for trial in range(1, 6)] == [
        103,
        103,
        102,
        102,
        102,
    ]
