"""Where in a record the trajectory may be: under which key, inside which objects, in which of several fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from spanwise.traces.raw import Body
from spanwise.traces.tool_text import read_literal

#: Keys under which logs keep a trajectory, the surest first.
BODY_KEYS = (
    "messages",
    "contents",
    "conversations",
    "conversation",
    "traj",
    "trajectory",
    "trajectories",
    "history",
    "dialog",
    "dialogue",
    "chat",
    "steps",
    "intermediate_steps",
    "scratchpad",
    "transcript",
    "log",
    "trace",
    "turns",
    "transitions",
    "turn_history",
    "events",
    "response",
    "completion",
    "output",
    "prediction",
    "generation",
    "text",
    "content",
    "prompt",
    "input",
)

#: Keys under which a line that is one message or one step names what it belongs to.
EPISODE_KEYS = ("sessionId", "session_id", "conversation_id", "trace_id", "episode_id", "trajectory_id", "traj_id")

#: Keys under which a text is one trajectory: what looks like episodes before the last are examples.
_WHOLE_KEYS = (
    *("traj", "trajectory", "scratchpad", "response", "completion", "output", "prediction", "generation"),
    *("prompt", "input"),
)
#: Keys of what a record keeps of the text before.
_PROMPT_KEYS = ("prompt", "instruction", "input", "question", "query", "claim", "goal")
#: Keys under which a record keeps what answered its prompt.
_ANSWER_KEYS = ("completion", "response", "output", "chosen")
#: How a text begins that tells its task itself.
_OPENS = re.compile(r"\s*(?:Question|Claim|Task|You are in the middle of a room)\b")

#: Objects that may lie around a trajectory.
_AROUND = (
    "output",
    "result",
    "request",
    "response",
    "data",
    "info",
    "conversation",
    "trajectory",
    "trace",
    "body",
    "episode",
    "memory",
    "agent_memory",
    "outputs",
    "inputs",
    "answer_generation",
)

#: How chat templates begin a turn.
_CHAT_MARKUP = re.compile(r"<\|im_start\|>|<\|start\|>|<\|start_header_id\|>|<｜User｜>|<start_of_turn>|<\|user\|>")


def find_bodies(value: Any, key: str = "") -> Iterator[Body]:
    """Where in a record the trajectory may be, the likeliest place first.

    Args:
        value: A record.
        key: Under which key it stands.
    """
    if isinstance(value, str):
        parsed = read_literal(value) if value.lstrip()[:1] in ("[", "{", '"') else None
        if isinstance(parsed, (list, dict, str)) and parsed != value:
            yield from find_bodies(parsed, key)
        elif value.strip():
            yield Body(value, key, {})
    elif isinstance(value, list):
        if is_turns(value):
            yield Body(value, key, {})
    elif isinstance(value, dict):
        yield from _joined(value)
        for name in BODY_KEYS:
            inner = value.get(name)
            inner = _columns(inner) or _counted(inner) or inner if isinstance(inner, dict) else inner
            if isinstance(inner, (str, list)) and not is_message(value):
                around = {other: one for other, one in value.items() if other != name}
                for found in find_bodies(inner, name):
                    whole = isinstance(found.value, str) and name in _WHOLE_KEYS
                    prompt = _prompt_of(around, str(found.value)) if whole and name not in _PROMPT_KEYS else ""
                    yield Body(found.value, name, around, prompt, whole)
        for name in _AROUND:
            inner = value.get(name)
            if isinstance(inner, dict):
                around = {other: one for other, one in value.items() if other != name}
                for found in find_bodies(inner):
                    yield Body(found.value, found.key, {**around, **found.fields}, found.prompt, found.whole)


def _prompt_of(fields: dict[str, Any], text: str) -> str:
    """What a record keeps beside a text that came before it; "" where the text holds it itself."""
    parts = [fields.get(key) for key in _PROMPT_KEYS]
    said = [one.strip() for one in parts if isinstance(one, str) and one.strip()]
    prompt = "\n".join(said)
    opening = text.lstrip()
    return "" if any(opening.startswith(one) for one in said) or _OPENS.match(text) else prompt


def _joined(value: dict[str, Any]) -> Iterator[Body]:
    """What several fields hold together: prompt and answer, request and response, the cells of a notebook."""
    request, response = value.get("request"), value.get("response")
    if isinstance(request, dict) and isinstance(request.get("messages"), list):
        said = response if isinstance(response, dict) else {}
        choices = said.get("choices")
        answer = choices[0].get("message") if isinstance(choices, list) and choices else said
        answered = [{"role": "assistant", **answer}] if isinstance(answer, dict) and "content" in answer else []
        fields = {**value, **{name: one for name, one in request.items() if name != "messages"}}
        yield Body([*request["messages"], *answered], "messages", fields)
    prompt = value.get("prompt", value.get("input"))
    if prompt is None and _is_unanswered(value.get("messages")):
        prompt = value["messages"]
    answer = next((value[key] for key in _ANSWER_KEYS if value.get(key)), None)
    fields = {name: one for name, one in value.items() if name not in ("prompt", "input", "messages", *_ANSWER_KEYS)}
    if isinstance(prompt, list) and isinstance(answer, list) and is_turns(prompt) and is_turns(answer):
        yield Body([*prompt, *answer], "messages", fields)
    elif isinstance(prompt, str) and isinstance(answer, str) and _CHAT_MARKUP.search(prompt):
        yield Body(prompt + answer, "prompt", fields)
    elif isinstance(prompt, list) and isinstance(answer, str) and is_turns(prompt) and all(map(is_message, prompt)):
        yield Body([*prompt, {"role": "assistant", "content": answer}], "messages", fields)
    elif prompt is None and isinstance(answer, list) and "chosen" in value and is_turns(answer):
        yield Body(answer, "chosen", fields)
    history, rollouts = value.get("history"), value.get("train_messages")
    if isinstance(value.get("trajectory"), list) and isinstance(history, list) and any(map(is_message, history)):
        yield Body(history, "history", value)  # SWE-agent: its steps lack the task, and calls that are structures
    if isinstance(rollouts, list) and rollouts and all(isinstance(one, list) and is_turns(one) for one in rollouts):
        yield Body(max(rollouts, key=len), "train_messages", value)  # ToolBench: each goes on where another stopped
    columns = _columns(value)
    if columns and "action" in columns[0] and isinstance(value.get("actions"), list) and "observation" in columns[0]:
        yield Body(columns, "actions", value)
    if isinstance(value.get("cells"), list) and "nbformat" in value:
        yield Body(_printed(value["cells"]), "cells", {})


def _is_unanswered(value: Any) -> bool:
    """Whether a value is a conversation in which nobody but the system and a user spoke."""
    asking = ("system", "developer", "user", "human")
    return (
        isinstance(value, list)
        and bool(value)
        and all(is_message(one) and str(one.get("role", one.get("from"))).lower() in asking for one in value)
    )


def _printed(cells: list[Any]) -> str:
    """What a notebook's cells printed."""
    outputs = [one for cell in cells if isinstance(cell, dict) for one in cell.get("outputs", [])]
    texts = [one.get("text", "") for one in outputs if isinstance(one, dict)]
    return "\n".join(one if isinstance(one, str) else "".join(map(str, one)) for one in texts)


def _columns(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Steps out of lists that run side by side: thoughts, actions, observations."""
    lists = {name: one for name, one in value.items() if isinstance(one, list)}
    actions = next((lists[name] for name in ("actions", "action") if name in lists), None)
    if actions is None:
        return None
    columns = {name.removesuffix("s"): one for name, one in lists.items() if len(one) == len(actions)}
    return [{name: one[index] for name, one in columns.items()} for index in range(len(actions))]


def _counted(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Steps out of keys that count, as DSPy writes them: ``thought_0``, ``tool_name_0``, ``observation_0``, ..."""
    steps: dict[int, dict[str, Any]] = {}
    for key, one in value.items():
        if (counted := _COUNTED.fullmatch(key)) is not None:
            steps.setdefault(int(counted[2]), {})[_NAMES_OF_DSPY.get(counted[1], counted[1])] = one
    return [steps[number] for number in sorted(steps)]


_COUNTED = re.compile(r"(thought|tool_name|tool_args|action|observation)_(\d{1,6})")
_NAMES_OF_DSPY = {"tool_name": "tool", "tool_args": "tool_input"}


def is_keyed(value: dict[str, Any]) -> bool:
    """Whether an object holds records by their ids: all of one sort, and each may be a trajectory."""
    sorts = {type(one) for one in value.values()}
    return sorts in ({str}, {list}, {dict}) and all(next(find_bodies(one), None) for one in value.values())


def is_message(value: Any) -> bool:
    """Whether a value is one message of a conversation, or the event of a session log that carries one."""
    if not isinstance(value, dict):
        return False
    inner = value.get("message")
    if isinstance(inner, dict) and "role" in inner:
        return True
    if value.get("type") == "response_item" and isinstance(value.get("payload"), dict):
        return True
    if value.get("type") in ("function_call", "function_call_output") and "call_id" in value:
        return True
    if value.get("type") in ("human", "ai") and ("content" in value or "data" in value):
        return True
    return ("role" in value or "from" in value) and bool(_SAID & value.keys())


def is_lone_step(value: Any) -> bool:
    """Whether a value is one step of an episode that its line names."""
    named = isinstance(value, dict) and any(key in value for key in EPISODE_KEYS)
    return named and isinstance(value.get("action"), (str, dict)) and next(find_bodies(value), None) is None


_SAID = {"content", "value", "text", "parts", "tool_calls"}


def is_turns(value: list[Any]) -> bool:
    """Whether a list is one trajectory: messages, steps, strings that alternate, or pairs."""
    if not value:
        return False
    some = value[:8]
    if all(isinstance(one, str) for one in some):
        return len(value) > 1 and not any(map(is_transcript, some))
    if all(isinstance(one, list) and len(one) == 2 for one in some):
        events = all(isinstance(one[0], dict) and isinstance(one[1], dict) and "args" in one[0] for one in some)
        return events or all(isinstance(one[1], str) for one in some)
    if not all(isinstance(one, dict) for one in some):
        return False
    if any(is_message(one) or _TOLD & one.keys() or one.get("lc") == 1 for one in some):
        return True
    return sum(_is_step(one) for one in value) * 2 >= len(value)


#: Keys that tell a step by themselves: of the Agent Data Protocol, and of ATIF.
_TOLD = {"class_", "step_id"}
_STEP_KEYS = {"action", "command", "observation", "observations", "model_output", "tool_calls", "response", "code"}


def _is_step(value: dict[str, Any]) -> bool:
    return bool(_STEP_KEYS & set(value)) and not any(
        isinstance(value.get(key), list) and is_turns(value[key]) for key in BODY_KEYS
    )


def is_transcript(text: str) -> bool:
    """Whether a text holds both sides of an episode."""
    if re.search(r"^Action( \d+)?:", text, re.MULTILINE):
        return re.search(r"^Observation( \d+)?:", text, re.MULTILINE) is not None
    return text.count("\n> ") > 1
