"""`tagger init`: a folder for one's own reports and themes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tagger.cli import app

_HELP = """Make a folder for your own reports and themes.

It gets `themes.toml`, `corpora/`, `models/`, `experiments/` and a README. In it and in any folder below, the other commands find their
themes, corpora and models there. What is there already stays as it is.

**Examples**: `tagger init study` · `tagger init --empty study` to begin without the four themes
"""


@app.command("init", help=_HELP)
def init_cli(
    folder: Annotated[Path, typer.Argument(help="The folder, the working directory if left out.")] = Path(),
    empty: Annotated[bool, typer.Option("--empty", help="Begin with no theme, not with the four that come with tagger.")] = False,
) -> None:
    """Write what is missing, and name it."""
    from tagger.project import create

    written = create(folder, empty=empty)
    for path in written:
        print(path)
    if not written:
        print(f"{folder}: is a project already; nothing was missing")
