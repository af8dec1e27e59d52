"""The commands that win a game, from knowing where everything is."""

from __future__ import annotations

from spanwise.environments.alfworld.generate.goals import LOOK, TREATMENTS, TWO
from spanwise.environments.alfworld.generate.layout import Receptacle
from spanwise.environments.alfworld.generate.scene import Scene


def solve(scene: Scene) -> list[str]:
    """Commands, in the released games' words, that win the game: short, though not always as short as can be."""
    goal, walk = scene.goal, _Walk(scene)
    if goal.task_type == LOOK:
        lamp = next(item for item in scene.items if item.type == goal.lamp)
        walk.fetch(goal.object_type)
        walk.go(lamp.receptacle)
        walk.do(f"use {scene.names[lamp.id]}")
        return walk.commands
    target = walk.first(goal.receptacle_type)
    treatment = TREATMENTS.get(goal.task_type)
    for nth in range(2 if goal.task_type == TWO else 1):
        item = walk.fetch(goal.object_type, nth)
        if treatment:
            appliance = walk.first(treatment.appliance)
            walk.go(appliance)
            walk.do(f"{treatment.verb} {item} with {scene.names[appliance.id]}")
        walk.go(target)
        walk.open(target)
        walk.do(f"put {item} in/on {scene.names[target.id]}")
    return walk.commands


class _Walk:
    """Commands so far, and what they have changed: where the agent stands and what is open."""

    def __init__(self, scene: Scene) -> None:
        self.commands: list[str] = []
        self._scene = scene
        self._at = ""
        self._opened: set[str] = set()

    def do(self, command: str) -> None:
        self.commands.append(command)

    def first(self, type_: str) -> Receptacle:
        return next(receptacle for receptacle in self._scene.layout.receptacles if receptacle.type == type_)

    def go(self, receptacle: Receptacle) -> None:
        if self._at != receptacle.id:
            self.do(f"go to {self._scene.names[receptacle.id]}")
            self._at = receptacle.id

    def open(self, receptacle: Receptacle) -> None:
        if receptacle.openable and receptacle.id not in self._opened:
            self.do(f"open {self._scene.names[receptacle.id]}")
            self._opened.add(receptacle.id)

    def fetch(self, type_: str, nth: int = 0) -> str:
        """Goes to the nth object of a type and takes it; its name."""
        item = [item for item in self._scene.items if item.type == type_][nth]
        self.go(item.receptacle)
        self.open(item.receptacle)
        name = self._scene.names[item.id]
        self.do(f"take {name} from {self._scene.names[item.receptacle.id]}")
        return name
