import gzip
import json
from pathlib import Path

import pytest

from spanwise.environments import json_files
from spanwise.environments.json_files import find_file, read_json, records
from spanwise.errors import TaskDataError

THREE = [{"a": "[x]"}, {"b": [1, {"c": "é"}]}, {"d": "]"}]


def test_records_come_one_by_one_from_plain_and_compressed_files(tmp_path: Path):
    plain, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
    plain.write_text(json.dumps(THREE, indent=1), encoding="utf-8")
    packed.write_bytes(gzip.compress(json.dumps(THREE, ensure_ascii=False).encode()))
    assert list(records(plain)) == list(records(packed)) == THREE
    assert find_file(tmp_path, "b.json") == packed
    assert find_file(tmp_path, "c.json") is None


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1000])
def test_records_may_be_cut_anywhere_by_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int):
    monkeypatch.setattr(json_files, "_CHUNK", chunk)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(THREE), encoding="utf-8")
    assert list(records(path)) == THREE


def test_an_empty_array_has_no_records(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text(" [ ] ", encoding="utf-8")
    assert list(records(path)) == []


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": ', '[{"a": 1}, ', '[{"a": 1}', '[{"a": 1}, oops]'])
def test_a_file_that_is_cut_short_names_the_record(tmp_path: Path, text: str):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TaskDataError, match=r"a\.json: record 1: not JSON .*cut short or damaged"):
        list(records(path))


def test_what_is_no_array_is_named(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(TaskDataError, match="expected a JSON array"):
        list(records(path))


def test_a_damaged_archive_is_named(tmp_path: Path):
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(json.dumps(THREE * 1000).encode())[:-20])
    with pytest.raises(TaskDataError, match=r"a\.json\.gz"):
        list(records(path))
    with pytest.raises(TaskDataError, match=r"a\.json\.gz"):
        read_json(path)
    path.write_bytes(b"no archive")
    with pytest.raises(TaskDataError, match=r"a\.json\.gz"):
        read_json(path)


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_bytes(b'["\xff"]')
    with pytest.raises(TaskDataError, match=r"a\.json"):
        list(records(path))
