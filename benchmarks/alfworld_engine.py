"""Speed and memory of the ALFWorld engine: the stock one (textworld, alfworld) against spanwise's.

    python benchmarks/alfworld_engine.py [--games 20 --steps 40 --many 300 --stock-many 40 --side-by-side 32]

Plays released games, from the split valid_seen of ALFWORLD_DATA, or generated ones where it is not set. Every engine
plays the same games, by the same random choices among the commands on offer, and must end where the others do: if they
do not, the exit code is 1. Each row is measured in a process of its own, in CPU seconds. Prints a Markdown table:
medians over the games, with their quartiles.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import multiprocessing
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from spanwise.config import EnvironmentConfig, GeneratorConfig
from spanwise.environments.alfworld.generate import GeneratedGames
from spanwise.environments.alfworld.tasks import AlfworldTasks

Game = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """One row: CPU seconds per game, steps per CPU second, and memory in MB before and after many games."""

    name: str
    loads: list[float]
    resets: list[float]
    speeds: list[float]
    texts: str
    games: int
    memory: tuple[float, float]
    left_files: int


class Player(Protocol):
    """A game being played: its first text, and (text, commands on offer) after each command."""

    def reset(self) -> tuple[str, list[str]]: ...
    def step(self, command: str) -> tuple[str, list[str]]: ...
    def close(self) -> None: ...


class Stock:
    def __init__(self, game: Game):
        import textworld
        from alfworld.agents.environment.alfred_tw_env import AlfredDemangler
        from textworld.envs.pddl import PddlEnv

        infos = textworld.EnvInfos(won=True, admissible_commands=True)
        self._engine = AlfredDemangler(PddlEnv(infos), shuffle=False)
        self._engine.load(game)

    def reset(self) -> tuple[str, list[str]]:
        state = self._engine.reset()
        return state.feedback, state.admissible_commands

    def step(self, command: str) -> tuple[str, list[str]]:
        state, _, _ = self._engine.step(command)
        return state.feedback, state.admissible_commands

    def close(self) -> None:
        self._engine.close()


class Ours:
    def __init__(self, game: Game):
        from spanwise.environments.alfworld.engine import load_engine

        self._engine = load_engine(game)

    def reset(self) -> tuple[str, list[str]]:
        return self._engine.reset(), self._engine.admissible_commands()

    def step(self, command: str) -> tuple[str, list[str]]:
        return self._engine.step(command).observation, self._engine.admissible_commands()

    def close(self) -> None:
        self._engine.close()


def clock(action: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = action()
    return time.process_time() - start, result


def memory() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def measure(name: str, make: Callable[[Game], Player], games: Sequence[Game], steps: int, many: int) -> Measured:
    """Each game alone; then many games one after the other, to see what they leave behind."""
    make(games[0]).reset()  # imports, the library, the grammar: once a process
    loads, resets, speeds, texts = [], [], [], hashlib.sha256()
    for number, game in enumerate(games[1:]):
        rng = random.Random(number)
        load, player = clock(partial(make, game))
        reset, (text, offered) = clock(player.reset)
        texts.update(text.encode())
        spent = 0.0
        for _ in range(steps):
            command = rng.choice(offered)
            used, (text, offered) = clock(partial(player.step, command))
            spent += used
            texts.update("\n".join([text, *offered]).encode())
        player.close()
        loads.append(load)
        resets.append(reset)
        speeds.append(steps / spent)
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        before = memory()
        for number in range(many):
            game = games[number % len(games)]
            # Another object id makes it another game: nothing of an earlier one can be used again.
            player = make(
                {**game, "pddl_problem": game["pddl_problem"].replace("_bar_", f"_bar_n{number}_", 1_000_000)}
            )
            player.step(player.reset()[1][0])
            player.close()
        tempfile.tempdir = None
        left = len(list(Path(folder).iterdir()))
        return Measured(name, loads, resets, speeds, texts.hexdigest(), many, (before, memory()), left)


def side_by_side(games: Sequence[Game], steps: int, count: int) -> float:
    """Steps per CPU second of many games played in turn, a command each: what a rollout does."""
    players = [Ours(games[number % len(games)]) for number in range(count)]
    offered = [player.reset()[1] for player in players]
    rng = random.Random(0)
    start = time.process_time()
    for _ in range(steps):
        for number, player in enumerate(players):
            offered[number] = player.step(rng.choice(offered[number]))[1]
    return steps * count / (time.process_time() - start)


def choose_games(count: int) -> tuple[str, list[Game]]:
    data = os.environ.get("ALFWORLD_DATA")
    if data:
        tasks = AlfworldTasks(EnvironmentConfig(source="released"))
        ids = [task.task_id for task in tasks.tasks("valid_seen")]
        chosen = random.Random(0).sample(ids, min(count, len(ids)))
        paths = [Path(data) / "json_2.1.1" / task_id / "game.tw-pddl" for task_id in chosen]
        return "released, valid_seen", [json.loads(path.read_text()) for path in paths]
    made = GeneratedGames(GeneratorConfig(train=count))
    return "generated, full size", [made.game(task.task_id, verify=False) for task in made.tasks("train")]


def spread(values: Sequence[float], digits: int) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=20, help="games that are timed")
    parser.add_argument("--steps", type=int, default=40, help="random commands a game")
    parser.add_argument("--many", type=int, default=300, help="games in a row, for memory")
    parser.add_argument("--stock-many", type=int, default=40, help="the same of the stock engine, which is slow")
    parser.add_argument("--side-by-side", type=int, default=32, help="games played in turn")
    options = parser.parse_args()
    kind, games = choose_games(options.games + 1)
    apart = multiprocessing.get_context("spawn")
    rows = []
    again = ("spanwise, games kept", Ours, options.many)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache  # nothing is kept from earlier runs
        for name, make, many in (("stock", Stock, options.stock_many), ("spanwise", Ours, options.many), again):
            with apart.Pool(1) as pool:
                rows.append(pool.apply(measure, (name, make, games, options.steps, many)))
        with apart.Pool(1) as pool:
            in_turn = pool.apply(side_by_side, (games, options.steps, options.side_by_side))

    print(
        f"{datetime.date.today()} · {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
    )
    print(f"textworld {version('textworld')}, alfworld {version('alfworld')} · {options.games} games ({kind}),")
    print(f"{options.steps} random commands each; median (quartiles)\n")
    print("| engine | steps/s | load, CPU s | reset, CPU s | load + reset | MB per 100 games | files left in /tmp |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        both = [load + reset for load, reset in zip(row.loads, row.resets, strict=True)]
        growth = (row.memory[1] - row.memory[0]) / row.games * 100
        print(
            f"| {row.name} | {spread(row.speeds, 0)} | {spread(row.loads, 3)} | {spread(row.resets, 4)} | "
            f"{spread(both, 3)} | {growth:+.1f} ({row.memory[0]:.0f} → {row.memory[1]:.0f} in {row.games}) | "
            f"{row.left_files} |"
        )
    print(f"| spanwise, {options.side_by_side} games in turn | {in_turn:.0f} | | | | | |")
    same = len({row.texts for row in rows}) == 1
    print(f"\nText and commands on offer: {'identical' if same else 'DIFFERENT'}.")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
