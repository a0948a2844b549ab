"""What the pages of review and learning stand on: the codebook, and the project and the runs of the data folder."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from tagger.errors import MissingExtraError, ReviewError
from tagger.features import Features
from tagger.records import Document, Tagged
from tagger.review.export import REVIEWED
from tagger.review.store import FILE, Store
from tagger.serving.engine import Engine
from tagger.serving.review.learning import Learning, in_use
from tagger.serving.review.project import Project
from tagger.serving.review.queues import Vectors
from tagger.serving.settings import Settings
from tagger.themes import load_codebook

_PACKAGE = Path(__file__).resolve().parents[2]
_CODEBOOKS = (Path("corpora/themes.toml"), _PACKAGE / "themes.toml", _PACKAGE.parent / "corpora/themes.toml")
_EMPTY = "nothing is in review yet: open a report under Read and choose Review this report"


class Workbench:
    """One server's review and learning. Nothing is written to the data folder before a document is sent to review.

    Raises
    ------
    ThemesError
        The codebook can't be read.
    """

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.home, self.engine = settings.home, engine
        themes = settings.themes or next(path for path in _CODEBOOKS if path.is_file())
        self.codebook = load_codebook(themes)
        """What annotators work by."""
        self.themes = self.codebook.names if settings.themes else engine.tagger.themes
        """What passages are read for: the themes of the codebook that was named, whether the model knows them or not, else the model's."""
        places = ("*/passages.jsonl", "corpora/*/passages.jsonl")  # beside the codebook; in a project
        self._corpora = sorted(path.parent for place in places for path in themes.parent.glob(place))
        others = [path for path in self._corpora if path.name != REVIEWED]  # what is reviewed is learned from anyway
        first, current = settings.model or settings.default, in_use(settings)
        self.learning = Learning(self.home, first=first, current=current, themes=themes, corpora=others)
        self._project: Project | None = None
        self._lock, self._comparing = threading.Lock(), threading.Lock()

    @property
    def empty(self) -> bool:
        """Whether no document was ever sent to review."""
        return not self._path.is_file()

    @property
    def project(self) -> Project:
        """The project, if there is one.

        Raises
        ------
        ReviewError
            Nothing is in review, or its file can't be opened.
        """
        if self.empty:
            raise ReviewError(_EMPTY)
        return self._opened()

    @property
    def corpus(self) -> Path:
        """The folder of the corpus that is exported."""
        return self.home / "corpora" / REVIEWED

    def send(self, document: Document, tagged: Sequence[Tagged], *, read: bool) -> tuple[int, bool]:
        """Save a document to be reviewed; return its number, and whether it is new. ``read`` tells that it was opened for reading."""
        return self._opened().add(document, tagged, read=read)

    def note_read(self, tagged: Sequence[Tagged]) -> None:
        """Note that a document, if it is in review, was opened for reading, which goes on if that can't be noted."""
        if not self.empty:
            with suppress(ReviewError, MissingExtraError):
                self._opened().store.note_read(tagged)

    def examples_like(self, text: str) -> list[int]:
        """Numbers of the codebook's boundary cases, the most similar to a passage first."""
        with self._comparing:
            return [int(row) for row in (-self._examples.like(text)).argsort(kind="stable")]

    def close(self) -> None:
        """End what runs, and close the file."""
        self.learning.stop()
        if self._project is not None:
            self._project.store.close()

    @property
    def _path(self) -> Path:
        return self.home / FILE

    def _opened(self) -> Project:
        if find_spec("datasets") is None:
            raise MissingExtraError("datasets", "train")
        with self._lock:
            if self._project is None:
                corpora = (*self._corpora, self.corpus)
                self._project = Project(Store(self._path, self.themes), self.engine, corpora)
            return self._project

    @cached_property
    def _examples(self) -> Vectors:
        return Vectors([example.text for example in self.codebook.examples], Features(self.engine.tagger.model.settings))
