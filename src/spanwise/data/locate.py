"""Where in what a template wrote a completion is, and its spans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spanwise.types import Span, SpanKind

#: A place in a text, and the kind of what begins there.
Start = tuple[int, SpanKind]


def locate(inner: str, thought: str, between: str, content: str) -> tuple[int, int, int] | None:
    """How ``inner`` is thought, between and content, white space at the edges of thought and content left out.

    Returns:
        Where the thought in it begins in ``thought``, how long it is, and where the content begins in ``content``.
    """
    for start, kept in _trimmings(thought):
        if inner.startswith(kept + between):
            at = _trimmed_at(inner[len(kept) + len(between) :], content)
            if at is not None:
                return start, len(kept), at
    return None


def _trimmings(text: str) -> Iterator[tuple[int, str]]:
    """The text without white space, or newlines, at its edges, and how much is left out in front; as it is first."""
    for left in dict.fromkeys(len(text) - len(text.lstrip(some)) for some in ("", "\n", None)):
        for kept in dict.fromkeys(text[left:].rstrip(some) for some in ("", "\n", None)):
            yield left, kept


def _trimmed_at(inner: str, whole: str) -> int | None:
    """Where ``inner`` begins in ``whole`` if it is all of it but white space at its edges; else None."""
    if inner.strip() != whole.strip():
        return None
    if not whole.strip():
        at = whole.find(inner)
        return None if at < 0 else at
    at = (len(whole) - len(whole.lstrip())) - (len(inner) - len(inner.lstrip()))
    return at if at >= 0 and whole[at : at + len(inner)] == inner else None


def kinds_at(spans: Sequence[Span], start: int, end: int, at: int) -> list[Start]:
    """The kinds of characters ``[start, end)`` of a completion, where these stand at ``at``."""
    return [(at + max(span.start, start) - start, span.kind) for span in spans if span.end > start and span.start < end]


def partition(starts: Sequence[Start], length: int) -> tuple[Span, ...]:
    """Spans that begin at the starts, the first of them at 0; neighbours of one kind are one."""
    kept: list[Start] = []
    for start, kind in starts:
        if kept and kept[-1][0] == start:
            kept.pop()
        if start < length and not (kept and kept[-1][1] is kind):
            kept.append((start if kept else 0, kind))
    if length and not kept:
        kept.append((0, SpanKind.ACT))  # white space that a template puts where nothing was said
    ends = [*(start for start, _ in kept[1:]), length] if kept else []
    return tuple(Span(kind, start, end) for (start, kind), end in zip(kept, ends, strict=True))
