"""Conversations whose only completion may hold a whole episode: results that a program put there among the words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from spanwise.traces.formats.conversation import conversation_episode
from spanwise.traces.formats.messages import Message
from spanwise.traces.formats.tags import has_results, tags_episodes
from spanwise.traces.formats.transcript import tile, transcript_episodes
from spanwise.traces.raw import Body, RawEpisode


def whole_episodes(messages: Sequence[Message]) -> Iterator[RawEpisode]:
    """The episode of a conversation; a whole transcript in the only completion is read as one."""
    said = [one for one in messages if one.role == "assistant"]
    if len(said) == 1 and messages[-1] is said[0] and not said[0].calls:
        asked = "\n\n".join(one.text for one in messages if one.role == "user")
        system = "\n\n".join(one.text for one in messages if one.role == "system") or None
        if _is_transcript(said[0].text):
            for episode in transcript_episodes(said[0].text, whole=True):
                yield _asked(episode, asked, system)
            return
        if has_results(said[0].text):
            for episode in tags_episodes(Body(said[0].text, "", {}, asked)):
                yield replace(episode, system=system)
            return
    episode = conversation_episode(messages)
    if episode is not None:
        yield episode


def _is_transcript(text: str) -> bool:
    """Whether the last completion of all holds both sides: nobody answered it, so it is a log, and not made up."""
    sides = [one.side for one in tile(text)]
    return "agent" in sides and "environment" in sides[1:]


def _asked(episode: RawEpisode, asked: str, system: str | None) -> RawEpisode:
    """The episode of a transcript that answered a question told elsewhere."""
    first, *others = episode.turns
    if not first.observation:
        first = replace(first, observation=asked)
    return replace(episode, turns=(first, *others), system=system if episode.system is None else episode.system)
