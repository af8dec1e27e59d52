"""What a question asks, from its words alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.agents.experts.hotpotqa.lexicon import Kind
from spanwise.agents.experts.hotpotqa.question import Form, called, read_question, same_name


@pytest.mark.parametrize(
    ("text", "noun", "kind"),
    [
        ("In which city was {the author of The Silver Orchard} born?", "author", Kind.PLACE),
        ("In what year was {the team that Mara Fenwick plays for} founded?", "team", Kind.YEAR),
        ('{The author of "A Brave Door"} was born when?', "author", Kind.DATE),
        ("When was {Mara Fenwick's husband} born?", "husband", Kind.DATE),
        ("What is {the town in which the singer Mara Fenwick lives} known for?", "town", Kind.THING),
        ("How many students has {the university of which Otto Brenner is a graduate}?", "university", Kind.NUMBER),
        ("Who played the lead in the film The Lost Key?", "", Kind.PERSON),
        ("What nationality is {the actor who played the lead in The Lost Key}?", "actor", Kind.NATIONALITY),
    ],
)
def test_what_leads_from_a_name_to_what_is_asked(text, noun, kind):
    asked = read_question(re.sub(r"[{}]", "", text))
    described = re.search(r"{(.*)}", text)
    assert asked.form is Form.BRIDGE
    assert (asked.described, asked.inner_noun, asked.kind) == (described[1] if described else "", noun, kind)


@pytest.mark.parametrize(
    ("text", "form", "options"),
    [
        ("Who is older, Mara Fenwick or Otto Brenner?", Form.CHOICE, ("Mara Fenwick", "Otto Brenner")),
        ("Of Elmford and Otterby, which is the larger town?", Form.CHOICE, ("Elmford", "Otterby")),
        ("Are Elmford and Otterby in the same county?", Form.AGREEMENT, ("Elmford", "Otterby")),
        ("Were both Mara Fenwick and Otto Brenner born in Elmford?", Form.AGREEMENT, ("Mara Fenwick", "Otto Brenner")),
        ("What profession do Mara Fenwick and Al Brenner share?", Form.COMMON, ("Mara Fenwick", "Al Brenner")),
        ("Do Rushburn and Alderminster belong to the same county?", Form.AGREEMENT, ("Rushburn", "Alderminster")),
    ],
)  # fmt: skip
def test_what_is_compared(text, form, options):
    asked = read_question(text)
    assert (asked.form, asked.options) == (form, options)


def test_what_a_name_is_called_is_told_from_what_it_is_to_others():
    assert called("Who is the author of the 1987 novel Lost Key?", "Lost Key")
    assert called("Who lives in the town of Elmford?", "Elmford")
    assert not called("What is the capital of Ravia?", "Ravia")


def test_names_are_the_same_without_article_and_parentheses():
    assert same_name("The Lost Key (novel)", "Lost Key")
    assert not same_name("Lost Key", "Lost Door")


@given(st.text())
def test_no_question_is_too_odd(text):
    asked = read_question(text)
    assert asked.form is Form.BRIDGE or len(asked.options) == 2
