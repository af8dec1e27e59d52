"""Files of ragged arrays, found by key: written whole, memory-mapped, and checked whenever they are read.

A shard is a safetensors file: a table of rows (``keys``, ``checksums``, where the positions and the entries of each
begin), and arrays of which every row has a part. Shards have names of their own, so any number of processes may write
at once, and whatever stops one of them, what it had finished is there and valid.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from spanwise.errors import SignalError

SCHEMA_VERSION = 1

#: Positions of a shard, about, and seconds after which one is written however small: what a kill can cost.
SHARD_POSITIONS, SHARD_SECONDS = 2**18, 300.0

#: What each position, and each recorded token of it, has in a shard: log-masses and entropies in nats.
OF_POSITION = {"counts": np.dtype("u1"), "tail_log_mass": np.dtype("<f2"), "entropy": np.dtype("<f2")}
OF_ENTRY = ("ids", "log_probs")
_TABLE = ("keys", "checksums", "positions", "entries")
_TYPES = {
    **{name: (np.dtype("<i8"),) for name in _TABLE},
    "keys": (np.dtype("u1"),),
    **{name: (one,) for name, one in OF_POSITION.items()},
    "ids": (np.dtype("<u2"), np.dtype("<u4")),
    "log_probs": (np.dtype("<f2"),),
}

#: Unfinished files this old, in seconds, have no one who writes them.
_ABANDONED = 3600.0


class SignalStore:
    """The signals of a folder, memory-mapped: opening it reads the tables only."""

    def __init__(self, folder: Path) -> None:
        """Opens whatever shards are there.

        Raises:
            SignalError: A shard is damaged.
        """
        self.folder = folder
        self._shards: list[_Shard] = []
        self._place: dict[bytes, tuple[int, int]] = {}
        for path in sorted(folder.glob("*.safetensors")):
            shard = _Shard.open(path)
            for row, key in enumerate(shard.keys):
                self._place.setdefault(key, (len(self._shards), row))
            self._shards.append(shard)

    def __len__(self) -> int:
        return len(self._place)

    def __contains__(self, key: bytes) -> bool:
        return key in self._place

    def row(self, key: bytes) -> dict[str, np.ndarray]:
        """The arrays of one row, checked against their checksum: ``counts`` [N], ``ids`` [M] and the others.

        Raises:
            SignalError: There is no such row, or it is damaged.
        """
        if key not in self._place:
            raise SignalError(
                f"{self.folder}: holds no signals for the row {key.hex()} (but for {len(self)} others): trajectories, "
                "tokens or spans changed since they were cached; `spanwise cache` adds what is missing"
            )
        shard, row = self._place[key]
        return self._shards[shard].row(row)

    def summary(self) -> dict[str, float]:
        """``rows``, ``positions``, and per position ``bytes``, ``entries``, ``covered_mass``, ``entropy`` (nats)."""
        if not self._shards:
            return {"rows": 0, "positions": 0}
        tails, entropies = (
            np.concatenate([shard.arrays[name] for shard in self._shards]).astype(np.float64)
            for name in ("tail_log_mass", "entropy")
        )
        lengths = [np.diff(shard.arrays["positions"]) for shard in self._shards]
        positions = sum(int(lengths[shard][row]) for shard, row in self._place.values())  # a row may be there twice
        return {
            "rows": len(self),
            "positions": positions,
            "bytes": sum(shard.path.stat().st_size for shard in self._shards) / positions,
            "entries": sum(len(shard.arrays["ids"]) for shard in self._shards) / len(tails),
            "covered_mass": float(1 - np.exp(tails).mean()),
            "entropy": float(entropies.mean()),
        }

    def check(self) -> list[str]:
        """Reads every row; what is damaged, a line each."""
        faults = []
        for shard in self._shards:
            for row in range(len(shard.keys)):
                try:
                    shard.row(row)
                except SignalError as error:
                    faults.append(str(error))
        return faults


@dataclass(frozen=True, slots=True)
class _Shard:
    """One file of signals; its arrays are memory-mapped."""

    path: Path
    keys: list[bytes]
    arrays: dict[str, np.ndarray]

    @classmethod
    def open(cls, path: Path) -> _Shard:
        try:
            with safe_open(path, framework="pt") as file:
                checksum = (file.metadata() or {}).get("table_checksum")
                arrays = {name: file.get_tensor(name).numpy() for name in file.keys()}  # noqa: SIM118
            # No checksum covers the header: what it calls an array, and takes its bytes for, is checked here.
            wrong = [name for name, types in _TYPES.items() if name not in arrays or arrays[name].dtype not in types]
            if wrong:
                raise ValueError(f"the array {wrong[0]!r} is missing, or of another type")
            damaged = checksum != str(_checksum(arrays[name] for name in _TABLE))
        except (SafetensorError, OSError, TypeError, ValueError) as error:
            raise SignalError(_damage(path, str(error))) from error
        if damaged:
            raise SignalError(_damage(path, "its table of rows does not agree with its checksum"))
        return cls(path, [key.tobytes() for key in arrays["keys"]], arrays)

    def row(self, row: int) -> dict[str, np.ndarray]:
        positions = slice(*self.arrays["positions"][row : row + 2])
        entries = slice(*self.arrays["entries"][row : row + 2])
        parts = {name: self.arrays[name][positions] for name in OF_POSITION}
        parts |= {name: self.arrays[name][entries] for name in OF_ENTRY}
        if _checksum(parts.values()) != self.arrays["checksums"][row]:
            raise SignalError(_damage(self.path, f"the row {self.keys[row].hex()} does not agree with its checksum"))
        return parts


class ShardWriter:
    """Collects rows, and writes a shard of them when there are enough, or when asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._positions = 0
        self._rows: dict[bytes, dict[str, np.ndarray]] = {}
        self._began = time.monotonic()

    def add(self, key: bytes, row: dict[str, np.ndarray]) -> None:
        """Takes a row."""
        self._rows[key] = row
        self._positions += len(row["counts"])
        if self._positions >= SHARD_POSITIONS or time.monotonic() - self._began > SHARD_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what is waiting as one file, whole or not at all."""
        if self._rows:
            rows = list(self._rows.values())
            table = {
                "keys": np.frombuffer(b"".join(self._rows), dtype=np.uint8).reshape(len(rows), -1),
                "checksums": np.array([_checksum(row.values()) for row in rows], dtype="<i8"),
                "positions": np.cumsum([0, *(len(row["counts"]) for row in rows)], dtype="<i8"),
                "entries": np.cumsum([0, *(len(row["ids"]) for row in rows)], dtype="<i8"),
            }
            parts = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
            metadata = {
                "schema_version": str(SCHEMA_VERSION),
                "table_checksum": str(_checksum(table[name] for name in _TABLE)),
            }
            publish(self.folder / f"{uuid4().hex}.safetensors", save({**table, **parts}, metadata))
        self._rows, self._positions, self._began = {}, 0, time.monotonic()


def _checksum(arrays: Iterable[np.ndarray]) -> int:
    total = 0
    for array in arrays:
        total = zlib.crc32(np.ascontiguousarray(array).data, total)
    return total


def _damage(path: Path, what: str) -> str:
    return f"{path}: damaged: {what}; remove this file, `spanwise cache` then computes its rows again"


def publish(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, whoever else writes one of that name."""
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Removes what writers that were killed left unfinished."""
    for partial in folder.glob(".*.partial"):
        if time.time() - partial.stat().st_mtime > _ABANDONED:
            partial.unlink(missing_ok=True)
