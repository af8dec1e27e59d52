"""Formats that are lists of messages; they differ in shape alone, so one reader serves them all.

OpenAI's (``tool_calls`` whose arguments are a string or an object), Anthropic's blocks (``thinking``, ``text``,
``tool_use``, ``tool_result``), ShareGPT's ``from`` and ``value`` (ETO, AgentInstruct), ms-swift's ``tool_call``
messages, AgentBench's ``agent``. How the completions are cut follows from their text: see ``conversation.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from spanwise.traces.formats.harmony import harmony_inside
from spanwise.traces.formats.messages import read_messages, role_of, unwrapped
from spanwise.traces.formats.whole import whole_episodes
from spanwise.traces.raw import Body, RawEpisode, TraceFormat


def _openai(values: list[Any]) -> str | None:
    calls = sum(bool(one.get("tool_calls") or one.get("function_call")) for one in values)
    return f"{calls} messages with tool_calls" if calls else None


def _anthropic(values: list[Any]) -> str | None:
    blocks = [block for one in values for block in _blocks(one) if isinstance(block, dict)]
    kinds = {str(block.get("type")) for block in blocks} & {"thinking", "tool_use", "tool_result", "redacted_thinking"}
    return f"blocks of content: {', '.join(sorted(kinds))}" if kinds else None


def _swift(values: list[Any]) -> str | None:
    roles = {role_of(one) for one in values} & {"tool_call", "tool_response", "function_call"}
    return f"roles: {', '.join(sorted(filter(None, roles)))}" if roles else None


def _agentbench(values: list[Any]) -> str | None:
    return "role 'agent'" if any(role_of(one) == "agent" for one in values) else None


def _sharegpt(values: list[Any]) -> str | None:
    return "messages with 'from'" if any("from" in one for one in values) else None


def _messages(values: list[Any]) -> str | None:
    return "messages with 'role'"


def _format(title: str, told: Callable[[list[Any]], str | None]) -> TraceFormat:
    def evidence(body: Body) -> str | None:
        values = _events(body)
        return told(values) if any(role_of(one) for one in values) else None

    return TraceFormat(title, evidence, chat_episodes)


def chat_episodes(body: Body) -> Iterator[RawEpisode]:
    """The episode of a list of messages."""
    messages = read_messages(_events(body))
    if messages is not None:
        yield from whole_episodes(list(harmony_inside(messages)))


def _events(body: Body) -> list[dict[str, Any]]:
    """The messages of a body, out of the events that carry them; none where not all are objects."""
    values = body.value if isinstance(body.value, list) else []
    if not all(isinstance(one, dict) for one in values):
        return []
    return [unwrapped(one) for one in values] if any(_CARRIERS & one.keys() for one in values) else values


def _blocks(value: dict[str, Any]) -> list[Any]:
    content = value.get("content")
    return content if isinstance(content, list) else []


#: Keys of what carries a message.
_CARRIERS = {"message", "data", "lc", "payload"}

OPENAI = _format("OpenAI messages with tool calls", _openai)
ANTHROPIC = _format("Anthropic content blocks", _anthropic)
SWIFT = _format("ms-swift messages with calls of their own", _swift)
AGENTBENCH = _format("AgentBench conversations", _agentbench)
SHAREGPT = _format("ShareGPT conversations (ETO, AgentInstruct)", _sharegpt)
MESSAGES = _format("messages", _messages)
