"""Speed and memory of the WebShop environment, searches included, on one core.

    python benchmarks/webshop_engine.py [--visits 300 --seconds 3]

Plays the catalogue of WEBSHOP_DATA, or a generated one where it is not set. The same random visits are played in each
way of writing pages: a search or two, products, their pages, choices, a purchase. Each row is measured in a process of
its own, in CPU seconds. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import datetime
import multiprocessing
import os
import platform
import random
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spanwise.config import EnvironmentConfig, WebshopConfig
from spanwise.environments.webshop.goals import Goal
from spanwise.environments.webshop.shop import BUY, PREVIOUS, SUB_PAGES, ItemPage, ResultsPage, Shop, Visit
from spanwise.environments.webshop.tasks import WebshopTasks

OBSERVATIONS = ("text", "text_rich", "react")


@dataclass(frozen=True)
class Measured:
    """One row: seconds to open the shop, steps per CPU second of each round, bytes of memory at most."""

    observation: str
    opened: float
    speeds: list[float]
    memory: int
    products: int
    source: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    rows = []
    for observation in OBSERVATIONS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measure, (observation, options.visits, options.seconds)))
    shop = f"{Path(rows[0].source).name}, {rows[0].products:,} products; {options.visits} visits"
    machine = f"Python {platform.python_version()}, {platform.machine()}, one core"
    print(f"{shop}; {datetime.date.today()}, {machine}\n")
    print("| observation | steps/s, median (least-most) | opening, s | memory, MB |")
    print("|---|---|---|---|")
    for row in rows:
        speeds = f"{statistics.median(row.speeds):,.0f} ({min(row.speeds):,.0f}-{max(row.speeds):,.0f})"
        print(f"| {row.observation} | {speeds} | {row.opened:.2f} | {row.memory / 1e6:.0f} |")


def measure(observation: str, visits: int, seconds: float) -> Measured:
    """Plays the visits again and again, until the time is up."""
    source = "released" if os.environ.get("WEBSHOP_DATA") else "generated"
    webshop = WebshopConfig(observation=observation)  # type: ignore[arg-type]
    tasks = WebshopTasks(EnvironmentConfig(name="webshop", source=source, webshop=webshop))
    began = time.process_time()
    shop = tasks.shop
    opened = time.process_time() - began
    draw = random.Random(0)
    numbers = [draw.randrange(len(shop.goals)) for _ in range(visits)]
    walks = [(f"goal-{number}", list(walk(shop, shop.goals[number], draw))) for number in numbers]
    speeds = []
    ends = time.process_time() + seconds
    while time.process_time() < ends or len(speeds) < 3:
        began, steps = time.process_time(), 0
        for task_id, actions in walks:
            environment = tasks.make(task_id, 0)
            environment.reset()
            for action in actions:
                if not environment.step(action).valid:
                    raise RuntimeError(f"{observation}, {task_id}: {action!r} was not carried out")
            steps += len(actions)
        speeds.append(steps / (time.process_time() - began))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(observation, opened, speeds, memory, len(shop.catalogue.products), shop.catalogue.source)


def walk(shop: Shop, goal: Goal, draw: random.Random) -> Iterator[str]:
    """The actions of one visit; all rules allow them, so each way of writing pages plays the same."""
    visit = Visit(shop, goal)

    def act(action: str) -> str:
        if not visit.act(action):
            raise RuntimeError(f"{action!r} cannot be done")
        return action

    words = goal.text.partition(", and price lower")[0].split()
    yield act(f"search[{' '.join(words)}]")
    for _ in range(draw.randint(1, 3)):
        assert isinstance(visit.page, ResultsPage)
        yield act(f"click[{draw.choice(visit.page.shown).asin}]")
        assert isinstance(visit.page, ItemPage)
        yield act(f"click[{draw.choice(SUB_PAGES)}]")
        yield act(f"click[{PREVIOUS}]")
        yield act(f"click[{PREVIOUS}]")
    yield act(f"click[{draw.choice(visit.page.shown).asin}]")  # type: ignore[union-attr]
    for values in visit.page.product.options.values():  # type: ignore[union-attr]
        yield act(f"click[{draw.choice(values)}]")
    yield act(f"click[{BUY}]")


if __name__ == "__main__":
    main()
