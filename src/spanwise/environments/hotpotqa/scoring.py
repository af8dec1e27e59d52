"""Exact match and F1 of answers, as the data set's own evaluation script computes them.

Source: HotpotQA (arXiv 1809.09600), ``hotpot_evaluate_v1.py``.
"""

from __future__ import annotations

import re
import string
from collections import Counter

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
#: Answers that are right or wrong as a whole.
_WHOLE = ("yes", "no", "noanswer")


def normalize(answer: str) -> str:
    """The answer in lower case, without ASCII punctuation, articles and superfluous white space."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, gold: str) -> bool:
    """Whether both are the same once normalised."""
    return normalize(answer) == normalize(gold)


def f1(answer: str, gold: str) -> float:
    """Harmonic mean of precision and recall of the answer's words, 0 to 1; yes and no have no part in anything else."""
    found, wanted = normalize(answer), normalize(gold)
    if found != wanted and (found in _WHOLE or wanted in _WHOLE):
        return 0.0
    found_words, wanted_words = found.split(), wanted.split()
    common = (Counter(found_words) & Counter(wanted_words)).total()
    if not common:
        return 0.0
    precision, recall = common / len(found_words), common / len(wanted_words)
    return 2 * precision * recall / (precision + recall)
