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
from spanwise.traces.raw import Body
from spanwise.traces.tool_text import read_literal

#: Keys under which logs keep a trajectory, the surest first.
BODY_KEYS = (
    "messages",
    "contents",
    "conversations",
    "conversation",
    "traj",
    "trajectory",
    "trajectories",
    "history",
    "dialog",
    "dialogue",
    "chat",
    "steps",
    "intermediate_steps",
    "scratchpad",
    "transcript",
    "log",
    "trace",
    "turns",
    "transitions",
    "turn_history",
    "events",
    "response",
    "completion",
    "output",
    "prediction",
    "generation",
    "text",
    "content",
    "prompt",
    "input",
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
    "train",
    "validation",
    "valid",
    "test",
)

#: Keys under which a text is one trajectory: what looks like episodes before the last are examples.
_WHOLE_KEYS = (
    *("traj", "trajectory", "scratchpad", "response", "completion", "output", "prediction", "generation"),
    *("prompt", "input"),
)
#: Keys of what a record keeps of the text before.
_PROMPT_KEYS = ("prompt", "instruction", "input", "question", "query", "claim", "goal")
#: How a text begins that tells its task itself.
_OPENS = re.compile(r"\s*(?:Question|Claim|Task|You are in the middle of a room)\b")

#: Objects that may lie around a trajectory.
_AROUND = (
    "output",
    "result",
    "request",
    "response",
    "data",
    "info",
    "conversation",
    "trajectory",
    "trace",
    "body",
    "episode",
    "memory",
    "agent_memory",
    "outputs",
    "inputs",
)

#: How chat templates begin a turn.
_CHAT_MARKUP = re.compile(r"<\|im_start\|>|<\|start_header_id\|>|<｜User｜>|<start_of_turn>")

#: An escaped half of a surrogate pair, or a whole pair.
_HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)

#: How programs colour what they print on a terminal.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

#: An escaped half of a surrogate pair, or a whole pair.
_HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)

_SESSION_KEYS = ("sessionId", "session_id", "conversation_id", "trace_id", "episode_id")


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
            if not head.strip():
                raise TraceError(f"{path}: is empty; expected trajectories")
            start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
            if start not in (b"{", b"["):
                text = _COLOUR.sub("", _decode(head + rest + file.read(), path))
                yield Record(text, path.name, None, raw.tell())
            elif rest.strip() and _is_json(head):
                yield from _lines(path, raw, file, head, rest)
            else:
                yield from _document(path, _decode(head + rest + file.read(), path), raw.tell())
    except FileNotFoundError as error:
        raise TraceError(f"{path}: no such file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise TraceError(f"{path}: cannot be read: {error}") from error


def find_bodies(value: Any, key: str = "") -> Iterator[Body]:
    """Where in a record the trajectory may be, the likeliest place first.

    Args:
        value: A record.
        key: Under which key it stands.
    """
    if isinstance(value, str):
        parsed = read_literal(value) if value.lstrip()[:1] in ("[", "{", '"') else None
        if isinstance(parsed, (list, dict, str)) and parsed != value:
            yield from find_bodies(parsed, key)
        elif value.strip():
            yield Body(value, key, {})
    elif isinstance(value, list):
        if _is_turns(value):
            yield Body(value, key, {})
    elif isinstance(value, dict):
        yield from _joined(value)
        for name in BODY_KEYS:
            inner = value.get(name)
            inner = _columns(inner) if isinstance(inner, dict) else inner
            if isinstance(inner, (str, list)) and not _is_message(value):
                around = {other: one for other, one in value.items() if other != name}
                for found in find_bodies(inner, name):
                    whole = isinstance(found.value, str) and name in _WHOLE_KEYS
                    prompt = _prompt_of(around, str(found.value)) if whole and name not in _PROMPT_KEYS else ""
                    yield Body(found.value, name, around, prompt, whole)
        for name in _AROUND:
            inner = value.get(name)
            if isinstance(inner, dict):
                around = {other: one for other, one in value.items() if other != name}
                for found in find_bodies(inner):
                    yield Body(found.value, found.key, {**around, **found.fields}, found.prompt, found.whole)


def _prompt_of(fields: dict[str, Any], text: str) -> str:
    """What a record keeps beside a text that came before it; "" where the text holds it itself."""
    parts = [fields.get(key) for key in _PROMPT_KEYS]
    said = [one.strip() for one in parts if isinstance(one, str) and one.strip()]
    prompt = "\n".join(said)
    opening = text.lstrip()
    return "" if any(opening.startswith(one) for one in said) or _OPENS.match(text) else prompt


def _joined(value: dict[str, Any]) -> Iterator[Body]:
    """What several fields hold together: prompt and answer, request and response, the cells of a notebook."""
    request, response = value.get("request"), value.get("response")
    if isinstance(request, dict) and isinstance(request.get("messages"), list):
        said = response if isinstance(response, dict) else {}
        choices = said.get("choices")
        answer = choices[0].get("message") if isinstance(choices, list) and choices else said
        answered = [{"role": "assistant", **answer}] if isinstance(answer, dict) and "content" in answer else []
        fields = {**value, **{name: one for name, one in request.items() if name != "messages"}}
        yield Body([*request["messages"], *answered], "messages", fields)
    prompt = value.get("prompt", value.get("input"))
    answer = next((value[key] for key in ("completion", "response", "output", "chosen") if value.get(key)), None)
    fields = {
        k: v for k, v in value.items() if k not in ("prompt", "input", "completion", "response", "output", "chosen")
    }
    if isinstance(prompt, list) and isinstance(answer, list) and _is_turns(prompt) and _is_turns(answer):
        yield Body([*prompt, *answer], "messages", fields)
    elif isinstance(prompt, str) and isinstance(answer, str) and _CHAT_MARKUP.search(prompt):
        yield Body(prompt + answer, "prompt", fields)
    elif prompt is None and isinstance(answer, list) and "chosen" in value and _is_turns(answer):
        yield Body(answer, "chosen", fields)
    columns = _columns(value)
    if columns and "action" in columns[0] and isinstance(value.get("actions"), list) and "observation" in columns[0]:
        yield Body(columns, "actions", value)
    if isinstance(value.get("cells"), list) and "nbformat" in value:
        yield Body(_printed(value["cells"]), "cells", {})


def _printed(cells: list[Any]) -> str:
    """What a notebook's cells printed."""
    outputs = [one for cell in cells if isinstance(cell, dict) for one in cell.get("outputs", [])]
    texts = [one.get("text", "") for one in outputs if isinstance(one, dict)]
    return "\n".join(one if isinstance(one, str) else "".join(map(str, one)) for one in texts)


def _columns(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Steps out of lists that run side by side: thoughts, actions, observations."""
    lists = {name: one for name, one in value.items() if isinstance(one, list)}
    actions = next((lists[name] for name in ("actions", "action") if name in lists), None)
    if actions is None:
        return None
    columns = {name.removesuffix("s"): one for name, one in lists.items() if len(one) == len(actions)}
    return [{name: one[index] for name, one in columns.items()} for index in range(len(actions))]


def _is_keyed(value: dict[str, Any]) -> bool:
    """Whether an object holds records by their ids: all of one sort, and each may be a trajectory."""
    sorts = {type(one) for one in value.values()}
    return sorts in ({str}, {list}, {dict}) and all(next(find_bodies(one), None) for one in value.values())


def _is_message(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    inner = value.get("message")
    if isinstance(inner, dict) and "role" in inner:
        return True
    if value.get("type") == "response_item" and isinstance(value.get("payload"), dict):
        return True
    if value.get("type") in ("human", "ai") and ("content" in value or "data" in value):
        return True
    return ("role" in value or "from" in value) and bool(_SAID & value.keys())


_SAID = {"content", "value", "text", "parts", "tool_calls"}


def _is_turns(value: list[Any]) -> bool:
    """Whether a list is one trajectory: messages, steps, strings that alternate, or pairs."""
    if not value:
        return False
    some = value[:8]
    if all(isinstance(one, str) for one in some):
        return len(value) > 1 and not any(map(_is_transcript, some))
    if all(isinstance(one, list) and len(one) == 2 for one in some):
        return all(isinstance(one[1], str) for one in some)
    if not all(isinstance(one, dict) for one in some):
        return False
    if any(_is_message(one) or "class_" in one or one.get("lc") == 1 for one in some):
        return True
    return sum(_is_step(one) for one in value) * 2 >= len(value)


_STEP_KEYS = {"action", "command", "observation", "observations", "model_output", "tool_calls", "response", "code"}


def _is_step(value: dict[str, Any]) -> bool:
    return bool(_STEP_KEYS & set(value)) and not any(
        isinstance(value.get(key), list) and _is_turns(value[key]) for key in BODY_KEYS
    )


def _two_lines(file: BinaryIO) -> tuple[bytes, bytes]:
    """The first line that is not blank, and the next one that is not."""
    lines: list[bytes] = []
    blank = b""
    for line in file:
        if line.strip():
            lines.append(blank + line)
            blank = b""
            if len(lines) == 2:
                break
        else:
            blank += line
    lines += [blank] if blank else []
    return lines[0] if lines else b"", b"".join(lines[1:])


def _parse(text: str) -> Any:
    """The value of JSON; numbers that are none (NaN) as None, halves of characters as U+FFFD.

    Raises:
        ValueError, RecursionError: The text is no JSON.
    """
    value = json.loads(text, parse_constant=lambda name: None)
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


def _decode(data: bytes, path: Path) -> str:
    """The text of a file: UTF-8, or UTF-16 where it says so (PowerShell writes that)."""
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: not UTF-8 text: {error}") from error
    return text if "\n" in text else text.replace("\r", "\n")


def _lines(path: Path, raw: BinaryIO, file: BinaryIO, *first: bytes) -> Iterator[Record | Damaged]:
    """The records of JSON lines; lines that are single messages are gathered into conversations, by session."""
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
        if _is_message(value):
            name = next((value[key] for key in _SESSION_KEYS if key in value), None)
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


def _document(path: Path, text: str, position: int) -> Iterator[Record]:
    try:
        value = _parse(text)
    except (ValueError, RecursionError) as error:
        if _is_transcript(text):  # a log in words that begins with a bracket
            yield Record(text, path.name, None, position)
            return
        raise TraceError(f"{path}: not JSON: {error}") from error
    yield from _records_of(value, path.name, None, position)


def _is_transcript(text: str) -> bool:
    """Whether a text holds both sides of an episode."""
    if re.search(r"^Action( \d+)?:", text, re.MULTILINE):
        return re.search(r"^Observation( \d+)?:", text, re.MULTILINE) is not None
    return text.count("\n> ") > 1


def _records_of(value: Any, place: str, key: str | None, position: int) -> Iterator[Record]:
    if isinstance(value, list) and not _is_turns(value):
        for index, one in enumerate(value):
            yield Record(one, f"{place}[{index}]", key, position)
        return
    if isinstance(value, dict) and next(find_bodies(value), None) is None:
        lists = [name for name in _LIST_KEYS if isinstance(value.get(name), (list, dict)) and value[name]]
        for name in lists:
            yield from _records_of(value[name], f"{place}: {name}", None, position)
        if lists:
            return
        if _is_keyed(value):
            for name, one in value.items():
                yield Record(one, f"{place}: {name}", name, position)
            return
    yield Record(value, place, key, position)
