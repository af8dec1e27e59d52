"""Tool calls as text, in the form that Hermes and Qwen models write, and back.

Logs of function-calling agents hold structures, not text. What the model wrote is set down as::

    <think>
    The key may be in box 2.
    </think>

    I look there.
    <tool_call>
    {"name": "go", "arguments": {"to": "box 2"}}
    </tool_call>

and what the tools answered as ``<tool_response>\\n...\\n</tool_response>``, one after the other. A chat template that
has a form of its own for calls is handed the structures again (``data/render.py``).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spanwise.types import SpanKind

#: The tool that some harnesses give agents to think with (tau-bench): calling it is no action.
THINK_TOOL = "think"

_THINK = re.compile(r"\s*<think>\n?(.*?)\n?</think>\n*", re.DOTALL)
_CALL = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_RESPONSE = re.compile(r"<tool_response>\n(.*?)\n</tool_response>(?:\n(?=<tool_response>\n)|\n|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call: its arguments are an object, or the string that the model wrote where that is no JSON."""

    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """What an assistant's message holds.

    Attributes:
        reasoning: The thought that is marked as one; None where there is none.
        content: Text beside it: a remark before calls, or the answer.
        calls: Tool calls, in order.
    """

    reasoning: str | None
    content: str
    calls: tuple[ToolCall, ...]


def completion_parts(message: ToolMessage) -> list[tuple[SpanKind, str]]:
    """The text of a message, in pieces of one kind: content is REASON before calls, else the answer, so ACT.

    A call of :data:`THINK_TOOL` is REASON.
    """
    parts: list[tuple[SpanKind, str]] = []
    if message.reasoning:
        end = "\n\n" if message.content or message.calls else ""
        parts.append((SpanKind.REASON, f"<think>\n{message.reasoning}\n</think>{end}"))
    if message.content:
        kind = SpanKind.REASON if message.calls else SpanKind.ACT
        parts.append((kind, message.content + ("\n" if message.calls and not message.content.endswith("\n") else "")))
    for number, call in enumerate(message.calls, start=1):
        kind = SpanKind.REASON if call.name == THINK_TOOL else SpanKind.ACT
        parts.append((kind, _write_call(call) + ("\n" if number < len(message.calls) else "")))
    return parts


def read_completion(text: str) -> ToolMessage:
    """The message that a completion says, whoever wrote it; what cannot be read as a call stays content."""
    reasoning, begun = None, 0
    if thought := _THINK.match(text):
        reasoning, begun = thought[1], thought.end()
    calls: list[ToolCall] = []
    content, position = [], begun
    for match in _CALL.finditer(text, begun):
        call = read_call(match[1].strip())
        if call is not None:
            calls.append(call)
            content.append(text[position : match.start()])
            position = match.end()
    content.append(text[position:])
    said = "".join(content) if not calls else "".join(one if one.strip() else "" for one in content)
    return ToolMessage(reasoning, said.removesuffix("\n") if calls else said, tuple(calls))


def read_call(text: str) -> ToolCall | None:
    """A call from JSON, or from a Python literal as some models write; None if it is neither."""
    return call_of(read_literal(text))


def call_of(value: Any) -> ToolCall | None:
    """A call from the object that an API or a model makes of it; None if it is no call."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("function"), dict):
        value = value["function"]
    name = value.get("name")
    arguments = next((value[key] for key in ("arguments", "parameters", "input", "args") if key in value), {})
    return ToolCall(name, arguments_of(arguments)) if isinstance(name, str) else None


def arguments_of(arguments: Any) -> Any:
    """Arguments as an object: providers send them as one, or as the string of one; another string stays as it is."""
    if not isinstance(arguments, str):
        return {} if arguments is None else arguments
    try:
        values = json.loads(arguments) if arguments.strip() else {}
    except ValueError:
        return arguments
    return values if isinstance(values, dict) else arguments


def read_literal(text: str) -> Any:
    """The value of JSON or of a Python literal; None if the text is neither."""
    try:
        return json.loads(text)
    except RecursionError:
        return None
    except ValueError:
        pass
    try:
        return ast.literal_eval(text.strip()) if len(text) < 100_000 else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def write_responses(responses: Sequence[str]) -> str:
    """The answers of tools as one observation."""
    return "\n".join(f"<tool_response>\n{one}\n</tool_response>" for one in responses)


def read_responses(observation: str) -> tuple[list[str], str]:
    """The answers of tools that an observation begins with, and the text after them."""
    responses, position = [], 0
    while match := _RESPONSE.match(observation, position):
        responses.append(match[1])
        position = match.end()
    return responses, observation[position:]


def call_json(call: ToolCall) -> str:
    """A call as JSON on one line."""
    return json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)


def _write_call(call: ToolCall) -> str:
    return f"<tool_call>\n{call_json(call)}\n</tool_call>"
