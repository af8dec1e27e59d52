"""Agent Data Protocol: a list of observations and actions, each of a class of its own (arXiv 2510.24702).

The thought is the ``description`` of an action; the command is a call, code, or a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spanwise.traces.formats.conversation import conversation_episode
from spanwise.traces.formats.messages import Message
from spanwise.traces.raw import Body, RawEpisode, TraceFormat
from spanwise.traces.tool_text import ToolCall


def _class(item: Any) -> str | None:
    name = item.get("class_") if isinstance(item, dict) else None
    return name if isinstance(name, str) else None


def _message(item: dict[str, Any]) -> Message:
    name, content = _class(item), str(item.get("content") or "")
    thought = str(item.get("description") or "") or None
    if name == "api_action":
        return Message(
            "assistant", thought or "", None, (ToolCall(str(item.get("function")), item.get("kwargs") or {}),)
        )
    if name == "code_action":
        call = ToolCall(str(item.get("language") or "code"), {"code": content})
        return Message("assistant", thought or "", None, (call,))
    if name == "message_action":
        return Message("assistant", content, thought)
    return Message("assistant" if item.get("source") == "agent" else "user", content)


def _evidence(body: Body) -> str | None:
    items = body.value if isinstance(body.value, list) else []
    kinds = {_class(one) for one in items}
    return f"class_: {', '.join(sorted(filter(None, kinds)))}" if kinds and None not in kinds else None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    episode = conversation_episode([_message(one) for one in body.value if isinstance(one, dict)])
    if episode is not None:
        yield episode


FORMAT = TraceFormat("Agent Data Protocol", _evidence, _episodes)
