"""The command line: `tagger init`, `tag`, `read`, `compare`, `train`, `evaluate`, `experiment`, `corpus`, `codebook`, `theme`, `serve`.

One module a group; each parses, calls and prints.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from tagger.errors import TaggerError

app = typer.Typer(
    name="tagger",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from tagger import __version__

        print(f"tagger {__version__}")
        raise typer.Exit


@app.callback(help="Tag the passages of human-trafficking country reports by theme.")
def tagger_cli(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")] = False,
) -> None:
    """Parse what stands before the command."""


def main() -> None:
    """Run the command line: what is wrong with an input becomes one line and exit code 1."""
    from tagger.cli import (  # noqa: F401  (each adds its commands to the app)
        codebook,
        compare,
        corpus,
        evaluate,
        exchange,
        experiment,
        init,
        read,
        serve,
        tag,
        theme,
        train,
    )

    signal.signal(signal.SIGTERM, _end)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # what a terminal can't show is no reason to end
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except TaggerError as error:
        fail(str(error))
    except BrokenPipeError:
        # The reader of our output has gone (`tagger tag ... | head`): nothing is wrong.
        _drop_output()
        raise SystemExit(1) from None
    except OSError as error:
        # `tagger tag ... > file` on a full disk; only what is opened by its name is named.
        _drop_output()
        fail(
            f"{error.filename}: can't be used: {error.strerror}" if error.filename else f"can't write the output: {error.strerror or error}"
        )


def _end(number: int, frame: object) -> NoReturn:
    """Leave by an exception, so that what is not whole yet is removed."""
    raise SystemExit(128 + number)


def put(text: str) -> None:
    """Write what other programs read to standard output, in UTF-8 whatever a terminal takes."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))


def _drop_output() -> None:
    """Let what is still to be printed go nowhere, so that Python doesn't try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str) -> None:
    """Print one line on standard error and leave with exit code 1."""
    warn(message)
    raise SystemExit(1)


def warn(message: str) -> None:
    """Print one line on standard error about what went wrong."""
    _say("error", message)


def inform(message: str) -> None:
    """Print one line on standard error about what a person should know."""
    _say("note", message)


def _say(kind: str, message: str) -> None:
    plain = " ".join(message.splitlines()).encode("utf-8", "replace").decode()
    print(f"{kind}: {plain}", file=sys.stderr)
