"""Fast Downward's translation of a game, which is most of the work of loading one, kept for the next time.

A game is translated in tenths of a second to a second, and every student of a comparison plays the same ones. So what
is needed of a translation is written to the user's cache, some 50 kB a game, by a hash of all that it depends on.
That only saves time: a game that is not there, cannot be read or cannot be written is translated as ever.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import fast_downward
from fast_downward.translate.pddl.conditions import Atom
from fast_downward.translate.pddl.f_expression import Assign

from spanwise.errors import TaskDataError
from spanwise.user_cache import cache_folder

FOLDER = "alfworld-games"
#: Bytes that are kept, or little more; beyond them go the games that were not played for the longest time.
MAX_BYTES = 2**29
#: About one write in so many looks whether there is too much.
PRUNE_EVERY = 64

_LOCK = threading.Lock()  # the translator's options are global


@dataclass(frozen=True, slots=True)
class Grounding:
    """What a game needs of Fast Downward's translation of it.

    Attributes:
        sas: The grounded problem, with nothing pruned: an ALFWorld player may do useless things.
        types: The type of each object.
        supertypes: Each type, and those that it belongs to, in the translator's order.
        initial: What the problem says is true at the start: predicate and arguments.
        parameters: Placeholders (name, type) of each PDDL action.
        changing: Predicates that an action changes, and those that are derived.
    """

    sas: str
    types: Mapping[str, str]
    supertypes: tuple[tuple[str, tuple[str, ...]], ...]
    initial: tuple[tuple[str, tuple[str, ...]], ...]
    parameters: Mapping[str, tuple[tuple[str, str], ...]]
    changing: tuple[str, ...]


def ground(domain: str, problem: str) -> Grounding:
    """The translation of a game: kept from an earlier time, or made now and kept.

    Args:
        domain: PDDL.
        problem: PDDL.

    Raises:
        TaskDataError: It cannot be translated.
    """
    content = json.dumps([_this_module(), version("fast_downward_textworld"), domain, problem])
    try:
        folder = cache_folder(FOLDER)
    except RuntimeError:  # a user without a home
        return _translate(domain, problem)
    path = folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.json.z"
    found = _read(path)
    if found is None:
        found = _translate(domain, problem)
        _write(path, found)
    return found


@cache
def _this_module() -> str:
    """The text of this module, which says what is kept: a change of it is another translation."""
    return Path(__file__).read_text(encoding="utf-8")


def _translate(domain: str, problem: str) -> Grounding:
    with _LOCK, _kept_arguments(), _no_collection():
        try:
            translated: Any = fast_downward.pddl2sas(domain, problem)  # annotated as str, but it is a task and a str
        except (Exception, SystemExit) as error:  # the translator leaves by any of a dozen kinds, exit included
            raise TaskDataError(f"the PDDL cannot be translated: {type(error).__name__}: {error}") from error
    task, sas = translated
    changing = {effect.literal.predicate for action in task.actions for effect in action.effects}
    return Grounding(
        sas=sas,
        types={item.name: item.type_name for item in task.objects},
        supertypes=tuple((kind.name, tuple(kind.supertype_names)) for kind in task.types),
        initial=tuple(sorted(_initial(task.init))),
        parameters={
            action.name: tuple((item.name.strip("?"), item.type_name) for item in action.parameters)
            for action in task.actions
        },
        changing=tuple(sorted(changing | {axiom.name for axiom in task.axioms})),
    )


def _initial(conditions: list[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for condition in conditions:
        if isinstance(condition, Atom) and condition.predicate != "=":
            yield condition.predicate, tuple(condition.args)
        elif isinstance(condition, Assign) and condition.fluent.symbol != "total-cost":
            value = str(condition.expression.value)
            if not value.isdigit():  # TextWorld takes these for facts, and whole numbers for distances
                yield value, tuple(condition.fluent.args)


@contextmanager
def _kept_arguments() -> Iterator[None]:
    """Give back ``sys.argv``, which the translator overwrites."""
    arguments = sys.argv
    try:
        yield
    finally:
        sys.argv = arguments


@contextmanager
def _no_collection() -> Iterator[None]:
    """Spare the translator, which makes a million objects and no cycles of them, from being searched for cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(path: Path) -> Grounding | None:
    """What is kept there, marked as used now; None where nothing whole is."""
    try:
        kept = json.loads(zlib.decompress(path.read_bytes()))
        found = _restored(kept)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error):
        return None
    with suppress(OSError):
        os.utime(path)
    return found


def _restored(kept: Any) -> Grounding:
    return Grounding(
        sas=kept["sas"],
        types=kept["types"],
        supertypes=tuple((name, tuple(parents)) for name, parents in kept["supertypes"]),
        initial=tuple((name, tuple(row)) for name, row in kept["initial"]),
        parameters={name: tuple((one, kind) for one, kind in pairs) for name, pairs in kept["parameters"].items()},
        changing=tuple(kept["changing"]),
    )


def _write(path: Path, grounding: Grounding) -> None:
    partial = path.with_name(f".{uuid4().hex}.partial")
    with suppress(OSError):  # no place to keep it
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(zlib.compress(json.dumps(asdict(grounding)).encode(), 6))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        if uuid4().int % PRUNE_EVERY == 0:
            _prune(path.parent, MAX_BYTES)


def _prune(folder: Path, most: int) -> None:
    """Removes what was not used for the longest time, until no more bytes are left than there may be."""
    states = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process was there first
            states.append((path.stat(), path))
    total = sum(state.st_size for state, _ in states)
    for state, path in sorted(states, key=lambda one: one[0].st_mtime_ns):
        if total <= most:
            return
        path.unlink(missing_ok=True)
        total -= state.st_size
