"""OpenHands' event streams: actions with arguments, thoughts among them, and observations with content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spanwise.traces.formats.conversation import conversation_episode
from spanwise.traces.formats.messages import Message
from spanwise.traces.raw import Body, RawEpisode, TraceFormat
from spanwise.traces.tool_text import ToolCall

#: Arguments that do not belong to the command.
_BESIDE = ("thought", "thinking", "reasoning", "security_risk", "confirmation_state", "hidden", "blocking")


def _is_told(event: dict[str, Any]) -> bool:
    """Whether an event is an observation; actions that bring nothing have one of nothing."""
    return "observation" in event and event["observation"] != "null"


def _message(event: dict[str, Any]) -> Message | None:
    given = event.get("args")
    if not isinstance(given, dict) or not isinstance(event.get("action"), str):
        content = event.get("content", event.get("message"))
        return Message("tool", content) if isinstance(content, str) and _is_told(event) else None
    if event["action"] == "message":
        role = "user" if event.get("source") == "user" else "assistant"
        return Message(role, str(given.get("content") or ""))
    if event.get("source") not in (None, "agent"):
        return None
    arguments = {name: value for name, value in given.items() if name not in _BESIDE}
    return Message("assistant", str(given.get("thought") or ""), None, (ToolCall(event["action"], arguments),))


def _events(body: Body) -> list[dict[str, Any]]:
    """The events of a body; older files pair each action with what it brought."""
    values = body.value if isinstance(body.value, list) else []
    flat = [event for one in values for event in (one if isinstance(one, list) else [one])]
    return [one for one in flat if isinstance(one, dict)]


def _evidence(body: Body) -> str | None:
    events = _events(body)
    acting = sum(isinstance(one.get("args"), dict) and isinstance(one.get("action"), str) for one in events)
    return f"{acting} events with action and args" if acting else None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    messages = [_message(one) for one in _events(body)]
    episode = conversation_episode([one for one in messages if one is not None])
    if episode is not None:
        yield episode


FORMAT = TraceFormat("OpenHands' events", _evidence, _episodes)
