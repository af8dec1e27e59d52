"""Fidelity of one model on recorded trajectories: read with the true history, step by step.

The folder fills as trajectories are done, so interrupted work goes on where it stopped::

    settings.json     what the records depend on; other settings are refused
    fidelity.jsonl    a record per step
    fidelity.json     the summary, recomputable from fidelity.jsonl; written last: where it is, all is done
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spanwise.data.batching import batches_of_similar_length
from spanwise.data.render import Rendering, make_rendering
from spanwise.data.tokenize import TokenizedTrajectory, tokenize_samples, tokenize_trajectory
from spanwise.devices import on_best_device
from spanwise.errors import TraceError
from spanwise.evaluation.fidelity import StepRecord, dump_steps, judge_completion, read_steps, summarise_steps
from spanwise.evaluation.models import describe_model
from spanwise.evaluation.rollouts import claim
from spanwise.run_directory import digest, write_atomically
from spanwise.traces.jsonl import trajectory_to_json
from spanwise.traces.segment import STYLES, Segmentation, segment
from spanwise.traces.splits import choose
from spanwise.types import SCHEMA_VERSION, SpanKind, Step, Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from spanwise.training.scoring import RowScores

#: Called with the number of steps that are done, and of all.
Progress = Callable[[int, int], None]

RESULT, RECORDS = "fidelity.json", "fidelity.jsonl"

#: Where a trajectory says how its completions are cut.
STYLE = "style"

#: Tokens of the episodes that are in the cache at a time: bounds the memory that it takes.
_CACHED_TOKENS = 32768

_PACKAGES = ("spanwise", "torch", "transformers", "tokenizers", "numpy", "scipy", "rapidfuzz")


@dataclass(frozen=True, slots=True)
class FidelitySettings:
    """How a model is judged.

    Attributes:
        rendering: Text that the model reads; the one that it was trained with.
        style: How completions are cut where a trajectory does not say.
        max_new_tokens: Tokens after which a completion is cut off.
        limit: Trajectories; None: all.
        concurrency: Episodes in lock-step, at most.
        confidence: Of the intervals.
        seed: Of their bootstrap.
    """

    rendering: Literal["plain", "chat"] = "plain"
    style: str = "react"
    max_new_tokens: int = 160
    limit: int | None = None
    concurrency: int = 64
    confidence: float = 0.95
    seed: int = 0


def measure_fidelity(
    model: Path,
    trajectories: Sequence[Trajectory],
    out: Path,
    settings: FidelitySettings,
    name: str,
    teacher: Path | None = None,
    progress: Progress = lambda done, of_all: None,
    named_by_content: bool = False,
) -> dict[str, Any]:
    """Judges what is not yet judged, and writes records and summary to ``out``.

    Args:
        model: The folder of the model.
        trajectories: What was written, best not learnt from; steps that are not supervised are only read.
        out: The folder; may hold part of the same work.
        settings: How.
        name: How the results name the model.
        teacher: The folder of a model with the same vocabulary, for the divergence from it.
        progress: Told how many steps are done.
        named_by_content: ``out`` is where the folder lies, whose name is a hash of what its content depends on.

    Returns:
        The content of ``fidelity.json``; its ``provenance.folder`` says where that is.

    Raises:
        ModelError: A folder holds no model, or teacher and model have different vocabularies.
        TraceError: No step can be judged, or ``fidelity.jsonl`` is damaged.
        RunDirectoryError: ``out`` holds other work, or cannot be written.
        TokenizationError: A trajectory cannot be rendered.
    """
    from spanwise.agents.continuations import Continuations
    from spanwise.training.models import check_same_vocabulary, load_model, load_tokenizer
    from spanwise.training.projection import check_head
    from spanwise.training.scoring import score_rows

    chosen = choose(trajectories, settings.limit)
    for one in chosen:
        if (style := one.metadata.get(STYLE, settings.style)) not in STYLES:
            raise TraceError(f"trajectory {one.id!r}: metadata.style: found {style!r}; there are: {', '.join(STYLES)}")
    facts = describe_model(model)
    of_teacher = None if teacher is None else describe_model(teacher)
    tokenizer = load_tokenizer(model)
    if teacher is not None:
        check_same_vocabulary(load_tokenizer(teacher), tokenizer)
    inputs = {
        "model": facts.sha256,
        "teacher": None if of_teacher is None else of_teacher.sha256,
        "trajectories": sha256("\n".join(map(trajectory_to_json, chosen)).encode()).hexdigest(),
        "rendering": settings.rendering,
        "style": settings.style,
        "max_new_tokens": settings.max_new_tokens,
    }
    if named_by_content:
        out = out / digest(inputs)[:12]
    claim(out, inputs, RECORDS)
    judged = on_best_device(load_model(model))
    asked = None if teacher is None else on_best_device(load_model(teacher))
    for one in (judged,) if asked is None else (judged, asked):
        check_head(one)
    rendering = make_rendering(settings.rendering, tokenizer)
    writer = Continuations(judged, tokenizer, settings.max_new_tokens, rendering)
    episodes = [_episode(one, tokenizer, rendering, writer.context_length) for one in chosen]
    total = sum(len(one.places) for one in episodes)
    if not total:
        raise TraceError(f"none of the {len(chosen)} trajectories has a step that can be judged")
    path = out / RECORDS
    known = _finished(path, {one.trajectory.id: len(one.places) for one in episodes})
    done = sum(map(len, known.values()))
    progress(done, total)
    left = [one for one in episodes if one.places and one.trajectory.id not in known]

    def advance(steps: int) -> None:
        nonlocal done
        done += steps
        progress(done, total)

    with path.open("a", encoding="utf-8") as lines:
        for wave in _waves(left, settings):
            rows = [row for one in wave for row in one.rows]
            scores = iter(score_rows(judged, rows, len(tokenizer), asked))
            written = writer.complete([one.prompts for one in wave], advance)
            for one, completions in zip(wave, written, strict=True):
                scored = [next(scores) for _ in one.rows]
                judgements = [(completion.text, not completion.truncated) for completion in completions]
                known[one.trajectory.id] = records = _records(one, scored, judgements, settings.style, tokenizer)
                lines.write(dump_steps(records))
                lines.flush()
    records = [record for one in episodes for record in known.get(one.trajectory.id, ())]
    summary = summarise_steps(records, settings.confidence, settings.seed)
    summary["left_out"]["beyond_context"] = sum(one.beyond for one in episodes)
    results = {
        "schema_version": SCHEMA_VERSION,
        "agent": name,
        "confidence": settings.confidence,
        **summary,
        "provenance": {
            "model": asdict(facts),
            "teacher": None if of_teacher is None else asdict(of_teacher),
            "settings": asdict(settings),
            "folder": str(out),
            "versions": {package: importlib.metadata.version(package) for package in _PACKAGES},
            "machine": {
                "platform": f"{platform.system()} {platform.machine()}",
                "python": platform.python_version(),
                "cores": os.cpu_count(),
            },
        },
    }
    write_atomically(path, dump_steps(records))
    write_atomically(out / RESULT, json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return results


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a step is: its index, its row, and the supervised positions of that row which are its own."""

    step: int
    row: int
    mine: np.ndarray
    kinds: np.ndarray


@dataclass(frozen=True, slots=True)
class _Episode:
    """A trajectory as the model reads it, without the ``beyond`` steps that do not fit its context."""

    trajectory: Trajectory
    rows: list[TokenizedTrajectory]
    places: list[_Place]
    prompts: list[list[int]]
    beyond: int

    @property
    def tokens(self) -> int:
        """Of its longest row."""
        return max(map(len, self.rows))


def _episode(
    trajectory: Trajectory, tokenizer: PreTrainedTokenizerBase, rendering: Rendering, context_length: int
) -> _Episode:
    rows, places, prompts, beyond = [], [], [], 0
    for row in tokenize_samples(trajectory, tokenizer, rendering):
        positions = np.flatnonzero(row.kind != SpanKind.CONTEXT)
        steps = row.step[positions]
        for step in np.unique(steps).tolist():
            mine = np.flatnonzero(steps == step)
            if positions[mine[-1]] >= context_length:
                beyond += 1
                continue
            places.append(_Place(step, len(rows), mine, row.kind[positions[mine]]))
            prompts.append(row.input_ids[: positions[mine[0]] + 1].tolist())
        rows.append(row.until(context_length))
    return _Episode(trajectory, rows, places, prompts, beyond)


def _waves(episodes: Sequence[_Episode], settings: FidelitySettings) -> Iterator[list[_Episode]]:
    """Episodes of like length that go together."""
    lengths = [one.tokens + settings.max_new_tokens for one in episodes]
    for batch in batches_of_similar_length(lengths, _CACHED_TOKENS):
        for start in range(0, len(batch), settings.concurrency):
            yield [episodes[index] for index in batch[start : start + settings.concurrency]]


def _records(
    episode: _Episode,
    scores: Sequence[RowScores],
    completions: Sequence[tuple[str, bool]],
    default_style: str,
    tokenizer: PreTrainedTokenizerBase,
) -> list[StepRecord]:
    trajectory = episode.trajectory
    style = trajectory.metadata.get(STYLE, default_style)
    records = []
    for place, (completion, stopped) in zip(episode.places, completions, strict=True):
        step = trajectory.steps[place.step]
        values: dict[str, Any] = {}
        of_row = scores[place.row]
        for kind, label in ((SpanKind.REASON, "reason"), (SpanKind.ACT, "act")):
            mine = place.mine[place.kinds == kind]
            values[f"{label}_nats"] = float(of_row.nats[mine].sum())
            values[f"{label}_tokens"] = len(mine)
            values[f"{label}_characters"] = len(step.text(kind))
            values[f"{label}_kl"] = None if of_row.kl is None else float(of_row.kl[mine].sum())
        values |= judge_completion(
            completion, step.completion, style, lambda text, cut: _reason_tokens(text, cut, tokenizer)
        )
        records.append(
            StepRecord(
                id=trajectory.id,
                task_id=trajectory.task_id,
                step=place.step,
                completion=completion,
                stopped=stopped,
                styled=segment(step.completion, style).spans == step.spans,
                **values,
            )
        )
    return records


def _reason_tokens(completion: str, cut: Segmentation, tokenizer: PreTrainedTokenizerBase) -> int:
    """REASON tokens of a completion, tokenised as text whoever wrote it, so that like is compared with like."""
    step = Step("", completion, cut.action, cut.spans)
    alone = Trajectory("", "", "", "", 0, "", (step,), None, None, "unknown")
    return tokenize_trajectory(alone, tokenizer).count(SpanKind.REASON)


def _finished(path: Path, expected: dict[str, int]) -> dict[str, list[StepRecord]]:
    """The records of trajectories that are whole; the file is left with these alone."""
    if not path.exists():
        return {}
    found: dict[str, list[StepRecord]] = defaultdict(list)
    for record in read_steps(path):
        found[record.id].append(record)
    whole = {one: records for one, records in found.items() if len(records) == expected.get(one)}
    write_atomically(path, "".join(map(dump_steps, whole.values())))
    return whole
