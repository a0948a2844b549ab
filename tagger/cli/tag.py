"""`tagger tag`: tag reports, into the terminal or a file."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli import app, inform, places, warn
from tagger.cli.choice import Choice
from tagger.cli.options import Addresses, IdColumn, Limit, TextColumn, columns, limits, sections
from tagger.cli.progress import bar
from tagger.cli.shards import Backend, Format, Jobs, OnBackend, Scheduler, check_options, is_folder, settings_of, tag_folder
from tagger.errors import InputError, MissingExtraError, OutputError
from tagger.reading import COLUMNS, LIMITS, STDIN, Columns, Limits, label_of
from tagger.reading.large import LEAST, large_format
from tagger.writing import STREAMING, WRITERS
from tagger.writing.text import many

if TYPE_CHECKING:
    from tagger.records import Document, Tagged
    from tagger.tagging import Tagger
    from tagger.writing import About, Results
    from tagger.writing.counts import Tally

_HELP = """Tag reports by theme.

Reads PDF, DOCX, HTML, Markdown, text and tables, folders of them, and `-` for standard input. Without `-o` it prints the
passages that carry a theme or lie in its review band, the words that decided, and counts; of several documents, counts only, unless
`--all` or a filter is given. With `-o`, every passage goes into a file whose ending picks the format. Filters hold for what is printed and
what is written.

With `-o FOLDER/`, each input becomes a file of its own there, by `--jobs` processes or the workers of a Dask or Ray cluster. The same
command, given again, goes on where a killed one was, and does anew what was made from an input that has changed, or by another model.

**Examples**

- `tagger tag report.pdf`
- `tagger tag reports/ -o tags.xlsx`
- `tagger tag report.pdf -o report.html`
- `cat report.txt | tagger tag - -o - | head -1` writes JSON Lines to standard output, document by document
- `tagger tag reports/ --theme complicity --section Prosecution`
- `tagger tag reports/ --theme shelter_gaps --min-score 0.1` also keeps what falls short of the theme's threshold
- `tagger tag reports/ -o tags/ --format parquet --jobs 8`
- `tagger tag s3://theirs/reports -o s3://ours/tags --backend dask --scheduler tcp://10.0.0.1:8786`
"""


@app.command("tag", help=_HELP)
def tag_cli(
    given: Addresses,
    target: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--out",
            help=f"File to write ({', '.join(WRITERS)}), - for JSON Lines to standard output, or a folder (one that is there, or NAME/).",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            callback=places.model_to_use, help="Folder of a saved model; if left out the project's, or the one that comes with tagger."
        ),
    ] = None,
    theme: Annotated[list[str] | None, typer.Option(help="Only passages that carry this theme; may be given again.")] = None,
    section: Annotated[list[str] | None, typer.Option(help="Only passages of this section; may be given again.")] = None,
    min_score: Annotated[
        float | None, typer.Option(min=0, max=1, help="Only passages with this probability for a theme (of --theme, if given).")
    ] = None,
    only_tagged: Annotated[bool, typer.Option("--only-tagged", help="Only passages that carry a theme (of --theme, if given).")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Print passages without a theme too.")] = False,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    limit: Limit = None,
    jobs: Jobs = None,
    format: Format = None,
    backend: OnBackend = None,
    scheduler: Scheduler = None,
) -> None:
    """Parse, tag, print; a bad file is named and passed over, and makes the exit code 1."""
    from tagger.tagging import load
    from tagger.writing import check_output

    gc.set_threshold(20_000)  # tagged passages are many small objects that need no collecting
    wanted, used, table = sections(section), limits(limit), columns(text_column, id_column)
    check_options(target, jobs, format, backend, scheduler, everything=everything)
    inputs, out = list(map(Path, given)), None if target is None else Path(target)
    streamed, into_folder = target == STDIN, target is not None and is_folder(target)
    if out is not None and not streamed and not into_folder:
        if not out.suffix:
            raise OutputError(
                f"{out}: its name has no ending that tells the format ({', '.join(WRITERS)}); for a folder of results write {out}/"
            )
        check_output(out)
        if same(out, inputs):
            raise OutputError(f"{out}: is an input too: name another file to write")
    tagger = load(model)
    choice = Choice.of(tagger.themes, theme or [], wanted, min_score, only_tagged)
    if target is not None and into_folder:
        settings = settings_of(target, tagger, model, choice, format=format, columns=table, limits=used)
        tag_folder(given, settings, choice, tagger.themes, jobs=jobs, backend=backend or Backend.PROCESSES, scheduler=scheduler)
        return
    failed: list[Path] = []
    tallies: list[tuple[str, Tally]] = []
    flowing = out is not None and (streamed or out.suffix.lower() in STREAMING)
    found = tag(tagger, inputs, failed, table, used, out=out, flowing=flowing)
    results = _counted(choice.apply(found), tallies)
    about = choice.told(tagger.about)
    if streamed:
        _stream(results, about)
    elif out is not None:
        _write(out, results, about, tallies)
    else:
        _print(results, about, tallies, choice, everything=everything)
    _complain(choice.complaints(choice.seen) if tallies else [], failed, alone=not tallies)


def _stream(results: Results, about: About) -> None:
    """Write JSON Lines to standard output, each document as soon as it is done."""
    from tagger.writing.jsonl import write_jsonl

    for result in results:
        write_jsonl([result], about, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _write(out: Path, results: Iterator[tuple[Document, Sequence[Tagged]]], about: About, tallies: Sequence[tuple[str, Tally]]) -> None:
    """Write a file, and print counts a document if there are several; without any document an older file stays."""
    from tagger.writing import write

    first = next(results, None)
    if first is None:
        return
    write(out, chain([first], results), about)
    print(_summary(tallies, about.names, out), file=sys.stderr)
    if len(tallies) > 1:
        from tagger.cli.tables import Printer

        Printer(about).documents(tallies)


def _print(results: Results, about: About, tallies: Sequence[tuple[str, Tally]], choice: Choice, *, everything: bool) -> None:
    """Print passages, counts, and what a person should still read."""
    from tagger.cli.tables import Printer

    printer = Printer(about)
    found = list(results)
    if len(found) == 1 or everything or choice.active:
        for document, passages in found:
            printer.document(document, passages, choice, everything=everything)
    if len(found) > 1:
        printer.documents(tallies)
    if found and not choice.active:
        printer.advice([item for _, passages in found for item in passages])


def tag(
    tagger: Tagger,
    inputs: Sequence[Path],
    failed: list[Path],
    columns: Columns = COLUMNS,
    limits: Limits = LIMITS,
    *,
    out: Path | None = None,
    flowing: bool = False,
) -> Iterator[tuple[Document, Sequence[Tagged]]]:
    """Yield each document with its tagged passages; inputs that can't be read are said on standard error and added to ``failed``.

    What an earlier run left at ``out`` is no document of the folder that it lies in. With ``flowing``, large documents come in parts.
    """
    from tagger.reading import find_documents, without_own
    from tagger.tagging import tag_file

    files = [
        (path, name) for path, name in find_documents(list(inputs), tables=columns.text is not None) if out is None or not same(out, [path])
    ]
    if not files:
        raise InputError(f"{out}: is all that there is to read, and the file to write")
    files = without_own(files, inform)
    taken = Counter(name for _, name in files)
    sizes = [_size(path) for path, _ in files]
    torn = out is not None and str(out) == STDIN and sys.stdout.isatty()  # the bar and the results would be
    with bar(len(files), sum(sizes), shown=not torn and (len(files) > 1 or sizes[0] >= LEAST)) as shown:
        for (path, name), size in zip(files, sizes, strict=True):
            written = 0
            try:
                for document, tagged in tag_file(
                    tagger, path, name=name, columns=columns, limits=limits, taken=taken, flowing=flowing, told=shown.reads
                ):
                    for note in document.notes:
                        inform(f"{path}: {note}")
                    yield document, tagged
                    written += len(tagged)
                    shown.tagged(len(tagged))
            except (InputError, MissingExtraError) as error:
                message = str(error) if isinstance(error, InputError) else f"{path}: {error}"
                if written:
                    message += f"; the {many(written, 'passage')} before were tagged"
                if not flowing and large_format(path, columns):
                    message += f"; files of any size can be tagged to {', '.join(sorted(STREAMING))}"
                warn(message)
                failed.append(path)
            shown.ends(size)


def _size(path: Path) -> int:
    with suppress(OSError):  # reading it will say what is wrong
        return path.stat().st_size
    return 0


def same(out: Path, paths: Sequence[Path]) -> bool:
    """Tell whether a file to be written is one of these."""
    for path in paths:
        with suppress(OSError):  # one of them is not there
            if out.samefile(path):
                return True
    return False


def _counted(
    results: Iterator[tuple[Document, Sequence[Tagged]]], tallies: list[tuple[str, Tally]]
) -> Iterator[tuple[Document, Sequence[Tagged]]]:
    """Pass documents on, whole or in parts, counting their passages and themes."""
    from tagger.writing.counts import Tally

    for document, passages in results:
        if not tallies or tallies[-1][0] != document.name:
            tallies.append((document.name, Tally()))
        tallies[-1][1].add(passages)
        yield document, passages


def _summary(tallies: Sequence[tuple[str, Tally]], themes: Sequence[str], out: Path) -> str:
    counts = ", ".join(f"{theme} {sum(tally.themes[theme] for _, tally in tallies)}" for theme in themes)
    return f"{out}: {many(sum(tally.passages for _, tally in tallies), 'passage')}; {counts}"


def _complain(missing: Sequence[str], failed: Sequence[Path], *, alone: bool) -> None:
    """Say what went wrong with inputs and filters, and leave with exit code 1; what was said of an input ``alone`` is enough."""
    for message in missing:
        warn(message)
    if len(failed) > alone:
        passed = "so nothing was tagged" if alone else "the others were tagged"
        warn(f"{many(len(failed), 'input')} could not be read, {passed}: {', '.join(map(label_of, failed))}")
    if missing or failed:
        raise SystemExit(1)
