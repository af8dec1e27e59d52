"""Tokenizers that speak the chat templates of well-known families, made here so that they are there everywhere.

The templates in ``tests/golden/templates`` are our own, and behave as those of the families do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("spanwise", deadline=None)
settings.load_profile("spanwise")


@pytest.fixture(scope="session", autouse=True)
def user_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of these tests' own, so that they find nothing of the user's and leave nothing there."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


GOLDEN = Path(__file__).parent / "golden"
FAMILIES = json.loads((GOLDEN / "families.json").read_text(encoding="utf-8"))


@cache
def make_family_tokenizer(name: str) -> PreTrainedTokenizerFast:
    from transformers import AddedToken

    from spanwise.config import TokenizerConfig
    from spanwise.training.models import create_tokenizer

    family = FAMILIES[name]
    template = (GOLDEN / family["template"]).read_text(encoding="utf-8")
    texts = [template, (GOLDEN / "conversations.json").read_text(encoding="utf-8")]
    tokenizer = create_tokenizer(texts * 4, TokenizerConfig(vocab_size=1200))
    if family["bos"]:
        tokenizer.add_special_tokens({"bos_token": family["bos"]})
    tokenizer.add_special_tokens({"eos_token": family["eos"]})
    special = [AddedToken(one, special=True, normalized=False) for one in family["special"]]
    tokenizer.add_tokens(special, special_tokens=True)
    tokenizer.add_tokens([AddedToken(one, special=False, normalized=False) for one in family["added"]])
    tokenizer.chat_template = template
    tokenizer.name_or_path = name
    return tokenizer


@pytest.fixture(scope="session")
def family_tokenizer() -> Callable[[str], PreTrainedTokenizerFast]:
    """Makes the tokenizer of a family; not to be changed, for all tests share it."""
    return make_family_tokenizer
