"""The stages, run one after the other: `Tagger` and `read`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger import bundle
from tagger.errors import InputError, ModelError
from tagger.model import Model
from tagger.passages import Passages
from tagger.reading import COLUMNS, LIMITS, Columns, Limits, Source, label_of, naming, read_source
from tagger.reading.large import large_format, large_table, open_markdown, open_text, spooled
from tagger.records import Document, Passage, Tagged, running
from tagger.splitting import NO_PASSAGE, documents, joined, table_parts, text_parts
from tagger.tags import Tags
from tagger.writing.about import About, about_model

_HERE = Path(__file__).parent
_DEFAULT = (_HERE / "default_model", _HERE.parent / "models" / "default")  # in the wheel; in a source tree

_AT_ONCE = 5000  # passages


class Tagger:
    """Tags passages by theme with one model.

    Threads may share one. One that was loaded from a folder and goes to another process opens the folder there, once.

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
        self._opened: tuple[str | None, Model] | None = None

    def __reduce__(self) -> tuple[Callable[..., Tagger], tuple[Any, ...]]:
        """Where its model lies rather than the model, if that is as it was loaded."""
        if self._opened and self._opened[1] is self.model:
            return worker_tagger, (self._opened[0], self.model.card["digest"])
        return _made, (self.model, self.name)

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
        if isinstance(texts, str):
            raise TypeError("scores() takes a list of texts, not one string: write scores([text])")
        return self.model.scores(texts)

    def tag(self, items: Iterable[str | Passage] | Document, *, evidence: bool = True) -> list[Tagged]:
        """Tag passages: strings, `Passage` records, or all passages of a `Document`, in their order.

        Passages of one document that follow each other are neighbours, to a model that learned from running text. Finding the
        ``evidence`` takes more than half of the time: without, none is given.
        """
        return list(self.tags(items, evidence=evidence))

    def tags(self, items: Iterable[str | Passage] | Document, *, evidence: bool = True) -> Sequence[Tagged]:
        """Do what `tag` does, but make the records only when they are asked for: what the writers make of thousands is made faster."""
        if isinstance(items, str):
            raise TypeError("tag() takes a list of passages, not one string: write tag([text])")
        given = items.passages if isinstance(items, Document) else list(items)
        texts = [item for item in given if isinstance(item, str)]
        if len(texts) == len(given):
            return self._tags(Passages.alone(texts), evidence=evidence)
        return self._tags(list(map(_passage, given)), evidence=evidence)

    def _tags(self, passages: Sequence[Passage], first: int = 0, last: int | None = None, *, evidence: bool = True) -> Tags:
        """Tag passages from ``first`` to ``last``; those around them are only their neighbours."""
        columns, runs = Passages.of(passages), None
        if self.model.settings.hears:
            runs = running([(name, start if name else None) for name, start in zip(columns.document, columns.start, strict=True)])
        scores = self.model.scores(columns.text, runs)[first:last]
        labelled = scores >= self.model.thresholds.astype(np.float32)
        low, high = self.model.review.T.astype(np.float32)
        spans = self.model.spans(columns.text[first:last], labelled if evidence else np.zeros_like(labelled))
        return Tags(self.themes, columns[first:last], scores, labelled, (scores >= low) & (scores < high), spans)

    def tag_parts(self, parts: Iterable[Document]) -> Iterator[tuple[Document, Sequence[Tagged]]]:
        """Tag documents that come part by part, as `read_parts` yields them; the results are those of `tag` for whole documents.

        Parts of one document have its name and follow each other. What is yielded may be cut elsewhere than what is given, for the
        passages around a cut are neighbours.
        """
        if self.model.settings.hears:
            yield from self._tag_running(parts)
            return
        for part in parts:
            for start in range(0, max(len(part.passages), 1), _AT_ONCE):
                some = replace(part, passages=part.passages[start : start + _AT_ONCE], notes=() if start else part.notes)
                yield some, self._tags(some.passages)

    def _tag_running(self, parts: Iterable[Document]) -> Iterator[tuple[Document, Sequence[Tagged]]]:
        """Tag parts whose last passages wait for those that follow them."""
        span = self.model.settings.span
        for _, several in groupby(parts, key=lambda part: part.name):
            waiting: list[Passage] = []
            tagged = 0  # those that wait only because they are neighbours of the others
            notes: list[str] = []
            part: Document | None = None
            for part in several:
                waiting += part.passages
                notes += part.notes
                ready = len(waiting) if part.text else len(waiting) - span
                while tagged < ready:
                    last = min(ready, tagged + _AT_ONCE)
                    found = self._tags(waiting[: last + span], tagged, last)
                    yield replace(part, passages=found.passages, notes=tuple(notes)), found
                    notes.clear()
                    gone = max(0, last - span)
                    del waiting[:gone]
                    tagged, ready = last - gone, ready - gone
            if part and (tagged < len(waiting) or not waiting):
                found = self._tags(waiting, tagged)
                yield replace(part, passages=found.passages, notes=tuple(notes)), found


def _passage(item: object) -> Passage:
    if isinstance(item, Passage):
        return item
    if isinstance(item, str):
        return Passage(item, start=0, end=len(item))
    raise TypeError(f"tag() takes a document, or a list of strings and passages, not of {type(item).__name__}")


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
    return _opened(path, bundle.load(_default() if path is None else path))


def worker_tagger(model: str | None = None, wanted: str | None = None) -> Tagger:
    """The tagger of a model folder (or of the default one), loaded once a process; with the digest ``wanted``, if one is given.

    Raises
    ------
    ModelError
        The folder can't be loaded, or is another model than the one wanted.
    """
    return _opened(model, _kept(model, wanted))


@lru_cache(maxsize=4)
def _kept(path: str | None, wanted: str | None) -> Model:
    model = bundle.load(_default() if path is None else path)
    if wanted is not None and model.card["digest"] != wanted:
        raise ModelError(f"{path or 'the default model'}: is another one where a worker runs: put the same model there")
    return model


def _opened(path: Path | str | None, model: Model) -> Tagger:
    place = None if path is None else str(Path(path).resolve())
    tagger = Tagger(model, name=Path(place).name if place else "default")
    tagger._opened = place, model
    return tagger


def _made(model: Model, name: str) -> Tagger:
    return Tagger(model, name=name)


def _default() -> Path:
    for folder in _DEFAULT:
        if folder.is_dir():
            return folder
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


def read_all(
    path: Path | str,
    *,
    name: str | None = None,
    columns: Columns = COLUMNS,
    limits: Limits = LIMITS,
    taken: Counter[str] | None = None,
) -> list[Document]:
    """Read a file as one document a country, in the order of the file; see `read` for the other parameters and errors.

    What stands before the first country is a document too. The texts of the documents together are the text of the file. Give the
    same ``taken``, the names of all files, with each of them, and no two countries' documents have the same name.
    """
    return _documents(read_source(path, name=name, columns=columns, limits=limits), limits, taken)


def read_parts(
    path: Path | str,
    *,
    name: str | None = None,
    columns: Columns = COLUMNS,
    limits: Limits = LIMITS,
    taken: Counter[str] | None = None,
    told: Callable[[int], object] = lambda _: None,
) -> Iterator[Document]:
    """Read a file of any size in bounded memory: yield its documents, the large ones of text and tables part by part.

    Parts hold the passages of a document in turn, and no text; they have its name and follow each other. A format that can't be
    read part by part, or a file of less than 4 MiB, is read as `read_all` does. ``told`` is called, before a part is yielded, with how
    many bytes of the file have been read. See `read` and `read_all` for the other parameters and errors.
    """
    with spooled(Path(path)) as file:
        format = large_format(file, columns)
        if format is None:
            source = read_source(file, label=label_of(path), name=name, columns=columns, limits=limits)
            yield from _documents(source, limits, taken)
            return
        with naming(label_of(path)):
            seen = False
            for part in _parts(file, format, name or file.stem, columns, limits, taken, told):
                seen = seen or bool(part.passages)
                yield part
            if not seen:
                raise InputError(NO_PASSAGE)


def tag_file(
    tagger: Tagger,
    path: Path,
    *,
    name: str | None = None,
    columns: Columns = COLUMNS,
    limits: Limits = LIMITS,
    taken: Counter[str] | None = None,
    flowing: bool = False,
    told: Callable[[int], object] = lambda _: None,
) -> Iterator[tuple[Document, Sequence[Tagged]]]:
    """Yield the documents of a file with their tagged passages; with ``flowing``, large ones part by part (see `read_parts`)."""
    if flowing:
        yield from tagger.tag_parts(read_parts(path, name=name, columns=columns, limits=limits, taken=taken, told=told))
    else:
        for document in read_all(path, name=name, columns=columns, limits=limits, taken=taken):
            yield document, tagger.tag(document)


def _parts(
    file: Path, format: str, name: str, columns: Columns, limits: Limits, taken: Counter[str] | None, told: Callable[[int], object]
) -> Iterator[Document]:
    if format not in ("text", "markdown"):
        yield from table_parts(name, large_table(file, format, columns, limits, told))
        return
    with open_text(file) if format == "text" else open_markdown(file, limits) as (stream, note):
        for number, part in enumerate(text_parts(name, stream, limits, taken)):
            told(stream.buffer.tell())
            yield replace(part, notes=(note, *part.notes)) if note and not number else part


def _documents(source: Source, limits: Limits, taken: Counter[str] | None = None) -> list[Document]:
    try:
        return documents(source.name, source.content, limits, taken)
    except InputError as error:
        raise InputError(f"{source.label}: {error}") from error
