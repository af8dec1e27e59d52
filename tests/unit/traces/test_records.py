import gzip
import json

import pytest

from spanwise.errors import TraceError
from spanwise.traces.records import Damaged, read_records

TEXT = "Question: q\nThought 1: t\nAction 1: Finish[a]\n"
MESSAGES = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


def values(path):
    return [(one.key, one.value) for one in read_records(path) if not isinstance(one, Damaged)]


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (TEXT, [(None, TEXT)]),
        (json.dumps({"a": TEXT, "b": TEXT}), [("a", TEXT), ("b", TEXT)]),
        (
            json.dumps([{"output": TEXT}, {"output": "x"}], indent=1),
            [(None, {"output": TEXT}), (None, {"output": "x"})],
        ),
        (json.dumps(MESSAGES), [(None, MESSAGES)]),
        (json.dumps({"messages": MESSAGES}, indent=2), [(None, {"messages": MESSAGES})]),
        (json.dumps({"data": [{"messages": MESSAGES}], "version": 1}), [(None, {"messages": MESSAGES})]),
        (json.dumps([TEXT, TEXT + "Observation 1: o\n"]), [(None, TEXT), (None, TEXT + "Observation 1: o\n")]),
        ('{"a": 1}\n\n{"a": 2}\n', [(None, {"a": 1}), (None, {"a": 2})]),
        ('\ufeff{"a": 1}\r\n{"a": 2}', [(None, {"a": 1}), (None, {"a": 2})]),
        (
            "[Back to Search]\nAction: click[x]\nObservation: y\n",
            [(None, "[Back to Search]\nAction: click[x]\nObservation: y\n")],
        ),
    ],
)
def test_containers_are_told_by_their_content(tmp_path, content, expected, compress):
    path = tmp_path / "log.anything"
    path.write_bytes(gzip.compress(content.encode()) if compress else content.encode())
    assert values(path) == expected


def test_lines_in_utf_16(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes('{"a": 1}\r\n{"a": "é"}\r\n'.encode("utf-16"))
    assert values(path) == [(None, {"a": 1}), (None, {"a": "é"})]


@pytest.mark.parametrize("tail", ["", '\n{"messages": ['], ids=["whole", "cut off"])
def test_documents_one_after_the_other(tmp_path, tail):
    path = tmp_path / "log.json"
    path.write_text(2 * (json.dumps({"messages": MESSAGES}, indent=2) + "\n") + tail)
    found = list(read_records(path))
    assert [one.value for one in found if not isinstance(one, Damaged)] == 2 * [{"messages": MESSAGES}]
    assert [one.place for one in found if isinstance(one, Damaged)] == (["log.json: value 3"] if tail else [])


@pytest.mark.parametrize("first", ['{"messages": [{"role": "us', "2026-01-01 INFO begin"])
def test_lines_whose_first_is_damaged(tmp_path, first):
    path = tmp_path / "log.jsonl"
    path.write_text(f"{first}\n" + 2 * (json.dumps({"messages": MESSAGES}) + "\n"))
    found = list(read_records(path))
    assert [one.place for one in found if isinstance(one, Damaged)] == ["log.jsonl:1"]
    assert values(path) == 2 * [(None, {"messages": MESSAGES})]


def test_blank_lines_after_the_first(tmp_path):
    # Time in proportion to length: what takes its square would not end within the limit of a test.
    path = tmp_path / "log.txt"
    path.write_text(text := f"{TEXT.partition(chr(10))[0]}{5_000_000 * chr(10)}Action 1: Finish[a]")
    assert values(path) == [(None, text)]


def test_single_messages_are_gathered_by_session(tmp_path):
    events = [{"type": "user", "sessionId": s, "message": one} for s in ("x", "y") for one in MESSAGES]
    path = tmp_path / "session.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    assert values(path) == [("x", events[:2]), ("y", events[2:])]


def test_single_steps_are_gathered_by_episode(tmp_path):
    steps = [{"episode_id": e, "action": f"go {n}", "observation": "o"} for n in range(2) for e in ("x", "y")]
    path = tmp_path / "steps.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in steps))
    assert values(path) == [("x", steps[::2]), ("y", steps[1::2])]


def test_a_damaged_line_is_told_and_the_others_are_read(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"a": 1}\n{"a": \n{"a": 3}\n{"a"')
    found = list(read_records(path))
    assert [one.value for one in found if not isinstance(one, Damaged)] == [{"a": 1}, {"a": 3}]
    damaged = [one for one in found if isinstance(one, Damaged)]
    assert [one.place for one in damaged] == ["log.jsonl:2", "log.jsonl:4"]
    assert "cut off" in damaged[1].reason


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"\n \n", "is empty"), (b'{"a": [1, \n 2', "not JSON"), (b"\xff\xfe\xff", "not UTF-8")],
)
def test_files_that_hold_nothing(tmp_path, content, message):
    path = tmp_path / "log"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=message):
        list(read_records(path))


def test_missing_and_truncated_files_are_named(tmp_path):
    with pytest.raises(TraceError, match="no-such-file: no such file"):
        list(read_records(tmp_path / "no-such-file"))
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(TEXT.encode() * 100)[:-20])
    with pytest.raises(TraceError, match="cannot be read"):
        list(read_records(path))
