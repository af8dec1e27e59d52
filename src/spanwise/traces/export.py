"""Trajectories in the shapes that other trainers read: messages, ShareGPT conversations, ReAct text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from spanwise.errors import TraceError
from spanwise.traces.jsonl import write_lines
from spanwise.traces.segment import bare
from spanwise.traces.tool_text import read_completion, read_responses
from spanwise.types import SpanKind, Step, Trajectory

_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt", "tool": "tool"}


def export_trajectories(path: Path, trajectories: Iterable[Trajectory], shape: str) -> int:
    """Writes a JSON lines file of another shape, whole or not at all; returns how many lines.

    Raises:
        TraceError: The shape does not exist, or the file cannot be written.
    """
    if shape not in SHAPES:
        raise TraceError(f"unknown shape {shape!r}; there are: {', '.join(SHAPES)}")
    lines = (json.dumps(SHAPES[shape](one), ensure_ascii=False, allow_nan=False) for one in trajectories)
    return write_lines(path, lines)


def to_messages(trajectory: Trajectory) -> dict[str, Any]:
    """OpenAI's messages, with ``tools`` where there are any; turns that are not to be learnt have ``weight`` 0."""
    tables = {"tools": list(trajectory.tools)} if trajectory.tools else {}
    return {**_facts(trajectory), "messages": list(messages_of(trajectory)), **tables}


def to_sharegpt(trajectory: Trajectory) -> dict[str, Any]:
    """``conversations`` of ``from`` and ``value``; completions as text, whatever they hold."""
    turns: list[dict[str, Any]] = []
    if trajectory.system is not None:
        turns.append({"from": _SHAREGPT["system"], "value": trajectory.system})
    for step in trajectory.steps:
        turns.append({"from": _SHAREGPT["user"], "value": step.observation})
        turns.append({"from": _SHAREGPT["assistant"], "value": step.completion, **_loss(step, "loss", False)})
    if trajectory.final_observation is not None:
        turns.append({"from": _SHAREGPT["user"], "value": trajectory.final_observation})
    return {**_facts(trajectory), "conversations": turns}


def to_react(trajectory: Trajectory) -> dict[str, Any]:
    """Numbered ReAct text under ``text``: thoughts and commands without the scaffold that they were written in.

    Instructions are a field of their own, ``system``, for examples among them may be in another style.
    """
    lines: list[str] = []
    observations = [*(step.observation for step in trajectory.steps[1:]), trajectory.final_observation]
    lines += [trajectory.steps[0].observation] if trajectory.steps else []
    for number, (step, observation) in enumerate(zip(trajectory.steps, observations, strict=True), start=1):
        thought, act = (_said(step, kind) for kind in (SpanKind.REASON, SpanKind.ACT))
        if thought is not None and act is None and step.action is not None:
            lines.append(f"Action {number}: think[{thought}]")
        else:
            lines += [] if thought is None else [f"Thought {number}: {thought}"]
            lines += [] if act is None else [f"Action {number}: {act}"]
        if observation is not None:
            lines.append(f"Observation {number}: {observation}")
    instructions = {} if trajectory.system is None else {"system": trajectory.system}
    return {**_facts(trajectory), **instructions, "text": "\n".join(lines) + "\n"}


def _said(step: Step, kind: SpanKind) -> str | None:
    """What the spans of a kind say, in a line; None where there is none."""
    spans = [step.completion[one.start : one.end] for one in step.spans if one.kind is kind]
    return " ".join(" ".join(map(bare, spans)).split("\n")) if spans else None


def messages_of(trajectory: Trajectory) -> Iterator[dict[str, Any]]:
    """The messages of a trajectory; calls and tools' answers as structures where its style is ``tools``."""
    structured = trajectory.metadata.get("style") == "tools"
    if trajectory.system is not None:
        yield {"role": "system", "content": trajectory.system}
    calls = 0
    for index, step in enumerate(trajectory.steps):
        yield from _heard(step.observation, structured, index, calls)
        said = read_completion(step.completion) if structured else None
        message: dict[str, Any] = {"role": "assistant", "content": step.completion}
        calls = 0
        if said is not None:
            message["content"] = said.content
            message |= {"reasoning_content": said.reasoning} if said.reasoning is not None else {}
            calls = len(said.calls)
            if said.calls:
                message["tool_calls"] = [
                    {
                        "id": f"call_{index}_{number}",
                        "type": "function",
                        "function": {"name": call.name, "arguments": _arguments(call.arguments)},
                    }
                    for number, call in enumerate(said.calls)
                ]
        yield message | _loss(step, "weight", 0)
    if trajectory.final_observation is not None:
        yield from _heard(trajectory.final_observation, structured, len(trajectory.steps), calls)


def _heard(observation: str, structured: bool, index: int, calls: int) -> Iterator[dict[str, Any]]:
    responses, rest = read_responses(observation) if structured else ([], observation)
    for number, response in enumerate(responses):
        call = {"tool_call_id": f"call_{index - 1}_{number}"} if number < calls else {}
        yield {"role": "tool", **call, "content": response}
    if rest or not responses:
        yield {"role": "user", "content": rest}


def _arguments(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _loss(step: Step, key: str, value: Any) -> dict[str, Any]:
    return {} if step.supervised else {key: value}


def _facts(trajectory: Trajectory) -> dict[str, Any]:
    facts = {"id": trajectory.id, "task_id": trajectory.task_id, "task": trajectory.task}
    return facts | {"success": trajectory.success, "reward": trajectory.reward}


#: Shapes by name.
SHAPES: dict[str, Callable[[Trajectory], dict[str, Any]]] = {
    "messages": to_messages,
    "sharegpt": to_sharegpt,
    "react": to_react,
}
