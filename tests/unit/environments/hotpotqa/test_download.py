import bz2
import json

import pytest
from tests.unit.environments.hotpotqa.conftest import question
from typer.testing import CliRunner

from spanwise.cli import app
from spanwise.environments.hotpotqa import download
from spanwise.environments.hotpotqa.download import URLS, download_hotpotqa
from spanwise.environments.hotpotqa.kept import FOLDER
from spanwise.errors import TaskDataError

FILES = {
    "hotpot_train_v1.1.json": json.dumps([question(0)]).encode(),
    "hotpot_dev_distractor_v1.json": json.dumps([question(1)]).encode(),
}


@pytest.fixture
def urls(server):
    server.files |= {f"/{name}": content for name, content in FILES.items()}
    return {name: server.url(name) for name in FILES}


def test_files_are_fetched_once_and_a_broken_download_goes_on(server, urls, tmp_path):
    server.breaks["/hotpot_train_v1.1.json"] = [50]
    folder = download_hotpotqa(tmp_path / "data", urls)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    asked = len(server.asked)
    download_hotpotqa(folder, urls)
    assert len(server.asked) == asked == 3


@pytest.mark.parametrize("content", [b"<html>", b'[{"_id": ', b""])
def test_what_is_no_json_is_refused_and_not_kept(server, urls, tmp_path, content):
    server.files["/hotpot_train_v1.1.json"] = content
    with pytest.raises(TaskDataError, match="JSON"):
        download_hotpotqa(tmp_path, urls)
    assert not list(tmp_path.glob("*.json"))


def test_the_verb_fetches_and_indexes_the_pages_of_contexts(urls, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "URLS", urls)
    result = CliRunner().invoke(app, ["data", "hotpotqa", str(tmp_path / "data")])
    assert result.exit_code == 0, result.output
    assert "pages: " in result.output
    assert ": 2\n" in result.output
    assert f"export HOTPOTQA_DATA={tmp_path / 'data'}" in result.output
    assert (tmp_path / "data" / FOLDER).is_dir()


def test_the_verb_takes_pages_from_a_dump(urls, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "URLS", urls)
    record = {"title": "Anarchism", "text": ["Anarchism is a philosophy."]}
    (tmp_path / "wiki_00.bz2").write_bytes(bz2.compress(json.dumps(record).encode()))
    arguments = ["data", "hotpotqa", str(tmp_path / "data"), "--wikipedia", str(tmp_path / "wiki_00.bz2")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert ": 1\n" in result.output
    assert (tmp_path / "data/corpus.jsonl.gz").is_file()


def test_the_released_files_that_have_answers():
    assert len(URLS) == 3
    assert not any("test" in name for name in URLS)
