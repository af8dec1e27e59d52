"""The search engine of WebShop at any size: time and memory to build, size on disk, time to load and to search.

    python benchmarks/webshop_search.py [--products 1180000] [--queries 200] [--folder DIR]

Product texts are made up: as long as real ones on average (134 words), with words drawn so that frequencies and the
number of distinct words grow as in text (a power law over an open vocabulary). A query is 12 words of a product. Build
time is without the making of the texts, which is measured on its own. Peak: resident memory of the whole process.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spanwise.environments.webshop.search import FILE, Index, build_index

MIB = 2**20
WORDS, BATCH = 134, 5_000
#: Of the power law; they give the most frequent words and the number of words of 1,000 real products, about.
EXPONENT, OFFSET, VOCABULARY = 1.4, 15, 3_000_000


def texts(products: int, seed: int = 0) -> Iterator[str]:
    """Product texts, the same for the same number."""
    draw = np.random.default_rng(seed)
    share = np.cumsum((np.arange(1, VOCABULARY + 1) + OFFSET) ** -EXPONENT)
    letters = np.array(list("etaoinsrhdlucmfywgpbvkxqjz"))
    for first in range(0, products, BATCH):
        lengths = np.maximum(draw.lognormal(np.log(WORDS) - 0.18, 0.6, min(BATCH, products - first)).astype(int), 5)
        numbers = np.searchsorted(share, draw.random(lengths.sum()) * share[-1])
        distinct, place = np.unique(numbers, return_inverse=True)
        named = np.array([word(int(number), letters) for number in distinct], object)[place]
        for end, length in zip(np.cumsum(lengths), lengths, strict=True):
            yield " ".join(named[end - length : end])


def word(number: int, letters: np.ndarray) -> str:
    """A word of its own for each number, short for small ones."""
    found = ""
    number += 26
    while number:
        number, rest = divmod(number, 26)
        found += letters[rest]
    return found


def peak() -> float:
    """The largest resident memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where to leave the index; default: nowhere")
    chosen = parser.parse_args()

    start, queries, step = time.perf_counter(), [], max(chosen.products // chosen.queries, 1)
    for number, text in enumerate(texts(chosen.products)):
        if number % step == 0:
            found = text.split()
            queries.append(" ".join(found[:: max(len(found) // 12, 1)][:12]))
    making, before = time.perf_counter() - start, peak()
    print(f"{chosen.products} products; texts made in {making:.1f} s, peak {before:.0f} MiB", flush=True)

    start = time.perf_counter()
    index = build_index(texts(chosen.products))
    building = time.perf_counter() - start - making
    print(
        f"built in {building:.1f} s, peak {peak():.0f} MiB; {len(index.ends) - 1} terms, "
        f"{len(index.documents)} postings, {len(index.frequencies)} pairs",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        start = time.perf_counter()
        index.save(folder)
        saved = time.perf_counter() - start
        print(f"saved in {saved:.1f} s, {(folder / FILE).stat().st_size / MIB:.0f} MiB", flush=True)
        expected = [index.search(query) for query in queries]
        del index
        start = time.perf_counter()
        index = Index.load(folder)
        print(f"loaded and checked in {time.perf_counter() - start:.2f} s")
        times = []
        for query, wanted in zip(queries, expected, strict=True):
            start = time.perf_counter()
            found = index.search(query)
            times.append(1e3 * (time.perf_counter() - start))
            assert found == wanted, query
        ordered = sorted(times)
        print(
            f"{len(times)} searches: mean {statistics.mean(times):.2f} ms, median {statistics.median(times):.2f}, "
            f"95% {ordered[int(0.95 * len(ordered))]:.2f}, slowest {ordered[-1]:.2f}"
        )


if __name__ == "__main__":
    main()
