"""What counts as the same name: titles as they are compared, without what their writers differ in."""

from __future__ import annotations

import html
import re
import unicodedata

#: Signs that are written for each other.
_ALIKE = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u02bc`", "'")
    | dict.fromkeys("\u201c\u201d\u201e", '"')
    | {"_": " "}
)
_QUALIFIER = re.compile(r"(?<=\S)\s*\([^()]*\)$")
_WORD = re.compile(r"\w+")


def fold(name: str) -> str:
    """The name without case, accents, kinds of dashes and quotes, and white space at its ends or repeated.

    Signs that are written as HTML writes them (``&amp;``), as in some titles of the released pages, are read.
    """
    if "&" in name:
        name = html.unescape(name)
    if not name.isascii():
        decomposed = unicodedata.normalize("NFKD", name.translate(_ALIKE))
        name = "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()
    else:
        name = name.replace("_", " ").lower()
    return " ".join(name.split())


def without_qualifier(folded: str) -> str:
    """The name without what stands in parentheses at its end, as in ``death wish (2017 film)``."""
    return _QUALIFIER.sub("", folded)


def words(folded: str) -> list[str]:
    """The words of a folded name, each once."""
    return list(dict.fromkeys(_WORD.findall(folded)))
