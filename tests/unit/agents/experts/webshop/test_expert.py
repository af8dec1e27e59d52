"""What the expert does in given situations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.agents.experts.webshop.conftest import INSTRUCTION

from spanwise.agents.experts import make_expert
from spanwise.agents.experts.webshop import WebshopExpert
from spanwise.agents.experts.webshop.policy import Habits
from spanwise.agents.protocol import History
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import EnvironmentConfig, WebshopConfig
from spanwise.environments import make_task_set
from spanwise.errors import ConfigError
from spanwise.types import Span, SpanKind, Step

RIGHT = ("B000000001", "Navy Men's Shirt", "$24.99")
WRONG = ("B000000002", "Plain Men's Shirt", "$22.0")
DEAR = ("B000000003", "Men's Shirt of Gold", "$99.0")
FITTING = {"color": ("red", "navy"), "size": ("small", "large")}
FIRST = (
    "search[men's shirts machine wash classic fit navy large, color: navy, size: large, navy large]",
    "search[men's shirts navy large, color: navy, size: large]",
)
PIECES = ("Instruction:", INSTRUCTION, "Back to Search", "[Back to Search]", "Page 1 (Total results: 9)", "OK.")
PIECES += ("B000000001", "title", "$9.99", "< Prev", "color", "navy", "Price: $9", "Buy Now", "[[x]]")


def answer(history, **settings) -> tuple[str, str]:
    """The expert's thought and its action."""
    (completion,) = WebshopExpert(**settings).act([history])
    thought, _, action = completion.text.partition("\nAction: ")
    assert thought.startswith("Thought: ")
    return thought.removeprefix("Thought: "), action


@pytest.fixture
def opened(pages):
    """The turns until a product that has the options is open."""
    return [
        (FIRST[0], pages.results(RIGHT, WRONG, DEAR)),
        ("click[B000000001]", pages.item(RIGHT[1], RIGHT[2], FITTING)),
    ]


def test_the_errand_is_told_and_searched(history, pages):
    thought, action = answer(history(pages.start()))
    assert action == FIRST[0]
    assert "men's shirts; machine wash and classic fit; color navy and size large; below $30.00" in thought


def test_what_is_too_dear_is_passed_over(history, pages):
    thought, action = answer(history(pages.start(), (FIRST[0], pages.results(DEAR, RIGHT))))
    assert action == "click[B000000001]"
    assert "B000000001" in thought
    assert "$24.99" in thought
    assert "The ones before it look less likely by price or title." in thought


def test_claims_that_were_not_seen_are_looked_up(history, pages, opened):
    thought, action = answer(history(pages.start(), *opened))
    assert action == "click[Features]"
    assert "navy and large" in thought
    assert "machine wash and classic fit" in thought


def test_what_was_read_is_said(history, pages, opened):
    read = ("click[Features]", pages.features("Machine wash"))
    thought, action = answer(history(pages.start(), *opened, read), habits=Habits(max_actions=8))
    assert action == "click[< Prev]"
    said, _, unsaid = thought.partition("classic fit")
    assert "machine wash" in said
    assert unsaid
    assert "machine wash" not in unsaid


def test_options_are_chosen_one_by_one_and_the_product_is_bought(history, pages, opened):
    item = opened[1][1]
    turns = [*opened, ("click[Features]", pages.features("Machine wash", "Classic fit")), ("click[< Prev]", item)]
    actions = []
    for _ in range(3):
        thought, action = answer(history(pages.start(), *turns))
        actions.append(action)
        turns.append((action, item))
    assert actions == ["click[navy]", "click[large]", "click[Buy Now]"]
    assert "navy and large" in thought
    assert "$24.99" in thought


def test_choices_that_are_answered_by_a_line_count(history, pages, opened):
    turns = [*opened, ("click[navy]", "You have clicked navy."), ("click[large]", "You have clicked large.")]
    assert answer(history(pages.start(), *turns), habits=Habits(max_actions=5))[1] == "click[Buy Now]"


def test_a_product_without_the_option_is_left(history, pages):
    turns = [
        (FIRST[0], pages.results(WRONG, RIGHT)),
        ("click[B000000002]", pages.item(WRONG[1], WRONG[2], {"color": ("red",), "size": ("large",)})),
    ]
    thought, action = answer(history(pages.start(), *turns))
    assert action == "click[Back to Search]"
    assert "no color navy" in thought
    thought, action = answer(history(pages.start(), *turns, (action, pages.start())))
    assert action == FIRST[1]


def test_when_time_runs_out_the_best_is_bought(history, pages):
    item = pages.item(WRONG[1], WRONG[2], {"color": ("red",), "size": ("large",)})
    turns = [(FIRST[0], pages.results(WRONG, RIGHT)), ("click[B000000002]", item)]
    few = Habits(max_actions=4)
    assert answer(history(pages.start(), *turns), habits=few)[1] == "click[large]"
    thought, action = answer(history(pages.start(), *turns, ("click[large]", item)), habits=few)
    assert action == "click[Buy Now]"
    assert "color navy" in thought


def test_the_best_is_gone_back_to(history, pages, opened):
    other = pages.item(WRONG[1], WRONG[2], {"color": ("red",), "size": ("small",)})
    turns = [
        *opened,
        ("click[Features]", pages.features("Machine wash")),
        ("click[< Prev]", opened[1][1]),
        ("click[< Prev]", opened[0][1]),
        ("click[B000000002]", other),
    ]
    habits = Habits(max_actions=40, patience=5)
    thought, action = answer(history(pages.start(), *turns), habits=habits)
    assert action == "click[< Prev]"
    assert "B000000001" in thought
    turns.append((action, opened[0][1]))
    assert answer(history(pages.start(), *turns), habits=habits)[1] == "click[B000000001]"


def test_with_two_actions_left_what_is_here_is_bought(history, pages, opened):
    other = pages.item(WRONG[1], WRONG[2], {"color": ("red",), "size": ("large",)})
    turns = [*opened, ("click[< Prev]", opened[0][1]), ("click[B000000002]", other)]
    assert answer(history(pages.start(), *turns), habits=Habits(max_actions=6))[1] == "click[large]"
    assert answer(history(pages.start(), *turns), habits=Habits(max_actions=5))[1] == "click[Buy Now]"


def test_patience_ends_the_search(history, pages):
    turns = [
        (FIRST[0], pages.results(WRONG, RIGHT)),
        ("click[B000000002]", pages.item(WRONG[1], WRONG[2], {"color": ("red",), "size": ("large",)})),
    ]
    habits = Habits(max_actions=40, patience=2)
    thought, action = answer(history(pages.start(), *turns), habits=habits)
    assert action == "click[large]"
    assert "no color navy" in thought or "color navy." in thought


def test_what_costs_about_the_limit_is_looked_at_first(history, pages):
    instruction = INSTRUCTION.replace("30.00", "130.00")
    cheap = ("B000000004", "Men's Shirt", "$5.0")
    shown = pages.results(cheap, DEAR).replace("30.00", "130.00")
    thought, action = answer(history(pages.start(instruction), (FIRST[0], shown)))
    assert action == "click[B000000003]"
    assert "less likely" in thought
    thought, action = answer(history(pages.start(instruction), (FIRST[0], shown), (action, "Invalid action!")))
    assert action == "click[B000000004]"
    assert "$130.00" in thought


def test_another_search_begins_where_the_features_disappoint(history, pages, opened):
    turns = [*opened, ("click[Features]", pages.features("Hand wash"))]
    thought, action = answer(history(pages.start(), *turns))
    assert action == "click[Back to Search]"
    assert "machine wash and classic fit" in thought


def test_a_product_that_is_opened_again_has_nothing_chosen(history, pages, opened):
    item = opened[1][1]
    turns = [*opened, ("click[navy]", item), ("click[< Prev]", opened[0][1]), ("click[B000000001]", item)]
    assert answer(history(pages.start(), *turns), habits=Habits(max_actions=8))[1] == "click[navy]"


def test_what_was_refused_is_not_tried_again(history, pages):
    turns = [(FIRST[0], pages.results(RIGHT, WRONG)), ("click[B000000001]", "Invalid action!")]
    assert answer(history(pages.start(), *turns))[1] == "click[B000000002]"
    assert answer(history(pages.start(), (FIRST[0], "Invalid action!")))[1] == FIRST[1]


def test_thoughts_of_others_count_where_they_count(history, pages, opened):
    turns = [*opened, *[("think[hm]", "OK.")] * 3]
    assert (
        answer(history(pages.start(), *turns), habits=Habits(max_actions=11), thoughts_count=True)[1] == "click[navy]"
    )
    assert answer(history(pages.start(), *turns), habits=Habits(max_actions=11))[1] == "click[Features]"


def test_the_seed_chooses_words_only(history, pages, opened):
    answers = [answer(history(pages.start(), *opened, seed=seed)) for seed in range(8)]
    assert len({action for _, action in answers}) == 1
    assert len({thought for thought, _ in answers}) > 1
    assert answers[3] == answer(history(pages.start(), *opened, seed=3))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["search[a]", "click[B000000001]", "click[Features]", "click[navy]", "think[x]", "", "["]),
            st.lists(
                st.sampled_from(PIECES),
                max_size=9,
            ),
        ),
        max_size=6,
    ),
    st.sampled_from([" [SEP] ", "\n", ""]),
)
def test_nothing_that_a_page_says_stops_it(turns, joint):
    steps = [
        Step(joint.join(parts), text, None, (Span(SpanKind.ACT, 0, len(text)),) if text else ())
        for text, parts in turns
    ]
    (completion,) = WebshopExpert().act([History(0, "goal-0", 0, tuple(steps), "Invalid action!")])
    thought, mark, action = completion.text.partition("\nAction: ")
    assert thought.startswith("Thought: ")
    assert mark
    assert action.startswith(("search[", "click["))


@pytest.mark.parametrize("observation", ["text", "text_rich", "react"])
def test_it_shops_in_every_mode(observation):
    settings = WebshopConfig(products=150, observation=observation)
    config = EnvironmentConfig(name="webshop", budget=15, webshop=settings)
    tasks, expert = make_task_set(config), make_expert(config)
    rewards = []
    for task in tasks.tasks("test")[::10]:
        environment = tasks.make(task.task_id, 0)
        said, steps = environment.reset(), []
        for _ in range(config.budget):
            (completion,) = expert.act([History(0, task.task_id, 0, tuple(steps), said)])
            action = completion.text.rpartition("\nAction: ")[2]
            outcome = environment.step(action)
            assert outcome.valid, action
            spans = (Span(SpanKind.REASON, 0, len(completion.text)),)
            steps.append(Step(said, completion.text, action, spans))
            said = outcome.observation
            if outcome.done:
                break
        assert outcome.done
        rewards.append(outcome.reward)
    assert len(rewards) == 50
    assert sum(rewards) / len(rewards) > 0.8


def test_a_brisk_expert_reads_no_features_and_one_that_does_not_exist_is_an_error():
    config = EnvironmentConfig(name="webshop", budget=15, webshop=WebshopConfig(products=150))
    tasks, rewards, read = make_task_set(config), {}, {}
    for kind in ("expert", "brisk"):
        expert = make_expert(config, kind=kind)
        assert expert.name == kind
        specs = [EpisodeSpec(task.task_id, task.task_type, 0) for task in tasks.tasks("test")[::20]]
        played = list(rollout(expert, tasks, specs, RolloutSettings.of(config, 25)))
        rewards[kind] = sum(trajectory.reward or 0 for trajectory in played) / len(played)
        read[kind] = sum(step.action == "click[Features]" for one in played for step in one.steps)
    assert read["expert"] > read["brisk"] == 0
    assert rewards["brisk"] > 0.7
    with pytest.raises(ConfigError, match="webshop has no expert 'hasty'; there are: brisk, expert, first_hit"):
        make_expert(config, kind="hasty")


def test_the_first_hit_is_bought_in_three_actions_and_scores_less():
    config = EnvironmentConfig(name="webshop", budget=15, webshop=WebshopConfig(products=150))
    tasks = make_task_set(config)
    specs = [EpisodeSpec(task.task_id, task.task_type, 0) for task in tasks.tasks("test")[::20]]
    played = list(rollout(make_expert(config, kind="first_hit"), tasks, specs, RolloutSettings.of(config, 25)))
    for trajectory in played:
        search, click, buy = (step.action or "" for step in trajectory.steps)
        assert (search[:7], click[:6], buy) == ("search[", "click[", "click[Buy Now]")
    best = list(rollout(make_expert(config), tasks, specs, RolloutSettings.of(config, 25)))
    assert 0 < sum(one.reward or 0 for one in played) < sum(one.reward or 0 for one in best)
