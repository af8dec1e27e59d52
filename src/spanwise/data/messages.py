"""A history as the messages that chat templates take: thoughts and tool calls apart, where a template takes them so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spanwise.data.pieces import Preamble
from spanwise.traces.tool_text import ToolCall, read_completion, read_responses
from spanwise.types import Step

Message = dict[str, Any]

#: A thought at the beginning; its opening tag may stand at the end of the prompt.
_THOUGHT = re.compile(r"(\s*(?:<think>\n?)?)(.*?)(\n?</think>\s*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parts:
    """A completion, taken apart.

    Attributes:
        opening: What opens a thought; "" if there is none.
        thought: What is thought.
        closing: What closes the thought.
        content: What is said; where there are calls, the text around them.
        calls: Tool calls, which are not in ``content``.
    """

    opening: str
    thought: str
    closing: str
    content: str
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """What a template takes apart from text.

    Attributes:
        arguments: What it is handed as arguments of a call; None: calls are text.
        reasoning: Whether it writes ``reasoning_content``; if not, thoughts are text.
    """

    arguments: Callable[[Any], Any] | None
    reasoning: bool


def _as_json(arguments: Any) -> Any:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


#: What templates want arguments to be, most of them first.
ARGUMENTS: dict[str, Callable[[Any], Any]] = {"an object": lambda arguments: arguments, "a string": _as_json}


def parts_of(completion: str, form: Form) -> Parts:
    """The parts of a completion; calls are looked for if the template has a form for them."""
    thought = _THOUGHT.match(completion)
    opening, thinks, closing = thought.groups() if thought else ("", "", "")
    rest = completion[thought.end() :] if thought else completion
    message = read_completion(rest) if form.arguments is not None else None
    if message is None or not message.calls or message.reasoning is not None:
        return Parts(opening, thinks, closing, rest)
    return Parts(opening, thinks, closing, message.content, message.calls)


def assistant_message(parts: Parts, form: Form, turn: int) -> Message:
    """What a template is told that the agent said in a turn."""
    apart = form.reasoning and bool(parts.thought.strip())
    # Templates put a line break between text and calls, and none in front of calls alone.
    closing = parts.closing if parts.content or not parts.calls else parts.closing.removesuffix("\n")
    said = parts.content if apart else parts.opening + parts.thought + closing + parts.content
    message: Message = {"role": "assistant", "content": said}
    if apart:
        message["reasoning_content"] = parts.thought
    if form.arguments is not None and parts.calls:
        message["tool_calls"] = [
            {
                "type": "function",
                "id": _call_id(turn, index),
                "function": {"name": call.name, "arguments": form.arguments(call.arguments)},
            }
            for index, call in enumerate(parts.calls)
        ]
    return message


def messages_of(
    steps: Sequence[Step], observation: str, preamble: Preamble, form: Form, takes_system: bool
) -> list[Message]:
    """The conversation up to an observation.

    Instructions are a system message or, for a template that takes none, the beginning of the first user message.
    """
    messages: list[Message] = []
    calls: tuple[ToolCall, ...] = ()
    for turn, step in enumerate(steps):
        messages += _observed(step.observation, calls, turn - 1, form)
        parts = parts_of(step.completion, form)
        messages.append(assistant_message(parts, form, turn))
        calls = parts.calls
    messages += _observed(observation, calls, len(steps) - 1, form)
    if preamble.system is None:
        return messages
    if takes_system:
        return [{"role": "system", "content": preamble.system}, *messages]
    first, *others = messages
    if first["role"] != "user":
        return [{"role": "user", "content": preamble.system}, first, *others]
    return [{"role": "user", "content": f"{preamble.system}\n\n{first['content']}"}, *others]


def _observed(observation: str, calls: Sequence[ToolCall], turn: int, form: Form) -> list[Message]:
    """Answers of tools as messages of their own, each naming its call; other text is the user's."""
    responses, rest = read_responses(observation) if form.arguments is not None else ([], observation)
    messages: list[Message] = [
        {"role": "tool", "content": response, "tool_call_id": _call_id(turn, index)}
        | ({"name": calls[index].name} if index < len(calls) else {})
        for index, response in enumerate(responses)
    ]
    return messages + ([{"role": "user", "content": rest}] if rest.strip() or not messages else [])


def _call_id(turn: int, index: int) -> str:
    """Nine letters and digits, as Mistral's templates demand."""
    return f"{max(turn, 0):05d}{index:04d}"
