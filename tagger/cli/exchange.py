"""`tagger corpus import` and `tagger corpus export`: to and from other people's tools."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli import inform, places, put
from tagger.cli.corpus import corpus_app, waiting
from tagger.cli.options import IdColumn, Limit, TextColumn, columns, limits
from tagger.errors import OutputError
from tagger.writing.text import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.exchange import Corpus
    from tagger.reading import Columns
    from tagger.themes import Theme


class ToolFormat(StrEnum):
    """The formats of `tagger.exchange`."""

    REFI_QDA = "refi-qda"
    LABEL_STUDIO = "label-studio"
    ARGILLA = "argilla"
    PRODIGY = "prodigy"
    DOCCANO = "doccano"
    SPACY = "spacy"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    DATASETS = "datasets"


_QDC = ".qdc"

_IMPORT = """Make a corpus of what people labelled in another tool.

The file's name and content tell what it is; a folder is a dataset that `datasets` saved. Labels are known by the name or the title of a
theme. Of a `.qdc` codebook the themes are written, as a `themes.toml`.

**Examples**

- `tagger corpus import coded.qdpx -o corpora/mine --map "Forced Labour=forced_labor" --map "Good quotes="`
- `tagger corpus import tasks.json -o corpora/mine`
- `tagger corpus import codes.qdc -o themes.toml`
"""
_EXPORT = """Write a corpus for another tool, or what a model tags in reports.

Where several formats have the ending of OUT, `--format` says which one is meant; `datasets` is a folder.

**Examples**

- `tagger corpus export corpora/mexico-2014 -o mexico.qdpx` for NVivo, ATLAS.ti, MAXQDA, QualCoder
- `tagger corpus export report.pdf -o report.qdpx` the same with the tags of a report
- `tagger corpus export report.pdf -o tasks.json --format label-studio --spans` tags to be corrected in Label Studio
- `tagger corpus export corpora/composed -o composed.spacy`
- `tagger corpus export corpora/composed -o dataset --format datasets`
- `tagger corpus export corpora/composed -o codes.qdc` the codebook alone
"""


@corpus_app.command("import", help=_IMPORT)
def import_cli(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the tool exported.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The new corpus, a folder that is not there yet; of a .qdc, a file.")],
    format: Annotated[ToolFormat | None, typer.Option(help="The tool or format, where the file can't tell.")] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="LABEL=THEME", help="A label that stands for a theme, or without a theme for nothing; may be given again."
        ),
    ] = None,
    themes: Annotated[Path, typer.Option(metavar="FILE", callback=places.themes, help="The codebook: themes and lexicon.")] = places.THEMES,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    limit: Limit = None,
) -> None:
    """Read, map, write a corpus folder."""
    if file.suffix.lower() == _QDC:
        _import_codebook(file, out)
        return
    from tagger.exchange import Labels, read, say_asked, write_corpus
    from tagger.themes import load_codebook

    codebook = load_codebook(places.codebook_file(themes))
    pairs = dict(_pair(one) for one in map or [])
    with waiting(f"Reading {file}"):
        table = columns(text_column, id_column)
        found = read(file, codebook.themes, format=format, labels=pairs, columns=table, limits=limits(limit))
        found = say_asked(found, Labels(codebook.themes), pairs.values())
        write_corpus(out, found, about=f"imported from {file.name}", labels=Labels(codebook.themes))
    for note in found.notes:
        inform(f"{file}: {note}")
    print(_summary(out, found, codebook.themes), file=sys.stderr)


@corpus_app.command("export", help=_EXPORT)
def export_cli(
    given: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", callback=places.inputs, help="A corpus, or reports for the model to tag.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write; its ending picks the format.")],
    format: Annotated[ToolFormat | None, typer.Option(help="The tool or format, where the ending can't tell.")] = None,
    spans: Annotated[bool, typer.Option("--spans", help="Whole documents with their passages as spans, not a task a passage.")] = False,
    themes: Annotated[
        Path,
        typer.Option(metavar="FILE", callback=places.themes, help="The codebook: themes and lexicon; for reports the model knows them."),
    ] = places.THEMES,
    model: Annotated[
        Path | None, typer.Option(callback=places.model_to_use, help="Folder of a saved model, for reports; the default one if left out.")
    ] = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
) -> None:
    """Read a corpus or tag reports, and write them."""
    from tagger.exchange import check_output, write
    from tagger.exchange.label_studio import interface
    from tagger.exchange.qdc import write_qdc
    from tagger.writing.whole import check_place, whole

    _check_place(out, given)
    codes = out.suffix.lower() == _QDC
    if codes:
        check_place(out, (_QDC,))
    else:
        check_output(out, format=format, spans=spans)
    corpus, book = _given(given, themes, model, columns(text_column, id_column))
    if codes:
        with whole(out) as stream:
            write_qdc(book, stream)
        print(f"{out}: {many(len(book), 'code')}", file=sys.stderr)
        return
    with waiting(f"Writing {out}"):
        write(out, corpus, book, format=format, spans=spans)
    print(_summary(out, corpus, book), file=sys.stderr)
    if format == ToolFormat.LABEL_STUDIO:
        inform("the labelling interface for the project's settings stands on standard output")
        put(interface(book, spans=spans))


def _check_place(out: Path, given: Sequence[Path]) -> None:
    """Refuse to write over what is read: an input, or a file of a corpus."""
    from tagger.cli.tag import same
    from tagger.exchange import is_corpus

    if same(out, given):
        raise OutputError(f"{out}: is an input too: name another file to write")
    for path in filter(is_corpus, given):
        if out.resolve().is_relative_to(path.resolve()):
            raise OutputError(f"{out}: lies in the corpus {path}: name a place outside of it")


def _given(given: Sequence[Path], themes: Path, model: Path | None, columns: Columns) -> tuple[Corpus, Sequence[Theme]]:
    """The corpus or the tags of the reports, and their themes."""
    from tagger.exchange import from_results, is_corpus, read_corpus
    from tagger.themes import Theme, load_codebook

    if any(map(is_corpus, given)):
        if len(given) > 1:
            raise OutputError("one corpus can be exported at a time, or any number of reports")
        codebook = load_codebook(places.codebook_file(themes))
        return read_corpus(given[0], codebook.names), codebook.themes
    from tagger.cli.tag import tag
    from tagger.tagging import load

    tagger = load(model)
    failed: list[Path] = []
    corpus = from_results(tag(tagger, given, failed, columns), tagger.about.model)
    if failed:
        raise OutputError(f"nothing was written, because {many(len(failed), 'report')} could not be read")
    return corpus, [Theme(one.name, one.title, "", one.definition or one.title) for one in tagger.about.themes]


def _import_codebook(file: Path, out: Path) -> None:
    """Write the codes of a codebook as a themes.toml."""
    from tagger.exchange.qdc import read_qdc, themes_toml
    from tagger.reading import LIMITS, naming
    from tagger.reading.files import read_bytes
    from tagger.writing.whole import check_place, whole

    check_place(out, (".toml",))
    if out.exists():
        raise OutputError(f"{out}: is there already: name another file, or take it away first")
    with naming(str(file)):
        found = read_qdc(read_bytes(file, LIMITS))
    with whole(out) as stream:
        stream.write(themes_toml(found, file.stem).encode())
    if bare := [theme.title for theme in found if theme.definition == theme.title]:
        inform(f"{file}: no definition of {', '.join(bare)}: write in {out} what counts")
    inform(f"{file}: a codebook of REFI-QDA has no lexicon: copy [lexicon] from another themes.toml into {out} if you want one")
    print(f"{out}: {many(len(found), 'theme')}", file=sys.stderr)


def _pair(given: str) -> tuple[str, str]:
    label, equals, theme = given.rpartition("=")
    if not equals or not label.strip():
        raise typer.BadParameter(f"{given!r}: write it as LABEL=THEME", param_hint="--map")
    return label, theme.strip()


def _summary(out: Path, corpus: Corpus, themes: Sequence[Theme]) -> str:
    counts = ", ".join(f"{theme.name} {sum(theme.name in item.labels for item in corpus.items)}" for theme in themes)
    return f"{out}: {many(len(corpus.items), 'passage')} of {many(len({item.document for item in corpus.items}), 'document')}; {counts}"
