import pytest
from typer.testing import CliRunner

from spanwise.cli import app
from spanwise.environments.webshop import download
from spanwise.environments.webshop.download import FULL_URLS, SMALL_URLS, download_webshop
from spanwise.errors import TaskDataError

FILES = {"items.json": b'[{"asin": "A"}]\n', "instructions.json": b'{"A": {}}'}


@pytest.fixture
def urls(server):
    server.files |= {f"/{name}": content for name, content in FILES.items()}
    return {name: server.url(name) for name in FILES}


def test_files_are_fetched_once(server, urls, tmp_path):
    told = []
    folder = download_webshop(tmp_path / "shop", urls, lambda name, done, size: told.append((name, done, size)))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert ("items.json", 16, 16) in [(name.removesuffix(".part"), done, size) for name, done, size in told]
    asked = len(server.asked)
    download_webshop(folder, urls)
    assert len(server.asked) == asked


def test_a_download_that_breaks_goes_on(server, urls, tmp_path):
    server.breaks["/items.json"] = [5, 4]
    download_webshop(tmp_path, urls)
    assert (tmp_path / "items.json").read_bytes() == FILES["items.json"]
    assert [wanted for path, wanted in server.asked if path == "/items.json"] == [None, "bytes=5-", "bytes=9-"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><html>", "it is a web page"),
        (b'[{"asin": "A"', "does not begin and end as JSON does"),
        (b"", "JSON"),
    ],
)
def test_what_is_no_json_is_refused_and_not_kept(server, urls, tmp_path, content, message):
    server.files["/items.json"] = content
    with pytest.raises(TaskDataError, match=message):
        download_webshop(tmp_path, urls)
    assert not (tmp_path / "items.json").exists()


def test_a_missing_file_names_its_address(server, urls, tmp_path):
    del server.files["/items.json"]
    with pytest.raises(TaskDataError, match=r"/items\.json: the server answers 404"):
        download_webshop(tmp_path, urls)


def test_the_verb_takes_the_small_or_the_full_files(server, urls, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "SMALL_URLS", urls)
    monkeypatch.setattr(download, "FULL_URLS", {"items.json": urls["items.json"]})
    result = CliRunner().invoke(app, ["data", "webshop", str(tmp_path / "small")])
    assert result.exit_code == 0, result.output
    assert "export WEBSHOP_DATA=" in result.output
    assert len(list((tmp_path / "small").iterdir())) == 2
    CliRunner().invoke(app, ["data", "webshop", str(tmp_path / "full"), "--full"])
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["items.json"]


def test_both_sets_hold_products_attributes_and_human_goals():
    for urls in (SMALL_URLS, FULL_URLS):
        assert len(urls) == len(set(urls.values())) == 3
        assert "items_human_ins.json" in urls
