"""Agents that play: models read from their folders, and the evaluation of one agent on a recipe's games."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spanwise.config import Recipe
from spanwise.devices import place
from spanwise.errors import ModelError
from spanwise.processes import Tick

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from spanwise.agents.protocol import Agent


def load_agent(
    folder: Path, name: str, temperature: float, max_new_tokens: int, seed: int, rendering: Literal["plain", "chat"]
) -> Agent:
    """The agent of a model folder; it computes on a GPU where there is one.

    Raises:
        ModelError: The folder holds no model that can play.
    """
    from spanwise.agents.huggingface import HuggingFaceAgent
    from spanwise.data.render import make_rendering
    from spanwise.training.models import load_model, load_tokenizer

    if not folder.is_dir():
        raise ModelError(f"{folder}: expected a model folder")
    model = place(load_model(folder))
    tokenizer = load_tokenizer(folder)
    text = make_rendering(rendering, tokenizer)
    return HuggingFaceAgent(model.eval(), tokenizer, name, temperature, max_new_tokens, seed, text)


def evaluate_agent(
    agent: Agent,
    recipe: Recipe,
    out: Path,
    tick: Tick,
    model: Path | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> dict[str, Any]:
    """Evaluates one agent on the recipe's games; see :func:`spanwise.evaluation.rollouts.evaluate`."""
    from spanwise.environments import make_task_set
    from spanwise.evaluation.rollouts import evaluate

    return evaluate(
        agent,
        make_task_set(recipe.environment),
        recipe.evaluate,
        recipe.environment,
        out,
        recipe.seed,
        tokenizer,
        lambda done, of_all: tick(done, of_all, ""),
        model,
    )
