"""`tagger codebook`: the page that annotators work by."""

from __future__ import annotations

from tagger.cli import app, put
from tagger.cli.places import THEMES, Themes


@app.command("codebook")
def codebook_cli(themes: Themes = THEMES) -> None:
    """Print the codebook as Markdown, generated from themes.toml.

    Example: tagger codebook > corpora/codebook.md
    """
    from tagger.themes import load_codebook

    put(load_codebook(themes).markdown())
