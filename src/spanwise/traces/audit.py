"""Whether a file of trajectories teaches what it should: its text and its tokens, checked without trusting either.

Defects are what must not be trained on: a mask that is not where the spans are, a turn without its end, an observation
that the agent made up. Warnings are worth a look. The kind of every supervised token is derived a second time
(``token_walk.py``) and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from spanwise.data.render import PLAIN, Rendering
from spanwise.errors import ModelError
from spanwise.traces.audit_findings import DEFECTS, WARNINGS, Finding, Findings, Place
from spanwise.traces.audit_text import StepCounts, TextChecks
from spanwise.traces.audit_tokens import TokenChecks, TokenCounts
from spanwise.types import SpanKind, Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found.

    Attributes:
        trajectories: How many were read.
        outcomes: How many succeeded, failed, or do not say.
        styles: How many are of each style.
        steps: Steps, by sort.
        characters: Characters of each kind; completions that are not learnt are CONTEXT.
        tokens: Counts of tokens; None without a tokenizer: then no token was checked.
        defects: What must not be trained on.
        warnings: What is worth a look.
        suspicious: Every place with a finding; straddling tokens alone make none.
    """

    trajectories: int
    outcomes: Mapping[str, int]
    styles: Mapping[str, int]
    steps: StepCounts
    characters: Mapping[SpanKind, int]
    tokens: TokenCounts | None
    defects: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    suspicious: tuple[Place, ...]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values; kinds by their lower-case names."""
        values = asdict(self)
        for counts in (values, *([] if self.tokens is None else [values["tokens"]])):
            for name in counts.keys() & {"characters", "by_kind", "per_step"}:
                counts[name] = {kind.name.lower(): value for kind, value in counts[name].items()}
        return values


def audit(
    trajectories: Iterable[Trajectory],
    tokenizer: PreTrainedTokenizerBase | None = None,
    rendering: Rendering = PLAIN,
    teacher_tokenizer: PreTrainedTokenizerBase | None = None,
    max_length: int | None = None,
) -> AuditReport:
    """What is wrong with trajectories, in one pass that holds one of them at a time.

    Args:
        trajectories: What to check.
        tokenizer: The student's; without one, text is checked and tokens are not.
        rendering: How histories become text.
        teacher_tokenizer: If given, its vocabulary must be the student's.
        max_length: Positions that a row may have; None for any number.

    Raises:
        TokenizationError: The tokenizer has no end-of-turn token, or one cannot know what its tokens spell.
    """
    findings = Findings()
    texts = TextChecks(findings)
    tokens = None if tokenizer is None else TokenChecks(findings, tokenizer, rendering, max_length)
    if tokenizer is not None and teacher_tokenizer is not None:
        _compare_vocabularies(findings, teacher_tokenizer, tokenizer)
    for trajectory in trajectories:
        if texts.read(trajectory) and tokens is not None:
            tokens.read(trajectory)
    texts.find_long_thoughts()
    counts = None if tokens is None else tokens.counts()
    totals = {
        "file": 1,
        "trajectory": sum(texts.outcomes.values()),
        "step": texts.steps["all"],
        "row": 0 if counts is None else counts.rows,
        "token": 0 if counts is None else counts.compared,
    }
    return AuditReport(
        trajectories=totals["trajectory"],
        outcomes=texts.outcomes,
        styles=dict(texts.styles),
        steps=StepCounts(**texts.steps),
        characters=texts.characters,
        tokens=counts,
        defects=findings.of(DEFECTS, totals),
        warnings=findings.of(WARNINGS, totals),
        suspicious=findings.places(),
    )


def _compare_vocabularies(
    findings: Findings, teacher: PreTrainedTokenizerBase, student: PreTrainedTokenizerBase
) -> None:
    from spanwise.training.models import check_same_vocabulary  # imports torch

    try:
        check_same_vocabulary(teacher, student)
    except ModelError as error:
        findings.add("vocabulary", None, None, str(error), "one tokenizer for both")
