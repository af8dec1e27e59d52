"""The index of an encyclopedia on disk: built once for what its files hold, then opened in no time by any process."""

from __future__ import annotations

import fcntl
import hashlib
import json
import mmap
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import uuid4

from spanwise.environments.hotpotqa.encyclopedia import LocalEncyclopedia, build_shelf
from spanwise.environments.hotpotqa.records import Page, Redirect
from spanwise.environments.hotpotqa.title_index import ARRAYS, TitleIndex
from spanwise.environments.index_file import read_arrays, write_arrays
from spanwise.errors import TaskDataError
from spanwise.user_cache import cache_folder

#: Of the arrays' meaning; an index of another one is built anew.
VERSION = 1
FOLDER = "index"
_INDEX, _TEXTS, _KNOWN = "titles.index", "texts.bin", "fingerprints.json"
_TYPES = {**ARRAYS, "starts": ("<i8",), "stops": ("<i8",)}


def index_folder(data: Path, configured: str | None) -> Path:
    """Where the index of a data folder is kept: where it is wished, in that folder, or in the user's cache."""
    if configured is not None:
        return Path(configured).expanduser()
    beside = data / FOLDER
    writable = os.access(data, os.W_OK) and data.stat().st_mode & 0o222
    if beside.is_dir() or writable:
        return beside
    return cache_folder("hotpotqa")


def open_encyclopedia(
    files: tuple[Path, ...],
    read: Callable[[], Iterable[Page | Redirect]],
    folder: Path,
    progress: Callable[[int], None] = lambda records: None,
) -> tuple[LocalEncyclopedia, dict[str, str | int]]:
    """The encyclopedia of some files, memory-mapped, and what is known of it: fingerprint, pages, redirects.

    Args:
        files: What the pages come from; an index of the same content is used, else one is built.
        read: Gives their pages.
        folder: Keeps indexes, each by its fingerprint; processes that want the same one wait for who builds it.
        progress: Told, now and then, how many records a build has read.

    Raises:
        TaskDataError: A file is damaged, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark = _fingerprint(files, folder)
        place = folder / mark
        if not place.is_dir():
            with (folder / f".{mark}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not place.is_dir():
                    _build(read, place, progress)
        return _open(place, mark)
    except OSError as error:
        raise TaskDataError(
            f"{error.filename or folder}: the index cannot be kept there: {error.strerror or error}; "
            "environment.hotpotqa.index names another folder"
        ) from error


def _build(read: Callable[[], Iterable[Page | Redirect]], place: Path, progress: Callable[[int], None]) -> None:
    """Who calls holds the lock, so what other attempts left was broken off."""
    for left in place.parent.glob(f".{place.name}.*.partial"):
        shutil.rmtree(left)
    partial = place.with_name(f".{place.name}.{uuid4().hex}.partial")
    partial.mkdir()
    try:
        with (partial / _TEXTS).open("wb") as texts:
            shelf = build_shelf(read(), texts, progress)
            size = texts.tell()
            texts.flush()
            os.fsync(texts.fileno())
        numbers = {"pages": shelf.pages, "dangling": shelf.dangling, "bytes": size}
        arrays = {**shelf.index.arrays(), "starts": shelf.starts, "stops": shelf.stops}
        write_arrays(partial / _INDEX, VERSION, numbers, arrays)
        partial.rename(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _open(place: Path, mark: str) -> tuple[LocalEncyclopedia, dict[str, str | int]]:
    numbers, arrays = read_arrays(place / _INDEX, VERSION, _TYPES, checked=False)
    with (place / _TEXTS).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size != numbers["bytes"]:
            raise TaskDataError(
                f"{place / _TEXTS}: holds {size:,} bytes, not {numbers['bytes']:,}; "
                f"remove {place}, and it is built anew"
            )
        texts = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    encyclopedia = LocalEncyclopedia(TitleIndex.of(arrays), arrays["starts"], arrays["stops"], texts)
    redirects = len(encyclopedia.index) - numbers["pages"]
    facts = {"corpus": mark, "pages": numbers["pages"], "redirects": redirects, "dangling": numbers["dangling"]}
    return encyclopedia, facts


def _fingerprint(files: tuple[Path, ...], folder: Path) -> str:
    """A mark of what some files hold; a file is read again only if its size or its time has changed."""
    try:
        found = json.loads((folder / _KNOWN).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        found = None
    known = found if isinstance(found, dict) else {}  # it only saves time
    marks = {}
    for file in files:
        state = file.stat()
        stamp = [state.st_size, state.st_mtime_ns]
        name = str(file.absolute())
        entry = known.get(name)
        if isinstance(entry, list) and len(entry) == 2 and entry[0] == stamp and isinstance(entry[1], str):
            marks[name] = entry
        else:
            with file.open("rb") as content:
                marks[name] = [stamp, hashlib.file_digest(content, "sha256").hexdigest()]
    if any(known.get(name) != mark for name, mark in marks.items()):
        partial = folder / f".{_KNOWN}.{uuid4().hex}.partial"
        partial.write_text(json.dumps(known | marks, indent=1), encoding="utf-8")
        partial.replace(folder / _KNOWN)
    together = json.dumps([VERSION, *(mark for _, mark in marks.values())])
    return hashlib.sha256(together.encode()).hexdigest()[:16]
