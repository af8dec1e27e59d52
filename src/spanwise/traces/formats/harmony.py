"""OpenAI's harmony, the text of gpt-oss: messages with a header, whose channel tells thoughts from what is said.

``<|start|>assistant<|channel|>analysis<|message|>...<|end|>`` is a thought, ``commentary to=functions.name`` a call
(also of ``python`` and ``browser.search``, whatever the channel), ``commentary`` to nobody a remark before one,
``final`` the answer. What begins with the name of a tool is its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from spanwise.traces.formats.conversation import conversation_episode
from spanwise.traces.formats.messages import Message, Role
from spanwise.traces.raw import Body, RawEpisode, TraceFormat
from spanwise.traces.tool_text import ToolCall, arguments_of

#: A header may lack its beginning, which prompts hold; a message may lack its end.
_MESSAGE = re.compile(
    r"(?:<\|start\|>|\A\s*+)(?P<role>[\w.\-:]*+)(?P<header>[^<\n]*+(?:<\|(?:channel|constrain)\|>[^<\n]*+)*+)<\|message\|>"
    r"(?P<text>.*?)(?:<\|(?:end|call|return)\|>|(?=<\|start\|>)|\Z)",
    re.DOTALL,
)
_RECIPIENT = re.compile(r"\bto=(?:functions\.)?([\w.\-:]+)")
_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def read_harmony(text: str) -> list[Message]:
    """The messages of a text; all that an assistant says at a stretch is one."""
    messages: list[Message] = []
    for part in _MESSAGE.finditer(text):
        role, said = _ROLES.get(part["role"] or "assistant", "tool"), part["text"].strip()
        if role != "assistant":
            messages.append(Message(role, said))
            continue
        before = messages.pop() if messages and messages[-1].role == role else Message(role, "")
        thought, words, calls = before.reasoning, before.text, before.calls
        if recipient := _RECIPIENT.search(part["header"]):
            calls = (*calls, ToolCall(recipient[1], arguments_of(said)))
        elif "analysis" in part["header"]:
            thought = "\n\n".join(filter(None, (thought, said))) or None
        else:
            words = "\n".join(filter(None, (words, said)))
        messages.append(Message(role, words, thought, calls))
    return messages


def harmony_inside(messages: Sequence[Message]) -> Iterator[Message]:
    """The messages of a conversation, those in harmony read as what they say; the others as they are."""
    for message in messages:
        read = read_harmony(message.text) if message.role == "assistant" and "<|message|>" in message.text else []
        yield from read or [message]


def _evidence(body: Body) -> str | None:
    if not isinstance(body.value, str) or "<|message|>" not in body.value:
        return None
    found = sum(one["role"] in ("", "assistant") for one in _MESSAGE.finditer(body.value))
    return f"{found} messages begin with '<|start|>assistant'" if found else None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    asked = [Message("user", body.prompt)] if body.prompt else []
    episode = conversation_episode([*asked, *read_harmony(str(body.value))])
    if episode is not None:
        yield episode


FORMAT = TraceFormat("harmony (gpt-oss)", _evidence, _episodes)
