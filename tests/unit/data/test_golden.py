"""Tokens and kinds of known trajectories, read by eye once and never to change unnoticed.

``tests/golden/react_tokens.json`` (plain) and ``chat_tokens.json`` (SmolLM2's chat template) hold the steps, and a line
``<kind> <token>`` for each target. ``tests/golden/chat/<family>.<conversation>.txt`` has such lines for the
conversations of ``conversations.json`` as the families' templates write them, a heading before each row.
"""

import importlib.util
import json
from pathlib import Path

import pytest

from spanwise.config import TokenizerConfig
from spanwise.data.render import ChatRendering, make_rendering
from spanwise.data.tokenize import tokenize_samples, tokenize_trajectory
from spanwise.traces.segment import segment
from spanwise.training.models import create_tokenizer
from spanwise.types import SpanKind, Step, Trajectory

GOLDEN = Path(__file__).parents[2] / "golden"
FILES = {"plain": GOLDEN / "react_tokens.json", "chat": GOLDEN / "chat_tokens.json"}
TEMPLATE = GOLDEN / "smollm2_chat_template.jinja"
CONVERSATIONS = json.loads((GOLDEN / "conversations.json").read_text(encoding="utf-8"))
CHATS = [
    *(f"{family}.words" for family in ("chatml", "llama3", "gemma", "qwen2_5", "qwen3", "deepseek", "smollm2")),
    *(f"{family}.calls" for family in ("chatml", "llama3", "qwen2_5", "qwen3", "deepseek")),
    *(f"{family}.thoughts" for family in ("qwen2_5", "qwen3", "deepseek")),
    *(f"{family}.tags" for family in ("qwen3", "deepseek")),
]


def make(steps, style="react", system=None, tools=None) -> Trajectory:
    cut = tuple(Step(seen, said, None, segment(said, style).spans) for seen, said in steps)
    return Trajectory(
        "golden", "golden", "alfworld", "expert", 0, "", cut, 1.0, True, "success", {"style": style},
        system=system, tools=None if tools is None else tuple(tools),
    )  # fmt: skip


def read(rendering) -> tuple[list[str], list[str]]:
    golden = json.loads(FILES[rendering].read_text(encoding="utf-8"))
    steps = golden["steps"]
    texts, template = [text for step in steps for text in step], TEMPLATE.read_text(encoding="utf-8")
    chat = rendering == "chat"
    tokenizer = create_tokenizer((texts + [template] * chat) * 4, TokenizerConfig(vocab_size=600 if chat else 400))
    if chat:
        tokenizer.add_special_tokens({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"})
        tokenizer.chat_template = template
    row = tokenize_trajectory(make(steps), tokenizer, make_rendering(rendering, tokenizer))
    lines = [
        f"{SpanKind(kind).name} {tokenizer.decode([token])}"
        for kind, token in zip(row.kind, row.target_ids, strict=True)
    ]
    return golden["targets"], lines


def lines_of(chat: str, family_tokenizer) -> list[str]:
    family, conversation = chat.split(".")
    tokenizer = family_tokenizer(family)
    lines = []
    for row in tokenize_samples(make(**CONVERSATIONS[conversation]), tokenizer, ChatRendering(tokenizer)):
        lines.append(f"# {row.id}")
        lines += [
            f"{SpanKind(kind).name} {json.dumps(tokenizer.decode([token]), ensure_ascii=False)}"
            for kind, token in zip(row.kind, row.target_ids, strict=True)
        ]
    return lines


@pytest.mark.parametrize("rendering", FILES)
def test_tokens_and_kinds_are_the_golden_ones(rendering) -> None:
    expected, found = read(rendering)
    assert found == expected


@pytest.mark.parametrize("chat", CHATS)
def test_tokens_and_kinds_of_chats_are_the_golden_ones(chat, family_tokenizer) -> None:
    expected = (GOLDEN / "chat" / f"{chat}.txt").read_text(encoding="utf-8").splitlines()
    assert lines_of(chat, family_tokenizer) == expected


if __name__ == "__main__":  # writes the files anew, to be read by eye
    for rendering, path in FILES.items():
        golden = json.loads(path.read_text(encoding="utf-8"))
        golden["targets"] = read(rendering)[1]
        path.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("conftest", Path(__file__).parents[2] / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    conftest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conftest)
    for chat in CHATS:
        text = "\n".join(lines_of(chat, conftest.make_family_tokenizer)) + "\n"
        (GOLDEN / "chat" / f"{chat}.txt").write_text(text, encoding="utf-8")
