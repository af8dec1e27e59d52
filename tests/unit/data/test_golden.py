"""Tokens and kinds of a known trajectory, read by eye once and never to change unnoticed.

``tests/golden/react_tokens.json`` holds the steps, and a line ``<kind> <token>`` for each target.
"""

import json
from pathlib import Path

from spanwise.config import TokenizerConfig
from spanwise.data.tokenize import tokenize_trajectory
from spanwise.traces.segment import segment
from spanwise.training.models import create_tokenizer
from spanwise.types import SpanKind, Step, Trajectory

GOLDEN = Path(__file__).parents[2] / "golden" / "react_tokens.json"


def read() -> tuple[list[list[str]], list[str]]:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    steps = golden["steps"]
    tokenizer = create_tokenizer([text for step in steps for text in step] * 4, TokenizerConfig(vocab_size=400))
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
    row = tokenize_trajectory(trajectory, tokenizer)
    lines = [
        f"{SpanKind(kind).name} {tokenizer.decode([token])}"
        for kind, token in zip(row.kind, row.target_ids, strict=True)
    ]
    return golden["targets"], lines


def test_tokens_and_kinds_are_the_golden_ones() -> None:
    expected, found = read()
    assert found == expected


if __name__ == "__main__":  # writes the file anew, to be read by eye
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    golden["targets"] = read()[1]
    GOLDEN.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
