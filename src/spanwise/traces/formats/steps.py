"""Steps as objects or pairs: thought, action and observation under keys of their own.

SWE-agent's ``.traj``, smolagents' memory, LangChain's ``intermediate_steps``, and whatever else keeps a list of steps.
Where a step holds the model's own text, that is the completion; else it is put together from thought and action.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from spanwise.traces.formats.conversation import choose_style
from spanwise.traces.formats.prompt_sign import GOAL
from spanwise.traces.labels import labels
from spanwise.traces.outcomes import read_outcome
from spanwise.traces.raw import Body, RawEpisode, RawTurn, TraceFormat
from spanwise.types import SpanKind

_VERBATIM = ("model_output", "response", "completion", "llm_output", "raw_output", "generation", "output_text", "log")
_THOUGHT = (
    "thought",
    "thoughts",
    "reasoning",
    "reasoning_content",
    "cot",
    "think",
    "rationale",
    "plan",
    "model_thought",
)
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


#: What a step answers, where logs keep that and not what it brought.
_BEFORE = ("state", "obs_before", "prompt", "input")
_AFTER = ("next_observation", "next_state", "next_obs")


_LABEL = labels("reason", "act")


def _first(value: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    found = next((value[key] for key in keys if value.get(key) not in (None, "", [])), None)
    return found if found is None or isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _as_steps(values: list[Any]) -> list[dict[str, Any]] | None:
    """Steps as objects. Pairs are an action and an observation, in words or as an object with its log.

    Pairs of words in which the second is the agent's, as chats keep them, are an observation and a completion.
    """
    if all(isinstance(one, list) and len(one) == 2 for one in values):
        if all(isinstance(one[0], dict) for one in values):
            return [{**action, "observation": result} for action, result in values]
        agent_first = _LABEL.match(str(values[0][0])) is not None or not _LABEL.match(str(values[0][1]))
        if agent_first and not _is_chat([one[0] for one in values]):
            return [{"action": action, "observation": result} for action, result in values]
        return [{"prompt": seen, "response": said} for seen, said in values]
    return [one for one in values if isinstance(one, dict)] if all(isinstance(one, dict) for one in values) else None


def _is_chat(firsts: list[Any]) -> bool:
    """Whether the first halves of pairs are what a user says: they tell a task."""
    return any(GOAL.search(str(one)) for one in firsts[:1]) or any("?" in str(one) for one in firsts[:1])


def _comes_before(steps: list[dict[str, Any]]) -> bool:
    """Whether the observation of a step is what the step answers: it stands first, or its result has another name."""
    if any(key in step for step in steps for key in _AFTER):
        return True
    step = next((one for one in steps if "observation" in one), None)
    if step is None:
        return False
    keys = list(step)
    acts = [keys.index(key) for key in (*_VERBATIM, *_THOUGHT, *_ACTION) if key in step]
    return bool(acts) and keys.index("observation") < min(acts)


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
    steps = _as_steps(body.value) if isinstance(body.value, list) and body.value else None
    keys = {key for one in steps or [] for key in one}
    told = [key for key in (*_VERBATIM, *_THOUGHT, *_ACTION, *_RESULT) if key in keys]
    acts = bool(set(_VERBATIM + _ACTION) & set(told))
    return f"{len(body.value)} steps with {', '.join(told[:4])}" if acts else None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    steps = (_as_steps(body.value) if isinstance(body.value, list) else None) or []
    asked = _first(body.fields, _ASKED) or ""
    before = _comes_before(steps)
    turns: list[RawTurn] = []
    heard = [asked] if asked else []
    for step in steps:
        seen = _first(step, (*_BEFORE, "observation") if before else _BEFORE)
        if seen is not None and seen not in heard:
            heard = [*(heard if not turns else []), seen] if before or "observation" not in step else [*heard, seen]
        turn = _turn("\n".join(heard), step)
        if turn is not None:
            turns.append(turn)
            heard = []
        elif not heard and (said := _first(step, _ASKED)):
            heard.append(said)
        result = _first(step, _AFTER) if before else _first(step, (*_AFTER, *_RESULT))
        if result is not None:
            heard.append(result)
    verbatim = [turn.completion for turn in turns if turn.parts is None]
    style = choose_style(verbatim) if verbatim else "react"
    success, reward = _outcome(steps, body.fields)
    yield RawEpisode(tuple(turns), style, asked, None, "\n".join(heard) or None, success=success, reward=reward)


def _outcome(steps: list[dict[str, Any]], fields: dict[str, Any]) -> tuple[bool | None, float | None]:
    """Success and reward as the last step tells them, where it says that it is the last and nothing beside it does."""
    ended = bool(steps) and any(steps[-1].get(key) is True for key in ("done", "is_done", "terminated", "terminal"))
    if not ended or read_outcome(fields, None) != (None, None):
        return None, None
    return read_outcome(
        {key: steps[-1][key] for key in ("success", "won", "reward", "score") if key in steps[-1]}, None
    )


FORMAT = TraceFormat("steps as objects (SWE-agent, smolagents, LangChain)", _evidence, _episodes)
