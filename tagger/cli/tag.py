"""`tagger tag`: tag reports, into the terminal or a file."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli import app, inform, warn
from tagger.cli.options import IdColumn, Inputs, Limit, TextColumn, columns, limits
from tagger.errors import InputError
from tagger.reading import COLUMNS, LIMITS, Columns, Limits

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from tagger.records import Tagged
    from tagger.tagging import Tagger

_STYLES = ("bold magenta", "bold cyan", "bold yellow", "bold green", "bold blue", "bold red")

_HELP = """Tag reports by theme.

Reads text, Markdown, HTML, PDF, Word files and tables, folders of them, and `-` for standard input.
Without `-o` it prints the passages that carry a theme, the
words that decided, and counts; with it, every passage goes into a file whose ending picks the format.

**Examples**

`tagger tag report.txt` · `tagger tag reports/ -o tags.csv` · `cat report.txt | tagger tag - -o tags.jsonl`
"""


@app.command("tag", help=_HELP)
def tag_cli(
    inputs: Inputs,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write: .jsonl or .csv (opens in Excel).")] = None,
    model: Annotated[Path | None, typer.Option(help="Folder of a saved model; the default one if left out.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print passages without a theme too.")] = False,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    limit: Limit = None,
) -> None:
    """Parse, tag, print; a bad file is named and passed over, and makes the exit code 1."""
    from tagger.tagging import load
    from tagger.writing import check_output, write

    if out is not None:
        check_output(out)
    tagger = load(model)
    failed: list[Path] = []
    tagged = tag(tagger, inputs, failed, columns(text_column, id_column), limits(limit))
    if out is not None:
        first = next(tagged, None)
        if first is None:
            warn(f"nothing could be read, so {out} was not written")
            raise SystemExit(1)
        counts = Counter[str]()
        write(out, _counted(first, tagged, counts), tagger.themes)
        print(_summary(counts, tagger.themes, out), file=sys.stderr)
    else:
        _print(list(tagged), tagger.themes, everything)
    if failed:
        warn(f"{len(failed)} input(s) could not be read and were passed over: {', '.join(map(str, failed))}")
        raise SystemExit(1)


def tag(
    tagger: Tagger,
    inputs: Sequence[Path],
    failed: list[Path],
    columns: Columns = COLUMNS,
    limits: Limits = LIMITS,
) -> Iterator[Tagged]:
    """Yield the tagged passages of all inputs; those that can't be read are said on standard error and added to ``failed``."""
    from rich.console import Console
    from rich.progress import track

    from tagger.reading import find_documents
    from tagger.tagging import read_all

    files = list(find_documents(list(inputs), tables=columns.text is not None))
    console = Console(stderr=True)
    shown = len(files) > 1 and console.is_terminal
    for path, name in track(files, "Tagging", console=console, transient=True) if shown else files:
        try:
            found = read_all(path, name=name, columns=columns, limits=limits)
        except InputError as error:
            warn(str(error))
            failed.append(path)
            continue
        for document in found:
            for note in document.notes:
                inform(f"{path}: {note}")
            yield from tagger.tag(document)


def _counted(first: Tagged, rest: Iterator[Tagged], counts: Counter[str]) -> Iterator[Tagged]:
    """Pass tagged passages on, counting them and their themes."""
    item: Tagged | None = first
    while item is not None:
        counts.update(item.labels)
        counts["passages"] += 1
        yield item
        item = next(rest, None)


def _summary(counts: Counter[str], themes: Sequence[str], out: Path) -> str:
    return f"{out}: {counts['passages']} passages; " + ", ".join(f"{theme} {counts[theme]}" for theme in themes)


def _print(tagged: Sequence[Tagged], themes: Sequence[str], everything: bool) -> None:
    """Print tables of passages and counts, a pair for each document."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    styles = {theme: _STYLES[place % len(_STYLES)] for place, theme in enumerate(themes)}
    for document in dict.fromkeys(item.passage.document for item in tagged):
        passages = [item for item in tagged if item.passage.document == document]
        carrying = [item for item in passages if item.labels]
        console.print(f"\n[bold]{_escape(document)}[/bold]: {len(carrying)} of {len(passages)} passages carry a theme\n")
        if everything or carrying:
            console.print(_passage_table(passages if everything else carrying, styles, marks=not console.is_terminal))
        console.print(_count_table(passages, themes, styles))
        console.print(_advice(passages, themes))


def _advice(passages: Sequence[Tagged], themes: Sequence[str]) -> str:
    """What a person should still do: the passages in the review band, and how many to read to miss little."""
    import numpy as np

    from tagger.tagging import reading_effort

    effort = reading_effort(np.array([[item.scores[theme] for theme in themes] for item in passages]))
    reads = ", ".join(f"{theme} {count}" for theme, count in zip(themes, effort, strict=True))
    review = sum(bool(item.review) for item in passages)
    return (
        f"{review} passages lie in the review band of a theme (marked ?, or in the file's column 'review'): a person should look.\n"
        f"To see 95 % of a theme's passages, read so many, most probable first: {reads}."
    )


def _passage_table(passages: Sequence[Tagged], styles: dict[str, str], *, marks: bool) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("section", style="dim", max_width=15)
    table.add_column("passage", ratio=1)
    table.add_column("themes", no_wrap=True)
    for item in passages:
        table.add_row(item.passage.section or "", _highlighted(item, styles, marks=marks), _labels(item, styles))
    return table


def _highlighted(item: Tagged, styles: dict[str, str], *, marks: bool) -> Text:
    """The passage with its deciding words in the colour of their theme, or between asterisks where there is no colour."""
    from rich.text import Text

    spans = sorted({(span.start, span.end) for spans in item.evidence.values() for span in spans})
    if not marks:
        text = Text(item.text)
        for theme, found in item.evidence.items():
            for span in found:
                text.stylize(f"{styles[theme]} underline", span.start, span.end)
        return text
    pieces, place = [], 0
    for start, end in spans:
        if start >= place:
            pieces += [item.text[place:start], "*", item.text[start:end], "*"]
            place = end
    return Text("".join([*pieces, item.text[place:]]))


def _labels(item: Tagged, styles: dict[str, str]) -> Text:
    from rich.text import Text

    text = Text()
    for theme in item.labels:
        text.append(f"{theme} {item.scores[theme]:.2f}{' ?' if theme in item.review else ''}\n", styles[theme])
    text.rstrip()
    return text


def _count_table(passages: Sequence[Tagged], themes: Sequence[str], styles: dict[str, str]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=True)
    table.add_column("section", footer="all")
    table.add_column("passages", justify="right", footer=str(len(passages)))
    for theme in themes:
        table.add_column(theme, justify="right", header_style=styles[theme], footer=str(sum(theme in item.labels for item in passages)))
    for section in dict.fromkeys(item.passage.section for item in passages):
        inside = [item for item in passages if item.passage.section == section]
        counts = [sum(theme in item.labels for item in inside) for theme in themes]
        table.add_row(section or "(no section)", str(len(inside)), *(str(count) if count else "." for count in counts))
    return table


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
