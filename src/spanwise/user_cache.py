"""Where what can be made again is kept from one run to the next."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """The folder of that name in the user's cache (``XDG_CACHE_HOME``, else ``~/.cache``); it need not be there."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "spanwise" / name
