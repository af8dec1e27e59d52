import pytest

from spanwise.evaluation.metrics import EpisodeRecord


def _make_record(task_id="a", seed=0, success=True, **fields):
    values = {
        "id": f"{task_id}#{seed}",
        "task_type": "carry",
        "reward": float(success),
        "steps": 10,
        "turns": 10,
        "tokens": 100,
        "reasoning_tokens": 60,
        "action_tokens": 40,
        "parse_failures": 0,
        "invalid_actions": 0,
        "seconds": 1.0,
        "stop_reason": "success" if success else "budget",
        "looped": False,
    }
    return EpisodeRecord(task_id=task_id, seed=seed, success=success, **(values | fields))


@pytest.fixture
def make_record():
    """Makes an episode's record: a success of ten steps, but for what is said otherwise."""
    return _make_record
