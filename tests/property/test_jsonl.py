from hypothesis import given
from hypothesis import strategies as st

from spanwise.traces.jsonl import trajectory_from_json, trajectory_to_json
from spanwise.traces.segment import STYLES, segment
from spanwise.types import Step, Trajectory

finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | finite | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    completion = draw(st.text(max_size=20) | st.text(max_size=9).map("Thought: a\nAction: {}".format))
    result = segment(completion, draw(st.sampled_from(list(STYLES))))
    token_ids = draw(st.none() | st.lists(st.integers(0, 200_000), max_size=4).map(tuple))
    logprobs = None if token_ids is None else tuple(draw(finite) for _ in token_ids)
    valid = draw(st.none() | st.booleans())
    return Step(draw(st.text(max_size=9)), completion, result.action, result.spans, token_ids, logprobs, valid)


trajectories = st.builds(
    Trajectory,
    id=st.text(max_size=5),
    task_id=st.text(max_size=5),
    environment=st.text(max_size=5),
    agent=st.text(max_size=5),
    seed=st.integers(0, 2**60),
    task=st.text(max_size=5),
    steps=st.lists(steps(), max_size=3).map(tuple),
    reward=finite,
    success=st.booleans(),
    stop_reason=st.text(max_size=5),
    metadata=st.dictionaries(st.text(max_size=5), json_values, max_size=3),
    final_observation=st.none() | st.text(max_size=5),
    schema_version=st.just(1),
)


@given(trajectories)
def test_any_trajectory_survives_its_line(trajectory: Trajectory):
    line = trajectory_to_json(trajectory)
    assert "\n" not in line
    assert trajectory_from_json(line.encode()) == trajectory
