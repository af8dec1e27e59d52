"""A run directory: what was asked for, what made it, and which stages are done. Stages meet only in its files."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from spanwise.config import Recipe
from spanwise.errors import RunDirectoryError
from spanwise.types import SCHEMA_VERSION

MANIFEST = "manifest.json"
_LOCK = ".lock"
#: Seconds for which a lock is waited for.
_PATIENCE = 1.0
_PACKAGES = ("spanwise", "torch", "transformers", "tokenizers", "accelerate", "numpy", "scipy", "alfworld", "textworld")


class RunDirectory:
    """A folder that one recipe fills. Open it with :meth:`open`, which keeps other processes out."""

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    @contextmanager
    def open(cls, path: Path, recipe: Recipe) -> Iterator[RunDirectory]:
        """The run directory of a recipe, made if it is not there, locked while it is open.

        Raises:
            RunDirectoryError: Another process has it, it cannot be written, or it holds something else.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = (path / _LOCK).open("w")
        except OSError as error:
            raise RunDirectoryError(f"{path}: cannot be used as a run directory: {error}") from error
        with lock:
            _take(lock, path)
            run = cls(path, _read_manifest(path / MANIFEST) or _new_manifest(recipe))
            run._check_recipe(recipe)
            run.manifest["recipe"] = recipe.model_dump(mode="json")
            run._save()
            yield run

    @contextmanager
    def stage(self, name: str, inputs: dict[str, Any]) -> Iterator[bool]:
        """Around the work of a stage, which is done once it is left without an error; several may be open.

        Args:
            name: Of the stage.
            inputs: The settings that it depends on, as tables of JSON values; kept, and compared on the next call.

        Yields:
            Whether there is work: not if the stage was done before. What was interrupted is begun again.

        Raises:
            RunDirectoryError: The stage was done, or begun, with other inputs; or the disk is full.
        """
        stages = self.manifest["stages"]
        entry = stages.get(name)
        if entry is not None:
            check_inputs(self.path, name, entry, inputs)
        if entry is not None and entry["status"] == "done":
            yield False
            return
        started = datetime.now(UTC)
        earlier = 0.0 if entry is None else entry["seconds"]
        stages[name] = entry = {
            "status": "running",
            "inputs": inputs,
            "started": started.isoformat(timespec="seconds"),
            "seconds": earlier,
        }
        self._save()
        try:
            yield True
            entry["status"] = "done"
        except Exception as error:
            if not _is_full_disk(error):
                raise
            raise RunDirectoryError(
                f"{self.path}: the disk is full, so the stage {name!r} stopped; make room, the same command continues"
            ) from error
        finally:
            entry["seconds"] = round(earlier + (datetime.now(UTC) - started).total_seconds(), 3)
            self._save()

    def _check_recipe(self, recipe: Recipe) -> None:
        if self.manifest["name"] != recipe.name:
            raise RunDirectoryError(
                f"{self.path}: made by the recipe {self.manifest['name']!r}, not by {recipe.name!r}; "
                "choose another --out"
            )

    def _save(self) -> None:
        write_atomically(self.path / MANIFEST, json.dumps(self.manifest, indent=2, ensure_ascii=False) + "\n")


def check_inputs(path: Path, name: str, entry: dict[str, Any], inputs: dict[str, Any]) -> None:
    """Makes sure that a stage is what it was when it was begun.

    Args:
        path: The run directory.
        name: Of the stage.
        entry: What the manifest says of it.
        inputs: The settings that it depends on now.

    Raises:
        RunDirectoryError: They are others; the message names them.
    """
    if entry["inputs"] != inputs:
        raise RunDirectoryError(
            f"{path}: the stage {name!r} was {entry['status']} with other settings "
            f"({'; '.join(_differences(entry['inputs'], inputs))}); choose another --out, "
            "or remove the folder to start over"
        )


def in_use(path: Path) -> bool:
    """Whether a process has a run directory open."""
    try:
        with (path / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def read_recipe(path: Path) -> Recipe:
    """The recipe that a run directory was last used with.

    Raises:
        RunDirectoryError: It is no run directory.
    """
    if not (path / MANIFEST).exists():
        raise RunDirectoryError(f"{path}: holds no {MANIFEST}; expected a run directory")
    manifest = _read_manifest(path / MANIFEST)
    assert manifest is not None
    try:
        return Recipe.model_validate(manifest["recipe"])
    except (KeyError, ValueError) as error:
        raise RunDirectoryError(f"{path / MANIFEST}: its recipe cannot be read: {error}") from error


def write_atomically(path: Path, text: str) -> None:
    """Writes a file whole or not at all.

    Raises:
        RunDirectoryError: It cannot be written, for example because the disk is full.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise RunDirectoryError(f"{path}: cannot be written: {error}") from error
    finally:
        with contextlib.suppress(NotADirectoryError):  # there is no such folder, so nothing lies in it
            partial.unlink(missing_ok=True)


def digest(value: Any) -> str:
    """A hash of JSON values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _take(lock: IO[str], path: Path) -> None:
    """Takes the lock of a run directory; whoever was killed a moment ago, or only looks at it, is waited for."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise RunDirectoryError(f"{path}: another spanwise process is working in it") from error
            time.sleep(0.05)


def _differences(before: Any, now: Any, key: str = "") -> list[str]:
    """Which keys differ between two tables, and what they were and are."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [
            line
            for one in keys
            if before.get(one) != now.get(one)
            for line in _differences(before.get(one), now.get(one), f"{key}.{one}".lstrip("."))
        ]
    return [f"{key} was {before!r}, is {now!r}"]


def _is_full_disk(error: Exception) -> bool:
    """Whether this is how the system, safetensors or torch say that nothing more can be written."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return any(words in str(error) for words in ("No space left on device", "PytorchStreamWriter failed writing"))


def _read_manifest(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        others = [one.name for one in path.parent.iterdir() if not one.name.startswith(".")]
        if others:
            raise RunDirectoryError(
                f"{path.parent}: holds files but no {MANIFEST} (for example {min(others)!r}); choose an empty folder"
            )
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(f"{path}: not a manifest that can be read: {error!r}") from error
    if version != SCHEMA_VERSION:
        raise RunDirectoryError(f"{path}: schema version {version}, this spanwise reads {SCHEMA_VERSION}")
    return manifest


def _new_manifest(recipe: Recipe) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "name": recipe.name,
        "seed": recipe.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "git": _git_state(),
        "recipe": {},
        "stages": {},
    }


def _git_state() -> dict[str, Any] | None:
    """Commit of the checkout that this runs in, and whether it has changes; None outside of one."""
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        status = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit.stdout.strip(), "changed": bool(status.stdout.strip())}
