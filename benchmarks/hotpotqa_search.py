"""Searching an encyclopedia of any size: time, memory and disk to build its index; time and memory to search.

    python benchmarks/hotpotqa_search.py [--titles 6000000] [--queries 2000] [--folder DIR]

Titles are made up: one to six words, drawn so that the most frequent one is in as many titles as "of" is in
Wikipedia's, and that there are millions of words; a third has a qualifier in parentheses. Building is without the
making of the pages, which is measured on its own. Searching is in a process of its own that opens what was built; a
search is what an episode does, its observation included. Times are those of the CPU, so that what else runs on the
machine counts less. Memory: resident, files that are mapped included.
What is written goes to a temporary folder in DIR (default: the system's) and is deleted.
"""

from __future__ import annotations

import argparse
import datetime
import multiprocessing
import platform
import random
import resource
import statistics
import string
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spanwise.environments.hotpotqa.environment import Reader
from spanwise.environments.hotpotqa.kept import open_encyclopedia
from spanwise.environments.hotpotqa.records import Page

BATCH = 100_000
#: Of the power law of words; see the module.
EXPONENT, OFFSET, VOCABULARY = 1.05, 5, 5_000_000
ONSETS = ["", "b", "br", "c", "ch", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "sh", "st", "t", "v", "w"]
CODAS = ["", "", "l", "n", "nd", "r", "s", "t"]
SYLLABLES = [onset + vowel + coda for coda in CODAS for vowel in "aeiou" for onset in ONSETS]
KINDS = ["film", "album", "song", "novel", "band", "politician", "footballer", "village", "ship", "disambiguation"]


def word(number: int) -> str:
    """A word for each number, short for small ones."""
    found = ""
    number += len(SYLLABLES) // 8
    while number:
        number, rest = divmod(number, len(SYLLABLES))
        found += SYLLABLES[rest]
    return found


def titles(count: int, seed: int = 0) -> Iterator[str]:
    """Titles, the same for the same number."""
    draw = np.random.default_rng(seed)
    share = np.cumsum((np.arange(1, VOCABULARY + 1) + OFFSET) ** -EXPONENT)
    for first in range(0, count, BATCH):
        lengths = draw.choice([1, 2, 3, 4, 5, 6], min(BATCH, count - first), p=[0.12, 0.42, 0.22, 0.13, 0.07, 0.04])
        numbers = np.searchsorted(share, draw.random(lengths.sum()) * share[-1])
        distinct, place = np.unique(numbers, return_inverse=True)
        named = np.array([word(int(number)).capitalize() for number in distinct], object)[place]
        kinds, years = draw.integers(0, 3 * len(KINDS), len(lengths)), draw.integers(1900, 2020, len(lengths))
        for end, length, kind, year in zip(np.cumsum(lengths), lengths, kinds, years, strict=True):
            title = " ".join(named[end - length : end])
            if kind < len(KINDS):
                title += f" ({year} {KINDS[kind]})" if year % 3 == 0 else f" ({KINDS[kind]})"
            yield title


def pages(count: int) -> Iterator[Page]:
    """Pages of two sentences."""
    for title in titles(count):
        yield Page(title, (f"{title} is an entry that was made up for a measurement.", f" Nobody has seen {title}."))


def mistyped(title: str, draw: random.Random) -> str:
    """The title with one letter wrong, missing, too many, or in its neighbour's place."""
    place = draw.randrange(len(title))
    letter = draw.choice(string.ascii_lowercase)
    head, tail = title[:place], title[place:]
    swapped = tail[1:2] + tail[:1] + tail[2:]
    return head + draw.choice([letter + tail[1:], tail[1:], letter + tail, swapped])


def queries(count: int, number: int) -> dict[str, list[tuple[str, str | None]]]:
    """Names to search for by kind, and the title that each is of."""
    draw = random.Random(1)
    chosen = set(draw.sample(range(count), min(number, count)))
    some = [title for place, title in enumerate(titles(count)) if place in chosen]
    frequent = [word(one) for one in range(40)]

    def strange(low: int, high: int) -> str:
        made = [word(VOCABULARY + draw.randrange(VOCABULARY)) for _ in range(draw.randint(low, high))]
        return " ".join(made)

    mixed = [f"{draw.choice(frequent)} {strange(1, 2)} {' '.join(draw.sample(frequent, 2))}" for _ in some]
    return {
        "hit: the title": [(title, title) for title in some],
        "hit: other case": [(title.swapcase(), title) for title in some],
        "miss: a typo": [(mistyped(title, draw), title) for title in some],
        "miss: a word too many": [(f"{title} {draw.choice(frequent)}", title) for title in some],
        "miss: unknown words": [(strange(1, 4), None) for _ in some],
        "miss: frequent words alone": [(" ".join(draw.choices(frequent, k=3)), None) for _ in some],
        "miss: both": [(one, None) for one in mixed],
        "miss: ten words": [(" ".join(title.split()[0] for title in draw.sample(some, 10)), None) for _ in some],
    }


def memory() -> tuple[float, float]:
    """Resident memory now, and that of it that is of no file, in MB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0]) / 1e3, int(status["RssAnon"].split()[0]) / 1e3


def build(folder: Path, count: int) -> None:
    began = time.process_time()
    for _ in pages(count):
        pass
    making = time.process_time() - began
    began = time.process_time()
    _, facts = open_encyclopedia((folder / "marker",), lambda: pages(count), folder / "index")
    built = time.process_time() - began - making
    disk = {path.name: path.stat().st_size / 1e6 for path in (folder / "index" / str(facts["corpus"])).iterdir()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    sizes = ", ".join(f"{name} {size:,.0f} MB" for name, size in sorted(disk.items()))
    print(f"built in {built:,.0f} s (pages made in {making:,.0f} s), peak {peak:,.0f} MB; {sizes}", flush=True)


def search(folder: Path, asked: dict[str, list[tuple[str, str | None]]]) -> None:
    before = memory()
    began = time.perf_counter()
    encyclopedia, _ = open_encyclopedia((folder / "marker",), lambda: (), folder / "index")
    opened = 1e3 * (time.perf_counter() - began)
    after = memory()
    index = encyclopedia.index
    most = index.postings.length(int(np.argmax(np.diff(index.postings.ends)))) / len(index)
    print(
        f"opened in {opened:.1f} ms, {after[0] - before[0]:+.0f} MB; {len(index.vocabulary):,} words, the most "
        f"frequent in {most:.1%} of the titles, {len(index.postings.items):,} postings, "
        f"{len(index.lacking[0]):,} spellings\n"
    )
    print("| search | n | mean, ms | median | 95% | slowest | found |")
    print("|---|---|---|---|---|---|---|")
    everything = []
    for kind, names in asked.items():
        times, found = [], 0
        for name, title in names:
            reader = Reader(encyclopedia)
            began = time.process_time_ns()
            observation = reader.search(name)
            times.append((time.process_time_ns() - began) / 1e6)
            _, missed, shown = observation.partition("Similar: ")
            found += title is not None and (repr(title) in shown if missed else title in observation)
        ordered = sorted(times)
        everything += times
        right = f"{found / len(names):.1%}" if names[0][1] else ""
        print(
            f"| {kind} | {len(times)} | {statistics.mean(times):.2f} | {statistics.median(times):.2f} | "
            f"{ordered[int(0.95 * len(times))]:.2f} | {ordered[-1]:.2f} | {right} |",
            flush=True,
        )
    now = memory()
    print(
        f"\nall: mean {statistics.mean(everything):.2f} ms, median {statistics.median(everything):.2f}; memory "
        f"{now[0] - before[0]:+,.0f} MB, of which {now[1] - before[1]:,.0f} MB are not of mapped files"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--titles", type=int, default=6_000_000)
    parser.add_argument("--queries", type=int, default=2_000, help="of each kind")
    parser.add_argument("--folder", type=Path, help="where the temporary folder goes")
    chosen = parser.parse_args()
    machine = f"Python {platform.python_version()}, {platform.machine()}, one core"
    print(f"{chosen.titles:,} titles; {datetime.date.today()}, {machine}", flush=True)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as temporary:
        folder = Path(temporary)
        (folder / "marker").write_text(f"{chosen.titles} titles", encoding="utf-8")
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(1) as pool:
            pool.apply(build, (folder, chosen.titles))
        asked = queries(chosen.titles, chosen.queries)
        with spawn.Pool(1) as pool:
            pool.apply(search, (folder, asked))


if __name__ == "__main__":
    main()
