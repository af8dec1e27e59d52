import multiprocessing
import os
from pathlib import Path

import pytest
from tests.unit.environments.hotpotqa.conftest import PAGES, write_lines

from spanwise.environments.hotpotqa.corpus import page_files, read_pages
from spanwise.environments.hotpotqa.kept import index_folder, open_encyclopedia
from spanwise.errors import TaskDataError


def opened(folder: Path, index: Path | None = None, read=None):
    pages = (lambda: read_pages(folder)) if read is None else read
    return open_encyclopedia(page_files(folder), pages, index or folder / "index")


def never():
    raise AssertionError("the index was there")


def test_an_index_is_built_once(folder):
    encyclopedia, facts = opened(folder)
    assert encyclopedia.article("nixon") == "Richard Nixon was a president."
    assert {"pages": 2, "redirects": 1, "dangling": 0}.items() <= facts.items()
    again, same = opened(folder, read=never)
    assert same == facts
    assert again.article("Milhouse") == "Milhouse is a boy. He was named after Richard Nixon."
    assert again.similar("Richard Nixn", 5) == ["Richard Nixon"]


def test_a_changed_corpus_has_another_index(folder):
    before = opened(folder)[1]
    write_lines(folder / "corpus.jsonl.gz", [*PAGES, {"title": "New", "sentences": ["n"]}])
    encyclopedia, after = opened(folder)
    assert encyclopedia.article("new") == "n"
    assert after["corpus"] != before["corpus"]


def test_a_file_that_is_only_touched_or_moved_keeps_its_index(folder):
    mark = opened(folder)[1]["corpus"]
    os.utime(folder / "corpus.jsonl.gz", (1, 1))
    assert opened(folder, read=never)[1]["corpus"] == mark
    moved = folder.rename(folder.with_name("elsewhere"))
    assert opened(moved, read=never)[1]["corpus"] == mark


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}'])
def test_a_damaged_note_of_fingerprints_is_made_anew(folder, content):
    mark = opened(folder)[1]["corpus"]
    (folder / "index/fingerprints.json").write_text(content, encoding="utf-8")
    assert opened(folder, read=never)[1]["corpus"] == mark


def test_a_build_that_breaks_leaves_nothing_that_counts(folder):
    def broken():
        yield from read_pages(folder)
        raise TaskDataError("no more")

    with pytest.raises(TaskDataError, match="no more"):
        opened(folder, read=broken)
    (folder / "index" / f".{opened(folder)[1]['corpus']}.x.partial").mkdir()
    assert opened(folder, read=never)[0].article("Milhouse")


@pytest.mark.parametrize("name", ["texts.bin", "titles.index"])
def test_an_index_that_is_cut_short_is_named(folder, name):
    mark = opened(folder)[1]["corpus"]
    path = folder / "index" / str(mark) / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TaskDataError, match=name.replace(".", r"\.")):
        opened(folder)


def build(folder: Path) -> str:
    encyclopedia, facts = opened(folder)
    assert encyclopedia.article("Milhouse")
    return str(facts["corpus"])


def test_processes_that_build_at_once_agree(folder):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        marks = pool.map(build, [folder] * 6, chunksize=1)
    assert len(set(marks)) == 1
    left = {path.name for path in (folder / "index").iterdir()}
    assert left == {marks[0], f".{marks[0]}.lock", "fingerprints.json"}


def test_where_an_index_is_kept(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert index_folder(folder, str(tmp_path / "mine")) == tmp_path / "mine"
    assert index_folder(folder, None) == folder / "index"
    folder.chmod(0o555)
    try:
        assert index_folder(folder, None) == tmp_path / "cache/spanwise/hotpotqa"
    finally:
        folder.chmod(0o755)


def test_a_folder_that_cannot_be_is_named(folder):
    (folder / "file").touch()
    with pytest.raises(TaskDataError, match=r"the index cannot be kept there.*environment\.hotpotqa\.index"):
        opened(folder, folder / "file/index")
