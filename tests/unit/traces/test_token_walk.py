"""The kinds of tokens that end or begin inside a character, whose bytes are spelled out here by hand."""

import pytest

from spanwise.traces.token_walk import Fault, Said, Spelling, Walk, walk
from spanwise.types import Span, SpanKind

REASON, ACT = SpanKind.REASON, SpanKind.ACT
END = b"<end>"


def walked(tokens: list[bytes], text: str, border: int, ends: tuple[int, ...] | None = None) -> Walk | Fault:
    """Walks tokens, with REASON before a character and ACT from there on."""
    spelling = Spelling((*tokens, END), frozenset([len(tokens)]), marks_spaces=False, normalize=None)
    spans = (Span(REASON, 0, border), Span(ACT, border, len(text)))
    return walk(range(len(tokens) + 1), Said(text, spans, (len(tokens),) if ends is None else ends), spelling)


@pytest.mark.parametrize(
    ("tokens", "text", "border", "kinds"),
    [
        ([b"see", b"n", b"a", b"b"], "nab", 1, [REASON, ACT, ACT]),
        ([b"see", b"na", b"b"], "nab", 1, [REASON, ACT]),
        ([b" ", b" a", b"b"], " ab", 1, [ACT, ACT]),  # a space takes the kind of what follows it
        ([b"", b"  ", b"ab"], "  ab", 1, [REASON, ACT]),  # spaces alone that of the first of them
        ([b"see", b"\xc3", b"\xa9 g", b"o"], "\u00e9 go", 2, [REASON, REASON, ACT]),  # begins within the accented e
        ([b"see", b"a", b" \xc3", b"\xa9"], "a \u00e9", 2, [REASON, ACT, ACT]),  # ends within it
        ([b"see", b"\xe2\x80", b"\xa8x"], "\u2028x", 1, [REASON, ACT]),  # begins within a character that is a space
        ([b"see", b"x \xe2\x80", b"\xa8x"], "x \u2028x", 2, [REASON, ACT]),
    ],
)
def test_a_token_has_the_kind_of_its_first_character_that_is_no_space(tokens, text, border, kinds) -> None:
    found = walked(tokens, text, border)
    assert isinstance(found, Walk)
    assert found.kinds.tolist() == [*kinds, ACT]
    assert found.kinds_of_all().tolist() == [SpanKind.CONTEXT] * found.start + [*kinds, ACT]
    assert b"".join(tokens[found.start :]) == text.encode()


def test_the_border_of_a_straddling_token_is_told() -> None:
    found = walked([b"see", b"na", b"b"], "nab", 1)
    assert isinstance(found, Walk)
    (straddler,) = found.straddlers
    assert (straddler.before, straddler.after, straddler.kind) == ("n", "a", REASON)


def test_a_completion_that_does_not_begin_with_a_token_is_a_fault() -> None:
    found = walked([b"seen", b"ab"], "nab", 1)
    assert isinstance(found, Fault)
    assert found.check == "text"
    assert "reaches from context" in found.found
    found = walked([b"see", b"nob"], "nab", 1)
    assert isinstance(found, Fault)
    assert (found.check, found.found) == ("text", "the tokens end with 'nob'")
    assert "'nab'" in found.right


def test_a_turn_that_is_not_ended_is_a_fault_where_an_end_is_expected() -> None:
    found = walked([b"see", b"nab"], "nab", 1, ends=(0,))
    assert isinstance(found, Fault)
    assert found.check == "terminator"
