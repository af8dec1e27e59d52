"""HotPotQA's questions with their contexts, fetched from where its authors keep them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spanwise.environments.fetch import Progress, fetch_json_files

_SERVER = "http://curtis.ml.cmu.edu/datasets/hotpot/"
#: Addresses of the released files that have answers, by name; 0.6 GB in all.
URLS = {
    name: f"{_SERVER}{name}"
    for name in ("hotpot_train_v1.1.json", "hotpot_dev_distractor_v1.json", "hotpot_dev_fullwiki_v1.json")
}


def download_hotpotqa(
    destination: Path | str, urls: Mapping[str, str] = URLS, progress: Progress | None = None
) -> Path:
    """The folder of the files; what is already there is not fetched again, what broke off goes on.

    Args:
        destination: What ``HOTPOTQA_DATA`` will be; made if it is missing.
        urls: Address of each file, by its name.
        progress: Told how far each file is.

    Raises:
        TaskDataError: No connection, no such file, a damaged one, or no room on the disk.
    """
    destination = Path(destination).expanduser()
    fetch_json_files(destination, urls, progress or (lambda name, done, size: None))
    return destination
