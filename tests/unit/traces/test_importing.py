import json

import pytest
from typer.testing import CliRunner

from spanwise.cli import app
from spanwise.errors import TraceError
from spanwise.traces.importing import ImportOptions, ImportSummary, import_traces
from spanwise.traces.jsonl import read_trajectories
from spanwise.traces.outcomes import read_outcome


def record(question, answer="a", steps=1, **fields):
    searches = "".join(f"Thought {n}: t\nAction {n}: Search[s]\nObservation {n}: o\n" for n in range(1, steps))
    text = f"Question: {question}\n{searches}Thought {steps}: t\nAction {steps}: Finish[{answer}]\n"
    return {"text": text, **fields}


def write(tmp_path, records, name="log.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def imported(path, **options):
    summary = ImportSummary()
    return [one.task for one in import_traces([path], ImportOptions(**options), summary)], summary


def test_filters_count_what_they_leave_out(tmp_path):
    path = write(
        tmp_path,
        [
            record("won", success=True),
            record("lost", success=False),
            record("half", reward=0.5),
            record("silent"),
            record("long", steps=5, success=True),
            record("won", success=True),
        ],
    )
    assert imported(path)[0] == ["won", "lost", "half", "silent", "long", "won"]
    kept, summary = imported(path, only_successful=True, max_steps=4, deduplicate=True)
    assert kept == ["won"]
    assert dict(summary.dropped) == {
        "not won": 2,
        "outcome unknown": 1,
        "more than 4 steps": 1,
        "equal to an earlier one": 1,
    }
    assert summary.examples["outcome unknown"] == ["log.jsonl:4"]
    assert imported(path, min_reward=0.5)[0] == ["won", "half", "long", "won"]
    assert imported(path, min_steps=2)[0] == ["long"]
    assert imported(path, max_characters=100)[0] == ["won", "lost", "half", "silent", "won"]


def test_records_that_cannot_be_read_are_counted_with_reasons(tmp_path):
    path = write(
        tmp_path,
        [record("a"), {"number": 1}, {"text": "nothing in it"}, {"messages": [{"role": "user", "content": "q"}]}],
    )
    path.write_text(path.read_text() + "{broken\n")
    kept, summary = imported(path)
    assert kept == ["a"]
    assert sum(summary.failures.values()) == 4
    assert set(summary.failures) == {
        "holds no trajectory under any known key",
        "is of no known format",
        "looks like messages, but no agent speaks in it",
        "not JSON",
    }
    assert (summary.records, summary.episodes, summary.kept) == (5, 1, 1)


def test_the_same_task_has_the_same_id_and_other_tasks_others(tmp_path):
    path = write(tmp_path, [record("a", "x"), record("a", "y"), record("b", "x"), record("c", task_id="game 7")])
    trajectories = list(import_traces([path], ImportOptions(), ImportSummary()))
    ids = [one.task_id for one in trajectories]
    assert ids[0] == ids[1] != ids[2]
    assert ids[3] == "game 7"
    assert [one.id for one in trajectories] == ["log-1", "log-2", "log-3", "log-4"]


def test_a_format_that_does_not_exist_names_those_that_do(tmp_path):
    with pytest.raises(TraceError, match="unknown format 'reakt'; there are: reflexion, "):
        imported(write(tmp_path, [record("a")]), format="reakt")


def test_a_format_that_was_asked_for_must_fit(tmp_path):
    kept, summary = imported(write(tmp_path, [record("a")]), format="webshop")
    assert kept == []
    assert dict(summary.failures) == {"does not look like webshop": 1}


@pytest.mark.parametrize(
    ("fields", "last", "expected"),
    [
        ({}, None, (None, None)),
        ({"success": True}, None, (True, 1.0)),
        ({"result": "fail"}, None, (False, 0.0)),
        ({"reward": 0.5}, None, (False, 0.5)),
        ({"reward": 1}, None, (True, 1.0)),
        ({"reward": True, "f1": 0.5}, None, (True, 1.0)),
        ({"em": False}, None, (False, 0.0)),
        ({"win": False}, None, (False, 0.0)),
        ({"test_result": {"report": {"resolved": True}}}, None, (True, 1.0)),
        ({"score": 87.5}, None, (None, 87.5)),
        ({"correct": "Richard Nixon"}, "Answer is CORRECT", (True, 1.0)),
        ({"info": {"resolved": False}}, None, (False, 0.0)),
        ({"output": {"result": {"reward": 1.0}}}, None, (True, 1.0)),
        ({}, "Episode finished, reward = True", (True, 1.0)),
        ({}, "Episode finished, reward = 0", (False, 0.0)),
        ({}, "Your score (min 0.0, max 1.0): 0.75", (False, 0.75)),
        ({}, "Answer is INCORRECT", (False, 0.0)),
        ({}, "You have won nothing", (None, None)),
    ],
)
def test_outcomes(fields, last, expected):
    assert read_outcome(fields, last) == expected


def test_the_verb_writes_a_file_that_export_and_import_carry_on(tmp_path):
    log = write(tmp_path, [record(f"q{number}", success=bool(number % 2), steps=2) for number in range(20)])
    out = tmp_path / "data.jsonl"
    told = CliRunner().invoke(app, ["import", str(log), "--out", str(out), "--held-out", "0.3", "--json", "-"])
    assert told.exit_code == 0, told.output
    summary = json.loads(told.stdout)
    assert (summary["kept"], summary["outcomes"]) == (20, {"success": 10, "failed": 10})
    learnt, apart = list(read_trajectories(out)), list(read_trajectories(tmp_path / "data.held_out.jsonl"))
    assert len(learnt) + len(apart) == 20
    assert 0 < len(apart) < 20
    assert not {one.task_id for one in learnt} & {one.task_id for one in apart}
    for shape in ("messages", "sharegpt", "react"):
        exported, again = tmp_path / f"{shape}.jsonl", tmp_path / f"{shape}.again.jsonl"
        assert CliRunner().invoke(app, ["export", str(out), "--to", shape, "--out", str(exported)]).exit_code == 0
        assert CliRunner().invoke(app, ["import", str(exported), "--out", str(again)]).exit_code == 0
        for one, other in zip(learnt, read_trajectories(again), strict=True):
            assert (other.task_id, other.success, other.reward) == (one.task_id, one.success, one.reward)
            assert [step.action for step in other.steps] == [step.action for step in one.steps]
            assert [step.spans for step in other.steps] == [step.spans for step in one.steps]


def test_the_verb_leaves_no_file_where_nothing_is_kept(tmp_path):
    log = write(tmp_path, [{"number": 1}])
    out = tmp_path / "data.jsonl"
    with pytest.raises(TraceError, match=r"nothing to keep \(1 holds no trajectory"):
        CliRunner().invoke(app, ["import", str(log), "--out", str(out)], catch_exceptions=False)
    assert not out.exists()
    assert list(tmp_path.iterdir()) == [log]


def test_the_verb_does_not_overwrite_its_log(tmp_path):
    log = write(tmp_path, [record("a")])
    result = CliRunner().invoke(app, ["import", str(log), "--out", str(log)])
    assert "would overwrite" in str(result.exception)


def test_the_verb_says_where_a_summary_cannot_be_written(tmp_path):
    log = write(tmp_path, [record("a")])
    arguments = ["import", str(log), "--out", str(tmp_path / "data.jsonl"), "--json"]
    assert "would overwrite" in str(CliRunner().invoke(app, [*arguments, str(log)]).exception)
    assert "cannot be written" in str(CliRunner().invoke(app, [*arguments, str(log / "summary.json")]).exception)
