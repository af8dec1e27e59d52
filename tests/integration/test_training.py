"""How a step is split, over passes and over processes, changes nothing of what it learns."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from spanwise.config import ArchitectureConfig, ObjectiveConfig, TermConfig, TokenizerConfig, TrainingConfig
from spanwise.training.models import create_model, create_tokenizer
from spanwise.training.trainer import TrainingResult, train
from spanwise.types import Span, SpanKind, Step, Trajectory

LENGTHS = [1, 2, 1, 3, 2, 2, 1, 1]
SHAPE = ArchitectureConfig(hidden_size=16, intermediate_size=32, layers=1, heads=2, max_length=256)


def make_trajectories(lengths: list[int]) -> list[Trajectory]:
    """One trajectory for each number of steps; the thoughts of later ones are longer."""
    return [
        Trajectory(
            str(n), f"t{n}", "toy", "expert", 0, "", tuple(make_step(n, i) for i in range(steps)), 1.0, True, "done"
        )
        for n, steps in enumerate(lengths)
    ]


def make_step(number: int, index: int) -> Step:
    thought = "Thought:" + " look" * (1 + number) + ".\n"
    completion = f"{thought}Action: go to box {index}"
    spans = (Span(SpanKind.REASON, 0, len(thought)), Span(SpanKind.ACT, len(thought), len(completion)))
    return Step(f"You see box {number}.", completion, f"go to box {index}", spans)


#: Everything at once that makes tokens count differently.
WEIGHTED = {
    "method": "sad",
    "reason": {"divergence": "forward_kl", "gate": 1.0, "hard": 0.3, "focus": 1.0},
    "act": {"divergence": "reverse_kl", "weight": 2.0, "gate": -0.5},
    "decisions": 4.0,
    "fade": 0.9,
    "reduction": "span_mean",
}
READS = {"method": "token_kd", "attention": 3.0}
#: Of the tasks t0 to t8 this holds out one, t7, by which weights are learnt.
LEARNT = {"method": "sad", "learnt_weights": {"every": 1, "rate": 3.0, "held_out": 0.15}}
MOVED = {"method": "sad", "act": {"divergence": "reverse_kl", "weight": 2.0}, "segmentation": "random"}


def learn(output: Path, lengths: list[int], **settings) -> TrainingResult:
    """Trains a tiny student on a tiny teacher."""
    trajectories = make_trajectories(lengths)
    texts = [text for one in trajectories for step in one.steps for text in (step.observation, step.completion)]
    tokenizer = create_tokenizer(texts, TokenizerConfig(vocab_size=300))
    objective = ObjectiveConfig(method="sad", act=TermConfig(divergence="reverse_kl", weight=2.0))
    common = {"objective": objective, "precision": "fp32", "log_every": 1, "optimizer": "adamw", "warmup": 0.0}
    config = TrainingConfig.model_validate({**common, **settings})
    student, teacher = create_model(SHAPE, tokenizer, 0), create_model(SHAPE, tokenizer, 1)
    return train(student, tokenizer, trajectories, config, output, 0, teacher)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


def logged(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def assert_same_training(first: Path, second: Path) -> None:
    ours, theirs = weights(first), weights(second)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-5, msg=name)
    for one, other in zip(logged(first), logged(second), strict=True):
        assert one.keys() == other.keys()
        for name in one.keys() - {"tokens_per_second"}:
            assert one[name] == pytest.approx(other[name], rel=1e-3, abs=2e-6), name


@pytest.mark.parametrize("objective", [None, WEIGHTED, MOVED, READS, LEARNT])
def test_one_batch_of_eight_is_eight_batches_of_one(objective, tmp_path: Path) -> None:
    lengths = [*LENGTHS, *([2] if objective == LEARNT else [])]
    together = {"batch_tokens": 8 * 200, "accumulation": 1, "max_steps": 3, "learning_rate": 1e-2, "layout": "padded"}
    together |= {} if objective is None else {"objective": objective}
    result = learn(tmp_path / "together", lengths, **together)
    assert (result.steps, result.tokens % 3) == (3, 0)
    apart = learn(tmp_path / "apart", lengths, **{**together, "batch_tokens": 1, "accumulation": 8})
    assert apart.tokens == result.tokens
    assert apart.padding == 0 < result.padding
    assert_same_training(tmp_path / "apart", tmp_path / "together")
    packed = learn(tmp_path / "packed", lengths, **{**together, "layout": "packed"})
    assert (packed.tokens, packed.padding) == (result.tokens, 0)
    assert_same_training(tmp_path / "packed", tmp_path / "together")


@pytest.mark.parametrize("objective", [{}, {"objective": WEIGHTED}, {"objective": READS}, {"objective": LEARNT}])
def test_two_processes_are_one(objective, tmp_path: Path) -> None:
    settings = {"batch_tokens": 1, "max_steps": 3, "learning_rate": 1e-2, **objective}
    learn(tmp_path / "one", LENGTHS, accumulation=2, **settings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(tmp_path / "two"), json.dumps(settings)],
            env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=240)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(errors)
    assert_same_training(tmp_path / "two", tmp_path / "one")


if __name__ == "__main__":
    learn(Path(sys.argv[1]), LENGTHS, accumulation=1, **json.loads(sys.argv[2]))
