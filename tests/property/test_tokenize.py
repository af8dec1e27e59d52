"""However text was cut into tokens, their ids spell it, and each token has the kind of its character."""

from functools import cache
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

from spanwise.data.tokenize import context_ids, prompt_ids, tokenize_trajectory
from spanwise.traces.segment import segment
from spanwise.types import Span, SpanKind, Step, Trajectory


@cache
def tokenizer() -> PreTrainedTokenizerBase:
    """Knows tokens that hold a space and half a character, a newline and a word, and runs of spaces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<|pad|>", "<|eos|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [" 🍎", " 🍏", " é", " è", "\nAction:", "Thought:", "\n\n  ", " go to", " box 1"]
    tokenizer.train_from_iterator(texts * 5, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|pad|>", eos_token="<|eos|>")


WORDS = ["Thought:", " go to", " box 1", "\n", "Action:", " ", "<|eos|>", "<|pad|>", "🍎", "\t", "\u2028"]
TEXT = st.one_of(
    st.text(st.sampled_from(" 🍎é"), max_size=5),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.lists(st.sampled_from(WORDS), max_size=8).map("".join),
)


@st.composite
def completions(draw: st.DrawFn) -> tuple[str, tuple[Span, ...]]:
    """Text, and any partition of it into spans."""
    text = draw(TEXT)
    borders = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=3))) if len(text) > 1 else []
    edges = [0, *borders, len(text)] if text else [0]
    first = draw(st.booleans())
    kinds = [SpanKind.REASON, SpanKind.ACT] if first else [SpanKind.ACT, SpanKind.REASON]
    pairs = pairwise(edges)
    return text, tuple(Span(kinds[index % 2], start, end) for index, (start, end) in enumerate(pairs))


@st.composite
def generated(draw: st.DrawFn, text: str) -> tuple[int, ...]:
    """Ids that spell a text, cut anywhere: between the bytes of a character too."""
    byte_tokens = bytes_to_unicode()
    data, ids = text.encode(), []
    while data:
        prefixes = [
            (token_id, size)
            for size in range(1, min(6, len(data)) + 1)
            if isinstance(token_id := tokenizer().get_vocab().get("".join(byte_tokens[b] for b in data[:size])), int)
        ]
        token_id, size = draw(st.sampled_from(prefixes))
        ids.append(token_id)
        data = data[size:]
    return tuple(ids)


def trajectory(*steps: Step) -> Trajectory:
    return Trajectory("t", "t", "toy", "expert", 0, "", steps, 0.0, False, "budget")


def kinds_by_bytes(ids: list[int], text: str, spans: tuple[Span, ...]) -> list[SpanKind]:
    """The rule, by a table of every byte's character: slow and plain."""
    character_of = [index for index, character in enumerate(text) for _ in character.encode()]
    byte_of = {character: byte for byte, character in bytes_to_unicode().items()}
    kinds, position = [], 0
    for token in tokenizer().convert_ids_to_tokens(ids):
        size = len([byte_of[character] for character in token])
        touched = character_of[position : position + size]
        first = next((index for index in touched if not text[index].isspace()), touched[0])
        kinds.append(next(span.kind for span in spans if span.start <= first < span.end))
        position += size
    return kinds


@given(completions(), st.data())
def test_generated_ids_are_kept_and_every_token_has_its_kind(completion, data) -> None:
    text, spans = completion
    ids = (*data.draw(generated(text)), tokenizer().eos_token_id)
    row = tokenize_trajectory(trajectory(Step("", text, None, spans, ids)), tokenizer())
    supervised = row.kind != SpanKind.CONTEXT
    assert tuple(row.target_ids[supervised]) == ids
    assert row.kind[supervised].tolist() == [*kinds_by_bytes(list(ids[:-1]), text, spans), SpanKind.ACT]


@given(completions(), st.data())
def test_text_is_spelled_by_its_ids_and_every_token_has_its_kind(completion, data) -> None:
    text, spans = completion
    row = tokenize_trajectory(trajectory(Step(data.draw(TEXT), text, None, spans)), tokenizer())
    supervised = row.kind != SpanKind.CONTEXT
    *ids, end = row.target_ids[supervised].tolist()
    assert end == tokenizer().eos_token_id
    assert tokenizer().eos_token_id not in ids  # text that reads like the end of a turn does not end it
    assert tokenizer().decode(ids) == text
    assert row.kind[supervised].tolist() == [*kinds_by_bytes(ids, text, spans), SpanKind.ACT]


@given(st.lists(st.tuples(TEXT, TEXT, st.booleans()), min_size=1, max_size=4), TEXT, st.data())
def test_what_is_read_before_a_turn_is_the_beginning_of_the_row(turns, observation, data) -> None:
    steps = []
    for seen, text, played in turns:
        spans = segment(text, "react").spans
        steps.append(Step(seen, text, None, spans, data.draw(generated(text)) or None if played else None))
    whole = tokenize_trajectory(
        trajectory(*steps, Step(observation, "x", None, segment("x", "react").spans)), tokenizer()
    )
    prompt = prompt_ids(steps, observation, tokenizer())
    assert whole.input_ids[: len(prompt)].tolist() == prompt
    assert (whole.target_ids[:-1] == whole.input_ids[1:]).all()
    assert whole.kind[len(prompt) - 1] == SpanKind.REASON
    assert whole.step[len(prompt) - 1] == len(steps)
    assert (whole.step[: len(prompt) - 1] <= len(steps)).all()
    for index in range(len(steps)):
        assert whole.kind[whole.step == index].tolist().count(SpanKind.CONTEXT) >= (index > 0)


@given(TEXT)
def test_an_observation_is_its_text_and_a_newline(observation) -> None:
    assert tokenizer().decode(context_ids((), observation, tokenizer())) == observation + "\n"
