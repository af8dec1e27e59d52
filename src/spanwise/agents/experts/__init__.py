"""Scripted agents that know how to play, one for each world: the first teachers."""

from __future__ import annotations

from collections.abc import Callable

from spanwise.agents.experts.slips import SlippingExpert
from spanwise.agents.protocol import Agent
from spanwise.config import EnvironmentConfig
from spanwise.errors import ConfigError


def make_expert(config: EnvironmentConfig, slips: float = 0.0) -> Agent:
    """The expert of a recipe's environment; its name is ``expert``.

    Args:
        config: The environment.
        slips: Share of the turns in which it misreads a number.

    Raises:
        ConfigError: The recipe asks for a style that experts do not write.
    """
    if config.style != "react":
        raise ConfigError(f"environment.style: experts write in the style 'react', found {config.style!r}")
    expert = _EXPERTS[config.name](config)
    return SlippingExpert(expert, slips) if slips else expert


def _alfworld(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.alfworld import AlfworldExpert

    return AlfworldExpert()


def _toy(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.toy import ToyExpert

    return ToyExpert()


def _webshop(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.webshop import WebshopExpert

    return WebshopExpert.within(config.budget)


_EXPERTS: dict[str, Callable[[EnvironmentConfig], Agent]] = {"alfworld": _alfworld, "toy": _toy, "webshop": _webshop}
