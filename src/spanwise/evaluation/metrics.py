"""What an episode cost and brought, and what many episodes say of an agent.

A record is all that the summary needs: ``summarise(read_records(...))`` of an ``episodes.jsonl`` gives the numbers of
``results.json`` again, exactly. Rates per step and per turn are ratios of sums, with intervals by a bootstrap over
tasks, because the steps of one episode are not independent; the share of successes has Wilson's interval.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spanwise.errors import TraceError
from spanwise.evaluation.failures import failure, has_loop
from spanwise.evaluation.record_files import dump_lines, read_lines
from spanwise.evaluation.statistics import UNIT_INTERVAL, Bounds, Estimate, proportion, ratio
from spanwise.types import SpanKind, Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: Where the rollout loop leaves them in a trajectory's metadata.
TASK_TYPE = "task_type"
SECONDS = "agent_seconds"


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """One line of ``episodes.jsonl``.

    Attributes:
        id: Id of the trajectory.
        task_id: The task played.
        task_type: Its type.
        seed: Seed of the episode.
        success: The task was solved.
        reward: Final reward.
        steps: Actions that the environment carried out or refused; what the budget counts.
        turns: Completions, those without an action and think-only ones included.
        tokens: Tokens written, end-of-turn tokens included; None where no tokenizer says.
        reasoning_tokens: Those of kind REASON; None where no tokenizer says (words are not tokens).
        action_tokens: Those of kind ACT, end-of-turn tokens included.
        parse_failures: Turns without an action.
        invalid_actions: Actions that the environment refused.
        seconds: The agent's time on this episode (its even share where several were answered in one call; the
            environment's time is not in it); None where it was not measured.
        stop_reason: Why it ended; see :class:`~spanwise.types.Trajectory`. ``error`` is an episode that crashed.
        looped: Whether it went round in a circle (``failures.py``); None in records from before this was looked for.
    """

    id: str
    task_id: str
    task_type: str
    seed: int
    success: bool
    reward: float
    steps: int
    turns: int
    tokens: int | None
    reasoning_tokens: int | None
    action_tokens: int | None
    parse_failures: int
    invalid_actions: int
    seconds: float | None
    stop_reason: str
    looped: bool | None = None


def record_episode(trajectory: Trajectory, tokenizer: PreTrainedTokenizerBase | None = None) -> EpisodeRecord:
    """The record of one episode.

    Args:
        trajectory: What happened.
        tokenizer: Tells the tokens of each kind; for a scripted agent, the tokenizer of the models that it is
            compared with. Without it, counts of tokens are None, but for a total that the token ids give.

    Raises:
        TraceError: The outcome is not known, or the reward does not lie within [0, 1].
    """
    if trajectory.reward is None or trajectory.success is None:
        raise TraceError(f"trajectory {trajectory.id!r}: an episode that was played has reward and success, found none")
    if not 0 <= trajectory.reward <= 1:
        raise TraceError(f"trajectory {trajectory.id!r}: reward: found {trajectory.reward}, it must lie within [0, 1]")
    counts = None if tokenizer is None else _count_tokens(trajectory, tokenizer)
    generated = [step.token_ids for step in trajectory.steps]
    total = sum(map(len, generated)) if all(ids is not None for ids in generated) else None  # pyright: ignore
    return EpisodeRecord(
        id=trajectory.id,
        task_id=trajectory.task_id,
        task_type=str(trajectory.metadata.get(TASK_TYPE, "")),
        seed=trajectory.seed,
        success=trajectory.success,
        reward=trajectory.reward,
        steps=sum(step.valid is not None for step in trajectory.steps),
        turns=len(trajectory.steps),
        tokens=total if counts is None else sum(counts.values()),
        reasoning_tokens=None if counts is None else counts[SpanKind.REASON],
        action_tokens=None if counts is None else counts[SpanKind.ACT],
        parse_failures=sum(step.action is None for step in trajectory.steps),
        invalid_actions=sum(step.valid is False for step in trajectory.steps),
        seconds=trajectory.metadata.get(SECONDS),
        stop_reason=trajectory.stop_reason,
        looped=has_loop([(step.observation, step.action or step.completion) for step in trajectory.steps]),
    )


@dataclass(frozen=True, slots=True)
class Metric:
    """A ratio of sums over episodes.

    Attributes:
        numerator: What is summed above; None where an episode's record does not know.
        denominator: What is summed below.
        bounds: Least and greatest ratio that an episode could show, where the definition gives them.
        meaning: The definition in words, for tables.
    """

    numerator: Callable[[EpisodeRecord], float | None]
    denominator: Callable[[EpisodeRecord], int]
    bounds: Bounds | None
    meaning: str


def _episode(_: EpisodeRecord) -> int:
    return 1


#: The numbers of ``results.json``, in the order of the table. A reward lies within [0, 1], as in all three benchmarks.
METRICS: dict[str, Metric] = {
    "success_rate": Metric(
        lambda episode: episode.success, _episode, UNIT_INTERVAL, "share of episodes that solved the task"
    ),
    "reward": Metric(lambda episode: episode.reward, _episode, UNIT_INTERVAL, "mean final reward"),
    "steps": Metric(
        lambda episode: episode.steps, _episode, None, "mean actions an episode used, failed episodes included"
    ),
    "reasoning_tokens_per_step": Metric(
        lambda episode: episode.reasoning_tokens, lambda episode: episode.steps, None, "REASON tokens per action"
    ),
    "tokens_per_step": Metric(
        lambda episode: episode.tokens,
        lambda episode: episode.steps,
        None,
        "tokens written per action, ends of turns included",
    ),
    "parse_failure_rate": Metric(
        lambda episode: episode.parse_failures,
        lambda episode: episode.turns,
        UNIT_INTERVAL,
        "share of turns without an action",
    ),
    "invalid_action_rate": Metric(
        lambda episode: episode.invalid_actions,
        lambda episode: episode.steps,
        UNIT_INTERVAL,
        "share of actions that the environment refused",
    ),
    "loop_rate": Metric(
        lambda episode: episode.looped,
        _episode,
        UNIT_INTERVAL,
        "share of episodes that did the same after the same three times in a row, alone or in a circle of turns",
    ),
    "seconds_per_step": Metric(
        lambda episode: episode.seconds, lambda episode: episode.steps, None, "the agent's seconds per action, batched"
    ),
}


def summarise(records: Sequence[EpisodeRecord], confidence: float = 0.95, seed: int = 0) -> dict[str, Any]:
    """The numbers of ``results.json``: for all episodes, and for each type of task.

    Episodes that crashed count as failures, and apart under ``stop_reasons``. The order of the records is irrelevant.

    Returns:
        ``n``, then ``{value, low, high}`` for each of ``METRICS`` (all three None where it is not known),
        ``by_task_type`` with the same per type, ``stop_reasons`` with a count for each, ``failures`` with how many
        episodes were lost by what (``failures.py``), and ``unknown`` with a reason for each metric that could not be
        computed.

    Raises:
        ValueError: There is no record, or two are of the same task and seed.
    """
    if not records:
        raise ValueError("no episode to summarise")
    records = sorted(records, key=lambda record: (record.task_id, record.seed))
    for record, following in itertools.pairwise(records):
        if (record.task_id, record.seed) == (following.task_id, following.seed):
            raise ValueError(f"task {record.task_id!r} was recorded twice with seed {record.seed}")
    by_type: dict[str, list[EpisodeRecord]] = defaultdict(list)
    for record in records:
        by_type[record.task_type].append(record)
    return {
        **_summary(records, confidence, seed),
        "by_task_type": {name: _summary(by_type[name], confidence, seed) for name in sorted(by_type)},
        "stop_reasons": dict(sorted(Counter(record.stop_reason for record in records).items())),
        "failures": dict(sorted(Counter(failure(record) for record in records if not record.success).items())),
        "unknown": {name: reason for name, metric in METRICS.items() if (reason := _why_unknown(metric, records))},
    }


def estimate(metric: Metric, records: Sequence[EpisodeRecord], confidence: float, seed: int) -> Estimate | None:
    """One metric over some episodes; None where it is not known of all of them, or where nothing can be divided by."""
    if _why_unknown(metric, records):
        return None
    numerators: dict[str, float] = defaultdict(float)
    denominators: dict[str, float] = defaultdict(float)
    for record in records:
        numerators[record.task_id] += metric.numerator(record) or 0
        denominators[record.task_id] += metric.denominator(record)
    above, below = np.array(list(numerators.values())), np.array(list(denominators.values()))
    if metric.bounds == UNIT_INTERVAL and (below == 1).all() and np.isin(above, (0, 1)).all():
        return proportion(int(above.sum()), len(above), confidence)
    return ratio(above, below, confidence, seed, metric.bounds)


def completed(results: dict[str, Any]) -> dict[str, Any]:
    """The content of a ``results.json``; of one from before there were all of ``METRICS``, the others are not known."""
    absent = [name for name in METRICS if name not in results]
    unknown = {name: {"value": None, "low": None, "high": None} for name in absent}
    reasons = dict.fromkeys(absent, "not measured when this was evaluated")
    return {
        "failures": None,
        **results,
        **unknown,
        "by_task_type": {name: {**one, **unknown} for name, one in results["by_task_type"].items()},
        "unknown": {**results["unknown"], **reasons},
    }


def dump_records(records: Iterable[EpisodeRecord]) -> str:
    """The text of ``episodes.jsonl``: one JSON object a line."""
    return dump_lines(records)


def read_records(path: Path) -> list[EpisodeRecord]:
    """The records of an ``episodes.jsonl``.

    Raises:
        TraceError: The file cannot be read, or a line is no record; the message names the line and the fields.
    """
    return read_lines(path, EpisodeRecord, "an episode's")


def _count_tokens(trajectory: Trajectory, tokenizer: PreTrainedTokenizerBase) -> dict[SpanKind, int]:
    # Only counting needs the tokenising half of the package; summaries and reports do not wait for it.
    from spanwise.evaluation.tokens import count_tokens

    return count_tokens(trajectory, tokenizer)


def _summary(records: Sequence[EpisodeRecord], confidence: float, seed: int) -> dict[str, Any]:
    summary: dict[str, Any] = {"n": len(records)}
    for name, metric in METRICS.items():
        found = estimate(metric, records, confidence, seed)
        summary[name] = asdict(found) if found else {"value": None, "low": None, "high": None}
    return summary


def _why_unknown(metric: Metric, records: Sequence[EpisodeRecord]) -> str | None:
    missing = sum(metric.numerator(record) is None for record in records)
    if missing:
        return f"not known of {missing} of {len(records)} episodes"
    if not any(metric.denominator(record) for record in records):
        return "no episode has an action to divide by"
    return None
