"""Reading suites: strict TOML laid over a recipe, ``key=value`` changes, and the same in small on the toy world."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from spanwise.config import NONE, merge
from spanwise.errors import ConfigError, RunDirectoryError
from spanwise.recipes import parse_override, read_values, validate
from spanwise.suite.config import Suite

#: What a run of a suite is known by.
SUITE = "suite.json"


def load_suite(path: Path, overrides: Sequence[str] = (), smoke: bool = False) -> Suite:
    """The suite of a file.

    ``base`` names its recipe, relative to the file; the table ``recipe`` is laid over that. Each of ``methods`` is laid
    over ``students.training``, each of ``sizes`` over ``students.model``, each of ``splits`` over ``evaluate`` and
    ``environment``.

    Args:
        path: A TOML file.
        overrides: ``dotted.key=value``, as for recipes; ``methods.NAME=none`` leaves one out.
        smoke: Every method, but on the toy world, with few steps and cells.

    Raises:
        ConfigError: A file, a key or a value is wrong; the message names it, and the nearest known key.
    """
    values = read_values(path)
    for override in overrides:
        values = merge(values, parse_override(override))
    base = values.pop("base", None)
    if not isinstance(base, str):
        raise ConfigError(f"{path}: base: expected the name of a recipe, found {base!r}")
    recipe = merge(read_values(path.parent / base), _table(path, values, "recipe"))
    values = {"name": path.stem, "splits": {"main": {}}, **values}
    for name in ("methods", "sizes", "splits"):
        values[name] = {key: one for key, one in _table(path, values, name).items() if one != NONE}
    if smoke:
        values, recipe = _in_small(values, recipe)
    students = recipe.get("students", {})
    recipe = merge({"name": values["name"]}, recipe) | {"students": {**students, "methods": {}}}
    for name, shared in (("methods", students.get("training", {})), ("sizes", students.get("model", {}))):
        values[name] = {key: _over(shared, one) for key, one in values[name].items()}
    played = {key: recipe[key] for key in ("evaluate", "environment") if key in recipe}
    values["splits"] = {key: _over(played, one) for key, one in values["splits"].items()}
    if isinstance(values["sizes"], dict) and values["sizes"]:
        values.setdefault("main_size", next(iter(values["sizes"])))
    suite = validate(Suite, {**values, "recipe": recipe}, str(path))
    validate(type(suite.recipe), suite.teaching().model_dump(mode="json"), str(path))
    return suite


def read_suite(run: Path) -> Suite:
    """The suite that a run directory was last used with.

    Raises:
        RunDirectoryError: It is no suite's.
    """
    path = run / SUITE
    if not path.exists():
        raise RunDirectoryError(f"{run}: holds no {SUITE}; expected the run directory of a suite")
    try:
        return Suite.model_validate(json.loads(path.read_text(encoding="utf-8"))["suite"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunDirectoryError(f"{path}: its suite cannot be read: {error}") from error


def _table(path: Path, values: dict[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: {name}: expected a table, found {found!r}")
    return found


def _over(shared: dict[str, Any], change: Any) -> Any:
    """A table laid over the shared one; what is no table is left for validation to refuse."""
    return merge(shared, change) if isinstance(change, dict) else change


def _in_small(values: dict[str, Any], recipe: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The suite with every method and every axis, but few cells, and the toy world's recipe."""
    small = tomllib.loads(files("spanwise.suite").joinpath("smoke.toml").read_text(encoding="utf-8"))
    teacher = {key: one for key, one in recipe.get("teacher", {}).items() if key in ("source", "signals")}
    sizes = list(values["sizes"])
    main, baseline = values.get("main_size", sizes[0] if sizes else ""), values.get("baseline", "token_kd")
    seeds = list(values.get("seeds", (0, 1)))[:2]
    free = itertools.cycle(("valid_seen", "valid_unseen", "train"))
    splits = {}
    for name, split in values["splits"].items():
        constrained = isinstance(split, dict) and split.get("evaluate", {}).get("constrained", False)
        played = {"split": "valid_seen", "constrained": True} if constrained else {"split": next(free)}
        splits[name] = {"evaluate": played}
    return {
        **values,
        "name": f"{values['name']}-smoke",
        "methods": {
            name: merge(one, small["training"]) if isinstance(one, dict) else one
            for name, one in values["methods"].items()
        },
        "sizes": {name: {"hidden_size": 16 + 8 * number} for number, name in enumerate(sizes)},
        "splits": splits,
        "fidelity": 4,
        "seeds": seeds,
        "grids": [
            {"sizes": [main], "seeds": seeds[:1]},
            {"methods": [baseline], "sizes": [main], "seeds": seeds},
            {"methods": [baseline], "sizes": sizes, "seeds": seeds[:1]},
            {"methods": [baseline], "sizes": [main], "seeds": seeds[:1], "data": [small["trajectories"]]},
        ],
    }, merge(small["recipe"], {"teacher": teacher})
