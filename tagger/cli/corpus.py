"""`tagger corpus`: check, count and compare annotations."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from tagger.cli import app
from tagger.cli.options import THEMES, Themes

corpus_app = typer.Typer(help="Check, count and compare annotated corpora.", no_args_is_help=True)
app.add_typer(corpus_app, name="corpus")

Corpora = Annotated[list[Path], typer.Argument(metavar="CORPUS...", help="Folders with a passages.jsonl.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@corpus_app.command("check")
def check_cli(
    corpora: Corpora,
    themes: Themes = THEMES,
    against: Annotated[list[Path] | None, typer.Option(help="Text file or corpus with which no six words in a row may be shared.")] = None,
) -> None:
    """Name file and line of all that is wrong: broken lines, unknown labels, duplicates, misplaced or copied text.

    Example: tagger corpus check corpora/composed --against corpora/mexico-2014/report.txt
    """
    from tagger.corpus import check, unchecked
    from tagger.themes import load_codebook

    names = load_codebook(themes).names
    problems = [problem for folder in corpora for problem in check(folder, names, against=against or [])]
    for problem in problems:
        print(problem)
    if problems:
        raise SystemExit(1)
    for folder in corpora:
        print(f"{folder}: nothing wrong", *(f"  not checked: {part}" for part in unchecked(folder, against=against or [])), sep="\n")


@corpus_app.command("stats")
def stats_cli(corpora: Corpora, themes: Themes = THEMES, as_json: AsJson = False) -> None:
    """Count passages, documents, lengths and themes.

    Example: tagger corpus stats corpora/mexico-2014
    """
    from tagger.corpus import statistics
    from tagger.themes import load_codebook

    names = load_codebook(themes).names
    found = {str(folder): statistics(folder, names) for folder in corpora}
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for folder, counts in found.items():
        words = counts["words"]
        print(f"{folder}: {counts['passages']} passages of {len(counts['documents'])} document(s)")
        print(f"  words a passage: {words['least']} to {words['most']}, median {words['median']}")
        for theme, count in counts["themes"].items():
            print(f"  {theme:<22}{count:>6}  {count / counts['passages']:.1%}")
        for combination, count in counts["combinations"].items():
            print(f"    {combination:<60}{count:>6}")


@corpus_app.command("agreement")
def agreement_cli(
    corpora: Corpora,
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


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
