"""What the experts do, over a small encyclopedia and over anything else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.agents.experts.hotpotqa.conftest import ENCYCLOPEDIA, history, play, question, step

from spanwise.agents.experts import make_expert
from spanwise.agents.experts.hotpotqa import HotpotqaExpert
from spanwise.agents.experts.hotpotqa.expert import recall
from spanwise.agents.experts.hotpotqa.informed import InformedSolver
from spanwise.agents.experts.hotpotqa.wording import TEMPLATES
from spanwise.config import EnvironmentConfig
from spanwise.environments.hotpotqa.scoring import exact_match
from spanwise.errors import ConfigError

WHERE = question(
    "In which town was the author of The Silver Orchard born?",
    "Otterby",
    ("The Silver Orchard", 0),
    ("Mara Fenwick (novelist)", 5),
)
STUDY = question(
    "Where did the author of The Silver Orchard study?",
    "Kelman College",
    ("The Silver Orchard", 0),
    ("Mara Fenwick (novelist)", 6),
)
PEOPLE = question(
    "What is the population of the town in which The Silver Orchard is set?",
    "12,345",
    ("The Silver Orchard", 1),
    ("Elmford", 1),
)
OLDER = question(
    "Who is older, the novelist Mara Fenwick or Otto Brenner?",
    "Mara Fenwick",
    ("Mara Fenwick (novelist)", 0),
    ("Otto Brenner", 0),
    type="comparison",
)
SAME = question(
    "Are the novelist Mara Fenwick and Otto Brenner of the same nationality?",
    "yes",
    ("Mara Fenwick (novelist)", 0),
    ("Otto Brenner", 0),
    type="comparison",
)
ALL = [WHERE, STUDY, PEOPLE, OLDER, SAME]
PIECES = (
    "Question: Who is older, A or B?",
    "Could not find A. Similar: ['B', 'A (x)'].",
    "Could not find",
    "Similar: [",
)
PIECES += (
    "(Result 1 / 3) It is.",
    "(Result 9999999999 / 1) x",
    "No more results.\n",
    "Mara Fenwick is a",
    "born in 1931",
    "..",
    "[[x]]",
)
PIECES += ("Invalid action: x", "((((", "Thought: x\nAction: y", "\x00", "İ", "$1.2.3,4", "\n\n", "'", '"')


class Informed:
    """The informed expert over the small encyclopedia."""

    name = "informed"

    def __init__(self, asked):
        self.asked = asked

    def act(self, histories):
        from spanwise.agents.experts.hotpotqa.expert import put
        from spanwise.agents.protocol import Completion

        return [
            Completion(put(InformedSolver(recall(one, False), 7, self.asked, ENCYCLOPEDIA).decide(), one))
            for one in histories
        ]

    def forget(self, episode):
        pass


def actions(turns):
    return [action for _, _, action in turns]


def test_the_bridge_is_found_read_and_looked_up():
    turns = play(HotpotqaExpert(), WHERE)
    assert actions(turns) == [
        "search[The Silver Orchard]",
        "search[Mara Fenwick]",
        "search[Mara Fenwick (novelist)]",
        "lookup[born]",
        "finish[Otterby]",
    ]
    thoughts = [thought for _, thought, _ in turns]
    assert WHERE.text in thoughts[0]
    assert '"The Silver Orchard is a 1987 novel by Mara Fenwick."' in thoughts[1]
    assert "In which town was Mara Fenwick born?" in thoughts[1]
    assert "Mara Fenwick (novelist)" in thoughts[2]
    assert '"Fenwick was born in Otterby."' in thoughts[4]


@pytest.mark.parametrize("asked", ALL, ids=lambda one: one.text)
@pytest.mark.parametrize("make", [lambda _: HotpotqaExpert(), Informed], ids=["expert", "informed"])
def test_answers_follow_from_what_was_shown(asked, make):
    turns = play(make(asked), asked)
    seen = ""
    for observation, thought, action in turns:
        seen = " ".join(f"{seen} {observation}".split())
        for quoted in re.findall(r'"([^"]+)"', thought):
            assert quoted.rstrip(".") in seen or f"lookup[{quoted}]" in [*actions(turns)]
        if action.startswith("search["):
            assert action[7:-1] in seen
    assert exact_match(turns[-1][2][7:-1], asked.answer)
    assert len(set(actions(turns))) == len(turns)


@pytest.mark.parametrize("asked", ALL, ids=lambda one: one.text)
@pytest.mark.parametrize("budget", range(1, 7))
def test_the_last_action_answers(asked, budget):
    turns = play(HotpotqaExpert(budget), asked, budget)
    assert turns[-1][2].startswith("finish[")


def test_the_seed_chooses_words_only():
    runs = [play(HotpotqaExpert(), WHERE, seed=seed) for seed in range(6)]
    assert len({tuple(actions(turns)) for turns in runs}) == 1
    assert len({turns[1][1] for turns in runs}) > 1
    assert play(HotpotqaExpert(), WHERE, seed=3) == runs[3]


def test_the_history_is_all_that_the_expert_sees():
    lies = question(WHERE.text, "Berlin", ("Nowhere", 0), type="comparison")
    assert play(HotpotqaExpert(), lies) == play(HotpotqaExpert(), WHERE)


def test_it_goes_on_from_where_another_left_it():
    steps = (
        step(f"Question: {WHERE.text}", "Thought: hm\nAction: search[Elmford]"),
        step("Elmford is a town on the River Lune..", "I know nothing."),
        step("Nothing happens.", "Thought: hm\nAction: open[door]"),
    )
    (completion,) = HotpotqaExpert().act([history("Invalid action: open[door]", steps)])
    assert completion.text.endswith("\nAction: search[The Silver Orchard]")


@given(st.lists(st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=6), min_size=1, max_size=8))
def test_hostile_observations_end_in_an_answer(pieces):
    expert, steps, taken = HotpotqaExpert(), [], []
    for parts in (pieces * 7)[:7]:
        observation = " ".join(parts)
        (completion,) = expert.act([history(observation, tuple(steps))])
        steps.append(step(observation, completion.text))
        action = steps[-1].action
        assert action is not None
        assert re.fullmatch(r"(search|lookup|finish)\[[^\[\]\n]+\]", action)
        taken.append(action)
        if action.startswith("finish["):
            break
    assert taken[-1].startswith("finish[")
    searches = [action for action in taken if action.startswith("search[")]
    assert len(set(searches)) == len(searches)


def test_wordings_of_a_remark_need_the_same_words():
    for ways in TEMPLATES.values():
        assert len({frozenset(re.findall(r"\{(\w+)\}", way)) for way in ways}) == 1


def test_experts_by_kind():
    config = EnvironmentConfig(name="hotpotqa", budget=7)
    assert make_expert(config).name == "expert"
    assert make_expert(config, kind="informed").name == "informed"
    with pytest.raises(ConfigError, match="slip"):
        make_expert(config, slips=0.1)
    with pytest.raises(ConfigError, match="toy has no expert 'informed'"):
        make_expert(EnvironmentConfig(name="toy"), kind="informed")
