"""From logs to trajectories: every record is read by its format, cut into spans, filtered and counted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from spanwise.errors import TraceError
from spanwise.traces.bodies import BODY_KEYS, find_bodies
from spanwise.traces.formats import FORMATS, detect
from spanwise.traces.formats.messages import text_of
from spanwise.traces.goal import goal_of
from spanwise.traces.outcomes import read_outcome
from spanwise.traces.raw import Body, RawEpisode, RawTurn
from spanwise.traces.records import Damaged, Record, read_records
from spanwise.traces.segment import join_spans, made_up_at, segment
from spanwise.types import SpanKind, Step, Trajectory

_TASK_KEYS = ("task_id", "game", "game_file", "question_id", "qid", "instance_id", "name", "item_id")
_SOURCE_KEYS = ("id", "uuid", "index", "trace_id", "session_id", "sessionId", "_id")
_TASK_TEXT_KEYS = ("task", "question", "goal", "query", "instruction", "claim")
_SYSTEM_KEYS = ("system", "system_prompt", "instructions")
_AGENT_KEYS = ("agent", "model", "model_name", "model_name_or_path")
_ENVIRONMENT_KEYS = ("environment", "env", "dataset", "benchmark", "domain", "split_name")

#: Examples of each thing that went wrong which a summary keeps.
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What is imported, and how.

    Attributes:
        format: A key of ``FORMATS``; None: each record tells its own.
        made_up: What becomes of a completion that goes on with an observation of its own: ``cut`` there, or ``drop``
            the step from training (it stays in the history).
        only_successful: Leave out what was not won; what no log tells, too.
        min_reward: Leave out lower rewards, and unknown ones.
        min_steps: Leave out shorter trajectories.
        max_steps: Leave out longer ones.
        max_characters: Leave out trajectories whose text is longer.
        deduplicate: Keep one of those that are equal, word for word, outcome included.
        keep_system: Keep what stood before the episode: instructions and examples.
    """

    format: str | None = None
    made_up: Literal["cut", "drop"] = "cut"
    only_successful: bool = False
    min_reward: float | None = None
    min_steps: int = 1
    max_steps: int | None = None
    max_characters: int | None = None
    deduplicate: bool = False
    keep_system: bool = True


@dataclass(slots=True)
class ImportSummary:
    """What came of an import; all counts.

    Attributes:
        records: Units that the files held.
        episodes: Episodes found in them.
        kept: Trajectories written.
        formats: Records of each format.
        evidence: Why the first record of each format was taken for it.
        failures: Records in which no episode was found, by reason.
        dropped: Episodes that were left out, by reason.
        examples: Places of some of both, by reason.
        steps, no_thought, no_action, think_only, unsupervised: Steps of what was kept.
        made_up: Completions that made up an observation.
        outcomes: Kept trajectories by outcome.
        styles: Kept trajectories by style.
        characters: Of completions, by kind, and of all else.
    """

    records: int = 0
    episodes: int = 0
    kept: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    evidence: dict[str, str] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    steps: int = 0
    no_thought: int = 0
    no_action: int = 0
    think_only: int = 0
    unsupervised: int = 0
    made_up: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    styles: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)

    def note(self, counter: Counter[str], reason: str, place: str) -> None:
        """Counts something that went wrong, and remembers where."""
        counter[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(place)


def import_traces(
    paths: list[Path],
    options: ImportOptions,
    summary: ImportSummary,
    progress: Callable[[Path, int], None] | None = None,
) -> Iterator[Trajectory]:
    """Yields the trajectories of files of logs, one at a time; ``summary`` fills as they come.

    Args:
        paths: The files.
        options: What to keep.
        summary: Is added to.
        progress: Told the file, and the bytes of it that were read.

    Raises:
        TraceError: A file cannot be read, or the format that was asked for does not exist.
    """
    if options.format is not None and options.format not in FORMATS:
        raise TraceError(f"unknown format {options.format!r}; there are: {', '.join(FORMATS)}")
    seen: set[bytes] = set()
    for path in paths:
        stem = path.name.split(".")[0]
        prefix = stem if sum(other.name.split(".")[0] == stem for other in paths) == 1 else f"{path.parent.name}-{stem}"
        number = 0
        for record in read_records(path):
            summary.records += 1
            for trajectory in _read(record, options, summary):
                number += 1
                named = replace(trajectory, id=f"{prefix}-{number}")
                if _wanted(named, options, summary, seen, record.place):
                    _count(named, summary)
                    yield named
            if progress is not None:
                progress(path, record.position)


def _read(record: Record | Damaged, options: ImportOptions, summary: ImportSummary) -> Iterator[Trajectory]:
    """The trajectories of a record; what is none is noted."""
    if isinstance(record, Damaged):
        summary.note(summary.failures, record.reason.partition(":")[0], record.place)
        return
    found = _find(record.value, options.format)
    if isinstance(found, str):
        summary.note(summary.failures, found, record.place)
        return
    body, name, evidence = found
    summary.formats[name] += 1
    summary.evidence.setdefault(name, evidence)
    count = 0
    for episode in FORMATS[name].episodes(body):
        if episode.turns:
            count += 1
            yield _build(episode, name, record, body.fields, options, summary)
    summary.episodes += count
    if not count:
        summary.note(summary.failures, f"looks like {name}, but no agent speaks in it", record.place)


def _find(value: Any, asked: str | None) -> tuple[Body, str, str] | str:
    """The trajectory in a record, its format and the evidence for it; or why there is none."""
    empty = isinstance(value, dict) and any(key in value and not value[key] for key in BODY_KEYS)
    reason = "holds an empty trajectory" if empty else "holds no trajectory under any known key"
    for body in find_bodies(value):
        reason = "is of no known format"
        if asked is None:
            found = detect(body)
        else:
            evidence = FORMATS[asked].evidence(body)
            found = None if evidence is None else (asked, evidence)
            reason = f"does not look like {asked}"
        if found is not None:
            return body, *found
    return reason


def _build(
    episode: RawEpisode,
    name: str,
    record: Record,
    fields: dict[str, Any],
    options: ImportOptions,
    summary: ImportSummary,
) -> Trajectory:
    """The trajectory of an episode: completions cut into spans, outcome and names read from the record."""
    steps = tuple(_step(turn, episode.style, options, summary) for turn in episode.turns)
    success, reward = episode.success, episode.reward
    if success is None and reward is None:
        success, reward = read_outcome(fields, episode.final_observation)
    elif reward is None and success is not None:
        reward = float(success)
    reason = episode.stop_reason or ("unknown" if success is None else "success" if success else "done")
    first = steps[0].observation
    task = _text_of(fields, _TASK_TEXT_KEYS) or episode.task or goal_of(first)
    source = _text_of(fields, _SOURCE_KEYS) or record.key
    metadata = {"style": episode.style, "format": name, "source": record.place, **episode.metadata}
    return Trajectory(
        id="",
        task_id=_text_of(fields, _TASK_KEYS) or _digest(task, first),
        environment=_text_of(fields, _ENVIRONMENT_KEYS) or "unknown",
        agent=_agent(fields) or "unknown",
        seed=0,
        task=task,
        steps=steps,
        reward=reward,
        success=success,
        stop_reason=reason,
        metadata=metadata if source is None else {**metadata, "source_id": source},
        final_observation=episode.final_observation,
        system=_system(fields, episode.system) if options.keep_system else None,
        tools=episode.tools or _tools(fields),
    )


def _step(turn: RawTurn, style: str, options: ImportOptions, summary: ImportSummary) -> Step:
    completion, supervised = turn.completion, turn.supervised
    if turn.parts is not None:
        starts, position = [], 0
        for kind, text in turn.parts:
            starts.append((position, kind))
            position += len(text)
        return Step(turn.observation, completion, turn.action, join_spans(completion, starts), supervised=supervised)
    made_up = made_up_at(completion, style)
    if made_up is not None:
        summary.made_up += 1
        said = completion[:made_up].rstrip()
        if options.made_up == "cut" and said:
            completion = said
        else:
            supervised = False
    cut = segment(completion, style)
    return Step(turn.observation, completion, cut.action, cut.spans, supervised=supervised)


def _wanted(
    trajectory: Trajectory, options: ImportOptions, summary: ImportSummary, seen: set[bytes], place: str
) -> bool:
    """Whether a trajectory is kept; if not, why is noted."""
    reason = None
    steps = len(trajectory.steps)
    length = sum(len(step.observation) + len(step.completion) for step in trajectory.steps)
    if options.only_successful and trajectory.success is not True:
        reason = "not won" if trajectory.success is False else "outcome unknown"
    elif options.min_reward is not None and (trajectory.reward is None or trajectory.reward < options.min_reward):
        reason = "reward unknown" if trajectory.reward is None else f"reward below {options.min_reward:g}"
    elif steps < options.min_steps:
        reason = f"fewer than {options.min_steps} steps"
    elif options.max_steps is not None and steps > options.max_steps:
        reason = f"more than {options.max_steps} steps"
    elif options.max_characters is not None and length > options.max_characters:
        reason = f"more than {options.max_characters} characters"
    elif not any(step.supervised and step.completion for step in trajectory.steps):
        reason = "nothing to learn from"
    elif options.deduplicate:
        key = _fingerprint(trajectory)
        if key in seen:
            reason = "equal to an earlier one"
        seen.add(key)
    if reason is not None:
        summary.note(summary.dropped, reason, place)
    return reason is None


def _count(trajectory: Trajectory, summary: ImportSummary) -> None:
    summary.kept += 1
    summary.styles[trajectory.metadata["style"]] += 1
    summary.outcomes[{True: "success", False: "failed", None: "unknown"}[trajectory.success]] += 1
    summary.characters["context"] += len(trajectory.system or "") + len(trajectory.final_observation or "")
    for step in trajectory.steps:
        kinds = {span.kind for span in step.spans}
        thought_only = SpanKind.ACT not in kinds and step.action is not None
        summary.steps += 1
        summary.no_thought += SpanKind.REASON not in kinds
        summary.no_action += step.action is None
        summary.think_only += thought_only
        summary.unsupervised += not step.supervised
        summary.characters["context"] += len(step.observation)
        for span in step.spans:
            summary.characters[span.kind.name.lower()] += span.end - span.start


def _fingerprint(trajectory: Trajectory) -> bytes:
    outcome = f"{trajectory.task}\0{trajectory.success}\0{trajectory.reward}"
    digest = hashlib.blake2b(outcome.encode("utf-8", "surrogatepass"), digest_size=16)
    for step in trajectory.steps:
        for text in (step.observation, step.completion):
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8))
            digest.update(data)
    return digest.digest()


def _digest(*texts: str) -> str:
    data = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _text_of(fields: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    """The first of the keys that holds words or a number."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return None


def _agent(fields: dict[str, Any]) -> str | None:
    """The name of who acted; that of its model where the log keeps both in an object."""
    described = fields.get("agent")
    told = _text_of(described, ("model_name", "name")) if isinstance(described, dict) else None
    return told or _text_of(fields, _AGENT_KEYS)


def _system(fields: dict[str, Any], told: str | None) -> str | None:
    """Instructions beside the conversation (Anthropic's are a field, as text or blocks) and those in it."""
    beside = text_of(next((fields[key] for key in _SYSTEM_KEYS if key in fields), None)).strip()
    parts = [one for one in (beside, told or "") if one]
    return "\n\n".join(parts[-1:] if told and beside in told else parts) or None


def _tools(fields: dict[str, Any]) -> tuple[dict[str, Any], ...] | None:
    value = fields.get("tools", fields.get("functions"))
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        return None
    return tuple(map(_schema, value))


def _schema(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool's schema as chat templates take it, out of Anthropic's and OpenAI's older forms."""
    if "function" in tool or "name" not in tool:
        return tool
    facts = {key: tool[key] for key in ("name", "description") if key in tool}
    parameters = tool.get("parameters", tool.get("input_schema"))
    return {"type": "function", "function": facts | ({} if parameters is None else {"parameters": parameters})}
