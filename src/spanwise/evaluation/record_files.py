"""Records in files: a frozen dataclass a line, all of its fields and no others; those with a default came later."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from spanwise.errors import TraceError

Record = TypeVar("Record")


def dump_lines(records: Iterable[Any]) -> str:
    """The text of a file of records: one JSON object a line."""
    return "".join(json.dumps(asdict(record), ensure_ascii=False, allow_nan=False) + "\n" for record in records)


def read_lines(path: Path, kind: type[Record], what: str, growing: bool = False) -> list[Record]:
    """The records of a file.

    Args:
        path: The file.
        kind: The dataclass of a record.
        what: What a record is, for messages: ``an episode's``.
        growing: Pass over what an interrupted writer left of the last line.

    Raises:
        TraceError: The file cannot be read, or a line is no record; the message names the line and the fields.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            return [
                _record(line, kind, what, f"{path}:{number}")
                for number, line in enumerate(lines, start=1)
                if not growing or line.endswith("\n")
            ]
    except (OSError, UnicodeDecodeError) as error:
        raise TraceError(f"{path}: cannot be read: {error}") from error


def _record(line: str, kind: type[Record], what: str, place: str) -> Record:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    needed = {field.name for field in fields(kind) if field.default is MISSING}  # type: ignore[arg-type]
    try:
        values = json.loads(line)
    except ValueError as error:
        raise TraceError(f"{place}: not JSON: {error}") from error
    found = set(values) if isinstance(values, dict) else set()
    if not needed <= found <= names:
        missing, unknown = ", ".join(sorted(needed - found)) or "none", ", ".join(sorted(found - names)) or "none"
        raise TraceError(f"{place}: not {what} record; missing fields: {missing}; unknown fields: {unknown}")
    return kind(**values)
