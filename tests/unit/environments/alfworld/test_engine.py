import gc
import json
import sys
import threading
from pathlib import Path

import pytest

from spanwise.config import GeneratorConfig
from spanwise.environments.alfworld import engine as engines
from spanwise.environments.alfworld.engine import NOTHING_HAPPENS, load_engine, load_game
from spanwise.environments.alfworld.generate import GeneratedGames
from spanwise.errors import TaskDataError

DOMAIN = """
(define (domain kitchen)
 (:requirements :adl :typing)
 (:types fruit dish)
 (:predicates (inside ?f - fruit ?d - dish) (held ?f - fruit) (seen ?d - dish))
 (:action take :parameters (?f - fruit ?d - dish) :precondition (inside ?f ?d)
  :effect (and (not (inside ?f ?d)) (held ?f)))
 (:action drop :parameters (?f - fruit ?d - dish) :precondition (held ?f)
  :effect (and (inside ?f ?d) (not (held ?f))))
 (:action look :parameters (?d - dish) :precondition () :effect (seen ?d)))
"""
PROBLEM = """
(define (problem fruit) (:domain kitchen)
 (:objects apple_bar_1 apple_bar_2 - fruit bowl_bar_1 plate_bar_1 - dish)
 (:init (inside apple_bar_1 bowl_bar_1) (inside apple_bar_2 bowl_bar_1) (inside apple_bar_2 plate_bar_1))
 (:goal (and (inside apple_bar_1 plate_bar_1) (inside apple_bar_2 plate_bar_1))))
"""
TEXTS = {
    "intro": [{"rhs": "A kitchen.\n\n#task#"}],
    "task": [{"rhs": "Your task is to: clear the bowl."}],
    "seen": [{"rhs": "In the {d}: [{x.name | inside(x: fruit, d: dish)}]."}],
    "list_empty": [{"rhs": "nothing"}],
    "list_separator": [{"rhs": ", "}],
    "list_last_separator": [{"rhs": ", and "}],
}
GRAMMAR = f'''
grammar :: """{json.dumps(TEXTS)}""";
action Take {{ template :: "take {{f}}[{{d.name | inside(f: fruit, d: dish)}}]"; feedback :: "Taken. #seen#"; }}
action Drop {{ template :: "drop {{f}} in {{d}}"; feedback :: "Dropped. #seen#"; }}
action Look {{ template :: "look at {{d}}"; feedback :: "#seen#"; }}
'''
GAME = {"pddl_domain": DOMAIN, "pddl_problem": PROBLEM, "grammar": GRAMMAR}


@pytest.fixture
def engine():
    made = load_engine(GAME)
    made.reset()
    yield made
    made.close()


def test_a_game_is_played_to_its_end(engine):
    assert engine.reset() == "A kitchen.\n\nYour task is to: clear the bowl."
    # Ids in their order have the numbers in reverse, as alfworld numbers them: apple_bar_1 is apple 2.
    answer = engine.step("drop apple 2 in plate 1")
    assert (answer.observation, answer.done, answer.won) == (NOTHING_HAPPENS, False, False)
    assert engine.step("take apple 2bowl 1").observation == "Taken. In the bowl 1: apple 1."
    answer = engine.step("drop apple 2 in plate 1")
    # Not apple 2, which is the action's own f: in TextWorld's queries different placeholders are different objects.
    assert answer == ("Dropped. In the plate 1: apple 1.", True, True)


def test_a_command_may_depend_on_the_state(engine):
    """What is inside what changes, so these commands are not kept from step to step."""
    assert "take" not in engine.game.lasting
    assert {"drop", "look"} <= engine.game.lasting
    offered = engine.admissible_commands()
    assert [command for command in offered if command.startswith("take apple 1")] == [
        "take apple 1bowl 1",
        "take apple 1plate 1",
    ]
    engine.step("take apple 1bowl 1")
    assert [command for command in engine.admissible_commands() if "take apple 1" in command] == ["take apple 1plate 1"]


def test_objects_are_numbered_within_their_kind():
    objects = "mug_bar_9 mug_bar_10 mug sink_bar_1 sink_bar_1_bar_sinkbasin"
    problem = PROBLEM.replace("apple_bar_2 - fruit", f"apple_bar_2 {objects} - fruit")
    inside = "".join(f"(inside {name} bowl_bar_1)" for name in objects.split())
    game = load_game({**GAME, "pddl_problem": problem.replace("(:init", f"(:init {inside}")})
    assert {name: game.entities[name].name for name in objects.split()} == {
        "mug_bar_10": "mug 2",
        "mug_bar_9": "mug 1",
        "mug": "mug ",
        "sink_bar_1": "sink 1",
        "sink_bar_1_bar_sinkbasin": "sinkbasin 1",
    }


def test_reset_starts_over(engine):
    before = (engine.reset(), engine.admissible_commands())
    engine.step("take apple 2bowl 1")
    engine.step("drop apple 2 in plate 1")
    assert (engine.reset(), engine.admissible_commands()) == before
    assert not engine.step("look at bowl 1").won


def test_nothing_changes_by_what_is_refused(engine):
    before = engine.admissible_commands()
    for command in ("", "eat apple 1", "TAKE apple 2bowl 1", "take apple 9bowl 1"):
        assert engine.step(command).observation == NOTHING_HAPPENS
        assert engine.admissible_commands() == before
    assert engine.step("  look at bowl 1\n").observation != NOTHING_HAPPENS


def test_a_closed_engine_goes_on_where_it_was(engine):
    engine.step("take apple 2bowl 1")
    offered = engine.admissible_commands()
    engine.close()
    other = load_engine(GAME)
    other.reset()
    other.step("take apple 1bowl 1")
    assert engine.admissible_commands() == offered
    assert engine.step("drop apple 2 in plate 1").won


def test_threads_may_each_play(engine):
    heard: dict[int, list[str]] = {}

    def play(number: int) -> None:
        mine = load_engine(GAME)
        mine.reset()
        heard[number] = [
            mine.step(c).observation for c in ["take apple 2bowl 1", "look at bowl 1", "drop apple 2 in plate 1"] * 5
        ]

    threads = [threading.Thread(target=play, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 4
    assert len({tuple(texts) for texts in heard.values()}) == 1


def test_loading_leaves_the_process_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # nothing is kept there
    arguments, stdout = sys.argv, sys.stdout
    engines._build.cache_clear()
    load_game(GAME)
    assert sys.argv is arguments
    assert sys.stdout is stdout
    assert gc.isenabled()


def test_many_games_leave_no_files_or_handles_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(engines, "_DOWNWARD", engines._Downward())  # a library of this test's own

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    load_engine(GAME).reset()
    before = open_files()
    assert list(tmp_path.iterdir()) == []
    for index in range(30):
        one = load_engine({**GAME, "grammar": GRAMMAR.replace("clear the bowl", f"clear the bowl {index}")})
        one.reset()
        one.step("look at bowl 1")
    assert open_files() == before
    assert list(tmp_path.iterdir()) == []


def test_an_alfworld_game_is_won_by_its_walkthrough():
    game = GeneratedGames(GeneratorConfig(seed=1, train=1, size="small")).game("generated/train/0", verify=False)
    engine = load_engine(game)
    engine.reset()
    assert [engine.step(command).won for command in game["walkthrough"]].index(True) == len(game["walkthrough"]) - 1


class TestDamagedGames:
    def test_missing_file(self, tmp_path):
        with pytest.raises(TaskDataError, match=r"game.tw-pddl: there is no such game file"):
            load_game(tmp_path / "game.tw-pddl")

    def test_truncated_file(self, tmp_path):
        path = tmp_path / "game.tw-pddl"
        path.write_text(json.dumps(GAME)[:-100])
        with pytest.raises(
            TaskDataError, match=r"game.tw-pddl: found [\d,]+ bytes .* cut short or damaged, fetch it again"
        ):
            load_game(path)

    def test_bytes_that_are_no_text(self, tmp_path):
        path = tmp_path / "game.tw-pddl"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(TaskDataError, match=r"game.tw-pddl: cannot be read"):
            load_game(path)

    def test_json_that_is_no_game(self, tmp_path):
        path = tmp_path / "game.tw-pddl"
        path.write_text("[]")
        with pytest.raises(TaskDataError, match=r"found a JSON list, expected an object with pddl_domain"):
            load_game(path)
        path.write_text(json.dumps({**GAME, "grammar": None}))
        with pytest.raises(TaskDataError, match=r"missing grammar, found pddl_domain, pddl_problem, grammar"):
            load_game(path)

    @pytest.mark.parametrize("cut", [10, 200, len(PROBLEM) // 2])
    def test_pddl_that_cannot_be_translated(self, cut):
        with pytest.raises(TaskDataError, match="the PDDL cannot be translated"):
            load_game({**GAME, "pddl_problem": PROBLEM[:cut]})
        assert load_engine(GAME).reset()  # the next game is not affected

    def test_objects_that_are_not_declared(self):
        problem = PROBLEM.replace("(:init", "(:init (inside fig_bar_1 bowl_bar_1)")
        with pytest.raises(TaskDataError, match="does not declare fig_bar_1, bowl_bar_1"):
            load_game({**GAME, "pddl_problem": problem})

    def test_goal_out_of_reach(self):
        domain = DOMAIN.replace("(held ?f - fruit)", "(held ?f - fruit) (peeled ?f - fruit)", 1)
        problem = PROBLEM.replace("(:goal (and", "(:goal (and (peeled apple_bar_1)")
        with pytest.raises(TaskDataError, match="goal is out of reach"):
            load_game({**GAME, "pddl_domain": domain, "pddl_problem": problem})

    def test_action_without_words(self):
        with pytest.raises(TaskDataError, match="no words for the PDDL actions look"):
            load_game({**GAME, "grammar": GRAMMAR.replace("action Look", "action Gaze")})

    def test_types_that_the_domain_lacks(self):
        game = {**GAME, "grammar": GRAMMAR.replace("x: fruit, d: dish)}].", "x: vegetable, d: dish)}].")}
        engine = load_engine(game)
        engine.reset()
        with pytest.raises(TaskDataError, match="types vegetable, which the PDDL domain lacks"):
            engine.step("look at bowl 1")
