"""ALFWorld's text games at the speed that training needs: the stock engine's words, tens of times faster.

The game is TextWorld's PDDL engine: Fast Downward's translator grounds the problem, its library (``libdownward``) holds
the state, says which actions apply, applies them and decides whether the goal is reached; TextWorld's grammar writes
the text. What made the stock engine slow, and what is done instead:

- a grammar is parsed again for every command and observation: parsed once (see ``grammar.py``);
- a problem is translated four times per load and reset, twice for a planner that a player never asks: once, and kept
  for other processes and later runs (see ``grounding.py``); a reset loads the translated problem again (a millisecond);
- every command is derived again at every step: once per game, where no action can change what it is derived from;
- the library, 33 MB with one global state, is copied and loaded for every game: one copy a process, which
  is handed from game to game by loading the game and applying its actions again (about a millisecond);
- TextWorld keeps every fact it ever made: facts are tuples here, and go when their game goes.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import KeysView, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import fast_downward
from textworld.generator.game import EntityInfo
from textworld.logic import Type, TypeHierarchy

from spanwise.environments.alfworld.grammar import (
    Binding,
    Facts,
    Grammar,
    Row,
    Signature,
    Symbol,
    parse_grammar,
    parse_symbols,
)
from spanwise.environments.alfworld.grounding import ground
from spanwise.errors import TaskDataError

NOTHING_HAPPENS = "Nothing happens."
GAME_KEYS = ("pddl_domain", "grammar", "pddl_problem")


class EngineStep(NamedTuple):
    """What the engine answers to a command.

    Attributes:
        observation: The engine's text, verbatim.
        done: The game is over, which for ALFWorld means won.
        won: The goal is reached.
    """

    observation: str
    done: bool
    won: bool


@dataclass(frozen=True, eq=False)
class Game:
    """A game ready to be played, any number of times and by several engines at once.

    Attributes:
        sas: The grounded problem, as ``libdownward`` reads it.
        grammar: Its texts.
        entities: Its objects by PDDL id, with the names that players see (``Apple_bar_...`` is "apple 1").
        facts: What is true at the start.
        types: The type of each object.
        parameters: Placeholders (name, type) of each PDDL action.
        lasting: The actions whose command cannot change during a game.
    """

    sas: bytes
    grammar: Grammar
    entities: Mapping[str, EntityInfo]
    facts: Facts
    types: Mapping[str, str]
    parameters: Mapping[str, tuple[tuple[str, str], ...]]
    lasting: frozenset[str]
    operators: dict[int, _Operator] = field(default_factory=dict)  # those met so far, by the library's number
    commands: dict[int, str] = field(default_factory=dict)  # of the lasting actions among them


@dataclass(frozen=True, slots=True)
class _Operator:
    """A grounded action."""

    action: str
    binding: Binding


def load_game(source: Path | str | Mapping[str, Any]) -> Game:
    """A game from a ``game.tw-pddl`` file or from the dictionary that such a file holds.

    The last few games are kept, so that several episodes of one game in a row translate it once.

    Raises:
        TaskDataError: The file is missing, cut short, or not a game that the engine can play.
    """
    if isinstance(source, Mapping):
        return _load_data(source, "the game")
    path = Path(source)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TaskDataError(f"{path}: there is no such game file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TaskDataError(f"{path}: cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise TaskDataError(
            f"{path}: found {path.stat().st_size:,} bytes that are not a whole JSON file ({error}); "
            "the file is cut short or damaged, fetch it again"
        ) from error
    if not isinstance(data, Mapping):
        raise TaskDataError(
            f"{path}: found a JSON {type(data).__name__}, expected an object with {', '.join(GAME_KEYS)}"
        )
    return _load_data(data, str(path))


def _load_data(data: Mapping[str, Any], name: str) -> Game:
    missing = [key for key in GAME_KEYS if not isinstance(data.get(key), str)]
    if missing:
        found = ", ".join(map(str, data)) or "nothing"
        raise TaskDataError(
            f"{name}: a game needs the texts {', '.join(GAME_KEYS)}; missing {', '.join(missing)}, found {found}"
        )
    try:
        return _build(data["pddl_domain"], data["grammar"], data["pddl_problem"])
    except TaskDataError as error:
        raise TaskDataError(f"{name}: {error}") from error


@lru_cache(maxsize=8)
def _build(domain: str, grammar_text: str, problem: str) -> Game:
    grammar = parse_grammar(grammar_text)
    grounding = ground(domain, problem)
    types = grounding.types
    unsaid = sorted(grounding.parameters.keys() - grammar.actions.keys())
    if unsaid:
        raise TaskDataError(f"the grammar has no words for the PDDL actions {', '.join(unsaid)}")
    encoded = grounding.sas.encode()
    facts = Facts(_subtypes(grounding.supertypes))
    initial: dict[Signature, set[Row]] = {}
    for name, row in [*grounding.initial, *_DOWNWARD.true_atoms(encoded)]:
        if not types.keys() >= set(row):  # for a goal out of reach the translator makes up a problem of its own
            raise TaskDataError(f"the PDDL problem does not declare {', '.join(row)}, or its goal is out of reach")
        initial.setdefault((name, tuple(types[argument] for argument in row)), set()).add(row)
    facts.extend(initial)
    changing = {*grounding.changing, *(f"not_{predicate}" for predicate in grounding.changing)}
    return Game(
        sas=encoded,
        grammar=grammar,
        entities=_entities(facts),
        facts=facts,
        types=types,
        parameters=grounding.parameters,
        lasting=frozenset(
            name for name, action in grammar.actions.items() if changing.isdisjoint(grammar.predicates(action.template))
        ),
    )


@lru_cache(maxsize=16)
def _subtypes(types: tuple[tuple[str, tuple[str, ...]], ...]) -> Any:
    hierarchy = TypeHierarchy()
    for name, parents in dict(reversed(types)).items():
        hierarchy.add(Type(name, parents))

    @cache
    def subtypes(kinds: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        unknown = [kind for kind in kinds if kind not in hierarchy._types]
        if unknown:
            raise TaskDataError(f"the grammar asks for the types {', '.join(unknown)}, which the PDDL domain lacks")
        found = hierarchy.multi_subtypes([hierarchy.get(kind) for kind in kinds])
        return tuple(tuple(kind.name for kind in combination) for combination in found)

    return subtypes


def renumbered(game: Game, seed: int) -> Game:
    """The same game with its objects numbered at random within their kind: ALFWorld's ``domain_randomization``."""
    return replace(game, entities=_entities(game.facts, random.Random(seed)), operators={}, commands={})


def _entities(facts: Facts, generator: random.Random | None = None) -> dict[str, EntityInfo]:
    """The objects, named as ``alfworld`` names them: numbered within their kind, the first id having the last number.

    With a generator the ids are shuffled first. Its own code is not called, because importing it makes a folder in the
    user's home and sets ALFWORLD_DATA.
    """
    objects = facts.objects()
    left = Counter(_kind(name) for name in objects if "_bar_" in name)
    entities = {}
    order = sorted(objects)
    if generator is not None:
        generator.shuffle(order)
    for name in order:
        kind = _kind(name)
        words = kind + " "
        if "_bar_" in name:
            words += str(left[kind])
            left[kind] -= 1
        entities[name] = EntityInfo.deserialize(
            {"id": name, "type": objects[name], "name": words, "definite": "the", "indefinite": "a"}
        )
    return entities


def _kind(name: str) -> str:
    """``sink_bar__plus_00_dot_10_bar_..._bar_sinkbasin`` is a sinkbasin."""
    kind, numbered, _ = name.partition("_bar_")
    return f"{kind}basin" if numbered and "basin" in name else kind


class _Downward:
    """The one copy of ``libdownward`` in a process, and whose state it holds."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.holder: Engine | None = None
        self._library: Any = None

    @property
    def library(self) -> Any:
        """The library, loaded when first needed."""
        if self._library is None:
            self._library = fast_downward.load_lib()
        return self._library

    def load(self, sas: bytes) -> None:
        """Start a problem."""
        self.holder = None
        self.library.load_sas(sas)

    def true_atoms(self, sas: bytes) -> list[tuple[str, Row]]:
        """What holds at the start of a problem, derived facts included."""
        with self.lock:
            self.load(sas)
            atoms = (fast_downward.Atom * self.library.get_state_size())()
            self.library.get_state(atoms)
            return [(name, row) for true, name, row in map(_read_atom, atoms) if true]

    def applicable(self) -> list[fast_downward.Operator]:
        """The actions that can be done now, in the library's order."""
        count = self.library.get_applicable_operators_count()
        operators = (fast_downward.Operator * count)()
        self.library.get_applicable_operators(operators)
        return list(operators)

    def apply(self, number: int, effects: int) -> list[tuple[bool, str, Row]]:
        """Do an action; its effects as (true, predicate, arguments)."""
        atoms = (fast_downward.Atom * effects)()
        self.library.apply_operator(number, atoms)
        return [_read_atom(atom) for atom in atoms]


def _read_atom(atom: fast_downward.Atom) -> tuple[bool, str, Row]:
    kind, rest = atom.name.split(" ", 1)  # "Atom holds(agent1, apple)" or "NegatedAtom ..."
    name, arguments = rest[:-1].split("(", 1)
    return kind == "Atom", name, tuple(arguments.split(", ")) if arguments else ()


_DOWNWARD = _Downward()


class Engine:
    """One playing of a game. Any number of engines may be played side by side; reset starts over, cheaply.

    Not for use by several threads at once; engines of different threads may share a process.
    """

    def __init__(self, game: Game):
        """An engine that waits for ``reset``."""
        self.game = game
        self._facts = game.facts
        self._done: list[tuple[int, int]] = []  # operators applied so far: number, number of effects
        self._offers: dict[str, tuple[int, int]] | None = None

    def reset(self) -> str:
        """Start over; the engine's first text, verbatim."""
        with _DOWNWARD.lock:
            self._release()
            self._done.clear()
            self._facts = self.game.facts.copy()
            self._offers = None
            return self._say(parse_symbols("#intro#"), {})

    def step(self, command: str) -> EngineStep:
        """Do what the player says; what is not on offer changes nothing and is answered "Nothing happens."."""
        with _DOWNWARD.lock:
            chosen = self._offered().get(command.strip())
            if chosen is None:
                observation = NOTHING_HAPPENS
            else:
                operator = self.game.operators[chosen[0]]
                self._apply(*chosen)
                observation = self._say(self.game.grammar.actions[operator.action].feedback, operator.binding)
            self._hold()
            won = bool(_DOWNWARD.library.check_goal())
            return EngineStep(observation, won, won)

    def offered(self) -> KeysView[str]:
        """The commands that the game would carry out now, in the library's order."""
        with _DOWNWARD.lock:
            return self._offered().keys()

    def admissible_commands(self) -> list[str]:
        """The commands that the game would carry out now, sorted."""
        return sorted(self.offered())

    def close(self) -> None:
        """Let go of the library."""
        with _DOWNWARD.lock:
            self._release()

    def _release(self) -> None:
        if _DOWNWARD.holder is self:
            _DOWNWARD.holder = None

    def _hold(self) -> None:
        """See to it that the library holds this engine's state."""
        if _DOWNWARD.holder is not self:
            _DOWNWARD.load(self.game.sas)
            for number, effects in self._done:
                _DOWNWARD.apply(number, effects)
            _DOWNWARD.holder = self

    def _offered(self) -> dict[str, tuple[int, int]]:
        """Each command on offer, with its operator's number and number of effects.

        Where two operators share a command TextWorld does the first, so the first is kept.
        """
        if self._offers is None:
            self._hold()
            self._offers = {}
            for operator in _DOWNWARD.applicable():
                self._offers.setdefault(self._command(operator), (operator.id, operator.nb_effect_atoms))
        return self._offers

    def _command(self, operator: fast_downward.Operator) -> str:
        number = operator.id
        command = self.game.commands.get(number)
        if command is None:
            known = self.game.operators.get(number)
            if known is None:
                known = self.game.operators[number] = self._read_operator(operator.name)
            command = self._say(self.game.grammar.actions[known.action].template, known.binding)
            if known.action in self.game.lasting:
                self.game.commands[number] = command
        return command

    def _read_operator(self, text: str) -> _Operator:
        name, *arguments = text.split()
        return _Operator(name, dict(zip(self.game.parameters[name], arguments, strict=False)))

    def _apply(self, number: int, effects: int) -> None:
        self._hold()
        for true, name, row in _DOWNWARD.apply(number, effects):
            kinds = tuple(self.game.types[argument] for argument in row)
            now, before = (name, f"not_{name}") if true else (f"not_{name}", name)
            self._facts.discard((before, kinds), row)
            self._facts.extend({(now, kinds): {row}})
        self._done.append((number, effects))
        self._offers = None

    def _say(self, symbols: tuple[Symbol, ...], binding: Binding) -> str:
        return self.game.grammar.derive(symbols, self._facts, self.game.entities, binding)


def load_engine(source: Path | str | Mapping[str, Any], renumber: int | None = None) -> Engine:
    """An engine for a game file or an in-memory game; see :func:`load_game`.

    Args:
        source: The game.
        renumber: Seed of a random numbering of its objects; None: numbered as stock ALFWorld does in evaluation.

    Raises:
        TaskDataError: The game is missing or damaged.
    """
    game = load_game(source)
    return Engine(game if renumber is None else renumbered(game, renumber))
