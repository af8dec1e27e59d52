"""The official release of ALFWorld's games, fetched from where its authors keep it.

An archive is downloaded into ``DEST/.download`` (a broken download goes on where it stopped), checked, unpacked beside
its final place and moved there in one step, so that ``DEST/json_2.1.1`` is either whole or not there.
"""

from __future__ import annotations

import http.client
import shutil
import ssl
import stat
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from spanwise.environments.alfworld.tasks import GAME_FILE, RELEASE, SPLITS, TRAJECTORY_FILE
from spanwise.errors import TaskDataError

_GITHUB = "https://github.com/alfworld/alfworld/releases/download"
# The games that published results were measured on (they say `put X in/on Y`) and their annotations: 117 MB in all.
RELEASE_URLS = (f"{_GITHUB}/0.2.2/json_2.1.1_json.zip", f"{_GITHUB}/0.2.2/json_2.1.1_tw-pddl.zip")

Progress = Callable[[str, int, int | None], None]
"""Called with an archive's name, the bytes that are there, and the bytes it has (None: the server does not say)."""

_CHUNK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte
_ATTEMPTS = 5  # that bring nothing, in a row


def download_alfworld(
    destination: Path | str, urls: Sequence[str] = RELEASE_URLS, progress: Progress | None = None
) -> Path:
    """The folder of the release, ``destination/json_2.1.1``; what is already there is not fetched again.

    Args:
        destination: What ``ALFWORLD_DATA`` will be; made if it is missing.
        urls: The zip archives, each with a ``json_2.1.1`` folder.
        progress: Told how far each archive is.

    Raises:
        TaskDataError: No connection, no such archive, a damaged or unsafe archive, no room on the disk, or a
            ``json_2.1.1`` that this function did not complete.
    """
    destination = Path(destination).expanduser()
    release = destination / RELEASE
    if release.exists():
        missing = _missing(release)
        if missing:
            raise TaskDataError(f"{release} is there but lacks {missing}; move it away, then fetch the release again")
        return release
    scratch = destination / ".download"
    unpacked = scratch / "unpacked"
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unpacked, ignore_errors=True)
        archives = [_fetch(url, scratch, progress or (lambda name, done, size: None)) for url in urls]
        for url, archive in zip(urls, archives, strict=True):
            _unpack(archive, unpacked, url)
        missing = _missing(unpacked / RELEASE)
        if missing:
            raise TaskDataError(f"{', '.join(urls)}: the archives lack {missing}; nothing was unpacked")
        (unpacked / RELEASE).replace(release)
        shutil.rmtree(scratch)
    except OSError as error:
        raise TaskDataError(
            f"{error.filename or destination}: cannot be written: {error.strerror or error}; "
            f"{_free(destination) / 1e6:,.0f} MB are free. What is downloaded is kept in {scratch}"
        ) from error
    return release


def _missing(release: Path) -> str | None:
    """What keeps a folder from being a release; None if nothing does."""
    splits = [name for name in SPLITS if (release / name).is_dir()]
    if not splits:
        return f"the folders {RELEASE}/{{{','.join(SPLITS)}}}"
    for split in splits:
        for name in (GAME_FILE, TRAJECTORY_FILE):
            if not any((release / split).glob(f"*/*/{name}")):
                return f"{RELEASE}/{split}/<task>/<trial>/{name}"
    return None


def _free(folder: Path) -> int:
    """Bytes free on the disk of a folder that may not be there yet."""
    return shutil.disk_usage(next(place for place in (folder, *folder.absolute().parents) if place.exists())).free


def _no_room(folder: Path, url: str, needed: int) -> str:
    return f"{folder}: {url} needs {needed / 1e6:,.1f} MB more, and {_free(folder) / 1e6:,.1f} MB are free on its disk"


def _fetch(url: str, folder: Path, progress: Progress) -> Path:
    """A whole, intact archive in ``folder``; resumes what an earlier call left there."""
    name = PurePosixPath(urlsplit(url).path).name
    if urlsplit(url).scheme not in ("http", "https") or not name:
        raise TaskDataError(f"{url}: not an address to download from; expected http(s)://<server>/<path>/<name>.zip")
    path, part = folder / name, folder / f"{name}.part"
    if not path.exists():
        failures, before = 0, _size(part)
        while not _attempt(url, part, progress):
            failures, before = (0 if _size(part) > before else failures + 1), _size(part)
            if failures == _ATTEMPTS:
                raise TaskDataError(
                    f"{url}: the connection broke again and again; {before:,} bytes are kept in {part}, "
                    "run the same command again to go on"
                )
        part.replace(path)
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError) as error:
        damaged = str(error)
    if damaged:
        size = path.stat().st_size
        path.unlink()
        raise TaskDataError(f"{url}: found {size:,} bytes that are no intact zip archive ({damaged}); fetch it again")
    return path


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _attempt(url: str, part: Path, progress: Progress) -> bool:
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
            if size is not None and size - done > _free(part.parent):
                raise TaskDataError(_no_room(part.parent, url, size - done))
            with part.open("ab" if done else "wb") as file:
                progress(name, done, size)
                while chunk := response.read(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    progress(name, done, size)
            return size is None or done >= size
    except urllib.error.HTTPError as error:
        if error.code == 416 and done:  # nothing is left to send, or the archive changed: its check will tell
            return True
        raise TaskDataError(f"{url}: the server answers {error.code} {error.reason}; expected a zip archive") from error
    except urllib.error.URLError as error:
        raise TaskDataError(f"{url}: cannot be reached: {error.reason}; check the network and the address") from error
    except http.client.InvalidURL as error:
        raise TaskDataError(f"{url}: not an address to download from: {error}") from error
    except (ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException):
        return False  # what came is kept, the next attempt goes on from there


def _unpack(path: Path, folder: Path, url: str) -> None:
    """All files of an archive below ``folder``."""
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for member in members:
            place = PurePosixPath(member.filename.replace("\\", "/"))
            linked = stat.S_ISLNK(member.external_attr >> 16)
            if place.is_absolute() or ".." in place.parts or ":" in place.parts[0] or linked:
                raise TaskDataError(f"{url}: holds {member.filename!r}, outside its folder; nothing was unpacked")
        needed = sum(member.file_size for member in members)
        if needed > _free(folder):
            raise TaskDataError(_no_room(folder, url, needed))
        for member in members:
            target = folder / member.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, _CHUNK)
