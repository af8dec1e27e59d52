"""Big JSON files, read a record at a time, and errors that say which record is damaged."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from spanwise.errors import TaskDataError

_CHUNK = 1 << 20  # characters
_DAMAGED = "the file is cut short or damaged, fetch it again"
_BETWEEN = re.compile(r"[\s,]*")


def find_file(folder: Path, name: str) -> Path | None:
    """The file of that name in a folder, plain or compressed; None where there is neither."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        TaskDataError: It is not JSON, or cut short.
    """
    try:
        with open_text(path) as file:
            return json.load(file)
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise TaskDataError(f"{path}: not JSON ({error}); {_DAMAGED}") from error


def records(path: Path) -> Iterator[Any]:
    """The elements of a JSON array, one after the other, so that the file is never in memory as a whole.

    Raises:
        TaskDataError: The file is not an array, or cut short; the message names the record.
    """
    decode = json.JSONDecoder().raw_decode
    number = 0
    try:
        with open_text(path) as file:
            buffer = file.read(_CHUNK).lstrip()
            if not buffer.startswith("["):
                raise TaskDataError(f"{path}: begins with {buffer[:20]!r}, expected a JSON array of records")
            position, size, ended = 1, _CHUNK, False
            while True:
                position = _BETWEEN.match(buffer, position).end()  # type: ignore[union-attr]
                if buffer.startswith("]", position):
                    return
                try:
                    record, position = decode(buffer, position)
                except ValueError as error:
                    if ended:
                        raise TaskDataError(f"{path}: record {number}: not JSON ({error}); {_DAMAGED}") from None
                    more = file.read(size)
                    ended, buffer, position, size = not more, buffer[position:] + more, 0, 2 * size
                    continue
                yield record
                number, size = number + 1, _CHUNK
    except (EOFError, OSError, UnicodeDecodeError, zlib.error) as error:
        raise TaskDataError(f"{path}: record {number}: {error}; {_DAMAGED}") from error


def open_text(path: Path) -> IO[str]:
    """The file for reading, whether it is compressed (``.gz``) or not."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")
