"""What the installed `alfworld` wheel ships: ALFRED's tables, goals, planning domain and text grammar.

Read as files, because importing the package creates a cache folder in the user's home and sets ALFWORLD_DATA.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from spanwise.errors import TaskDataError

# What alfworld 0.4.2 says, and what the released games (json_2.1.1) say instead. Models that learn on generated games
# shall find the same words in the released ones.
_GRAMMAR_WORDING = (
    ("You arrive at {r.name}. ", "You arrive at {lend.name}. ", 1),
    ("You move the {o.name} to the {r.name}.", "You put the {o.name} in/on the {r.name}.", 1),
    ('template :: "move {o} to {r}"', 'template :: "put {o} in/on {r}"', 2),
)
_GRAMMAR_HELP = "\naction help {"
_DOMAIN_HELP = "(:action help"
TASK_PLACEHOLDER = "UNKNOWN GOAL"


def _file(name: str) -> Path:
    spec = find_spec("alfworld")
    if spec is None or not spec.submodule_search_locations:
        raise TaskDataError(
            "games are generated from the package alfworld, which is not installed: pip install alfworld==0.4.2"
        )
    path = Path(spec.submodule_search_locations[0]) / name
    if not path.is_file():
        raise TaskDataError(f"{path} does not exist; it is part of alfworld==0.4.2, install that version")
    return path


def _module(name: str) -> ModuleType:
    path = _file(name)
    spec = spec_from_file_location(f"_spanwise_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def receptacle_objects() -> dict[str, frozenset[str]]:
    """Receptacle type -> object types that ALFRED lets lie in it."""
    return {name: frozenset(held) for name, held in _module("gen/constants.py").VAL_RECEPTACLE_OBJECTS.items()}


@cache
def action_objects() -> dict[str, frozenset[str]]:
    """``Heatable``, ``Coolable``, ``Cleanable``, ``Toggleable``, ``Sliceable`` -> object types."""
    return {name: frozenset(types) for name, types in _module("gen/constants.py").VAL_ACTION_OBJECTS.items()}


@cache
def container_objects() -> frozenset[str]:
    """Object types that are carried about and can hold other objects (bowls, boxes, ...)."""
    return frozenset(_module("gen/constants.py").MOVABLE_RECEPTACLES)


@cache
def _goals() -> dict[str, dict]:
    return _module("gen/goal_library.py").gdict


def goal_condition(task_type: str) -> str:
    """The PDDL goal of a task type, with places for obj, recep and toggle; it closes the problem's last parenthesis."""
    return _goals()[task_type]["pddl"].replace("#", "-")


def task_wordings(task_type: str) -> tuple[str, ...]:
    """How the task can be told, with places for obj, recep and toggle."""
    return tuple(_goals()[task_type]["templates"])


@cache
def domain() -> str:
    """The planning domain, without the `help` action that the released games do not have."""
    path = _file("data/alfred.pddl")
    text = path.read_text()
    before, help_action, _ = text.partition(_DOMAIN_HELP)
    if not help_action:
        raise TaskDataError(f"{path}: {_DOMAIN_HELP!r} is not in it; alfworld==0.4.2 has it, install that version")
    return before + ")\n"


@cache
def grammar() -> str:
    """The text grammar in the words of the released games; the task is still ``TASK_PLACEHOLDER``.

    Raises:
        TaskDataError: The wheel's grammar is not the one whose wording is known here.
    """
    path = _file("data/alfred.twl2")
    text = path.read_text().partition(_GRAMMAR_HELP)[0]
    for ours, released, times in _GRAMMAR_WORDING:
        if text.count(ours) != times:
            raise TaskDataError(
                f"{path}: {ours!r} occurs {text.count(ours)} times, alfworld==0.4.2 has {times}; install that version"
            )
        text = text.replace(ours, released)
    return text
