"""Trajectories in files: one JSON object a line, ``.gz`` too, read as a stream and written whole or not at all.

A line holds the fields of :class:`~spanwise.types.Trajectory` under their own names. Spans partition their completion,
so only their ends are stored: ``"spans": [["reason", 41], ["act", 60]]``. What a step does not have (token ids,
log-probabilities, validity), and what a trajectory does not (instructions, tools), is left out of its object.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from spanwise.errors import TraceError
from spanwise.types import SCHEMA_VERSION, Span, SpanKind, Step, Trajectory

_logger = logging.getLogger(__name__)


#: What a file may be whose very first line is no trajectory.
_OTHER_FORMAT = ". Is it a log of another format? spanwise import {path} --out data.jsonl makes trajectories of it"


class _StepRecord(BaseModel):
    """A step as it is stored."""

    model_config = ConfigDict(extra="forbid", strict=True)

    observation: str
    completion: str
    action: str | None
    spans: list[tuple[Literal["reason", "act"], int]]
    token_ids: list[int] | None = None
    logprobs: list[float] | None = None
    valid: bool | None = None
    supervised: bool = True


class _TrajectoryRecord(BaseModel):
    """A trajectory as it is stored; the order of the fields is that of the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schema_version: int
    id: str
    task_id: str
    environment: str
    agent: str
    seed: int
    task: str
    reward: float | None
    success: bool | None
    stop_reason: str
    metadata: dict[str, Any] = {}
    system: str | None = None
    tools: list[dict[str, Any]] | None = None
    steps: list[_StepRecord]
    final_observation: str | None = None


#: Fields that are left out of a line where they are None.
_OPTIONAL = ("system", "tools")


def trajectory_to_json(trajectory: Trajectory) -> str:
    """One line of a trajectory file, without its newline.

    Raises:
        TypeError, ValueError: The metadata hold what JSON cannot express (an object, a float that is not finite).
    """
    record = {name: getattr(trajectory, name) for name in _TrajectoryRecord.model_fields}
    record = {name: value for name, value in record.items() if value is not None or name not in _OPTIONAL}
    record["steps"] = [_step_to_record(step) for step in trajectory.steps]
    return json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def trajectory_from_json(line: str | bytes) -> Trajectory:
    """The trajectory that a line holds.

    Raises:
        TraceError: The line is not JSON, is of another schema version, or a field is missing, unknown or of another
            type; the message names the field.
    """
    try:
        values = json.loads(line)
    except ValueError as error:
        raise TraceError(f"not a JSON object: {error}") from error
    if not isinstance(values, dict):
        raise TraceError(f"expected a JSON object, found {type(values).__name__}")
    version = values.get("schema_version")
    if version != SCHEMA_VERSION:
        raise TraceError(f"schema_version: found {version!r}, this version of spanwise reads {SCHEMA_VERSION}")
    try:
        record = _TrajectoryRecord.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise TraceError(f"{field}: {first['msg']}, found {_shortened(first['input'])}") from error
    steps = tuple(_step_from_record(index, step) for index, step in enumerate(record.steps))
    tools = None if record.tools is None else tuple(record.tools)
    return Trajectory(**{**dict(record), "steps": steps, "tools": tools})


def read_trajectories(path: Path | str) -> Iterator[Trajectory]:
    """Yields the trajectories of a file in order, holding one at a time; blank lines are passed over.

    Raises:
        TraceError: The file cannot be read, a line is cut off or no trajectory, or an id occurs twice. The message
            names file, line and field.
    """
    path = Path(path)
    line_of_id: dict[str, int] = {}
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    trajectory = trajectory_from_json(line)
                except TraceError as error:
                    broken = isinstance(error.__cause__, ValueError) and not line.endswith(b"\n")
                    cut = f"the last line is cut off ({len(line)} bytes); " if broken else ""
                    hint = "" if line_of_id else _OTHER_FORMAT.format(path=path)
                    raise TraceError(f"{path}:{number}: {cut}{error}{hint}") from error
                first = line_of_id.setdefault(trajectory.id, number)
                if first != number:
                    raise TraceError(f"{path}:{number}: id {trajectory.id!r} is already that of line {first}")
                yield trajectory
    except FileNotFoundError as error:
        raise TraceError(f"{path}: no such file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise TraceError(f"{path}: cannot be read: {error}") from error


def write_trajectories(path: Path | str, trajectories: Iterable[Trajectory]) -> int:
    """Writes a file of trajectories (gzipped if its name ends in ``.gz``); returns how many.

    The file appears under its name once it is complete; whatever fails before leaves the old file, or none.

    Raises:
        TraceError: The file cannot be written.
    """
    return write_lines(path, map(trajectory_to_json, trajectories))


def write_lines(path: Path | str, lines: Iterable[str]) -> int:
    """Writes a file of lines (gzipped if its name ends in ``.gz``), whole or not at all; returns how many.

    Raises:
        TraceError: The file cannot be written.
    """
    count = 0
    with LineWriter(path) as file:
        for line in lines:
            file.write(line)
            count += 1
    return count


class LineWriter:
    """A file of lines that appears under its name once it is complete; what fails before leaves the old file, or none.

    A name that ends in ``.gz`` is a gzipped file.
    """

    def __init__(self, path: Path | str):
        """Takes the name; nothing is opened yet."""
        self.path = Path(path)
        self._partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.partial")

    def write(self, line: str) -> None:
        """Adds a line.

        Raises:
            TraceError: It cannot be written.
        """
        try:
            self._sink.write(line.encode() + b"\n")
        except OSError as error:
            raise TraceError(f"{self.path}: cannot be written: {error}") from error

    def __enter__(self) -> LineWriter:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._partial.open("wb")
        except OSError as error:
            raise TraceError(f"{self.path}: cannot be written: {error}") from error
        # No name and no time in the gzip header: the same lines give the same bytes.
        gzipped = self.path.suffix == ".gz"
        self._sink = gzip.GzipFile("", "wb", fileobj=self._file, mtime=0) if gzipped else self._file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                if self._sink is not self._file:
                    self._sink.close()
                self._file.flush()
                os.fsync(self._file.fileno())
                self._partial.replace(self.path)
        except OSError as failure:
            raise TraceError(f"{self.path}: cannot be written: {failure}") from failure
        finally:
            self._file.close()
            self._partial.unlink(missing_ok=True)


class TrajectoryAppender:
    """Adds trajectories to a file as they finish, so that interrupted work goes on where it stopped.

    On opening, what an interrupted writer left of its last line is cut off, and that is logged. Every trajectory is
    handed to the operating system before ``append`` returns.

    Attributes:
        ids: Ids of all trajectories in the file.
        dropped_bytes: Length of the unfinished line that was cut off on opening; usually 0.
    """

    def __init__(self, path: Path | str):
        """Opens the file, or begins it.

        Raises:
            TraceError: The file cannot be opened, is gzipped, or holds a line that is no trajectory.
        """
        self.path = Path(path)
        if self.path.suffix == ".gz":
            raise TraceError(f"{self.path}: a gzipped file cannot be appended to; use a name without .gz")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab")
            self.dropped_bytes = _cut_unfinished_line(self.path)
        except OSError as error:
            raise TraceError(f"{self.path}: cannot be opened for appending: {error}") from error
        if self.dropped_bytes:
            _logger.warning("%s: dropped an unfinished last line (%d bytes)", self.path, self.dropped_bytes)
        try:
            self.ids: set[str] = {trajectory.id for trajectory in read_trajectories(self.path)}
        except TraceError:
            self._file.close()
            raise

    def append(self, trajectory: Trajectory) -> None:
        """Adds one trajectory.

        Raises:
            TraceError: Its id is in the file already, or the file cannot be written.
        """
        if trajectory.id in self.ids:
            raise TraceError(f"{self.path}: already holds a trajectory with id {trajectory.id!r}")
        try:
            self._file.write(trajectory_to_json(trajectory).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise TraceError(f"{self.path}: cannot be written: {error}") from error
        self.ids.add(trajectory.id)

    def close(self) -> None:
        """Closes the file.

        Raises:
            TraceError: What was left to write cannot be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise TraceError(f"{self.path}: cannot be written: {error}") from error

    def __enter__(self) -> TrajectoryAppender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _step_to_record(step: Step) -> dict[str, Any]:
    record: dict[str, Any] = {
        "observation": step.observation,
        "completion": step.completion,
        "action": step.action,
        "spans": [(span.kind.name.lower(), span.end) for span in step.spans],
    }
    optional = {"token_ids": step.token_ids, "logprobs": step.logprobs, "valid": step.valid}
    optional["supervised"] = None if step.supervised else False
    return record | {name: value for name, value in optional.items() if value is not None}


def _step_from_record(index: int, record: _StepRecord) -> Step:
    starts = (0, *(end for _, end in record.spans))
    try:
        return Step(
            observation=record.observation,
            completion=record.completion,
            action=record.action,
            spans=tuple(
                Span(SpanKind[kind.upper()], start, end)
                for start, (kind, end) in zip(starts, record.spans, strict=False)
            ),
            token_ids=None if record.token_ids is None else tuple(record.token_ids),
            logprobs=None if record.logprobs is None else tuple(record.logprobs),
            valid=record.valid,
            supervised=record.supervised,
        )
    except ValueError as error:
        raise TraceError(f"steps.{index}: {error}") from error


def _open(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _cut_unfinished_line(path: Path) -> int:
    """Truncates the file after its last newline; returns how many bytes that took."""
    with path.open("r+b") as file:
        size = kept = file.seek(0, os.SEEK_END)
        while kept > 0:
            start = max(0, kept - 65536)
            file.seek(start)
            newline = file.read(kept - start).rfind(b"\n")
            kept = start + newline + 1 if newline >= 0 else start
            if newline >= 0:
                break
        file.truncate(kept)
    return size - kept


def _shortened(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
