"""spaCy: the component ``theme_tagger``, which marks sentences by theme. (``tagger`` is spaCy's own, for parts of speech.)

`nlp.add_pipe("theme_tagger")` finds it without an import. It sets

- ``doc.spans["tagger"]``: a span for each sentence and each theme that it carries, with the theme as its label; ``attrs["scores"]`` holds
  their probabilities;
- ``doc.cats``: the highest probability of each theme in the document;
- ``doc._.tagger``: for each sentence its characters (``start``, ``end``), ``labels``, ``scores``, ``evidence`` and ``review``; of a span,
  ``span._.tagger`` is that of the sentence in which it begins.

Sentences are those that an earlier component has set, else tagger's own passages, without headings.
"""

# Annotations are not postponed here: spaCy reads those of the factory.
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tagger import bundle
from tagger.errors import MissingExtraError, ModelError
from tagger.integrations.columns import fields
from tagger.model import Model
from tagger.records import Document, Passage
from tagger.segmenting import segment
from tagger.tagging import Tagger, load

try:
    from spacy.language import Language
    from spacy.tokens import Doc, Span, SpanGroup
    from spacy.util import from_bytes, minibatch, to_bytes
except ImportError as error:
    raise MissingExtraError("spacy", "integrations") from error

KEY = "tagger"
_MODEL, _SETTINGS = "model", "settings.json"


class ThemeTagger:
    """Tags the sentences of documents; the model is loaded with the first one.

    Parameters
    ----------
    model
        The folder of a model; the default one if left out. A pipeline that was saved has its own copy of it.
    thresholds
        From which probability on a theme is given, where the model's own threshold is not wanted.
    """

    def __init__(self, model: Path | str | None = None, thresholds: dict[str, float] | None = None) -> None:
        self._folder = Path(model).absolute() if model else None
        self._thresholds = dict(thresholds or {})

    @cached_property
    def model(self) -> Model:
        """The model as it was trained."""
        return load(self._folder).model

    @cached_property
    def tagger(self) -> Tagger:
        """The model with these thresholds.

        Raises
        ------
        ModelError
            The model can't be loaded, has no such theme, or a threshold is no probability.
        """
        thresholds = self.model.thresholds.copy()
        for theme, value in self._thresholds.items():
            if theme not in self.model.themes:
                raise ModelError(f"thresholds: the model has no theme {theme!r}; it has {', '.join(self.model.themes)}")
            if not 0 <= value <= 1:
                raise ModelError(f"thresholds: that of {theme!r} is {value}, not a probability")
            thresholds[self.model.themes.index(theme)] = value
        return Tagger(replace(self.model, thresholds=thresholds))

    def __call__(self, doc: Doc) -> Doc:
        """Tag one document."""
        self._annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Tag documents, so many at once."""
        for docs in minibatch(stream, size=batch_size):
            self._annotate(docs)
            yield from docs

    def _annotate(self, docs: Sequence[Doc]) -> None:
        sentences = [list(_sentences(doc, str(number))) for number, doc in enumerate(docs)]
        tagged = iter(self.tagger.tag([passage for found in sentences for _, passage in found]))
        for doc, found in zip(docs, sentences, strict=True):
            records, spans, scores = [], [], []
            for (span, passage), item in zip(found, tagged, strict=False):
                records.append({"start": passage.start, "end": passage.end, **fields(item)})
                spans += [Span(doc, span.start, span.end, label=theme) for theme in item.labels]
                scores += [item.scores[theme] for theme in item.labels]
            doc.spans[KEY] = SpanGroup(doc, name=KEY, spans=spans, attrs={"scores": np.array(scores, np.float32)})
            doc.cats.update({theme: max((record["scores"][theme] for record in records), default=0.0) for theme in self.tagger.themes})
            doc._.tagger = records

    def to_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> None:
        """Write the model and the settings to a folder."""
        bundle.save(self.model, Path(path) / _MODEL)
        (Path(path) / _SETTINGS).write_text(self._settings(), encoding="utf-8")

    def from_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> "ThemeTagger":
        """Read what `to_disk` wrote."""
        return self._become(bundle.load(Path(path) / _MODEL), (Path(path) / _SETTINGS).read_text(encoding="utf-8"))

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the model and the settings."""
        files = bundle.contents(self.model)
        written: bytes = to_bytes({_MODEL: lambda: files, _SETTINGS: self._settings}, ())
        return written

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "ThemeTagger":
        """Read what `to_bytes` returned."""
        found: dict[str, Any] = {}
        from_bytes(data, {name: lambda value, name=name: found.update({name: value}) for name in (_MODEL, _SETTINGS)}, ())
        return self._become(bundle.parse(found[_MODEL]), found[_SETTINGS])

    def _settings(self) -> str:
        return json.dumps({"thresholds": self._thresholds})

    def _become(self, model: Model, settings: str) -> "ThemeTagger":
        self.model = model
        self._thresholds = json.loads(settings)["thresholds"]
        self.__dict__.pop("tagger", None)
        return self


@Language.factory(  # type: ignore[untyped-decorator]
    "theme_tagger",
    default_config={"model": None, "thresholds": {}},
    assigns=["doc.spans", "doc.cats", "doc._.tagger", "span._.tagger"],
)
def make_theme_tagger(nlp: Language, name: str, model: str | None, thresholds: dict[str, float]) -> ThemeTagger:
    """The component as a pipeline's config describes it."""
    return ThemeTagger(model, thresholds)


def _sentences(doc: Doc, name: str) -> Iterator[tuple[Span, Passage]]:
    """The sentences of a document, as spans of tokens and as passages."""
    if doc.has_annotation("SENT_START"):
        for span in doc.sents:
            yield span, Passage(span.text, document=name, start=span.start_char, end=span.end_char)
    else:
        for passage in segment(Document(name, doc.text)).passages:
            yield doc.char_span(passage.start, passage.end, alignment_mode="expand"), passage


def _of_span(span: Span) -> dict[str, Any] | None:
    """What the sentence in which a span begins was given."""
    records: list[dict[str, Any]] = span.doc._.tagger or []
    place = bisect_right(records, span.start_char, key=lambda record: record["start"]) - 1
    return records[place] if place >= 0 and span.start_char < records[place]["end"] else None


Doc.set_extension(KEY, default=None, force=True)
Span.set_extension(KEY, getter=_of_span, force=True)
