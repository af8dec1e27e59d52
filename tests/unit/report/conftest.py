"""A small finished run of the toy world: real evaluations of agents that err more or less often, invented curves."""

import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from spanwise.agents.experts.toy import ToyExpert
from spanwise.agents.protocol import Completion
from spanwise.config import Recipe
from spanwise.environments.toy import NOTHING_HAPPENS, ToyTasks
from spanwise.evaluation.rollouts import evaluate
from spanwise.types import Step

METHODS = ("sft", "token_kd", "sad")


class ErringExpert(ToyExpert):
    """The toy expert, but for a share of turns in which it does something vain."""

    def __init__(self, name, errors):
        self.name = name
        self.errors = errors

    def act(self, histories):
        return [self._answer(history) for history in histories]

    def _answer(self, history):
        draw = random.Random(f"{self.name}/{history.task_id}/{len(history.steps)}")
        if draw.random() < self.errors:
            return Completion(
                draw.choice(["Thought: Fly?\nAction: fly", "I am lost.", "Thought: Hm.\nAction: go away"])
            )
        return super().act([_without_vain_turns(history)])[0]


def _without_vain_turns(history):
    """What the expert, which never errs, would have seen so far."""
    observations = [*(step.observation for step in history.steps), history.observation]
    *seen, last = [text for text in observations if text != NOTHING_HAPPENS]
    return replace(history, steps=tuple(Step(text, "", None, ()) for text in seen), observation=last)


def fabricate_recipe(tasks=12):
    students = {name: {"training": {"objective": {"method": name}}} for name in METHODS}
    return Recipe.model_validate(
        {
            "name": "toy",
            "environment": {"name": "toy", "budget": 12, "workers": 0, "generator": {"valid_seen": tasks}},
            "teacher": {"pretraining": {"objective": {"method": "language_model"}}},
            "students": {"methods": students},
        }
    )


def fabricate_run(run, recipe):
    """Writes what a finished run leaves for its report."""
    tasks = ToyTasks(valid_seen=recipe.environment.generator.valid_seen)
    errors = {"expert": 0.0, "teacher": 0.15, "sft": 0.5, "token_kd": 0.4, "sad": 0.25}
    for seed, (name, share) in enumerate(errors.items()):
        folder = {"expert": None, "teacher": run / "teacher" / "model"}.get(name, run / "students" / name)
        if folder is not None:
            folder.mkdir(parents=True)
            size = (40, 50) if name == "teacher" else (10, 30)
            save_file({"weight": np.full(size, seed, np.float32)}, folder / "model.safetensors")
            (folder / "metrics.jsonl").write_text("".join(_curve(seed, name)), encoding="utf-8")
        agent = ErringExpert(name, share)
        evaluate(
            agent, tasks, recipe.evaluate, recipe.environment, run / "evaluation" / name, recipe.seed, model=folder
        )
    (run / "teacher" / "base").mkdir()
    pretraining = ({"step": step, "loss": 4 * math.exp(-step / 300) + 0.4} for step in range(10, 1010, 10))
    lines = "".join(json.dumps(line) + "\n" for line in pretraining)
    (run / "teacher" / "base" / "metrics.jsonl").write_text(lines, encoding="utf-8")
    manifest = {
        "schema_version": 1,
        "versions": {"spanwise": "0.1.0"},
        "seed": 0,
        "git": {"commit": "abc", "dirty": False},
    }
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _curve(seed, name):
    for step in range(10, 310, 10):
        fall = math.exp(-step / 80) + 0.02 * random.Random(f"{seed}/{step}").random()
        line = {"step": step, "reason_loss": 3 * fall + 0.3 + seed / 20, "act_loss": 2 * fall + 0.05 + seed / 30}
        if name not in ("teacher", "sft"):
            line |= {
                "reason_kl": 2 * fall,
                "act_kl": fall,
                "reason_agreement": 1 - fall / 2,
                "act_agreement": 1 - fall / 3,
            }
        yield json.dumps(line) + "\n"


@pytest.fixture(scope="session")
def recipe():
    return fabricate_recipe()


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, recipe):
    """A finished run without its report; not to be written to."""
    run = tmp_path_factory.mktemp("runs") / "toy"
    fabricate_run(run, recipe)
    return run
