"""Which model an evaluation played: its size and its fingerprint, read from the files alone."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from spanwise.errors import ModelError


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What tells one model folder from another.

    Attributes:
        path: The folder.
        parameters: Numbers stored in its weights; tied weights are stored, and counted, once.
        sha256: Hash over all its weight files.
    """

    path: str
    parameters: int
    sha256: str


def describe_model(folder: Path) -> ModelFacts:
    """Size and fingerprint of a Hugging Face model folder, without loading it.

    Raises:
        ModelError: The folder holds no readable ``*.safetensors``.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(f"{folder}: expected a model folder with *.safetensors, found none")
    parameters = 0
    digest = hashlib.sha256()
    for path in files:
        try:
            with safe_open(path, framework="numpy") as tensors:
                parameters += sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path}: not a readable safetensors file: {error}") from error
    return ModelFacts(str(folder), parameters, digest.hexdigest())
