"""What the rollout loop needs of an agent: answers to a batch of histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from spanwise.types import Step


@dataclass(frozen=True, slots=True)
class History:
    """What one episode's agent knows when it must act.

    Attributes:
        episode: Identity of the episode within the rollout; stable over its steps, so an agent may keep state by it
            (a KV cache, an expert's memory).
        task_id: The task being played; for bookkeeping, not for peeking.
        seed: Seed of the episode, for sampling or wording.
        steps: The turns so far, in order.
        observation: What the environment said last, not yet answered.
        admissible: The commands that a model must choose from; None: it may say what it wants.
    """

    episode: int
    task_id: str
    seed: int
    steps: tuple[Step, ...]
    observation: str
    admissible: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """An agent's answer.

    Attributes:
        text: Verbatim text, without the end-of-turn token.
        token_ids: Generated ids, end-of-turn token included; None for a scripted agent.
        logprobs: Log-probability (nats) of each generated id under the policy that sampled it.
        truncated: True when the model had not ended its turn within the token limit.
        out_of_context: True when the history no longer fits the model; the episode ends.
    """

    text: str
    token_ids: tuple[int, ...] | None = None
    logprobs: tuple[float, ...] | None = None
    truncated: bool = False
    out_of_context: bool = False


class Agent(Protocol):
    """Anything that plays: a scripted expert, a local model, a remote one."""

    name: str

    def act(self, histories: Sequence[History]) -> list[Completion]:
        """One completion per history, in order."""
        ...

    def forget(self, episode: int) -> None:
        """The episode is over; drop what was kept for it."""
        ...
