"""Conversations in any of the shapes that APIs and data sets have, as one shape."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from spanwise.traces.tool_text import ToolCall, arguments_of, call_of, read_completion, read_literal

Role = Literal["system", "user", "assistant", "tool"]

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("system", "developer", "instruction"), "system"),
    **dict.fromkeys(("user", "human", "environment", "env", "observation_user", "input", "instruct"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "agent", "ai", "bot", "model", "chatgpt", "llm", "assistant_tool"), "assistant"
    ),
    **dict.fromkeys(
        (
            "tool",
            "function",
            "tool_response",
            "observation",
            "ipython",
            "tool_result",
            "function_response",
            "tool-response",
        ),
        "tool",
    ),
}
#: Roles of a call that stands in a message of its own (ms-swift, Hermes data sets).
_CALL_ROLES = ("tool_call", "function_call", "tool-call", "custom_tool_call")

#: Fields in which servers and agents put a thought beside the content.
_REASONING = ("reasoning_content", "reasoning", "thinking", "thinking_content", "thought")

#: What LangChain calls the roles, under ``type``.
_KINDS_OF_LANGCHAIN = ("human", "ai", "system", "tool", "function")

#: The fields of a message that is nothing but its text.
_PLAIN = {"role", "from", "content", "value"}

#: Blocks of content that are not for reading.
_UNREADABLE = {
    "image": "[image]",
    "image_url": "[image]",
    "input_image": "[image]",
    "audio": "[audio]",
    "document": "[document]",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        role: Who says it.
        text: What it says.
        reasoning: A thought that the log keeps apart; None where it does not.
        calls: Tool calls that the log keeps as structures.
        supervised: False where the log says that it is not to be learnt.
    """

    role: Role
    text: str
    reasoning: str | None = None
    calls: tuple[ToolCall, ...] = ()
    supervised: bool = True


def role_of(message: Any) -> str | None:
    """The role of what may be a message, as the log writes it; None if it has none."""
    if not isinstance(message, dict):
        return None
    role = message.get("role", message.get("from"))
    if isinstance(role, str):
        return role.lower()
    kind = message.get("type")
    return kind if kind in _KINDS_OF_LANGCHAIN and isinstance(message.get("content"), (str, list)) else None


def unwrapped(value: Any) -> Any:
    """A message out of what carries it: the event of a session log, or LangChain's serialised object."""
    if not isinstance(value, dict):
        return value
    inner = value.get("message")
    if isinstance(inner, dict) and "role" in inner:
        return inner
    if value.get("type") == "response_item" and isinstance(value.get("payload"), dict):  # Codex
        return value["payload"]
    if isinstance(value.get("data"), dict) and value.get("type") in _KINDS_OF_LANGCHAIN:
        return {"type": value["type"], **value["data"]}
    if value.get("lc") == 1 and isinstance(value.get("kwargs"), dict) and isinstance(value.get("id"), list):
        kind = str(value["id"][-1]).removesuffix("Message").removesuffix("MessageChunk").lower()
        return {"type": kind, **value["kwargs"]}
    return value


def read_messages(values: Sequence[Any]) -> list[Message] | None:
    """The messages of a list; None if it is no conversation.

    What logs write apart is joined to one turn: calls in messages of their own, thoughts that stand before the message
    they belong to (OpenAI's Responses), and blocks of one message, which then have its id.
    """
    messages: list[Message] = []
    last_id: Any = None
    for value in values:
        role = role_of(value)
        kind = value.get("type") if isinstance(value, dict) else None
        if role in _CALL_ROLES or (role is None and kind in _CALL_ROLES):
            read = [_call_message(value)]
        elif role is None and kind in ("function_call_output", "custom_tool_call_output"):
            read = [Message("tool", text_of(value.get("output")))]
        elif role is None and kind == "reasoning":
            read = [Message("assistant", "", text_of(value.get("summary") or value.get("content")) or None)]
        elif role in _ROLES:
            # SWE-agent's demonstration stands among its messages.
            read = list(_read_message(value, "system" if value.get("is_demo") is True else _ROLES[role]))
        else:
            return None
        same = value.get("id") is not None and value.get("id") == last_id
        last_id = value.get("id")
        for message in read:
            before = messages[-1] if messages else None
            if before is not None and role in _CALL_ROLES and _is_written(before, message.calls):
                continue
            if before is not None and before.role == message.role == "assistant":
                only_thought = not before.text and not before.calls
                if same or only_thought or (message.calls and not message.text and role != "assistant"):
                    messages[-1] = _joined(before, message)
                    continue
            messages.append(message)
    return messages or None


def _is_written(message: Message, calls: Sequence[ToolCall]) -> bool:
    """Whether calls only repeat the code that a message holds, as smolagents log what they found in it."""
    holds_code = message.role == "assistant" and ("```" in message.text or "<code>" in message.text)
    return holds_code and {one.name for one in calls} == {"python_interpreter"}


def _joined(first: Message, second: Message) -> Message:
    """Two parts of one turn."""
    texts = [one for one in (first.text, second.text) if one]
    thoughts = [one for one in (first.reasoning, second.reasoning) if one]
    return replace(
        second, text="\n".join(texts), reasoning="\n\n".join(thoughts) or None, calls=(*first.calls, *second.calls)
    )


def _read_message(value: dict[str, Any], role: Role) -> Iterator[Message]:
    content = next((value[key] for key in ("content", "value", "text", "parts") if value.get(key) is not None), "")
    loss = value.get("loss", value.get("weight", value.get("trainable", True)))
    supervised = loss is not False and loss != 0
    if isinstance(content, str) and value.keys() <= _PLAIN:
        yield Message(role, content)
        return
    # SWE-agent's parser keeps beside the content what it cut out of it.
    cut_out = ("thought",) if content and "action" in value else ()
    reasoning = next((value[key] for key in _REASONING if isinstance(value.get(key), str) and key not in cut_out), None)
    calls = list(_calls(value))
    texts: list[str] = []
    thoughts = [reasoning] if isinstance(reasoning, str) and reasoning else []
    for block in content if isinstance(content, list) else [content]:
        if isinstance(block, str):
            texts.append(block)
            continue
        kind = _kind_of(block)
        if kind in ("thinking", "reasoning"):
            thoughts.append(text_of(block.get("thinking") or block.get("text") or _inner(block, "reasoningContent")))
        elif kind == "redacted_thinking":
            continue
        elif kind in ("tool_use", "server_tool_use", "tool_call", "function_call"):
            held = next((block[key] for key in ("toolUse", "functionCall", "function_call") if key in block), block)
            calls += [call] if (call := call_of(held)) is not None else []
        elif kind in ("tool_result", "function_call_output", "web_search_tool_result"):
            if role == "assistant" and (texts or calls or thoughts):  # a tool that the provider runs itself
                yield Message(
                    role, "\n".join(texts), "\n\n".join(filter(None, thoughts)) or None, tuple(calls), supervised
                )
                texts, calls, thoughts = [], [], []
            held = next(
                (block[key] for key in ("toolResult", "functionResponse", "function_response") if key in block), block
            )
            yield Message(
                "tool", text_of(next((held[key] for key in ("content", "output", "response") if key in held), ""))
            )
        elif kind in _UNREADABLE:
            texts.append(_UNREADABLE[kind])
        else:
            texts.append(text_of(block))
    text = "\n".join(one for one in texts if one) if len(texts) > 1 else "".join(texts)
    if thoughts and (told := read_completion(text)).reasoning in thoughts:  # some servers give the thought twice
        text = text[text.index("</think>") + len("</think>") :].lstrip("\n") if told.reasoning else text
    if text or calls or thoughts or not isinstance(content, list):
        yield Message(role, text, "\n\n".join(filter(None, thoughts)) or None, tuple(calls), supervised)


def _kind_of(block: Any) -> str | None:
    """The type of a block; Bedrock and Gemini tell it by the name of its only key."""
    if not isinstance(block, dict):
        return None
    if "toolUse" in block or "functionCall" in block or isinstance(block.get("function_call"), dict):
        return "tool_use"
    if "toolResult" in block or "functionResponse" in block or "function_response" in block:
        return "tool_result"
    if "reasoningContent" in block or block.get("thought") is True:
        return "thinking"
    kind = block.get("type")
    return kind if isinstance(kind, str) else None


def _inner(block: dict[str, Any], key: str) -> Any:
    """The text in the innermost of objects that hold nothing else."""
    value = block.get(key)
    while isinstance(value, dict) and "text" not in value and len(value) == 1:
        value = next(iter(value.values()))
    return value


def _calls(value: dict[str, Any]) -> Iterator[ToolCall]:
    """The calls that stand beside the content."""
    extra = value.get("additional_kwargs")
    listed = value.get("tool_calls") or (extra.get("tool_calls") if isinstance(extra, dict) else None)
    for call in listed if isinstance(listed, list) else []:
        if (read := call_of(call)) is not None:
            yield read
    single = value.get("function_call")
    if isinstance(single, dict) and isinstance(single.get("name"), str):
        yield ToolCall(single["name"], arguments_of(single.get("arguments")))


def _call_message(value: dict[str, Any]) -> Message:
    """A message that is a call, or a list of them: as structures, as JSON, or as smolagents print them."""
    content = value.get("content", value.get("value"))
    text = text_of(content)
    held = value if "name" in value and content is None else read_literal(text.removeprefix("Calling tools:").strip())
    calls = [call_of(one) for one in (held if isinstance(held, list) else [held])]
    if None in calls:
        return Message("assistant", text)
    return Message("assistant", "", None, tuple(call for call in calls if call is not None))


def text_of(value: Any) -> str:
    """The text of a block, of a list of them, or of any other value; "" of None."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(map(text_of, value))
    if isinstance(value, dict):
        if value.get("type") in _UNREADABLE:
            return _UNREADABLE[value["type"]]
        if isinstance(value.get("text"), str):
            return value["text"]
    return "" if value is None else json.dumps(value, ensure_ascii=False)
