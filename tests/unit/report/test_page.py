"""The report says what the files say, all of it, and nothing that is in them is executed or fetched."""

import io
import json
import re
import shutil
from dataclasses import replace

import pytest
from rich.console import Console
from tests.unit.report.html_page import Page

from spanwise.config import Recipe
from spanwise.errors import RunDirectoryError, TraceError
from spanwise.evaluation.metrics import METRICS, dump_records, read_records
from spanwise.report.page import results_table, write_report
from spanwise.traces.jsonl import read_trajectories, write_trajectories
from spanwise.types import Span, SpanKind


@pytest.fixture
def run(tmp_path, finished_run):
    """A finished run that a test may change."""
    return shutil.copytree(finished_run, tmp_path / "run")


@pytest.fixture(scope="module")
def reported(tmp_path_factory, finished_run, recipe):
    """A finished run with its report; not to be changed."""
    run = shutil.copytree(finished_run, tmp_path_factory.mktemp("reported") / "run")
    write_report(run, recipe)
    return run


def _page(run):
    return Page((run / "report.html").read_text(encoding="utf-8"))


def _results(run, agent):
    return json.loads((run / "evaluation" / agent / "results.json").read_text())


def _without_evaluation(run, agent):
    shutil.rmtree(run / "evaluation" / agent)


def test_the_page_is_well_formed_and_its_tables_are_rectangular(reported):
    page = _page(reported)
    assert page.open == []
    for table in page.tables[:4]:
        assert len({len(row) for row in table}) == 1


def test_every_number_of_the_headline_table_is_that_of_results_json(reported):
    headline = _page(reported).tables[0]
    assert [row[0][0].split()[0] for row in headline[1:]] == ["expert", "teacher", "sft", "token_kd", "sad"]
    for row in headline[1:]:
        results = _results(reported, row[0][0].split()[0])
        assert int(row[1][0]) == results["n"]
        for name, (_, value) in zip(METRICS, row[2:], strict=False):
            assert value == results[name]["value"], name


def test_what_is_printed_is_the_rounded_value_with_its_interval(reported):
    row = next(row for row in _page(reported).tables[0] if "sft" in row[0][0])
    rate, steps = _results(reported, "sft")["success_rate"], _results(reported, "sft")["steps"]
    assert row[2][0].split() == [f"{100 * rate['value']:.1f}%", f"{100 * rate['low']:.1f}–{100 * rate['high']:.1f}"]
    assert row[4][0].split() == [f"{steps['value']:.1f}", f"{steps['low']:.1f}–{steps['high']:.1f}"]


def test_parameters_and_compression_come_from_the_models(reported):
    rows = {row[0][0].split()[0]: [cell[0].strip() for cell in row] for row in _page(reported).tables[0]}
    assert rows["teacher"][-3:-1] == ["2k", "1.0×"]
    assert rows["sad"][-3:-1] == ["300", "6.7×"]
    assert rows["expert"][-3:] == ["—", "—", "—"]


def test_sad_is_compared_with_each_other_student_and_every_student_with_the_teacher(reported):
    compared = [row[0][0].strip() for row in _page(reported).tables[1][1:]]
    assert compared == ["sad − sft", "sad − token_kd", "sft − teacher", "token_kd − teacher", "sad − teacher"]
    difference = _page(reported).tables[1][1][2][1]
    rates = [_results(reported, name)["success_rate"]["value"] for name in ("sad", "sft")]
    assert difference == pytest.approx(rates[0] - rates[1])


def test_success_by_type_is_that_of_results_json(reported):
    _, *rows = _page(reported).tables[2]
    assert [row[0][0].strip() for row in rows] == ["carry", "wash"]
    for row in rows:
        expected = _results(reported, "sad")["by_task_type"][row[0][0].strip()]
        assert row[-1][1] == expected["success_rate"]["value"]
        assert int(row[1][0]) == expected["n"]


def test_nothing_is_fetched_and_nothing_runs(reported):
    html = (reported / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//\w|url\((?!#)|@import|javascript:", html)
    page = _page(reported)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    for _, name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "href") or value.startswith("#")


def test_the_same_files_give_the_same_bytes(reported, recipe, tmp_path):
    again = shutil.copytree(reported, tmp_path / "again")
    write_report(again, recipe)
    for name in ("report.html", "report.md"):
        text = (again / name).read_text(encoding="utf-8")
        assert text == (reported / name).read_text(encoding="utf-8")


def test_curves_are_drawn_for_every_learner(reported):
    html = (reported / "report.html").read_text(encoding="utf-8")
    drawing = html[html.index("<svg") : html.index("</svg>")]
    for name in ("teacher", "sft", "token_kd", "sad"):
        assert f">{name}</text>" in drawing
    assert "REASON: KL from the teacher" in drawing
    assert "#0103" not in drawing, "a placeholder colour was left"
    assert "xmlns" not in drawing


def test_hostile_text_is_shown_and_not_obeyed(run, recipe):
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}\x1b[2J"
    for agent in ("teacher", "sft", "token_kd", "sad"):
        path = run / "evaluation" / agent / "trajectories.jsonl"
        trajectories = [
            replace(
                trajectory,
                task=attack,
                steps=tuple(
                    replace(
                        step,
                        observation=attack,
                        completion=attack,
                        spans=(Span(SpanKind.REASON, 0, len(attack)),),
                    )
                    for step in trajectory.steps
                ),
            )
            for trajectory in read_trajectories(path)
        ]
        write_trajectories(path, trajectories)
    hostile = recipe.model_copy(update={"name": attack})
    write_report(run, hostile)
    page = _page(run)
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "\x1b" not in page.text
    markdown = (run / "report.md").read_text(encoding="utf-8")
    assert "<script>" not in re.sub(r"\\<", "", markdown.split("```json")[0])


def test_what_is_missing_is_named(run, recipe):
    _without_evaluation(run, "token_kd")
    (run / "students" / "sad" / "metrics.jsonl").unlink()
    (run / "manifest.json").unlink()
    write_report(run, recipe)
    for text in (_page(run).text, (run / "report.md").read_text(encoding="utf-8")):
        assert "evaluation/token_kd/results.json: token_kd has not been evaluated" in text
        assert "students/sad/metrics.jsonl: no training log of sad" in text
        assert "manifest.json: nothing says what produced this run" in text
    assert [row[0][0].strip() for row in _page(run).tables[1][1:]] == ["sad − sft", "sft − teacher", "sad − teacher"]


def test_nothing_evaluated_is_a_report_too(tmp_path, recipe):
    write_report(tmp_path, recipe)
    text = _page(tmp_path).text
    for name in ("expert", "teacher", "sft", "token_kd", "sad"):
        assert f"evaluation/{name}/results.json" in text


def test_without_a_teacher_there_is_no_compression(run, recipe):
    _without_evaluation(run, "teacher")
    write_report(run, recipe)
    assert {row[-2][0].strip() for row in _page(run).tables[0][1:]} == {"—"}


def test_agents_that_played_other_episodes_are_not_compared_as_if_they_had_not(run, recipe):
    path = run / "evaluation" / "sft" / "episodes.jsonl"
    records = [replace(record, seed=record.seed + 1) for record in read_records(path)]
    path.write_text(dump_records(records), encoding="utf-8")
    trajectories = run / "evaluation" / "sft" / "trajectories.jsonl"
    moved = [replace(trajectory, seed=trajectory.seed + 1) for trajectory in read_trajectories(trajectories)]
    write_trajectories(trajectories, moved)
    write_report(run, recipe)
    page = _page(run)
    assert "did not all play the same episodes" in page.text
    compared = {row[0][0].strip(): [cell[0].strip() for cell in row[1:]] for row in page.tables[1][1:]}
    assert compared["sad − sft"] == ["0", *["—"] * 5]
    assert compared["sad − token_kd"][0] == "12"


def test_the_markdown_holds_the_same_table(reported):
    markdown = (reported / "report.md").read_text(encoding="utf-8")
    rate = _results(reported, "sft")["success_rate"]
    cell = f"{100 * rate['value']:.1f}% ({100 * rate['low']:.1f}–{100 * rate['high']:.1f})"
    assert re.search(rf"^\| sft \(student\) \| 12 \| {re.escape(cell)} \|", markdown, re.MULTILINE)


def test_the_terminal_gets_the_headline_table(reported, recipe):
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(results_table(reported, recipe))
    text = console.export_text()
    assert "12 episodes of valid_seen" in text
    assert re.search(r"sad +\d+\.\d% .* 300 +6\.7×", text)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("evaluation/sad/results.json", "{", r"sad/results\.json: cannot be read as JSON"),
        ("evaluation/sad/results.json", "{}", r"sad/results\.json: not results of an evaluation; no n, success_rate"),
        ("students/sad/metrics.jsonl", '{"step": 1}\n{"st', r"sad/metrics\.jsonl:2: not JSON"),
        ("manifest.json", "[]", r"manifest\.json: expected a JSON object, found list"),
    ],
)
def test_a_damaged_file_is_named_and_no_report_written(run, recipe, path, text, message):
    (run / path).write_text(text)
    with pytest.raises(RunDirectoryError, match=message):
        write_report(run, recipe)
    assert not (run / "report.html").exists()
    assert not (run / "report.md").exists()


def test_records_without_their_trajectories_are_an_error(run, recipe):
    write_trajectories(run / "evaluation" / "sft" / "trajectories.jsonl", [])
    with pytest.raises(TraceError, match=r"sft/trajectories\.jsonl: lacks the episode of task"):
        write_report(run, recipe)


def test_a_missing_directory_is_an_error(tmp_path):
    with pytest.raises(RunDirectoryError, match="no such run directory"):
        write_report(tmp_path / "none", Recipe(name="x"))
