from dataclasses import asdict, replace

import pytest

from spanwise.errors import TraceError
from spanwise.evaluation.fidelity import (
    STEP_METRICS,
    StepRecord,
    dump_steps,
    judge_completion,
    read_steps,
    summarise_steps,
)

REFERENCE = "Thought: The key may be in box 2.\nAction: go to box 2"


def judge(completion, reference=REFERENCE, style="react"):
    return judge_completion(completion, reference, style, lambda text, cut: len(text))


def make_record(task="a", step=0, **fields):
    values = {
        **{"id": task, "task_id": task, "step": step, "reason_nats": 2.0, "reason_tokens": 4, "reason_characters": 20},
        **{"act_nats": 1.0, "act_tokens": 2, "act_characters": 10, "reason_kl": None, "act_kl": None},
        **{"completion": "", "action": "go", "reference_action": "go", "action_match": True, "name_match": True},
        **{"argument_match": True, "argument_f1": 1.0, "parsed": True, "rouge_l": 0.5, "thought_f1": 0.5},
        **{"thought_tokens": 3, "reference_thought_tokens": 4, "stopped": True, "styled": True},
    }
    return StepRecord(**(values | fields))


def test_a_completion_is_compared_part_by_part() -> None:
    found = judge("Thought: The key is in box 3.\nAction: go to box 3")
    # the key (may be|is) in box (2|3): 4 words of 6 and 7 in common
    assert found["rouge_l"] == found["thought_f1"] == pytest.approx(8 / 13)
    assert (found["action_match"], found["name_match"], found["argument_match"]) == (False, True, False)
    assert found["argument_f1"] == 0.5
    assert (found["action"], found["reference_action"]) == ("go to box 3", "go to box 2")
    assert found["parsed"] is True


def test_the_words_of_the_style_are_no_thought() -> None:
    found = judge("Thought: Nothing in common\nAction: look", "Thought: wholly other words\nAction: look")
    assert found["rouge_l"] == found["thought_f1"] == 0.0
    assert judge("Action: look", REFERENCE)["rouge_l"] == 0.0
    # However many there are in one span.
    first, second = "> think: a b\n> ActionPath: c\n> think: d\n> look", "> think: x\n> ActionPath: y\n> look"
    assert judge(first, second, "think")["thought_f1"] == 0.0
    assert judge("<think>\na b\n</think>\n<action>look</action>", "<think>c</think>look", "tags")["thought_f1"] == 0.0


def test_a_completion_without_a_command_is_a_parse_failure() -> None:
    found = judge("Thought: The key may be in box 2.")
    assert (found["parsed"], found["action"], found["action_match"], found["argument_f1"]) == (False, None, False, 0.0)
    assert found["rouge_l"] == 1.0


def test_what_was_not_written_is_not_judged() -> None:
    found = judge("Thought: Hm.\nAction: look", "Action: look")
    assert found["rouge_l"] is found["thought_f1"] is found["thought_tokens"] is None
    assert found["action_match"] is True
    found = judge("Thought: Hm.\nAction: look", "Thought: Hm.")
    assert found["action_match"] is found["parsed"] is found["argument_f1"] is None
    assert found["rouge_l"] == 1.0


def test_the_choice_to_think_is_a_command_and_the_thought_is_none() -> None:
    found = judge("> think: I look in box 3.", "> think: The key may be in box 2.", "think")
    assert found["action_match"] is True
    assert 0 < found["rouge_l"] < 1
    assert judge("> go to box 2", "> think: The key may be in box 2.", "think")["action_match"] is False


def test_numbers_are_ratios_of_sums_over_the_steps_that_count() -> None:
    records = [
        make_record("a", 0, reason_kl=1.0, act_kl=0.5),
        make_record("a", 1, action_match=False, reason_nats=6.0, reason_tokens=12, reason_kl=0.0, act_kl=0.5),
        make_record("b", 0, rouge_l=None, thought_f1=None, thought_tokens=None, reference_thought_tokens=None),
        make_record("c", 0, action_match=None, parsed=None, reference_action=None, stopped=False, styled=False),
    ]
    records[2] = replace(records[2], reason_tokens=0, reason_nats=0.0, reason_characters=0)
    found = summarise_steps(records)
    assert (found["trajectories"], found["tasks"], found["steps"]) == (3, 3, 4)
    metrics = found["metrics"]
    assert set(metrics) == set(STEP_METRICS)
    assert (metrics["action_match"]["value"], metrics["action_match"]["n"]) == (pytest.approx(2 / 3), 3)
    assert metrics["action_match"]["tasks"] == 2
    assert metrics["reason_nll"]["value"] == pytest.approx((2 + 6 + 2) / (4 + 12 + 4))
    assert metrics["reason_nll"]["n"] == 3
    assert metrics["reason_nll_per_character"]["value"] == pytest.approx(10 / 60)
    assert metrics["act_nll_per_character"]["value"] == pytest.approx(0.1)
    assert metrics["reason_kl"] == {**metrics["reason_kl"], "value": pytest.approx(1 / 16), "n": 2, "tasks": 1}
    assert metrics["stopped"]["value"] == pytest.approx(0.75)
    assert metrics["parse_failure_rate"]["value"] == 0.0
    assert metrics["thought_length_ratio"]["value"] == pytest.approx(9 / 12)
    assert found["left_out"] == {"no_written_thought": 1, "no_written_command": 1, "cut_otherwise": 1}
    for one in metrics.values():
        assert one["low"] is None or one["low"] <= one["value"] <= one["high"]


def test_what_no_step_has_is_unknown() -> None:
    assert summarise_steps([make_record()])["metrics"]["act_kl"] == {
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
        "tasks": 0,
    }
    with pytest.raises(ValueError, match="no step"):
        summarise_steps([])


def test_records_survive_their_file_and_an_unfinished_line(tmp_path) -> None:
    records = [make_record("ä", 0), make_record("b", 1, argument_f1=1 / 3)]
    path = tmp_path / "fidelity.jsonl"
    path.write_text(dump_steps(records) + '{"id": "c", "ta', encoding="utf-8")
    assert read_steps(path) == records
    assert summarise_steps(read_steps(path)) == summarise_steps(records[::-1])
    path.write_text('{"id": 1}\n')
    with pytest.raises(TraceError, match=r"fidelity.jsonl:1: not a step's record; missing fields: act_characters"):
        read_steps(path)
    path.write_text("{\n")
    with pytest.raises(TraceError, match=r"fidelity.jsonl:1: not JSON"):
        read_steps(path)
    assert set(asdict(records[0])) >= {"completion", "reference_action"}
