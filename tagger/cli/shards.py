"""`tagger tag INPUT... -o FOLDER/`: a file of results for each input, by many workers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli import inform, warn
from tagger.writing import WRITERS
from tagger.writing.text import many

if TYPE_CHECKING:
    from tagger.cli.choice import Choice
    from tagger.reading import Columns, Limits
    from tagger.scaling import Plan, Record, Settings
    from tagger.tagging import Tagger


class Backend(StrEnum):
    """What runs the workers."""

    PROCESSES = "processes"
    DASK = "dask"
    RAY = "ray"


Jobs = Annotated[int | None, typer.Option(min=1, help="With -o FOLDER/: how many processes of this machine work; 1 if left out.")]
Format = Annotated[
    str | None, typer.Option(help=f"With -o FOLDER/: the format of its files ({', '.join(WRITERS)}, without the dot); jsonl if left out.")
]
OnBackend = Annotated[
    Backend | None, typer.Option(help="With -o FOLDER/: what runs the workers; dask and ray use all that their cluster has.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", "--address", help="Where the cluster is: tcp://HOST:8786 of Dask, HOST:6379 of Ray, which without starts one here."
    ),
]


def is_folder(out: str) -> bool:
    """Tell whether results go into a folder, a file for each input: its name ends with a slash, it is there, or it is on shared storage."""
    return out.endswith("/") or "://" in out or Path(out).is_dir()


def check_options(
    out: str | None, jobs: int | None, format: str | None, backend: Backend | None, scheduler: str | None, *, everything: bool
) -> None:
    """Refuse options that don't go together."""
    if out is not None and everything:
        raise typer.BadParameter("is for what is printed; a file holds every passage without it", param_hint="--all")
    if out is None or not is_folder(out):
        for name, value in (("--jobs", jobs), ("--format", format), ("--backend", backend), ("--scheduler", scheduler)):
            if value is not None:
                raise typer.BadParameter("needs a folder to write into: -o FOLDER/, with a slash at the end", param_hint=name)
    if format is not None and f".{format}" not in WRITERS:
        known = ", ".join(ending[1:] for ending in WRITERS)
        raise typer.BadParameter(f"{format!r} is unknown; known are {known}", param_hint="--format")
    clustered = backend in (Backend.DASK, Backend.RAY)
    if jobs is not None and clustered:
        raise typer.BadParameter(f"is for processes; of a {backend} cluster all workers are used", param_hint="--jobs")
    if scheduler is not None and not clustered:
        raise typer.BadParameter("needs --backend dask or --backend ray", param_hint="--scheduler")
    if scheduler is None and backend == Backend.DASK:
        raise typer.BadParameter("dask needs --scheduler tcp://HOST:8786", param_hint="--backend")


def settings_of(
    out: str, tagger: Tagger, model: Path | None, choice: Choice, *, format: str | None, columns: Columns, limits: Limits
) -> Settings:
    """Put together what workers have to know."""
    from tagger.scaling import Settings, digest
    from tagger.storage import absolute
    from tagger.writing import check_packages

    ending = f".{format or 'jsonl'}"
    check_packages(ending)
    return Settings(
        absolute(out),
        digest(tagger),
        format=ending,
        model=str(model.absolute()) if model else None,
        columns=columns,
        limits=limits,
        select=choice.apply,
        told=choice.told,
        filters=choice.asked,
    )


def tag_folder(
    inputs: Sequence[str],
    settings: Settings,
    choice: Choice,
    themes: Sequence[str],
    *,
    jobs: int | None,
    backend: Backend,
    scheduler: str | None,
) -> None:
    """Tag what has not been tagged yet, and say what is in the folder then; with exit code 1 if an input or a section is missing."""
    from tagger.scaling import plan
    from tagger.storage import find_inputs

    work = plan(find_inputs(inputs, tables=settings.columns.text is not None, without=settings.out, told=inform), settings)
    if work.done:
        inform(f"done already: {len(work.done)} of {many(len(work.done) + len(work.todo), 'input')}")
    if work.left:
        shown = ", ".join(work.left[:5]) + (", ..." if len(work.left) > 5 else "")
        inform(f"{settings.out} holds {many(len(work.left), 'file')} of inputs that are not among these: {shown}")
    records = list(work.done)
    for record in _worked(work, settings, jobs, backend, scheduler) if work.todo else ():
        for note in record.notes:
            inform(f"{record.input}: {note}")
        if record.error:
            warn(record.error)
        records.append(record)
    _summarise(records, settings.out, themes, choice)


def _summarise(records: Sequence[Record], out: str, themes: Sequence[str], choice: Choice) -> None:
    good, failed = [r for r in records if not r.error], [r.input for r in records if r.error]
    counts = ", ".join(f"{theme} {sum(record.themes.get(theme, 0) for record in good)}" for theme in themes)
    if good:
        passages = many(sum(record.passages for record in good), "passage")
        print(f"{out}: {many(len(good), 'file')}, {passages}; {counts}", file=sys.stderr)
    if len(records) > 1 and failed:
        passed = "the others were tagged" if good else "so nothing was tagged"
        warn(f"{many(len(failed), 'input')} could not be read, {passed}: {', '.join(sorted(failed))}")
    seen = list(dict.fromkeys(name for record in good for name in record.sections))
    missing = choice.complaints(seen) if good else []
    for message in missing:
        warn(message)
    if failed or missing:
        raise SystemExit(1)


def _worked(work: Plan, settings: Settings, jobs: int | None, backend: Backend, scheduler: str | None) -> Iterator[Record]:
    """Yield records as they come, with a bar on a terminal."""
    from tagger.cli.progress import bar
    from tagger.scaling import engine, run

    sizes = {item.address: item.size for item, _ in work.todo}
    with engine(backend, scheduler), bar(len(work.todo), sum(sizes.values())) as shown:
        for record in run(work.todo, settings, jobs=(jobs or 1) if backend == Backend.PROCESSES else -1):
            shown.tagged(record.passages)
            shown.ends(sizes[record.input])
            yield record
