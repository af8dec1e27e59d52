import math
import random
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from spanwise.agents.huggingface import HuggingFaceAgent
from spanwise.agents.protocol import Completion, History
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import ArchitectureConfig
from spanwise.data.render import PLAIN, ChatRendering, Rendering
from spanwise.data.tokenize import prompt_ids
from spanwise.environments.toy import ToyTasks
from spanwise.errors import ModelError
from spanwise.training.models import create_model
from spanwise.types import Span, SpanKind, Step


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_tokenizer(eos: str | None = "<eos>") -> PreTrainedTokenizerFast:
    """Bytes and an end-of-turn token."""
    vocabulary = {token: index for index, token in enumerate(["<eos>", *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=eos)


def sharpened(model: PreTrainedModel) -> PreTrainedModel:
    """Random weights, large enough that what the model says depends on what it read."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5)
    return model.eval()


def make_llama(length: int = 512, attention: str = "sdpa", size: int = 32) -> PreTrainedModel:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=257,
        hidden_size=size,
        intermediate_size=2 * size,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=length,
        bos_token_id=None,
        eos_token_id=0,
        attn_implementation=attention,
    )
    return sharpened(LlamaForCausalLM(config))


def make_gpt2() -> PreTrainedModel:
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=257, n_embd=32, n_layer=2, n_head=4, n_positions=512, bos_token_id=0, eos_token_id=0)
    return sharpened(GPT2LMHeadModel(config))


TOKENIZER = make_tokenizer()


def make_own() -> PreTrainedModel:
    """A model from scratch, whose query and key norms must not depend on what is cached."""
    shape = ArchitectureConfig(hidden_size=32, intermediate_size=64, layers=2, heads=2, max_length=512)
    model = create_model(shape, TOKENIZER, 0)
    with torch.no_grad():  # embeddings are tied to the head: where they outweigh the layers, the last token is repeated
        model.get_input_embeddings().weight.div_(5)
    return sharpened(sharpened(model))


@torch.inference_mode()
def generate(
    model: PreTrainedModel, history: History, limit: int, eos: int = 0, rendering: Rendering = PLAIN
) -> tuple[int, ...]:
    """What transformers itself generates, reading the whole history."""
    ids = torch.tensor([prompt_ids(history.steps, history.observation, TOKENIZER, rendering)])
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=limit,
        eos_token_id=eos,
        pad_token_id=0,
    )
    return tuple(output[0, ids.shape[1] :].tolist())


def answered(history: History, completion: Completion) -> tuple[Step, ...]:
    spans = (Span(SpanKind.REASON, 0, len(completion.text)),) if completion.text else ()
    step = Step(history.observation, completion.text, None, spans, completion.token_ids, completion.logprobs)
    return (*history.steps, step)


def play(
    agent: HuggingFaceAgent, concurrency: int, episodes: int = 12, turns: int = 4
) -> list[tuple[History, Completion]]:
    """Ragged episodes: unequal observations, unequal numbers of turns, shuffled, some pausing, slots refilled."""
    shuffle = random.Random(concurrency)
    waiting, live, record = list(range(episodes)), {}, []
    while waiting or live:
        while waiting and len(live) < concurrency:
            live[waiting.pop(0)] = ()
        histories = [
            History(episode, f"task-{episode}", episode, steps, "You see " + "box, " * ((7 * episode + len(steps)) % 9))
            for episode, steps in live.items()
        ]
        shuffle.shuffle(histories)
        histories = histories[: max(1, len(histories) - shuffle.randrange(3))]
        for history, completion in zip(histories, agent.act(histories), strict=True):
            record.append((history, completion))
            live[history.episode] = answered(history, completion)
            if len(live[history.episode]) > history.episode % turns:
                del live[history.episode]
                agent.forget(history.episode)
    return record


def content(record: list[tuple[History, Completion]]) -> dict[tuple[int, int], tuple[int, ...] | None]:
    return {(history.episode, len(history.steps)): completion.token_ids for history, completion in record}


@pytest.mark.parametrize("make", [make_llama, make_own, make_gpt2, lambda: make_llama(attention="eager")])
def test_tokens_are_those_of_generate_on_the_full_history(make: Callable[[], PreTrainedModel]):
    model = make()
    record = play(HuggingFaceAgent(model, TOKENIZER, "m", max_new_tokens=12), concurrency=5)
    assert len(record) == 30
    assert max(len(history.steps) for history, _ in record) == 3
    for history, completion in record:
        assert completion.token_ids == generate(model, history, limit=12)
    assert len({completion.token_ids for _, completion in record}) > 10, "the model should react to what it reads"


def test_tokens_are_those_of_generate_on_the_full_conversation():
    model, tokenizer = make_llama(1024), make_tokenizer()
    tokenizer.chat_template = (
        "Play.{% for m in messages %}{{ '[' + m.role + ']' + m.content + '<eos>' }}{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    chat = ChatRendering(tokenizer)
    record = play(HuggingFaceAgent(model, tokenizer, "m", max_new_tokens=12, rendering=chat), concurrency=5)
    assert max(len(history.steps) for history, _ in record) == 3
    for history, completion in record:
        assert completion.token_ids == generate(model, history, limit=12, rendering=chat)


def test_turns_end_at_the_end_of_turn_token_each_at_its_own_time():
    model = make_llama()
    agent = HuggingFaceAgent(model, TOKENIZER, "m", max_new_tokens=30)
    # The token that the random model says in most turns, other than at once, is made the one that ends a turn.
    turns = Counter(token for _, completion in play(agent, 5) for token in set((completion.token_ids or ())[3:]))
    ((eos, _),) = turns.most_common(1)
    tokenizer = make_tokenizer(TOKENIZER.convert_ids_to_tokens(eos))
    record = play(HuggingFaceAgent(model, tokenizer, "m", max_new_tokens=30), concurrency=5)
    ended = [completion for _, completion in record if not completion.truncated]
    assert 5 < len(ended) < len(record)
    assert len({len(completion.token_ids or ()) for completion in ended}) > 2
    for history, completion in record:
        assert completion.token_ids == generate(model, history, limit=30, eos=eos)
        ids = list(completion.token_ids or ())
        assert (ids[-1] == eos) != completion.truncated
        assert completion.text == tokenizer.decode(ids if completion.truncated else ids[:-1])


def counted(agent: HuggingFaceAgent) -> list[int]:
    """Tokens of each row of each pass that the agent will make."""
    fed: list[int] = []
    feed = agent._feed

    def counting(turns):
        fed.extend(turn.session.unread + len(turn.draft) for turn in turns)
        return feed(turns)

    agent._feed = counting
    return fed


def test_every_token_is_read_once():
    agent = HuggingFaceAgent(make_llama(), TOKENIZER, "m", max_new_tokens=12, drafted=0)
    fed = counted(agent)
    record = play(agent, concurrency=5)
    last = {history.episode: (history, completion) for history, completion in record}
    read = [
        len(prompt_ids(history.steps, history.observation, TOKENIZER)) + len(completion.token_ids or ()) - 1
        for history, completion in last.values()
    ]
    assert sum(fed) == sum(read), "the last token of an episode is never read, all others once"


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("eos", [0, None])
def test_guesses_change_how_many_passes_there_are_and_nothing_else(temperature: float, eos: int | None):
    model = make_llama(2048)
    tokenizer = TOKENIZER
    if eos is None:  # a token that is often said, so that guesses go on beyond the end of a turn
        free = play(HuggingFaceAgent(model, TOKENIZER, "m", temperature, max_new_tokens=40), concurrency=5)
        said = Counter(token for _, completion in free for token in (completion.token_ids or ())[5:])
        tokenizer = make_tokenizer(TOKENIZER.convert_ids_to_tokens(said.most_common(1)[0][0]))

    def played(drafted: int) -> tuple[list[tuple[History, Completion]], int]:
        agent = HuggingFaceAgent(model, tokenizer, "m", temperature, max_new_tokens=40, drafted=drafted)
        fed = counted(agent)
        return play(agent, concurrency=5), len(fed)

    (plain, passes), (guessed, fewer) = played(0), played(8)
    assert content(guessed) == content(plain)
    for (_, one), (_, other) in zip(plain, guessed, strict=True):
        assert one.truncated == other.truncated
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
    assert fewer < (passes if temperature else 0.9 * passes)


def test_rows_are_used_again():
    agent = HuggingFaceAgent(make_llama(), TOKENIZER, "m", max_new_tokens=4)
    play(agent, concurrency=3)
    assert len(agent._session_of_row) == 3
    assert agent._sessions == {}


def test_a_history_that_does_not_go_on_from_the_last_turn_is_read_anew():
    model = make_llama()
    agent = HuggingFaceAgent(model, TOKENIZER, "m", max_new_tokens=8)
    first = History(0, "t", 0, (), "You see a box.")
    (completion,) = agent.act([first])
    steps = answered(first, Completion("abc", token_ids=(1, 2, 3, 0)))
    for changed in (
        History(0, "t", 0, (), "Another start."),
        History(0, "t", 0, steps, "The turn was another's."),
        History(0, "t", 0, (*answered(first, completion), *steps), "A turn was left out."),
    ):
        assert agent.act([changed])[0].token_ids == generate(model, changed, limit=8)


def test_sampling_depends_on_episode_and_seed_not_on_the_batch():
    def sampled(concurrency: int, seed: int = 0):
        agent = HuggingFaceAgent(make_llama(), TOKENIZER, "m", temperature=1.0, max_new_tokens=8, seed=seed)
        return content(play(agent, concurrency))

    alone = sampled(1)
    assert sampled(5) == alone
    assert sampled(12) == alone
    other = sampled(1, seed=1)
    assert sum(other[key] == alone[key] for key in alone) <= 2


def test_sampled_tokens_have_the_frequencies_of_the_tempered_distribution():
    model, temperature, n = make_llama(), 3.0, 3000
    agent = HuggingFaceAgent(model, TOKENIZER, "m", temperature=temperature, max_new_tokens=1)
    histories = [History(episode, "t", episode, (), "You see a box.") for episode in range(n)]
    drawn = [completion.token_ids[0] for completion in agent.act(histories) if completion.token_ids]
    with torch.inference_mode():
        logits = model(torch.tensor([prompt_ids((), "You see a box.", TOKENIZER)])).logits[0, -1]
    probabilities = torch.softmax(logits / temperature, dim=-1)
    for token in probabilities.topk(5).indices.tolist():
        p = float(probabilities[token])
        assert abs(drawn.count(token) / n - p) < 4.5 * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_logprobs_are_those_of_the_policy(temperature: float):
    model = make_llama()
    agent = HuggingFaceAgent(model, TOKENIZER, "m", temperature=temperature, max_new_tokens=8)
    for history, completion in play(agent, concurrency=4):
        prompt, ids = prompt_ids(history.steps, history.observation, TOKENIZER), list(completion.token_ids or ())
        with torch.inference_mode():
            logits = model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
        expected = torch.log_softmax(logits / (temperature or 1.0), dim=-1).gather(1, torch.tensor([ids]).T)[:, 0]
        torch.testing.assert_close(torch.tensor(completion.logprobs), expected, atol=1e-4, rtol=0)


def test_a_full_context_ends_the_episode_and_a_nearly_full_one_the_turn():
    agent = HuggingFaceAgent(make_llama(length=40), TOKENIZER, "m", max_new_tokens=12)
    roomy, tight, full = (History(number, "t", 0, (), "x" * size) for number, size in enumerate((9, 34, 39)))
    completions = agent.act([roomy, tight, full])
    assert [len(completion.token_ids or ()) for completion in completions] == [12, 5, 0]
    assert [completion.truncated for completion in completions] == [True, True, False]
    assert [completion.out_of_context for completion in completions] == [False, False, True]
    again = [
        History(number, "t", 0, answered(h, c), "yy")
        for number, h, c in zip((0, 1), (roomy, tight), completions[:2], strict=True)
    ]
    assert [completion.out_of_context for completion in agent.act(again)] == [False, True]


def test_rows_that_pad_the_models_vocabulary_are_never_said():
    model = make_llama()
    narrow = HuggingFaceAgent(model, TOKENIZER, "m", max_new_tokens=8)
    expected = content(play(narrow, concurrency=5))
    with torch.no_grad():
        model.resize_token_embeddings(300, mean_resizing=False)
        model.get_output_embeddings().weight[257:] = 10 * model.get_output_embeddings().weight[55]
    padded = HuggingFaceAgent(model, TOKENIZER, "m", max_new_tokens=8)
    assert content(play(padded, concurrency=5)) == expected


def test_rollouts_depend_neither_on_concurrency_nor_on_workers():
    episodes = [EpisodeSpec(info.task_id, info.task_type, 0) for info in ToyTasks().tasks("train")[:6]]

    def played(concurrency: int, workers: int):
        agent = HuggingFaceAgent(make_llama(1024), TOKENIZER, "m", temperature=0.5, max_new_tokens=10)
        settings = RolloutSettings(3, concurrency=concurrency, workers=workers, max_parse_failures=5)
        trajectories = rollout(agent, ToyTasks(), episodes, settings)
        return {t.id: ([step.token_ids for step in t.steps], t.stop_reason, t.final_observation) for t in trajectories}

    alone = played(1, 0)
    assert len(alone) == 6
    assert played(8, 0) == alone
    assert played(4, 2) == alone


def test_what_cannot_play_is_refused():
    with pytest.raises(ModelError, match="no end-of-sequence token"):
        HuggingFaceAgent(make_llama(), make_tokenizer(eos=None), "m")
    gemma = Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=257, hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            head_dim=16, layer_types=["sliding_attention", "full_attention"],
        )
    )  # fmt: skip
    with pytest.raises(
        ModelError, match="layers of type full_attention, sliding_attention; all must be full_attention"
    ):
        HuggingFaceAgent(gemma, TOKENIZER, "m")
    model = make_llama()
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ModelError, match="'sdpa' or 'eager' for playing, found 'flash_attention_2'"):
        HuggingFaceAgent(model, TOKENIZER, "m")
