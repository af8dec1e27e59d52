"""Models and tokenizers: made from scratch, loaded from folders, and checked to fit each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.utils import logging

from spanwise.config import ArchitectureConfig, TokenizerConfig
from spanwise.errors import ModelError

PAD, END_OF_TURN = "<|pad|>", "<|eos|>"

#: Words and numbers apart, each with the space before it: the name of an object and its number become a token each.
_WORDS = r" ?\p{L}+| ?\p{N}+|\n|[^\s\p{L}\p{N}]+|\s+"


def create_tokenizer(texts: Iterable[str], config: TokenizerConfig) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer learnt from texts; the same texts give the same tokenizer.

    Args:
        texts: What it shall be good at.
        config: Size of the vocabulary; it may turn out smaller where the texts hold fewer distinct words.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size,
        special_tokens=[PAD, END_OF_TURN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END_OF_TURN, clean_up_tokenization_spaces=False
    )


def create_model(config: ArchitectureConfig, tokenizer: PreTrainedTokenizerBase, seed: int) -> PreTrainedModel:
    """A Qwen3-style model with random weights and tied embeddings, or the pretrained one that ``config.path`` names.

    Qwen3 is Llama with normalised queries and keys. Under Muon that decides whether a small model soon learns to copy a
    name's number from an observation (``docs/results.md``).

    Raises:
        ModelError: ``config.path`` cannot be loaded.
    """
    if config.path is not None:
        return load_model(config.path)
    architecture = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads or config.heads,
        head_dim=config.hidden_size // config.heads,
        max_position_embeddings=config.max_length,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=cast(int, tokenizer.eos_token_id),
        pad_token_id=cast(int, tokenizer.pad_token_id),
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Qwen3ForCausalLM(architecture)


def load_model(path: str | Path) -> PreTrainedModel:
    """The causal LM of a folder or hub name, in fp32.

    Raises:
        ModelError: It is not there, not a causal LM, damaged, or lacks weights (which would be random otherwise).
    """
    _check_folder(path)
    try:
        with quiet_transformers():
            loaded = AutoModelForCausalLM.from_pretrained(
                str(path), dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be loaded as a causal language model: {_first_line(error)}") from error
    model, report = cast(tuple[PreTrainedModel, dict[str, Any]], loaded)
    for name, found, expected in sorted(report["mismatched_keys"]):
        raise ModelError(f"{path}: weight {name}: expected shape {tuple(expected)}, found {tuple(found)}")
    for name in sorted(report["missing_keys"]):
        raise ModelError(f"{path}: weight {name} is missing")
    return model


def load_tokenizer(path: str | Path) -> PreTrainedTokenizerBase:
    """The fast tokenizer of a folder or hub name.

    Raises:
        ModelError: It is not there, or has no fast version (offsets need one).
    """
    _check_folder(path)
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(str(path), use_fast=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: holds no tokenizer that can be loaded: {_first_line(error)}") from error
    if not tokenizer.is_fast:
        raise ModelError(f"{path}: its tokenizer has no fast version, which character offsets need")
    return tokenizer


def _check_folder(path: str | Path) -> None:
    """Tells a folder that is not there from a hub name, which has at most one slash."""
    if not Path(path).exists() and (isinstance(path, Path) or path.startswith(("/", ".", "~")) or path.count("/") > 1):
        raise ModelError(f"{path}: no such folder; expected a Hugging Face model folder or a hub name")


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Without its bars and reports for a while; what they would say is checked."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def fingerprint(tokenizer: PreTrainedTokenizerBase) -> str:
    """Hash of the vocabulary, ids included: equal where token ids mean the same."""
    return hashlib.sha256(json.dumps(sorted(tokenizer.get_vocab().items())).encode()).hexdigest()


def check_same_vocabulary(teacher: PreTrainedTokenizerBase, student: PreTrainedTokenizerBase) -> None:
    """Makes sure that a divergence between the two compares like with like.

    Raises:
        ModelError: The vocabularies differ.
    """
    if fingerprint(teacher) == fingerprint(student):
        return
    names = [tokenizer.name_or_path or name for tokenizer, name in ((teacher, "the teacher"), (student, "the student"))]
    ours, theirs = student.get_vocab(), teacher.get_vocab()
    token = min((token for token in ours.keys() | theirs.keys() if ours.get(token) != theirs.get(token)), default="")
    raise ModelError(
        f"teacher and student have different tokenizers: {names[0]} has {len(teacher)} tokens and {names[1]} "
        f"{len(student)}, and {token!r} is token {theirs.get(token)} of the one and {ours.get(token)} of the other; "
        "a divergence needs one vocabulary: give both models the same tokenizer"
    )


def count_parameters(model: PreTrainedModel) -> int:
    """Numbers that a model learns; tied weights count once."""
    return sum(parameter.numel() for parameter in model.parameters())


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
