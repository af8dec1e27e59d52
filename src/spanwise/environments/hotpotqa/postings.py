"""Lists of numbers by row, in two arrays; and what is in most of some rows, found without reading the long ones."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Numbers read of the rarest rows; members of the other rows are only asked for.
READ = 20_000
#: Of what was read, as many are asked for in the other rows: the best so far.
ASKED = 2_000


@dataclass(frozen=True, slots=True)
class Postings:
    """Row ``r`` holds ``items[ends[r]:ends[r + 1]]``, in ascending order."""

    ends: np.ndarray
    items: np.ndarray

    def row(self, number: int) -> np.ndarray:
        """The numbers of a row."""
        return self.items[int(self.ends[number]) : int(self.ends[number + 1])]

    def length(self, number: int) -> int:
        """How many they are."""
        return int(self.ends[number + 1]) - int(self.ends[number])

    def best(self, weights: dict[int, float], count: int) -> tuple[np.ndarray, np.ndarray]:
        """The numbers that are in the heaviest rows, best first, and the sum of the weights of the rows each is in.

        The rarest rows are read until ``READ`` numbers were read; of a row that has more than is left, its beginning.
        What is in none of those is not found.

        Args:
            weights: Weight of each row that counts.
            count: How many to give at most.
        """
        rows = sorted(weights, key=lambda row: (self.length(row), row))
        parts, heavy, left = [], [], READ
        rest: list[int] = []
        for row in rows:
            if left <= 0:
                rest.append(row)
                continue
            if self.length(row) > left:
                rest.append(row)
                if parts:
                    left = 0
                    continue
            part = self.row(row)[:left]
            left -= len(part)
            parts.append(part)
            # What is read of a row that is asked again below counts there.
            heavy.append(0.0 if rest and rest[-1] == row else weights[row])
        if not parts:
            return np.empty(0, np.int32), np.empty(0)
        items = np.concatenate(parts)
        order = np.argsort(items)
        items, shares = items[order], np.repeat(heavy, [len(part) for part in parts])[order]
        starts = np.flatnonzero(np.concatenate(([True], items[1:] != items[:-1])))
        found, scores = items[starts], np.add.reduceat(shares, starts)
        if len(found) > ASKED and rest:
            # Equal ones by number: the first numbers are the shortest names.
            kept = np.sort(np.lexsort((found, -scores))[:ASKED])
            found, scores = found[kept], scores[kept]
        for row in rest:
            members = self.row(row)
            places = np.minimum(np.searchsorted(members, found), len(members) - 1)
            scores = scores + weights[row] * (members[places] == found)
        order = np.lexsort((found, -scores))[:count]
        return found[order], scores[order]


def group(rows: array[int], items: np.ndarray, count: int) -> Postings:
    """Postings of pairs of a row and a number, given in ascending order of the numbers.

    Args:
        rows: Row of each pair.
        items: Number of each pair.
        count: How many rows there are.
    """
    numbers = np.frombuffer(rows, np.int32) if len(rows) else np.empty(0, np.int32)
    ends = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(numbers, minlength=count), out=ends[1:])
    return Postings(ends, items[np.argsort(numbers, kind="stable")].astype(np.int32))


@dataclass(frozen=True, slots=True)
class Strings:
    """Many texts in two arrays: text ``n`` is ``letters[ends[n]:ends[n + 1]]`` in UTF-8."""

    ends: np.ndarray
    letters: np.ndarray

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, number: int) -> str:
        content = self.letters[int(self.ends[number]) : int(self.ends[number + 1])]
        return content.tobytes().decode("utf-8", "surrogatepass")


def pack(texts: Sequence[str]) -> Strings:
    """The texts, packed."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=ends[1:])
    return Strings(ends, np.frombuffer(b"".join(encoded), np.uint8))
