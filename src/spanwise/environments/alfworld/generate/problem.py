"""A scene as the files of a released game: game.tw-pddl and traj_data.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from spanwise.environments.alfworld.generate import wheel
from spanwise.environments.alfworld.generate.scene import Scene
from spanwise.environments.alfworld.generate.walkthrough import solve

_AGENT = "agent1"
# The domain's actions name these types, so every problem declares them.
_DOMAIN_RECEPTACLES = ("Fridge", "Microwave", "SinkBasin")
_DOMAIN_OBJECTS = ("ButterKnife", "Knife")
_AFFORDANCE_FACTS = {
    "Cleanable": "cleanable",
    "Heatable": "heatable",
    "Coolable": "coolable",
    "Toggleable": "toggleable",
    "Sliceable": "sliceable",
}


def game_data(scene: Scene, trial: str) -> dict[str, Any]:
    """What a game.tw-pddl holds, with the walkthrough; ``solvable`` is for whoever has played it to add."""
    return {
        "pddl_domain": wheel.domain(),
        "grammar": wheel.grammar().replace(wheel.TASK_PLACEHOLDER, scene.goal.text),
        "pddl_problem": _problem(scene, trial),
        "walkthrough": solve(scene),
    }


def trajectory_data(scene: Scene, trial: str) -> dict[str, Any]:
    """What ALFWorld reads of a traj_data.json."""
    return {
        "task_id": trial,
        "task_type": scene.goal.task_type,
        "pddl_params": {
            "mrecep_target": "",
            "object_sliced": False,
            "object_target": scene.goal.object_type,
            "parent_target": scene.goal.receptacle_type,
            "toggle_target": scene.goal.lamp,
        },
        "scene": {"floor_plan": f"{scene.layout.room}_{scene.layout.key}"},
    }


def _problem(scene: Scene, trial: str) -> str:
    objects = "\n".join(f"        {name} - {kind}" for name, kind in _objects(scene))
    facts = "\n".join(f"        ({' '.join(fact)})" for fact in _facts(scene))
    return (
        f"\n(define (problem plan_{trial})\n(:domain alfred)\n(:objects\n{objects}\n        )\n\n"
        f"(:init\n{facts}\n        )\n{scene.goal.condition}"
    )


def _types(scene: Scene) -> tuple[list[str], list[str]]:
    """Receptacle types and object types of the scene, sorted."""
    return list(scene.layout.types()), sorted({item.type for item in scene.items})


def _objects(scene: Scene) -> Iterable[tuple[str, str]]:
    receptacle_types, object_types = _types(scene)
    yield _AGENT, "agent"
    for type_ in sorted({*object_types, *_DOMAIN_OBJECTS}):
        yield f"{type_}Type", "otype"
    for type_ in sorted({*receptacle_types, *_DOMAIN_RECEPTACLES}):
        yield f"{type_}Type", "rtype"
    for item in scene.items:
        yield item.id, "object"
    for receptacle in scene.layout.receptacles:
        yield receptacle.id, "receptacle"
    for place in sorted({scene.layout.start, *(receptacle.place for receptacle in scene.layout.receptacles)}):
        yield place, "location"


def _facts(scene: Scene) -> Iterable[tuple[str, ...]]:
    receptacle_types, object_types = _types(scene)
    yield "atLocation", _AGENT, scene.layout.start
    for receptacle in scene.layout.receptacles:
        yield "receptacleType", receptacle.id, f"{receptacle.type}Type"
        yield "receptacleAtLocation", receptacle.id, receptacle.place
        if receptacle.openable:
            yield "openable", receptacle.id
    for receptacle_type in receptacle_types:
        for object_type in object_types:
            if object_type in wheel.receptacle_objects()[receptacle_type]:
                yield "canContain", f"{receptacle_type}Type", f"{object_type}Type"
    for item in scene.items:
        yield "objectType", item.id, f"{item.type}Type"
        yield "inReceptacle", item.id, item.receptacle.id
        yield "objectAtLocation", item.id, item.receptacle.place
        if item.portable:
            yield "pickupable", item.id
        if item.type in wheel.container_objects():
            yield "isReceptacleObject", item.id
        for affordance, fact in _AFFORDANCE_FACTS.items():
            if item.type in wheel.action_objects()[affordance]:
                yield fact, item.id
