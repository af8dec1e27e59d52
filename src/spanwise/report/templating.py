"""Pages from templates: a file each, styles inlined, no script, no address; text is shown and not obeyed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from spanwise.traces.view import completion_html, context_html, printable


def render(template: str, series: Mapping[str, int], values: Mapping[str, Any]) -> str:
    """A page.

    Args:
        template: Its name.
        series: Number of each learner's colour.
        values: What the template shows.
    """
    environment = Environment(
        loader=PackageLoader("spanwise.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    environment.globals["series"] = series
    environment.filters |= {"context": context_html, "completion": completion_html}
    style, _, _ = environment.loader.get_source(environment, "report.css")  # pyright: ignore[reportOptionalMemberAccess]
    return environment.get_template(template).render(style=Markup(style), **values)


def _finalize(value: Any) -> Any:
    """Text from a run's files as it may be shown; what is markup already was made of such text."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
