"""How the HotPotQA expert says what it thinks: it quotes, then concludes, in two or three ways each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from spanwise.agents.experts.remarks import Remark, put_in_words

#: What is quoted of a sentence, and of a question, in words.
_QUOTED = 28

TEMPLATES: dict[str, tuple[str, ...]] = {
    "asked": ("I am asked: {question}", "The question is: {question}"),
    "begin": ("I begin with {name}.", "I search {name} first."),
    "compare": ("I must compare {one} and {other}. I begin with {one}.", "I need {one} and {other}. First {one}."),
    "quote": ('The page says: "{sentence}"', 'I read: "{sentence}"'),
    "now_asked": ("So I am asked: {question}", "So the question is now: {question}"),
    "leads": ("So it is about {name}.", "That is {name}."),
    "search": ("I search {name}.", "Next I search {name}."),
    "value": ("So for {name} it is {value}.", "That makes {value} for {name}."),
    "next": ("Now I need {name}.", "Next is {name}."),
    "silent": ("The page does not say it so far.", "What I see does not say it."),
    "elsewhere": ("This page does not help.", "This page leads nowhere."),
    "look_up": ('I look up "{words}".', 'I look for "{words}" further down.'),
    "no_more": ('There is no more of "{words}".', 'The page has nothing more of "{words}".'),
    "miss": ("There is no page {name}.", "{name} is not found."),
    "similar": ("{title} is similar, so I search that.", "But there is {title}, so I search it."),
    "none_similar": ("None of the similar titles fits.", "The similar titles do not fit."),
    "both_values": ("{one} has {first}, {other} has {second}.", "It is {first} for {one} and {second} for {other}."),
    "answer": ("So the answer is {answer}.", "The answer is {answer}."),
    "guess": ("I cannot be sure, but {answer} fits best.", "The best that I found is {answer}."),
    "lost": ("That did not work.",),
}


def word(remarks: Sequence[Remark], seed: int, step: int) -> str:
    """A thought: the remarks in order, each in one of its wordings, which seed and step choose."""
    return put_in_words(remarks, TEMPLATES, seed, step)


def shortened(sentence: str, around: str = "") -> str:
    """A sentence; of a long one a stretch of words that has ``around`` in it, as it is written."""
    words = sentence.split()
    if len(words) <= _QUOTED:
        return " ".join(words)
    place = sentence.find(around) if around else -1
    first = len(sentence[:place].split()) if place > 0 else 0
    start = max(0, min(first - _QUOTED // 2, len(words) - _QUOTED))
    return " ".join(words[start : start + _QUOTED])


def last_words(question: str) -> str:
    """A question; of a long one its last words, which ask."""
    words = question.split()
    return " ".join(words[-_QUOTED:])


def fitting(text: str) -> str:
    """A text that can stand between the brackets of an action."""
    return re.sub(r"[\[\]]", "", " ".join(text.split()))
