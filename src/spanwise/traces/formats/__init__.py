"""Formats of logs, one module each: what tells one (``evidence``) and what it says (``episodes``)."""

from __future__ import annotations

from spanwise.traces.formats import (
    adp,
    atif,
    chat,
    chat_text,
    code,
    harmony,
    openhands,
    prompt_sign,
    react,
    reflexion,
    steps,
    strings,
    tags,
    webshop,
)
from spanwise.traces.raw import Body, TraceFormat

#: All formats by name. The first whose evidence a body shows is its format: the more particular stand first.
FORMATS: dict[str, TraceFormat] = {
    "reflexion": reflexion.FORMAT,
    "harmony": harmony.FORMAT,
    "chat_text": chat_text.FORMAT,
    "webshop": webshop.FORMAT,
    "alfworld": prompt_sign.FORMAT,
    "langchain": react.LANGCHAIN,
    "code": code.FORMAT,
    "react_numbered": react.NUMBERED,
    "react": react.PLAIN,
    "tags": tags.FORMAT,
    "openai": chat.OPENAI,
    "anthropic": chat.ANTHROPIC,
    "swift": chat.SWIFT,
    "agentbench": chat.AGENTBENCH,
    "sharegpt": chat.SHAREGPT,
    "messages": chat.MESSAGES,
    "adp": adp.FORMAT,
    "atif": atif.FORMAT,
    "agentbench_strings": strings.FORMAT,
    "openhands": openhands.FORMAT,
    "steps": steps.FORMAT,
}


def detect(body: Body) -> tuple[str, str] | None:
    """The name of a body's format, and the evidence for it; None where no format knows it."""
    for name, one in FORMATS.items():
        evidence = one.evidence(body)
        if evidence is not None:
            return name, evidence
    return None
