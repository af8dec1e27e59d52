"""How fast logs of each sort are imported, and how much memory that takes, beside reading and writing them as JSON.

    python benchmarks/import_traces.py [--megabytes 50]

Each sort of log is written to a temporary file of the given size, in records of 20 steps, and imported in a process of
its own. The peer does what cannot be left out: it parses each line of JSON and writes it again.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = 20
WORDS = ("the", "a", "of", "key", "box", "lamp", "desk", "drawer", "shelf", "look", "take", "open", "find", "then")


def sentence(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(WORDS, k=words))


def turns(draw: random.Random) -> list[tuple[str, str, str]]:
    return [
        (sentence(draw, 20), f"go to {draw.choice(WORDS)} {draw.randrange(9)}", sentence(draw, 15))
        for _ in range(STEPS)
    ]


def react(draw: random.Random) -> dict:
    steps = "".join(
        f"Thought {n}: {t}\nAction {n}: {a}\nObservation {n}: {o}\n" for n, (t, a, o) in enumerate(turns(draw), 1)
    )
    return {"traj": f"Question: {sentence(draw, 10)}\n{steps}", "success": True}


def game(draw: random.Random) -> dict:
    steps = "".join(f"> think: {t}\n> {a}\n{o}\n" for t, a, o in turns(draw))
    return {"traj": f"You are in the middle of a room.\nYour task is to: {sentence(draw, 5)}\n{steps}"}


def sharegpt(draw: random.Random) -> dict:
    said = [{"from": "human", "value": sentence(draw, 30)}]
    for t, a, o in turns(draw):
        said += [
            {"from": "gpt", "value": f"Thought: {t}\nAction: {a}"},
            {"from": "human", "value": f"Observation: {o}"},
        ]
    return {"conversations": said}


def tool_calls(draw: random.Random) -> dict:
    said: list[dict] = [{"role": "user", "content": sentence(draw, 30)}]
    for t, a, o in turns(draw):
        call = {"id": "c", "type": "function", "function": {"name": "act", "arguments": json.dumps({"command": a})}}
        said += [{"role": "assistant", "content": t, "tool_calls": [call]}, {"role": "tool", "content": o}]
    return {"messages": said}


def tags(draw: random.Random) -> dict:
    steps = "".join(
        f"<think>{t}</think><search>{a}</search><information>{o}</information>\n" for t, a, o in turns(draw)
    )
    return {"question": sentence(draw, 10), "response": steps}


SORTS = {"react": react, "text game": game, "sharegpt": sharegpt, "tool calls": tool_calls, "tags": tags}
PEER = """
import json, sys
with open(sys.argv[1]) as log, open(sys.argv[2], "w") as out:
    for line in log:
        out.write(json.dumps(json.loads(line)) + "\\n")
"""


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(f"{'sort':12}{'MB/s':>8}{'steps/s':>10}{'JSON again, MB/s':>18}{'share of JSON':>15}")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in SORTS.items():
            log, out = Path(folder) / "log.jsonl", Path(folder) / "out.jsonl"
            draw, size, records = random.Random(0), 0, 0
            with log.open("w") as file:
                while size < options.megabytes * 1e6:
                    size += file.write(json.dumps(make(draw)) + "\n")
                    records += 1
            verb = [sys.executable, "-m", "spanwise", "import", str(log), "--out", str(out), "--json", "-"]
            ours, peer = [], []
            for _ in range(options.repeats):
                ours.append(seconds(verb))
                peer.append(seconds([sys.executable, "-c", PEER, str(log), str(out)]))
            mine, theirs = statistics.median(ours), statistics.median(peer)
            print(
                f"{name:12}{size / 1e6 / mine:8.1f}{records * STEPS / mine:10,.0f}{size / 1e6 / theirs:18.1f}"
                f"{theirs / mine:15.2f}"
            )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"most memory of any of these processes: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
