"""The report of a suite says what its cells did, leaves out what is not there, and fetches nothing."""

import json
import re
import shutil
from dataclasses import replace

import pytest
from tests.unit.report.html_page import Page
from tests.unit.report.suite_case import fabricate_cells, fabricate_suite

from spanwise.errors import RunDirectoryError
from spanwise.evaluation.metrics import read_records
from spanwise.report.suite_files import read_suite_files
from spanwise.report.suite_page import suite_results_table, write_suite_report
from spanwise.report.suite_tables import differences, main_table
from spanwise.suite.config import cell_folder


@pytest.fixture(scope="module")
def suite():
    return fabricate_suite()


@pytest.fixture(scope="module")
def finished(tmp_path_factory, suite):
    """A finished suite with its report; not to be changed."""
    run = tmp_path_factory.mktemp("suites") / "toys"
    fabricate_cells(run, suite)
    write_suite_report(run, suite)
    return run


def _page(run):
    return Page((run / "report.html").read_text(encoding="utf-8"))


def _won(run, suite, method, split="valid_seen"):
    cells = [cell for cell in suite.cells if (cell.method, cell.size, cell.data) == (method, "small", "all")]
    folders = [cell_folder(run, cell) / "evaluation" / split for cell in cells]
    return [record.success for folder in folders for record in read_records(folder / "episodes.jsonl")]


def test_the_page_is_well_formed_and_has_every_part(finished):
    page = _page(finished)
    assert page.open == []
    titles = re.findall(r"<h2>([^<]+)</h2>", (finished / "report.html").read_text(encoding="utf-8"))
    assert titles == [
        "Results",
        "What differs from token_kd",
        "Size and data",
        "Success and thinking",
        "Learning",
        "Thoughts and commands",
        "Types of task",
        "How episodes ended",
        "Side by side",
        "What produced this",
    ]
    for table in page.tables[:9]:
        assert len({len(row) for row in table}) == 1


def test_nothing_is_fetched_and_nothing_runs(finished):
    html = (finished / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//\w|url\((?!#)|@import|javascript:|#0103|#0102|xmlns", html)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(_page(finished).tags)
    assert html.count("<svg") == 5


def test_the_main_table_has_the_means_over_all_trained_models(finished, suite):
    rows = {row[0][0].strip(): row for row in _page(finished).tables[0][1:]}
    assert list(rows) == ["expert", "teacher", "token_kd", "sad", "sft"]
    for method in suite.methods:
        won = _won(finished, suite, method)
        assert len(won) == 16
        assert rows[method][1][0].strip() == "2"
        assert rows[method][2][1] == pytest.approx(sum(won) / len(won))
    assert rows["sad"][-2][0].strip() == "300"
    assert rows["sad"][-1][0].strip() == "4.0×"


def test_differences_are_those_of_the_same_games_and_adjusted_for_their_number(finished, suite):
    files = read_suite_files(finished, suite)
    found = {one.method: one for one in differences(files, "valid_seen")}
    assert list(found) == ["sad", "sft"]
    for method, one in found.items():
        ours, theirs = (_won(finished, suite, name) for name in (method, "token_kd"))
        assert one.found.difference.value == pytest.approx(sum(ours) / 16 - sum(theirs) / 16)
        assert one.seeds == 2
        assert 1 >= one.adjusted >= one.found.p_value
    p_values = sorted(one.found.p_value for one in found.values())
    assert min(one.adjusted for one in found.values()) == pytest.approx(min(1.0, 2 * p_values[0]))


def test_the_same_games_with_constrained_commands_are_a_column(finished, suite):
    free = suite.splits["valid_seen"]
    again = free.model_copy(update={"evaluate": free.evaluate.model_copy(update={"constrained": True})})
    both = suite.model_copy(update={"splits": {"valid_seen": free, "listed": again}})
    files = read_suite_files(finished, suite)
    others = {"valid_seen": files.others["valid_seen"], "listed": {"teacher": files.others["valid_unseen"]["teacher"]}}
    students = tuple(
        replace(one, evaluations={**one.evaluations, "listed": one.evaluations["valid_unseen"]})
        for one in files.students
    )
    table = main_table(replace(files, suite=both, others=others, students=students), "valid_seen")
    at = [column.heading for column in table.columns].index("success, constrained")
    found = {row[0].text: row[at].estimate for row in table.rows}
    values = {name: None if one is None else one.value for name, one in found.items()}
    won = _won(finished, suite, "sad", "valid_unseen")
    assert values["sad"] == pytest.approx(sum(won) / len(won))
    assert values["teacher"] == files.others["valid_unseen"]["teacher"].results["success_rate"]["value"]
    assert values["expert"] is None, "it has not played them"
    assert "success, constrained" not in [column.heading for column in main_table(files, "valid_seen").columns]


def test_the_markdown_holds_the_same_numbers(finished, suite):
    markdown = (finished / "report.md").read_text(encoding="utf-8")
    won = _won(finished, suite, "sad")
    assert re.search(rf"^\| sad \| 2 \| {100 * sum(won) / len(won):.1f}% \(", markdown, re.MULTILINE)
    assert "```json" in markdown


def test_the_same_files_give_the_same_bytes(finished, suite, tmp_path):
    again = shutil.copytree(finished, tmp_path / "again")
    write_suite_report(again, suite)
    for name in ("report.html", "report.md"):
        assert (again / name).read_bytes() == (finished / name).read_bytes()


def test_what_there_is_one_of_is_left_out(finished, suite, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    for path in run.glob("cells/*/*/*"):
        if path.relative_to(run / "cells").as_posix() != "sad/small/0":
            shutil.rmtree(path)
    (run / "cells/sad/small/0/fidelity/fidelity.jsonl").unlink()
    write_suite_report(run, suite)
    page = _page(run)
    assert "Of 14 cells: 1 done, 13 left" in page.text.replace("\n", " ")
    titles = re.findall(r"<h2>([^<]+)</h2>", (run / "report.html").read_text(encoding="utf-8"))
    assert not {"What differs from token_kd", "Size and data", "Thoughts and commands"} & set(titles)
    assert {"Results", "Learning", "Types of task"} <= set(titles)


def test_nothing_done_is_a_report_too(tmp_path, suite):
    write_suite_report(tmp_path, suite)
    text = _page(tmp_path).text
    assert "14 left" in text
    assert "teacher has not played valid_seen" in text
    suite_results_table(tmp_path, suite)


def test_a_damaged_file_is_named(finished, suite, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "cells/sad/small/1/evaluation/valid_seen/results.json").write_text("{")
    with pytest.raises(RunDirectoryError, match=r"sad/small/1/evaluation/valid_seen/results\.json: cannot be read"):
        write_suite_report(run, suite)


def test_names_are_shown_and_not_obeyed(finished, suite, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    write_suite_report(run, suite.model_copy(update={"name": "<script>alert(1)</script>"}))
    assert "script" not in _page(run).tags
    assert "<script>" not in re.sub(r"\\<", "", (run / "report.md").read_text().split("```json")[0])


def test_the_suite_in_the_page_is_the_one_that_was_asked_for(finished, suite):
    markdown = (finished / "report.md").read_text(encoding="utf-8")
    assert json.loads(markdown.split("```json")[1].split("```")[0]) == suite.model_dump(mode="json")
