"""A trajectory as a model's chat template writes it, whatever the template does to it.

Templates are not trusted. What one writes for a history is compared, to the character, with how it goes on; a
completion must stand in it as it is, but for white space at its edges, and be ended by a special token. What a template
adds around a thought, an answer or a call is found by having it write the same turn with other words.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jinja2 import TemplateError

from spanwise.data.locate import Start, kinds_at, locate, partition
from spanwise.data.messages import ARGUMENTS, Form, Message, Parts, assistant_message, messages_of, parts_of
from spanwise.data.pieces import NO_PREAMBLE, Context, Preamble, Written
from spanwise.data.special import Marked, SpecialTokens, join_renderings
from spanwise.errors import TokenizationError
from spanwise.traces.tool_text import ToolCall
from spanwise.types import Span, SpanKind, Step

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: A thought that the prompt has opened already.
_OPENED = re.compile(r"<think>\s*\Z")
_OPENING = re.compile(r"<think>\s*")
#: What closes a thought, or writes one that is empty.
_CLOSED = re.compile(r"\s*(?:<think>\s*)?</think>\s*")
#: How a turn goes on that has no thought, where the prompt has opened one.
_NO_THOUGHT = "\n</think>\n\n"

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Said:
    """A completion as it is written, its spans, and the token that ends its turn."""

    text: Marked
    spans: tuple[Span, ...]
    end: str


class ChatRendering:
    """A user message (the observation) and an assistant message (the completion) per step, by a chat template.

    The answers of tools are messages of their own, and calls are structures, where the template has a form for them.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        """Takes the template of a tokenizer.

        Raises:
            TokenizationError: The tokenizer has no chat template, or no end-of-sequence token.
        """
        self.name = tokenizer.name_or_path or "the tokenizer"
        if tokenizer.chat_template is None:
            raise TokenizationError(f"{self.name} has no chat template; expected one, or the plain rendering")
        if not isinstance(tokenizer.eos_token, str):
            raise TokenizationError(f"{self.name} has no end-of-turn token (eos_token)")
        self.tokenizer = tokenizer
        self._special = SpecialTokens(tokenizer)
        self._arguments: dict[bool, Callable[[Any], Any] | None] = {}
        # A turn is asked for as what is answered, and again as what the next one follows.
        self._prompts: deque[tuple[object, Marked]] = deque(maxlen=2)
        self._written: deque[tuple[object, _Said]] = deque(maxlen=2)

    def context(self, steps: Sequence[Step], observation: str, preamble: Preamble = NO_PREAMBLE) -> Context:
        """See :class:`Rendering`.

        Raises:
            TokenizationError: The template cannot carry the conversation.
        """
        prompt = self._prompt(steps, observation, preamble)
        if not steps:
            return Context(self._special.pieces(prompt))
        read = self._prompt(steps[:-1], steps[-1].observation, preamble) + self._turn(steps, preamble)
        if read.begins(prompt):
            return Context(self._special.pieces(prompt.cut(len(read))))
        fault = f"changes earlier turns when another one follows: {_difference(prompt, read)}"
        return Context(self._special.pieces(prompt), self._fault(fault))

    def completion(self, steps: Sequence[Step], preamble: Preamble = NO_PREAMBLE) -> Written:
        """See :class:`Rendering`.

        Raises:
            TokenizationError: The template changes the completion, or ends the turn without a special token.
        """
        said = self._write(steps, preamble)
        pieces = self._special.pieces(said.text) if said.text.text else ()
        return Written(pieces, said.spans, self._special.ids[said.end])

    def ends(self, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
        """See :class:`Rendering`.

        Raises:
            TokenizationError: The template ends no turn with a special token.
        """
        ids = (self._special.ids[self._usual_end], cast(int, self.tokenizer.eos_token_id))
        return tuple(dict.fromkeys(ids))

    def _turn(self, steps: Sequence[Step], preamble: Preamble) -> Marked:
        """The last completion and the end of its turn; one that a model was cut off in has no end."""
        last = steps[-1]
        if last.token_ids is None:
            said = self._write(steps, preamble)
            return said.text + Marked(said.end, said.end)
        ended = last.token_ids[-1:]
        end = self._special.names[ended[0]] if ended and ended[0] in self.ends(self.tokenizer) else ""
        return self._special.mark(last.completion) + Marked(end, end)

    def _write(self, steps: Sequence[Step], preamble: Preamble) -> _Said:
        """The last completion as the template writes it."""
        return _remembered(self._written, (tuple(steps), preamble), lambda: self._write_anew(steps, preamble))

    def _write_anew(self, steps: Sequence[Step], preamble: Preamble) -> _Said:
        *earlier, last = steps
        form = self._form(preamble)
        parts = parts_of(last.completion, form)
        prompt = self._prompt(earlier, last.observation, preamble)
        history = messages_of(earlier, last.observation, preamble, form, self._takes_system(preamble))
        whole = self._render([*history, assistant_message(parts, form, len(earlier))], preamble)
        said = self._special.mark(last.completion)
        end = self._special.at(whole, len(prompt + said)) if (prompt + said).begins(whole) else None
        if end is not None:
            return _Said(said, last.spans, end)

        # Another thought and other words show what is the template's, and where it begins.
        thought, content = _unused(whole.text)
        other = replace(
            parts,
            thought=thought if parts.thought.strip() else parts.thought,
            content=content if parts.content or not parts.calls else "",
        )
        changed = self._render([*history, assistant_message(other, form, len(earlier))], preamble)
        begin, lead = self._begin(prompt, changed, parts, thought)
        if not changed.cut(0, begin).begins(whole):
            raise self._error(f"does not begin an answer in one way: {_difference(whole, changed)}")
        around = self._around(changed.cut(begin), other, bool(lead))
        kept = around[1].text  # a template that leaves out the thought may write the white space after it
        return self._fill(around, whole.cut(begin), self._special.mark(lead.removesuffix(kept)), parts, last)

    def _begin(self, prompt: Marked, changed: Marked, parts: Parts, thought: str) -> tuple[int, str]:
        """Where the turn begins in what the template writes, and what the agent says before that.

        A prompt may open a thought that the template does not write, or otherwise: then the thought is as it was said,
        or it is closed at once.
        """
        if prompt.begins(changed):
            return len(prompt), ""
        opened = _OPENED.search(prompt.text)
        if opened is not None and prompt.cut(0, opened.start()).begins(changed):
            again = _OPENING.match(changed.text, opened.start())
            if again is not None:
                return again.end(), ""
            if thought not in changed.text[opened.start() :]:
                return opened.start(), parts.thought + parts.closing if parts.thought.strip() else _NO_THOUGHT
        raise self._error(f"does not begin an answer as its prompt ends: {_difference(changed, prompt)}")

    def _around(self, changed: Marked, other: Parts, led: bool) -> tuple[Marked, Marked, Marked]:
        """What stands before the thought, between it and what is said, and after that."""
        before, between, after = Marked("", ""), Marked("", ""), changed
        if other.thought.strip() and not led:
            before, after = _split_at(after, other.thought)
            if after is None:
                raise self._error("leaves out the thought of a completion")
        if other.content:
            between, after = _split_at(after, other.content)
            if after is None:
                what = "the text beside tool calls" if other.calls else "a completion's text"
                raise self._error(f"leaves out {what}")
        else:
            closed = _CLOSED.match(after.text)
            if closed is not None:
                between, after = after.cut(0, closed.end()), after.cut(closed.end())
            elif other.thought.strip() and not led:
                raise self._error(f"ends a thought otherwise than by </think>: {after.text[:40]!r}")
        for part in (before, between):
            strange = bool(part.text.strip()) and not other.thought.strip() and not _CLOSED.fullmatch(part.text)
            if strange or self._special.all_in(part):
                raise self._error(f"puts {part.text!r} before what the agent says, and not at the end of the prompt")
        return before, between, after

    def _fill(
        self, around: tuple[Marked, Marked, Marked], whole: Marked, lead: Marked, parts: Parts, step: Step
    ) -> _Said:
        """The turn as the template writes it, located piece by piece."""
        before, between, after = around
        thinks = parts.thought if parts.thought.strip() and not lead.text else ""
        inner = whole.text[len(before) : len(whole) - len(after)]
        if len(before) + len(after) > len(whole) or not before.begins(whole) or not whole.text.endswith(after.text):
            raise self._error(f"changes a completion: {step.completion[:60]!r} became {whole.text[:80]!r}")
        found = locate(inner, thinks, between.text, parts.content)
        if found is None:
            expected = thinks + between.text + parts.content
            raise self._error(f"does not keep a completion as it is: {expected[:80]!r} became {inner[:80]!r}")
        thought_from, thought_length, content_from = found
        end_at, end = self._end_of(after, bool(parts.calls))
        tail = after.cut(0, end_at)
        text = lead + whole.cut(0, len(whole) - len(after)) + tail
        if parts.calls:
            self._check_calls(tail.text, parts.calls)
            begun = len(tail.text.lstrip()) if len(text) > len(tail) else len(tail)  # white space ends what is before
            return _Said(text, partition([(0, SpanKind.REASON), (len(text) - begun, SpanKind.ACT)], len(text)), end)
        thought_at = len(parts.opening)
        closing_at = thought_at + len(parts.thought)
        content_at = closing_at + len(parts.closing)
        starts: list[Start] = []
        if lead.text and parts.thought.strip():
            starts += kinds_at(step.spans, thought_at, content_at, 0)
        elif thinks:
            first = thought_at + thought_from
            starts += kinds_at(step.spans, first, first + thought_length, len(before))
            starts += kinds_at(step.spans, closing_at, content_at, len(before) + thought_length)[:1]
        elif lead.text or between.text.strip():
            starts.append((0, SpanKind.REASON))
        at = len(lead) + len(before) + thought_length + len(between)
        first, length = content_at + content_from, len(inner) - thought_length - len(between)
        starts += kinds_at(step.spans, first, first + length, at)
        return _Said(text, partition(starts, len(text)), end)

    def _check_calls(self, text: str, calls: Sequence[ToolCall]) -> None:
        """Makes sure that the template wrote all calls, in order, with all words of their arguments."""
        position = 0
        for call in calls:
            for word in (call.name, *_words(call.arguments)):
                forms = {word, json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]}
                if not any(form in text[position:] for form in forms):
                    raise self._error(f"leaves out {word[:60]!r} of a tool call: {text[position:][:80]!r}")
            position = text.index(call.name, position) + len(call.name)

    def _end_of(self, after: Marked, calls: bool) -> tuple[int, str]:
        """Where the turn ends that goes on with this, and the token that ends it."""
        if calls:
            for at, end in self._special.all_in(after):
                if end == self._usual_end or not after.text[at + len(end) :].strip():
                    return at, end
        else:
            spaces = len(after) - len(after.text.lstrip())
            end = self._special.at(after, spaces)
            if end is not None:
                return spaces, end
        raise self._error(f"puts no special token at the end of a turn, so nothing would teach it: {after.text[:40]!r}")

    def _prompt(self, steps: Sequence[Step], observation: str, preamble: Preamble) -> Marked:
        def render() -> Marked:
            messages = messages_of(steps, observation, preamble, self._form(preamble), self._takes_system(preamble))
            return self._render(messages, preamble, prompt=True)

        return _remembered(self._prompts, (tuple(steps), observation, preamble), render)

    def _render(self, messages: list[Message], preamble: Preamble, prompt: bool = False) -> Marked:
        tools = list(preamble.tools) if preamble.tools and self._form(preamble).arguments else None
        text = self._apply(messages, tools, prompt)
        masked_messages = [self._special.mask_values(message) for message in messages]
        masked_tools = self._special.mask_values(tools)
        if masked_messages == messages and masked_tools == tools:
            return Marked(text, text)
        marked = join_renderings(text, self._apply(masked_messages, masked_tools, prompt))
        if marked is None:
            raise self._error("does not keep text as it is that holds the text of a special token")
        return marked

    def _apply(self, messages: list[Message], tools: list[dict[str, Any]] | None, prompt: bool) -> str:
        apply = self.tokenizer.apply_chat_template
        try:
            return cast(str, apply(messages, tools=cast(Any, tools), tokenize=False, add_generation_prompt=prompt))
        except (TemplateError, TypeError, ValueError) as error:
            raise TokenizationError(
                f"{self.name}: the chat template cannot render {len(messages)} messages: {error}"
            ) from error

    @cached_property
    def _usual_end(self) -> str:
        """The token that ends a turn without calls."""
        content = _unused("")[0]
        messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": content}]
        _, after = _split_at(self._render(messages, NO_PREAMBLE), content)
        if after is None:
            raise self._error("leaves out a completion's text")
        return self._end_of(after, calls=False)[1]

    def _takes_system(self, preamble: Preamble) -> bool:
        return preamble.system is not None and self._writes_system

    @cached_property
    def _writes_system(self) -> bool:
        """Whether the template takes a system message and writes it."""
        system, question = _unused("")
        try:
            written = self._render(
                [{"role": "system", "content": system}, {"role": "user", "content": question}], NO_PREAMBLE, prompt=True
            )
        except TokenizationError:
            return False
        return system in written.text and question in written.text

    def _form(self, preamble: Preamble) -> Form:
        """What the template takes apart from text; calls only if there may be some in the conversation."""
        if not preamble.calls:
            return Form(None, self._writes_reasoning)
        with_tools = bool(preamble.tools)
        if with_tools not in self._arguments:
            self._arguments[with_tools] = self._takes_calls(with_tools)
        return Form(self._arguments[with_tools], self._writes_reasoning)

    @cached_property
    def _writes_reasoning(self) -> bool:
        thought = _unused("")[0]
        said = assistant_message(Parts("", thought, "", "!"), Form(None, reasoning=True), 0)
        try:
            return thought in self._apply([{"role": "user", "content": "?"}, said], None, prompt=False)
        except TokenizationError:
            return False

    def _takes_calls(self, with_tools: bool) -> Callable[[Any], Any] | None:
        """What the template takes as arguments of a call; None if it does not write calls, or not their answers."""
        answer = _unused("")[0]
        parts = Parts("", "", "", "", (ToolCall("look_up", {"subject": "weather"}),))
        schema = {"type": "function", "function": {"name": "look_up", "description": "", "parameters": {}}}
        tools = [schema] if with_tools else None
        asked: Message = {"role": "user", "content": "?"}
        for arguments in ARGUMENTS.values():
            called = assistant_message(parts, Form(arguments, reasoning=False), 0)
            try:
                before = self._apply([asked], tools, prompt=True)
                said = self._apply([asked, called], tools, prompt=False)
                whole = self._apply([asked, called, {"role": "tool", "content": answer}], tools, prompt=True)
            except TokenizationError:
                continue
            # The schema holds the name, too; the arguments stand in the call alone.
            if all(said.count(word) > before.count(word) for word in ("look_up", "subject", "weather")):
                return arguments if answer in whole else None
        return None

    def _error(self, fault: str) -> TokenizationError:
        return TokenizationError(self._fault(fault))

    def _fault(self, fault: str) -> str:
        return f"{self.name}: the chat template {fault}; use another template, or the plain rendering"


def _remembered(memory: deque[tuple[object, _Value]], key: object, make: Callable[[], _Value]) -> _Value:
    """What was made for a key not long ago, or is made now."""
    for known, value in memory:
        if known == key:
            return value
    value = make()
    memory.append((key, value))
    return value


def _unused(text: str) -> tuple[str, str]:
    """Two characters that are not in the text."""
    free = (one for one in map(chr, range(0xF0000, 0xFFFFE)) if one not in text)
    return next(free), next(free)


def _split_at(text: Marked, part: str) -> tuple[Marked, Marked | None]:
    at = text.text.find(part)
    return (text, None) if at < 0 else (text.cut(0, at), text.cut(at + len(part)))


def _words(arguments: Any) -> Iterator[str]:
    """The strings in arguments."""
    if isinstance(arguments, str):
        yield arguments
    elif isinstance(arguments, dict):
        for key, value in arguments.items():
            yield from (str(key), *_words(value))
    elif isinstance(arguments, (list, tuple)):
        for value in arguments:
            yield from _words(value)


def _difference(text: Marked, expected: Marked) -> str:
    """Where a text stops being as expected, and how."""
    pairs = enumerate(zip(text.masked, expected.masked, strict=False))
    shorter = min(len(text), len(expected))
    same = next((at for at, (found, wanted) in pairs if found != wanted), shorter)
    found, wanted = text.text[same : same + 60], expected.text[same : same + 60]
    return f"after {expected.text[max(0, same - 40) : same]!r}, expected {wanted!r}, found {found!r}"
