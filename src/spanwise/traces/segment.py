"""Which characters of a completion are thought, and which are command: the cut that the whole method stands on.

A completion is what an agent wrote in one turn. Agents write in a handful of styles::

    react   Thought: The key may be in box 2.        REASON, up to the next marker; the newline before it included
            Action: go to box 2                      ACT; but ``Action: think[...]`` is REASON

    think   > think: The key may be in box 2.        REASON
            > go to box 2                            ACT

    tags    <think>It may be in box 2.</think>       REASON, as is text before a command
            <action>go to box 2</action>             ACT, as is text after the thought where no command follows

    tools   the same with <tool_call>...</tool_call>, or the tokens with which models begin calls (DeepSeek, Llama,
            Mistral, Qwen-Agent); text without any of these is the answer, so ACT

    code    Thought: I look it up.                   REASON
            ```py ... ```                            ACT: the fence, what announces it and what ends it

    json    {"thought": "It may be in box 2.",       REASON, up to the key of the command
             "action": "go to box 2"}                ACT, from there on

    plain   go to box 2                              ACT throughout

Whatever the text, the spans partition it: every character belongs to exactly one span, and the spans joined give the
text back. Words of the scaffold (``Thought:``, ``Action:``, ``>``, tags) belong to the span that they open. Any number
of thoughts and commands may follow each other; the first command is the one that counts.

Source: arXiv 2505.13820, which cuts a trajectory into [REASON] and [ACT] spans so that each kind can have its own loss.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from spanwise.traces.labels import labels
from spanwise.types import Span, SpanKind

#: A command that starts so is addressed to the agent itself: the environment never sees it.
_THINK = re.compile(r"think\s*[:\[]", re.IGNORECASE)

#: Markers count at the start of a line only, so that a thought may mention the words; numbers are ReAct's.
_REACT = labels("reason", "act")
_ACTION_INPUT = labels("input")
#: Rarer ways to announce a command, looked for where no label does: on the thought's line, or by another word.
_RARE = re.compile(
    r"(?:(?<=[ \t])(?=action \d)|^[ \t]*(?=\*{0,2}(?:next action|command)\b))"
    r"(?P<label>\*{0,2}(?P<act>action \d{1,6}|next action|command)\*{0,2}[ \t]*:\*{0,2})",
    re.MULTILINE | re.IGNORECASE,
)

#: Models that reason first do so in tags, whatever the style of what follows.
_THOUGHT_IN_TAGS = re.compile(r"\s*+<think>.*?</think>", re.DOTALL)

#: The action to answer, with the answer under a label of its own (AgentBench's tasks on databases and graphs).
_ANSWER_BELOW = re.compile(r"\s*answer[ \t\r]*\n[ \t]*(?=final answer[ \t]*:)", re.IGNORECASE)

#: A prompt sign that starts a line, as in ReAct's ALFWorld prompts.
_PROMPT_SIGN = re.compile(
    r"^>[ \t]*(?P<reason>think\b[ \t]*[:\[]|action[ \t]?path\b[ \t]*:)?", re.MULTILINE | re.IGNORECASE
)

_THOUGHT_LINE = re.compile(r"\s*think\s*\[[^\n]*\]\s*\n(?=\s*[^\s>])", re.IGNORECASE)

_REASON_TAGS = "think|thinking|thought|thoughts|reasoning|reason|reflection|plan|scratchpad|analysis"
_ACT_TAGS = (
    "action|act|search|answer|final_answer|tool_call|tool|function_call|function_calls|call|code|python|interpreter|"
    "execute|execute_bash|execute_ipython|execute_browse|command|cmd|query|invoke|finish|click|begin_of_query|"
    "boxed_answer|solution|function"
)
_TAG = re.compile(
    rf"<(?P<close>/?)(?:\|)?(?:(?P<reason>{_REASON_TAGS})|(?P<act>{_ACT_TAGS}))(?:\|)?(?:[ =][^<>\n]{{0,200}})?>",
    re.IGNORECASE,
)

#: Tokens with which models begin calls; what follows is the call, to the end.
CALL_TOKEN = re.compile(
    r"<｜tool▁calls?▁begin｜>|<\|tool_calls_section_begin\|>|<\|python_tag\|>|\[TOOL_CALLS\]|✿FUNCTION✿"
    r'|^\{\s*"name"\s*:\s*"[^"\n]{1,100}"\s*,\s*"(?:parameters|arguments)"\s*:',
    re.MULTILINE,
)
#: A call of the tool that some harnesses give agents to think with (tau-bench).
_THINK_CALL = re.compile(r"""\{\s*["']name["']:\s*["']think["']""")

#: Under which keys an object holds the command.
_COMMAND_KEYS = ("action", "actions", "command", "tool", "tool_call", "function_call")

_CODE_END = re.compile(r"[ \t]*(?:<end_code>|</code>)?\s*")
#: What may stand after a fence that opens: the name of a language, to the end of its line.
_LANGUAGE = re.compile(r"\w*[ \t]*\r?\n")
_SPACE = re.compile(r"\s*")

_CODE_MARK = re.compile(
    r"^[ \t]*(?:(?P<reason>\*{0,2}(?:thoughts?|reasoning)\*{0,2}[ \t]*:)|(?P<act>\*{0,2}(?:code|action)\*{0,2}[ \t]*:))"
    r"|(?P<announced>In summary, the next action)|(?P<fence>```)|(?P<open><code>)|(?P<shut></code>|<end_code>)",
    re.MULTILINE | re.IGNORECASE,
)

#: What an environment says, and a model only if it makes it up: tags and markup anywhere, labels where agents use any.
_MADE_UP_TAG = re.compile(
    r"<(?:information|tool_response|tool_call_result|observations?|function_results)>|<\|im_start\|>|<｜User｜>|<｜tool▁outputs▁begin｜>"
    r"|✿RESULT✿",
    re.IGNORECASE,
)
_MADE_UP_LABEL = re.compile(
    r"^[ \t]*(?:(?:\#{1,4}[ \t]+)?\*{0,2}(?:observation|观察|观察结果)(?:[ \t]?\d+)?\*{0,2}[ \t]*[:：]"
    r"|(?:Human|User|Environment):)",
    re.MULTILINE | re.IGNORECASE,
)
#: Styles in which a line may begin with ``Observation:`` as any other may: an answer to a user, a bare command.
_UNLABELLED = ("tools", "plain")


@dataclass(frozen=True, slots=True)
class Segmentation:
    """One completion, cut.

    Attributes:
        spans: Partition of the completion into REASON and ACT ranges; empty only for the empty completion.
        action: The command, stripped; None when the completion holds none (a parse failure).
        think_only: The command is a thought, as in ``think: ...``, and shall not reach the environment.
    """

    spans: tuple[Span, ...]
    action: str | None
    think_only: bool


def segment(completion: str, style: str) -> Segmentation:
    """Cuts a completion into REASON and ACT spans and finds its command; total over all texts, in linear time.

    Args:
        completion: Verbatim model text of one turn, without the end-of-turn token.
        style: A key of ``STYLES``.

    Raises:
        ValueError: The style does not exist.
    """
    if style not in STYLES:
        raise ValueError(f"unknown style {style!r}; there are: {', '.join(STYLES)}")
    return STYLES[style](completion)


def made_up_at(completion: str, style: str) -> int | None:
    """Where a completion begins to say what only an environment can know; None where it does not.

    An agent that was not stopped in time goes on with an ``Observation:`` of its own.
    """
    tag = _MADE_UP_TAG.search(completion)
    end = len(completion) if tag is None else tag.start()
    if style not in _UNLABELLED:
        fences = counted = 0
        for label in _MADE_UP_LABEL.finditer(completion, _after_thought(completion), end):
            fences, counted = fences + completion.count("```", counted, label.start()), label.start()
            if fences % 2 == 0:  # what a program says in a string is no observation
                return label.start()
    return None if tag is None else tag.start()


def bare(text: str) -> str:
    """What a span says without its scaffold: markers at the start of lines, tags, the bracket of a thought."""
    said = text.strip()
    for mark in (_PROMPT_SIGN, _REACT):
        said = mark.sub(lambda found: "\0" if _THINK.search(found[0]) and "[" in found[0] else "", said)
    said = _CODE_MARK.sub("", _TAG.sub("", said)) if said == text.strip() else said
    lines = [line.strip() for line in said.replace("\0", "think[").splitlines()]
    said = "\n".join(lines).strip()
    thought = _THINK.match(said)
    return said if thought is None else said[thought.end() :].strip().removesuffix("]" if "[" in thought[0] else "")


def join_spans(completion: str, starts: Iterable[tuple[int, SpanKind]]) -> tuple[Span, ...]:
    """The partition of a completion in which a kind begins at each of ``starts``, which ascend from 0.

    Neighbours of one kind become one span, and white space that stands before everything belongs to what follows it.
    """
    borders: list[tuple[int, SpanKind]] = []
    for start, kind in starts:
        if len(borders) == 1 and not completion[:start].strip():
            borders = [(0, kind)]
        elif borders and borders[-1][0] == start:
            borders[-1] = (start, kind)
        elif start < len(completion):
            borders.append((start, kind))
    if not completion:
        return ()
    merged = [one for index, one in enumerate(borders) if index == 0 or borders[index - 1][1] is not one[1]]
    ends = [*(start for start, _ in merged[1:]), len(completion)]
    return tuple(Span(kind, start, end) for (start, kind), end in zip(merged, ends, strict=True) if start < end)


def _after_thought(completion: str) -> int:
    """Where a thought in tags ends that a completion begins with, labels and all; 0 if there is none."""
    thought = _THOUGHT_IN_TAGS.match(completion)
    return 0 if thought is None else thought.end()


def _segment_react(completion: str) -> Segmentation:
    """Lines that begin with a marker open a span; text before the first of them is REASON."""
    starts, action, think_only = [(0, SpanKind.REASON)], None, False
    marks = list(_REACT.finditer(completion, _after_thought(completion)))
    if not any(mark["act"] for mark in marks):
        marks = sorted([*marks, *_RARE.finditer(completion)], key=re.Match.start)
    for mark, end in zip(marks, _starts_of_next(marks, len(completion)), strict=True):
        if mark["act"] is None:
            starts.append((mark.start("label"), SpanKind.REASON))
            continue
        is_thought = _THINK.match(completion[mark.end() : mark.end() + 40].lstrip()) is not None
        starts.append((mark.start("label"), SpanKind.REASON if is_thought else SpanKind.ACT))
        if action is None or (think_only and not is_thought):
            below = _ANSWER_BELOW.match(completion, mark.end()) is not None
            said = completion[mark.end() : None if below else end]
            whole = below or mark["act"].lower().endswith(("answer", "答案", "回答"))
            command = said.strip() if whole else _command(said)
            action, think_only = (command, is_thought) if command else (action, think_only)
    return Segmentation(join_spans(completion, starts), action, think_only)


def _segment_think(completion: str) -> Segmentation:
    """Lines with ReAct's prompt sign ``>`` open a span; so does the text itself, with the sign or without."""
    starts: list[tuple[int, SpanKind]] = []
    action, think_only = None, False
    signs = list(_PROMPT_SIGN.finditer(completion))
    lead = completion[: signs[0].start() if signs else None]
    bracketed = _THOUGHT_LINE.match(lead)
    if bracketed is not None:  # a thought in brackets, and a command below it
        starts.append((0, SpanKind.REASON))
        lead = lead[bracketed.end() :]
    if lead.strip() or not signs:
        is_thought = not lead.strip() or _THINK.match(lead.lstrip()) is not None
        begun = 0 if bracketed is None else bracketed.end()
        starts.append((begun, SpanKind.REASON if is_thought else SpanKind.ACT))
        action, think_only = _first_line(lead.lstrip()) or None, bool(lead.strip()) and is_thought
    for sign, end in zip(signs, _starts_of_next(signs, len(completion)), strict=True):
        line = _first_line(completion[sign.start() + 1 : end].lstrip(" \t"))
        is_thought = sign["reason"] is not None or not line
        starts.append((sign.start() if starts else 0, SpanKind.REASON if is_thought else SpanKind.ACT))
        if line and (action is None or (think_only and not is_thought)):
            action, think_only = line, is_thought
    return Segmentation(join_spans(completion, starts), action, think_only)


def _segment_tags(completion: str) -> Segmentation:
    return _tagged(completion, untagged=SpanKind.REASON)


def _segment_tools(completion: str) -> Segmentation:
    """Calls may be several at once: all of them are the command."""
    return _tagged(completion, untagged=SpanKind.ACT, several=True)


def _tagged(completion: str, untagged: SpanKind, several: bool = False) -> Segmentation:
    """Tags open and close spans. Text between them is a thought if a command follows it, else the answer.

    A thought that is closed and was never opened began with the text: chat templates open it in the prompt.
    """
    pieces: list[tuple[int, SpanKind | None]] = [(0, None)]  # None: outside of tags
    commands: list[str] = []
    thoughts: list[str] = []  # calls of a tool whose work is to be thought with
    inside: str | None = None  # name of the open tag
    begun = 0
    thought = False
    token = CALL_TOKEN.search(completion)
    if (
        token
        and token[0].startswith("{")
        and any(tag["close"] and tag["act"] for tag in _TAG.finditer(completion, token.end()))
    ):
        token = None  # a call in tags
    for tag in _TAG.finditer(completion, 0, token.start() if token else len(completion)):
        kind = SpanKind.REASON if tag["reason"] is not None else SpanKind.ACT
        name = (tag["reason"] or tag["act"]).lower()
        if not tag["close"]:
            # Inside a tag others are text; but a command breaks into a thought that was never closed.
            if inside is None:
                pieces.append((tag.start(), kind))
                inside, begun = name, tag.end()
        elif inside == name:
            named = name == "function"  # its name stands in the tag
            whole = completion[pieces[-1][0] : tag.end()] if named else completion[begun : tag.start()]
            command = whole.strip() if kind is SpanKind.ACT else None
            if command is not None and _THINK_CALL.match(command):
                pieces[-1] = (pieces[-1][0], SpanKind.REASON)
                thoughts.append(command)
            elif command is not None:
                commands.append(command)
            thought |= kind is SpanKind.REASON
            pieces.append((_after_space(completion, tag.end()), None))
            inside = None
        elif inside is None and kind is SpanKind.REASON and not thought and len(pieces) == 1:
            pieces = [(0, SpanKind.REASON), (_after_space(completion, tag.end()), None)]
            thought = True
    if token is not None:
        pieces.append((token.start(), SpanKind.ACT))
        commands.append(completion[token.start() :].strip())
    elif inside is not None and pieces[-1][1] is SpanKind.ACT:
        commands.append(completion[begun:].strip())
    elif inside is not None:
        inner = next((tag for tag in _TAG.finditer(completion, begun) if tag["act"] and not tag["close"]), None)
        if inner is not None:
            pieces.append((inner.start(), SpanKind.ACT))
            closing = next((tag for tag in _TAG.finditer(completion, inner.end()) if tag["close"]), None)
            commands.append(completion[inner.end() : closing.start() if closing else None].strip())
    last = max((start for start, kind in pieces if kind is SpanKind.ACT), default=-1)
    starts: list[tuple[int, SpanKind]] = []
    answer: list[str] = []
    for (start, kind), end in zip(pieces, [*(start for start, _ in pieces[1:]), len(completion)], strict=True):
        if kind is None and not completion[start:end].strip():
            kind = starts[-1][1] if starts else SpanKind.REASON
        elif kind is None and last < 0:
            kind = SpanKind.ACT if thought else untagged
            answer += [completion[start:end].strip()] if kind is SpanKind.ACT else []
        elif kind is None:
            kind = SpanKind.REASON
        starts.append((start, kind))
    found = [one for one in commands or answer or thoughts if one]
    command = "\n".join(found if several else found[:1]) or None
    return Segmentation(join_spans(completion, starts), command, bool(thoughts) and found == thoughts)


def _after_space(text: str, start: int) -> int:
    """Where the white space ends that begins at ``start``: what follows a closed tag belongs to it."""
    space = _SPACE.match(text, start)
    assert space is not None
    return space.end()


def _segment_code(completion: str) -> Segmentation:
    """Fences and ``<code>`` hold the command; ``Code:`` before them and ``<end_code>`` after them belong to it."""
    starts = [(0, SpanKind.REASON)]
    action, begun = None, None  # begun: where the code that is open begins
    announced = opened_by_tag = False
    for mark in _CODE_MARK.finditer(completion):
        if begun is not None:
            if (mark["fence"] and not opened_by_tag) or mark["shut"]:
                action = action or completion[begun : mark.start()].strip() or None
                begun, announced = None, False
                starts.append((_after_code(completion, mark.end()), SpanKind.REASON))
        elif mark["fence"] or mark["open"]:
            if not announced:
                starts.append((mark.start(), SpanKind.ACT))
            language = _LANGUAGE.match(completion, mark.end())
            begun = mark.end() if mark["open"] or language is None else language.end()
            opened_by_tag = mark["open"] is not None
        elif mark["announced"]:  # WebArena's prompts ask for these words
            starts.append((mark.start(), SpanKind.ACT))
            announced = True
        elif mark["act"]:
            starts.append((mark.start("act"), SpanKind.ACT))
            announced = True
            begins = _after_space(completion, mark.end())
            if action is None and not completion.startswith(("```", "<code>"), begins):  # in words, or JSON
                action = _command(completion[begins:]) or None
        elif mark["reason"]:
            starts.append((mark.start("reason"), SpanKind.REASON))
            announced = False
    if begun is not None:
        action = action or completion[begun:].strip() or None
    return Segmentation(join_spans(completion, starts), action, think_only=False)


def _segment_json(completion: str) -> Segmentation:
    """An object with a thought and a command, in a fence or not; what is no such object is a thought."""
    begun, end = completion.find("{"), completion.rfind("}") + 1
    values = read_object(completion[begun:end]) if 0 <= begun < end else None
    key = next((key for key in _COMMAND_KEYS if key in values), None) if values else None
    place = None if key is None else re.compile(rf'"{key}"\s*:').search(completion, begun)
    if values is None or key is None or place is None:
        return Segmentation(join_spans(completion, [(0, SpanKind.REASON)]), None, think_only=False)
    value = values[key]
    command = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    has_thought = '"' in completion[: place.start()]  # another key stands before
    starts = [(0, SpanKind.REASON if has_thought else SpanKind.ACT), (place.start(), SpanKind.ACT)]
    return Segmentation(join_spans(completion, starts), command.strip() or None, think_only=False)


def read_object(text: str) -> dict[str, Any] | None:
    """The object that a text is in JSON; None if it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _segment_plain(completion: str) -> Segmentation:
    """A command and nothing else."""
    kind = SpanKind.ACT if completion.strip() else SpanKind.REASON
    return Segmentation(join_spans(completion, [(0, kind)]), completion.strip() or None, think_only=False)


#: How agents write, by name.
STYLES: dict[str, Callable[[str], Segmentation]] = {
    "react": _segment_react,
    "think": _segment_think,
    "tags": _segment_tags,
    "tools": _segment_tools,
    "code": _segment_code,
    "json": _segment_json,
    "plain": _segment_plain,
}


def _starts_of_next(marks: list[re.Match[str]], end: int) -> Iterator[int]:
    yield from (mark.start() for mark in marks[1:])
    if marks:
        yield end


def _command(text: str) -> str:
    """The command in what follows ``Action:``: its first line, or all of it where it is a block.

    Blocks are JSON, fenced code, and an action with its ``Action Input:``.
    """
    stripped = text.strip()
    if stripped.startswith(("{", "[{")) or "```" in stripped or _ACTION_INPUT.search(stripped):
        return stripped
    return _first_line(stripped)


def _after_code(completion: str, end: int) -> int:
    """Where a block of code ends, ``<end_code>`` and white space after it included."""
    tail = _CODE_END.match(completion, end)
    assert tail is not None
    return tail.end()


def _first_line(text: str) -> str:
    """The text up to its first newline, stripped (which also takes the ``\\r`` of a CRLF)."""
    return text.partition("\n")[0].strip()
