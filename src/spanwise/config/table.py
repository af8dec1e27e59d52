"""What all tables of a recipe have in common."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: TOML has no word for "nothing"; this one stands for it wherever a key may be left empty.
NONE = "none"

# TOML has arrays only; they may become tuples.
Names = Annotated[tuple[str, ...], Field(strict=False)]


class Table(BaseModel):
    """Base of all tables: frozen; unknown keys and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    # Settings that came later have an ``exclude_if``: they are written where they are used, so runs made before go on.

    @model_validator(mode="before")
    @classmethod
    def _read_none(cls, values: Any) -> Any:
        """Takes ``"none"`` for nothing where nothing is allowed, so that an overlay can take a value back."""
        if not isinstance(values, dict):
            return values
        fields = cls.model_fields
        return {
            key: None if value == NONE and key in fields and type(None) in get_args(fields[key].annotation) else value
            for key, value in values.items()
        }


def merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The base with the change laid over it, table by table; everything else is replaced whole."""
    merged = dict(base)
    for key, value in change.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
