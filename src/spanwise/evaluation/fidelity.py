"""How well a model does what recorded trajectories did, judged step by step and without an environment.

At each step the model is given the true history. How likely it finds what was written there is told by nats; what it
would have written instead is compared with it. A record is all that the summary needs: ``summarise_steps`` of the
records in a ``fidelity.jsonl`` gives the numbers of ``fidelity.json`` again. All are ratios of sums over steps, with
intervals by a bootstrap over tasks, because the steps of one task are not independent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spanwise.evaluation.matching import match_actions, rouge_l, token_f1, words
from spanwise.evaluation.record_files import dump_lines, read_lines
from spanwise.evaluation.statistics import UNIT_INTERVAL, Bounds, ratio
from spanwise.traces.segment import Segmentation, bare, segment
from spanwise.types import SpanKind

#: What all commands to think are alike in: the thought itself is judged as a thought.
_TO_THINK = "think"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One line of ``fidelity.jsonl``: a supervised step, and what the model makes of it.

    Attributes:
        id: Id of the trajectory.
        task_id: Of the trajectory.
        step: Index of the step.
        reason_nats: -log p of the written REASON tokens, summed.
        reason_tokens: How many these are.
        reason_characters: And how many characters.
        act_nats: The same for ACT, whose tokens include the end of the turn.
        act_tokens: See there.
        act_characters: See there.
        reason_kl: KL(teacher || model), nats, summed over REASON tokens; None without a teacher.
        act_kl: The same for ACT.
        completion: What the model writes after the true history.
        action: The command in it; None where there is none.
        reference_action: The command that was written; None where there was none, and then no command is judged.
        action_match: The command is the written one; like all that follow None where it is not judged.
        name_match: Its name is.
        argument_match: Its name and arguments are.
        argument_f1: F1 of the words of the arguments.
        parsed: The completion holds a command.
        rouge_l: Of the thought against the written one; like all that follow None where no thought was written.
        thought_f1: F1 of the words of the thought.
        thought_tokens: REASON tokens of the completion.
        reference_thought_tokens: REASON tokens that were written, counted alike.
        stopped: The model ended its turn within the limit.
        styled: The style cuts what was written as the trajectory says that it is cut.
    """

    id: str
    task_id: str
    step: int
    reason_nats: float
    reason_tokens: int
    reason_characters: int
    act_nats: float
    act_tokens: int
    act_characters: int
    reason_kl: float | None
    act_kl: float | None
    completion: str
    action: str | None
    reference_action: str | None
    action_match: bool | None
    name_match: bool | None
    argument_match: bool | None
    argument_f1: float | None
    parsed: bool | None
    rouge_l: float | None
    thought_f1: float | None
    thought_tokens: int | None
    reference_thought_tokens: int | None
    stopped: bool
    styled: bool


def judge_completion(
    completion: str, reference: str, style: str, count_thought: Callable[[str, Segmentation], int]
) -> dict[str, Any]:
    """The fields of a record that compare a completion with the one that was written, from ``action`` on.

    Args:
        completion: What the model wrote.
        reference: What was written.
        style: How both are cut; see ``traces/segment.py``.
        count_thought: How many REASON tokens a completion has.
    """
    ours, theirs = segment(completion, style), segment(reference, style)
    thought, written = words(_thought(completion, ours)), words(_thought(reference, theirs))
    values: dict[str, Any] = {"action": ours.action, "reference_action": theirs.action}
    names = ("action_match", "name_match", "argument_match", "argument_f1", "parsed")
    if theirs.action is None:
        values |= dict.fromkeys(names)
    else:
        said = _TO_THINK if ours.think_only else ours.action
        found = match_actions(said, _TO_THINK if theirs.think_only else theirs.action, style)
        judged = (found.exact, found.name, found.arguments, found.argument_f1, ours.action is not None)
        values |= zip(names, judged, strict=True)
    names = ("rouge_l", "thought_f1", "thought_tokens", "reference_thought_tokens")
    if not written:
        return values | dict.fromkeys(names)
    tokens = (count_thought(completion, ours), count_thought(reference, theirs))
    return values | dict(zip(names, (rouge_l(thought, written), token_f1(thought, written), *tokens), strict=True))


@dataclass(frozen=True, slots=True)
class StepMetric:
    """A ratio of sums over steps.

    Attributes:
        numerator: What is summed above; None where a step does not count.
        denominator: What is summed below.
        bounds: Least and greatest ratio that a step could show, where the definition gives them.
        meaning: The definition in words, for tables.
    """

    numerator: Callable[[StepRecord], float | None]
    denominator: Callable[[StepRecord], float | None]
    bounds: Bounds | None
    meaning: str


def _share(numerator: Callable[[StepRecord], float | None], meaning: str) -> StepMetric:
    return StepMetric(numerator, lambda step: 1, UNIT_INTERVAL, meaning)


#: ROUGE-L F1 from which on a thought counts as the written one in other words.
CLOSE = 0.7

#: The numbers of ``fidelity.json``, in the order of the table.
STEP_METRICS: dict[str, StepMetric] = {
    "action_match": _share(
        lambda step: step.action_match, "share of steps with the written command, white space aside"
    ),
    "name_match": _share(lambda step: step.name_match, "share of steps whose command has the written one's name"),
    "argument_match": _share(lambda step: step.argument_match, "share of steps with its name and its arguments"),
    "argument_f1": _share(lambda step: step.argument_f1, "F1 of the words of the command's arguments, mean over steps"),
    "thought_match": _share(
        lambda step: None if step.rouge_l is None else step.rouge_l == 1, "share of thoughts with the written words"
    ),
    "thought_close": _share(
        lambda step: None if step.rouge_l is None else step.rouge_l >= CLOSE,
        f"share of thoughts whose ROUGE-L F1 against the written one is {CLOSE} or more",
    ),
    "rouge_l": _share(lambda step: step.rouge_l, "ROUGE-L F1 of the thought against the written one, mean over steps"),
    "thought_f1": _share(lambda step: step.thought_f1, "F1 of the thought's words, mean over steps"),
    "thought_length_ratio": StepMetric(
        lambda step: step.thought_tokens,
        lambda step: step.reference_thought_tokens,
        None,
        "REASON tokens of the model's thoughts over those of the written ones",
    ),
    "parse_failure_rate": _share(
        lambda step: None if step.parsed is None else not step.parsed, "share of completions without a command"
    ),
    "stopped": _share(lambda step: step.stopped, "share of completions that the model ended within the limit"),
    "reason_nll": StepMetric(
        lambda step: step.reason_nats, lambda step: step.reason_tokens, None, "-log p of a written REASON token, nats"
    ),
    "act_nll": StepMetric(
        lambda step: step.act_nats, lambda step: step.act_tokens, None, "-log p of a written ACT token, nats"
    ),
    "reason_nll_per_character": StepMetric(
        lambda step: step.reason_nats,
        lambda step: step.reason_characters,
        None,
        "the same per character, to compare models of different tokenizers",
    ),
    "act_nll_per_character": StepMetric(
        lambda step: step.act_nats,
        lambda step: step.act_characters,
        None,
        "likewise; the end of the turn counts above and not below",
    ),
    "reason_kl": StepMetric(
        lambda step: step.reason_kl,
        lambda step: step.reason_tokens,
        None,
        "KL(teacher || model), nats per REASON token",
    ),
    "act_kl": StepMetric(
        lambda step: step.act_kl, lambda step: step.act_tokens, None, "KL(teacher || model), nats per ACT token"
    ),
}


_NO_STEP: dict[str, Any] = {"value": None, "low": None, "high": None, "n": 0, "tasks": 0}


def summarise_steps(records: Sequence[StepRecord], confidence: float = 0.95, seed: int = 0) -> dict[str, Any]:
    """The numbers of ``fidelity.json``. The order of the records is irrelevant.

    Returns:
        ``trajectories``, ``tasks`` and ``steps``: how many; ``metrics``: ``{value, low, high, n, tasks}`` for each of
        ``STEP_METRICS``, where ``n`` is the number of steps that count (0, and no value, where none does);
        ``left_out``: steps without a written thought, without a written command, and those that their style cuts
        otherwise than the trajectory.

    Raises:
        ValueError: There is no record.
    """
    if not records:
        raise ValueError("no step to summarise")
    records = sorted(records, key=lambda record: (record.id, record.step))
    return {
        "trajectories": len({record.id for record in records}),
        "tasks": len({record.task_id for record in records}),
        "steps": len(records),
        "metrics": {name: _estimate(metric, records, confidence, seed) for name, metric in STEP_METRICS.items()},
        "left_out": {
            "no_written_thought": sum(record.rouge_l is None for record in records),
            "no_written_command": sum(record.reference_action is None for record in records),
            "cut_otherwise": sum(not record.styled for record in records),
        },
    }


def completed_fidelity(results: dict[str, Any]) -> dict[str, Any]:
    """The content of a ``fidelity.json``; of one from before there were all of ``STEP_METRICS``, no step has others."""
    return {**results, "metrics": {name: results["metrics"].get(name, _NO_STEP) for name in STEP_METRICS}}


def dump_steps(records: Iterable[StepRecord]) -> str:
    """The text of ``fidelity.jsonl``: one JSON object a line."""
    return dump_lines(records)


def read_steps(path: Path) -> list[StepRecord]:
    """The records of a ``fidelity.jsonl``; what an interrupted writer left of its last line is passed over.

    Raises:
        TraceError: The file cannot be read, or a line is no record; the message names the line and the fields.
    """
    return read_lines(path, StepRecord, "a step's", growing=True)


def _thought(completion: str, cut: Segmentation) -> str:
    """What is thought in a completion, without the words of the style (``Thought:``, ``<think>``)."""
    spans = (completion[span.start : span.end] for span in cut.spans if span.kind is SpanKind.REASON)
    return " ".join(bare(line) for span in spans for line in span.splitlines())


def _estimate(metric: StepMetric, records: Sequence[StepRecord], confidence: float, seed: int) -> dict[str, Any]:
    above: dict[str, float] = defaultdict(float)
    below: dict[str, float] = defaultdict(float)
    count = 0
    for record in records:
        numerator, denominator = metric.numerator(record), metric.denominator(record)
        if numerator is None or not denominator:
            continue
        above[record.task_id] += numerator
        below[record.task_id] += denominator
        count += 1
    if not count:
        return _NO_STEP
    numerators, denominators = np.array(list(above.values())), np.array(list(below.values()))
    return {
        **asdict(ratio(numerators, denominators, confidence, seed, metric.bounds)),
        "n": count,
        "tasks": len(above),
    }
