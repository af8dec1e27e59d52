"""A file of trajectories as one HTML page: a list, and the chosen trajectory as a script whose spans are marked.

The page is a single file that fetches nothing. What the agent wrote is stored in it as JSON that no HTML parser takes
for markup, an element per trajectory; a small script reads the one that is chosen and sets it as text. So the page is
written as a stream, opens at once, and executes nothing that a trajectory says.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from spanwise.errors import TraceError
from spanwise.traces.view import NAME_OF_KIND, printable, remark
from spanwise.types import Span, SpanKind, Step, Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from spanwise.data.pieces import Rendering

#: Bytes beyond which a page is heavy to open and to send.
HEAVY = 50_000_000

#: Styles of completions in which columns matter, so that they are set in type of one width.
_CODE_STYLES = ("tools", "code")

#: What would end a script element, or is not allowed in it; as escapes it is the same JSON.
_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


@dataclass(frozen=True, slots=True)
class Page:
    """What was written.

    Attributes:
        trajectories: How many are on the page.
        more: Whether there were more than the limit.
        size: Bytes of the file.
    """

    trajectories: int
    more: bool
    size: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """With what completions are cut into tokens.

    Attributes:
        tokenizer: A fast tokenizer.
        rendering: How a history becomes text.
    """

    tokenizer: PreTrainedTokenizerBase
    rendering: Rendering


def write_page(
    path: Path | str,
    trajectories: Iterable[Trajectory],
    name: str,
    tokens: Tokens | None = None,
    limit: int | None = None,
) -> Page:
    """Writes a page of trajectories, whole or not at all; one is held at a time.

    The same trajectories give the same bytes.

    Args:
        path: The HTML file.
        trajectories: What to show, in this order.
        name: What to call them: usually the name of their file.
        tokens: If given, the page shows where tokens begin, and counts tokens instead of characters.
        limit: Show as many at most.

    Raises:
        TraceError: There is no trajectory, or the file cannot be written.
        TokenizationError: A trajectory cannot be tokenised.
    """
    path = Path(path)
    shown = _Blocks(iter(trajectories), name, tokens, limit)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            for chunk in _template(name, shown):
                file.write(chunk.encode())
            if not shown.entries:
                raise TraceError(f"{name}: holds no trajectory")
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise TraceError(f"{path}: cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return Page(len(shown.entries), shown.more, size)


def _template(name: str, shown: _Blocks) -> Iterator[str]:
    """The page in pieces, made as they are asked for."""
    loader = PackageLoader("spanwise.traces")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    style, code = (loader.get_source(environment, f"page.{kind}")[0] for kind in ("css", "js"))
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(code)}'; base-uri 'none'"
    return environment.get_template("page.html").generate(
        name=printable(name),
        policy=Markup(policy),
        style=Markup(style),
        code=Markup(code),
        blocks=shown,
        index=shown.index,
    )


def _hash(text: str) -> str:
    """The name by which a content security policy allows an inline element that holds exactly this."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


class _Blocks:
    """The data elements of a page: iterating reads the trajectories; ``index`` is known when that is done."""

    def __init__(self, trajectories: Iterator[Trajectory], name: str, tokens: Tokens | None, limit: int | None):
        self.entries: list[dict[str, Any]] = []
        self.more = False
        self._trajectories, self._name, self._tokens, self._limit = trajectories, name, tokens, limit
        self._place_of_shared: dict[bytes, int] = {}

    def __iter__(self) -> Iterator[Markup]:
        for place, trajectory in enumerate(itertools.islice(self._trajectories, self._limit)):
            steps = _steps(trajectory) if self._tokens is None else _tokenized_steps(trajectory, self._tokens)
            texts = {"system": trajectory.system, "tools": _pretty(trajectory.tools)}
            record: dict[str, Any] = {
                "seed": trajectory.seed,
                "mono": trajectory.metadata.get("style") in _CODE_STYLES,
                "metadata": _pretty(trajectory.metadata),
                "tool_count": len(trajectory.tools or ()),
                "steps": steps,
                "final": None if trajectory.final_observation is None else _context(trajectory.final_observation),
            }
            for field, text in texts.items():
                record[field] = None
                if text is not None:
                    text = printable(text)
                    digest = hashlib.sha256(text.encode()).digest()
                    record[field] = self._place_of_shared.get(digest)
                    if record[field] is None:
                        record[field] = self._place_of_shared[digest] = len(self._place_of_shared)
                        yield _element(f"shared-{record[field]}", text)
            self.entries.append(_entry(trajectory, steps))
            yield _element(f"trajectory-{place}", record)
        self.more = next(self._trajectories, None) is not None

    def index(self) -> Markup:
        """The element that lists the trajectories and says how they were counted."""
        tokens = self._tokens
        about = {
            "name": printable(self._name),
            "more": self.more,
            "unit": "characters" if tokens is None else "tokens",
            "tokenizer": None if tokens is None else printable(Path(tokens.tokenizer.name_or_path).name),
        }
        return _element("index", {"about": about, "trajectories": self.entries})


def _entry(trajectory: Trajectory, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """What the list shows, filters and sorts by."""
    counts = {name: sum(step["counts"][name] for step in steps) for name in NAME_OF_KIND.values()}
    marks = {mark for step in steps for mark in step["marks"]}
    return {
        "id": printable(trajectory.id),
        "task_id": printable(trajectory.task_id),
        "task": printable(trajectory.task.strip()),
        "agent": printable(trajectory.agent),
        "environment": printable(trajectory.environment),
        "success": trajectory.success,
        "stop": printable(trajectory.stop_reason),
        "reward": trajectory.reward if math.isfinite(trajectory.reward or 0) else str(trajectory.reward),
        "steps": len(steps),
        "counts": counts,
        "marks": sorted(marks | {f"no {name}" for name in ("reason", "act") if not counts[name]}),
    }


def _steps(trajectory: Trajectory) -> list[dict[str, Any]]:
    """The turns as the page shows them, with characters counted per kind."""
    steps = []
    for step in trajectory.steps:
        counts = dict.fromkeys(NAME_OF_KIND.values(), 0)
        counts["context"] = len(step.observation)
        for span in step.spans:
            counts[_counted(span.kind, step)] += span.end - span.start
        steps.append(_step(step, step.completion, step.spans, counts))
    return steps


def _step(step: Step, text: str, spans: Sequence[Span], counts: dict[str, int]) -> dict[str, Any]:
    marks = [mark for mark in (remark(step), None if step.supervised else "not supervised") if mark is not None]
    return {
        "observation": _context(step.observation),
        "spans": [(NAME_OF_KIND[span.kind], printable(text[span.start : span.end])) for span in spans],
        "action": None if step.action is None else printable(step.action),
        "marks": marks,
        "counts": counts,
    }


def _counted(kind: SpanKind, step: Step) -> str:
    """What text of a kind counts as: context where it is not learnt."""
    return NAME_OF_KIND[kind if step.supervised else SpanKind.CONTEXT]


def _tokenized_steps(trajectory: Trajectory, tokens: Tokens) -> list[dict[str, Any]]:
    """The turns with their tokens: those that training would see, counted per kind as it counts them.

    Completions are shown as the rendering writes them; where that is not their own text, the turn says so.

    Raises:
        TokenizationError: The trajectory cannot be tokenised.
    """
    # Needed for tokens only: a page without them opens no tokenizer.
    from spanwise.data.tokenize import tokenize_samples

    if not trajectory.steps:
        return []
    everything = replace(trajectory, steps=tuple(replace(step, supervised=True) for step in trajectory.steps))
    rows = tokenize_samples(everything, tokens.tokenizer, tokens.rendering)
    apart = rows[0].id != trajectory.id
    row_of_step = {int(row.step[0]): row for row in rows}
    steps = []
    for index, step in enumerate(trajectory.steps):
        counts = dict.fromkeys(NAME_OF_KIND.values(), 0)
        ids: list[int] = []
        kinds: list[SpanKind] = []
        row = row_of_step.get(index if apart else 0)
        if row is not None:  # a step without any token has no row
            here = row.step == index
            written = here & (row.kind != SpanKind.CONTEXT)
            ids, kinds = row.target_ids[written].tolist(), [SpanKind(kind) for kind in row.kind[written].tolist()]
            # The first token of a row is read and never predicted, so it is no target.
            counts["context"] = int((here & ~written).sum()) + (apart or index == 0)
        for kind in kinds:
            counts[_counted(kind, step)] += 1
        text, spans, offsets = _places(trajectory, index, ids, tokens)
        end = tokens.tokenizer.convert_ids_to_tokens(ids[-1]) if len(ids) > len(offsets) else None
        steps.append(
            _step(step, text, spans, counts)
            | {
                "rewritten": text != step.completion,
                "tokens": {
                    "ids": ids,
                    "kinds": "".join(NAME_OF_KIND[kind][0] for kind in kinds),
                    "lengths": _lengths(offsets, text),
                    "end": None if end is None else printable(str(end)),
                },
            }
        )
    return steps


def _places(
    trajectory: Trajectory, index: int, ids: list[int], tokens: Tokens
) -> tuple[str, Sequence[Span], list[tuple[int, int]]]:
    """A completion as it is tokenised: its text, spans, and the character range of each token but the end of turn."""
    from spanwise.data.pieces import preamble_of
    from spanwise.data.tokenize import _encode, _generated_offsets

    step = trajectory.steps[index]
    if step.token_ids is not None:
        ended = ids[-1:] if ids[-1:] and ids[-1] in tokens.rendering.ends(tokens.tokenizer) else []
        offsets = _generated_offsets(ids[: len(ids) - len(ended)], step.completion, tokens.tokenizer)
        return step.completion, step.spans, offsets
    written = tokens.rendering.completion(trajectory.steps[: index + 1], preamble_of(trajectory))
    offsets, begun = [], 0
    for piece in written.pieces:
        found = _encode(piece, tokens.tokenizer)["offset_mapping"]
        offsets += [(begun + start, begun + end) for start, end in found]
        begun += len(piece.text)
    return written.text, written.spans, offsets


def _lengths(offsets: Sequence[tuple[int, int]], text: str) -> list[int]:
    """How much of the text as it is shown each token adds, in UTF-16 units, as browsers count.

    A token that only goes on with a character that an earlier one began adds 0.
    """
    lengths, position = [], 0
    for _, end in offsets:
        shown = printable(text[position:end])
        lengths.append(len(shown) + sum(character > "\uffff" for character in shown))
        position = max(position, end)
    return lengths


def _context(text: str) -> str:
    return printable(text.strip("\n"))


def _pretty(value: Any) -> str | None:
    """JSON for people; None if there is nothing in it."""
    return printable(json.dumps(value, ensure_ascii=False, indent=2)) if value else None


def _element(name: str, value: Any) -> Markup:
    """A data element that ends where it ends, whatever the text in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)
    return Markup(f'<script type="application/json" id="{name}">{text}</script>\n')
