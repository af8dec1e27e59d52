"""ALFWorld's names of things and places: a kind and a number, as in ``"cabinet 3"``."""

from __future__ import annotations


def kind(name: str) -> str:
    """``"cabinet"`` of ``"cabinet 3"``."""
    return name.rpartition(" ")[0]


def number(name: str) -> int:
    """``3`` of ``"cabinet 3"``."""
    return int(name.rpartition(" ")[2])
