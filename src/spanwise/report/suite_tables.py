"""The tables of a suite's report: who played how well, what differs from the baseline, what size and data do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from spanwise.evaluation.crossed import CrossedDifference
from spanwise.evaluation.failures import failure
from spanwise.evaluation.fidelity import STEP_METRICS, summarise_steps
from spanwise.evaluation.metrics import METRICS, EpisodeRecord
from spanwise.evaluation.statistics import Estimate, holm
from spanwise.evaluation.trainings import compare_trainings, estimate_over_trainings
from spanwise.report.fidelity_tables import HEADINGS, step_cell
from spanwise.report.run_files import EvaluatedAgent
from spanwise.report.suite_files import Student, SuiteFiles, hours
from spanwise.report.tables import (
    UNKNOWN,
    Cell,
    Column,
    Table,
    count,
    interval_of_points,
    metric_cell,
    metric_column,
    p_value,
    percent,
    points,
    share_cell,
)

#: What is said of turns beside the teacher's, of all that is measured.
_STEPS = ("action_match", "thought_match", "thought_close", "rouge_l", "thought_f1", "thought_length_ratio")
_STEPS += ("reason_kl", "act_kl")

#: Why an episode was not won, see ``evaluation/failures.py``; and what that is called.
FAILURES = {
    "parse": "want of commands: at least half of its turns had none",
    "invalid": "out of budget, and at least half of its actions were refused",
    "loop": "out of budget, having gone round in a circle",
    "budget": "out of budget while doing other things",
    "wrong": "ended unsolved by what the agent did: a wrong answer, another product",
    "context": "the history left no room for an answer",
    "error": "the environment crashed",
}
_CONSTRAINED = "the same games, or some of them, with commands chosen among those that the environment lists"
_NOT_KNOWN: dict[str, None] = dict.fromkeys(("value", "low", "high"))


@dataclass(frozen=True, slots=True)
class MethodDifference:
    """How much better a method is than the baseline, at the main size, on one split.

    Attributes:
        method: Its name.
        seeds: Training seeds that both have.
        found: Its success minus the baseline's.
        adjusted: The p-value, adjusted for all methods of the suite that are compared on this split (Holm).
    """

    method: str
    seeds: int
    found: CrossedDifference
    adjusted: float


def success(students: Sequence[Student], split: str, confidence: float) -> Estimate | None:
    """The share of games that trained models of one method won, with an interval over seeds and tasks."""
    return estimate_over_trainings(METRICS["success_rate"], episodes(students, split), confidence)


def episodes(students: Sequence[Student], split: str) -> list[list[EpisodeRecord]]:
    """What each of some students played."""
    return [one.evaluations[split].records for one in students]


def differences(files: SuiteFiles, split: str) -> list[MethodDifference]:
    """All methods against the baseline, in the order of the suite; none where the baseline is not done."""
    confidence = files.suite.splits[split].evaluate.confidence
    baseline = _by_seed(files.of(files.suite.baseline), split)
    compared: list[tuple[str, int, CrossedDifference]] = []
    for method in files.methods:
        ours = _by_seed(files.of(method), split)
        found = None if method == files.suite.baseline else compare_trainings(ours, baseline, confidence)
        if found is not None:
            compared.append((method, len(ours.keys() & baseline.keys()), found))
    adjusted = holm([found.p_value for _, _, found in compared])
    return [MethodDifference(*one, p) for one, p in zip(compared, adjusted, strict=True)]


def main_table(files: SuiteFiles, split: str) -> Table:
    """Who played how well, at what cost: expert, teacher, then each method at the main size."""
    suite, others = files.suite, files.others[split]
    confidence = suite.splits[split].evaluate.confidence
    teacher = others.get("teacher")
    graded = any(record.reward != record.success for record in _all_records(files, split))
    metrics = [name for name in METRICS if graded or name != "reward"]
    constrained = suite.constrained(split)
    columns = (
        Column("agent"),
        Column("models", "trained with different seeds; all played the same games"),
        metric_column(metrics[0]),
        *([Column("success, constrained", _CONSTRAINED)] if constrained else []),
        *map(metric_column, metrics[1:]),
        Column("of the teacher's success", "the success rate over the teacher's"),
        Column("parameters", "of the model, shared ones counted once"),
        Column("compression", "the teacher's parameters over the agent's"),
    )
    rows = [
        (
            Cell(agent.name),
            Cell(""),
            metric_cell(metrics[0], agent.results[metrics[0]]),
            *([_rate_cell(files.others[constrained].get(name))] if constrained else []),
            *(metric_cell(name, agent.results[name]) for name in metrics[1:]),
            *_against(agent.results["success_rate"]["value"], agent.parameters, teacher, agent.role == "expert"),
        )
        for name, agent in others.items()
    ]
    for method in files.methods:
        students = files.of(method)
        found = {
            name: estimate_over_trainings(METRICS[name], episodes(students, split), confidence) for name in metrics
        }
        rate = found["success_rate"]
        chosen = success(students, constrained, confidence) if constrained else None
        rows.append(
            (
                Cell(method),
                Cell(str(len(students))),
                _estimate_cell(metrics[0], found.pop(metrics[0])),
                *([share_cell(_numbers(chosen), drawn=False)] if constrained else []),
                *(_estimate_cell(name, one) for name, one in found.items()),
                *_against(None if rate is None else rate.value, students[0].parameters, teacher, False),
            )
        )
    played = sorted({len(one.evaluations[split].records) for one in files.students})
    notes = (
        f"{' / '.join(map(str, played)) or 'No'} episodes a model, size {suite.main_size}. "
        f"Intervals: {confidence:.0%}, over training seeds and tasks; where there is one model, over tasks alone.",
    )
    return Table(f"Results on {split}", columns, tuple(rows), notes)


def _rate_cell(agent: EvaluatedAgent | None) -> Cell:
    return share_cell(_NOT_KNOWN if agent is None else agent.results["success_rate"], drawn=False)


def _estimate_cell(metric: str, found: Estimate | None) -> Cell:
    return metric_cell(metric, _numbers(found))


def _numbers(found: Estimate | None) -> Mapping[str, float | None]:
    return _NOT_KNOWN if found is None else asdict(found)


def differences_table(files: SuiteFiles, split: str, found: Sequence[MethodDifference]) -> Table:
    """Each method's success minus the baseline's, on the same games with the same training seeds."""
    confidence = files.suite.splits[split].evaluate.confidence
    columns = (
        Column("method"),
        Column("seeds", "training seeds that both have"),
        Column("difference, points", f"percentage points of success, with its {confidence:.0%} interval"),
        Column("p", "two-sided, of crossed effects of seeds and tasks"),
        Column("p, adjusted", "for all comparisons of this table (Holm): below 0.05 counts as a difference"),
        Column("detectable, points", "the smallest true difference that shows four times out of five at this variance"),
        Column(
            "between trainings, points",
            "standard deviation of the difference between seeds, chance among tasks taken off",
        ),
    )
    rows = tuple(
        (
            Cell(one.method),
            Cell(str(one.seeds)),
            _points_cell(one.found),
            Cell(p_value(one.found.p_value)),
            Cell(p_value(one.adjusted)),
            Cell(UNKNOWN if one.found.detectable is None else f"{100 * one.found.detectable:.1f}"),
            _deviation(one.found.difference.seed_deviation),
        )
        for one in found
    )
    return Table(f"Success minus that of {files.suite.baseline}, on {split}", columns, rows)


def grid_table(files: SuiteFiles, split: str) -> Table:
    """Success of every method at every size and amount of data that has a student."""
    confidence = files.suite.splits[split].evaluate.confidence
    rows = []
    for students in files.groups:
        cell = students[0].cell
        rate = success(students, split, confidence)
        rows.append(
            (
                Cell(cell.method),
                Cell(cell.size),
                Cell(count(students[0].parameters)),
                Cell(str(cell.data)),
                Cell(str(len(students))),
                Cell(UNKNOWN) if rate is None else share_cell(asdict(rate)),
                Cell(f"{60 * hours(students) / len(students):.0f}"),
            )
        )
    columns = (
        Column("method"),
        Column("size"),
        Column("parameters"),
        Column("trajectories", "of the teacher's that a student learns from"),
        Column("models", "trained with different seeds"),
        Column("success"),
        Column("minutes each", "of training, evaluation on all splits and comparison with the teacher"),
    )
    return Table(f"Size and data: success on {split}", columns, tuple(rows))


def task_table(files: SuiteFiles, split: str) -> Table:
    """Success for each type of task: a row per type, a column per agent; the darker, the more."""
    agents: dict[str, list[list[EpisodeRecord]]] = {
        name: [agent.records] for name, agent in files.others[split].items() if name == "teacher"
    }
    agents |= {method: episodes(files.of(method), split) for method in files.methods}
    rates: dict[str, dict[str, float]] = {name: _by_type(trainings) for name, trainings in agents.items()}
    counts = Counter(record.task_type for trainings in agents.values() for record in trainings[0])
    rows = tuple(
        (
            Cell(kind or "(none)"),
            Cell(str(counts[kind] // max(1, len(agents)))),
            *(
                Cell(percent(rate[kind]).removesuffix("%"), shade=rate[kind]) if kind in rate else Cell(UNKNOWN)
                for rate in rates.values()
            ),
        )
        for kind in sorted(counts)
    )
    columns = (Column("task type"), Column("episodes"), *map(Column, agents))
    return Table(f"Success by type of task, in percent, on {split}", columns, rows)


def fidelity_table(files: SuiteFiles) -> Table:
    """How like the teacher's the students' turns are, after the same histories: those that the teacher wrote itself."""
    confidence = files.suite.recipe.evaluate.confidence
    rows = []
    for method in files.methods:
        steps = [step for one in files.of(method) for step in one.steps]
        if steps:
            found = summarise_steps(steps, confidence)
            rows.append((Cell(method), Cell(str(len(steps))), *(step_cell(name, found) for name in _STEPS)))
    columns = (
        Column("method"),
        Column("turns", "of the teacher's won episodes that no student learnt from, of all training seeds together"),
        *(Column(HEADINGS[name], STEP_METRICS[name].meaning) for name in _STEPS),
    )
    notes = (f"Intervals: {confidence:.0%}, bootstrap over tasks, the seeds taken together.",)
    return Table("Turn by turn beside the teacher", columns, tuple(rows), notes)


def failures_table(files: SuiteFiles, split: str) -> Table:
    """By what episodes were lost, in percent of all that an agent played."""
    agents = {name: agent.records for name, agent in files.others[split].items()}
    for method in files.methods:
        agents[method] = [record for training in episodes(files.of(method), split) for record in training]
    lost = {name: Counter(failure(one) for one in records if not one.success) for name, records in agents.items()}
    kinds = [kind for kind in FAILURES if any(kind in counts for counts in lost.values())]
    rows = tuple(
        (
            Cell(name),
            Cell(percent(sum(one.success for one in agents[name]) / len(agents[name])).removesuffix("%")),
            *(Cell(percent(counts[kind] / len(agents[name])).removesuffix("%")) for kind in kinds),
        )
        for name, counts in lost.items()
    )
    columns = (Column("agent"), Column("won"), *(Column(kind, FAILURES[kind]) for kind in kinds))
    return Table(f"How episodes ended, in percent, on {split}", columns, rows)


def summary_sentences(files: SuiteFiles, split: str, found: Sequence[MethodDifference]) -> list[str]:
    """What was done, and the outcome: the teacher, the baseline, and which methods differ from it."""
    suite = files.suite
    confidence = suite.splits[split].evaluate.confidence
    sentences = [
        f"{len(files.students)} students of one teacher, {len(files.methods)} methods; "
        f"{hours(files.students):.1f} hours of work."
    ]
    teacher = files.others[split].get("teacher")
    if teacher is not None:
        rate = teacher.results["success_rate"]
        sentences.append(f"On {split} the teacher won {percent(rate['value'])} of {teacher.results['n']} games.")
    baseline = files.of(suite.baseline)
    rate = success(baseline, split, confidence) if baseline else None
    if rate is not None and rate.low is not None and rate.high is not None:
        ends = f"{percent(rate.low).removesuffix('%')}–{percent(rate.high)}"
        sentences.append(f"Its student {suite.baseline} ({suite.main_size}) won {percent(rate.value)} ({ends}).")
    sure = [one for one in found if one.adjusted < 1 - confidence]
    for one in sure:
        value = one.found.difference.value
        sentences.append(
            f"{one.method} wins {'more' if value > 0 else 'fewer'}: {points(value)} points "
            f"({interval_of_points(_estimate(one.found))}; adjusted p {p_value(one.adjusted)})."
        )
    if found and not sure:
        sentences.append(f"No method differs from {suite.baseline} by more than chance explains.")
    return sentences


def _all_records(files: SuiteFiles, split: str) -> Iterator[EpisodeRecord]:
    for agent in files.others[split].values():
        yield from agent.records
    for student in files.students:
        yield from student.evaluations[split].records


def _by_seed(students: Sequence[Student], split: str) -> dict[int, list[EpisodeRecord]]:
    return {one.cell.seed: one.evaluations[split].records for one in students}


def _by_type(trainings: Sequence[Sequence[EpisodeRecord]]) -> dict[str, float]:
    won: dict[str, list[bool]] = defaultdict(list)
    for training in trainings:
        for record in training:
            won[record.task_type].append(record.success)
    return {kind: sum(one) / len(one) for kind, one in won.items()}


def _against(
    rate: float | None, parameters: int | None, teacher: EvaluatedAgent | None, scripted: bool
) -> tuple[Cell, Cell, Cell]:
    theirs = None if teacher is None else teacher.results["success_rate"]["value"]
    of_teacher = None if teacher is None else teacher.parameters
    return (
        Cell(UNKNOWN if scripted or rate is None or not theirs else percent(rate / theirs)),
        Cell(UNKNOWN if parameters is None else count(parameters)),
        Cell(UNKNOWN if not parameters or not of_teacher else f"{of_teacher / parameters:.1f}×"),
    )


def _estimate(found: CrossedDifference) -> Estimate:
    return Estimate(found.difference.value, found.difference.low, found.difference.high)


def _points_cell(found: CrossedDifference) -> Cell:
    estimate = _estimate(found)
    return Cell(points(estimate.value), interval_of_points(estimate) or "no interval", estimate)


def _deviation(deviation: float | None) -> Cell:
    return Cell(UNKNOWN if deviation is None else f"{100 * deviation:.1f}")
