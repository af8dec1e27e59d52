from hypothesis import given, settings
from hypothesis import strategies as st

from spanwise.environments.hotpotqa.generate import generate_world


@settings(max_examples=25)
@given(st.integers(-(2**40), 2**40), st.integers(0, 70), st.integers(0, 70), st.integers(0, 70))
def test_any_world_answers_its_questions(seed: int, train: int, dev: int, test: int):
    world = generate_world(seed, train, dev, test)
    pages = {page.title: page for page in world.pages}
    assert len(pages) == len(world.pages)
    assert {split: len(questions) for split, questions in world.questions.items()} == {
        "train": train,
        "dev": dev,
        "test": test,
    }
    for split, questions in world.questions.items():
        assert len({question.text for question in questions}) == len(questions)
        for number, question in enumerate(questions):
            assert question.id == f"generated/{split}/{number}"
            assert question.type == ("comparison" if number % 5 == 4 else "bridge")
            (first, sentence), (second, answering) = question.supporting_facts
            assert first != second
            assert sentence < len(pages[first].sentences)
            if question.type == "bridge":
                assert question.answer in pages[second].sentences[answering]
                assert question.answer not in "".join(pages[first].sentences)
            else:
                assert question.answer in ("yes", "no", first.split(" (")[0], second.split(" (")[0])
