import hashlib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from statistics import median

import pytest

from spanwise.environments.hotpotqa.generate import World, generate_world, words
from spanwise.environments.hotpotqa.generate.wording import ATTRIBUTES
from spanwise.environments.hotpotqa.records import Page, Question

SHOWN = 5


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(0, 4000, 1000, 500)


@pytest.fixture(scope="module")
def pages(world: World) -> dict[str, Page]:
    return {page.title: page for page in world.pages}


def base(title: str) -> str:
    return title.split(" (")[0]


def bridges(world: World) -> list[Question]:
    return [question for split in world.questions.values() for question in split if question.type == "bridge"]


def comparisons(world: World) -> list[Question]:
    return [question for split in world.questions.values() for question in split if question.type == "comparison"]


def test_a_world_depends_on_its_seed_alone():
    first, again, other = (generate_world(seed, 70, 10, 10) for seed in (3, 3, 4))
    assert first == again != other


def test_a_world_does_not_depend_on_how_python_hashes():
    code = (
        "import hashlib; from spanwise.environments.hotpotqa.generate import generate_world;"
        "print(hashlib.sha256(repr(generate_world(1, 70, 5, 5)).encode()).hexdigest())"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == hashlib.sha256(repr(generate_world(1, 70, 5, 5)).encode()).hexdigest()


def test_a_larger_split_begins_with_a_smaller_one_and_changes_no_other():
    small, large = generate_world(0, 61, 20, 20), generate_world(0, 400, 20, 20)
    assert large.questions["train"][:61] == small.questions["train"]
    assert large.questions["dev"] == small.questions["dev"]
    assert large.questions["test"] == small.questions["test"]
    assert set(small.pages) < set(large.pages)


@pytest.mark.parametrize("sizes", [(0, 0, 0), (0, 0, 10), (10, 0, 0), (1, 60, 61), (10, 10, 10), (0, 20_000, 0)])
def test_there_are_as_many_questions_as_asked_for(sizes: tuple[int, int, int]):
    world = generate_world(5, *sizes)
    assert tuple(len(world.questions[split]) for split in ("train", "dev", "test")) == sizes
    for questions in world.questions.values():
        assert len({question.text for question in questions}) == len({question.id for question in questions})
        assert len({question.id for question in questions}) == len(questions)
    assert len({page.title.lower() for page in world.pages}) == len(world.pages)
    assert bool(world.pages) == any(sizes)


def test_the_default_world_has_a_few_thousand_pages_and_the_types_in_their_shares(world: World):
    assert 3000 < len(world.pages) < 6000
    for questions in world.questions.values():
        types = Counter(question.type for question in questions)
        assert types == {"bridge": 0.8 * len(questions), "comparison": 0.2 * len(questions)}
    assert all(len(question.text.split()) < 40 for question in bridges(world) + comparisons(world))
    levels = Counter(question.level for question in bridges(world) + comparisons(world))
    assert min(levels[level] for level in ("easy", "medium", "hard")) > 200


def test_pages_are_4_to_12_sentences_as_the_data_set_has_them(world: World):
    for page in world.pages:
        assert 4 <= len(page.sentences) <= 12
        assert not page.sentences[0].startswith(" ")
        for number, sentence in enumerate(page.sentences):
            assert number == 0 or re.match(r" \S", sentence)
            assert sentence.count(".") == 1
            assert sentence.endswith(".")
            assert re.search(r"[{}\n]|  |\b[Aa] [AEIOaeio]", sentence) is None, sentence


def test_a_bridge_leads_from_the_named_article_to_one_that_tells_the_answer(world: World, pages: dict[str, Page]):
    for question in bridges(world):
        (first, sentence), (second, answering) = question.supporting_facts
        assert base(first) in question.text
        assert base(second) not in question.text
        assert base(second) in pages[first].sentences[sentence]
        assert question.answer in pages[second].sentences[answering]
        assert question.answer.lower() not in "".join(pages[first].sentences).lower()
        assert question.answer.lower() not in question.text.lower()


def test_what_a_question_names_has_one_title_or_is_told_apart_by_what_it_is(world: World):
    titles = defaultdict(list)
    for page in world.pages:
        titles[base(page.title)].append(page.title)
    shared = 0
    for question in bridges(world) + comparisons(world):
        named = question.supporting_facts[: 1 if question.type == "bridge" else 2]
        for title, _ in named:
            assert base(title) in question.text
            if title != base(title):
                assert f"{title[len(base(title)) + 2 : -1]} {base(title)}" in question.text
            shared += len(titles[base(title)]) > 1
            assert title == base(title) or base(title) not in titles[base(title)]
    assert shared > 100


def test_one_bridge_in_five_takes_a_lookup_that_a_word_of_the_question_leads_to(world: World, pages: dict[str, Page]):
    late = [question for question in bridges(world) if question.supporting_facts[1][1] >= SHOWN]
    assert 0.18 < len(late) / len(bridges(world)) < 0.23
    for question in late:
        title, number = question.supporting_facts[1]
        sentences = [sentence.lower() for sentence in pages[title].sentences]
        asked = set(re.findall("[a-z]{4,}", question.text.replace(base(question.supporting_facts[0][0]), "").lower()))
        hits = [sum(word in sentence for sentence in sentences) for word in asked if word in sentences[number]]
        assert hits, question
        assert min(hits) <= 3, question
    assert all(question.supporting_facts[0][1] < SHOWN for question in bridges(world))


_LESS = re.compile(r"older|first|earlier|fewer|smaller|lower|shorter")


def test_comparisons_answer_with_one_of_two_as_their_numbers_say(world: World, pages: dict[str, Page]):
    first_named = []
    for question in comparisons(world):
        if question.answer in ("yes", "no"):
            continue
        numbers = {
            base(title): max(
                int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", pages[title].sentences[sentence])
            )
            for title, sentence in question.supporting_facts
        }
        assert len(numbers) == 2
        template = question.text
        for name in numbers:
            template = template.replace(name, "")
        wanted = min if _LESS.search(template) else max
        assert question.answer == wanted(numbers, key=numbers.__getitem__), question
        first_named.append(question.answer == base(question.supporting_facts[0][0]))
    assert sum(first_named) / len(first_named) == pytest.approx(0.5, abs=0.04)


def test_yes_is_as_frequent_as_no(world: World):
    answers = [question.answer for question in comparisons(world) if question.answer in ("yes", "no")]
    assert len(answers) / len(comparisons(world)) == pytest.approx(0.4, abs=0.05)
    assert answers.count("yes") / len(answers) == pytest.approx(0.5, abs=0.04)


def test_no_answer_is_frequent_among_questions_of_a_template(world: World):
    answers = defaultdict(Counter)
    templates = {text for kind in ATTRIBUTES.values() for variants in kind.values() for text in variants}
    patterns = {text: re.compile(re.escape(text).replace(r"\{np\}", ".+"), re.IGNORECASE) for text in sorted(templates)}
    for question in bridges(world):
        matching = [text for text, pattern in patterns.items() if pattern.fullmatch(question.text)]
        assert matching, question.text
        answers[max(matching, key=len)][question.answer] += 1
    for text, counted in answers.items():
        if counted.total() >= 40:
            assert counted.most_common(1)[0][1] / counted.total() < 0.25, (text, counted.most_common(3))


def test_splits_share_no_names_whatever_their_seeds():
    train = generate_world(0, 600, 0, 0)
    text = " ".join(page.title + "".join(page.sentences) for page in train.pages)
    for seed in (0, 1):
        held_out = generate_world(seed, 0, 120, 120)
        names = {base(page.title) for page in held_out.pages}
        assert not {base(page.title) for page in train.pages} & names
        people = {name for name in names if name.split()[0] in words.WOMEN + words.MEN}
        assert people
        assert not [name for name in people if name in text]


def test_an_answer_of_a_held_out_split_is_not_learnt_by_heart(world: World):
    known = {question.answer for question in world.questions["train"]}
    held_out = [question.answer for split in ("dev", "test") for question in world.questions[split]]
    names = [answer for answer in held_out if re.match(r"[A-Z]", answer)]
    assert len(names) > 700
    assert not [answer for answer in names if answer in known and not any(month in answer for month in words.MONTHS)]


def test_the_parts_of_names_are_common_in_train():
    text = " ".join(page.title + "".join(page.sentences) for page in generate_world(0, 4000, 0, 0).pages)
    for parts in (words.WOMEN, words.MEN, words.SURNAME_STARTS, words.TOWN_STEMS, words.TITLE_NOUNS):
        counts = [text.count(part) for part in parts]
        assert min(counts) >= 5
        assert median(counts) >= 40
