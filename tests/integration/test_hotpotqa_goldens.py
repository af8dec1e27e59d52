"""Episodes against records of ReAct's own environment, over the same pages."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from spanwise.config import EnvironmentConfig, HotpotqaConfig
from spanwise.environments.hotpotqa.environment import HotpotqaEnvironment
from spanwise.environments.hotpotqa.records import Question
from spanwise.environments.hotpotqa.tasks import HotpotqaTasks

GOLDENS = Path(os.environ.get("SPANWISE_HOTPOTQA_GOLDENS", Path(__file__).parents[3] / "shared/data/hotpotqa"))

pytestmark = pytest.mark.skipif(
    not GOLDENS.is_dir(),
    reason=f"no records of ReAct's HotPotQA: {GOLDENS} (SPANWISE_HOTPOTQA_GOLDENS) is missing",
)
#: The records were made without a question, so that no answer was right.
NO_QUESTION = Question("none", "", "\N{SNOWMAN}", "bridge", "hard", ())


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> HotpotqaTasks:
    settings = HotpotqaConfig(index=str(tmp_path_factory.mktemp("index")))
    return HotpotqaTasks(EnvironmentConfig(name="hotpotqa", source="released", data=str(GOLDENS), hotpotqa=settings))


def episodes() -> list[list[dict[str, Any]]]:
    with gzip.open(GOLDENS / "wiki_episodes.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_observations_are_the_original_s_to_the_character(tasks: HotpotqaTasks):
    for number, steps in enumerate(episodes()):
        environment = HotpotqaEnvironment(tasks.encyclopedia, NO_QUESTION)
        for step in steps:
            outcome = environment.step(step["action"])
            assert (outcome.observation, outcome.done) == (step["observation"], step["done"]), (number, step["action"])


def test_the_facts_of_questions_can_be_read(tasks: HotpotqaTasks):
    for split, questions in tasks.questions.items():
        assert len(tasks.tasks(split)) == len(questions) > 0
        for question in questions:
            environment = tasks.make(question.id, 0)
            assert environment.reset() == f"Question: {question.text}"
            for title, _ in question.supporting_facts:
                text = tasks.encyclopedia.article(title)
                assert text, (question.id, title)
            end = environment.step(f"finish[{question.answer}]")
            assert (end.observation, end.reward, end.success) == ("Episode finished, reward = 1\n", 1.0, True)


def test_pages_are_found_by_titles_written_otherwise(tasks: HotpotqaTasks):
    titles = {title for questions in tasks.questions.values() for one in questions for title, _ in one.supporting_facts}
    for title in sorted(titles):
        exact = tasks.encyclopedia.article(title)
        assert tasks.encyclopedia.article(f"  {title.replace(' ', '  ')}\t") == exact
        other = tasks.encyclopedia.article(title.swapcase())
        assert other == exact or other is not None


def test_a_title_that_lacks_a_letter_is_the_first_of_the_similar_ones(tasks: HotpotqaTasks):
    """Of long titles; a few of them are one letter from others, or no longer a miss."""
    questions = next(iter(tasks.questions.values()))
    titles = sorted({title for one in questions for title, _ in one.supporting_facts if len(title) >= 12})
    found = 0
    for title in titles:
        place = max(range(1, len(title) - 1), key=lambda place: title[place - 1 : place + 2].isalpha())
        name = title[:place] + title[place + 1 :]
        found += tasks.encyclopedia.article(name) is not None or title in tasks.encyclopedia.similar(name, 5)
    assert found >= 0.97 * len(titles)
