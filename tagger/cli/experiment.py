"""`tagger experiment`: training experiments from a file, listed and compared."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagger.cli import app, inform, places, warn

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from tagger.evaluation.comparison import Comparison
    from tagger.experiments.listing import Listed
    from tagger.experiments.passages import Passages
    from tagger.experiments.results import Results

experiment_app = typer.Typer(help="Run, list and compare training experiments.", no_args_is_help=True, rich_markup_mode="markdown")
app.add_typer(experiment_app, name="experiment")

File = Annotated[
    Path, typer.Argument(metavar="EXPERIMENT", callback=places.experiment, help="Folder of an experiment, or its experiment.toml.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

_RUN = """Train and test as an experiment.toml says; write results.json, report.html and, if asked for, the model beside it.

Interrupted, it goes on where it stopped: every fit is kept in the folder .cache. A class of your own that the file names is imported and
run, and the cache is read as Python objects: run only experiments of people you trust.

**Example**: `tagger experiment run experiments/cross-validation --jobs 2`
"""


@experiment_app.command("run", help=_RUN)
def run_cli(
    file: File,
    jobs: Annotated[int, typer.Option(min=1, help="Fits at the same time, each in a process of its own.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what is kept of earlier runs first.")] = False,
    mlflow: Annotated[bool, typer.Option("--mlflow", help="Log settings and figures to MLflow (pip install 'tagger[mlflow]').")] = False,
    mlflow_store: Annotated[str, typer.Option(help="Where MLflow keeps them.")] = "sqlite:///mlflow.db",
) -> None:
    """Parse, run, say what came of it."""
    try:
        _run(file, jobs, fresh, mlflow_store if mlflow else None)
    except KeyboardInterrupt:
        warn("interrupted: what was fitted is kept, and the same command goes on from there")
        raise SystemExit(130) from None


def _run(file: Path, jobs: int, fresh: bool, store: str | None) -> None:
    """Run, write, and log to a store of MLflow."""
    from tagger.experiments import Run, read_experiment
    from tagger.experiments.reporting import check_reporting
    from tagger.experiments.tracking import check_tracking, log_results

    experiment = read_experiment(file)
    check_reporting()
    if store:
        check_tracking()
    with _progress() as watch:
        run = Run(experiment, jobs=jobs, fresh=fresh, watch=watch)
        results = run.results()
        written = [results.write(experiment.folder), _report(results, experiment.folder)]
        if store:
            log_results(experiment.name, results, store)
        if experiment.settings.save_model:
            written.append(run.save_model())
    print(_headline(results))
    print("\n".join(map(str, written)))


@experiment_app.command("report")
def report_cli(folder: File) -> None:
    """Write report.html anew from results.json; nothing is fitted.

    Example: tagger experiment report experiments/cross-validation
    """
    from tagger.experiments import read_results

    folder = folder if folder.is_dir() else folder.parent
    print(_report(read_results(folder), folder))


@experiment_app.command("list")
def list_cli(
    folder: Annotated[Path, typer.Argument(callback=places.experiments, help="Folder of folders with an experiment.toml.")] = Path(
        "experiments"
    ),
    as_json: AsJson = False,
) -> None:
    """Rank experiments by macro-F1, with its 95 % interval.

    Example: tagger experiment list experiments
    """
    from tagger.experiments.listing import find_experiments

    found = find_experiments(folder)
    if as_json:
        print(json.dumps([_plain(listed) for listed in found], indent=1))
        return
    _console().print(_ranking(found))
    run = [listed.results for listed in found if listed.results]
    if len({results.tested for results in run}) > 1:
        print("Not all were tested on the same passages: compare only those that were.")
    for listed in found:
        if listed.changed:
            print(f"* {listed.name}: other {', '.join(listed.changed)} since: run it again.")


@experiment_app.command("compare")
def compare_cli(
    a: Annotated[Path, typer.Argument(metavar="A", callback=places.experiment, help="Folder of an experiment, or its results.json.")],
    b: Annotated[Path, typer.Argument(metavar="B", callback=places.experiment, help="Another one, tested on the same passages.")],
    flips: Annotated[int, typer.Option(min=0, help="How many passages to show, of each theme and way.")] = 5,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the documents.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Tell whether B is better than A: differences in F1 with intervals and p values, and the passages that flipped.

    Intervals hold 95 % of a paired bootstrap over documents; p is of an approximate randomisation test, corrected by Holm over the themes.

    Example: tagger experiment compare experiments/bag-of-words experiments/cross-validation
    """
    from tagger.evaluation.comparison import compare
    from tagger.experiments import read_results

    results = [read_results(path) for path in (a, b)]
    found = compare(results[0].predictions, results[1].predictions, resamples=resamples, seed=seed)
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
        return
    console = _console()
    console.print(_differences(found))
    console.print(
        f"{found.passages} predictions for passages of {found.documents} documents; {found.resamples} resamples of documents. "
        "p (Holm) is corrected for the number of themes."
    )
    _print_flips(found, flips, _texts(results, a))


def _report(results: Results, folder: Path) -> Path:
    from tagger.experiments.reporting import REPORT, write_experiment_report

    if lost := write_experiment_report(results, folder):
        inform(f"{folder / REPORT}: shows no texts of {', '.join(lost)}: the corpus is not where it was, or was changed")
    return folder / REPORT


def _texts(results: Sequence[Results], path: Path) -> Passages:
    """The passages of the first of the results, where all allow to show them."""
    from tagger.experiments.passages import find_passages, quotable

    return find_passages(results[0], path if path.is_dir() else path.parent)[0] if all(map(quotable, results)) else {}


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], Callable[[], None]]]:
    """A bar on standard error for each round of fits."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def watch(what: str, count: int, kept: int) -> Callable[[], None]:
            if kept:
                inform(f"{kept} of {count} fits ({what}) are kept from before")
            bar = progress.add_task(what, total=count)
            return lambda: progress.advance(bar)

        yield watch


def _console() -> Console:
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 140, highlight=False)


def _headline(results: Results) -> str:
    figures = results.figures
    themes = ", ".join(f"{theme['theme']} {_number(theme['f1'])}" for theme in figures["themes"])
    return f"macro-F1 {_number(figures['macro_f1'])} ({_interval(figures['macro_interval'])}); {themes}"


def _plain(listed: Listed) -> dict[str, Any]:
    results = listed.results
    if results is None:
        return {"name": listed.name, "ran": False}
    return {"name": listed.name, "ran": True, "changed": list(listed.changed), "seconds": round(results.seconds, 1), **results.figures}


def _ranking(found: Sequence[Listed]) -> Table:
    from rich.markup import escape

    themes = list(dict.fromkeys(theme for listed in found if listed.results for theme in listed.results.predictions.themes))
    table = _table("experiment", "macro-F1", "95 % interval", *themes, "passages", "documents", "seconds")
    for listed in found:
        if listed.results is None:
            table.add_row(escape(listed.name), "not run")
            continue
        figures, predictions = listed.results.figures, listed.results.predictions
        f1 = {theme["theme"]: _number(theme["f1"]) for theme in figures["themes"]}
        counts = (len(set(zip(predictions.documents, predictions.ids, strict=True))), len(set(predictions.documents)))
        table.add_row(
            f"{escape(listed.name)}{' *' if listed.changed else ''}",
            _number(figures["macro_f1"]),
            _interval(figures["macro_interval"]),
            *(f1.get(theme, "") for theme in themes),
            *map(str, counts),
            f"{listed.results.seconds:.0f}",
        )
    return table


def _differences(found: Comparison) -> Table:
    table = _table("theme", "F1 of A", "F1 of B", "B less A", "95 % interval", "p", "p (Holm)", "mended", "broken")
    for row in (*found.themes, found.macro, found.micro):
        ways = [str(sum(flip.mended is mended for flip in found.flips if flip.theme == row.name)) for mended in (True, False)]
        table.add_row(
            row.name,
            _number(row.a),
            _number(row.b),
            _number(row.difference, "+.3f"),
            _interval(row.interval, "+.3f"),
            _number(row.p, ".4f"),
            "" if row.p_corrected is None else _number(row.p_corrected, ".4f"),
            *(ways if row in found.themes else ()),
        )
    return table


def _print_flips(found: Comparison, most: int, texts: Passages) -> None:
    """Passages that B mends and breaks, with their texts where these are at hand."""
    for theme in found.themes:
        for mended, way in ((True, "B mends"), (False, "B breaks")):
            flips = [flip for flip in found.flips if flip.theme == theme.name and flip.mended is mended]
            if flips[:most]:
                print(f"\n{theme.name}: {way} {len(flips)}{f', of which {most}' if len(flips) > most else ''}:")
            for flip in flips[:most]:
                text = texts.get((flip.document, flip.id), {}).get("text", "")
                said = f"{'carries it' if flip.carries else 'does not carry it'}{f', {flip.times} times' if flip.times > 1 else ''}"
                print(f"  {flip.document} {flip.id} ({said}){': ' if text else ''}{text}")


def _table(first: str, *others: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right")
    return table


def _number(value: float | None, form: str = ".3f") -> str:
    """The number, or a dot where there is none, as in figures of a model."""
    return "." if value is None or math.isnan(value) else f"{value:{form}}"


def _interval(values: Sequence[float | None], form: str = ".3f") -> str:
    return " to ".join(_number(value, form) for value in values)
