"""Files fetched over HTTP: a broken download goes on where it stopped; a file appears once it is whole and intact."""

from __future__ import annotations

import http.client
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from spanwise.errors import TaskDataError

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes that are there, and the bytes it has (None: the server does not say)."""

CHUNK = 1 << 20  # bytes
_TIMEOUT = 30.0  # seconds without a byte
_ATTEMPTS = 5  # that bring nothing, in a row


def free(folder: Path) -> int:
    """Bytes free on the disk of a folder that may not be there yet."""
    return shutil.disk_usage(next(place for place in (folder, *folder.absolute().parents) if place.exists())).free


def no_room(folder: Path, url: str, needed: int) -> str:
    """What to tell who lacks room on the disk."""
    return f"{folder}: {url} needs {needed / 1e6:,.1f} MB more, and {free(folder) / 1e6:,.1f} MB are free on its disk"


def fetch(url: str, path: Path, progress: Progress, damage: Callable[[Path], str | None], expected: str) -> Path:
    """The whole, intact file; resumes what an earlier call left beside it, and fetches nothing that is there.

    Args:
        url: Its address.
        path: Where it goes; ``<name>.part`` beside it is what is there of it.
        progress: Told how far it is.
        damage: What is wrong with the fetched file; None if nothing is.
        expected: What it should be, for messages: ``zip archive``.

    Raises:
        TaskDataError: No connection, no such file, a damaged one, or no room on the disk.
    """
    if urlsplit(url).scheme not in ("http", "https") or not path.name:
        raise TaskDataError(f"{url}: not an address to download from; expected http(s)://<server>/<path>/<name>")
    part = path.with_name(f"{path.name}.part")
    if not path.exists():
        failures, before = 0, _size(part)
        while not _attempt(url, part, progress, expected):
            failures, before = (0 if _size(part) > before else failures + 1), _size(part)
            if failures == _ATTEMPTS:
                raise TaskDataError(
                    f"{url}: the connection broke again and again; {before:,} bytes are kept in {part}, "
                    "run the same command again to go on"
                )
        part.replace(path)
    if wrong := damage(path):
        size = path.stat().st_size
        path.unlink()
        raise TaskDataError(f"{url}: found {size:,} bytes that are no intact {expected} ({wrong}); fetch it again")
    return path


def fetch_json_files(destination: Path, urls: Mapping[str, str], progress: Progress) -> None:
    """Fetches files of JSON into a folder, which is made if it is missing.

    Args:
        destination: The folder.
        urls: Address of each file, by its name.
        progress: Told how far each is.

    Raises:
        TaskDataError: No connection, no such file, a damaged one (or a web page in its place), or no room.
    """
    try:
        destination.mkdir(parents=True, exist_ok=True)
        for name, url in urls.items():
            fetch(url, destination / name, progress, _damage_of_json, "file of JSON")
    except OSError as error:
        raise TaskDataError(
            f"{error.filename or destination}: cannot be written: {error.strerror or error}; "
            f"{free(destination) / 1e6:,.0f} MB are free"
        ) from error


def _damage_of_json(path: Path) -> str | None:
    """What is wrong at the ends of a file; between them its reader looks, a record at a time."""
    with path.open("rb") as file:
        begins = file.read(200).lstrip()
        file.seek(max(0, path.stat().st_size - 200))
        ends = file.read().rstrip()
    if begins[:1] == b"<":
        return "it is a web page: the server has a limit of downloads, or wants a question answered"
    if begins[:1] not in (b"{", b"[") or ends[-1:] not in (b"}", b"]"):
        return "it does not begin and end as JSON does"
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _attempt(url: str, part: Path, progress: Progress, expected: str) -> bool:
    """Append to ``part`` what is missing of it; whether it is whole now.

    Raises:
        TaskDataError: The server cannot be reached, or refuses.
    """
    name = part.name.removesuffix(".part")
    done = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
            if response.status != 206:
                done = 0  # the server sends the whole again
            length = response.headers.get("Content-Length")
            size = done + int(length) if length else None
            if size is not None and size - done > free(part.parent):
                raise TaskDataError(no_room(part.parent, url, size - done))
            with part.open("ab" if done else "wb") as file:
                progress(name, done, size)
                while chunk := response.read(CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    progress(name, done, size)
            return size is None or done >= size
    except urllib.error.HTTPError as error:
        if error.code == 416 and done:  # nothing is left to send, or the file changed: its check will tell
            return True
        raise TaskDataError(f"{url}: the server answers {error.code} {error.reason}; expected a {expected}") from error
    except urllib.error.URLError as error:
        raise TaskDataError(f"{url}: cannot be reached: {error.reason}; check the network and the address") from error
    except http.client.InvalidURL as error:
        raise TaskDataError(f"{url}: not an address to download from: {error}") from error
    except (ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException):
        return False  # what came is kept, the next attempt goes on from there
