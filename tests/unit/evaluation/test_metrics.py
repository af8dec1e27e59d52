"""What is counted of an episode, and what the counts add up to."""

import json
from dataclasses import asdict, replace

import pytest

from spanwise.errors import TraceError
from spanwise.evaluation.metrics import (
    METRICS,
    completed,
    dump_records,
    read_records,
    record_episode,
    summarise,
)
from spanwise.evaluation.statistics import proportion
from spanwise.traces.segment import segment
from spanwise.types import Step, Trajectory


def _step(completion, valid=True, token_ids=None):
    cut = segment(completion, "react")
    reaches_environment = cut.action is not None and not cut.think_only
    return Step("o", completion, cut.action, cut.spans, token_ids, valid=valid if reaches_environment else None)


def _trajectory(*steps, **fields):
    values = {
        "id": "t",
        "task_id": "a",
        "environment": "toy",
        "agent": "expert",
        "seed": 5,
        "task": "do it",
        "reward": 1.0,
        "success": True,
        "stop_reason": "success",
        "metadata": {"task_type": "carry", "agent_seconds": 2.5, "environment_seconds": 9.0},
    }
    return Trajectory(steps=steps, **(values | fields))


def test_thoughts_failures_and_refusals_are_counted_apart():
    record = record_episode(
        _trajectory(
            _step("Thought: plan\nAction: think: first the desk"),
            _step("I would rather not"),
            _step("Thought: go\nAction: go to desk 1"),
            _step("Thought: fly\nAction: fly", valid=False),
        )
    )
    assert (record.turns, record.steps, record.parse_failures, record.invalid_actions) == (4, 2, 1, 1)
    assert (record.task_type, record.seconds) == ("carry", 2.5)


def test_without_a_tokenizer_words_are_not_counted_as_tokens():
    record = record_episode(_trajectory(_step("Thought: go\nAction: go to desk 1")))
    assert (record.tokens, record.reasoning_tokens, record.action_tokens) == (None, None, None)
    summary = summarise([record])
    assert summary["reasoning_tokens_per_step"] == {"value": None, "low": None, "high": None}
    reason = "not known of 1 of 1 episodes"
    assert summary["unknown"] == {"reasoning_tokens_per_step": reason, "tokens_per_step": reason}


def test_generated_ids_give_a_total_even_without_a_tokenizer():
    record = record_episode(_trajectory(_step("Action: a", token_ids=(1, 2, 3)), _step("Action: b", token_ids=(4,))))
    assert (record.tokens, record.reasoning_tokens) == (4, None)


def test_an_episode_that_crashed_before_its_first_turn_is_a_record():
    record = record_episode(_trajectory(success=False, reward=0.0, stop_reason="error", metadata={}))
    assert (record.turns, record.steps, record.tokens, record.seconds) == (0, 0, 0, None)


def test_a_reward_outside_of_the_unit_interval_is_an_error():
    with pytest.raises(TraceError, match=r"'t': reward: found 3\.0"):
        record_episode(_trajectory(reward=3.0))


def test_every_metric_is_the_ratio_that_its_name_says(make_record):
    records = [
        make_record("a", steps=10, turns=12, reasoning_tokens=100, parse_failures=2, invalid_actions=1, seconds=3.0),
        make_record("b", success=False, steps=50, turns=50, reasoning_tokens=400, invalid_actions=20, seconds=9.0),
        make_record(
            "c", reward=0.5, steps=20, turns=22, reasoning_tokens=150, parse_failures=1, seconds=4, looped=True
        ),
    ]
    values = {name: summarise(records)[name]["value"] for name in METRICS}
    assert values == {
        "success_rate": pytest.approx(2 / 3),
        "reward": pytest.approx(1.5 / 3),
        "steps": pytest.approx(80 / 3),
        "reasoning_tokens_per_step": pytest.approx(650 / 80),
        "tokens_per_step": pytest.approx(300 / 80),
        "parse_failure_rate": pytest.approx(3 / 84),
        "invalid_action_rate": pytest.approx(21 / 80),
        "loop_rate": pytest.approx(1 / 3),
        "seconds_per_step": pytest.approx(16 / 80),
    }


def test_success_has_wilsons_interval(make_record):
    summary = summarise([make_record(name, success=name != "d") for name in "abcd"])
    assert summary["success_rate"] == asdict(proportion(3, 4))
    assert summary["reward"] == summary["success_rate"]


def test_repeating_a_task_is_not_as_good_as_another_task(make_record):
    others = summarise([make_record(f"t{task}", success=task % 2 == 0) for task in range(40)])["success_rate"]
    repeated = summarise(
        [make_record(f"t{task}", seed, success=task % 2 == 0) for task in range(4) for seed in range(10)]
    )["success_rate"]
    assert repeated["value"] == others["value"]
    assert repeated["high"] - repeated["low"] > 1.5 * (others["high"] - others["low"])


def test_a_crash_is_a_failure_and_reported_apart(make_record):
    crashed = make_record("b", success=False, steps=0, turns=0, stop_reason="error", reasoning_tokens=0, seconds=0.0)
    summary = summarise([make_record("a"), crashed])
    assert summary["success_rate"]["value"] == 0.5
    assert summary["stop_reasons"] == {"error": 1, "success": 1}
    assert summary["reasoning_tokens_per_step"]["value"] == 6


def test_only_crashes_leave_rates_unknown_and_say_why(make_record):
    crashed = make_record(success=False, steps=0, turns=0, stop_reason="error", reasoning_tokens=0, seconds=0.0)
    summary = summarise([crashed])
    assert summary["success_rate"]["value"] == 0
    assert summary["seconds_per_step"]["value"] is None
    assert summary["unknown"]["seconds_per_step"] == "no episode has an action to divide by"


def test_each_type_of_task_has_the_summary_of_its_own_episodes(make_record):
    carry = [make_record(name, success=name == "a") for name in "ab"]
    wash = [make_record(name, task_type="wash", steps=7) for name in "cde"]
    summary = summarise([*carry, *wash])
    assert list(summary["by_task_type"]) == ["carry", "wash"]
    alone = summarise(wash)
    assert summary["by_task_type"]["wash"] == {name: alone[name] for name in ("n", *METRICS)}


def test_the_order_of_the_records_is_irrelevant(make_record):
    records = [make_record(f"t{i}", success=i % 3 > 0, steps=i + 4, invalid_actions=i % 4) for i in range(12)]
    assert summarise(records) == summarise(records[::-1])


def test_lost_episodes_are_counted_by_what_lost_them(make_record):
    lost = [make_record(name, success=False, looped=name < "c") for name in "abc"]
    assert summarise([*lost, make_record("d")])["failures"] == {"budget": 1, "loop": 2}


def test_going_round_in_a_circle_is_seen(make_record):
    around = [_step("Action: go to desk 1"), _step("Action: go to bed 1")]
    assert record_episode(_trajectory(*3 * around)).looped is True
    assert record_episode(_trajectory(*2 * around)).looped is False
    mute = [_step("I wonder")]
    assert record_episode(_trajectory(*3 * mute)).looped is True


def test_records_and_results_from_before_loops_were_looked_for_are_read(make_record, tmp_path):
    record = make_record(success=False)
    line = json.loads(dump_records([record]))
    del line["looped"]
    (tmp_path / "episodes.jsonl").write_text(json.dumps(line) + "\n")
    assert read_records(tmp_path / "episodes.jsonl") == [replace(record, looped=None)]
    now = summarise([make_record("a"), make_record("b")])
    later = ("loop_rate", "tokens_per_step", "failures")
    before = {name: value for name, value in now.items() if name not in later}
    before["by_task_type"] = {"carry": {name: before[name] for name in before if name in METRICS}}
    found = completed(before)
    assert found["loop_rate"] == {"value": None, "low": None, "high": None}
    assert found["by_task_type"]["carry"]["loop_rate"] == found["loop_rate"]
    assert found["failures"] is None
    assert found["unknown"]["tokens_per_step"] == "not measured when this was evaluated"
    assert completed(now) == now


def test_an_episode_counted_twice_is_an_error(make_record):
    with pytest.raises(ValueError, match="'a' was recorded twice with seed 0"):
        summarise([make_record("a"), make_record("b"), make_record("a")])


def test_nothing_to_summarise_is_an_error():
    with pytest.raises(ValueError, match="no episode"):
        summarise([])


def test_records_survive_their_file(make_record, tmp_path):
    records = [make_record("ä\u2028\n"), replace(make_record("b"), seconds=None, tokens=None)]
    path = tmp_path / "episodes.jsonl"
    path.write_text(dump_records(records), encoding="utf-8")
    assert read_records(path) == records


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"task_id": "a"', r"episodes\.jsonl:2: not JSON"),
        ("[]", r"episodes\.jsonl:2: not an episode's record; missing fields: action_tokens, "),
        ('{"colour": 1}', r"unknown fields: colour"),
    ],
)
def test_a_damaged_line_is_named(make_record, tmp_path, line, message):
    path = tmp_path / "episodes.jsonl"
    path.write_text(dump_records([make_record()]) + line + "\n", encoding="utf-8")
    with pytest.raises(TraceError, match=message):
        read_records(path)
