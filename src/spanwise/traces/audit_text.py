"""What an audit sees in the text of trajectories, character by character."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import re
from collections import Counter
from dataclasses import dataclass

from spanwise.traces.audit_findings import Findings, distribution, shortened
from spanwise.traces.segment import STYLES, made_up_at, segment
from spanwise.types import Span, SpanKind, Step, Trajectory

#: Shorter observations ("OK.", "Nothing happens.") may well be said by an agent.
COPIED_FROM = 40

#: Thoughts are outliers from this many characters, if also 8 times the median and twice the 95% quantile.
LONG_THOUGHT = 1000

#: How many of the longest thoughts are kept as candidates.
_LONGEST = 1000

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MOJIBAKE = re.compile("[\u00c2\u00c3][\u0080-\u00bf]|\u00e2(?:\u20ac|\u0080)|\u00f0\u0178|\u00ef\u00bf\u00bd|\ufffd")
_THINK_ONLY = re.compile(r"\s*think\s*[:\[]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StepCounts:
    """How many steps there are, and of what sort.

    Attributes:
        all: Number of steps.
        supervised: Those that training may learn.
        think_only: Their action is a thought (``think: ...``) that no environment sees.
        empty_reason: Without REASON text.
        empty_act: Without ACT text.
        no_action: Without an action that could be parsed.
    """

    all: int
    supervised: int
    think_only: int
    empty_reason: int
    empty_act: int
    no_action: int


class TextChecks:
    """Checks of what stands in the file, character by character; of trajectories only hashes are kept."""

    def __init__(self, findings: Findings) -> None:
        self._add = findings.add
        self.outcomes: dict[str, int] = dict.fromkeys(("success", "failed", "unknown"), 0)
        self.styles: Counter[str] = Counter()
        self.steps = dict.fromkeys(StepCounts.__slots__, 0)
        self.characters = dict.fromkeys(SpanKind, 0)
        self._first_of: dict[bytes, str] = {}
        self._thoughts: Counter[int] = Counter()  # by length
        self._longest: list[tuple[int, int, str, int]] = []  # a heap: length, minus order, trajectory, step

    def read(self, trajectory: Trajectory) -> bool:
        """Checks one trajectory; returns whether anything in it is there to learn."""
        self.outcomes[{True: "success", False: "failed", None: "unknown"}[trajectory.success]] += 1
        style = trajectory.metadata.get("style")
        self.styles["not said" if style is None else str(style)] += 1
        if style is not None and style not in STYLES:
            self._add("unknown_style", trajectory.id, None, f"style {style!r}", f"one of {', '.join(STYLES)}")
        first = self._first_of.setdefault(_digest(trajectory), trajectory.id)
        if first != trajectory.id:
            self._add("duplicate", trajectory.id, None, f"the steps of {first}", "each episode once")
        self.characters[SpanKind.CONTEXT] += len(trajectory.system or "")
        for index, step in enumerate(trajectory.steps):
            self._count(step)
            self._check_step(trajectory, index, step)
            if style in STYLES and (cut := segment(step.completion, style).spans) != step.spans:
                self._add("other_cut", trajectory.id, index, _ends(step.spans), f"{_ends(cut)} as {style} cuts")
        self._check_repetition(trajectory)
        if trajectory.steps and not any(step.text(SpanKind.ACT).strip() for step in trajectory.steps):
            found = f"{len(trajectory.steps)} steps, no character of them ACT"
            self._add("no_act_at_all", trajectory.id, None, found, "a command in most steps; is it another style?")
        learns = any(step.supervised for step in trajectory.steps)
        if not learns:
            found = f"none of {len(trajectory.steps)} steps is supervised"
            self._add("nothing", trajectory.id, None, found, "a step to learn, or no such trajectory")
        return learns

    def _count(self, step: Step) -> None:
        reason, act = step.text(SpanKind.REASON), step.text(SpanKind.ACT)
        self.steps["all"] += 1
        self.steps["supervised"] += step.supervised
        self.steps["think_only"] += step.action is not None and _THINK_ONLY.match(step.action) is not None
        self.steps["empty_reason"] += not reason.strip()
        self.steps["empty_act"] += not act.strip()
        self.steps["no_action"] += step.action is None
        self.characters[SpanKind.CONTEXT] += len(step.observation)
        self.characters[SpanKind.REASON if step.supervised else SpanKind.CONTEXT] += len(reason)
        self.characters[SpanKind.ACT if step.supervised else SpanKind.CONTEXT] += len(act)

    def _check_step(self, trajectory: Trajectory, index: int, step: Step) -> None:
        text, place = step.completion, (trajectory.id, index)
        for name, said in (("observation", step.observation), ("completion", text)):
            if wrong := _MOJIBAKE.search(said):
                self._add("mojibake", *place, f"{_around(said, wrong)} in the {name}", "UTF-8, decoded as such")
            elif control := _CONTROL.search(said):
                self._add("control", *place, f"{_around(said, control)} in the {name}", "printable text")
        if not step.supervised:
            return
        thinks_only = step.action is not None and _THINK_ONLY.match(step.action) is not None
        if (at := made_up_at(text, str(trajectory.metadata.get("style", "react")))) is not None:
            self._add("made_up", *place, shortened(text[at:]), f"the completion ends before character {at}")
        heard = trajectory.steps[index + 1].observation if index + 1 < len(trajectory.steps) else None
        heard = (trajectory.final_observation or "" if heard is None else heard).strip()
        if len(heard) >= COPIED_FROM and heard in text:
            self._add("copied", *place, shortened(heard), "said by the environment alone, after the completion")
        if step.action is None:
            self._add("no_action", *place, shortened(text), "a command as the style has it")
        if not thinks_only and not step.text(SpanKind.ACT).strip():
            self._add("no_act", *place, shortened(text), "a command in an ACT span")
        if text != text.strip():
            self._add("white_space", *place, shortened(text), "as the model shall write it: usually none")
        thought = len(step.text(SpanKind.REASON))
        if thought:
            self._thoughts[thought] += 1
            if thought >= LONG_THOUGHT:
                push = heapq.heappush if len(self._longest) < _LONGEST else heapq.heappushpop
                push(self._longest, (thought, -self.steps["all"], *place))

    def _check_repetition(self, trajectory: Trajectory) -> None:
        acted: dict[tuple[str, str], int] = {}
        said: dict[str, int] = {}
        for index, step in enumerate(trajectory.steps):
            place = (trajectory.id, index)
            if step.action is not None:
                first = acted.setdefault((step.observation, step.action), index)
                if first != index:
                    self._add("repeated", *place, f"{shortened(step.action)} as in step {first}", "another action")
            if step.text(SpanKind.REASON).strip():
                first = said.setdefault(step.completion, index)
                if first != index:
                    found = f"{shortened(step.completion)} as in step {first}"
                    self._add("repeated_thought", *place, found, "a thought on what was seen since")
        begin = 0
        for action, run in itertools.groupby(step.action for step in trajectory.steps):
            length = sum(1 for _ in run)
            if action is not None and length >= 3:
                self._add("loop", trajectory.id, begin, f"{shortened(action)} {length} times", "fewer")
            begin += length

    def find_long_thoughts(self) -> None:
        """Notes outliers, once all lengths are known."""
        if not self._longest:
            return
        usual = distribution(self._thoughts)
        limit = max(LONG_THOUGHT, 8 * usual.median, 2 * usual.q95)
        for length, _, trajectory, step in sorted(self._longest, key=lambda one: (-one[0], -one[1])):
            if length >= limit:
                right = f"fewer than {limit} (median {usual.median}, 95% {usual.q95})"
                self._add("long_thought", trajectory, step, f"{length} characters", right)


def _digest(trajectory: Trajectory) -> bytes:
    """A hash of what was read and said, the same for equal episodes."""
    state = hashlib.blake2b(digest_size=16)
    for step in trajectory.steps:
        for text in (step.observation, step.completion):
            data = text.encode(errors="surrogatepass")
            state.update(len(data).to_bytes(8, "big") + data)
    return state.digest()


def _around(text: str, match: re.Match[str]) -> str:
    return repr(text[max(0, match.start() - 16) : match.end() + 16])


def _ends(spans: tuple[Span, ...]) -> str:
    return ", ".join(f"{span.kind.name} to {span.end}" for span in spans) or "no span"
