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
        ConfigError: The recipe asks for a style that experts do not write, for an expert that there is not, or for
            slips where there is nothing to misread.
    """
    if config.style != "react":
        raise ConfigError(f"environment.style: experts write in the style 'react', found {config.style!r}")
    if (config.name, kind) not in _EXPERTS:
        kinds = ", ".join(expert_kinds(config.name))
        raise ConfigError(f"collect.expert: {config.name} has no expert {kind!r}; there are: {kinds}")
    if slips and config.name == "hotpotqa":
        raise ConfigError("collect.slips: a slip misreads the number of an object, and hotpotqa has none; leave it 0")
    expert = _EXPERTS[config.name, kind](config)
    return SlippingExpert(expert, slips) if slips else expert


def expert_kinds(environment: str) -> tuple[str, ...]:
    """Names of the experts that an environment has."""
    return tuple(sorted(kind for name, kind in _EXPERTS if name == environment))


def _alfworld(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.alfworld import AlfworldExpert

    return AlfworldExpert()


def _hotpotqa(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.hotpotqa import HotpotqaExpert

    return HotpotqaExpert(config.budget, config.count_thoughts)


def _informed_hotpotqa(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.hotpotqa import InformedExpert
    from spanwise.environments.hotpotqa.tasks import HotpotqaTasks

    return InformedExpert(HotpotqaTasks(config), config.budget, config.count_thoughts)


def _toy(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.toy import ToyExpert

    return ToyExpert()


def _webshop(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.webshop import WebshopExpert

    return WebshopExpert.within(config.budget)


def _brisk_webshop(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.webshop import WebshopExpert

    return WebshopExpert.within(config.budget, reads=False)


def _first_hit_webshop(config: EnvironmentConfig) -> Agent:
    from spanwise.agents.experts.webshop import FirstHit

    return FirstHit()


_EXPERTS: dict[tuple[str, str], Callable[[EnvironmentConfig], Agent]] = {
    ("alfworld", "expert"): _alfworld,
    ("hotpotqa", "expert"): _hotpotqa,
    ("hotpotqa", "informed"): _informed_hotpotqa,
    ("toy", "expert"): _toy,
    ("webshop", "expert"): _webshop,
    ("webshop", "brisk"): _brisk_webshop,
    ("webshop", "first_hit"): _first_hit_webshop,
}
