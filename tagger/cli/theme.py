"""`tagger theme`: a further theme, from its definition to a model that knows it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from inspect import Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagger.cli import app, inform, places
from tagger.cli.corpus import waiting
from tagger.cli.options import Limit, limits
from tagger.writing.text import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagger.evaluation import Evaluation
    from tagger.extending import Candidate
    from tagger.project import Project
    from tagger.reading import Limits
    from tagger.records import Document
    from tagger.review.store import Store
    from tagger.themes import Codebook, Theme

FEW = 30  # passages with a theme: below, what is measured in experiments/new-theme gets much worse

theme_app = typer.Typer(help="Add a theme of your own to a project.", no_args_is_help=True, rich_markup_mode="markdown")
app.add_typer(theme_app, name="theme")

_NEW = """Write the block of a new theme into the project's themes.toml and, of reports that are given, find passages to label.

They go to a file, or with `--review` into the workbench, to be decided there by key: `tagger serve`.

The name is written with underscores, in lower case. Edit the block as you like: `yes` and `no` say what counts and what does not.

**Example**: `tagger theme new victim-identification reports/ -o candidates.xlsx --definition "How victims are identified." --word identif`
"""
_FIND = """Find passages to label for a theme: by its words, by similarity to its definition and to passages that carry it, and by chance.

They go to a file, or with `--review` into the workbench. Passages that are labelled for the theme already are not found again; those that
carry it help to find others.

**Example**: `tagger theme find victim-identification reports/ -o more.xlsx --count 100`
"""
_LEARN = """Take labels from files and the workbench, learn the theme from all passages that were read for it, save a model of all themes.

The column of the theme holds yes or no; what is left empty is left out. The passages go to the corpus `corpora/NAME`, those decided in
the workbench, but for documents held out there, to `corpora/reviewed`. The other themes of the model, the project's or the one that
comes with tagger, stay as they are.

**Example**: `tagger theme learn victim-identification candidates.xlsx`
"""

Name = Annotated[str, typer.Argument(metavar="NAME", help="The theme.")]
_REPORTS = typer.Argument(metavar="INPUT...", help="Reports: files, or folders of them.")


@dataclass(frozen=True, slots=True)
class Search:
    """Options of `new` and `find`: where the passages to label go, and how they are looked for."""

    out: Annotated[Path | None, typer.Option("-o", "--out", help="File of passages to label: .csv, .xlsx or .jsonl.")] = None
    review: Annotated[bool, typer.Option("--review", help="Put the passages into the workbench, to be decided in the browser.")] = False
    like: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="A passage that carries the theme; may be given again.")] = None
    count: Annotated[int, typer.Option(min=1, help="How many passages to find at most.")] = 200
    limit: Limit = None


def _searching(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Search` in place of its parameter ``search``."""
    shared = signature(Search, eval_str=True).parameters
    own = [one for one in signature(command, eval_str=True).parameters.values() if one.name != "search"]

    def called(**given: Any) -> None:
        command(search=Search(**{name: given.pop(name) for name in shared}), **given)

    called.__signature__ = Signature([*own, *shared.values()])  # type: ignore[attr-defined]
    return called


@theme_app.command("new", help=_NEW)
@_searching
def new_cli(
    context: typer.Context,
    name: Name,
    definition: Annotated[str, typer.Option(help="What the theme is, in a sentence or two.")],
    inputs: Annotated[list[Path] | None, _REPORTS] = None,
    title: Annotated[str | None, typer.Option(help="The theme for people; its name if left out.")] = None,
    question: Annotated[str, typer.Option(help="What an annotator asks of a passage.")] = "",
    word: Annotated[
        list[str] | None, typer.Option(help="The beginning of a word to look for, or with $ a whole word; may be given again.")
    ] = None,
    *,
    search: Search,
) -> None:
    """Parse, write the block, find."""
    from tagger.extending import add_theme, check_candidates, theme_name
    from tagger.themes import Theme

    if bool(inputs) != bool(search.out or search.review):
        raise typer.BadParameter("reports and -o FILE or --review go together: passages of the reports are written there")
    if search.out is not None:
        check_candidates(search.out)
    project = places.decide(context, places.needed())
    named = theme_name(name)
    theme = Theme(named, title or named.replace("_", " ").capitalize(), question, definition, words=tuple(word or ()))
    documents = _documents(inputs or [], limits(search.limit))
    add_theme(project.themes, theme)
    print(f"{project.themes}: theme {named}", file=sys.stderr)
    if inputs:
        _find(project, named, documents, search)


@theme_app.command("find", help=_FIND)
@_searching
def find_cli(
    context: typer.Context,
    name: Name,
    inputs: Annotated[list[Path], _REPORTS],
    *,
    search: Search,
) -> None:
    """Parse, read, find, write."""
    from tagger.extending import check_candidates, theme_name

    if not (search.out or search.review):
        raise typer.BadParameter("say where the passages go: -o FILE, or --review")
    if search.out is not None:
        check_candidates(search.out)
    project = places.decide(context, places.needed())
    _find(project, theme_name(name), _documents(inputs, limits(search.limit)), search)


@theme_app.command("learn", help=_LEARN)
def learn_cli(
    context: typer.Context,
    name: Name,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Labelled files; none to learn from the corpora alone.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder of the model to write; models/default if left out.")] = None,
    base: Annotated[
        Path | None,
        typer.Option(
            callback=places.model_to_use,
            help="The model of the other themes; if left out the project's, or the one that comes with tagger.",
        ),
    ] = None,
) -> None:
    """Parse, keep the labels, learn, save, say how good it is."""
    from tagger import bundle
    from tagger.building import render_card
    from tagger.extending import learn_theme, read_labels, theme_name, write_labelled
    from tagger.tagging import load
    from tagger.themes import load_codebook

    project = places.decide(context, places.needed())
    named, codebook = theme_name(name), load_codebook(project.themes)
    known = load(base).model
    _take(project, codebook)
    for file in files or []:
        held, carry = write_labelled(project.corpus(named), named, read_labels(file, named))
        print(f"{project.corpus(named)}: {many(held, 'passage')} read for {named}, {carry} with it", file=sys.stderr)
    with waiting(f"Learning {named}"):
        model, found = learn_theme(named, project.corpora(), codebook, known)
    folder = bundle.save(model, places.model_to_write(context, out), readme=render_card(model, codebook.only(model.themes)))
    print(f"{folder}: {len(model.themes)} themes: {', '.join(model.themes)}", file=sys.stderr)
    _say(found)


def _say(found: Evaluation) -> None:
    """Print how good the new theme is in cross-validation."""
    theme = found.themes[0]
    print(f"{theme.theme}, in cross-validation by document ({many(theme.support, 'passage')} with it, of {found.count}):")
    for name, shown in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"), ("average_precision", "average precision")):
        figure = theme.figures[name]
        print(f"  {shown:<18} {figure.value:.2f}  (95 % interval {figure.low:.2f} to {figure.high:.2f})")
    for warning in found.warnings:
        inform(warning)
    inform("fewer passages of a report carry the theme than of these, and it is lower there: see the learning curve in tagger's README")
    if theme.support < FEW:
        inform(f"{theme.theme}: fewer than {FEW} passages with it are too few: label more (tagger theme find)")


def _documents(inputs: Sequence[Path], used: Limits) -> list[Document]:
    """Read the reports."""
    from tagger.reading import find_documents, without_own
    from tagger.tagging import read_all

    files = without_own(list(find_documents(inputs)), inform)
    with waiting("Reading"):
        taken = Counter(name for _, name in files)
        return [document for path, name in files for document in read_all(path, name=name, limits=used, taken=taken)]


def _find(project: Project, name: str, documents: Sequence[Document], search: Search) -> None:
    """Find candidates and write them."""
    from tagger.corpus import passages as rows
    from tagger.errors import ThemesError
    from tagger.extending import find_candidates, write_candidates
    from tagger.review.export import REVIEWED
    from tagger.themes import load_codebook

    codebook = load_codebook(project.themes)
    theme = next((theme for theme in codebook.themes if theme.name == name), None)
    if theme is None:
        raise ThemesError(f"{project.themes}: has no theme {name!r}; it has {', '.join(codebook.names)}: tagger theme new {name}")
    decided = _decided(project, codebook)
    folders = [folder for folder in project.corpora() if decided is None or folder.name != REVIEWED]  # of earlier decisions
    every = [*(row for folder in folders for row in rows(folder)), *(decided or [])]
    labelled = [row for row in every if name in row["labels"] or name in row.get("asked", ())]
    passages = [passage for document in documents for passage in document.passages]
    carry = [row["text"] for row in labelled if name in row["labels"]]
    with waiting(f"Looking through {many(len(passages), 'passage')}"):
        found = find_candidates(
            passages, theme, seeds=[*(search.like or ()), *carry], known=[row["text"] for row in labelled], count=search.count
        )
    kinds = [sum(one.why == why for one in found) for why in ("similar", "chance")]
    told = f"{len(found) - sum(kinds)} by words, {kinds[0]} by similarity, {kinds[1]} by chance"
    if search.out is not None:
        write_candidates(search.out, name, found)
        ratio = f"{len(found)} of {many(len(passages), 'passage')} to label"
        print(f"{search.out}: {ratio}: {told}; fill in yes or no, then: tagger theme learn {name} {search.out}", file=sys.stderr)
    if search.review:
        sent = _send(project, codebook, theme, documents, found)
        ratio = f"{sent} of {many(len(passages), 'passage')}"
        print(
            f"{project.workbench}: {ratio} to decide: {told}; in tagger serve, order 'Found for: {theme.title}'; "
            f"then: tagger theme learn {name}",
            file=sys.stderr,
        )


def _send(project: Project, codebook: Codebook, theme: Theme, documents: Sequence[Document], found: Sequence[Candidate]) -> int:
    """Put candidates into the review of the project's workbench, tagged by its model; return how many."""
    from tagger.tagging import load

    with closing(_store(project, codebook)) as store:
        from tagger.review.candidates import send

        return send(store, load(project.model if project.model.is_dir() else None), documents, theme.name, found)


def _decided(project: Project, codebook: Codebook) -> list[dict[str, Any]] | None:
    """Return what was decided in the workbench, as lines of a corpus; None where there is no workbench."""
    from tagger.review.export import to_learn_from
    from tagger.review.store import FILE

    if not (project.workbench / FILE).is_file():
        return None
    with closing(_store(project, codebook)) as store:
        return to_learn_from(store)


def _take(project: Project, codebook: Codebook) -> None:
    """Bring what was decided in the workbench, if anything, into the project's corpora."""
    from tagger.review.export import REVIEWED, export
    from tagger.review.store import FILE

    if not (project.workbench / FILE).is_file():
        return
    with closing(_store(project, codebook)) as store:
        count = export(store, project.corpus(REVIEWED), held_out=False).passages
    if count:
        print(f"{project.corpus(REVIEWED)}: {many(count, 'passage')} decided in the workbench", file=sys.stderr)


def _store(project: Project, codebook: Codebook) -> Store:
    """Open the review of the project's workbench."""
    from tagger.review.store import FILE, Store

    return Store(project.workbench / FILE, codebook.names)
