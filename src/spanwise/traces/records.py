"""Files of logs as records, whatever holds them: a list, a record a line, an object keyed by id, or text; ``.gz`` too.

What a file is follows from its content, not from its name. JSON lines are read as a stream; other JSON is read whole.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from spanwise.errors import TraceError
from spanwise.traces.bodies import (
    EPISODE_KEYS,
    find_bodies,
    is_keyed,
    is_lone_step,
    is_message,
    is_transcript,
    is_turns,
)

#: Keys under which a file keeps the list of its records.
_LIST_KEYS = (
    "data",
    "trajectories",
    "results",
    "episodes",
    "records",
    "examples",
    "samples",
    "rows",
    "items",
    "traces",
    "runs",
    "rollouts",
    "attempts",
    "train",
    "validation",
    "valid",
    "test",
)

#: How programs colour what they print on a terminal.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

#: An escaped half of a surrogate pair, or a whole pair.
_HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)

#: How a file begins that is UTF-16, which PowerShell writes.
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

#: Numbers that are none (NaN) are read as None.
_DECODER = json.JSONDecoder(parse_constant=lambda name: None)
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Record:
    """One unit of a file.

    Attributes:
        value: A JSON value, or the text of a text file.
        place: File and line, index or key, for messages.
        key: Its key in an object keyed by id; None elsewhere.
        position: Bytes of the file that were read when it was complete.
    """

    value: Any
    place: str
    key: str | None
    position: int


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line that is no JSON, and why."""

    reason: str
    place: str
    position: int


def read_records(path: Path) -> Iterator[Record | Damaged]:
    """Yields what a file holds, in order; a damaged line of JSON lines is told, and the others go on.

    Raises:
        TraceError: The file cannot be read, is empty, or is damaged as a whole.
    """
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file: BinaryIO = gzip.GzipFile(fileobj=raw) if compressed else raw  # type: ignore[assignment]
            head, rest = _two_lines(file)
            if head[:2] in _UTF16:
                file = io.BytesIO(_decode(head + rest + file.read(), path).encode())
                head, rest = _two_lines(file)
            if not head.strip():
                raise TraceError(f"{path}: is empty; expected trajectories")
            start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
            if (start in (b"{", b"[") and rest.strip() and _is_json(head)) or _is_record(rest):
                yield from _lines(path, raw, file, head, rest)
            elif start not in (b"{", b"["):
                text = _COLOUR.sub("", _decode(head + rest + file.read(), path))
                yield Record(text, path.name, None, raw.tell())
            else:
                yield from _document(path, _decode(head + rest + file.read(), path), raw.tell())
    except FileNotFoundError as error:
        raise TraceError(f"{path}: no such file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise TraceError(f"{path}: cannot be read: {error}") from error


def _two_lines(file: BinaryIO) -> tuple[bytes, bytes]:
    """The first line that is not blank, and the next one that is not, each with the blank ones before it."""
    lines: list[list[bytes]] = [[], []]
    found = 0
    for line in file:
        lines[found].append(line)
        found += bool(line.strip())
        if found == 2:
            break
    return b"".join(lines[0]), b"".join(lines[1])


def _parse(text: str) -> Any:
    """The value of JSON; numbers that are none (NaN) as None, halves of characters as U+FFFD.

    Raises:
        ValueError, RecursionError: The text is no JSON.
    """
    value = _DECODER.decode(text)
    return _whole(value) if _HALF.search(text) else value


def _whole(value: Any) -> Any:
    """The value with every half of a surrogate pair, which no file can hold, replaced."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return {_whole(key): _whole(one) for key, one in value.items()} if isinstance(value, dict) else value


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True


def _is_record(line: bytes) -> bool:
    """Whether a line holds a trajectory by itself, so that it is one of JSON lines, whatever stands before it."""
    if line.lstrip()[:1] not in (b"{", b"[") or not _is_json(line):
        return False
    return any(isinstance(body.value, list) for body in find_bodies(_parse(line.decode())))


def _decode(data: bytes, path: Path) -> str:
    """The text of a file: UTF-8, or UTF-16 where it says so."""
    try:
        text = data.decode("utf-16" if data[:2] in _UTF16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: not UTF-8 text: {error}") from error
    return text if "\n" in text else text.replace("\r", "\n")


def _lines(path: Path, raw: BinaryIO, file: BinaryIO, *first: bytes) -> Iterator[Record | Damaged]:
    """The records of JSON lines; lines that are single messages or steps are gathered, by session."""
    sessions: dict[tuple[Any, bool], list[Any]] = {}
    begun: dict[tuple[Any, bool], str] = {}
    for number, line in enumerate(_until_cut(itertools.chain(io.BytesIO(b"".join(first)), file)), start=1):
        place = f"{path.name}:{number}"
        if isinstance(line, str):
            yield Damaged(f"cut off: {line}", place, raw.tell())
            break
        if not line.strip():
            continue
        try:
            value = _parse(line.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            cut = "" if line.endswith(b"\n") else "the last line is cut off: "
            yield Damaged(f"not JSON: {cut}{error}", place, raw.tell())
            continue
        if is_message(value) or is_lone_step(value):
            name = next((value[key] for key in EPISODE_KEYS if key in value), None)
            key = (name if isinstance(name, (str, int)) else None, value.get("isSidechain") is True)
            sessions.setdefault(key, []).append(value)
            begun.setdefault(key, place)
        elif not sessions or next(find_bodies(value), None) is not None:
            yield Record(value, place, None, raw.tell())
        # What stands between the messages of a session (summaries, system events) is no record.
    for key, messages in sessions.items():
        yield Record(messages, begun[key], None if key[0] is None else str(key[0]), raw.tell())


def _until_cut(lines: Iterator[bytes]) -> Iterator[bytes | str]:
    """The lines of a file; of a compressed one that ends too early those before, then what is wrong."""
    try:
        yield from lines
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield str(error)


def _document(path: Path, text: str, position: int) -> Iterator[Record | Damaged]:
    """The records of JSON that is no lines: of one value, or of several that programs printed one after the other."""
    values, damage = _values(text)
    if damage is not None and is_transcript(text):  # a log in words that begins with a bracket
        yield Record(text, path.name, None, position)
        return
    if damage is not None and not any(next(find_bodies(one), None) for one in values):
        raise TraceError(f"{path}: {damage}")
    for number, value in enumerate(values, start=1):
        yield from _records_of(value, path.name if len(values) == 1 else f"{path.name}: value {number}", None, position)
    if damage is not None:
        yield Damaged(damage, f"{path.name}: value {len(values) + 1}", position)


def _values(text: str) -> tuple[list[Any], str | None]:
    """The JSON values that a text holds, one after the other, and what is wrong with the rest."""
    values: list[Any] = []
    start = _end_of_space(text, 0)
    while start < len(text):
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            return values, f"not JSON: {error}"
        values.append(_whole(value) if _HALF.search(text, start, end) else value)
        start = _end_of_space(text, end)
    return values, None


def _end_of_space(text: str, start: int) -> int:
    space = _SPACE.match(text, start)
    assert space is not None
    return space.end()


def _records_of(value: Any, place: str, key: str | None, position: int) -> Iterator[Record]:
    if isinstance(value, list) and not is_turns(value):
        for index, one in enumerate(value):
            yield Record(one, f"{place}[{index}]", key, position)
        return
    if isinstance(value, dict) and next(find_bodies(value), None) is None:
        lists = [name for name in _LIST_KEYS if isinstance(value.get(name), (list, dict)) and value[name]]
        for name in lists:
            yield from _records_of(value[name], f"{place}: {name}", None, position)
        if lists:
            return
        if is_keyed(value):
            for name, one in value.items():
                yield Record(one, f"{place}: {name}", name, position)
            return
    yield Record(value, place, key, position)
