"""`tagger corpus`: check, count, compare and audit annotations, and find what leaks from one corpus into another."""

from __future__ import annotations

import json
import math
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagger.cli import app, put
from tagger.cli.places import ALL, THEMES, Corpora, Themes, corpus

if TYPE_CHECKING:
    from tagger.evaluation.audit import Audit

corpus_app = typer.Typer(help="Check, count, compare, audit, import and export annotated corpora.", no_args_is_help=True)
app.add_typer(corpus_app, name="corpus")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@corpus_app.command("check")
def check_cli(
    corpora: Corpora = ALL,
    themes: Themes = THEMES,
    against: Annotated[list[Path] | None, typer.Option(help="Text file or corpus with which no six words in a row may be shared.")] = None,
) -> None:
    """Name file and line of all that is wrong: broken lines, unknown labels, duplicates, misplaced or copied text.

    Example: tagger corpus check corpora/composed --against corpora/mexico-2014/report.txt
    """
    from tagger.corpus import check, unchecked
    from tagger.themes import load_codebook

    names = load_codebook(themes).names
    with waiting("Checking"):
        problems = [problem for folder in corpora for problem in check(folder, names, against=against or [])]
    for problem in problems:
        print(problem)
    if problems:
        raise SystemExit(1)
    for folder in corpora:
        print(f"{folder}: nothing wrong", *(f"  not checked: {part}" for part in unchecked(folder, against=against or [])), sep="\n")


@corpus_app.command("leakage")
def leakage_cli(
    train: Annotated[Path, typer.Argument(metavar="A", callback=corpus, help="Folder with the passages.jsonl to learn from.")],
    test: Annotated[Path, typer.Argument(metavar="B", callback=corpus, help="Folder with the passages.jsonl to measure on.")],
) -> None:
    """List passages of B that say nearly the same as one of A: a model that learned from A would be measured too well on B.

    Near-duplicates share three fifths of their runs of three words (Jaccard similarity 0.6); of several in A the one most like it is named.
    Exit code 1 where there are any.

    Example: tagger corpus leakage corpora/composed corpora/mexico-2014
    """
    from tagger.corpus import PASSAGES, passages
    from tagger.duplicates import near_duplicates

    learned, measured = passages(train), passages(test)
    rows = [*learned, *measured]
    with waiting(f"Comparing {len(rows)} passages"):
        found = near_duplicates([row["text"] for row in rows]).nearest(range(len(learned), len(rows)), range(len(learned)))
    for pair in found:
        one, other = rows[pair.second], rows[pair.first]
        print(f"{train / PASSAGES}: {one['id']} ~ {test / PASSAGES}: {other['id']}: {pair.similarity:.2f}: {other['text'][:80]!r}")
    print(f"{len(found)} of {len(measured)} passages are near-duplicates of one of {len(learned)}")
    if found:
        raise SystemExit(1)


@corpus_app.command("stats")
def stats_cli(corpora: Corpora = ALL, themes: Themes = THEMES, as_json: AsJson = False) -> None:
    """Count passages, documents, lengths and themes.

    Example: tagger corpus stats corpora/mexico-2014
    """
    from tagger.corpus import statistics
    from tagger.themes import load_codebook

    names = load_codebook(themes).names
    found = {str(folder): statistics(folder, names) for folder in corpora}
    if as_json:
        put(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        return
    for folder, counts in found.items():
        words = counts["words"]
        print(f"{folder}: {counts['passages']} passages of {len(counts['documents'])} document(s)")
        print(f"  words a passage: {words['least']} to {words['most']}, median {words['median']}")
        for theme, count in counts["themes"].items():
            read = counts["asked"][theme]
            print(f"  {theme:<22}{count:>6}  {count / read:.1%}" if read else f"  {theme:<22}     .  not read for it")
        for combination, count in counts["combinations"].items():
            print(f"    {combination:<60}{count:>6}")


@corpus_app.command("agreement")
def agreement_cli(
    corpora: Corpora = ALL,
    themes: Themes = THEMES,
    as_json: AsJson = False,
    show: Annotated[bool, typer.Option("--differences", help="List the passages on which the annotators differ.")] = False,
) -> None:
    """Measure how far the two annotators of a corpus agree: Krippendorff's alpha for each theme.

    Example: tagger corpus agreement corpora/mexico-2014 --differences
    """
    from tagger.corpus import agreement
    from tagger.themes import load_codebook

    names = load_codebook(themes).names
    result: dict[str, Any] = {}
    for folder in corpora:
        found, differing = agreement(folder, names)
        figures = {
            a.theme: {
                "alpha": _number(a.alpha),
                "agreement": _number(a.agreement),
                "first": a.first,
                "second": a.second,
                "f1": _number(a.f1),
            }
            for a in found
        }
        result[str(folder)] = {"themes": figures, "differing": len(differing)}
        if as_json:
            continue
        print(f"{folder}: the annotators differ on {len(differing)} of {found[0].passages} passages")
        print(f"  {'theme':<22}{'alpha':>7}{'agreement':>11}{'first':>7}{'second':>8}{'F1':>7}")
        for a in found:
            print(f"  {a.theme:<22}{a.alpha:>7.3f}{a.agreement:>11.3f}{a.first:>7}{a.second:>8}{a.f1:>7.3f}")
        for row in differing if show else []:
            print(
                f"  {row['id']}: {row['text']}\n    first {row['first']}, second {row['second']}, settled {row['labels']}: {row['settled']}"
            )
    if as_json:
        print(json.dumps(result, indent=1))


@corpus_app.command("audit")
def audit_cli(
    corpora: Corpora = ALL,
    themes: Themes = THEMES,
    top: Annotated[int, typer.Option(min=1, help="How many suspect labels to show, the most suspect first.")] = 50,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write them to a file instead: .csv, .jsonl or .md.")] = None,
) -> None:
    """Rank the labels that are likely wrong, with reasons, by confident learning (Northcutt and others 2021).

    A label is suspect if classifiers that did not see the passage's document confidently say otherwise: a person should read it, as often
    the classifiers err. Trains on all the corpora together, which takes some seconds.

    Example: tagger corpus audit corpora/mexico-2014 corpora/composed --top 20
    """
    from tagger.building import train_folders
    from tagger.corpus import load, settlements
    from tagger.evaluation.audit import audit
    from tagger.evaluation.suspects import check_output, write
    from tagger.themes import load_codebook

    if out is not None:
        check_output(out)
    codebook = load_codebook(themes)
    with waiting("training on other documents than are judged"):
        trained = train_folders(corpora, codebook)
        settled = {(folder.name, id): how for folder in corpora for id, how in settlements(folder).items()}
        found = audit(trained, {folder.name: load(folder, codebook.names) for folder in corpora}, top=top, settled=settled)
    _print_audit(found, everything=out is None)
    if out is not None:
        write(out, found)
        print(f"{out}: {len(found.suspects)} suspect labels", file=sys.stderr)


def _print_audit(found: Audit, *, everything: bool) -> None:
    """Print the estimated noise of each theme and, with ``everything``, the suspects with their reasons."""
    from tagger.evaluation.suspects import reasons

    print(f"{'theme':<22}{'passages':>9}{'given wrongly':>15}{'missing':>9}{'all wrong':>11}{'suspects':>10}")
    for t in found.themes:
        rates = f"{t.given_rate:>15.1%}{t.missing_rate:>9.1%}{t.rate:>11.1%}"
        print(f"{t.theme:<22}{t.passages:>9}{rates}{t.suspect_given + t.suspect_missing:>10}")
    print("estimated shares: of the passages with the theme, of those without it, of all; errors of the classifiers count too")
    for number, suspect in enumerate(found.suspects if everything else (), 1):
        print(f"\n{number}. {suspect.id} ({suspect.document}): {suspect.text}")
        for reason in reasons(suspect):
            print(f"   {reason}")


def waiting(what: str) -> AbstractContextManager[object]:
    """Show on a terminal that work goes on."""
    from rich.console import Console

    return Console(stderr=True).status(what)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
