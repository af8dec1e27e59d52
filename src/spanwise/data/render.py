"""A trajectory as the text a model reads: what stands between completions, and the completions as they are.

Completions and the pieces between them are tokenised one by one, so the ids of a history are a prefix of the ids of
every longer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, cast

from jinja2 import TemplateError

from spanwise.errors import TokenizationError
from spanwise.types import Step

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: Stands in for an observation, to see what a template puts around it.
_PLACEHOLDER = "\N{OBJECT REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Context that is tokenised by itself.

    Attributes:
        text: The characters.
        markup: Whether what reads like a special token in them is one; elsewhere it is text.
    """

    text: str
    markup: bool = False


class Rendering(Protocol):
    """How a history becomes text: pieces of context, and after each step's context its completion and end of turn."""

    def context(self, steps: Sequence[Step], observation: str) -> tuple[Piece, ...]:
        """What stands between the last completion of ``steps`` and the answer to ``observation``."""
        ...

    def check_completion(self, steps: Sequence[Step]) -> None:
        """Makes sure that the completion of the last of ``steps`` stands in the text as it is, its end of turn next."""
        ...


class PlainRendering:
    """``observation + "\\n"``, the completion, the end-of-turn token; the next observation follows directly."""

    def context(self, steps: Sequence[Step], observation: str) -> tuple[Piece, ...]:
        """See :class:`Rendering`."""
        return (Piece(observation + "\n"),)

    def check_completion(self, steps: Sequence[Step]) -> None:
        """See :class:`Rendering`."""


PLAIN = PlainRendering()


class ChatRendering:
    """A user message (the observation) and an assistant message (the completion) per step, by a chat template.

    Templates are not trusted: what one writes for a history must be, to the character, how it begins what it writes for
    every longer one; and a completion must stand in it as it is, followed by the end-of-turn token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        """Takes the template of a tokenizer, whose end-of-sequence token ends a turn.

        Raises:
            TokenizationError: The tokenizer has no chat template, or no end-of-sequence token.
        """
        name = tokenizer.name_or_path or "the tokenizer"
        if tokenizer.chat_template is None:
            raise TokenizationError(f"{name} has no chat template; expected one, or the plain rendering")
        if not isinstance(tokenizer.eos_token, str):
            raise TokenizationError(f"{name} has no end-of-turn token (eos_token)")
        self.tokenizer = tokenizer
        self._end: str = tokenizer.eos_token
        self._end_id = tokenizer.eos_token_id
        self._special = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]

    def context(self, steps: Sequence[Step], observation: str) -> tuple[Piece, ...]:
        """See :class:`Rendering`.

        Raises:
            TokenizationError: The template changes earlier turns now that another one follows, or an observation that
                holds the text of a special token.
        """
        read = ""
        if steps:
            *earlier, last = steps
            cut_off = last.token_ids is not None and last.token_ids[-1:] != (self._end_id,)
            read = self._prompt(earlier, last.observation) + last.completion + ("" if cut_off else self._end)
        text = _rest(self._prompt(steps, observation), read, "changes earlier turns when another one follows")
        if not any(token in observation for token in self._special):
            return (Piece(text, markup=True),)
        before, placeholder, after = self._prompt(steps, _PLACEHOLDER)[len(read) :].partition(_PLACEHOLDER)
        if not placeholder or before + observation + after != text:
            raise TokenizationError(
                "the observation holds the text of a special token, and the chat template does not keep the "
                f"observation as it is: {observation[:80]!r} became {text[len(before) :][:80]!r}"
            )
        return Piece(before, markup=True), Piece(observation), Piece(after, markup=True)

    def check_completion(self, steps: Sequence[Step]) -> None:
        """See :class:`Rendering`.

        Raises:
            TokenizationError: The template changes the completion, or ends the turn otherwise.
        """
        *earlier, last = steps
        read = self._prompt(earlier, last.observation) + last.completion + self._end
        said = {"role": "assistant", "content": last.completion}
        written = self._render([*_messages(earlier, last.observation), said], prompt=False)
        _rest(written, read, f"does not keep a completion as it is, with {self._end!r} (the eos_token) after it")

    def _prompt(self, steps: Sequence[Step], observation: str) -> str:
        return self._render(_messages(steps, observation), prompt=True)

    def _render(self, messages: list[dict[str, str]], prompt: bool) -> str:
        try:
            return cast(str, self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt))
        except TemplateError as error:
            raise TokenizationError(f"the chat template cannot render {len(messages)} messages: {error}") from error


def make_rendering(name: Literal["plain", "chat"], tokenizer: PreTrainedTokenizerBase) -> Rendering:
    """The rendering of a name, for models that read with this tokenizer.

    Raises:
        TokenizationError: ``chat``, and the tokenizer has no chat template.
    """
    return ChatRendering(tokenizer) if name == "chat" else PLAIN


def _messages(steps: Sequence[Step], observation: str) -> list[dict[str, str]]:
    """The conversation up to an observation."""
    messages = [
        {"role": role, "content": content}
        for step in steps
        for role, content in (("user", step.observation), ("assistant", step.completion))
    ]
    return [*messages, {"role": "user", "content": observation}]


def _rest(text: str, beginning: str, fault: str) -> str:
    """What follows ``beginning`` in ``text``.

    Raises:
        TokenizationError: ``text`` begins otherwise: the template has the fault.
    """
    if not text.startswith(beginning):
        pairs = enumerate(zip(text, beginning, strict=False))
        same = next((at for at, (found, expected) in pairs if found != expected), len(text))
        raise TokenizationError(
            f"the chat template {fault}: after {beginning[max(0, same - 40) : same]!r}, expected "
            f"{beginning[same : same + 60]!r}, found {text[same : same + 60]!r}; use another template, or the plain "
            "rendering"
        )
    return text[len(beginning) :]
