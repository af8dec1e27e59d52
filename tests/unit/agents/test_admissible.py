import random

import pytest
import torch

from spanwise.agents.admissible import AdmissibleCommands
from spanwise.agents.huggingface import HuggingFaceAgent
from spanwise.agents.protocol import Completion, History
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import ArchitectureConfig, Recipe, TokenizerConfig
from spanwise.environments.toy import ToyTasks
from spanwise.traces.segment import segment
from spanwise.training.models import create_model, create_tokenizer

COMMANDS = ("go to shelf 1", "go to shelf 12", "go to shelf 1 again", "take cup", "open")
THOUGHT = "Thought: I go to shelf 7.\nAction:"
TOKENIZER = create_tokenizer([f"{THOUGHT} {command}" for command in COMMANDS] * 9, TokenizerConfig(vocab_size=400))
EOS = TOKENIZER.encode("<|eos|>")[0]
ADMISSIBLE = AdmissibleCommands(TOKENIZER, {EOS})


def ids(text: str) -> list[int]:
    return TOKENIZER.encode(text)


@pytest.mark.parametrize("text", ["", "Thought: I go to shelf 1", "Thought: take cup\n", "Thought: a\nAction", "go to"])
def test_thoughts_are_free(text: str):
    assert ADMISSIBLE.next_tokens(ids(text), COMMANDS) is None


@pytest.mark.parametrize("lead", [THOUGHT, f"{THOUGHT} ", "Action:", f"{THOUGHT}\n"])
def test_every_walk_is_a_command_and_every_command_can_be_walked(lead: str):
    walked = set()
    for seed in range(60):
        draw, turn = random.Random(seed), ids(lead)
        while not turn or turn[-1] != EOS:
            allowed = ADMISSIBLE.next_tokens(turn, COMMANDS)
            assert allowed, "there is always a way on"
            turn.append(draw.choice(sorted(allowed)))
        walked.add(segment(str(TOKENIZER.decode(turn[:-1])), "react").action)
    assert walked == set(COMMANDS)


def test_commands_are_written_as_in_what_models_learn_from():
    for command in COMMANDS:
        whole, lead = ids(f"{THOUGHT} {command}"), len(ids(THOUGHT))
        for at in range(lead, len(whole)):
            allowed = ADMISSIBLE.next_tokens(whole[:at], COMMANDS)
            assert allowed is not None
            assert whole[at] in allowed
        assert EOS in (ADMISSIBLE.next_tokens(whole, COMMANDS) or ())


def test_a_turn_ends_where_no_command_goes_on():
    assert ADMISSIBLE.next_tokens(ids(THOUGHT), ()) == {EOS}
    assert ADMISSIBLE.next_tokens(ids(f"{THOUGHT} cup"), COMMANDS) == {EOS}


class ThinksAloud(HuggingFaceAgent):
    """Thinks by heart; whatever comes then is random, so that only the constraint makes a command of it."""

    def _choose(self, turns, logits_BQV):
        by_heart = ids("Thought: well.\nAction:")
        for row, turn in enumerate(turns):
            for guessed in range(1 + len(turn.draft)):
                if len(turn.token_ids) + guessed < len(by_heart):
                    place = guessed - 1 - len(turn.draft)
                    logits_BQV[row, place, by_heart[len(turn.token_ids) + guessed]] += 1000.0
        super()._choose(turns, logits_BQV)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_model_that_knows_nothing_never_errs_under_the_constraint(workers: int, temperature: float):
    torch.manual_seed(0)
    architecture = ArchitectureConfig(hidden_size=16, intermediate_size=16, layers=1, heads=1, max_length=2048)
    agent = ThinksAloud(create_model(architecture, TOKENIZER, 0), TOKENIZER, "m", temperature, max_new_tokens=60)
    tasks = ToyTasks(train=6, valid_seen=1, valid_unseen=1)
    specs = [EpisodeSpec(task.task_id, task.task_type, 0) for task in tasks.tasks("train")]

    def valid(constrained: bool) -> list[bool | None]:
        settings = RolloutSettings(budget=8, workers=workers, concurrency=4, constrained=constrained)
        played = list(rollout(agent, tasks, specs, settings))
        return [step.valid for trajectory in played for step in trajectory.steps]

    free, constrained = valid(False), valid(True)
    assert not any(free)
    assert len(constrained) > 20
    assert all(constrained)


def test_log_probabilities_under_the_constraint_are_those_of_what_may_be_chosen():
    architecture = ArchitectureConfig(hidden_size=16, intermediate_size=16, layers=1, heads=1, max_length=512)
    agent = ThinksAloud(create_model(architecture, TOKENIZER, 0), TOKENIZER, "m", max_new_tokens=60)
    (answer,) = agent.act([History(0, "t", 0, (), "You see a cup.", ("take cup",))])
    assert answer == Completion("Thought: well.\nAction: take cup", answer.token_ids, answer.logprobs)
    assert answer.logprobs is not None
    assert set(answer.logprobs[-3:]) == {0.0}


@pytest.mark.parametrize(
    ("environment", "words"),
    [({"name": "hotpotqa"}, "hotpotqa does not list its commands"), ({"name": "toy", "style": "think"}, "react")],
)
def test_a_recipe_says_at_once_what_cannot_be_constrained(environment: dict[str, str], words: str):
    with pytest.raises(ValueError, match=words):
        Recipe.model_validate({"name": "r", "environment": environment, "evaluate": {"constrained": True}})
