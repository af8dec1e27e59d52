"""A tokenizer that speaks SmolLM2's chat template, made here so that it is there everywhere."""

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from spanwise.config import TokenizerConfig
from spanwise.training.models import create_tokenizer

CHAT_TEMPLATE = (Path(__file__).parents[2] / "golden" / "smollm2_chat_template.jinja").read_text(encoding="utf-8")


@pytest.fixture
def make_chat_tokenizer():
    """Makes the tokenizer from texts, with another template if one is given."""

    def make(texts: list[str], template: str = CHAT_TEMPLATE) -> PreTrainedTokenizerFast:
        tokenizer = create_tokenizer(texts, TokenizerConfig(vocab_size=400))
        tokenizer.add_special_tokens({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"})
        tokenizer.chat_template = template
        return tokenizer

    return make
