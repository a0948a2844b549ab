"""`tagger serve`: the workbench in the browser, and the engine over HTTP."""

from __future__ import annotations

import threading
import webbrowser
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli import app, inform, places
from tagger.cli.options import limits
from tagger.errors import MissingExtraError
from tagger.project import WORKBENCH, find

if TYPE_CHECKING:
    from tagger.serving.settings import Settings

_HELP = """Open the workbench in the browser, and answer over HTTP.

It listens on this machine only, unless you name another address and a token. Ctrl-C ends it.

**Examples**

- `tagger serve` opens http://127.0.0.1:8765/ to read reports
- in a project, it takes the project's model, themes and corpora, and keeps what is decided in its folder `workbench`
- `tagger serve --home theirs` keeps the passages saved to be reviewed, and what is decided of them, in the folder `theirs`
- `tagger serve --api-only --workers 4` answers programs; its OpenAPI document is at /openapi.json
- `TAGGER_TOKEN=$(openssl rand -hex 16) tagger serve --host 0.0.0.0 --no-open` lets other machines in, with the token
"""


@app.command("serve", help=_HELP)
def serve_cli(
    context: typer.Context,
    model: Annotated[
        Path | None,
        typer.Option(callback=places.model, help="Folder of a saved model; if left out the project's, or the one that comes with tagger."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; one that other machines reach needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any that is free.")] = 8765,
    token: Annotated[
        str | None, typer.Option(envvar="TAGGER_TOKEN", help="What requests must show; in the environment, other users can't see it.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="A page that may call the API from a browser, or a name of this server; may be given again.")
    ] = None,
    themes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The codebook to review by; models are trained on corpora beside it. In a project, its own."),
    ] = None,
    home: Annotated[
        Path | None, typer.Option(show_default="workbench", help="Folder of what reviewers decide; in a project, there.")
    ] = None,
    api_only: Annotated[bool, typer.Option("--api-only", help="Only the HTTP API, no pages.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that answer; several only with --api-only.")] = 1,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="What reading a file may use, as of tag; seconds=30, size=64M and passages=50000 here."),
    ] = None,
    browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Parse, start, serve until Ctrl-C."""
    try:
        from tagger.serving.running import run
        from tagger.serving.settings import UPLOADS, Settings
    except ImportError as error:
        raise MissingExtraError(error.name or "fastapi", "serve") from error

    project = find()
    default = project.model if project and project.model.is_dir() else None
    if project and ((default and not model) or not (api_only or (themes and home))):
        places.decide(context, project, "" if api_only else f"; what is decided is kept in {home or project.workbench}")
    settings = Settings(
        model=model,
        default=default,
        host=host,
        port=port,
        token=token,
        origins=tuple(origin or ()),
        themes=themes or (project.themes if project else None),
        home=home or (project.workbench if project else Path(WORKBENCH)),
        workers=workers,
        api_only=api_only,
        limits=limits(limit, UPLOADS),
    )
    run(settings, partial(_started, browser=browser and not api_only))


def _started(settings: Settings, *, browser: bool) -> None:
    """Say where the server is, and open it there."""
    inform(f"tagger serves at {settings.url}; Ctrl-C ends it")
    if browser:
        threading.Thread(target=webbrowser.open, args=[settings.url], daemon=True).start()  # some browsers keep it until they end
