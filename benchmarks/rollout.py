"""Speed of rollouts: the cached agent against transformers' ``generate``, which reads the whole history at every turn.

    python benchmarks/rollout.py [--hidden 256 --layers 6 --episodes 64 --turns 15]

All agents play the same episodes of the toy world with the same random model, greedily, and must say the same tokens;
if they do not, the exit code is 1. Prints a Markdown table: medians over the repeats, and their range.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from spanwise.agents.experts.toy import ToyExpert
from spanwise.agents.huggingface import HuggingFaceAgent
from spanwise.agents.protocol import Agent, Completion, History
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.data.tokenize import prompt_ids
from spanwise.environments.toy import ToyTasks
from spanwise.types import Trajectory


class GenerateAgent:
    """What a script does without a cache of its own: ``generate`` on left-padded full histories, some at a time."""

    name = "generate"

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, max_new_tokens: int, batch: int):
        self.model, self.tokenizer, self.max_new_tokens, self.batch = model, tokenizer, max_new_tokens, batch

    def act(self, histories: Sequence[History]) -> list[Completion]:
        starts = range(0, len(histories), self.batch)
        return [answer for start in starts for answer in self._answer(histories[start : start + self.batch])]

    def forget(self, episode: int) -> None:
        pass

    @torch.inference_mode()
    def _answer(self, histories: Sequence[History]) -> list[Completion]:
        end = self.tokenizer.eos_token_id
        prompts = [prompt_ids(history.steps, history.observation, self.tokenizer) for history in histories]
        longest = max(map(len, prompts))
        output = self.model.generate(
            torch.tensor([[end] * (longest - len(prompt)) + list(prompt) for prompt in prompts]),
            attention_mask=torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]),
            do_sample=False,
            max_new_tokens=self.max_new_tokens,
            pad_token_id=end,
        )
        return [self._completion(ids) for ids in output[:, longest:].tolist()]

    def _completion(self, ids: list[int]) -> Completion:
        end = self.tokenizer.eos_token_id
        kept = ids[: ids.index(end) + 1] if end in ids else ids
        return Completion(self.tokenizer.decode([token for token in kept if token != end]), tuple(kept))


def make_tokenizer(vocab_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE learnt from the expert's games, as a run would make it."""
    tasks = ToyTasks()
    specs = [EpisodeSpec(info.task_id, info.task_type, 0) for info in tasks.tasks("train")]
    trajectories = rollout(ToyExpert(), tasks, specs, RolloutSettings(workers=0))
    texts = [text for t in trajectories for step in t.steps for text in (step.observation, step.completion)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")


def make_model(hidden: int, layers: int, kv_heads: int | None, vocab_size: int) -> PreTrainedModel:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 32,
        num_key_value_heads=kv_heads or hidden // 32,
        max_position_embeddings=4096,
        bos_token_id=None,
        eos_token_id=0,
    )
    return LlamaForCausalLM(config).eval()


def play(agent: Agent, episodes: int, turns: int) -> tuple[list[Trajectory], float]:
    """Episodes of exactly ``turns`` turns (unless a random model wins), and the seconds that they took."""
    tasks = ToyTasks(train=episodes)
    specs = [EpisodeSpec(info.task_id, info.task_type, 0) for info in tasks.tasks("train")]
    settings = RolloutSettings(
        budget=turns, max_turns=turns, max_parse_failures=turns + 1, concurrency=episodes, workers=0
    )
    began = time.perf_counter()
    trajectories = list(rollout(agent, tasks, specs, settings))
    return trajectories, time.perf_counter() - began


def said(trajectories: list[Trajectory]) -> dict[str, list[tuple[int, ...] | None]]:
    return {trajectory.id: [step.token_ids for step in trajectory.steps] for trajectory in trajectories}


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=128, help="hidden size; heads are 32 wide")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--kv-heads", type=int, help="default: as many as heads")
    parser.add_argument("--episodes", type=int, default=32, help="in lock-step")
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=32, help="of a completion")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tokenizer = make_tokenizer(512)
    model = make_model(arguments.hidden, arguments.layers, arguments.kv_heads, len(tokenizer))

    agents = {
        "spanwise, cache kept over turns": lambda: HuggingFaceAgent(
            model, tokenizer, "cached", max_new_tokens=arguments.tokens
        ),
        "generate, batched": lambda: GenerateAgent(model, tokenizer, arguments.tokens, arguments.episodes),
        "generate, one by one": lambda: GenerateAgent(model, tokenizer, arguments.tokens, batch=1),
    }
    seconds: dict[str, list[float]] = {name: [] for name in agents}
    words: dict[str, dict] = {}
    tokens = 0
    for _ in range(arguments.repeats):
        for name, make in agents.items():  # in turn, so that a busy moment of the machine hits all
            trajectories, elapsed = play(make(), arguments.episodes, arguments.turns)
            seconds[name].append(elapsed)
            words[name] = said(trajectories)
            tokens = sum(trajectory.metadata["tokens"] for trajectory in trajectories)

    reference = words["generate, one by one"]
    parameters = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    print(
        f"{datetime.date.today()} · {processor()}, {arguments.threads} threads of {os.cpu_count()} cores · "
        f"torch {torch.__version__}, transformers {transformers.__version__}\n"
        f"Llama, {parameters:.1f}M parameters, fp32 · {arguments.episodes} episodes x {arguments.turns} turns x "
        f"{arguments.tokens} tokens, greedy · {arguments.repeats} repeats\n"
    )
    print("| agent | seconds (median) | range | tokens/s | speed | same tokens |")
    print("|---|---:|---:|---:|---:|---|")
    slowest = statistics.median(seconds["generate, one by one"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(
            f"| {name} | {median:.2f} | {min(values):.2f} to {max(values):.2f} | {tokens / median:,.0f} "
            f"| {slowest / median:.1f}x | {'yes' if words[name] == reference else 'NO'} |"
        )
    return 0 if all(word == reference for word in words.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
