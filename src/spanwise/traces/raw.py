"""What a log says of an episode, before it is cut into spans: the common ground of all trace formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from spanwise.types import SpanKind


@dataclass(frozen=True, slots=True)
class RawTurn:
    """What the agent saw, and what it wrote.

    Attributes:
        observation: The text before the completion.
        completion: What the agent wrote, as the log has it.
        parts: The completion in pieces of one kind, where the log's own structure tells them; else its style does.
        action: The command, where ``parts`` are given.
        supervised: False where the log says that the turn is not to be learnt.
    """

    observation: str
    completion: str
    parts: tuple[tuple[SpanKind, str], ...] | None = None
    action: str | None = None
    supervised: bool = True


@dataclass(frozen=True, slots=True)
class RawEpisode:
    """An episode as a log tells it.

    Attributes:
        turns: The turns, in order.
        style: How the completions are cut; a key of :data:`spanwise.traces.segment.STYLES`.
        task: The goal in words; "" where only the first observation tells it.
        system: What stood before the episode: instructions, and examples that are not the episode.
        final_observation: What the environment said last.
        success: Whether the task was solved, where the text of the episode says so.
        reward: Likewise.
        stop_reason: Likewise.
        tools: Schemas of the tools.
        metadata: Whatever else the log says; JSON values.
    """

    turns: tuple[RawTurn, ...]
    style: str
    task: str = ""
    system: str | None = None
    final_observation: str | None = None
    success: bool | None = None
    reward: float | None = None
    stop_reason: str | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Body:
    """The part of a record that holds the trajectory, and all that stands beside it.

    Attributes:
        value: Text, or a list (of messages, of steps, of strings, of pairs).
        key: Under which key it was found; "" where the record is nothing else.
        fields: The record's other fields, those of the objects around the trajectory included.
        prompt: Of a text that a record keeps beside its prompt, the prompt; "" elsewhere.
        whole: Whether the text is one trajectory, so that what looks like episodes before the last are its examples.
    """

    value: str | list[Any]
    key: str
    fields: dict[str, Any]
    prompt: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class TraceFormat:
    """A format of logs.

    Attributes:
        title: What it is, in words.
        evidence: Why a body looks like this format, in words; None if it does not.
        episodes: The episodes of such a body.
    """

    title: str
    evidence: Callable[[Body], str | None]
    episodes: Callable[[Body], Iterator[RawEpisode]]
