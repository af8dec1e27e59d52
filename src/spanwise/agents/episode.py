"""One episode as it is being played: what was said, what is owed an answer, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field

from spanwise.agents.protocol import Completion, History
from spanwise.config import EnvironmentConfig
from spanwise.environments.workers import Answer
from spanwise.traces.goal import goal_of
from spanwise.traces.segment import Segmentation, segment
from spanwise.types import Step, Trajectory

#: What a turn is answered that was a thought, and one that held no command. The environment sees neither.
THINK_REPLY = "OK."
PARSE_FAILURE_REPLY = "Nothing happens."


@dataclass(frozen=True, slots=True)
class EpisodeSpec:
    """One episode to play."""

    task_id: str
    task_type: str
    seed: int

    @property
    def trajectory_id(self) -> str:
        """Id of the trajectory that it becomes; what resuming goes by."""
        return f"{self.task_id}#{self.seed}"


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """How episodes are played.

    Attributes:
        budget: Actions that an episode may hand to the environment; thoughts and parse failures are not counted.
        style: How completions are cut; see ``traces/segment.py``.
        concurrency: Episodes in lock-step.
        workers: Processes that play the environments; 0: this one.
        max_parse_failures: Completions without a command, in a row, after which an episode ends.
        max_turns: Turns of any sort that an episode may have; default: twice the budget.
        constrained: Models may only choose commands that the environment lists.
    """

    budget: int = 50
    style: str = "react"
    concurrency: int = 64
    workers: int = 2
    max_parse_failures: int = 3
    max_turns: int | None = None
    constrained: bool = False

    @classmethod
    def of(cls, environment: EnvironmentConfig, concurrency: int, constrained: bool = False) -> RolloutSettings:
        """How a recipe has an environment played."""
        return cls(
            environment.budget,
            environment.style,
            concurrency,
            environment.workers,
            max_turns=environment.budget if environment.count_thoughts else None,
            constrained=constrained,
        )

    @property
    def turn_limit(self) -> int:
        """Turns of any sort that an episode may have."""
        return 2 * self.budget if self.max_turns is None else self.max_turns


@dataclass(slots=True)
class Episode:
    """An episode that is being played: ``say`` and ``hear`` in turn, until there is a ``stop_reason``.

    Between ``say`` and ``hear`` the agent's turn is ``pending``: its step is recorded once the answer is known.
    """

    number: int
    spec: EpisodeSpec
    observation: str | None = None  # what the agent must answer next
    admissible: tuple[str, ...] | None = None  # the commands that it must choose from
    steps: list[Step] = field(default_factory=list)
    pending: tuple[Completion, Segmentation] | None = None
    actions: int = 0
    parse_failures: int = 0  # in a row
    truncated: int = 0
    reward: float = 0.0
    stop_reason: str | None = None
    error: str | None = None
    agent_seconds: float = 0.0
    environment_seconds: float = 0.0

    @property
    def action(self) -> str | None:
        """The command that the environment must answer next."""
        return self.pending[1].action if self.pending is not None else None

    def history(self) -> History:
        """What the agent knows."""
        assert self.observation is not None
        return History(
            self.number, self.spec.task_id, self.spec.seed, tuple(self.steps), self.observation, self.admissible
        )

    def say(self, completion: Completion, settings: RolloutSettings, seconds: float) -> None:
        """The agent's turn. A thought or a parse failure is answered here; a command stays pending."""
        self.agent_seconds += seconds
        if completion.out_of_context:
            self.stop_reason = "context"
            return
        self.truncated += completion.truncated
        segmentation = segment(completion.text, settings.style)
        self.pending = (completion, segmentation)
        self.parse_failures = self.parse_failures + 1 if segmentation.action is None else 0
        if segmentation.action is None:
            self._record(PARSE_FAILURE_REPLY, valid=None)
        elif segmentation.think_only:
            self._record(THINK_REPLY, valid=None)

    def hear(self, answer: Answer) -> None:
        """The environment's turn: its answer to the pending command, or its first observation."""
        self.environment_seconds += answer.seconds
        outcome = answer.outcome
        if outcome is None:
            self.stop_reason, self.error = "error", answer.error
            self._record(None, valid=None)
            return
        self.actions += self.pending is not None
        self.reward = outcome.reward
        self.admissible = answer.admissible
        self._record(outcome.observation, valid=outcome.valid)
        if outcome.done:
            self.stop_reason = "success" if outcome.success else "done"

    def check_limits(self, settings: RolloutSettings) -> None:
        """Ends the episode if it may not go on."""
        if self.stop_reason is not None or self.pending is not None:
            return
        if self.parse_failures >= settings.max_parse_failures:
            self.stop_reason = "parse"
        elif self.actions >= settings.budget or len(self.steps) >= settings.turn_limit:
            self.stop_reason = "budget"

    def trajectory(self, environment: str, agent: str) -> Trajectory:
        """The record of the episode."""
        first = (self.steps[0].observation if self.steps else self.observation) or ""
        metadata = {
            "task_type": self.spec.task_type,
            "actions": self.actions,
            "tokens": sum(len(step.token_ids or ()) for step in self.steps),
            "truncated": self.truncated,
            "agent_seconds": round(self.agent_seconds, 6),
            "environment_seconds": round(self.environment_seconds, 6),
        }
        return Trajectory(
            id=self.spec.trajectory_id,
            task_id=self.spec.task_id,
            environment=environment,
            agent=agent,
            seed=self.spec.seed,
            task=goal_of(first),
            steps=tuple(self.steps),
            reward=self.reward,
            success=self.stop_reason == "success",
            stop_reason=self.stop_reason or "",
            metadata=metadata if self.error is None else {**metadata, "error": self.error},
            final_observation=self.observation,
        )

    def _record(self, reply: str | None, valid: bool | None) -> None:
        """Closes the pending turn, if there is one, and makes the reply the next observation."""
        if self.pending is not None:
            completion, segmentation = self.pending
            assert self.observation is not None
            step = Step(
                observation=self.observation,
                completion=completion.text,
                action=segmentation.action,
                spans=segmentation.spans,
                token_ids=completion.token_ids,
                logprobs=completion.logprobs,
                valid=valid,
            )
            self.steps.append(step)
            self.pending = None
        self.observation = reply
