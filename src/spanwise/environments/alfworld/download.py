"""The official release of ALFWorld's games, fetched from where its authors keep it.

An archive is downloaded into ``DEST/.download`` (a broken download goes on where it stopped), checked, unpacked beside
its final place and moved there in one step, so that ``DEST/json_2.1.1`` is either whole or not there.
"""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from spanwise.environments.alfworld.tasks import GAME_FILE, RELEASE, SPLITS, TRAJECTORY_FILE
from spanwise.environments.fetch import CHUNK, Progress, fetch, free, no_room
from spanwise.errors import TaskDataError

_GITHUB = "https://github.com/alfworld/alfworld/releases/download"
# The games that published results were measured on (they say `put X in/on Y`) and their annotations: 117 MB in all.
RELEASE_URLS = (f"{_GITHUB}/0.2.2/json_2.1.1_json.zip", f"{_GITHUB}/0.2.2/json_2.1.1_tw-pddl.zip")


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
        archives = [_archive(url, scratch, progress or (lambda name, done, size: None)) for url in urls]
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
            f"{free(destination) / 1e6:,.0f} MB are free. What is downloaded is kept in {scratch}"
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


def _archive(url: str, folder: Path, progress: Progress) -> Path:
    """A whole, intact archive in ``folder``."""
    name = PurePosixPath(urlsplit(url).path).name
    if not name:
        raise TaskDataError(f"{url}: not an address to download from; expected http(s)://<server>/<path>/<name>.zip")
    return fetch(url, folder / name, progress, _damage, "zip archive")


def _damage(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip()
    except (zipfile.BadZipFile, EOFError) as error:
        return str(error)


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
        if needed > free(folder):
            raise TaskDataError(no_room(folder, url, needed))
        for member in members:
            target = folder / member.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, CHUNK)
