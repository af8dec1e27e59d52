"""Scripted agents that know how to play, one for each world: the first teachers."""

from __future__ import annotations

from collections.abc import Callable

from spanwise.agents.experts.slips import SlippingExpert
from spanwise.agents.protocol import Agent
from spanwise.config import EnvironmentConfig
from spanwise.errors import ConfigError


def make_expert(config: EnvironmentConfig, slips: float = 0.0, kind: str = "expert") -> Agent:
    """An expert for a recipe's environment; its kind is its name.

    Args:
        config: The environment.
        slips: Share of the turns in which it misreads a number.
        kind: ``expert``, the one that does best, or another that the environment has.

    Raises:
        ConfigError: The recipe asks for a style that experts do not write, or for an expert that there is not.
    """
    if config.style != "react":
        raise ConfigError(f"environment.style: experts write in the style 'react', found {config.style!r}")
    if (config.name, kind) not in _EXPERTS:
        kinds = ", ".join(sorted(found for name, found in _EXPERTS if name == config.name))
        raise ConfigError(f"collect.expert: {config.name} has no expert {kind!r}; there are: {kinds}")
    expert = _EXPERTS[config.name, kind](config)
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


def _brisk_webshop(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.webshop import WebshopExpert

    return WebshopExpert.within(config.budget, reads=False)


_EXPERTS: dict[tuple[str, str], Callable[[EnvironmentConfig], Agent]] = {
    ("alfworld", "expert"): _alfworld,
    ("toy", "expert"): _toy,
    ("webshop", "expert"): _webshop,
    ("webshop", "brisk"): _brisk_webshop,
}
