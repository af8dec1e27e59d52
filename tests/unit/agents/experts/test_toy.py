import pytest

from spanwise.agents.experts import make_expert
from spanwise.agents.experts.toy import ToyExpert
from spanwise.agents.protocol import History
from spanwise.config import EnvironmentConfig
from spanwise.environments.toy import ToyTasks
from spanwise.errors import ConfigError
from spanwise.traces.segment import segment
from spanwise.types import Step


def play(task_id: str, seed: int) -> list[Step]:
    expert, world, steps = ToyExpert(), ToyTasks().make(task_id, seed), []
    observation, done = world.reset(), False
    while not done:
        (completion,) = expert.act([History(0, task_id, seed, tuple(steps), observation)])
        result = segment(completion.text, "react")
        assert result.action is not None
        steps.append(Step(observation, completion.text, result.action, result.spans))
        outcome = world.step(result.action)
        assert outcome.valid, result.action
        observation, done = outcome.observation, outcome.done
    return steps


@pytest.mark.parametrize("split", ["train", "valid_seen", "valid_unseen"])
def test_the_expert_wins_every_game_in_four_to_eight_actions(split: str):
    lengths = {len(play(info.task_id, seed=1)) for info in ToyTasks(train=40).tasks(split)}
    assert lengths <= {4, 5, 6, 7, 8}


def test_a_game_reads_well():
    steps = play("train-0001", 0)
    assert steps[0].completion.startswith("Thought: I find the plate, wash it and put it on shelf 3. ")
    assert [step.completion for step in steps[-5:]] == [
        "Thought: The plate is here. I take it.\nAction: take plate",
        "Thought: I have the plate. It must be washed at sink 1.\nAction: go to sink 1",
        "Thought: I wash the plate here.\nAction: wash plate",
        "Thought: I have the plate. It goes on shelf 3.\nAction: go to shelf 3",
        "Thought: I put the plate here.\nAction: put plate",
    ]


def test_wording_varies_by_seed_alone():
    history = History(0, "train-0001", 0, (), ToyTasks().make("train-0001", 0).reset())
    wordings = {ToyExpert().act([History(0, "train-0001", seed, (), history.observation)])[0].text for seed in range(9)}
    assert len(wordings) == 2
    assert ToyExpert().act([history]) == ToyExpert().act([history])


def test_another_world_is_an_error():
    with pytest.raises(ValueError, match=r"not the toy world: 'Go north\.'"):
        ToyExpert().act([History(0, "x", 0, (), "Go north.")])


def test_experts_are_made_by_name_and_write_react_only():
    assert isinstance(make_expert(EnvironmentConfig(name="toy")), ToyExpert)
    with pytest.raises(ConfigError, match=r"environment.style: experts write in the style 'react', found 'think'"):
        make_expert(EnvironmentConfig(name="toy", style="think"))
