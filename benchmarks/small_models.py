"""What lets a small model learn to copy out of observations: architecture, optimizer, rate, warm-up; the rest equal.

    python benchmarks/small_models.py [--games N] [--steps N] [--seeds N] [--only TEXT]

Trains each on the same expert episodes of generated ALFWorld games, then reads expert episodes of other games with it,
teacher-forced. Prints the loss of REASON and ACT tokens there and, of the numbers that must be copied (those of the
object that is taken, where it is first mentioned in the thought, and which is not number 1, the best guess), the share
that the model puts first.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

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
from spanwise.data.tokenize import TokenizedTrajectory, tokenize_trajectory
from spanwise.environments import make_task_set
from spanwise.training.models import create_model, create_tokenizer
from spanwise.training.trainer import train
from spanwise.types import Trajectory

SHAPE = ArchitectureConfig(hidden_size=256, intermediate_size=768, layers=4, heads=4, max_length=2048)
# Architecture, optimizer, rate, and the share of the steps that are language modelling on all tokens, before imitation.
VARIANTS = [
    (architecture, optimizer, rate, 0.0)
    for architecture in ("qwen3", "llama")
    for optimizer, rates in (("muon", (1.5e-3, 3e-3, 6e-3)), ("adamw", (1e-3, 3e-3)))
    for rate in rates
] + [("qwen3", "muon", 3e-3, 0.5)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=1200)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="", help="variants whose name holds this, for example 'qwen3 muon'")
    options = parser.parse_args()

    environment = EnvironmentConfig(
        generator=GeneratorConfig(size="full", train=options.games, valid_seen=0, valid_unseen=100),
        domain_randomization=True,
    )
    trajectories = expert_episodes(environment, "train", repeats=2)
    texts = [text for one in trajectories for step in one.steps for text in (step.observation, step.completion)]
    tokenizer = create_tokenizer(texts, TokenizerConfig(vocab_size=1024))
    held_out = expert_episodes(environment, "valid_unseen", repeats=1)
    print(f"{len(trajectories)} trajectories, {options.steps} steps of 4,096 tokens; {len(held_out)} held out\n")
    print("| architecture | optimizer | rate | warm-up | REASON loss, nats | ACT loss, nats | numbers copied | of |")
    print("| --- | --- | --: | --: | --: | --: | --: | --: |")
    for architecture, optimizer, rate, warm_up in VARIANTS:
        name = f"{architecture} | {optimizer} | {rate:g} | {warm_up:.0%}"
        if options.only not in name.replace(" |", ""):
            continue
        for seed in range(options.seeds):
            model = create_model(SHAPE, tokenizer, seed)
            if architecture == "llama":
                model = without_norms(model, seed)
            warm_up_steps = round(warm_up * options.steps)
            for method, steps in (("language_model", warm_up_steps), ("sft", options.steps - warm_up_steps)):
                if not steps:
                    continue
                config = TrainingConfig(
                    objective=ObjectiveConfig(method=method),  # type: ignore[arg-type]
                    optimizer=optimizer,  # type: ignore[arg-type]
                    learning_rate=rate,
                    max_steps=steps,
                    batch_tokens=4096,
                    save_every=steps,
                )
                with tempfile.TemporaryDirectory() as folder:
                    train(model, tokenizer, trajectories, config, Path(folder), seed)
            reason, act, copied, of = measure(model, tokenizer, held_out)
            print(f"| {name} | {reason:.3f} | {act:.4f} | {copied / of:.0%} | {of} |", flush=True)


def expert_episodes(environment: EnvironmentConfig, split: str, repeats: int) -> list[Trajectory]:
    tasks = make_task_set(environment)
    specs = [EpisodeSpec(task.task_id, task.task_type, seed) for task in tasks.tasks(split) for seed in range(repeats)]
    played = list(rollout(make_expert(environment), tasks, specs, RolloutSettings()))
    return sorted((one for one in played if one.success), key=lambda one: one.id)


def without_norms(model: PreTrainedModel, seed: int) -> PreTrainedModel:
    """The Llama of a Qwen3's sizes: the same but for the norms of queries and keys."""
    names = LlamaConfig().to_dict().keys() - {"model_type", "architectures", "transformers_version"}
    sizes = {key: value for key, value in model.config.to_dict().items() if key in names}
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(**sizes))


@torch.no_grad()
def measure(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, trajectories: Sequence[Trajectory]
) -> tuple[float, float, int, int]:
    """Mean loss of REASON and of ACT tokens; numbers copied, and numbers to copy."""
    model.eval()
    losses: dict[int, list[torch.Tensor]] = {1: [], 2: []}
    copied = of = 0
    for trajectory in trajectories:
        tokens = tokenize_trajectory(trajectory, tokenizer)
        logits = model(input_ids=torch.tensor(tokens.input_ids)[None]).logits[0]
        targets = torch.tensor(tokens.target_ids)
        loss = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        for kind, collected in losses.items():
            collected.append(loss[torch.tensor(tokens.kind == kind)])
        for position in numbers_to_copy(trajectory, tokens, tokenizer):
            of += 1
            copied += int(logits[position].argmax() == targets[position])
    return torch.cat(losses[1]).mean().item(), torch.cat(losses[2]).mean().item(), copied, of


def numbers_to_copy(
    trajectory: Trajectory, tokens: TokenizedTrajectory, tokenizer: PreTrainedTokenizerBase
) -> list[int]:
    """Where the number of the object that a step takes is first predicted in its thought, unless it is 1."""
    found = []
    for index, step in enumerate(trajectory.steps):
        words = (step.action or "").split()
        if words[:1] != ["take"] or words[2] == "1":
            continue
        for position in range(1, len(tokens)):
            if tokens.step[position] != index or tokens.kind[position] != 1:
                continue
            name = str(tokenizer.decode([int(tokens.input_ids[position])])).strip()
            number = str(tokenizer.decode([int(tokens.target_ids[position])])).strip()
            if [name, number] == words[1:3]:
                found.append(position)
                break
    return found


if __name__ == "__main__":
    main()
