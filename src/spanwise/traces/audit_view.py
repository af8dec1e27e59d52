"""An audit's report for people: how much there is of what, then defects, then warnings, in 80 columns."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from spanwise.errors import TraceError
from spanwise.traces.audit import AuditReport
from spanwise.traces.audit_findings import Distribution, Example, Finding
from spanwise.traces.view import NAME_OF_KIND, STYLE_OF_KIND, printable
from spanwise.types import SpanKind

#: Examples of a warning that are printed; the JSON report has more.
EXAMPLES_OF_WARNINGS = 2

_PLURALS = {"file": "files", "trajectory": "trajectories", "row": "rows", "step": "steps", "token": "tokens"}


def print_audit(report: AuditReport, console: Console, name: str) -> None:
    """Prints a report.

    Args:
        report: What the audit found.
        console: Where to print.
        name: What was audited.
    """
    console.print(Rule(Text(name, style="bold"), align="left", style="dim"))
    console.print(_facts(report))
    console.print(Padding(_shares(report), (1, 0)))
    for title, style, findings in (("defects", "bold red", report.defects), ("warnings", "yellow", report.warnings)):
        for number, finding in enumerate(findings):
            if not number:
                console.print(Text(title, style=style))
            console.print(Padding(_finding(finding, whole=findings is report.defects), (0, 0, 0, 2)))
        if findings:
            console.print()
    console.print(_verdict(report))


def write_audit(report: AuditReport, name: str, path: Path | None) -> None:
    """Writes a report as JSON, with the name of what was audited; to standard output if ``path`` is None.

    Raises:
        TraceError: The file cannot be written.
    """
    text = json.dumps({"file": name, **report.to_dict()}, indent=1) + "\n"
    if path is None:
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TraceError(f"{path}: cannot be written: {error}") from error


def _facts(report: AuditReport) -> Table:
    steps = report.steps
    sorts = {
        "not supervised": steps.all - steps.supervised,
        "think-only": steps.think_only,
        "without REASON": steps.empty_reason,
        "without ACT": steps.empty_act,
        "without action": steps.no_action,
    }
    facts = {
        "trajectories": f"{report.trajectories:,}: {_listed(report.outcomes) or 'none'}",
        "styles": _listed(report.styles),
        "steps": f"{steps.all:,}" + "".join(f", {count:,} {sort}" for sort, count in sorts.items() if count),
    }
    if report.tokens is not None:
        rows, length = report.tokens.rows, report.tokens.row_length
        facts["rows"] = f"{rows:,}: {length.median:,} positions (median), 95% {length.q95:,}, max {length.max:,}"
        if report.tokens.cut or report.tokens.dropped:
            facts["too long"] = (
                f"{report.tokens.cut:,} to be cut between steps, {report.tokens.dropped:,} to be dropped"
            )
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, fact in facts.items():
        if fact:
            grid.add_row(label, Text(printable(fact)))
    return grid


def _shares(report: AuditReport) -> Table:
    """Characters and tokens by kind, and tokens per step."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("characters", justify="right")
    table.add_column("", justify="right")
    if report.tokens is not None:
        table.add_column("tokens", justify="right")
        table.add_column("", justify="right")
        for title in ("per step", "95%", "max"):
            table.add_column(title, justify="right")
    characters, tokens = report.characters, report.tokens
    for kind in SpanKind:
        cells = _count_and_share(characters, [kind])
        if tokens is not None:
            cells += _count_and_share(tokens.by_kind, [kind]) + _quantiles(tokens.per_step[kind])
        table.add_row(Text(NAME_OF_KIND[kind], style=STYLE_OF_KIND[kind]), *cells)
    cells = [_count_and_share(characters, SpanKind)[0], ""]
    if tokens is not None:
        cells += [_count_and_share(tokens.by_kind, SpanKind)[0], "", "", "", ""]
    table.add_row("total", *cells, style="dim")
    return table


def _count_and_share(counts: Mapping[SpanKind, int], kinds: Iterable[SpanKind]) -> list[str]:
    count, total = sum(counts[kind] for kind in kinds), sum(counts.values())
    return [f"{count:,}", f"{count / total:.1%}" if total else ""]


def _quantiles(numbers: Distribution) -> list[str]:
    return [f"{numbers.median:,}", f"{numbers.q95:,}", f"{numbers.max:,}"]


def _finding(finding: Finding, whole: bool) -> Table:
    """What was found: how often, what, and where; examples on a line each unless they shall be whole."""
    share = ""
    if finding.of > 1:
        share = f" of {finding.of:,} {_PLURALS[finding.unit]} ({_percent(finding.count, finding.of)})"
    rights = {example.right for example in finding.examples}
    grid = Table.grid()
    grid.add_column()
    grid.add_row(Text.assemble((finding.check, "bold"), f"  {finding.count:,}{share}"))
    grid.add_row(Text(printable(finding.what + (f"; expected: {rights.pop()}" if len(rights) == 1 else ""))))
    for example in finding.examples if whole else finding.examples[:EXAMPLES_OF_WARNINGS]:
        text = _example(example, expected=len(finding.examples) > 1 and bool(rights))
        grid.add_row(Padding(text, (0, 0, 0, 2)))
    return grid


def _example(example: Example, expected: bool) -> Text:
    place = example.trajectory or ""
    place += "" if example.step is None else f" step {example.step}"
    text = Text(printable(f"{place}  " if place else ""), style="cyan", overflow="fold")
    text.append(printable(example.found), style="default")
    return text.append(printable(f"; expected: {example.right}") if expected else "", style="dim")


def _verdict(report: AuditReport) -> Text:
    failed = f"{_number(len(report.defects), 'check')} failed" if report.defects else "no defects"
    parts = [failed, _number(len(report.warnings), "warning"), f"{_number(len(report.suspicious), 'place')} to look at"]
    if report.tokens is None:
        checked = "text was checked; tokens were not, they need --tokenizer"
    else:
        checked = f"the kinds of {report.tokens.compared:,} tokens were derived a second time"
    style = "bold red" if report.defects else "green"
    return Text.assemble((", ".join(parts), style), f"\n{checked}")


def _number(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}" if count else f"no {name}s"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def _percent(count: int, of: int) -> str:
    return f"{count / of:.1%}" if count * 1000 >= of else "under 0.1%"
