"""`tagger train`: corpora -> a saved model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tagger.cli import app, inform
from tagger.cli.places import ALL, THEMES, Corpora, Themes, model_to_write
from tagger.writing.text import many

LEAST = 50  # with fewer passages of a theme, its figures and its threshold are mostly chance

_HELP = """Train a model on annotated corpora and save it to a folder.

**Example**: `tagger train corpora/mexico-2014 corpora/composed -o models/mine`
"""


@app.command("train", help=_HELP)
def train_cli(
    context: typer.Context,
    corpora: Corpora = ALL,
    target: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder of the model to write; in a project, if left out, models/default.")
    ] = None,
    themes: Themes = THEMES,
    results: Annotated[Path | None, typer.Option(help="Figures measured on this model, for its card.")] = None,
) -> None:
    """Parse, train, say what was made."""
    from tagger.building import build_model
    from tagger.corpus import statistics
    from tagger.themes import load_codebook

    out = model_to_write(context, target)
    for folder in corpora:
        asked = statistics(folder, load_codebook(themes).names)["asked"]
        if unread := [theme for theme, count in asked.items() if not count]:
            inform(f"{folder}: nobody read it for {', '.join(unread)}, so it teaches nothing about that")
    model = build_model(corpora, out, themes=themes, results=results)
    if repeated := model.card["repeated"]:
        inform(
            f"{many(repeated, 'passage')} stand in more than one document in the same words: none is measured by a classifier that learned "
            "it, but each counts as often as it stands; leave out the older copy of a corpus"
        )
    passages = sum(corpus["passages"] for corpus in model.card["corpora"])
    print(f"{out}: {len(model.themes)} themes, {len(model.columns)} features, from {passages} passages", file=sys.stderr)
    for figures in model.card["cross_validation"]["themes"]:
        counted = f"{many(figures.get('read', passages), 'passage')} read for it"
        few = f": too few to trust it, label {LEAST} or more" if figures["support"] < LEAST else ""
        print(f"  {figures['theme']}: F1 {figures['f1']:.2f} in cross-validation, {figures['support']} of {counted}{few}", file=sys.stderr)
