"""`tagger evaluate`: a model measured on a labelled corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli import app

if TYPE_CHECKING:
    from tagger.evaluation import Evaluation

_HELP = """Measure a model on a labelled corpus, at the model's own thresholds.

Intervals hold 95 % of a bootstrap over documents. **Example**: `tagger evaluate models/default corpora/mexico-2014`
"""


@app.command("evaluate", help=_HELP)
def evaluate_cli(
    model: Annotated[Path, typer.Argument(help="Folder of a saved model.")],
    corpus: Annotated[Path, typer.Argument(help="Folder with a passages.jsonl.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Parse, evaluate, print."""
    from tagger.corpus import load as load_corpus
    from tagger.evaluation import evaluate
    from tagger.tagging import load

    tagger = load(model)
    found = evaluate(tagger, load_corpus(corpus, tagger.themes))
    print(json.dumps(found.to_json(), indent=1) if as_json else _table(found))


def _table(found: Evaluation) -> str:
    """Lay the figures out in columns."""
    lines = [f"{'theme':<22}{'precision':>10}{'recall':>8}{'F1':>7}{'95 % interval':>17}{'AP':>7}{'ECE':>7}{'support':>9}"]
    for t in found.themes:
        interval = f"{t.f1_interval[0]:.3f} to {t.f1_interval[1]:.3f}"
        figures = f"{t.precision:>10.3f}{t.recall:>8.3f}{t.f1:>7.3f}{interval:>17}{t.average_precision:>7.3f}{t.calibration_error:>7.3f}"
        lines.append(f"{t.theme:<22}{figures}{t.support:>9}")
    interval = f"{found.macro_interval[0]:.3f} to {found.macro_interval[1]:.3f}"
    lines.append(f"{'macro':<22}{'':>18}{found.macro_f1:>7.3f}{interval:>17}")
    lines.append(f"{'micro':<22}{found.micro_precision:>10.3f}{found.micro_recall:>8.3f}{found.micro_f1:>7.3f}")
    lines.append(
        f"{found.passages} passages of {found.documents} documents; AP average precision, ECE expected calibration error (10 bins)"
    )
    return "\n".join(lines)
