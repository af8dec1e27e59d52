"""Each fault that is planted is found, and a clean file has none."""

import dataclasses
import json
import sys

import numpy as np
import pytest
from rich.console import Console
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

import spanwise.data.tokenize
from spanwise.config import TokenizerConfig
from spanwise.data.render import make_rendering
from spanwise.data.tokenize import TokenizedTrajectory, tokenize_samples
from spanwise.errors import TokenizationError
from spanwise.traces import audit_tokens
from spanwise.traces.audit import audit
from spanwise.traces.audit_findings import EXAMPLES
from spanwise.traces.audit_view import print_audit
from spanwise.traces.segment import segment
from spanwise.training.models import create_tokenizer
from spanwise.types import Span, SpanKind, Step, Trajectory

REASON, ACT, CONTEXT = SpanKind.REASON, SpanKind.ACT, SpanKind.CONTEXT
SAID = ("Thought: the apple 1 is 🍎 hére.\nAction: take apple 1", "Thought: done.\nAction: go to box 2")
SEEN = "You see a table, and on the table an apple 1 and a box 2."


@pytest.fixture(scope="module")
def tokenizer():
    return create_tokenizer(
        ["You see apple 1, box 2. Thought: take go to Action:"] * 4, TokenizerConfig(vocab_size=300)
    )


def step(completion: str, observation: str = "Look.", style: str = "react", **more) -> Step:
    cut = segment(completion, style)
    return Step(**{"action": cut.action, "spans": cut.spans} | more, observation=observation, completion=completion)


def make(*steps: Step, name: str = "t", style: str | None = "react", **more) -> Trajectory:
    metadata = {} if style is None else {"style": style}
    return Trajectory(name, name, "toy", "x", 0, "", steps, None, True, "success", metadata, **more)


def clean(name: str = "t") -> Trajectory:
    return make(*(step(text, f"Turn {index} of {name}.") for index, text in enumerate(SAID)), name=name)


LONG = f"Thought: {'so ' * 700}\nAction: x"


def clean_step(number: int) -> Step:
    return step(f"Thought: {number} it is.\nAction: look at {number}")


def found(report, *, defects: bool = True) -> dict[str, list[tuple[str | None, int | None]]]:
    findings = report.defects if defects else report.warnings
    return {one.check: [(example.trajectory, example.step) for example in one.examples] for one in findings}


def warned(*trajectories: Trajectory, **options) -> dict[str, list[tuple[str | None, int | None]]]:
    report = audit(trajectories, **options)
    assert not report.defects
    return found(report, defects=False)


def test_a_clean_file_has_no_finding_and_all_is_counted(tokenizer) -> None:
    report = audit([clean("a"), dataclasses.replace(clean("b"), success=None)], tokenizer)
    assert (report.defects, report.warnings, report.suspicious) == ((), (), ())
    assert report.trajectories == 2
    assert report.outcomes == {"success": 1, "failed": 0, "unknown": 1}
    assert report.styles == {"react": 2}
    assert (report.steps.all, report.steps.supervised, report.steps.empty_reason) == (4, 4, 0)
    assert report.characters[REASON] == 2 * sum(len(text.partition("Action")[0]) for text in SAID)
    assert report.characters[CONTEXT] == 4 * len("Turn 0 of a.")
    rows = [tokenize_samples(clean(name), tokenizer)[0] for name in "ab"]
    assert report.tokens is not None
    assert report.tokens.by_kind[ACT] == sum(row.count(ACT) for row in rows)
    assert sum(report.tokens.by_kind.values()) == report.tokens.compared == sum(len(row) + 1 for row in rows)
    assert report.tokens.row_length.max == max(map(len, rows))
    longest = max(int((row.kind[row.step == index] == REASON).sum()) for row in rows for index in (0, 1))
    assert report.tokens.per_step[REASON].max == longest


def test_without_a_tokenizer_the_text_alone_is_checked() -> None:
    report = audit([make(step("Thought: x\nAction: y\nObservation: You win.\n"))])
    assert report.tokens is None
    assert found(report) == {"made_up": [("t", 0)]}
    assert report.defects[0].examples[0].found == "'Observation: You win.\\n'"


def _altered(monkeypatch, alter) -> None:
    def tokenise(*arguments):
        return [alter(row) for row in tokenize_samples(*arguments)]

    monkeypatch.setattr(audit_tokens, "tokenize_samples", tokenise)


def _moved(row: TokenizedTrajectory, by: int) -> TokenizedTrajectory:
    return dataclasses.replace(row, kind=np.roll(row.kind, by))


@pytest.mark.parametrize("by", [-1, 1])
def test_kinds_that_are_shifted_by_one_are_found(tokenizer, monkeypatch, by: int) -> None:
    _altered(monkeypatch, lambda row: _moved(row, by))
    report = audit([clean()], tokenizer)
    assert {("t", 0), ("t", 1)} <= set(found(report)["kinds"])
    assert report.suspicious[0].trajectory == "t"


def test_a_border_that_is_moved_by_one_token_is_found_and_named(tokenizer, monkeypatch) -> None:
    def alter(row: TokenizedTrajectory) -> TokenizedTrajectory:
        kind = row.kind.copy()
        kind[int(np.flatnonzero(kind == ACT)[0])] = REASON
        return dataclasses.replace(row, kind=kind)

    _altered(monkeypatch, alter)
    report = audit([clean()], tokenizer)
    assert found(report) == {"kinds": [("t", 0)]}
    example = report.defects[0].examples[0]
    assert (example.found.split(" is ")[1], example.right) == ("REASON", "ACT")


def _straddled() -> Trajectory:
    cut = SAID[1].index(" go") + 1  # the space is REASON, the word is ACT, and one token holds both
    return make(step(SAID[1], spans=(Span(REASON, 0, cut), Span(ACT, cut, len(SAID[1])))), style=None)


def test_a_rule_for_straddling_tokens_that_is_broken_is_found(tokenizer, monkeypatch) -> None:
    def by_the_first_character(offsets, text, spans):
        return [next(span.kind for span in spans if start < span.end) for start, _ in offsets]

    assert found(audit([_straddled()], tokenizer)) == {}
    monkeypatch.setattr(spanwise.data.tokenize, "token_kinds", by_the_first_character)
    assert found(audit([_straddled()], tokenizer)) == {"kinds": [("t", 0)]}


def test_straddling_tokens_are_counted_and_shown(tokenizer) -> None:
    report = audit([_straddled()], tokenizer)
    assert report.tokens is not None
    assert report.tokens.straddling == 1
    assert report.warnings[0].check == "straddling"
    assert report.warnings[0].examples[0].found == "' go' is ACT, the border after ' '"
    assert report.suspicious == ()


def test_an_end_of_turn_that_is_not_learnt_is_found(tokenizer, monkeypatch) -> None:
    def alter(row: TokenizedTrajectory) -> TokenizedTrajectory:
        kind = np.where(row.target_ids == tokenizer.eos_token_id, 0, row.kind).astype(np.int8)
        return dataclasses.replace(row, kind=kind)

    _altered(monkeypatch, alter)
    assert found(audit([clean()], tokenizer))["terminator"] == [("t", 0), ("t", 1)]


def test_an_end_of_turn_that_is_missing_is_found(tokenizer, monkeypatch) -> None:
    def alter(row: TokenizedTrajectory) -> TokenizedTrajectory:
        return dataclasses.replace(
            row,
            input_ids=row.input_ids[:-1],
            target_ids=row.target_ids[:-1],
            kind=row.kind[:-1],
            step=row.step[:-1],
        )

    _altered(monkeypatch, alter)
    report = audit([clean()], tokenizer)
    assert found(report) == {"terminator": [("t", 1)]}
    assert "'<|eos|>'" in report.defects[0].examples[0].right


def test_tokens_that_spell_something_else_are_found(tokenizer, monkeypatch) -> None:
    a, b = (tokenizer.convert_tokens_to_ids(one) for one in "ab")

    def alter(row: TokenizedTrajectory) -> TokenizedTrajectory:
        swapped = [np.where(ids == a, b, ids) for ids in (row.input_ids, row.target_ids)]
        return dataclasses.replace(row, input_ids=swapped[0], target_ids=swapped[1])

    _altered(monkeypatch, alter)
    report = audit([make(step("Thought: hallo\nAction: zzaq"))], tokenizer)
    assert found(report) == {"text": [("t", 0)]}
    assert "zzbq" in report.defects[0].examples[0].found
    assert "zzaq" in report.defects[0].examples[0].right


def test_targets_that_are_not_shifted_are_found(tokenizer, monkeypatch) -> None:
    _altered(monkeypatch, lambda row: dataclasses.replace(row, input_ids=row.target_ids))
    assert "shift" in found(audit([clean()], tokenizer))


def test_text_that_became_a_special_token_is_found(tokenizer, monkeypatch) -> None:
    trajectory = make(step("Thought: <|eos|>\nAction: look"))
    assert found(audit([trajectory], tokenizer)) == {}
    encode = spanwise.data.tokenize._encode
    monkeypatch.setattr(
        spanwise.data.tokenize, "_encode", lambda piece, how: encode(dataclasses.replace(piece, markup=True), how)
    )
    assert found(audit([trajectory], tokenizer)) == {"special": [("t", 0)]}


def test_rows_without_a_supervised_token_and_steps_that_are_not_learnt_are_found(tokenizer, monkeypatch) -> None:
    _altered(monkeypatch, lambda row: dataclasses.replace(row, kind=np.zeros_like(row.kind)))
    assert found(audit([clean()], tokenizer)) == {"nothing": [("t", None)], "coverage": [("t", 0), ("t", 1)]}


def test_a_step_that_is_learnt_twice_or_though_it_should_not_is_found(tokenizer, monkeypatch) -> None:
    monkeypatch.setattr(audit_tokens, "tokenize_samples", lambda *arguments: tokenize_samples(*arguments) * 2)
    assert found(audit([clean()], tokenizer)) == {"coverage": [("t", 0), ("t", 1)]}
    learnt = tokenize_samples(clean(), tokenizer)
    monkeypatch.setattr(audit_tokens, "tokenize_samples", lambda *_: learnt)
    read = make(step(SAID[0], "Turn 0 of t."), step(SAID[1], "Turn 1 of t.", supervised=False))
    assert found(audit([read], tokenizer)) == {"coverage": [("t", 1)]}


def test_a_trajectory_with_nothing_to_learn_is_found_with_and_without_a_tokenizer(tokenizer) -> None:
    for reader in (None, tokenizer):
        trajectories = [make(name="a"), make(step("x", supervised=False), name="b", style=None), clean()]
        assert found(audit(trajectories, reader)) == {"nothing": [("a", None), ("b", None)]}


def test_steps_that_are_read_only_are_context(tokenizer) -> None:
    report = audit([make(step(SAID[0], supervised=False), step(SAID[1]))], tokenizer)
    assert report.defects == ()
    assert report.characters[CONTEXT] == 2 * len("Look.") + len(SAID[0])
    assert report.steps.supervised == 1


def test_token_ids_that_do_not_exist_are_found(tokenizer) -> None:
    for wrong in (len(tokenizer) + 5, -1):
        trajectory = make(step("x", token_ids=(wrong, tokenizer.eos_token_id)), style=None)
        report = audit([trajectory], tokenizer)
        assert found(report) == {"token_id": [("t", 0)]}
        assert f"token {wrong}" in report.defects[0].examples[0].found


def test_stored_ids_that_spell_something_else_cannot_be_used(tokenizer) -> None:
    ids = (*tokenizer.encode("Thought: no"), tokenizer.eos_token_id)
    report = audit([make(step(SAID[1], token_ids=ids))], tokenizer)
    assert found(report) == {"unusable": [("t", None)]}
    assert "spell 'Thought: no'" in report.defects[0].examples[0].found


def test_stored_ids_without_an_end_of_turn_are_a_warning(tokenizer) -> None:
    ids = tuple(tokenizer.encode(SAID[1]))
    assert warned(make(step(SAID[1], token_ids=ids)), tokenizer=tokenizer) == {"cut_off": [("t", 0)]}


def test_other_vocabularies_are_found(tokenizer) -> None:
    other = create_tokenizer(["something else, altogether"] * 4, TokenizerConfig(vocab_size=280))
    assert found(audit([clean()], tokenizer, teacher_tokenizer=tokenizer)) == {}
    report = audit([clean()], tokenizer, teacher_tokenizer=other)
    assert found(report) == {"vocabulary": [(None, None)]}


def test_an_observation_that_is_pasted_into_a_completion_is_found() -> None:
    pasted = f"Thought: I look. {SEEN} So:\nAction: look"
    assert warned(make(step(pasted), step(SAID[1], SEEN))) == {"copied": [("t", 0)]}
    assert warned(make(step(pasted), final_observation=SEEN)) == {"copied": [("t", 0)]}
    assert warned(make(step(pasted, SEEN), step(SAID[1], "Other."))) == {}  # what was seen before may be said
    assert warned(make(step(f"Thought: {SEEN[:39]}\nAction: look"), step(SAID[1], SEEN[:39]))) == {}  # too short
    made_up = make(step("Thought: I look.\nAction: look\nObservation: all is well"), step(SAID[1]))
    assert found(audit([made_up])) == {"made_up": [("t", 0)]}
    read = dataclasses.replace(made_up.steps[0], supervised=False)
    assert found(audit([make(read, step(SAID[1]))])) == {}


def test_rows_that_are_too_long_are_counted_as_training_treats_them(tokenizer) -> None:
    row = tokenize_samples(clean(), tokenizer)[0]
    first = int((row.step == 0).sum())
    for limit, cut, dropped in ((len(row), 0, 0), (len(row) - 1, 1, 0), (first, 1, 0), (first - 1, 0, 1)):
        report = audit([clean()], tokenizer, max_length=limit)
        assert report.tokens is not None
        assert (report.tokens.cut, report.tokens.dropped) == (cut, dropped)
        assert ("overlong" in found(report, defects=False)) == bool(cut + dropped)


@pytest.mark.parametrize(
    ("check", "trajectories", "places"),
    [
        ("no_action", [make(step("Thought: well", action=None), step(SAID[1]))], [("t", 0)]),
        ("no_act", [make(step("Thought: well"), step(SAID[1]))], [("t", 0)]),
        ("no_act_at_all", [make(step("Thought: well"), step("Thought: hm"))], [("t", None)]),
        ("other_cut", [make(step(SAID[1], spans=(Span(ACT, 0, len(SAID[1])),)))], [("t", 0)]),
        ("unknown_style", [make(step(SAID[1]), style="odd")], [("t", None)]),
        ("repeated", [make(step(SAID[0]), step(SAID[1]), step(SAID[0]))], [("t", 2)]),
        ("loop", [make(step(SAID[0]), *(step(SAID[1], str(at)) for at in range(3)))], [("t", 1)]),
        ("repeated_thought", [make(step(SAID[0]), step(SAID[0], "Other."))], [("t", 1)]),
        ("duplicate", [clean(), dataclasses.replace(clean(), id="u")], [("u", None)]),
        ("long_thought", [make(*map(clean_step, range(30)), step(LONG))], [("t", 30)]),
        ("white_space", [make(step(f"{SAID[0]}\n"), step(SAID[1]))], [("t", 0)]),
        ("control", [make(step(SAID[0], "\x1b[31mred"), step("Thought: \x00\nAction: x"))], [("t", 0), ("t", 1)]),
        ("mojibake", [make(step("Thought: a naÃ¯ve one\nAction: x"), step(SAID[0], "donâ€™t"))], [("t", 0), ("t", 1)]),
    ],
)
def test_what_is_worth_a_look_is_a_warning(check: str, trajectories, places) -> None:
    assert warned(*trajectories)[check] == places
    assert check not in warned(clean("a"), clean("b"))


def test_think_only_steps_are_counted_apart() -> None:
    thinks = [step("> think: it is here", style="think"), step("Action: think[it is here]")]
    report = audit([make(*thinks, step(SAID[1]), style=None)])
    assert (report.steps.think_only, report.steps.empty_act) == (2, 2)
    assert found(report, defects=False) == {}


def test_examples_are_few_and_places_are_all(tokenizer) -> None:
    report = audit([make(*(step("Thought: well", str(at)) for at in range(20)), step(SAID[1]))], tokenizer)
    finding = next(one for one in report.warnings if one.check == "no_act")
    assert (finding.count, finding.of, len(finding.examples)) == (20, 21, EXAMPLES)
    assert [one.step for one in report.suspicious if "no_act" in one.checks] == list(range(20))


def test_each_step_is_a_row_where_the_template_changes_earlier_ones(family_tokenizer) -> None:
    tokenizer = family_tokenizer("qwen3")
    rendering = make_rendering("chat", tokenizer)
    thought = "<think>\nIt may be in box 2.\n</think>\n\nI open box 2."
    trajectory = make(step(thought, style="tags"), step(thought, "No.", style="tags"), style="tags")
    report = audit([trajectory, clean("u")], tokenizer, rendering)
    assert found(report) == {}
    assert report.tokens is not None
    assert report.tokens.rows == 4
    assert found(report, defects=False)["rewritten"] == [("u", 0), ("u", 1)]  # an empty thought before each


def test_a_thought_that_a_rendering_loses_is_found(family_tokenizer, monkeypatch) -> None:
    tokenizer = family_tokenizer("chatml")
    rendering = make_rendering("chat", tokenizer)
    write = rendering.completion

    def forgetful(steps, preamble):
        written = write(steps, preamble)
        text = written.text.replace("apple", "pear")
        piece = dataclasses.replace(written.pieces[0], text=text)
        spans = (dataclasses.replace(written.spans[0], end=written.spans[0].end - 1), Span(ACT, 31, len(text)))
        return dataclasses.replace(written, pieces=(piece,), spans=spans)

    monkeypatch.setattr(rendering, "completion", forgetful)
    report = audit([make(step("Thought: the apple 1 is right.\n\nAction: take apple 1"))], tokenizer, rendering)
    assert set(found(report)) == {"lost"}
    assert "no 'apple'" in report.defects[0].examples[0].found


def _marked_spaces(prefix: bool) -> PreTrainedTokenizerFast:
    """A SentencePiece vocabulary as Llama's (which puts a space before a text) or Gemma's (which does not)."""
    tokens = ["<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "c", "t", "▁a", "▁ac", "▁act", "x"]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    merges = [("▁", "a"), ("▁a", "c"), ("▁ac", "t")]
    inner = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, fuse_unk=True, unk_token="<s>"))
    steps = [normalizers.Prepend("▁")] if prefix else []
    inner.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    inner.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>")


@pytest.mark.parametrize("prefix", [False, True])
def test_sentencepiece_vocabularies_are_walked_too(prefix: bool, monkeypatch) -> None:
    tokenizer = _marked_spaces(prefix)
    texts = ("act act é\nAction: act", "\nact 🍎 act", "a ▁ b", "")
    trajectory = make(*(step(text) for text in texts), style=None)
    report = audit([trajectory], tokenizer)
    assert found(report) == {}
    assert report.tokens is not None
    assert report.tokens.straddling == 0
    _altered(monkeypatch, lambda row: _moved(row, 1))
    assert "kinds" in found(audit([trajectory], tokenizer))


def test_text_that_the_tokenizer_normalises_is_a_warning(tokenizer) -> None:
    inner = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    inner.normalizer = normalizers.NFC()
    composing = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|eos|>")
    apart = "Thought: e\u0301\nAction: take e\u0301"
    assert warned(make(step(apart)), clean("u"), tokenizer=composing) == {"normalized": [("t", 0)]}


def test_vocabularies_that_cannot_be_spelled_out_are_refused() -> None:
    inner = Tokenizer(models.WordLevel({"a": 0, "?": 1, "end": 2}, unk_token="?"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(TokenizationError, match="byte-level"):
        audit([clean()], PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="end"))


def test_a_report_is_json_and_names_all(tokenizer) -> None:
    values = json.loads(json.dumps(audit([clean(), make(step("x\x00y"), name="u")], tokenizer).to_dict()))
    assert set(values["characters"]) == set(values["tokens"]["per_step"]) == {"context", "reason", "act"}
    assert values["suspicious"][0]["trajectory"] == "u"
    assert audit([clean()]).to_dict()["tokens"] is None


def test_a_page_of_80_columns_is_enough_and_escapes_what_it_shows(tokenizer, capsys) -> None:
    painted = make(step("Thought: \x1b[31m\nAction: x [bold]y[/bold]"), name="\x1b" + "a" * 100)
    report = audit([painted, dataclasses.replace(painted, id="u")], tokenizer, max_length=5)
    print_audit(report, Console(width=80, force_terminal=False, file=sys.stdout), "some/file.jsonl")
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown
    assert "no defects, " in shown
    assert "duplicate  1 of 2 trajectories (50.0%)" in shown


def test_a_page_shows_all_examples_of_a_defect(tokenizer, capsys, monkeypatch) -> None:
    _altered(monkeypatch, lambda row: _moved(row, 1))
    report = audit([clean("a"), clean("b")], tokenizer)
    print_audit(report, Console(width=80, force_terminal=False, file=sys.stdout), "some/file.jsonl")
    shown = capsys.readouterr().out
    assert all(f"{name} step {index}" in shown for name in "ab" for index in (0, 1))
    assert "kinds  4 of 4 steps (100.0%)" in shown
    assert "failed, " in shown
