"""What ``spanwise compare`` compares with what, and what it refuses."""

import json
import shutil

import pytest

from spanwise.errors import RunDirectoryError
from spanwise.evaluation.comparison import compare
from spanwise.evaluation.metrics import dump_records, read_records
from spanwise.report.paired_runs import compare_runs, comparison_json, comparison_table


@pytest.fixture
def write(tmp_path, make_record):
    """Writes an evaluation: a success or failure for each letter of a word."""

    def write(place, word, budget=12, **fields):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        records = [make_record(f"t{index}", success=one == "w", **fields) for index, one in enumerate(word)]
        (folder / "episodes.jsonl").write_text(dump_records(records))
        conditions = {"environment": {"budget": budget, "workers": 2}, "evaluate": {"split": "seen"}, "seed": 0}
        (folder / "results.json").write_text(json.dumps({"provenance": conditions}))
        return folder

    return write


def test_two_evaluations_are_compared_as_in_a_report(write):
    first, second = write("a", "wwwwwwl"), write("b", "wlwllll")
    (found,) = compare_runs(first, second).pairs
    expected = compare(read_records(first / "episodes.jsonl"), read_records(second / "episodes.jsonl"))
    assert found.difference == expected.difference
    assert (found.p_value, found.detectable) == (expected.test.p_value, expected.detectable)
    assert (found.episodes, found.seeds, found.first) == (7, 1, pytest.approx(6 / 7))


def test_runs_are_compared_agent_by_agent_and_what_one_lacks_is_said(write, tmp_path):
    for place, word in (("a/evaluation/sad", "ww"), ("a/evaluation/sft", "wl"), ("b/evaluation/sad", "lw")):
        write(place, word)
    found = compare_runs(tmp_path / "a", tmp_path / "b")
    assert [one.name for one in found.pairs] == ["sad"]
    assert found.remarks == (f"only {tmp_path / 'a'} has sft",)


def test_methods_of_a_suite_are_compared_seed_by_seed_and_over_seeds(write, tmp_path):
    for seed, (ours, theirs) in enumerate((("wwww", "lwlw"), ("wwwl", "wwll"))):
        write(f"a/{seed}/evaluation/seen", ours)
        write(f"b/{seed}/evaluation/seen", theirs)
    pairs = compare_runs(tmp_path / "a", tmp_path / "b").pairs
    assert [(one.name, one.seeds) for one in pairs] == [("0/seen", 1), ("1/seen", 1), ("*/seen", 2)]
    assert pairs[2].difference.value == pytest.approx((pairs[0].difference.value + pairs[1].difference.value) / 2)


def test_rewards_are_compared_where_they_say_more(write):
    first, second = write("a", "wlww", reward=0.5), write("b", "llww", reward=0.25)
    found = compare_runs(first, second)
    assert [one.quantity for one in found.pairs] == ["success", "reward"]
    assert found.pairs[1].difference.value == 0.25


def test_other_tasks_are_refused_and_named(write, tmp_path):
    first, second = write("a", "www"), write("b", "wwwl")
    with pytest.raises(RunDirectoryError, match=r"different episodes: 3 in common; 1 in .*b alone, .*'t3' with seed 0"):
        compare_runs(first, second)
    with pytest.raises(RunDirectoryError, match=r"no results.json in it or below"):
        compare_runs(tmp_path / "nowhere", second)


def test_nothing_in_common_names_what_there_is(write, tmp_path):
    write("a/evaluation/sad", "ww")
    write("b/evaluation/sft", "ww")
    with pytest.raises(RunDirectoryError, match=r"no evaluation of the same name: the first has sad, the second sft"):
        compare_runs(tmp_path / "a", tmp_path / "b")


def test_conditions_that_differ_are_said(write):
    found = compare_runs(write("a", "ww"), write("b", "ww", budget=30))
    assert found.remarks == ("evaluation: environment.budget is 12 in the first and 30 in the second",)


def test_table_and_json_say_the_same(write, tmp_path):
    first = write("a", "wwlw")
    second = shutil.copytree(first, tmp_path / "b")
    found = compare_runs(first, second, 0.9)
    said = comparison_json(first, second, found, 0.9)
    assert json.loads(json.dumps(said, allow_nan=False))["comparisons"][0]["difference"]["value"] == 0
    assert comparison_table(first, second, found, 0.9).row_count == 1
