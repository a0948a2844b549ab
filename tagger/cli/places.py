"""What commands find in the project in whose folder, or below it, they are called; what is named always wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tagger.cli import inform
from tagger.errors import ProjectError, ThemesError
from tagger.project import CORPORA, EXPERIMENTS, MARK, MODELS, Project, find

_SAID = "tagger.project"


def decide(context: typer.Context, project: Project, more: str = "") -> Project:
    """Say, once a command, that a project decided something, and what more there is to say of it."""
    if not context.meta.get(_SAID):
        context.meta[_SAID] = True
        inform(f"{project}{more}")
    return project


def needed() -> Project:
    """Return the project that we are in.

    Raises
    ------
    ProjectError
        There is none.
    """
    if (project := find()) is None:
        raise ProjectError(f"this folder is in no project (no {MARK} here or above): make one with tagger init, or go there")
    return project


def themes(context: typer.Context, parameter: typer.CallbackParam, path: Path) -> Path:
    """Return the codebook that is named, else that of the project, whether it is there or not."""
    project = find() if _left_out(context, parameter) else None
    return decide(context, project).themes if project else path


def codebook_file(path: Path) -> Path:
    """Return the path if there is a file."""
    if not path.is_file():
        raise ThemesError(f"{path}: no such codebook: name one with --themes FILE")
    return path


def _codebook(context: typer.Context, parameter: typer.CallbackParam, path: Path) -> Path:
    return codebook_file(themes(context, parameter, path))


THEMES = Path("corpora/themes.toml")
Themes = Annotated[
    Path, typer.Option(metavar="FILE", callback=_codebook, help="The codebook: themes and lexicon; in a project, if left out, its own.")
]


def _corpora(context: typer.Context, paths: list[Path]) -> list[Path]:
    if paths:
        return inputs(context, paths)
    if (project := find()) is None:
        raise typer.BadParameter("name one or more; only in a project can they be left out")
    if not (found := project.corpora()):
        raise ProjectError(f"{project.folder / CORPORA}: there is no corpus in it: name one, or make one with tagger theme learn")
    decide(context, project)
    return found


ALL: list[Path] = []
Corpora = Annotated[
    list[Path],
    typer.Argument(
        metavar="CORPUS...",
        callback=_corpora,
        show_default=False,
        help="Folders with a passages.jsonl; in a project, if left out, all its own.",
    ),
]


def _placed(context: typer.Context, path: Path, kind: str) -> Path:
    """Find what is named: here, or in the project, there also by its bare name."""
    project = find()
    if project is None or (found := project.place(path, kind)) == path:
        return path
    decide(context, project)
    return found


def inputs(context: typer.Context, paths: list[Path]) -> list[Path]:
    """Find what is named, reports here or corpora of the project."""
    return [_placed(context, path, CORPORA) for path in paths]


def placed(kind: str) -> Callable[[typer.Context, Path], Path]:
    """Make the callback of an option or argument that names something of a kind."""

    def callback(context: typer.Context, path: Path) -> Path:
        return path and _placed(context, path, kind)

    return callback


corpus, model, experiment = placed(CORPORA), placed(MODELS), placed(EXPERIMENTS)


def model_to_use(context: typer.Context, path: Path | None) -> Path | None:
    """Return the model that is named, else that of the project, if there is one."""
    if path is not None:
        return _placed(context, path, MODELS)
    project = find()
    return decide(context, project).model if project and project.model.is_dir() else None


def model_to_write(context: typer.Context, path: Path | None) -> Path:
    """Return the folder that is named, else that of the project's own model."""
    if path is not None:
        return path
    if (project := find()) is None:
        raise typer.BadParameter("name the folder to write; only in a project can it be left out", param_hint="--out")
    return decide(context, project).model


def experiments(context: typer.Context, parameter: typer.CallbackParam, path: Path) -> Path:
    """Return the folder of experiments that is named, else that of the project, else that in the working directory."""
    project = find() if _left_out(context, parameter) else None
    return decide(context, project).experiments if project else path


def _left_out(context: typer.Context, parameter: typer.CallbackParam) -> bool:
    source = context.get_parameter_source(str(parameter.name))
    return source is None or source.name == "DEFAULT"
