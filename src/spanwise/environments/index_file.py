"""Named arrays in one file: written whole or not at all, memory-mapped when read, and checked.

A magic word, the length and the CRC-32 of a header in JSON, the header, then each array on a boundary of 64 bytes. The
header names a version, numbers that the writer wants to keep, and of each array type, length, place and CRC-32.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import numpy as np

from spanwise.errors import TaskDataError

_MAGIC = b"SWINDEX\n"
_START = struct.Struct("<8sII")
_ALIGNMENT = 64
#: Bytes that a checksum reads at a time.
_CHUNK = 1 << 24


def write_arrays(path: Path, version: int, numbers: Mapping[str, int], arrays: Mapping[str, np.ndarray]) -> None:
    """Writes one-dimensional arrays and whole numbers; a reader sees the old file or the new one.

    Raises:
        TaskDataError: The file cannot be written.
    """
    table, place = {}, 0
    for name, array in arrays.items():
        table[name] = {"type": array.dtype.str, "length": len(array), "place": place, "crc32": _checksum(array)}
        place = _aligned(place + array.nbytes)
    header = json.dumps({"version": version, "numbers": dict(numbers), "arrays": table}).encode()
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                file.write(_START.pack(_MAGIC, len(header), zlib.crc32(header)) + header)
                first = _aligned(file.tell())
                for name, array in arrays.items():
                    file.write(bytes(first + table[name]["place"] - file.tell()))
                    file.write(_bytes(array))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise TaskDataError(f"{path}: cannot be written: {error}") from error


def read_arrays(
    path: Path, version: int, types: Mapping[str, tuple[str, ...]], checked: bool = True
) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """The numbers and the arrays of a file, memory-mapped and read-only.

    Args:
        path: The file.
        version: What it must be of.
        types: The arrays that it must hold, and the types that each may have, as numpy writes them.
        checked: Whether all is read once, to compare checksums; else what is asked for alone is ever read.

    Raises:
        TaskDataError: The file is missing, damaged or of another version.
    """
    again = "delete it and build the index again"
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(_START.size)
            if len(start) < _START.size or not start.startswith(_MAGIC):
                raise TaskDataError(f"{path}: is not a search index: it begins with {start[:8]!r}, not {_MAGIC!r}")
            _, length, checksum = _START.unpack(start)
            header = file.read(length)
        if len(header) < length or zlib.crc32(header) != checksum:
            raise TaskDataError(f"{path}: its header does not agree with its checksum; {again}")
        found = json.loads(header)
        if found["version"] != version:
            raise TaskDataError(f"{path}: is of version {found['version']}; this program reads {version}; {again}")
        table, first = found["arrays"], _aligned(_START.size + length)
        wrong = [name for name in types if name not in table or table[name]["type"] not in types[name]]
        if wrong:
            raise TaskDataError(f"{path}: the array {wrong[0]!r} is missing or of another type; {again}")
        needed = max(first + one["place"] + one["length"] * np.dtype(one["type"]).itemsize for one in table.values())
        if size != needed:
            raise TaskDataError(f"{path}: holds {size} bytes, not {needed}; {again}")
        arrays = {name: _mapped(path, first, table[name]) for name in types}
    except OSError as error:
        raise TaskDataError(f"{path}: cannot be read: {error}") from error
    for name, array in arrays.items() if checked else ():
        if _checksum(array) != table[name]["crc32"]:
            raise TaskDataError(f"{path}: the array {name!r} does not agree with its checksum; {again}")
    return found["numbers"], arrays


def _mapped(path: Path, first: int, entry: Mapping) -> np.ndarray:
    if entry["length"] == 0:  # nothing cannot be mapped
        return np.empty(0, entry["type"])
    mapped = np.memmap(path, np.dtype(entry["type"]), "r", first + entry["place"], (entry["length"],))
    return mapped.view(np.ndarray)


def _bytes(array: np.ndarray) -> memoryview:
    return np.ascontiguousarray(array).view(np.uint8).data


def _checksum(array: np.ndarray) -> int:
    content, checksum = _bytes(array), 0
    for start in range(0, len(content), _CHUNK):
        checksum = zlib.crc32(content[start : start + _CHUNK], checksum)
    return checksum


def _aligned(place: int) -> int:
    return -(-place // _ALIGNMENT) * _ALIGNMENT
