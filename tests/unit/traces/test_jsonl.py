import gzip
import json
from pathlib import Path

import pytest

from spanwise.errors import TraceError
from spanwise.traces.jsonl import (
    TrajectoryAppender,
    read_trajectories,
    trajectory_from_json,
    trajectory_to_json,
    write_trajectories,
)
from spanwise.traces.segment import segment
from spanwise.types import Step, Trajectory


def make_trajectory(identity: str = "one") -> Trajectory:
    completion = "Thought: größer.\u2028\nAction: go to box 1"
    return Trajectory(
        id=identity,
        task_id="train-0001",
        environment="toy",
        agent="expert",
        seed=3,
        task="put the key on shelf 1.",
        steps=(
            Step("You see box 1.", completion, "go to box 1", segment(completion, "react").spans, valid=True),
            Step("Empty.", "hm", None, segment("hm", "react").spans, token_ids=(5, 0), logprobs=(-0.1, -1e-7)),
        ),
        reward=0.0,
        success=False,
        stop_reason="budget",
        metadata={"task_type": "carry", "agent_seconds": 0.25},
        final_observation="Nothing happens.",
    )


def changed_line(**changes: object) -> str:
    return json.dumps(json.loads(trajectory_to_json(make_trajectory())) | changes)


def test_round_trip():
    assert trajectory_from_json(trajectory_to_json(make_trajectory())) == make_trajectory()


def test_a_line_is_one_line_and_spans_are_stored_by_their_ends():
    line = trajectory_to_json(make_trajectory())
    assert "\n" not in line
    assert json.loads(line)["steps"][0]["spans"] == [["reason", 18], ["act", 37]]
    assert "token_ids" not in json.loads(line)["steps"][0]


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz"])
def test_files_round_trip_and_are_reproducible(tmp_path: Path, name: str):
    trajectories = [make_trajectory("one"), make_trajectory("two")]
    assert write_trajectories(tmp_path / "a" / name, trajectories) == 2
    assert list(read_trajectories(tmp_path / "a" / name)) == trajectories
    write_trajectories(tmp_path / "b" / name, trajectories)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (changed_line(schema_version=2), "schema_version: found 2, this version of spanwise reads 1"),
        (changed_line(seed="3"), "seed: Input should be a valid integer, found '3'"),
        (changed_line(colour="red"), "colour: Extra inputs are not permitted"),
        (changed_line(steps=[{"observation": "a"}]), "steps.0.completion: Field required"),
        (
            changed_line(steps=[{"observation": "a", "completion": "hm", "action": None, "spans": [["reason", 1]]}]),
            "steps.0: spans cover 1 of 2 characters",
        ),
        ("[1]", "expected a JSON object, found list"),
        ("nonsense", "not a JSON object"),
    ],
)
def test_a_bad_line_is_named_with_file_line_and_field(tmp_path: Path, line: str, message: str):
    path = tmp_path / "t.jsonl"
    path.write_text(f"{trajectory_to_json(make_trajectory())}\n{line}\n")
    with pytest.raises(TraceError) as caught:
        list(read_trajectories(path))
    assert str(caught.value).startswith(f"{path}:2: {message}")


@pytest.mark.parametrize("content", ['{"messages": []}\n', "[\n", '{"messages": []}'])
def test_a_first_line_that_is_no_trajectory_may_be_another_format(tmp_path: Path, content: str):
    path = tmp_path / "t.jsonl"
    path.write_text(content)
    with pytest.raises(TraceError, match=r"t.jsonl:1: .* Is it a log .* spanwise import .*t.jsonl"):
        list(read_trajectories(path))
    path.write_text("[{}]")  # whole, though no line ends
    with pytest.raises(TraceError, match=r"t.jsonl:1: expected a JSON object, found list"):
        list(read_trajectories(path))


def test_good_lines_before_a_bad_one_are_yielded(tmp_path: Path):
    path = tmp_path / "t.jsonl"
    path.write_text(f"{trajectory_to_json(make_trajectory())}\n\n{{\n")
    reader = read_trajectories(path)
    assert next(reader) == make_trajectory()
    with pytest.raises(TraceError, match=r":3: "):
        next(reader)


def test_a_truncated_last_line_is_called_that(tmp_path: Path):
    path = tmp_path / "t.jsonl"
    path.write_text(trajectory_to_json(make_trajectory())[:50])
    with pytest.raises(TraceError, match=r"t.jsonl:1: the last line is cut off \(50 bytes\)"):
        list(read_trajectories(path))


def test_a_truncated_gzip_file_is_an_error(tmp_path: Path):
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(b"x" * 1000)[:-6])
    with pytest.raises(TraceError, match="cannot be read"):
        list(read_trajectories(path))


def test_a_missing_file_is_an_error(tmp_path: Path):
    with pytest.raises(TraceError, match="no such file"):
        list(read_trajectories(tmp_path / "t.jsonl"))


def test_an_id_that_occurs_twice_is_an_error(tmp_path: Path):
    path = tmp_path / "t.jsonl"
    write_trajectories(path, [make_trajectory(), make_trajectory()])
    with pytest.raises(TraceError, match=r":2: id 'one' is already that of line 1"):
        list(read_trajectories(path))


def test_failing_midway_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "t.jsonl"
    write_trajectories(path, [make_trajectory("old")])

    def failing():
        yield make_trajectory("new")
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        write_trajectories(path, failing())
    assert [trajectory.id for trajectory in read_trajectories(path)] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_a_one_line_error(tmp_path: Path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    appender = TrajectoryAppender(tmp_path / "t.jsonl")
    appender.close()
    appender._file = full.open("ab")
    with pytest.raises(TraceError, match=r"t.jsonl: cannot be written: .*No space left on device"):
        appender.append(make_trajectory())
    with pytest.raises(TraceError, match="No space left on device"):
        appender.close()


def test_appending_goes_on_where_it_stopped(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "runs" / "t.jsonl"
    with TrajectoryAppender(path) as appender:
        assert appender.ids == set()
        appender.append(make_trajectory("one"))
        assert [trajectory.id for trajectory in read_trajectories(path)] == ["one"], "a line is out before the next"
    unfinished = trajectory_to_json(make_trajectory("two"))[:-9]
    with path.open("a") as file:
        file.write(unfinished)
    with TrajectoryAppender(path) as appender:
        assert appender.ids == {"one"}
        assert appender.dropped_bytes == len(unfinished.encode())
        assert "unfinished last line" in caplog.text
        appender.append(make_trajectory("two"))
        with pytest.raises(TraceError, match="already holds a trajectory with id 'one'"):
            appender.append(make_trajectory("one"))
    assert [trajectory.id for trajectory in read_trajectories(path)] == ["one", "two"]


def test_an_unfinished_line_longer_than_a_block_is_cut(tmp_path: Path):
    path = tmp_path / "t.jsonl"
    complete = (trajectory_to_json(make_trajectory()) + "\n").encode()
    for before in (b"", complete):
        path.write_bytes(before + b"x" * 200_000)
        with TrajectoryAppender(path) as appender:
            assert appender.dropped_bytes == 200_000
        assert path.read_bytes() == before


def test_appending_to_a_damaged_or_gzipped_file_is_refused(tmp_path: Path):
    path = tmp_path / "t.jsonl"
    path.write_text("nonsense\n")
    with pytest.raises(TraceError, match=r"t.jsonl:1: not a JSON object"):
        TrajectoryAppender(path)
    with pytest.raises(TraceError, match="gzipped"):
        TrajectoryAppender(tmp_path / "t.jsonl.gz")
