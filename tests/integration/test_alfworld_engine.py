"""The fast engine says, offers and decides what the stock engine does, on generated and on released games."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import textworld
from textworld.envs.pddl import PddlEnv

from spanwise.config import EnvironmentConfig, GeneratorConfig
from spanwise.environments.alfworld.engine import Engine, load_engine, load_game
from spanwise.environments.alfworld.generate import GeneratedGames
from spanwise.environments.alfworld.tasks import TASK_TYPES, AlfworldTasks

NONSENSE = (
    "",
    "dance",
    "go to moon 1",
    "take apple 99 from fridge 1",
    " look ",
    "LOOK",
    "look\n",
    "put in/on",
    "#intro#",
)
StockEngine = Callable[[Mapping[str, Any]], textworld.core.Wrapper]


@pytest.fixture(scope="module")
def stock_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StockEngine]:
    """Makes stock engines as ALFWorld sets them up, nothing patched."""
    with pytest.MonkeyPatch.context() as environ:
        # Importing alfworld makes this folder and sets the variable.
        environ.setenv("ALFWORLD_DATA", str(tmp_path_factory.mktemp("alfworld")))
        from alfworld.agents.environment.alfred_tw_env import AlfredDemangler

        def make(game: Mapping[str, Any]) -> textworld.core.Wrapper:
            wanted = textworld.EnvInfos(won=True, admissible_commands=True, extras=["walkthrough"])
            stock = AlfredDemangler(PddlEnv(wanted), shuffle=False)
            stock.load(game)
            return stock

        yield make


def play_both(
    stock: textworld.core.Wrapper, engine: Engine, commands: list[str], rng: random.Random, wandering: int = 0
) -> list[bool]:
    """Plays the commands, then wanders; compares every word; whether the game was won after each command."""
    state = stock.reset()
    assert engine.reset() == state.feedback
    assert engine.admissible_commands() == state.admissible_commands
    won = []
    for command in [*commands, *[None] * wandering]:
        command = rng.choice(state.admissible_commands) if command is None else command
        state, score, done = stock.step(command)
        answer = engine.step(command)
        assert (answer.observation, answer.done, answer.won) == (state.feedback, done, state.won), command
        assert answer.won == (score == 1)
        assert engine.admissible_commands() == state.admissible_commands, command
        won.append(answer.won)
    return won


def compare(stock_engine: StockEngine, game: Mapping[str, Any], seed: int) -> None:
    """A game played to its end, with nonsense on the way, then beyond its end; started over, and played at random."""
    stock, engine, rng = stock_engine(game), load_engine(game), random.Random(seed)
    walkthrough = stock.reset()["extra.walkthrough"]
    middle = len(walkthrough) // 2
    commands = [*walkthrough[:middle], *NONSENSE, *walkthrough[middle:]]
    won = play_both(stock, engine, commands, rng, wandering=4)
    assert won[len(commands) - 2 : len(commands)] == [False, True]
    play_both(stock, engine, [], rng, wandering=8)
    engine.close()
    stock.close()


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_same_as_stock_on_generated_games(task_type: str, stock_engine: StockEngine):
    config = GeneratorConfig(seed=5, train=1, task_types=(task_type,), size="small")
    compare(stock_engine, GeneratedGames(config).game("generated/train/0"), seed=1)


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_same_as_stock_on_released_games(task_type: str, stock_engine: StockEngine, released_games: Path):
    tasks = AlfworldTasks(EnvironmentConfig(source="released", data=str(released_games))).tasks("valid_seen")
    drawn = random.Random(task_type).sample([task.task_id for task in tasks if task.task_type == task_type], 5)
    files = [released_games / "json_2.1.1" / task_id / "game.tw-pddl" for task_id in drawn]
    smallest = min(files, key=lambda path: path.stat().st_size)  # the stock engine takes its time
    compare(stock_engine, json.loads(smallest.read_text()), seed=2)


def test_same_as_stock_in_the_grammar_of_the_wheel(stock_engine: StockEngine):
    """Where the grammar says `move X to Y`, has `help`, and a goal that no other game has."""
    config = GeneratorConfig(seed=6, train=1, task_types=("pick_and_place_simple",), size="small")
    game = GeneratedGames(config).game("generated/train/0")
    spec = find_spec("alfworld")
    assert spec is not None
    assert spec.submodule_search_locations
    wheel = Path(spec.submodule_search_locations[0]) / "data"
    spoken = {
        "grammar": (wheel / "alfred.twl2").read_text().replace("UNKNOWN GOAL", "tidy (up) what's there, 100%; rest"),
        "pddl_domain": (wheel / "alfred.pddl").read_text(),
        "pddl_problem": game["pddl_problem"],
    }
    moves = [command.replace("put ", "move ").replace(" in/on ", " to ") for command in game["walkthrough"]]
    stock, engine = stock_engine(spoken), load_engine(spoken)
    won = play_both(stock, engine, ["help", game["walkthrough"][-1], *moves], random.Random(0))
    assert won[-1]
    assert won.count(True) == 1


def test_engines_side_by_side_play_as_alone():
    """They share one native library; each gets its own state back, whatever the others do between."""
    config = GeneratorConfig(seed=7, train=3, size="small")
    games = [GeneratedGames(config).game(f"generated/train/{index}") for index in range(3)]
    alone = []
    for game in games:
        engine = load_engine(game)
        alone.append([engine.reset(), *(engine.step(command) for command in game["walkthrough"])])
    rng = random.Random(0)
    engines = [load_engine(games[index % 3]) for index in range(6)]
    heard = [[engine.reset()] for engine in engines]
    while any(len(texts) < len(alone[index % 3]) for index, texts in enumerate(heard)):
        index = rng.randrange(6)
        played = len(heard[index]) - 1
        walkthrough = games[index % 3]["walkthrough"]
        if played < len(walkthrough):
            heard[index].append(engines[index].step(walkthrough[played]))
        elif rng.random() < 0.5:
            engines[index].close()  # letting go of the library loses nothing
    assert heard == [alone[index % 3] for index in range(6)]


def test_a_game_read_again_is_not_translated_again(tmp_path: Path):
    game = GeneratedGames(GeneratorConfig(seed=8, train=1, size="small")).game("generated/train/0")
    path = tmp_path / "game.tw-pddl"
    path.write_text(json.dumps({key: game[key] for key in ("pddl_domain", "grammar", "pddl_problem", "solvable")}))
    assert load_game(path) is load_game(game)
