"""By what episodes are lost, and what a loop is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.evaluation.failures import failure, has_loop


@pytest.mark.parametrize(
    ("turns", "looped"),
    [
        ("", False),
        ("aa", False),
        ("aaa", True),
        ("abab", False),
        ("ababab", True),
        ("xabcabcabcy", True),
        ("abcabcab", False),
        ("aabaabaab", True),
        ("abacada", False),
        ("aabbaa", False),
    ],
)
def test_a_loop_is_the_same_three_times_in_a_row(turns, looped):
    assert has_loop(turns) == looped


@given(st.text("ab", max_size=6), st.text("abc", min_size=1, max_size=4), st.text("ab", max_size=6))
def test_a_loop_is_found_wherever_it_is(before, circle, after):
    assert has_loop(before + 3 * circle + after)


@given(st.text("ab", max_size=14))
def test_loops_are_what_their_definition_says(turns):
    circles = (
        turns[start : start + size] for size in range(1, len(turns) // 3 + 1) for start in range(len(turns) - size)
    )
    assert has_loop(turns) == any(3 * circle in turns for circle in circles)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"stop_reason": "error", "looped": True}, "error"),
        ({"stop_reason": "context", "looped": True}, "context"),
        ({"stop_reason": "parse", "parse_failures": 3}, "parse"),
        ({"parse_failures": 5, "looped": True}, "parse"),
        ({"stop_reason": "done", "invalid_actions": 9}, "wrong"),
        ({"looped": True, "invalid_actions": 9}, "loop"),
        ({"looped": False, "invalid_actions": 5}, "invalid"),
        ({"looped": None, "invalid_actions": 4, "parse_failures": 4}, "budget"),
        ({"stop_reason": "error", "turns": 0, "steps": 0}, "error"),
    ],
)
def test_every_lost_episode_has_one_failure(make_record, fields, word):
    assert failure(make_record(success=False, **fields)) == word
