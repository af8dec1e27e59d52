"""WebShop's product files, fetched from where its authors keep them (Google Drive)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spanwise.environments.fetch import Progress, fetch_json_files

#: Addresses of what the original's own set-up fetches, by name: of the first 1,000 products, and of all 1.18 million.
_DRIVE = "https://drive.usercontent.google.com/download?export=download&confirm=t&id="
SMALL_URLS = {
    "items_shuffle_1000.json": f"{_DRIVE}1EgHdxQ_YxqIQlvvq5iKlCrkEKR6-j0Ib",
    "items_ins_v2_1000.json": f"{_DRIVE}1IduG0xl544V_A_jv3tHXC0kyFi7PnyBu",
    "items_human_ins.json": f"{_DRIVE}14Kb5SPBk_jfdLZ_CDBNitW98QLDlKR5O",
}
FULL_URLS = {
    "items_shuffle.json": f"{_DRIVE}1A2whVgOO0euk5O13n2iYDM0bQRkkRduB",
    "items_ins_v2.json": f"{_DRIVE}1s2j6NgHljiZzQNL3veZaAiyW_qDEgBNi",
    "items_human_ins.json": SMALL_URLS["items_human_ins.json"],
}


def download_webshop(
    destination: Path | str, urls: Mapping[str, str] = SMALL_URLS, progress: Progress | None = None
) -> Path:
    """The folder of the files; what is already there is not fetched again, what broke off goes on.

    Args:
        destination: What ``WEBSHOP_DATA`` will be; made if it is missing.
        urls: Address of each file, by its name: ``SMALL_URLS`` or ``FULL_URLS``.
        progress: Told how far each file is.

    Raises:
        TaskDataError: No connection, no such file, a damaged one (or a page of Google's in its place), or no room.
    """
    destination = Path(destination).expanduser()
    fetch_json_files(destination, urls, progress or (lambda name, done, size: None))
    return destination
