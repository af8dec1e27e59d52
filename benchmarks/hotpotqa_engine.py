"""Speed and memory of the HotPotQA environment, searches included, on one core.

    python benchmarks/hotpotqa_engine.py [--episodes 300 --seconds 3]

Plays the questions of HOTPOTQA_DATA, or of a generated world where it is not set: the pages that a question's answer
follows from, a look-up on each; in every second episode a title is mistyped first, so that a search fails. Measured in
CPU seconds. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import random
import resource
import statistics
import time

from spanwise.config import EnvironmentConfig
from spanwise.environments.hotpotqa.records import Question
from spanwise.environments.hotpotqa.tasks import HotpotqaTasks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    source = "released" if os.environ.get("HOTPOTQA_DATA") else "generated"
    tasks = HotpotqaTasks(EnvironmentConfig(name="hotpotqa", source=source))
    began = time.process_time()
    facts = tasks.facts()
    opened = time.process_time() - began
    draw = random.Random(0)
    questions = [question for split in tasks.questions.values() for question in split]
    played = draw.sample(questions, min(options.episodes, len(questions)))
    walks = [(question.id, walk(question, number % 2 == 1, draw)) for number, question in enumerate(played)]
    speeds, missed = [], 0
    ends = time.process_time() + options.seconds
    while time.process_time() < ends or len(speeds) < 3:
        began, steps, missed = time.process_time(), 0, 0
        for task_id, actions in walks:
            environment = tasks.make(task_id, 0)
            environment.reset()
            for action in actions:
                missed += environment.step(action).observation.startswith("Could not find")
            steps += len(actions)
        speeds.append(steps / (time.process_time() - began))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    machine = f"Python {platform.python_version()}, {platform.machine()}, one core"
    print(f"{source}, {facts['pages']:,} pages; {len(walks)} episodes; {datetime.date.today()}, {machine}\n")
    print("| steps an episode | searches that fail | steps/s, median (least-most) | opening, s | memory, MB |")
    print("|---|---|---|---|---|")
    steps = sum(len(actions) for _, actions in walks)
    print(
        f"| {steps / len(walks):.1f} | {missed / steps:.1%} of steps | "
        f"{statistics.median(speeds):,.0f} ({min(speeds):,.0f}-{max(speeds):,.0f}) | {opened:.2f} | {memory:.0f} |"
    )


def walk(question: Question, errs: bool, draw: random.Random) -> list[str]:
    """The actions of an episode."""
    actions = []
    for title in dict.fromkeys(title for title, _ in question.supporting_facts):
        if errs:
            place = draw.randrange(len(title))
            actions.append(f"search[{title[:place]}q{title[place + 1 :]}]")
        word = draw.choice(title.split())
        actions += [f"search[{title}]", f"lookup[{word}]", "think[So that is how it follows.]"]
    return [*actions, f"finish[{question.answer}]"]


if __name__ == "__main__":
    main()
