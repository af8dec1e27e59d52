"""What a scripted expert has to say, and how it becomes words."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence of a thought.

    Attributes:
        key: Which: a key of the expert's templates.
        words: What fills the template.
    """

    key: str
    words: dict[str, str] = field(default_factory=dict)


def put_in_words(remarks: Sequence[Remark], templates: Mapping[str, tuple[str, ...]], seed: int, step: int) -> str:
    """A thought: the remarks in order, each in one of its wordings, which seed and step choose."""
    chosen = []
    for remark in remarks:
        ways = templates[remark.key]
        chosen.append(ways[zlib.crc32(f"{seed}/{step}/{remark.key}".encode()) % len(ways)].format(**remark.words))
    return " ".join(chosen)
