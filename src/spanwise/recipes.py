"""Reading recipes: strict TOML, overlays by ``extends``, and ``key=value`` changes from the command line."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from typing_extensions import TypeIs

from spanwise.config import Recipe, merge
from spanwise.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of a file, with changes laid over it.

    Args:
        path: A TOML file; ``extends = "other.toml"`` in it, relative to it, names one that it is laid over.
        overrides: ``dotted.key=value``; values are read as TOML, words that are not TOML as strings.

    Raises:
        ConfigError: The file, a key or a value is wrong; the message names it, and the nearest known key.
    """
    values = read_values(path)
    for override in overrides:
        values = merge(values, parse_override(override))
    values.setdefault("name", path.stem)
    return validate(Recipe, values, str(path))


def validate(kind: type[Model], values: dict[str, Any], source: str) -> Model:
    """The values as a table.

    Raises:
        ConfigError: A key or a value is wrong; the message begins with ``source``.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_explain(error, kind)}") from error


def read_values(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The values of a TOML file, laid over those of the file that it ``extends``, if any.

    Args:
        path: The file.
        seen: Files that extend this one.

    Raises:
        ConfigError: A file cannot be read, is not TOML, or extends itself.
    """
    if path.resolve() in seen:
        raise ConfigError(f"{path}: extends itself, by way of {' -> '.join(str(one) for one in seen)}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the recipe cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    below = values.pop("extends", None)
    if below is None:
        return values
    if not isinstance(below, str):
        raise ConfigError(f"{path}: extends: expected the name of a recipe, found {below!r}")
    return merge(read_values(path.parent / below, (*seen, path.resolve())), values)


def parse_override(text: str) -> dict[str, Any]:
    """The tables that ``dotted.key=value`` stands for.

    Raises:
        ConfigError: It is not of this form.
    """
    key, equals, value = text.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"override {text!r}: expected dotted.key=value, for example training.epochs=2")
    try:
        parsed: Any = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    for part in reversed(parts):
        parsed = {part: parsed}
    return parsed


def _explain(error: ValidationError, root: type[BaseModel]) -> str:
    """One line for the first fault of a recipe, or of another table."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _keys_beside(first["loc"], root)
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.0)
        return f"unknown key {key!r}; did you mean {near[0]!r}? Known here: {', '.join(known)}"
    found = first["input"]
    return f"{key or root.__name__.lower()}: {first['msg']}" + ("" if isinstance(found, dict) else f", found {found!r}")


def _keys_beside(location: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    """The keys that the table has which a location's last key was looked for in."""
    table = root
    index = 0
    while index < len(location) - 1:
        annotation = table.model_fields[str(location[index])].annotation
        table = next(one for one in (annotation, *get_args(annotation)) if _is_table(one))
        index += 2 if get_origin(annotation) in (dict, tuple) else 1  # a name, or a number, then the table
    return list(table.model_fields)


def _is_table(annotation: Any) -> TypeIs[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
