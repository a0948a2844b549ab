"""tagger: tags the passages of human-trafficking country reports by theme.

>>> import tagger
>>> document = tagger.read("corpora/mexico-2014/report.txt")
>>> tagged = tagger.load().tag(document)
>>> tagged[20].text, tagged[20].labels
('Official complicity continued to be a serious problem.', ('complicity',))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tagger.errors import (
    CorpusError,
    ExperimentError,
    InputError,
    MissingExtraError,
    ModelError,
    OutputError,
    TaggerError,
    ThemesError,
    TrainingError,
)
from tagger.reading import Columns, Limits
from tagger.records import Document, Passage, Span, Tagged
from tagger.tagging import Tagger, load, read, read_all, read_parts

if TYPE_CHECKING:
    from tagger.evaluation import evaluate

__all__ = [
    "Columns",
    "CorpusError",
    "Document",
    "ExperimentError",
    "InputError",
    "Limits",
    "MissingExtraError",
    "ModelError",
    "OutputError",
    "Passage",
    "Span",
    "Tagged",
    "Tagger",
    "TaggerError",
    "ThemesError",
    "TrainingError",
    "evaluate",
    "load",
    "read",
    "read_all",
    "read_parts",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what needs scikit-learn only when it is asked for."""
    if name == "evaluate":
        from tagger.evaluation import evaluate

        return evaluate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
