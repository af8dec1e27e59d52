"""A model folder's facts come from its files."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from spanwise.errors import ModelError
from spanwise.evaluation.models import describe_model


def _save(folder, **shards):
    folder.mkdir()
    for name, tensors in shards.items():
        save_file(tensors, folder / f"{name}.safetensors")
    return folder


def test_parameters_are_counted_over_all_files(tmp_path):
    facts = describe_model(
        _save(
            tmp_path / "m",
            one={"a": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float16)},
            two={"c": np.zeros((), np.float32)},
        )
    )
    assert facts.parameters == 3 * 4 + 5 + 1


def test_the_fingerprint_follows_the_weights_and_not_the_place(tmp_path):
    weights = {"a": np.arange(6, dtype=np.float32)}
    one, copy = _save(tmp_path / "one", model=weights), _save(tmp_path / "copy", model=weights)
    other = _save(tmp_path / "other", model={"a": np.arange(1, 7, dtype=np.float32)})
    assert describe_model(one).sha256 == describe_model(copy).sha256 != describe_model(other).sha256


def test_a_folder_without_weights_is_an_error(tmp_path):
    with pytest.raises(ModelError, match=r"expected a model folder with \*\.safetensors, found none"):
        describe_model(tmp_path)


def test_damaged_weights_are_an_error(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(ModelError, match=r"model\.safetensors: not a readable"):
        describe_model(tmp_path)
