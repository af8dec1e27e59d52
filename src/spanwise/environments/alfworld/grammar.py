"""ALFWorld's observations and commands, from TextWorld's context-sensitive grammar, parsed once.

TextWorld parses the text of every rule and of every query anew for each command it offers and each observation it
writes, and deep-copies the bindings at every symbol; nine tenths of its time goes there. Here a grammar is parsed by
TextWorld's own parsers, once per distinct text, into immutable symbols that are then evaluated. What is evaluated,
and in which order, is as in ``textworld.envs.pddl.textgen`` and ``textworld.logic.State.all_assignments``; that the
text is the same is a test that plays both.

Expressions such as ``{o.indefinite + ' ' + o.name}`` are Python that comes with a game file. Attributes, constants,
``+``, ``and`` and ``or`` are evaluated; anything else is refused, so that a game file cannot run code.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

from textworld.envs.pddl import textgen
from textworld.envs.pddl.logic import GameLogic
from textworld.generator.game import EntityInfo
from textworld.logic import Rule as TextWorldRule

from spanwise.errors import TaskDataError

Row = tuple[str, ...]
"""The objects that a fact is about, by id."""
Signature = tuple[str, tuple[str, ...]]
"""A predicate's name and the types of its arguments."""
Binding = dict[tuple[str, str], str]
"""Placeholder (name, type) to object id, in the order in which they were bound."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One predicate of a query: its signature, and the placeholders that stand for its arguments."""

    signature: Signature
    placeholders: tuple[tuple[str, str], ...]


Query = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Words that stand for themselves."""

    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """``#rule#``: whatever the first applicable rule of that name derives."""

    rule: str


@dataclass(frozen=True, slots=True)
class Value:
    """``{expression}`` over the bound objects."""

    source: str
    code: CodeType


@dataclass(frozen=True, slots=True)
class Each:
    """``{expression | query}``: the expression for every answer to the query; ``[{...}]`` lists them in words."""

    expression: Reference | Value
    query: Query | None
    listed: bool


Symbol = Text | Reference | Each


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to derive a name: usable when the query has an answer."""

    condition: Query | None
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """How a player says an action, and what answers it."""

    template: tuple[Symbol, ...]
    feedback: tuple[Symbol, ...]


class Facts:
    """What is true in a state, kept sorted, so that queries are answered in TextWorld's order."""

    def __init__(self, subtypes: Callable[[tuple[str, ...]], tuple[tuple[str, ...], ...]]):
        """No facts yet; ``subtypes`` lists the argument types that fit given ones, those included."""
        self._subtypes = subtypes
        self._rows: dict[Signature, tuple[Row, ...]] = {}

    def extend(self, facts: Mapping[Signature, set[Row]]) -> None:
        """Make facts true."""
        for signature, rows in facts.items():
            self._rows[signature] = tuple(sorted(rows.union(self._rows.get(signature, ()))))

    def discard(self, signature: Signature, row: Row) -> None:
        """Make a fact untrue, if it was true."""
        rows = self._rows.get(signature, ())
        if row in rows:
            self._rows[signature] = tuple(other for other in rows if other != row)

    def copy(self) -> Facts:
        """The same facts, to be changed apart."""
        facts = Facts(self._subtypes)
        facts._rows = self._rows.copy()
        return facts

    def objects(self) -> dict[str, str]:
        """Every object that a fact mentions, with its type."""
        return {
            name: kind
            for (_, kinds), rows in self._rows.items()
            for row in rows
            for name, kind in zip(row, kinds, strict=True)
        }

    def answers(self, query: Query, bound: Binding) -> Iterator[Binding]:
        """All ways to bind the query's placeholders so that it holds; different placeholders are different objects."""
        return self._answers(query, 0, bound, set(bound.values()))

    def _answers(self, query: Query, depth: int, bound: Binding, used: set[str]) -> Iterator[Binding]:
        if depth == len(query):
            yield bound
            return
        name, types = query[depth].signature
        placeholders = query[depth].placeholders
        for kinds in self._subtypes(types):
            for row in self._rows.get((name, kinds), ()):
                extended, fresh = bound, used
                for placeholder, value in zip(placeholders, row, strict=True):
                    existing = extended.get(placeholder)
                    if existing is None:
                        if value in fresh:
                            break
                        extended, fresh = {**extended, placeholder: value}, fresh | {value}
                    elif existing != value:
                        break
                else:
                    yield from self._answers(query, depth + 1, extended, fresh)


@dataclass(frozen=True, slots=True)
class Grammar:
    """The rules of one game.

    Attributes:
        rules: The rules of each name, in order of preference.
        actions: How each action is said and answered, by its name in PDDL (lower case).
    """

    rules: Mapping[str, tuple[Rule, ...]]
    actions: Mapping[str, Action]

    def derive(
        self, symbols: Sequence[Symbol], facts: Facts, entities: Mapping[str, EntityInfo], bound: Binding
    ) -> str:
        """The text that symbols stand for.

        Raises:
            TaskDataError: A rule is missing, or none of its alternatives applies.
        """
        pieces: list[str] = []
        for symbol in symbols:
            if isinstance(symbol, Text):
                pieces.append(symbol.text)
            elif isinstance(symbol, Reference):
                pieces.append(self.derive(self._choose(symbol.rule, facts, bound), facts, entities, bound))
            else:
                bindings = [bound] if symbol.query is None else facts.answers(symbol.query, bound)
                values = [self._express(symbol.expression, facts, entities, binding) for binding in bindings]
                if symbol.listed:
                    values = self._enumerate(values, facts, entities, bound)
                pieces += values
        return "".join(pieces)

    def predicates(self, symbols: Sequence[Symbol]) -> set[str]:
        """The predicates on which a derivation of these symbols may depend."""
        found: set[str] = set()
        seen: set[str] = set()
        queue: list[Symbol | Value] = list(symbols)
        while queue:
            symbol = queue.pop()
            queries: list[Query | None] = []
            if isinstance(symbol, Each):
                queries.append(symbol.query)
                queue.append(symbol.expression)
                queue += [Reference(name) for name in _LIST_RULES] if symbol.listed else []
            elif isinstance(symbol, Reference) and symbol.rule not in seen:
                seen.add(symbol.rule)
                for rule in self.rules.get(symbol.rule, ()):
                    queries.append(rule.condition)
                    queue += rule.symbols
            found |= {condition.signature[0] for query in queries if query for condition in query}
        return found

    def _choose(self, name: str, facts: Facts, bound: Binding) -> tuple[Symbol, ...]:
        for rule in self.rules.get(name, ()):
            if rule.condition is None or any(True for _ in facts.answers(rule.condition, bound)):
                return rule.symbols
        raise TaskDataError(f"the game's grammar has no rule that derives #{name}# here")

    def _express(
        self, expression: Reference | Value, facts: Facts, entities: Mapping[str, EntityInfo], bound: Binding
    ) -> str:
        if isinstance(expression, Reference):
            return self.derive((expression,), facts, entities, bound)
        variables = {name: entities[value] for (name, _), value in bound.items()}
        try:
            return str(eval(expression.code, {"__builtins__": {}}, variables))  # `_value` checked what it may hold
        except (NameError, AttributeError, TypeError) as error:
            raise TaskDataError(f"the game's grammar cannot evaluate {{{expression.source}}}: {error}") from error

    def _enumerate(
        self, items: list[str], facts: Facts, entities: Mapping[str, EntityInfo], bound: Binding
    ) -> list[str]:
        if len(items) == 1:
            return items
        empty, separator, last_separator = (Reference(name) for name in _LIST_RULES)
        if not items:
            return [self.derive((empty,), facts, entities, bound)]
        comma = self.derive((separator,), facts, entities, bound)
        return [comma.join(items[:-1]), self.derive((last_separator,), facts, entities, bound), items[-1]]


_LIST_RULES = ("list_empty", "list_separator", "list_last_separator")
# The goal is the only text in which the games differ. Parsed apart, all 3,500 games share one parsed grammar.
_GOAL = re.compile(r'("task"\s*:\s*\[\s*\{\s*"rhs"\s*:\s*)("(?:[^"\\\n]|\\.)*")(\s*\}\s*\])')


def parse_grammar(text: str) -> Grammar:
    """A game's grammar; fast for all but the first of the games that differ only in their goal.

    Raises:
        TaskDataError: The text is not a TextWorld grammar.
    """
    goals = _GOAL.findall(text)
    if len(goals) != 1:
        return _parse(text)
    shared = _parse(_GOAL.sub(r'\1"UNKNOWN GOAL."\3', text))
    goal = Rule(None, parse_symbols(json.loads(goals[0][1])))
    return Grammar({**shared.rules, "task": (goal,)}, shared.actions)


@lru_cache(maxsize=16)
def _parse(text: str) -> Grammar:
    try:
        logic = GameLogic(domain="", grammar=text)
    except Exception as error:  # tatsu, json and TextWorld raise a dozen kinds
        raise TaskDataError(f"the game's grammar cannot be parsed: {type(error).__name__}: {error}") from error
    rules = {
        name: tuple(Rule(_query(rule.condition), _symbols(rule.rhs)) for rule in alternatives)
        for name, alternatives in logic.grammar._rules.items()
    }
    actions = {
        name: Action(parse_symbols(action.template), parse_symbols(action.feedback_rule))
        for name, action in logic.actions.items()
    }
    return Grammar(rules, actions)


@lru_cache(maxsize=1024)
def parse_symbols(text: str) -> tuple[Symbol, ...]:
    """The symbols of a text such as ``"#intro#"`` or ``"take {o} from {r}"``.

    Raises:
        TaskDataError: The text is not in TextWorld's notation.
    """
    try:
        rules = textgen.ContextSensitiveGrammar.parse(json.dumps({"text": [{"rhs": text}]}))._rules
    except Exception as error:  # tatsu's kinds
        raise TaskDataError(f"the game's grammar cannot be parsed at {text!r}: {error}") from error
    return _symbols(rules["text"][0].rhs)


def _symbols(symbols: Sequence[textgen.Symbol]) -> tuple[Symbol, ...]:
    return tuple(_symbol(symbol) for symbol in symbols)


def _symbol(symbol: textgen.Symbol) -> Symbol:
    if isinstance(symbol, textgen.TerminalSymbol):
        return Text(str(symbol))
    if isinstance(symbol, textgen.NonterminalSymbol):
        return Reference(str(symbol))
    listed = isinstance(symbol, textgen.ListSymbol)
    inner = symbol.symbol if listed else symbol
    if not isinstance(inner, textgen.ConditionalSymbol):
        raise TaskDataError(f"the game's grammar holds {inner!r}, which is neither text, rule nor expression")
    expression = inner.expression
    parsed = _value(expression.expression) if isinstance(expression, textgen.EvalSymbol) else Reference(str(expression))
    return Each(parsed, _query(inner.given), listed)


@lru_cache(maxsize=1024)
def _query(text: str | None) -> Query | None:
    if not text:
        return None
    predicates = TextWorldRule.parse_conjunctive_query(text).preconditions
    return tuple(
        Condition(
            (predicate.name, tuple(placeholder.type for placeholder in predicate.parameters)),
            tuple((placeholder.name, placeholder.type) for placeholder in predicate.parameters),
        )
        for predicate in predicates
    )


_HARMLESS = (
    ast.Expression,
    ast.BinOp,
    ast.Add,
    ast.BoolOp,
    ast.Or,
    ast.And,
    ast.Attribute,
    ast.Name,
    ast.Load,
    ast.Constant,
)


def _value(source: str) -> Value:
    source = source.strip()
    try:
        tree = ast.parse(source, mode="eval")
    except SyntaxError as error:
        raise TaskDataError(f"the game's grammar holds the expression {{{source}}}: {error}") from error
    for node in ast.walk(tree):
        if not isinstance(node, _HARMLESS) or (isinstance(node, ast.Attribute) and node.attr.startswith("_")):
            raise TaskDataError(
                f"the game's grammar holds the expression {{{source}}}; "
                "only attributes, constants, +, and, or are evaluated"
            )
    return Value(source, compile(tree, "<grammar>", "eval"))
