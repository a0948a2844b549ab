"""`tagger train`: corpora -> a saved model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tagger.cli import app

THEMES = Path("corpora/themes.toml")

_HELP = """Train a model on annotated corpora and save it to a folder.

**Example**: `tagger train corpora/mexico-2014 corpora/composed -o models/mine`
"""


@app.command("train", help=_HELP)
def train_cli(
    corpora: Annotated[list[Path], typer.Argument(metavar="CORPUS...", help="Folders with a passages.jsonl.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the model to write.")],
    themes: Annotated[Path, typer.Option(help="The codebook: themes and lexicon.")] = THEMES,
    results: Annotated[Path | None, typer.Option(help="Figures measured on this model, for its card.")] = None,
) -> None:
    """Parse, train, say what was made."""
    from tagger.building import build_model

    model = build_model(corpora, out, themes=themes, results=results)
    passages = sum(corpus["passages"] for corpus in model.card["corpora"])
    print(f"{out}: {len(model.themes)} themes, {len(model.columns)} features, from {passages} passages", file=sys.stderr)
