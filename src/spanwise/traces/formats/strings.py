"""AgentBench's examples: a list of strings that alternate between two sides.

The agent's are those that begin with ``THOUGHT:`` or ``ACTION:``; where none does, every other one, from the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spanwise.traces.formats.conversation import conversation_episode
from spanwise.traces.formats.messages import Message
from spanwise.traces.raw import Body, RawEpisode, TraceFormat

_AGENT = re.compile(r"\s*(?:THOUGHT|ACTION|Thought|Action|Think|Act)(?: ?\d+)? ?:", re.IGNORECASE)


def _agent_first(values: list[str]) -> int | None:
    """0 or 1: which of the strings are the agent's; None where they do not alternate."""
    marked = {index % 2 for index, one in enumerate(values) if _AGENT.match(one)}
    return marked.pop() if len(marked) == 1 else None


def _evidence(body: Body) -> str | None:
    values = body.value
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        return None
    side = _agent_first(values)
    return None if side is None else f"{len(values)} strings; every other begins with THOUGHT: or ACTION:"


def _episodes(body: Body) -> Iterator[RawEpisode]:
    values = [one for one in body.value if isinstance(one, str)]
    side = _agent_first(values)
    messages = [Message("assistant" if index % 2 == side else "user", one.strip()) for index, one in enumerate(values)]
    episode = conversation_episode(messages)
    if episode is not None:
        yield episode


FORMAT = TraceFormat("AgentBench's strings in turn", _evidence, _episodes)
