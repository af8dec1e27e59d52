"""Conversations as text, in the markup of a chat template: ChatML (Hermes, Qwen), Llama, DeepSeek, Gemma, Phi, ..."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spanwise.traces.formats.messages import Message
from spanwise.traces.formats.whole import whole_episodes
from spanwise.traces.labels import labels
from spanwise.traces.raw import Body, RawEpisode, TraceFormat

#: How a turn begins, with the role in it, and what ends it.
_MARKUP: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "ChatML": (re.compile(r"<\|im_start\|>(\w+)[ \t]*\r?\n?"), re.compile(r"<\|(?:im_end|endoftext)\|>")),
    "Llama-3": (
        re.compile(r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\s*"),
        re.compile(r"<\|(?:eot_id|eom_id|end_of_text)\|>"),
    ),
    "DeepSeek": (
        # What follows the outputs of tools is the assistant's, whether a marker says so or not.
        re.compile(r"<｜(User|Assistant|tool▁outputs▁begin|tool▁outputs▁end|tool▁output▁begin)｜>"),
        re.compile(r"<｜(?:end▁of▁sentence|tool▁output▁end)｜>"),
    ),
    "Gemma": (re.compile(r"<start_of_turn>(\w+)\n"), re.compile(r"<end_of_turn>\n?")),
    "Llama-2": (re.compile(r"\[(/?INST|/?TOOL_RESULTS)\]"), re.compile(r"</s>")),
    "Phi": (  # Zephyr and GLM alike
        re.compile(r"<\|(system|user|assistant|observation|tool)\|>[ \t]*\r?\n?"),
        re.compile(r"<\|(?:end|endoftext)\|>|</s>"),
    ),
    "Vicuna": (
        re.compile(r"^(?:\#{2,3} )?(USER|ASSISTANT|SYSTEM|User|Human|Assistant|System) ?: ?", re.MULTILINE),
        re.compile(r"</s>"),
    ),
}
#: One of these is in every text with markup.
_SIGNS = (
    "<|im_start|>",
    "<|start_header_id|>",
    "<｜",
    "<start_of_turn>",
    "<|assistant|>",
    "INST]",
    "ssistant",
    "SSISTANT",
)
#: Markup of words alone counts where both sides speak, the user first, and no other label divides the text.
_BARE = "Vicuna"
_OBSERVATION = labels("observation", ignore_case=False)
_ROLES = {
    **dict.fromkeys(("assistant", "model", "gpt", "/inst", "/tool_results", "tool▁outputs▁end"), "assistant"),
    **dict.fromkeys(
        ("tool", "ipython", "tool▁outputs▁begin", "tool▁output▁begin", "observation", "tool_results"), "tool"
    ),
    "system": "system",
}
_BEGINS = re.compile(r"<｜begin▁of▁sentence｜>|<s>")
_SYSTEM = re.compile(r"<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_RESPONSE = re.compile(r"<tool_response>(.*?)(?:</tool_response>|\Z)", re.DOTALL)


def _markup(text: str) -> str | None:
    if not any(sign in text for sign in _SIGNS):
        return None
    found = {name: len(turn.findall(text)) for name, (turn, _) in _MARKUP.items()}
    if found[_BARE]:
        roles = [_ROLES.get(one.lower(), "user") for one in _MARKUP[_BARE][0].findall(text)]
        spoken = [one for one in roles if one != "system"]
        if spoken[:2] != ["user", "assistant"] or _OBSERVATION.search(text):
            found[_BARE] = 0
    name = max(found, key=lambda one: found[one])
    return name if found[name] else None


def _messages(text: str) -> Iterator[Message]:
    name = _markup(text)
    assert name is not None
    turn, ending = _MARKUP[name]
    starts = list(turn.finditer(text))
    if before := _BEGINS.sub("", text[: starts[0].start()]).strip():
        yield Message("system", before)  # DeepSeek's has no marker
    for start, end in zip(starts, [*(one.start() for one in starts[1:]), len(text)], strict=True):
        closed = ending.search(text, start.end(), end)
        said = text[start.end() : closed.start() if closed else end].strip()
        role = _ROLES.get(start[1].lower(), "user")
        responses = _RESPONSE.findall(said) if role == "tool" else []
        if responses:
            yield from (Message("tool", one.strip()) for one in responses)
        elif said:
            if role == "user" and (told := _SYSTEM.match(said)) is not None:
                yield Message("system", told[1].strip())
                said = said[told.end() :].strip()
            yield Message(role, said)  # type: ignore[arg-type]


def _evidence(body: Body) -> str | None:
    name = _markup(body.value) if isinstance(body.value, str) else None
    return None if name is None else f"{name}'s markup around turns"


def _episodes(body: Body) -> Iterator[RawEpisode]:
    yield from whole_episodes(list(_messages(str(body.value))))


FORMAT = TraceFormat("chat templates as text (ChatML, Llama, DeepSeek, Gemma, Phi, Vicuna)", _evidence, _episodes)
