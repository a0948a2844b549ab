"""A folder of somebody's own reports and themes: `create` makes it, and `find` finds it from any folder below.

::

    study/
      .tagger        marks the folder
      themes.toml    the themes
      corpora/       a folder a corpus
      models/        a folder a model; `default` is the one that tags
      experiments/   a folder an experiment
      workbench/     what is reviewed in the browser; `tagger serve` makes it
      README.md

``themes.toml`` alone marks no project: a folder of corpora holds one too, and other programs have files of that name, so that a stray
one in a folder above would decide what is learned. The mark is a file, as version control keeps no empty folders, and its name begins
with a dot, as there is nothing in it to edit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tagger.errors import OutputError, ProjectError
from tagger.writing.whole import whole

MARK = ".tagger"
THEMES = "themes.toml"
CORPORA, MODELS, EXPERIMENTS = "corpora", "models", "experiments"
WORKBENCH = "workbench"
PASSAGES = "passages.jsonl"
DEFAULT = "default"

_HERE = Path(__file__).parent
_SHIPPED = (_HERE / THEMES, _HERE.parent / CORPORA / THEMES)  # in the wheel; in a source tree
_FILES = resources.files("tagger") / "project_files"


@dataclass(frozen=True, slots=True)
class Project:
    """A folder that `create` made."""

    folder: Path

    @property
    def themes(self) -> Path:
        """The codebook."""
        return self.folder / THEMES

    @property
    def model(self) -> Path:
        """The model that tags where none is named."""
        return self.folder / MODELS / DEFAULT

    @property
    def experiments(self) -> Path:
        """The folder of experiments."""
        return self.folder / EXPERIMENTS

    @property
    def workbench(self) -> Path:
        """The folder of what is reviewed in the browser."""
        return self.folder / WORKBENCH

    def corpus(self, name: str) -> Path:
        """The folder of a corpus."""
        return self.folder / CORPORA / name

    def corpora(self) -> list[Path]:
        """Return the corpora, by name.

        Raises
        ------
        ProjectError
            The folder of corpora can't be read.
        """
        try:
            return sorted(path for path in (self.folder / CORPORA).iterdir() if path.name[0] != "." and _is_file(path / PASSAGES))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ProjectError(f"{self.folder / CORPORA}: can't be read: {error.strerror or error}") from error

    def place(self, given: Path, kind: str) -> Path:
        """Find what is named from a folder below: where it says, else from the project's folder, else by its name among its ``kind``."""
        return next((path for path in (given, self.folder / given, self.folder / kind / given) if _exists(path)), given)

    def __str__(self) -> str:
        """What it holds, in one line."""
        held = [THEMES, *(f"{CORPORA}/{path.name}" for path in self.corpora()), *([f"{MODELS}/{DEFAULT}"] if _exists(self.model) else [])]
        return f"project {self.folder}: {', '.join(held)}"


def find(start: Path | None = None) -> Project | None:
    """Return the nearest project at or above a folder, the working directory if none is given; None where there is none.

    The way up ends at the root of the file system. Where the working directory was entered by a symbolic link, the folders above the link
    are looked at first, then those above the place that it leads to. A folder that may not be looked into is passed over.
    """
    for folder in _upward(start):
        if _is_file(folder / MARK):
            return Project(folder)
    return None


def create(folder: Path, *, empty: bool = False) -> list[Path]:
    """Make a project, or what is missing of one, and return the files that were written; whatever is there stays as it is.

    ``empty`` leaves out the themes and the lexicon that come with the package.

    Raises
    ------
    OutputError
        A file or folder can't be written.
    """
    templates = {
        THEMES: _template("empty.toml") if empty else _template("head.toml") + _shipped_themes(),
        "README.md": _template("README.md").replace("NAME", folder.absolute().name or "Reports"),
        **{f"{name}/README.md": _template(f"{name}.md") for name in (CORPORA, MODELS, EXPERIMENTS)},
        MARK: _template("mark"),  # last: what is made only in part is no project
    }
    written = []
    for name, text in templates.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() or path.is_symlink():
                continue
        except OSError as error:
            raise OutputError(f"{error.filename or path}: can't be written: {error.strerror or error}") from error
        with whole(path) as stream:
            stream.write(text.encode())
        written.append(path)
    return written


def _upward(start: Path | None) -> Iterator[Path]:
    """A folder and those above it: by the name under which it was entered, then by its own."""
    try:
        real = (start or Path.cwd()).resolve()
    except OSError:  # the working directory is gone
        return
    entered = Path(os.environ.get("PWD", "")) if start is None else start.absolute()
    if entered.is_absolute() and entered != real and _same(entered, real):
        yield from (entered, *entered.parents)
    yield from (real, *real.parents)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _template(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")


def _shipped_themes() -> str:
    """The codebook that comes with the package, without the comment at its head, which is about that file."""
    path = next((path for path in _SHIPPED if path.is_file()), None)
    if path is None:
        raise ProjectError("the themes are not in this installation: install tagger anew, or begin without them: tagger init --empty")
    text = path.read_text(encoding="utf-8")
    return text[text.index("version =") :]
