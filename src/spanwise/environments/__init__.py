"""Worlds that agents play, and the one place that turns a recipe's ``[environment]`` into tasks."""

from __future__ import annotations

from collections.abc import Callable

from spanwise.config import EnvironmentConfig
from spanwise.environments.protocol import TaskSet


def make_task_set(config: EnvironmentConfig) -> TaskSet:
    """The tasks that a recipe's environment names.

    Raises:
        TaskDataError: The environment's data are missing or damaged.
    """
    return _TASK_SETS[config.name](config)


def _alfworld(config: EnvironmentConfig) -> TaskSet:
    from spanwise.environments.alfworld.tasks import AlfworldTasks

    return AlfworldTasks(config)


def _hotpotqa(config: EnvironmentConfig) -> TaskSet:
    from spanwise.environments.hotpotqa.tasks import HotpotqaTasks

    return HotpotqaTasks(config)


def _toy(config: EnvironmentConfig) -> TaskSet:
    from spanwise.environments.toy import ToyTasks

    sizes = config.generator
    return ToyTasks(train=sizes.train, valid_seen=sizes.valid_seen, valid_unseen=sizes.valid_unseen)


def _webshop(config: EnvironmentConfig) -> TaskSet:
    from spanwise.environments.webshop.tasks import WebshopTasks

    return WebshopTasks(config)


# Imports wait until a world is asked for: TextWorld takes seconds, and the toy world needs none of it.
_TASK_SETS: dict[str, Callable[[EnvironmentConfig], TaskSet]] = {
    "alfworld": _alfworld,
    "hotpotqa": _hotpotqa,
    "toy": _toy,
    "webshop": _webshop,
}
