"""Words with which lines begin in ReAct's manner, and in how many ways people and models write them.

``Action:``, ``Action 3:``, ``Action3：``, ``**Action:**``, ``### Action`` and ``行动：`` are all the same label.
"""

from __future__ import annotations

import re
from typing import Literal

Role = Literal["reason", "act", "input", "observation", "task"]

#: Words of each role, as regular expressions without case; misspelt as programs in use write them.
WORDS: dict[Role, str] = {
    "reason": r"thoughts?|think(?:ing)?|reasoning|action[ \t]?path|思考|想法",
    "act": r"action|aciton|act|(?:final[ \t]+)?answer|行动|动作|最终答案|最终回答",
    "input": r"action[ _]input|行动输入|动作输入",
    "observation": r"observation|obversation|obervation|obs|观察|观察结果",
    "task": r"question|claim|task|instruction|goal|query|问题|任务",
}

#: A label begins its line (spaces before it allowed) and ends with a colon, which a Markdown heading may lack.
_LABEL = (
    r"^[ \t]*(?P<label>(?P<heading>\#{1,4}[ \t]+)?\*{0,2}(?:%s)(?:[ \t]?(?P<number>\d{1,6}))?\*{0,2}"
    r"[ \t]*(?(heading)(?:[:：]|(?=[ \t\r]*$))|[:：])\*{0,2})[ \t]?"
)


def labels(*roles: Role, ignore_case: bool = True) -> re.Pattern[str]:
    """A pattern of the labels of some roles, each a named group; further groups are ``label`` and ``number``.

    Args:
        roles: Which labels.
        ignore_case: If not, words begin with a capital or are all capitals.
    """
    if ignore_case:
        alternatives = "|".join(f"(?P<{role}>{WORDS[role]})" for role in roles)
        return re.compile(_LABEL % alternatives, re.MULTILINE | re.IGNORECASE)
    # A capital first: text in which a line begins with "action: ..." is seldom a transcript.
    alternatives = "|".join(f"(?P<{role}>(?i:{WORDS[role]}))" for role in roles)
    return re.compile(_LABEL % f"(?=[A-Z\u4e00-\u9fff])(?:{alternatives})", re.MULTILINE)
