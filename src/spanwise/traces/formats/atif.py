"""ATIF, Harbor's Agent Trajectory Interchange Format: steps with a source, each with what its calls brought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spanwise.traces.formats.conversation import conversation_episode
from spanwise.traces.formats.messages import Message, Role, text_of
from spanwise.traces.raw import Body, RawEpisode, TraceFormat
from spanwise.traces.tool_text import ToolCall, arguments_of

_SOURCES: dict[str, Role] = {"system": "system", "user": "user", "agent": "assistant"}


def _messages(step: dict[str, Any]) -> Iterator[Message]:
    """What a step says, then what it brought."""
    calls = tuple(
        ToolCall(str(one.get("function_name")), arguments_of(one.get("arguments")))
        for one in step.get("tool_calls") or ()
        if isinstance(one, dict)
    )
    thought = text_of(step.get("reasoning_content")) or None
    learnt = step.get("is_copied_context") is not True
    yield Message(_SOURCES[step["source"]], text_of(step.get("message")), thought, calls, learnt)
    observation = step.get("observation")
    results = observation.get("results") if isinstance(observation, dict) else None
    for result in results if isinstance(results, list) else ():
        yield Message("tool", text_of(result.get("content") if isinstance(result, dict) else result))


def _steps(body: Body) -> list[dict[str, Any]]:
    """The steps of a body; none where not all are."""
    values = body.value if isinstance(body.value, list) else []
    told = all(isinstance(one, dict) and one.get("source") in _SOURCES and "step_id" in one for one in values)
    return values if told else []


def _evidence(body: Body) -> str | None:
    acting = sum(one["source"] == "agent" for one in _steps(body))
    return f"{acting} steps whose source is 'agent'" if acting else None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    episode = conversation_episode([message for step in _steps(body) for message in _messages(step)])
    if episode is not None:
        agent = body.fields.get("agent")
        tools = agent.get("tool_definitions") if isinstance(agent, dict) else None
        named = isinstance(tools, list) and bool(tools) and all(isinstance(one, dict) for one in tools)
        yield replace(episode, tools=tuple(tools)) if named and tools else episode


FORMAT = TraceFormat("ATIF's steps (Harbor)", _evidence, _episodes)
