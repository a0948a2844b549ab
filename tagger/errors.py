"""Everything that tagger raises on purpose.

::

    TaggerError                 catch this one to catch all of them
    ├── InputError              a document can't be read (missing, empty, binary, wrong encoding, unknown format)
    ├── OutputError             a result can't be written
    ├── ThemesError             themes.toml is not a valid codebook
    ├── CorpusError             an annotated corpus has bad lines; names file and line
    ├── TrainingError           a corpus can't train or evaluate a model
    ├── ExperimentError         an experiment's file, or what it wrote, can't be used; names file and line
    ├── ProjectError            a project's folder lacks what is wanted of it
    ├── ReviewError             a decision, or a file of decisions, can't be kept or used
    │   └── BusyError           not now: another program holds the file, or the disk is full
    ├── ModelError              a model folder is damaged, foreign or of an unknown format
    └── MissingExtraError       an optional dependency is not installed; names the pip command

Every message is one line that names the file, line or field and says what to do.
"""

from __future__ import annotations


class TaggerError(Exception):
    """Base of all errors that tagger raises on purpose."""


class InputError(TaggerError):
    """A document can't be read."""


class OutputError(TaggerError):
    """A result can't be written."""


class ThemesError(TaggerError):
    """``themes.toml`` is not a valid codebook."""


class CorpusError(TaggerError):
    """An annotated corpus has bad lines."""


class TrainingError(TaggerError, ValueError):
    """A corpus can't train or evaluate a model. It is a ValueError too, as scikit-learn's tools expect of an estimator."""


class ExperimentError(TaggerError):
    """An experiment's file, or what it wrote, can't be used."""


class ProjectError(TaggerError):
    """A project's folder lacks what is wanted of it."""


class ReviewError(TaggerError):
    """A decision, or a file of decisions, can't be kept or used."""


class BusyError(ReviewError):
    """The file of decisions can't be used now: another program holds it, or the disk is full."""


class ModelError(TaggerError):
    """A model folder is damaged, foreign or of an unknown format."""


class MissingExtraError(TaggerError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"this needs {package}, which is not installed: pip install 'tagger[{extra}]'")

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """What it is made of again in another process: not its message, as of other errors."""
        return type(self), (self.package, self.extra)
