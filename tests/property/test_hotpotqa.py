"""The reader under any actions whatever; scores against the official script; what one letter does to a title."""

from __future__ import annotations

import re
import string
from collections import Counter
from functools import cache

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spanwise.environments.hotpotqa.encyclopedia import LocalEncyclopedia, build_encyclopedia
from spanwise.environments.hotpotqa.environment import HotpotqaEnvironment
from spanwise.environments.hotpotqa.names import fold
from spanwise.environments.hotpotqa.records import Page, Question, Redirect
from spanwise.environments.hotpotqa.scoring import exact_match, f1

ODD = [
    "AC/DC",
    'He said "x"',
    "a\nb",
    "50% (a|b)*",
    "'; DROP TABLE pages; --",
    "C++ [",
    "日本 (国)",
    "É",
    "\ud800",
    "]",
]
PAGES = [
    *(Page(title, (f"{title} is odd. It", " is so. It is.", "")) for title in ODD),
    Page("Milhouse", ("A boy.", "\n\nA second paragraph.")),
    Page("Rust (film)", ("A film.",)),
    Page("Rust (fungus)", ("A fungus.",)),
    Redirect("Nobody", "Milhouse"),
]
QUESTION = Question("q", "Who?", "Nobody", "bridge", "easy", ())
VERBS = ("search", "lookup", "finish", "think")


@cache
def encyclopedia() -> LocalEncyclopedia:
    return build_encyclopedia(PAGES)


NAMES = st.one_of(
    st.sampled_from([*ODD, "milhouse", "rust", "nobody", "is", ".", "\\", ".*", "%", "_", '" OR 1=1', "[", "(", "\0"]),
    st.text(st.characters(), max_size=30),
)
ACTIONS = st.one_of(
    st.builds("{}[{}]".format, st.sampled_from(VERBS), NAMES),
    st.builds("{}[{}".format, st.sampled_from(VERBS), NAMES),
    st.text(st.characters(), max_size=30),
)


@given(st.lists(ACTIONS, max_size=15))
def test_any_action_is_answered(actions: list[str]):
    environment = HotpotqaEnvironment(encyclopedia(), QUESTION)
    ended = None
    for action in actions:
        outcome = environment.step(action)
        assert 0 <= outcome.reward <= 1
        assert outcome.done or not outcome.success
        bare = action.strip()
        understood = any(bare.startswith(f"{verb}[") and bare.endswith("]") for verb in VERBS)
        if ended is not None:
            assert outcome == ended
            continue
        assert outcome.valid == understood
        assert outcome.done == (understood and bare.startswith("finish["))
        if not understood:
            assert outcome.observation == f"Invalid action: {bare}"
        ended = outcome if outcome.done else None


@pytest.mark.parametrize("action", [f"{verb}[{{}}]" for verb in VERBS] + ["{}"])
@pytest.mark.parametrize("unit", ["x", "ab ", "(", "\\", "é", "[", "\0", "a\n"])
def test_a_megabyte_is_answered(action: str, unit: str):
    environment = HotpotqaEnvironment(encyclopedia(), QUESTION)
    environment.step("search[Milhouse]")
    outcome = environment.step(action.format(unit * (1_000_000 // len(unit))))
    assert not outcome.success


@given(st.lists(st.text(st.characters(), max_size=20), max_size=20), st.text(st.characters(), max_size=20))
def test_titles_of_any_kind_are_found_and_similar_ones_are_titles(titles: list[str], name: str):
    made = build_encyclopedia([Page(title, ("text of ", title)) for title in titles])
    for title in titles:
        assert made.article(title) == f"text of {title}"
    found = made.similar(name, 5)
    assert len(found) == len(set(found)) <= 5
    assert set(found) <= set(titles)


WORDS = st.text(st.sampled_from("abcdefghijklmnop"), min_size=4, max_size=9)


@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=30, unique=True),
    st.data(),
)
def test_a_title_is_found_in_spite_of_one_letter(titles: list[str], data: st.DataObject):
    title = data.draw(st.sampled_from(titles))
    place = data.draw(st.integers(0, len(title) - 1).filter(lambda place: title[place] != " "))
    letter = data.draw(st.sampled_from("xyz"))
    kinds = {"drop": title[place + 1 :], "swap": letter + title[place + 1 :], "add": letter + title[place:]}
    name = title[:place] + kinds[data.draw(st.sampled_from(sorted(kinds)))]
    made = build_encyclopedia([Page(one, (one,)) for one in titles])
    assume(made.article(name) is None)
    assert title in made.similar(name, len(titles))


@given(st.text(st.characters(), max_size=40))
def test_folding_twice_changes_nothing_more(name: str):
    folded = fold(name)
    assume("&" not in folded)  # signs that were written twice as HTML writes them
    assert fold(folded) == folded


def official(prediction: str, ground_truth: str) -> tuple[bool, float]:
    """EM and F1 as ``hotpot_evaluate_v1.py`` has them, statement by statement."""

    def normalize_answer(s):
        def remove_articles(text):
            return re.sub(r"\b(a|an|the)\b", " ", text)

        def white_space_fix(text):
            return " ".join(text.split())

        def remove_punc(text):
            exclude = set(string.punctuation)
            return "".join(ch for ch in text if ch not in exclude)

        return white_space_fix(remove_articles(remove_punc(s.lower())))

    exact = normalize_answer(prediction) == normalize_answer(ground_truth)
    normalized_prediction = normalize_answer(prediction)
    normalized_ground_truth = normalize_answer(ground_truth)
    special = ["yes", "no", "noanswer"]
    if normalized_prediction in special and normalized_prediction != normalized_ground_truth:
        return exact, 0.0
    if normalized_ground_truth in special and normalized_prediction != normalized_ground_truth:
        return exact, 0.0
    prediction_tokens = normalized_prediction.split()
    ground_truth_tokens = normalized_ground_truth.split()
    common = Counter(prediction_tokens) & Counter(ground_truth_tokens)
    num_same = sum(common.values())
    if num_same == 0:
        return exact, 0.0
    precision = 1.0 * num_same / len(prediction_tokens)
    recall = 1.0 * num_same / len(ground_truth_tokens)
    return exact, (2 * precision * recall) / (precision + recall)


PARTS = st.sampled_from(
    [
        "The",
        "a",
        "an",
        "A.",
        "yes",
        "Yes!",
        "no",
        "no answer",
        "U.S.",
        "’s",
        "'s",
        "é",
        "İ",
        "-",
        "_",
        "\u00a0",
        "  ",
        "",
        "x",
        "y",
    ]
)
ANSWERS = st.one_of(
    st.lists(PARTS, max_size=5).map(" ".join), st.lists(PARTS, max_size=4).map("".join), st.text(st.characters())
)


@given(ANSWERS, ANSWERS)
def test_scores_are_those_of_the_official_script(answer: str, gold: str):
    assert (exact_match(answer, gold), f1(answer, gold)) == official(answer, gold)
    assert (exact_match(gold, gold), f1(gold, gold)) == official(gold, gold)
