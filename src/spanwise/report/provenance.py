"""Nested objects as lines, for the part of a report that says what produced it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """A nested object as names like ``git.commit`` with their values."""
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in flat(inner, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list):
        return [(name, ", ".join(json.dumps(item, ensure_ascii=False) for item in value))]
    return [(name, str(value))]
