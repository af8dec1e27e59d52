"""Muon against AdamW: the same small model, batches and steps; how well it has learnt to copy out of observations.

    python benchmarks/optimizers.py [--games N] [--steps N] [--seeds N]

Prints the loss and the accuracy on ACT tokens over the last tenth of training, a row per optimizer and rate.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from spanwise.agents.experts import make_expert
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import (
    ArchitectureConfig,
    EnvironmentConfig,
    GeneratorConfig,
    ObjectiveConfig,
    TokenizerConfig,
    TrainingConfig,
)
from spanwise.environments import make_task_set
from spanwise.training.models import create_model, create_tokenizer
from spanwise.training.trainer import train

RATES = {"adamw": (2e-3, 4e-3, 8e-3), "muon": (5e-3, 1e-2, 2e-2)}
SHAPE = ArchitectureConfig(hidden_size=128, intermediate_size=384, layers=4, heads=4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=600)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()

    environment = EnvironmentConfig(generator=GeneratorConfig(size="small", train=options.games, valid_seen=0))
    tasks = make_task_set(environment)
    specs = [EpisodeSpec(task.task_id, task.task_type, 0) for task in tasks.tasks("train")]
    played = list(rollout(make_expert(environment), tasks, specs, RolloutSettings()))
    trajectories = sorted((one for one in played if one.success), key=lambda one: one.id)
    texts = [text for one in trajectories for step in one.steps for text in (step.observation, step.completion)]
    tokenizer = create_tokenizer(texts, TokenizerConfig(vocab_size=1024))
    print(f"{len(trajectories)} trajectories, {options.steps} steps of 8,192 tokens, {options.seeds} seeds\n")
    print("| optimizer | rate | ACT loss, nats | ACT accuracy |\n| --- | --: | --: | --: |")
    for optimizer, rates in RATES.items():
        for rate in rates:
            losses, accuracies = [], []
            for seed in range(options.seeds):
                config = TrainingConfig(
                    objective=ObjectiveConfig(method="language_model"),
                    optimizer=optimizer,  # type: ignore[arg-type]
                    learning_rate=rate,
                    max_steps=options.steps,
                    batch_tokens=8192,
                    log_every=max(1, options.steps // 10),
                    save_every=options.steps,
                )
                with tempfile.TemporaryDirectory() as folder:
                    model = create_model(SHAPE, tokenizer, seed)
                    train(model, tokenizer, trajectories, config, Path(folder), seed)
                    last = json.loads((Path(folder) / "metrics.jsonl").read_text().splitlines()[-1])
                losses.append(last["act_loss"])
                accuracies.append(last["act_accuracy"])
            shown = " / ".join(f"{value:.4f}" for value in losses)
            print(f"| {optimizer} | {rate:g} | {shown} | {statistics.mean(accuracies):.1%} |", flush=True)


if __name__ == "__main__":
    main()
