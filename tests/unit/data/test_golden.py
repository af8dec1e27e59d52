"""Tokens and kinds of a known trajectory, read by eye once and never to change unnoticed.

``tests/golden/react_tokens.json`` (plain) and ``chat_tokens.json`` (SmolLM2's chat template) hold the steps, and a line
``<kind> <token>`` for each target.
"""

import json
from pathlib import Path

import pytest

from spanwise.config import TokenizerConfig
from spanwise.data.render import make_rendering
from spanwise.data.tokenize import tokenize_trajectory
from spanwise.traces.segment import segment
from spanwise.training.models import create_tokenizer
from spanwise.types import SpanKind, Step, Trajectory

GOLDEN = Path(__file__).parents[2] / "golden"
FILES = {"plain": GOLDEN / "react_tokens.json", "chat": GOLDEN / "chat_tokens.json"}
TEMPLATE = GOLDEN / "smollm2_chat_template.jinja"


def read(rendering) -> tuple[list[str], list[str]]:
    golden = json.loads(FILES[rendering].read_text(encoding="utf-8"))
    steps = golden["steps"]
    texts, template = [text for step in steps for text in step], TEMPLATE.read_text(encoding="utf-8")
    chat = rendering == "chat"
    tokenizer = create_tokenizer((texts + [template] * chat) * 4, TokenizerConfig(vocab_size=600 if chat else 400))
    if chat:
        tokenizer.add_special_tokens({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"})
        tokenizer.chat_template = template
    trajectory = Trajectory(
        "golden",
        "golden",
        "alfworld",
        "expert",
        0,
        "",
        tuple(
            Step(observation, completion, None, segment(completion, "react").spans) for observation, completion in steps
        ),
        1.0,
        True,
        "success",
    )
    row = tokenize_trajectory(trajectory, tokenizer, make_rendering(rendering, tokenizer))
    lines = [
        f"{SpanKind(kind).name} {tokenizer.decode([token])}"
        for kind, token in zip(row.kind, row.target_ids, strict=True)
    ]
    return golden["targets"], lines


@pytest.mark.parametrize("rendering", FILES)
def test_tokens_and_kinds_are_the_golden_ones(rendering) -> None:
    expected, found = read(rendering)
    assert found == expected


if __name__ == "__main__":  # writes the files anew, to be read by eye
    for rendering, path in FILES.items():
        golden = json.loads(path.read_text(encoding="utf-8"))
        golden["targets"] = read(rendering)[1]
        path.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
