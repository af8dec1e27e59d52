"""The released games, where there are any."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("SPANWISE_SHARED_DATA", Path(__file__).parents[3] / "shared/data"))


@pytest.fixture(scope="session")
def released_games(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds json_2.1.1 with its split valid_seen: ALFWORLD_DATA, or what is packed in the shared data."""
    named = os.environ.get("ALFWORLD_DATA")
    if named and (Path(named) / "json_2.1.1/valid_seen").is_dir():
        return Path(named)
    program = SHARED / "alfworld/unpack.py"
    if not program.exists():
        pytest.skip(
            f"no released games: ALFWORLD_DATA does not hold them, and {program} (SPANWISE_SHARED_DATA) is missing"
        )
    folder = tmp_path_factory.mktemp("released")
    subprocess.run([sys.executable, str(program), str(folder), "--splits", "valid_seen"], check=True)
    return folder
