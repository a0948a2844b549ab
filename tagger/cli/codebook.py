"""`tagger codebook`: the page that annotators work by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tagger.cli import app
from tagger.cli.train import THEMES


@app.command("codebook")
def codebook_cli(themes: Annotated[Path, typer.Argument(help="The themes.toml to render.")] = THEMES) -> None:
    """Print the codebook as Markdown, generated from themes.toml.

    Example: tagger codebook > corpora/codebook.md
    """
    from tagger.themes import load_codebook

    print(load_codebook(themes).markdown(), end="")
