"""The stages, run one after the other: `Tagger` and `read`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger import bundle
from tagger.errors import InputError, ModelError
from tagger.model import Model
from tagger.reading import COLUMNS, LIMITS, Columns, Limits, Source, read_source
from tagger.records import Document, Passage, Tagged
from tagger.splitting import documents, joined
from tagger.writing.about import About, about_model

_HERE = Path(__file__).parent
_DEFAULT = (_HERE / "default_model", _HERE.parent / "models" / "default")  # in the wheel; in a source tree


class Tagger:
    """Tags passages by theme with one model.

    Examples
    --------
    >>> import tagger
    >>> tagged = tagger.load().tag(["Police officers accepted bribes from traffickers."])
    >>> tagged[0].labels
    ('complicity',)
    """

    def __init__(self, model: Model, *, name: str = "") -> None:
        self.model = model
        self.name = name

    @property
    def themes(self) -> tuple[str, ...]:
        """Names of the themes, in the column order of `scores`."""
        return self.model.themes

    @property
    def about(self) -> About:
        """What results say about the model: themes, thresholds, measured figures and limits."""
        model = self.model
        return about_model(model.themes, model.thresholds.tolist(), model.review.tolist(), model.card, model=self.name)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated probabilities, (n, themes) float32: the fast path, without labels or evidence."""
        return self.model.scores(texts)

    def tag(self, items: Iterable[str | Passage] | Document) -> list[Tagged]:
        """Tag passages: strings, `Passage` records, or all passages of a `Document`, in their order.

        Passages of one document that follow each other are neighbours, to a model that learned from running text.
        """
        if isinstance(items, str):
            raise TypeError("tag() takes a list of passages, not one string: write tag([text])")
        given = items.passages if isinstance(items, Document) else items
        passages = [item if isinstance(item, Passage) else Passage(item, start=0, end=len(item)) for item in given]
        texts = [passage.text for passage in passages]
        scores = self.model.scores(texts, [passage.document or None for passage in passages])
        labelled = scores >= self.model.thresholds.astype(np.float32)
        low, high = self.model.review.T.astype(np.float32)
        review = (scores >= low) & (scores < high)
        wanted = np.flatnonzero(labelled.any(axis=1))
        evidence = dict(zip(wanted.tolist(), self.model.evidence([texts[row] for row in wanted], labelled[wanted]), strict=True))
        return [
            Tagged(
                passage=passage,
                labels=self._names(labelled[row]),
                scores=dict(zip(self.themes, scores[row].tolist(), strict=True)),
                evidence=evidence.get(row, {}),
                review=self._names(review[row]),
            )
            for row, passage in enumerate(passages)
        ]

    def _names(self, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(name for name, is_chosen in zip(self.themes, chosen.tolist(), strict=True) if is_chosen)


def reading_effort(scores: NDArray[np.floating[Any]], *, recall: float = 0.95) -> list[int]:
    """How many passages to read, most probable first, to see a share of each theme's passages.

    ``scores`` are calibrated probabilities, (n, themes): their sum is how many passages of a theme there are to be seen. Of a theme
    with less than one such passage, none need be read.
    """
    effort = []
    for column in np.sort(np.asarray(scores, np.float64), axis=0)[::-1].T:
        seen = np.cumsum(column)
        effort.append(int(np.searchsorted(seen, recall * seen[-1])) + 1 if len(seen) and seen[-1] >= 1 else 0)
    return effort


def load(path: Path | str | None = None) -> Tagger:
    """Open a saved model; without an argument, the default one that comes with the package.

    Raises
    ------
    ModelError
        The folder is not a model, is damaged, or has a format of another version.
    """
    if path is not None:
        return Tagger(bundle.load(path), name=Path(path).resolve().name)
    for folder in _DEFAULT:
        if folder.is_dir():
            return Tagger(bundle.load(folder), name="default")
    raise ModelError("the default model is not in this installation: install tagger anew, or name a model folder")


def read(path: Path | str, *, name: str | None = None, columns: Columns = COLUMNS, limits: Limits = LIMITS) -> Document:
    """Read a report and cut it into passages; the format is found from the content.

    A file that holds the reports of several countries becomes one document all the same, without a country: `read_all` takes
    it apart.

    Parameters
    ----------
    path
        A file, or ``-`` for standard input.
    name
        What the document is called; the file's name without its ending if left out.
    columns
        Of a table: which columns hold the texts and the ids of the passages.
    limits
        What the reading may use.

    Raises
    ------
    InputError
        The file is missing, empty, damaged, locked, hostile or of no known format; the message names it.
    MissingExtraError
        The library for the file's format is not installed.
    """
    source = read_source(path, name=name, columns=columns, limits=limits)
    return joined(_documents(source, limits), source.name)


def read_all(path: Path | str, *, name: str | None = None, columns: Columns = COLUMNS, limits: Limits = LIMITS) -> list[Document]:
    """Read a file as one document a country, in the order of the file; see `read` for the parameters and errors.

    What stands before the first country is a document too. The texts of the documents together are the text of the file.
    """
    return _documents(read_source(path, name=name, columns=columns, limits=limits), limits)


def _documents(source: Source, limits: Limits) -> list[Document]:
    try:
        return documents(source.name, source.content, limits)
    except InputError as error:
        raise InputError(f"{source.label}: {error}") from error
