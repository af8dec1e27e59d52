import json
import re

import pytest
from textworld.generator.game import EntityInfo

from spanwise.environments.alfworld import grammar as grammars
from spanwise.environments.alfworld.grammar import Facts, Grammar, parse_grammar, parse_symbols
from spanwise.errors import TaskDataError

THINGS = {"apple": "fruit", "pear": "fruit", "bowl": "dish"}


def facts(*true: tuple[str, ...]) -> Facts:
    """Facts about THINGS, in a world where a fruit and a dish are things."""
    kinds = {"thing": ("thing", "dish", "fruit")}

    def subtypes(types: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        found: tuple[tuple[str, ...], ...] = ((),)
        for kind in types:
            found = tuple((*rest, sub) for rest in found for sub in kinds.get(kind, (kind,)))
        return found

    made = Facts(subtypes)
    for name, *row in true:
        made.extend({(name, tuple(THINGS[item] for item in row)): {tuple(row)}})
    return made


def derive(text: str, rules: dict | None = None, true: Facts | None = None, **bound: str) -> str:
    lists = {"list_empty": "nothing", "list_separator": ", ", "list_last_separator": ", and "}
    rhs = {name: [{"rhs": text}] for name, text in lists.items()} | (rules or {})
    grammar = parse_grammar(f'grammar :: """{json.dumps(rhs)}""";')
    entities = {name: EntityInfo(name, kind) for name, kind in THINGS.items()}
    for entity in entities.values():
        entity.name = entity.id.upper()
    binding = {(name, THINGS[value]): value for name, value in bound.items()}
    return grammar.derive(parse_symbols(text), true or facts(), entities, binding)


IN_BOWL = facts(("inside", "pear", "bowl"), ("inside", "apple", "bowl"), ("ripe", "pear"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words.", "plain words."),
        ("eat {f}", "eat APPLE"),
        ("{f.name + '!'} {f.desc or f.id}", "APPLE! apple"),
        ("[{x.name | inside(x: fruit, d: dish)}]", "PEAR"),  # x is another object than f
        ("[{x.name | inside(x: fruit, d: dish) & ripe(x: fruit)}]", "PEAR"),
        ("[{x.name | rotten(x: fruit)}]", "nothing"),
        ("[{f.name | inside(f: fruit, d: dish)}]", "APPLE"),  # f is bound already
        ("[{x.name | ripe(x: thing)}]", "PEAR"),
    ],
)
def test_symbols_derive(text, expected):
    assert derive(text, true=IN_BOWL, f="apple") == expected


def test_different_placeholders_are_different_objects():
    same = facts(("likes", "apple", "apple"), ("likes", "apple", "pear"))
    assert derive("[{y.name | likes(x: fruit, y: fruit)}]", true=same) == "PEAR"
    assert derive("[{x.name | likes(x: fruit, x: fruit)}]", true=same) == "APPLE"


def test_answers_are_sorted_whatever_the_order_of_adding():
    assert derive("[{x.name | inside(x: fruit, d: dish)}]", true=IN_BOWL) == "APPLE, and PEAR"


def test_three_are_listed_with_commas():
    ripe = facts(("near", "apple", "bowl"), ("near", "pear", "bowl"), ("near", "bowl", "bowl"))
    assert derive("[{x.name | near(x: thing, d: dish)}]", true=ripe) == "APPLE, and PEAR"  # x and d differ
    assert derive("[{x.name | near(x: thing, d: thing)}]", true=ripe) == "APPLE, and PEAR"
    single = facts(("seen", "apple"), ("seen", "pear"), ("seen", "bowl"))
    assert derive("[{x.name | seen(x: thing)}]", true=single) == "BOWL, APPLE, and PEAR"  # by kind, then by id


def test_the_first_rule_that_applies_is_taken():
    rules = {"state(f)": [{"condition": "ripe(f: fruit)", "rhs": "ripe {f}"}, {"rhs": "green {f}"}]}
    assert derive("#state(f)#", rules, IN_BOWL, f="pear") == "ripe PEAR"
    assert derive("#state(f)#", rules, IN_BOWL, f="apple") == "green APPLE"
    assert derive("[{#state(f)# | inside(f: fruit, d: dish)}]", rules, IN_BOWL) == "green APPLE, and ripe PEAR"


def test_discarded_facts_are_gone_and_copies_are_apart():
    original = facts(("ripe", "pear"), ("ripe", "apple"))
    copy = original.copy()
    copy.discard(("ripe", ("fruit",)), ("pear",))
    copy.discard(("ripe", ("fruit",)), ("never there",))
    assert derive("[{x.name | ripe(x: fruit)}]", true=copy) == "APPLE"
    assert derive("[{x.name | ripe(x: fruit)}]", true=original) == "APPLE, and PEAR"


def test_predicates_are_found_through_rules_and_lists():
    text = json.dumps(
        {
            "list_empty": [{"condition": "empty(d: dish)", "rhs": "nothing"}],
            "a": [{"condition": "ripe(f: fruit)", "rhs": "#b#"}, {"rhs": "#a#"}],
            "b": [{"rhs": "[{f.name | inside(f: fruit, d: dish)}]"}],
        }
    )
    grammar = parse_grammar(f'grammar :: """{text}""";')
    assert grammar.predicates(parse_symbols("eat {f}")) == set()
    assert grammar.predicates(parse_symbols("#a#")) == {"ripe", "inside", "empty"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#missing#", "no rule that derives #missing#"),
        ("{f.nam}", "cannot evaluate {f.nam}"),
        ("{g.name}", "cannot evaluate {g.name}"),
        ("{f.__class__}", "only attributes, constants"),
        ("{print(1)}", "only attributes, constants"),
        ("{f +}", "holds the expression {f +}"),
    ],
)
def test_what_cannot_be_derived_is_named(text, message):
    with pytest.raises(TaskDataError, match=re.escape(message)):
        derive(text, f="apple")


def test_a_grammar_that_is_none_is_refused():
    with pytest.raises(TaskDataError, match="cannot be parsed"):
        parse_grammar('grammar :: """{"a": [""";')


def goal_grammar(goal: str, more: str = "") -> str:
    return f'grammar :: """{{"task": [{{"rhs": {json.dumps(goal)}}}], "intro": [{{"rhs": "#task#"}}]{more}}}""";'


@pytest.mark.parametrize("goal", ["put a mug in desk.", 'a "quoted" goal', "a\nline", "back\\\\slash", "UNKNOWN GOAL."])
def test_grammars_that_differ_in_their_goal_share_what_they_have_in_common(goal):
    other, made = parse_grammar(goal_grammar("another")), parse_grammar(goal_grammar(goal))
    assert made.rules["intro"][0] is other.rules["intro"][0]
    assert made == grammars._parse(goal_grammar(goal))


def test_two_places_that_look_like_goals_are_parsed_as_they_are():
    text = goal_grammar("one", ', "task": [{"rhs": "two"}]')
    assert parse_grammar(text).derive(parse_symbols("#task#"), facts(), {}, {}) == "two"


def test_actions_have_words():
    text = 'action Eat { template :: "eat {f}"; feedback :: "#eat#"; grammar :: """{"eat": [{"rhs": "Yum."}]}"""; }'
    grammar = parse_grammar(text)
    assert isinstance(grammar, Grammar)
    assert grammar.actions["eat"].template == parse_symbols("eat {f}")
    assert grammar.derive(grammar.actions["eat"].feedback, facts(), {}, {}) == "Yum."
