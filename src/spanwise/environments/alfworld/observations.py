"""ALFWorld's text as agents see it, after ReAct's clean-up, and the two dialects of its commands.

Source: Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models", section 4 and its ALFWorld program.
"""

from __future__ import annotations

import re
from collections.abc import Container

_BANNER = re.compile(r"\A-= Welcome to TextWorld, ALFRED! =-\s*")
_ARRIVAL = re.compile(r"\AYou arrive at loc [^.]*\. ")
_PUT = re.compile(r"\Aput (?P<object>.+?) in/on (?P<receptacle>.+)\Z")
_MOVE = re.compile(r"\Amove (?P<object>.+?) to (?P<receptacle>.+)\Z")


def clean_first_observation(text: str) -> str:
    """The room, and on the next line the goal; the banner and the empty lines are gone."""
    paragraphs = _BANNER.sub("", text.strip()).split("\n\n")
    return "\n".join(paragraph.strip() for paragraph in paragraphs if paragraph.strip())


def clean_observation(text: str) -> str:
    """The engine's answer without the number of the place where the player arrives."""
    return _ARRIVAL.sub("", text.strip())


def in_dialect(command: str, admissible: Container[str]) -> str:
    """The command as this game says it.

    Released games say ``put X in/on Y``, those made with alfworld 0.4's grammar ``move X to Y``; both are understood
    in both. A command that is admissible in neither way stays as it is.
    """
    command = command.strip()
    return next((said for said in (command, *dialects(command)) if said in admissible), command)


def dialects(command: str) -> list[str]:
    """All ways to say a command, the given one among them."""
    match = _PUT.match(command) or _MOVE.match(command)
    if match is None:
        return [command]
    return [
        said.format(**match.groupdict())
        for said in ("put {object} in/on {receptacle}", "move {object} to {receptacle}")
    ]
