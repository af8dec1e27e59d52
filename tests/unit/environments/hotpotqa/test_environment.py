"""ReAct's rules on a few pages; whole episodes against its own records are in tests/integration."""

import pytest

from spanwise.environments.hotpotqa.encyclopedia import build_encyclopedia
from spanwise.environments.hotpotqa.environment import HotpotqaEnvironment, sentences_of
from spanwise.environments.hotpotqa.records import Page, Question

PAGES = (
    Page("Milhouse", ("Milhouse is a boy.", " He was made by A. B. Groening.", " Three.", " Four.", " Five.", " Six.")),
    Page("Short", ("One sentence",)),
    Page("Mercury", ("Mercury may refer to: a planet, a god.",)),
    Page("Mercury (planet)", ("Mercury is hot.",)),
    Page("Rust (film)", ("A film.",)),
    Page("Rust (fungus)", ("A fungus.",)),
)
QUESTION = Question("q", "Who is he named after?", "The Richard Nixon", "bridge", "hard", ())


@pytest.fixture
def environment():
    return HotpotqaEnvironment(build_encyclopedia(PAGES), QUESTION)


def say(environment, action):
    return environment.step(action).observation


def test_the_question_comes_first(environment):
    assert environment.reset() == "Question: Who is he named after?"


def test_a_search_shows_five_sentences_cut_at_full_stops(environment):
    shown = say(environment, "search[Milhouse]")
    assert shown == "Milhouse is a boy. He was made by A. B. Groening. Three."


def test_a_text_that_ends_has_its_full_stop_twice(environment):
    assert say(environment, "search[Rust (film)]") == "A film.."
    assert say(environment, "search[Short]") == "One sentence."


def test_looking_up_goes_on_and_begins_anew(environment):
    say(environment, "search[Milhouse]")
    assert say(environment, "lookup[E.]") == "(Result 1 / 2) Three."
    assert say(environment, "lookup[E.]") == "(Result 2 / 2) Five."
    assert say(environment, "lookup[e.]") == "(Result 1 / 2) Three."
    assert [say(environment, "lookup[six]") for _ in range(3)] == [
        "(Result 1 / 1) Six..",
        "No more results.\n",
        "No more results.\n",
    ]
    say(environment, "search[Milhouse]")
    assert say(environment, "lookup[six]") == "(Result 1 / 1) Six.."


def test_nothing_is_found_before_a_search(environment):
    assert say(environment, "lookup[]") == "No more results.\n"
    say(environment, "search[Short]")
    assert say(environment, "lookup[]") == "(Result 1 / 1) One sentence."


def test_a_search_that_fails_leaves_the_page_and_what_was_looked_up(environment):
    say(environment, "search[Milhouse]")
    say(environment, "lookup[e.]")
    assert say(environment, "search[Milhous]") == "Could not find Milhous. Similar: ['Milhouse']."
    assert say(environment, "lookup[e.]") == "(Result 2 / 2) Five."


def test_an_ambiguous_page_is_searched_for_in_brackets(environment):
    said = say(environment, "search[mercury]")
    assert said == "Could not find [mercury]. Similar: ['Mercury (planet)']."
    assert say(environment, "search[[mercury]]") == said
    assert say(environment, "lookup[planet]") == "No more results.\n"


def test_a_name_of_several_pages_is_ambiguous(environment):
    assert say(environment, "search[rust]") == "Could not find [rust]. Similar: ['Rust (film)', 'Rust (fungus)']."


@pytest.mark.parametrize(
    ("answer", "said", "reward", "success"),
    [
        ("richard nixon.", "Episode finished, reward = 1\n", 1.0, True),
        ("Nixon", "Episode finished, reward = 0\n", 2 / 3, False),
        ("", "Episode finished, reward = 0\n", 0.0, False),
    ],
)
def test_finishing_is_judged_and_final(environment, answer, said, reward, success):
    end = environment.step(f"finish[{answer}]")
    assert (end.observation, end.reward, end.done, end.success) == (said, pytest.approx(reward), True, success)
    assert environment.step("search[Milhouse]") == end
    assert environment.step("finish[Richard Nixon]") == end


def test_thinking_is_answered(environment):
    outcome = environment.step(" think[hmm] ")
    assert (outcome.observation, outcome.valid) == ("Nice thought.", True)


@pytest.mark.parametrize("action", ["", "Search[Short]", "search[Short", "search Short", "look[x]", "search", "]"])
def test_what_is_no_action_is_said_back(environment, action):
    outcome = environment.step(f"  {action}\n")
    assert (outcome.observation, outcome.valid, outcome.done) == (f"Invalid action: {action}", False, False)


def test_sentences_end_at_lines_too():
    assert sentences_of("One. Two\n\n  Three.  \n. ") == ["One.", "Two.", "Three..", ".."]
