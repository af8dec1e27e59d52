"""What must hold of summaries, whatever the episodes."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from spanwise.evaluation.metrics import METRICS, EpisodeRecord, dump_records, read_records, summarise


@st.composite
def records(draw):
    turns = draw(st.integers(0, 30))
    parse_failures = draw(st.integers(0, turns))
    steps = draw(st.integers(0, turns - parse_failures))
    success = draw(st.booleans())
    reasoning, action = draw(st.integers(0, 900)), draw(st.integers(0, 900))
    known = draw(st.sampled_from([True, True, True, False]))
    return EpisodeRecord(
        id=draw(st.text(max_size=5)),
        task_id=draw(st.sampled_from("abcdefgh")),
        task_type=draw(st.sampled_from(["carry", "wash"])),
        seed=draw(st.integers(0, 3)),
        success=success,
        reward=float(success),
        steps=steps,
        turns=turns,
        tokens=reasoning + action if known else None,
        reasoning_tokens=reasoning if known else None,
        action_tokens=action if known else None,
        parse_failures=parse_failures,
        invalid_actions=draw(st.integers(0, steps)),
        seconds=draw(st.none() | st.floats(0, 100)),
        stop_reason="success" if success else "budget",
    )


samples = st.lists(records(), min_size=1, max_size=12, unique_by=lambda record: (record.task_id, record.seed))


@settings(max_examples=40)
@given(samples, st.randoms())
def test_a_summary_is_a_function_of_the_set_of_records_and_survives_their_file(sample, random):
    summary = summarise(sample)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "episodes.jsonl"
        random.shuffle(sample)
        path.write_text(dump_records(sample), encoding="utf-8")
        assert summarise(read_records(path)) == summary


@settings(max_examples=40)
@given(samples)
def test_a_metric_is_known_with_a_reason_or_not_and_lies_in_its_interval(sample):
    summary = summarise(sample)
    assert sum(part["n"] for part in summary["by_task_type"].values()) == summary["n"] == len(sample)
    assert sum(summary["stop_reasons"].values()) == len(sample)
    for name in METRICS:
        found = summary[name]
        assert (found["value"] is None) == (name in summary["unknown"])
        if found["low"] is not None:
            assert found["low"] <= found["value"] <= found["high"]
