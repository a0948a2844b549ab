"""tagger: tags the passages of human-trafficking country reports by theme.

>>> import tagger
>>> document = tagger.read("corpora/mexico-2014/report.txt")
>>> tagged = tagger.load().tag(document)
>>> tagged[20].text, tagged[20].labels
('Official complicity continued to be a serious problem.', ('complicity',))
"""

from __future__ import annotations

from tagger.errors import CorpusError, InputError, MissingExtraError, ModelError, OutputError, TaggerError, ThemesError, TrainingError
from tagger.reading import Columns, Limits
from tagger.records import Document, Passage, Span, Tagged
from tagger.tagging import Tagger, load, read, read_all

__all__ = [
    "Columns",
    "CorpusError",
    "Document",
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
    "load",
    "read",
    "read_all",
]
__version__ = "0.1.0"
