"""Are generated games like the released ones, and what do they cost?

    python benchmarks/generated_games.py [--released FOLDER] [--size full|small] [--games N] [--verify N]

prints Markdown: means (and quartiles) over N generated train games and, where FOLDER (default: ALFWORLD_DATA) holds
json_2.1.1/train, over all of its games; then milliseconds per game, made only and made and won. One process.
"""

import argparse
import json
import os
import platform
import re
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from spanwise.config import GeneratorConfig
from spanwise.environments.alfworld.generate import GeneratedGames

ROOMS = {0: "kitchen", 2: "livingroom", 3: "bedroom", 4: "bathroom"}
Measures = dict[str, dict[str, list[float]]]


def released(folder: Path) -> Iterator[tuple[str, dict]]:
    """Room and game of every released train game (ALFWorld's filter: solvable, nothing sliced or movable)."""
    for path in sorted((folder / "json_2.1.1/train").glob("*/*/game.tw-pddl")):
        game = json.loads(path.read_text())
        if game.get("solvable") and "movable" not in str(path) and "Sliced" not in str(path):
            game["traj_data"] = json.loads(path.with_name("traj_data.json").read_text())
            number = int(re.sub(r"\D", "", game["traj_data"]["scene"]["floor_plan"]))
            yield ROOMS[number // 100], game


def generated(games: GeneratedGames) -> Iterator[tuple[str, dict]]:
    """Room and game of every generated train game."""
    for task in games.tasks("train"):
        game = games.game(task.task_id, verify=False)
        yield game["traj_data"]["scene"]["floor_plan"].split("_")[0], game


def measure(games: Iterable[tuple[str, dict]]) -> Measures:
    """Measure -> room or task type -> a number per game."""
    found: Measures = defaultdict(lambda: defaultdict(list))
    for room, game in games:
        init = game["pddl_problem"].split("(:init")[1].split("(:goal")[0]
        facts = defaultdict(dict)
        for fact in re.findall(r"\((\w+) ([^()]+)\)", init):
            first, *rest = fact[1].split()
            facts[fact[0]][first] = rest
        inside = {item: place for item, (place,) in facts["inReceptacle"].items()}
        count, places = Counter(inside.values()), facts["receptacleType"]
        found["receptacles"][room].append(len(places))
        found["objects in receptacles"][room].append(len(inside))
        found["object types"][room].append(len({facts["objectType"][item][0] for item in inside}))
        found["objects in the fullest receptacle"][room].append(max(count.values()))
        found["empty receptacles, %"][room].append(100 * sum(place not in count for place in places) / len(places))
        found["receptacles that open, %"][room].append(100 * len(facts["openable"]) / len(places))
        found["objects behind a door, %"][room].append(
            100 * sum(place in facts["openable"] for place in inside.values()) / len(inside)
        )
        task = game["traj_data"]
        targets = [i for i in inside if facts["objectType"][i] == [f"{task['pddl_params']['object_target']}Type"]]
        found["instances of the goal's object"][task["task_type"]].append(len(targets))
        found["games"][task["task_type"]].append(1)
    return found


def cell(numbers: list[float]) -> str:
    """Mean (quartiles)."""
    if len(numbers) < 2:
        return "-"
    low, _, high = statistics.quantiles(numbers, n=4)
    return f"{statistics.mean(numbers):.1f} ({low:.0f}-{high:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--released", type=Path, default=os.environ.get("ALFWORLD_DATA"))
    parser.add_argument("--size", choices=("small", "full"), default="full")
    parser.add_argument("--games", type=int, default=2000)
    parser.add_argument("--verify", type=int, default=100)
    options = parser.parse_args()
    games = GeneratedGames(GeneratorConfig(size=options.size, train=options.games))
    ours = measure(generated(games))
    theirs = measure(released(options.released) if options.released else ())
    print(f"| measure | of | released | generated, {options.size} |\n|---|---|---|---|")
    for name, groups in ours.items():
        for group, numbers in sorted(groups.items()):
            if name == "games":
                shares = [
                    len(kind[name].get(group, ())) / max(1, sum(map(len, kind[name].values())))
                    for kind in (theirs, ours)
                ]
                print(f"| share of games | {group} | {100 * shares[0]:.1f}% | {100 * shares[1]:.1f}% |")
            else:
                print(f"| {name} | {group} | {cell(theirs.get(name, {}).get(group, []))} | {cell(numbers)} |")
    verified = games.tasks("train")[: options.verify]
    games.game(verified[0].task_id)  # imports the engine
    print(f"\nMilliseconds of CPU a game, {len(verified)} games, {platform.processor() or platform.machine()}:")
    for verify in (False, True):
        start = time.process_time()
        for task in verified:
            games.game(task.task_id, verify=verify)
        print(f"- {'made and won' if verify else 'made'}: {1000 * (time.process_time() - start) / len(verified):.1f}")


if __name__ == "__main__":
    main()
