"""Steps as objects or pairs: thought, action and observation under keys of their own.

SWE-agent's ``.traj``, smolagents' memory, LangChain's ``intermediate_steps``, and whatever else keeps a list of steps.
Where a step holds the model's own text, that is the completion; else it is put together from thought and action.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from spanwise.traces.formats.conversation import choose_style
from spanwise.traces.raw import Body, RawEpisode, RawTurn, TraceFormat
from spanwise.types import SpanKind

_VERBATIM = ("model_output", "response", "completion", "llm_output", "raw_output", "generation", "output_text", "log")
_THOUGHT = ("thought", "thoughts", "reasoning", "think", "rationale", "plan", "model_thought")
_ACTION = ("action", "command", "act", "code", "code_action", "tool_call", "tool_calls", "tool", "action_str")
_RESULT = (
    "observation",
    "observations",
    "obs",
    "result",
    "tool_output",
    "output",
    "action_output",
    "error",
    "feedback",
)
_ASKED = ("question", "task", "instruction", "goal", "query", "input", "prompt", "problem_statement")


def _first(value: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    found = next((value[key] for key in keys if value.get(key) not in (None, "", [])), None)
    return found if found is None or isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _as_step(value: Any) -> dict[str, Any] | None:
    """A step as an object: pairs are an action, in words or as an object with its log, and an observation."""
    if isinstance(value, list) and len(value) == 2:
        return (
            {**value[0], "observation": value[1]}
            if isinstance(value[0], dict)
            else {"action": value[0], "observation": value[1]}
        )
    return value if isinstance(value, dict) else None


def _turn(observation: str, step: dict[str, Any]) -> RawTurn | None:
    verbatim = _first(step, _VERBATIM)
    if verbatim is not None:
        return RawTurn(observation, verbatim.strip())
    thought, action = _first(step, _THOUGHT), _first(step, _ACTION)
    if action is not None and "tool_input" in step:
        given = step["tool_input"]
        action = f"{action}\nAction Input: {given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)}"
    if thought is None and action is None:
        return None
    parts: list[tuple[SpanKind, str]] = []
    if thought is not None:
        parts.append((SpanKind.REASON, f"Thought: {thought.strip()}" + ("\n" if action is not None else "")))
    if action is not None:
        parts.append((SpanKind.ACT, f"Action: {action.strip()}"))
    return RawTurn(observation, "".join(text for _, text in parts), tuple(parts), action)


def _evidence(body: Body) -> str | None:
    values = [_as_step(one) for one in body.value] if isinstance(body.value, list) else []
    keys = {key for one in values if one for key in one}
    told = [key for key in (*_VERBATIM, *_THOUGHT, *_ACTION, *_RESULT) if key in keys]
    acts = bool(set(_VERBATIM + _ACTION) & set(told))
    return f"{len(values)} steps with {', '.join(told[:4])}" if values and None not in values and acts else None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    asked = _first(body.fields, _ASKED) or ""
    turns: list[RawTurn] = []
    heard = [asked] if asked else []
    for value in body.value:
        step = _as_step(value)
        turn = None if step is None else _turn("\n".join(heard), step)
        if turn is not None:
            turns.append(turn)
            heard = []
        elif step is not None and not heard and (said := _first(step, _ASKED)):
            heard.append(said)
        if step is not None and (result := _first(step, _RESULT)) is not None:
            heard.append(result)
    verbatim = [turn.completion for turn in turns if turn.parts is None]
    yield RawEpisode(
        tuple(turns), choose_style(verbatim) if verbatim else "react", asked, None, "\n".join(heard) or None
    )


FORMAT = TraceFormat("steps as objects (SWE-agent, smolagents, LangChain)", _evidence, _episodes)
