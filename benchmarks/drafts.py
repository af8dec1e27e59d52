"""What guessing ahead saves an agent that plays: passes, tokens fed and time, against one token a pass.

    python benchmarks/drafts.py RECIPE MODEL [key=value ...] [--split valid_seen --limit 140 --drafted 0 8]

The model plays the same games of the recipe's environment each time, and must write the same words; where rounding has
decided otherwise, the number of such turns is printed. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from spanwise.agents.huggingface import HuggingFaceAgent
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.data.render import make_rendering
from spanwise.devices import on_best_device
from spanwise.environments import make_task_set
from spanwise.evaluation.rollouts import choose_tasks
from spanwise.recipes import load_recipe
from spanwise.training.models import load_model, load_tokenizer


class CountingAgent(HuggingFaceAgent):
    """Counts what it feeds to its model."""

    passes = fed = 0

    def _feed(self, turns):
        self.passes += 1
        longest = max(turn.session.unread + len(turn.draft) for turn in turns)
        self.fed += longest * len(turns)
        return super()._feed(turns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--split", default="valid_seen")
    parser.add_argument("--limit", type=int, default=140)
    parser.add_argument("--drafted", type=int, nargs="+", default=[0, 4, 8])
    parser.add_argument("--repeats", type=int, default=1)
    chosen = parser.parse_args()

    recipe = load_recipe(chosen.recipe, chosen.overrides)
    tasks = make_task_set(recipe.environment)
    specs = [
        EpisodeSpec(one.task_id, one.task_type, 0) for one in choose_tasks(tasks.tasks(chosen.split), chosen.limit)
    ]
    settings = RolloutSettings.of(recipe.environment, len(specs), recipe.evaluate.constrained)
    model, tokenizer = on_best_device(load_model(chosen.model)).eval(), load_tokenizer(chosen.model)
    rendering = make_rendering(recipe.environment.rendering, tokenizer)

    seconds: dict[int, list[float]] = {drafted: [] for drafted in chosen.drafted}
    counts: dict[int, tuple[int, int, int]] = {}
    said: dict[int, dict[tuple[str, int], str]] = {}
    for _ in range(chosen.repeats):
        for drafted in chosen.drafted:
            agent = CountingAgent(
                model,
                tokenizer,
                "m",
                max_new_tokens=recipe.evaluate.max_new_tokens,
                rendering=rendering,
                drafted=drafted,
            )
            start = time.perf_counter()
            played = list(rollout(agent, tasks, specs, settings))
            seconds[drafted].append(time.perf_counter() - start)
            said[drafted] = {(one.id, at): step.completion for one in played for at, step in enumerate(one.steps)}
            written = sum(len(step.token_ids or ()) for one in played for step in one.steps)
            counts[drafted] = agent.passes, agent.fed, written

    first = chosen.drafted[0]
    print("| guessed | passes | fed, padding included / written | s, median (min-max) | speed | turns that differ |")
    print("| --: | --: | --: | --: | --: | --: |")
    for drafted in chosen.drafted:
        passes, fed, written = counts[drafted]
        middle = statistics.median(seconds[drafted])
        differing = sum(said[first].get(turn) != words for turn, words in said[drafted].items())
        print(
            f"| {drafted} | {passes:,} | {fed / written:.2f} | {middle:.1f} ({min(seconds[drafted]):.1f}"
            f"-{max(seconds[drafted]):.1f}) | {statistics.median(seconds[first]) / middle:.2f}x | {differing} of "
            f"{len(said[drafted])} |"
        )


if __name__ == "__main__":
    main()
