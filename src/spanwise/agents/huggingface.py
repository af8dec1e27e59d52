"""A local causal language model as an agent: many episodes a call, each token read once.

The keys and values of an episode stay in the cache from turn to turn, so a turn costs what it adds: the observation,
read in one pass, and the completion, a token at a time for all episodes together, or several where they were guessed
(``drafts.py``). What is fed and kept is, token for token, ``spanwise.data.tokenize.prompt_ids`` of the history, where
completions are the ids that were generated.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from spanwise.agents.admissible import AdmissibleCommands
from spanwise.agents.drafts import Drafts
from spanwise.agents.protocol import Completion, History
from spanwise.agents.ragged_cache import RaggedCache
from spanwise.data.render import PLAIN, Rendering
from spanwise.data.tokenize import prompt_ids, read_on
from spanwise.errors import ModelError

#: Tokens, padding included, of one pass over prompts: bounds the memory that long prompts take.
_MAX_PASS_TOKENS = 16384


@dataclass(slots=True)
class _Session:
    """An episode in the cache: ``cached`` ids of ``ids`` have been fed, the rest are next.

    ``turns`` of the history are in ``ids``, the last of which was ``generated``. Drafts know the first ``learnt`` ids.
    """

    row: int
    ids: list[int]
    turns: int
    cached: int = 0
    generated: tuple[int, ...] = ()
    learnt: int = 0

    @property
    def unread(self) -> int:
        """How many ids are next; at least one, for the last token of a turn is only read with the answer to it."""
        return len(self.ids) - self.cached


@dataclass(slots=True)
class _Turn:
    """A completion being generated."""

    session: _Session
    limit: int
    random: random.Random
    admissible: tuple[str, ...] | None
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    draft: list[int] = field(default_factory=list)
    uniform: list[float] = field(default_factory=list)


class HuggingFaceAgent:
    """Plays with a Hugging Face causal LM.

    Greedy choice depends on the history alone; sampling on the history, ``seed``, the episode's task and seed, and the
    turn. Neither depends on which other episodes are in the batch, up to the rounding of the model's arithmetic (which
    may differ in the last digits between batches, and decides only between tokens that are equally likely up to them).
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        name: str,
        temperature: float = 0.0,
        max_new_tokens: int = 160,
        seed: int = 0,
        rendering: Rendering = PLAIN,
        drafted: int = 8,
    ):
        """Wraps a model, which is put in evaluation mode; it computes in its own dtype, on its own device.

        Args:
            model: Any causal LM with plain attention in all layers.
            tokenizer: The model's; a turn ends with its end-of-sequence token, or as the rendering ends it.
            name: How trajectories name the agent.
            temperature: 0 takes the most likely token; above, tokens are drawn from softmax(logits / temperature).
            max_new_tokens: Tokens after which a completion is cut off.
            seed: Seed of the sampling.
            rendering: How histories become text; the one that the model was trained with.
            drafted: Tokens that are guessed before each pass, which changes how many passes there are; 0: none.

        Raises:
            ModelError: The tokenizer has no end-of-sequence token, the model states no context length, or it has
                layers that are not plain attention.
        """
        self.name = name
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.temperature = temperature
        self.max_new_tokens = max_new_tokens
        self.seed = seed
        self.rendering = rendering
        self._pad = _end_of_turn(tokenizer)
        self._ends = frozenset(rendering.ends(tokenizer))
        self._commands = AdmissibleCommands(tokenizer, self._ends)
        self._vocabulary = len(tokenizer)
        self._context_length = _context_length(model)
        _check_attention(model)
        self._cache = RaggedCache(model.config.get_text_config().num_hidden_layers, model.dtype, model.device)
        self._drafts = Drafts(drafted)
        self._sessions: dict[int, _Session] = {}
        self._session_of_row: list[_Session | None] = []

    def forget(self, episode: int) -> None:
        """Frees the episode's row."""
        session = self._sessions.pop(episode, None)
        if session is not None:
            self._session_of_row[session.row] = None
            self._cache.clear(session.row)

    @torch.inference_mode()
    def act(self, histories: Sequence[History]) -> list[Completion]:
        """One completion per history; the token ids include the end-of-turn token unless it was cut off.

        Log-probabilities are those of the distribution that was sampled from; for greedy choice, of the model's own. In
        a command that must be admissible, both are over the tokens that may come next.
        """
        turns = [self._begin(history) for history in histories]
        active = [turn for turn in turns if turn is not None]
        self._gather_in_front(active)
        self._read(active)
        while active:
            active = self._retire(active)
            if active:
                self._step(active)
        return [Completion("", out_of_context=True) if turn is None else self._finish(turn) for turn in turns]

    def _begin(self, history: History) -> _Turn | None:
        """Brings the episode's ids up to date; None if they leave no room for an answer."""
        session = self._sessions.get(history.episode)
        continues = (
            session is not None
            and len(history.steps) == session.turns + 1
            and history.steps[-1].token_ids == session.generated
        )
        if session is None or not continues:
            self.forget(history.episode)
            ids = prompt_ids(history.steps, history.observation, self.tokenizer, self.rendering)
            session = self._sessions[history.episode] = _Session(self._free_row(), ids, len(history.steps))
            self._session_of_row[session.row] = session
        else:
            self._go_on(session, history)
        room = self._context_length - len(session.ids)
        if room <= 0:
            return None
        own_random = random.Random(f"{self.seed}/{history.task_id}/{history.seed}/{len(history.steps)}")
        return _Turn(session, min(room, self.max_new_tokens), own_random, history.admissible)

    def _go_on(self, session: _Session, history: History) -> None:
        """Adds what is read next; where the rendering changes what it wrote before, that is read anew from there on."""
        ids = read_on(session.ids, history.steps, history.observation, self.tokenizer, self.rendering)
        known = zip(session.ids[: session.cached], ids[:-1], strict=False)
        same = next((at for at, (old, new) in enumerate(known) if old != new), min(session.cached, len(ids) - 1))
        self._cache.crop(session.row, same)
        session.ids, session.cached, session.learnt = ids, same, min(same, session.learnt)
        session.turns += 1

    def _free_row(self) -> int:
        """A row that no episode has."""
        if None in self._session_of_row:
            return self._session_of_row.index(None)
        self._session_of_row.append(None)
        return self._cache.add_row()

    def _gather_in_front(self, turns: Sequence[_Turn]) -> None:
        """Moves the rows of these turns to 0 … n-1, so that passes over them all need no copy of the cache."""
        acting = {id(turn.session) for turn in turns}
        idle = [row for row in range(len(turns)) if id(self._session_of_row[row]) not in acting]
        for turn in turns:
            if turn.session.row >= len(turns):
                self._swap_rows(turn.session.row, idle.pop())

    def _swap_rows(self, first: int, second: int) -> None:
        if first == second:
            return
        self._cache.swap(first, second)
        rows = self._session_of_row
        rows[first], rows[second] = rows[second], rows[first]
        for row in (first, second):
            session = rows[row]
            if session is not None:
                session.row = row

    def _read(self, turns: Sequence[_Turn]) -> None:
        """Feeds what is new to each episode, and chooses each one's first token; like lengths go together."""
        group: list[_Turn] = []
        for turn in sorted(turns, key=lambda turn: turn.session.unread):
            longest = turn.session.unread
            if group and (longest > 2 * group[0].session.unread + 16 or longest * (len(group) + 1) > _MAX_PASS_TOKENS):
                self._read_group(group)
                group = []
            group.append(turn)
        if group:
            self._read_group(group)

    def _read_group(self, group: Sequence[_Turn]) -> None:
        self._step(sorted(group, key=lambda turn: turn.session.row))

    def _step(self, turns: Sequence[_Turn]) -> None:
        """Feeds each turn what is next and a draft; adds to it what was guessed right, and a token."""
        most = self._drafts.room(len(turns), self._vocabulary)
        for turn in turns:
            session = turn.session
            self._drafts.read(session.ids, session.learnt)
            session.learnt = len(session.ids)
            turn.draft = self._drafts.after(session.ids, min(most, turn.limit - len(turn.token_ids) - 1))
        self._choose(turns, self._feed(turns))

    def _feed(self, turns: Sequence[_Turn]) -> torch.Tensor:
        """Runs the model over the unread ids of each turn and its draft; the logits after the last id and each guess.

        Returns:
            [B, 1 + longest draft, V]; those of a turn stand at the end. V is the tokenizer's vocabulary: rows by which
            a model's embedding is padded are not tokens.
        """
        fed = [turn.session.ids[turn.session.cached :] + turn.draft for turn in turns]
        counts = [len(ids) for ids in fed]
        plan = self._cache.plan([turn.session.row for turn in turns], counts)
        longest = max(counts)
        logits_BQV = self.model(
            input_ids=torch.tensor([[self._pad] * (longest - len(ids)) + ids for ids in fed], device=self.model.device),
            attention_mask=plan.mask,
            position_ids=plan.positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1 + max(len(turn.draft) for turn in turns),
        ).logits
        self._cache.commit(plan)
        return logits_BQV[..., : self._vocabulary]

    def _choose(self, turns: Sequence[_Turn], logits_BQV: torch.Tensor) -> None:
        """Adds to each turn the tokens of its draft that it would have chosen, and one more."""
        logits_BQV = self._constrain(turns, logits_BQV.float())
        logprobs_BQV = torch.log_softmax(logits_BQV / (self.temperature or 1.0), dim=-1)
        if self.temperature:
            # Walk along the probabilities until they add up to a number, of the row's own, out of (0, 1].
            uniform_BQ = torch.tensor(self._uniform(turns, logits_BQV.shape[1]), device=logprobs_BQV.device)
            total_BQV = logprobs_BQV.exp().cumsum(dim=-1)
            chosen_BQ1 = torch.searchsorted(total_BQV, uniform_BQ[..., None] * total_BQV[..., -1:])
        else:
            chosen_BQ1 = logprobs_BQV.argmax(dim=-1, keepdim=True)
        found_BQ2 = torch.cat([chosen_BQ1.double(), logprobs_BQV.gather(2, chosen_BQ1).double()], dim=2)  # one way home
        for turn, found in zip(turns, found_BQ2.tolist(), strict=True):
            session = turn.session
            for guess, (token_id, logprob) in zip([*turn.draft, None], found[-1 - len(turn.draft) :], strict=True):
                turn.token_ids.append(int(token_id))
                turn.logprobs.append(round(logprob, 6))
                session.ids.append(int(token_id))
                if token_id != guess or token_id in self._ends:
                    break
            session.cached = len(session.ids) - 1
            self._cache.crop(session.row, session.cached)

    def _uniform(self, turns: Sequence[_Turn], places: int) -> list[list[float]]:
        """A number out of (0, 1] for each token that may be chosen, [B, Q]: always the same for a token of a turn."""
        numbers = []
        for turn in turns:
            missing = len(turn.token_ids) + 1 + len(turn.draft) - len(turn.uniform)
            turn.uniform += [1.0 - turn.random.random() for _ in range(missing)]
            mine = turn.uniform[len(turn.token_ids) : len(turn.token_ids) + 1 + len(turn.draft)]
            numbers.append([1.0] * (places - len(mine)) + mine)
        return numbers

    def _constrain(self, turns: Sequence[_Turn], logits_BQV: torch.Tensor) -> torch.Tensor:
        """The logits, minus infinity where a turn has come to a command that is not admissible. [B, Q, V]"""
        for row, turn in enumerate(turns):
            if turn.admissible is None:
                continue
            for guessed in range(1 + len(turn.draft)):
                allowed = self._commands.next_tokens([*turn.token_ids, *turn.draft[:guessed]], turn.admissible)
                if allowed is not None:
                    others = torch.ones(logits_BQV.shape[2], dtype=torch.bool, device=logits_BQV.device)
                    others[sorted(allowed)] = False
                    logits_BQV[row, guessed - 1 - len(turn.draft)].masked_fill_(others, -torch.inf)
        return logits_BQV

    def _retire(self, turns: list[_Turn]) -> list[_Turn]:
        """The turns that go on, in the order of their rows, which are made the first ones."""
        active = [turn for turn in turns if turn.token_ids[-1] not in self._ends and len(turn.token_ids) < turn.limit]
        if len(active) < len(turns):
            self._gather_in_front(active)
        return sorted(active, key=lambda turn: turn.session.row)

    def _finish(self, turn: _Turn) -> Completion:
        turn.session.generated = tuple(turn.token_ids)
        ended = turn.token_ids[-1] in self._ends
        ids = turn.token_ids[:-1] if ended else turn.token_ids
        text = self.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return Completion(text, turn.session.generated, tuple(turn.logprobs), truncated=not ended)


def _end_of_turn(tokenizer: PreTrainedTokenizerBase) -> int:
    if not isinstance(tokenizer.eos_token_id, int):
        raise ModelError("the tokenizer has no end-of-sequence token (eos_token), which ends a turn")
    return tokenizer.eos_token_id


def _context_length(model: PreTrainedModel) -> int:
    """Tokens that the model can hold; where all its layers look through a sliding window, no more than that shows."""
    config = model.config.get_text_config()
    length = getattr(config, "max_position_embeddings", None)
    if not isinstance(length, int):
        raise ModelError(f"the configuration of {type(model).__name__} has no max_position_embeddings (context length)")
    return min(length, getattr(config, "sliding_window", None) or length)


def _check_attention(model: PreTrainedModel) -> None:
    """Refuses what the cache cannot serve: layers of different sight, and attention that takes no explicit mask."""
    layer_types = set(getattr(model.config.get_text_config(), "layer_types", None) or ["full_attention"])
    if layer_types != {"full_attention"}:
        raise ModelError(
            f"{type(model).__name__} has layers of type {', '.join(sorted(layer_types))}; all must be full_attention"
        )
    implementation = model.config._attn_implementation
    if implementation not in ("sdpa", "eager"):
        raise ModelError(f"attn_implementation must be 'sdpa' or 'eager' for playing, found {implementation!r}")
