"""Tags in one text, results included: Search-R1, R1-Searcher, verl-agent and others of reinforcement learning.

``<think>``, ``<search>``, ``<answer>`` are the agent's; ``<information>`` and other tags of results were put there by
the environment, in the middle of what reads like one message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spanwise.traces.raw import Body, RawEpisode, RawTurn, TraceFormat

_NAMES = (
    "information|result|results|tool_response|tool_result|observation|observations|output|search_result|search_results|"
    "documents|context|env|environment|function_results|execution_result|begin_of_documents"
)
_RESULT = re.compile(
    rf"[ \t]*<\|?(?P<name>{_NAMES})\|?>(?P<text>.*?)(?:</(?P=name)>|<\|(?:end_of_documents)\|>|\Z)\s*",
    re.DOTALL | re.IGNORECASE,
)
_AGENT = re.compile(r"<(?:think|search|answer|action|code|python|tool_call|tool|\|begin_of_query\|)>", re.IGNORECASE)
_QUESTION = re.compile(r"(?:^|\n)(?:Question|question|Q):[ \t]*([^\n]+)")


def _evidence(body: Body) -> str | None:
    if not isinstance(body.value, str):
        return None
    tags = _AGENT.findall(body.value)
    kinds = sorted({tag.lower() for tag in tags})
    return f"{len(tags)} tags: {', '.join(kinds)}" if tags else None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    text = str(body.value)
    first = _AGENT.search(text)
    begun = first.start() if first else 0
    prompt = text[:begun].rpartition("\n\n")[0] if "prompt" not in body.fields else ""
    asked = next(
        (
            str(body.fields[key])
            for key in ("question", "prompt", "query", "instruction", "input", "task")
            if body.fields.get(key)
        ),
        "",
    )
    question = _QUESTION.search(text[:begun])
    opening = text[: len(prompt)].strip() or asked
    turns: list[RawTurn] = []
    observation, position = opening, len(prompt)
    for result in _RESULT.finditer(text, position):
        said = text[position : result.start()].strip()
        if said:
            turns.append(RawTurn(observation, said))
            observation = result[0].strip()
        else:
            observation = f"{observation}\n{result[0].strip()}"
        position = result.end()
    final: str | None = observation if turns else None
    if rest := text[position:].strip():
        turns.append(RawTurn(observation, rest))
        final = None
    task = question[1].strip() if question else asked
    yield RawEpisode(tuple(turns), "tags", task, final_observation=final)


FORMAT = TraceFormat("tags with results between them (Search-R1, verl-agent)", _evidence, _episodes)
