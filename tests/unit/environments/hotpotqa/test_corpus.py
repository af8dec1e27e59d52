import gzip
import json

import pytest
from tests.unit.environments.hotpotqa.conftest import PAGES, question, write_lines

from spanwise.environments.hotpotqa.corpus import page_files, question_files, read_pages, read_questions
from spanwise.environments.hotpotqa.records import Page, Redirect
from spanwise.errors import TaskDataError


def test_pages_and_redirects_come_from_the_corpus(folder):
    pages = list(read_pages(folder))
    assert pages[0] == Page("Milhouse", ("Milhouse is a boy.", " He was named after Richard Nixon."))
    assert pages[2] == Redirect("Nixon", "Richard Nixon")


def test_questions_have_ids_and_types(folder):
    first, second = read_questions(folder / "dev.jsonl", "dev")
    assert (first.id, first.type, first.supporting_facts[0]) == ("q2", "bridge", ("Milhouse", 1))
    assert (second.id, second.type, second.answer) == ("dev-1", "comparison", "yes")


def test_released_files_give_questions_and_pages(tmp_path):
    (tmp_path / "hotpot_train_v1.1.json").write_text(json.dumps([question(0)]), encoding="utf-8")
    packed = gzip.compress(json.dumps([question(1, context=[["Full", ["x"]]])]).encode())
    (tmp_path / "hotpot_dev_fullwiki_v1.json.gz").write_bytes(packed)
    (tmp_path / "hotpot_dev_distractor_v1.json").write_text(json.dumps([question(1)]), encoding="utf-8")
    files = question_files(tmp_path)
    assert list(files) == ["train", "dev"]
    assert [path.name for path in files["dev"]] == ["hotpot_dev_distractor_v1.json", "hotpot_dev_fullwiki_v1.json.gz"]
    assert [page.title for page in read_pages(tmp_path)] == ["Milhouse", "Richard Nixon", "Full"]
    assert len(page_files(tmp_path)) == 3


def test_a_question_without_context_is_fine_beside_a_corpus_only(folder):
    bare = question(5)
    del bare["context"]
    write_lines(folder / "dev.jsonl", [bare])
    assert read_questions(folder / "dev.jsonl", "dev")[0].id == "q5"
    assert len(list(read_pages(folder))) == 3
    (folder / "corpus.jsonl.gz").unlink()
    with pytest.raises(
        TaskDataError, match=r"dev\.jsonl: line 1: the field 'context' is missing: without corpus\.jsonl"
    ):
        list(read_pages(folder))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": None}, "line 2: answer: expected a text, found None"),
        ({"type": "trick"}, "line 2: type: expected bridge or comparison, found 'trick'"),
        ({"_id": 7}, "line 2: _id: expected a text or null, found 7"),
        ({"_id": "q0"}, "line 2: the id 'q0' was there before"),
        ({"supporting_facts": [["a", "b"]]}, r"line 2: supporting_facts\[0\]: expected"),
        ({"supporting_facts": [["a", True]]}, r"line 2: supporting_facts\[0\]: expected"),
        ({"supporting_facts": "x"}, "line 2: supporting_facts: expected a list"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, changes, message):
    write_lines(tmp_path / "dev.jsonl", [question(0), question(1, **changes)])
    with pytest.raises(TaskDataError, match=message):
        read_questions(tmp_path / "dev.jsonl", "dev")


@pytest.mark.parametrize("name", ["question", "answer", "type", "level", "supporting_facts"])
def test_a_missing_field_is_named(tmp_path, name):
    damaged = question(0)
    del damaged[name]
    (tmp_path / "hotpot_train_v1.1.json").write_text(json.dumps([damaged]), encoding="utf-8")
    with pytest.raises(TaskDataError, match=rf"v1\.1\.json: record 0: the field '{name}' is missing"):
        read_questions(tmp_path / "hotpot_train_v1.1.json", "train")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"title": "x"}, "line 1: the field 'sentences' is missing"),
        ({"sentences": []}, "line 1: the field 'title' is missing"),
        ({"title": 1, "sentences": []}, "line 1: title: expected a text"),
        ({"title": "x", "sentences": "abc"}, "line 1: sentences: expected a list of sentences"),
        ({"title": "x", "redirect": None}, "line 1: redirect: expected a text"),
        ([1], "line 1: expected an object"),
    ],
)
def test_a_wrong_page_is_named(folder, record, message):
    write_lines(folder / "corpus.jsonl.gz", [record])
    with pytest.raises(TaskDataError, match=message):
        list(read_pages(folder))


@pytest.mark.parametrize("context", [None, [["x"]], [[1, []]], [["x", [1]]]])
def test_a_wrong_context_is_named(folder, context):
    (folder / "corpus.jsonl.gz").unlink()
    write_lines(folder / "train.jsonl.gz", [question(0, context=context)])
    with pytest.raises(TaskDataError, match=r"train\.jsonl\.gz: line 1: context"):
        list(read_pages(folder))


def test_a_file_that_is_cut_short_names_its_line(folder):
    whole = (folder / "train.jsonl.gz").read_bytes()
    (folder / "train.jsonl.gz").write_bytes(whole[:-12])
    with pytest.raises(TaskDataError, match=r"train\.jsonl\.gz: line \d: .* cut short or damaged"):
        read_questions(folder / "train.jsonl.gz", "train")
    text = "".join(f"{json.dumps(page)}\n" for page in PAGES)
    (folder / "corpus.jsonl.gz").unlink()
    (folder / "corpus.jsonl").write_text(text[:-20], encoding="utf-8")
    with pytest.raises(TaskDataError, match=r"corpus\.jsonl: line 3: .* cut short or damaged"):
        list(read_pages(folder))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{" * 100_000, b"no archive"])
def test_what_is_no_data_is_named(folder, content):
    (folder / "dev.jsonl").write_bytes(content)
    with pytest.raises(TaskDataError, match=r"dev\.jsonl: line 1: "):
        read_questions(folder / "dev.jsonl", "dev")


def test_a_damaged_archive_is_named(folder):
    content = bytearray((folder / "corpus.jsonl.gz").read_bytes())
    content[30:50] = bytes(20)
    (folder / "corpus.jsonl.gz").write_bytes(content)
    with pytest.raises(TaskDataError, match=r"corpus\.jsonl\.gz: line \d"):
        list(read_pages(folder))


def test_a_folder_without_questions_says_what_there_is(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(TaskDataError, match=r"no questions \(found: notes\.txt\).*spanwise data hotpotqa"):
        question_files(tmp_path)
    with pytest.raises(TaskDataError, match="is no folder"):
        question_files(tmp_path / "nowhere")
