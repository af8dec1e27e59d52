"""HotPotQA's questions as tasks: of the files under ``HOTPOTQA_DATA``, or of a world that spanwise makes itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanwise.config import EnvironmentConfig
from spanwise.environments.hotpotqa.corpus import page_files, question_files, read_pages, read_questions
from spanwise.environments.hotpotqa.encyclopedia import Encyclopedia, build_encyclopedia
from spanwise.environments.hotpotqa.environment import HotpotqaEnvironment
from spanwise.environments.hotpotqa.kept import index_folder, open_encyclopedia
from spanwise.environments.hotpotqa.records import Question
from spanwise.environments.hotpotqa.wikipedia import LiveWikipedia
from spanwise.environments.protocol import Environment, TaskInfo
from spanwise.errors import TaskDataError

if TYPE_CHECKING:
    from spanwise.environments.hotpotqa.generate import World


class HotpotqaTasks:
    """Questions as tasks: an id is the question's, a type is how its answer follows (bridge, comparison).

    Picklable: it holds its configuration only, and opens questions and encyclopedia where they are used.
    """

    name = "hotpotqa"

    def __init__(self, config: EnvironmentConfig):
        """The tasks that ``config`` asks for; nothing is read yet."""
        self.config = config

    def __reduce__(self) -> tuple[type[HotpotqaTasks], tuple[EnvironmentConfig]]:
        return HotpotqaTasks, (self.config,)

    def tasks(self, split: str) -> Sequence[TaskInfo]:
        """All tasks of a split, in the order of its file.

        Raises:
            TaskDataError: The split does not exist or has no questions, or the data are missing or damaged.
        """
        if split not in self.questions:
            raise TaskDataError(f"hotpotqa: no split {split!r}; there are: {', '.join(self.questions)}")
        if not self.questions[split]:
            raise TaskDataError(f"hotpotqa: the split {split!r} has no question")
        return [TaskInfo(question.id, question.type) for question in self.questions[split]]

    def make(self, task_id: str, seed: int) -> Environment:
        """A fresh episode of a task. There is no chance in it: the seed changes nothing.

        Raises:
            TaskDataError: The task is unknown, or the pages are missing or damaged.
        """
        return HotpotqaEnvironment(self.encyclopedia, self.question(task_id))

    def question(self, task_id: str) -> Question:
        """The question of a task, with its answer.

        Raises:
            TaskDataError: The task is unknown.
        """
        if task_id not in self._by_id:
            some = ", ".join(list(self._by_id)[:3])
            raise TaskDataError(f"hotpotqa: no task {task_id!r} among {len(self._by_id):,}; ids read as {some}")
        return self._by_id[task_id]

    def facts(self) -> dict[str, Any]:
        """Where questions and pages come from, and how many there are; the fingerprint of the pages."""
        counts = {split: len(questions) for split, questions in self.questions.items()}
        return {"questions": counts, **self._opened[1]}

    @cached_property
    def questions(self) -> Mapping[str, tuple[Question, ...]]:
        """The questions of each split.

        Raises:
            TaskDataError: The data are missing or damaged.
        """
        if self.config.source == "generated":
            return self._world.questions
        files = question_files(self._data)
        return {split: read_questions(paths[0], split) for split, paths in files.items()}

    @property
    def encyclopedia(self) -> Encyclopedia:
        """What episodes search, opened at first use (and its index built, if it is the first use of all).

        Raises:
            TaskDataError: The data are missing or damaged.
        """
        return self._opened[0]

    @cached_property
    def _opened(self) -> tuple[Encyclopedia, dict[str, Any]]:
        """The encyclopedia, and what results depend on of it."""
        if self.config.source == "generated":
            pages = self._world.pages
            return build_encyclopedia(pages), {"encyclopedia": "generated", "pages": len(pages)}
        settings = self.config.hotpotqa
        if settings.encyclopedia == "live":
            answers = index_folder(self._data, settings.index) / "wikipedia"
            return LiveWikipedia(settings.wikipedia, answers), {
                "encyclopedia": "live",
                "wikipedia": settings.wikipedia,
            }
        encyclopedia, facts = open_local(self._data, settings.index)
        return encyclopedia, {"encyclopedia": "local", **facts}

    @cached_property
    def _by_id(self) -> dict[str, Question]:
        by_id: dict[str, Question] = {}
        for split, questions in self.questions.items():
            for question in questions:
                if question.id in by_id:
                    raise TaskDataError(f"hotpotqa: the question {question.id!r} of {split!r} is in another split too")
                by_id[question.id] = question
        return by_id

    @cached_property
    def _world(self) -> World:
        from spanwise.environments.hotpotqa.generate import generate_world

        sizes = self.config.hotpotqa
        return generate_world(self.config.generator.seed, sizes.train, sizes.dev, sizes.test)

    @property
    def _data(self) -> Path:
        named = self.config.data or os.environ.get("HOTPOTQA_DATA")
        if not named:
            raise TaskDataError(
                "HOTPOTQA_DATA is not set and environment.data is not given: they name the folder that holds "
                "HotPotQA's questions and pages; `spanwise data hotpotqa DEST` fetches them; or use "
                'environment.source = "generated"'
            )
        return Path(named).expanduser()


def open_local(
    data: Path, index: str | None = None, progress: Callable[[int], None] = lambda records: None
) -> tuple[Encyclopedia, dict[str, str | int]]:
    """The pages of a data folder, and what is known of them; their index is built if there is none of them yet.

    Args:
        data: The folder.
        index: Folder that keeps the index; None: see :func:`spanwise.environments.hotpotqa.kept.index_folder`.
        progress: Told, now and then, how many records a build has read.

    Raises:
        TaskDataError: The data are missing or damaged, or the index cannot be written.
    """
    question_files(data)
    return open_encyclopedia(page_files(data), lambda: read_pages(data), index_folder(data, index), progress)
