"""The vocabulary of the package: what an agent wrote, and which part of it is thought and which is command.

Standard library only. Everything here is an immutable value; behaviour lives in functions elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

SCHEMA_VERSION = 1


class SpanKind(IntEnum):
    """What a piece of text is for. The integer values are what token-level arrays store.

    CONTEXT is everything the model did not write (instructions, observations, tool results) and is never supervised.
    """

    CONTEXT = 0
    REASON = 1
    ACT = 2


SUPERVISED_KINDS = (SpanKind.REASON, SpanKind.ACT)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open character range ``[start, end)`` of one completion, all of one kind."""

    kind: SpanKind
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span needs 0 <= start < end, found start={self.start}, end={self.end}")


@dataclass(frozen=True, slots=True)
class Step:
    """One turn: what the agent saw, and what it wrote in answer.

    Attributes:
        observation: The environment's text that preceded the completion.
        completion: Verbatim model text, without the end-of-turn token.
        action: The command handed to the environment; None when the completion held none that could be parsed.
        spans: Partition of ``completion`` into REASON and ACT ranges, in order, without gaps; empty only if it is "".
        token_ids: The ids the model generated, end-of-turn token included; None for text that no model tokenised.
        logprobs: Log-probability (nats) of each of ``token_ids`` under the policy that sampled it.
        valid: False when the environment refused the action; None when it never saw one.
        supervised: Whether training may learn the completion; if not, it is read as context.
    """

    observation: str
    completion: str
    action: str | None
    spans: tuple[Span, ...]
    token_ids: tuple[int, ...] | None = None
    logprobs: tuple[float, ...] | None = None
    valid: bool | None = None
    supervised: bool = True

    def __post_init__(self) -> None:
        position = 0
        for span in self.spans:
            if span.start != position:
                raise ValueError(f"spans must partition the completion: expected a span at {position}, found {span}")
            if span.kind is SpanKind.CONTEXT:
                raise ValueError(f"a completion holds no CONTEXT, found {span}")
            position = span.end
        if position != len(self.completion):
            raise ValueError(f"spans cover {position} of {len(self.completion)} characters of the completion")
        if self.logprobs is not None and len(self.logprobs) != len(self.token_ids or ()):
            raise ValueError(f"{len(self.logprobs)} logprobs for {len(self.token_ids or ())} token ids")

    def text(self, kind: SpanKind) -> str:
        """The completion's characters of one kind, joined in order."""
        return "".join(self.completion[span.start : span.end] for span in self.spans if span.kind is kind)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One recorded episode.

    Attributes:
        id: Unique within a file.
        task_id: Which task of the environment's task set was played.
        environment: Name of the environment, e.g. ``alfworld``.
        agent: Who played: ``expert``, or the model's name.
        seed: Seed of the episode (task instance and sampling).
        task: The goal in words, as the environment states it.
        steps: The turns, in order.
        reward: Final reward; None where a log does not say.
        success: Whether the task was solved; None where a log does not say.
        stop_reason: ``success`` | ``done`` (ended unsolved) | ``budget`` (out of actions) | ``context`` (out of room
            for tokens) | ``parse`` (too many unparsable completions in a row) | ``error`` (the environment crashed) |
            ``unknown`` (a log does not say).
        metadata: Whatever else is worth keeping (task type, error text, timings in seconds); JSON values only.
        final_observation: What the environment said after the last action; None when it said nothing.
        system: Instructions that the agent read before the first observation; None if there were none.
        tools: Schemas of the tools it could call, in the form of chat templates; None where no schema is known.
    """

    id: str
    task_id: str
    environment: str
    agent: str
    seed: int
    task: str
    steps: tuple[Step, ...]
    reward: float | None
    success: bool | None
    stop_reason: str
    metadata: dict[str, Any] = field(default_factory=dict)
    final_observation: str | None = None
    system: str | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    schema_version: int = SCHEMA_VERSION
