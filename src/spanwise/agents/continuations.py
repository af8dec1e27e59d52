"""What a model would write after given texts: greedy, many at a time, each text's known beginning read once.

An agent that plays reads what itself wrote before (``agents/huggingface.py``); here what was written before is given.
A row of the cache keeps what the next text has in common with the last one, which for the turns of a recorded episode
is all but the turn that the model would have taken instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from spanwise.agents.huggingface import _check_attention, _context_length, _end_of_turn
from spanwise.agents.protocol import Completion
from spanwise.agents.ragged_cache import RaggedCache
from spanwise.data.render import PLAIN, Rendering

#: Tokens, padding included, of one pass over prompts: bounds the memory that long prompts take.
_MAX_PASS_TOKENS = 16384


@dataclass(slots=True)
class _Row:
    """A row of the cache, which has been fed the first ``cached`` of ``ids``; those of index ``prompt`` on are new."""

    place: int
    ids: list[int] = field(default_factory=list)
    cached: int = 0
    prompt: int = 0
    room: int = 0

    @property
    def unread(self) -> int:
        """How many ids are next."""
        return len(self.ids) - self.cached


class Continuations:
    """Greedy completions of a model, up to the end of the turn."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        max_new_tokens: int,
        rendering: Rendering = PLAIN,
    ):
        """Wraps a model, which is put in evaluation mode; it computes in its own dtype, on its own device.

        Args:
            model: Any causal LM with plain attention in all layers.
            tokenizer: The model's.
            max_new_tokens: Tokens after which a completion is cut off.
            rendering: Says what ends a turn.

        Raises:
            ModelError: The tokenizer has no end-of-sequence token, the model states no context length, or it has
                layers that are not plain attention.
        """
        self.model, self.tokenizer = model.eval(), tokenizer
        self.max_new_tokens = max_new_tokens
        self.context_length = _context_length(model)
        self._pad = _end_of_turn(tokenizer)
        self._ends = frozenset(rendering.ends(tokenizer))
        self._vocabulary = len(tokenizer)
        _check_attention(model)

    @torch.inference_mode()
    def complete(
        self, prompts: Sequence[Sequence[Sequence[int]]], progress: Callable[[int], None] = lambda done: None
    ) -> list[list[Completion]]:
        """One completion for every prompt.

        Args:
            prompts: Episodes, and the ids before each turn of them, at least one and none longer than the model reads;
                the prompts of an episode are best given in order, and may have a beginning in common.
            progress: Told how many more completions there are.
        """
        config = self.model.config.get_text_config()
        cache = RaggedCache(config.num_hidden_layers, self.model.dtype, self.model.device)
        rows = [_Row(cache.add_row()) for _ in prompts]
        found: list[list[Completion]] = [[] for _ in prompts]
        for turn in range(max(map(len, prompts), default=0)):
            acting = [number for number, of_episode in enumerate(prompts) if turn < len(of_episode)]
            for number in acting:
                self._begin(cache, rows[number], prompts[number][turn])
            self._answer(cache, rows, [rows[number] for number in acting])
            for number in acting:
                found[number].append(self._completion(rows[number]))
            progress(len(acting))
        return found

    def _begin(self, cache: RaggedCache, row: _Row, prompt: Sequence[int]) -> None:
        """Makes a prompt what the row reads next; at least its last token is read anew, for what follows it."""
        known = zip(row.ids[: row.cached], prompt, strict=False)
        row.cached = next((at for at, (old, new) in enumerate(known) if old != new), min(row.cached, len(prompt) - 1))
        cache.crop(row.place, row.cached)
        row.ids = list(prompt)
        row.prompt = len(prompt)
        row.room = min(self.max_new_tokens, self.context_length - len(prompt))

    def _answer(self, cache: RaggedCache, rows: Sequence[_Row], acting: list[_Row]) -> None:
        """Adds tokens to each row until its turn ends."""
        group: list[_Row] = []
        for row in sorted(acting, key=lambda row: row.unread):  # like lengths go together
            longest = row.unread
            if group and (longest > 2 * group[0].unread + 16 or longest * (len(group) + 1) > _MAX_PASS_TOKENS):
                self._feed(cache, group)
                group = []
            group.append(row)
        if group:
            self._feed(cache, group)
        while acting := [
            row for row in acting if row.ids[-1] not in self._ends and len(row.ids) - row.prompt < row.room
        ]:
            _gather_in_front(cache, rows, acting)
            self._feed(cache, acting)

    def _feed(self, cache: RaggedCache, rows: Sequence[_Row]) -> None:
        """Has the model read what is next of some rows, and adds the likeliest token to each."""
        rows = sorted(rows, key=lambda row: row.place)
        counts = [row.unread for row in rows]
        plan = cache.plan([row.place for row in rows], counts)
        longest = max(counts)
        padded = [
            [self._pad] * (longest - count) + row.ids[row.cached :] for row, count in zip(rows, counts, strict=True)
        ]
        logits_B1V = self.model(
            input_ids=torch.tensor(padded, device=self.model.device),
            attention_mask=plan.mask,
            position_ids=plan.positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits
        cache.commit(plan)
        for row, chosen in zip(rows, logits_B1V[:, -1, : self._vocabulary].argmax(-1).tolist(), strict=True):
            row.cached = len(row.ids)
            row.ids.append(chosen)

    def _completion(self, row: _Row) -> Completion:
        ids = row.ids[row.prompt :]
        ended = ids[-1] in self._ends
        text = self.tokenizer.decode(
            ids[:-1] if ended else ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        assert isinstance(text, str)
        return Completion(text, tuple(ids), truncated=not ended)


def _gather_in_front(cache: RaggedCache, rows: Sequence[_Row], acting: Sequence[_Row]) -> None:
    """Moves some rows to the places 0 … n-1, so that a pass over them needs no copy of the cache."""
    count = len(acting)
    chosen = {row.place for row in acting}
    at = {row.place: row for row in rows}
    idle = [place for place in range(count) if place not in chosen]
    for row in acting:
        if row.place >= count:
            other = at[idle.pop()]
            cache.swap(row.place, other.place)
            row.place, other.place = other.place, row.place
