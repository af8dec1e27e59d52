"""Conversations as episodes: whatever the shape of the messages was, an agent's turns are found in them alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from spanwise.traces.formats.messages import Message
from spanwise.traces.labels import labels
from spanwise.traces.raw import RawEpisode, RawTurn
from spanwise.traces.segment import CALL_TOKEN, segment
from spanwise.traces.tool_text import ToolMessage, call_json, completion_parts, read_responses, write_responses
from spanwise.types import SpanKind

#: An object, in a fence or not, whose first keys hold a thought.
_THOUGHT_KEY = re.compile(
    r"\A\s*(?:```(?:json)?\s*)?\{\s*\"(?:thoughts?|reasoning|rationale|think|analysis|plan|observation|current_state)\"\s*:"
)

#: What tells a style, the surest first.
_STYLE_MARKS: dict[str, re.Pattern[str]] = {
    "tools": re.compile(r"<tool_call>\s*(?:[{\[]|<function=)|" + CALL_TOKEN.pattern, re.MULTILINE),
    "tags": re.compile(
        r"</?(?:action|act|search|answer|execute\w*|tool|code|python|function|function_call|command|cmd|begin_of_query|function_calls|invoke)\b",
        re.IGNORECASE,
    ),
    "react": labels("reason", "act"),
    "think": re.compile(r"^>?[ \t]*think[:\[]", re.MULTILINE | re.IGNORECASE),
    "json": _THOUGHT_KEY,
    "code": re.compile(r"```|<code>"),
}
_ACTION_LINE = labels("act")
_ACTION_INPUT = labels("input")
_THOUGHT = labels("reason")

#: Calls in tags, beside which an answer has none.
_CALL_TAG = re.compile(r"<(?:function_calls?|invoke|function|tool)\b", re.IGNORECASE)

#: An answer to the instructions, before the task is told.
_ACKNOWLEDGEMENT = re.compile(
    r"\W*(?:ok|okay|sure|understood|got it|i understand|i(?:'ve| have) understood|i(?:'ll| will) follow|alright|"
    r"all right|yes|certainly|i'm ready|ready)\b",
    re.IGNORECASE,
)
#: What ends examples in a conversation: the task itself follows.
_TASK_BEGINS = re.compile(
    r"(?:here is (?:the|your) (?:task|question)|(?:now,? )?it'?s your turn|your (?:actual|real) task|"
    r"now (?:begin|start)|\(END OF EXAMPLES?\)|now here is the (?:task|question))",
    re.IGNORECASE,
)
_OPENING = re.compile(r"(?:-= Welcome to TextWorld|You are in the middle of a room)")
_EXAMPLES = re.compile(r"\b(?:examples?|demonstrations?)\b", re.IGNORECASE)


def choose_style(texts: Sequence[str]) -> str:
    """The style in which most of the completions are written: ``plain`` where nothing marks a thought or a command."""
    found = {style: sum(mark.search(text) is not None for text in texts) for style, mark in _STYLE_MARKS.items()}
    if found["tools"]:
        return "tools"
    if found["json"] and found["json"] == found["code"]:
        return "json"
    if found["code"] and found["code"] >= sum(_ACTION_LINE.search(text) is not None for text in texts):
        return "code"
    if found["think"] == found["react"] and not any(_ACTION_LINE.search(text) for text in texts):
        found["react"] = 0  # commands have no label, and a thought is one
    style = max(found, key=lambda one: found[one])
    if found[style]:
        return style
    if all(text.startswith(">") for text in texts):
        return "think"  # commands of a text game, and no thought
    return "tools" if any("<think>" in text or "</think>" in text for text in texts) else "plain"


def conversation_episode(messages: Sequence[Message]) -> RawEpisode | None:
    """The episode of a conversation; None where no assistant speaks."""
    messages = [one for one in messages if one.role != "assistant" or one.text.strip() or one.calls or one.reasoning]
    said = [one for one in messages if one.role == "assistant"]
    if not said:
        return None
    structured = any(one.calls or one.reasoning for one in said)
    style = "tools" if structured else choose_style([one.text for one in said])
    begun, acknowledged = _where_it_begins(messages, style)
    system = "\n\n".join(one.text for one in messages[:begun] if one.role != "assistant" and one.text.strip())
    turns: list[RawTurn] = []
    heard: list[Message] = []
    for message in messages[begun:]:
        if message.role == "assistant":
            turns.append(_turn(_observation(heard), message))
            heard = []
        else:
            heard.append(message)
    if turns and not heard and _is_unmarked_answer(turns[-1].completion, style, said):
        answer = turns[-1].completion
        turns[-1] = replace(turns[-1], parts=((SpanKind.ACT, answer),), action=answer.strip())
    return RawEpisode(
        turns=tuple(turns),
        style=style,
        system=system or None,
        final_observation=_observation(heard) if heard else None,
        metadata={"prompt_turns": acknowledged} if acknowledged else {},
    )


def _where_it_begins(messages: Sequence[Message], style: str) -> tuple[int, int]:
    """Index of the first message of the episode, and how many assistant turns stand before it.

    Before it stand the system's messages, examples, and instructions that the assistant only acknowledged.
    """
    begun = 0
    while begun < len(messages) and messages[begun].role == "system":
        begun += 1
    speaking = [index for index, one in enumerate(messages) if one.role == "assistant"]
    told = False  # whether the word of examples fell
    for index, message in enumerate(messages[: speaking[-1]]):
        if message.role == "assistant":
            continue
        told = told or _EXAMPLES.search(message.text) is not None
        if told and message.role == "user" and index > begun and _TASK_BEGINS.search(message.text):
            begun = index
    begun = max(begun, _last_opening(messages[: speaking[-1]]))
    first = next((at for at in speaking if at >= begun), None)
    if first is not None and first < speaking[-1]:
        text = messages[first].text
        silent = style in ("plain", "tools") or segment(text, style).action is None
        if not messages[first].calls and len(text) < 300 and silent and _ACKNOWLEDGEMENT.match(text):
            begun = first + 1
    return begun, sum(at < begun for at in speaking)


def _last_opening(messages: Sequence[Message]) -> int:
    """Index of the message in which a game begins for the last time: those before it are examples. 0 if it is one."""
    heard = [index for index, one in enumerate(messages) if one.role == "user"]
    openings = [index for index in heard if _OPENING.match(messages[index].text)]
    return openings[-1] if 1 < len(openings) < len(heard) / 2 else 0


def _is_unmarked_answer(text: str, style: str, said: Sequence[Message]) -> bool:
    """Whether the last turn is an answer that nothing marks, as agents give it that code or call tools."""
    mark = {"react": _ACTION_INPUT, "tags": _CALL_TAG}.get(style)
    calls = style == "code" or (mark is not None and any(mark.search(one.text) for one in said))
    return calls and segment(text, style).action is None and not _THOUGHT.match(text) and not text.startswith("<think")


def _turn(observation: str, message: Message) -> RawTurn:
    """A turn: verbatim where the log has its text, put together where it has structures."""
    if not message.calls and message.reasoning is None:
        return RawTurn(observation, message.text, supervised=message.supervised)
    parts = tuple(completion_parts(ToolMessage(message.reasoning, message.text, message.calls)))
    action = "\n".join(map(call_json, message.calls)) or message.text.strip() or None
    return RawTurn(observation, "".join(text for _, text in parts), parts, action, message.supervised)


def _observation(heard: Sequence[Message]) -> str:
    """What was heard between two completions; answers of tools in their canonical form."""
    texts: list[str] = []
    for role, group in _runs(heard):
        texts.append(
            write_responses([response for one in group for response in _responses(one.text)])
            if role == "tool"
            else "\n".join(one.text for one in group)
        )
    return "\n".join(texts)


def _responses(text: str) -> list[str]:
    """The answers of tools in a message, without the tags that it may have around them."""
    responses, rest = read_responses(text.strip())
    return responses if responses and not rest else [text]


def _runs(heard: Sequence[Message]) -> Iterator[tuple[str, list[Message]]]:
    run: list[Message] = []
    for message in heard:
        if run and run[0].role != message.role:
            yield run[0].role, run
            run = []
        run.append(message)
    if run:
        yield run[0].role, run
