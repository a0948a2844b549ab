"""What passes between formats: labelled passages, the texts that they stand in, and what others call our themes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from tagger.errors import InputError, OutputError
from tagger.reading.content import COLUMNS, Columns, clean
from tagger.records import Document, Tagged
from tagger.themes import Theme
from tagger.writing.text import clean as fit
from tagger.writing.text import many

FINAL = "final"
"""Name of the annotator whose labels are those of the corpus, in formats that keep every annotator's."""
MACHINE = "tagger"
"""What the name of a model as an annotator begins with."""
BY = "by"
"""The field that names the model whose labels a passage has, where a format can't tell these from a person's."""
_COLOURS = ("#6b1d6b", "#b4490a", "#48a3cf", "#ebc12b", "#14532d", "#e58ca6", "#6b7280", "#111827")
_SIGNS = re.compile(r"[\W_]+")
_MOST = 1 << 31  # no page, paragraph or character of a report has such a number
_SHOWN = 10  # unknown labels that a message names


@dataclass(frozen=True, slots=True)
class Item:
    """A passage with its labels, as a line of a corpus and of its annotations holds it; what is not known is None.

    ``scores`` are a model's, where it gave the labels. ``asked`` are the themes for which the passage was read, with semicolons between
    them, as other tools keep a text.
    """

    text: str
    labels: tuple[str, ...] = ()
    id: str = ""
    document: str = ""
    section: str | None = None
    page: int | None = None
    paragraph: int | None = None
    start: int | None = None
    end: int | None = None
    source: str | None = None
    first: tuple[str, ...] | None = None
    second: tuple[str, ...] | None = None
    settled: str | None = None
    scores: Mapping[str, float] | None = None
    asked: str | None = None

    def details(self) -> dict[str, Any]:
        """Whatever is known of the passage beside its text and labels, in plain data."""
        return {name: value for name in DETAILS if (value := getattr(self, name)) not in (None, "")}

    @property
    def votes(self) -> dict[str, tuple[str, ...]]:
        """The labels of each annotator, with the final ones if there are any before them."""
        given = {name: labels for name in ("first", "second") if (labels := getattr(self, name)) is not None}
        return {**given, FINAL: self.labels} if given else {}


DETAILS: dict[str, type] = {
    "id": str,
    "document": str,
    "section": str,
    "page": int,
    "paragraph": int,
    "start": int,
    "end": int,
    "source": str,
    "asked": str,
    "settled": str,
}
"""The fields of `Item.details` and their types."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled passages, the texts of their documents where these are known, and the model that labelled them, if it was one.

    ``notes`` are what a person should know about the reading.
    """

    items: tuple[Item, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def by(self) -> dict[str, str]:
        """The field that tells whose labels these are, for formats that can't tell a model's from a person's; none if a person's."""
        return {BY: self.model} if self.model else {}


def from_results(results: Iterable[tuple[Document, Sequence[Tagged]]], model: str = "") -> Corpus:
    """Make a corpus of what a model has tagged: its labels are the model's, which no person has seen.

    Examples
    --------
    >>> import tagger
    >>> model, document = tagger.load(), tagger.read("corpora/mexico-2014/report.txt")
    >>> len(from_results([(document, model.tag(document))], model.name).items)
    112
    """
    items: list[Item] = []
    texts: dict[str, str] = {}
    for document, tagged in results:
        if document.text:
            texts[document.name] = document.text
        for one in tagged:
            p = one.passage
            place = (p.section, p.page, p.paragraph, p.start, p.end)
            items.append(Item(p.text, one.labels, p.id, p.document or document.name, *place, scores=dict(one.scores)))
    return Corpus(tuple(items), texts, f"{MACHINE} {model}".strip())


def model_of(row: Mapping[str, Any]) -> str | None:
    """The model that gave a row its labels, as far as that shows: by the field that we write, or by what else `tagger tag` writes."""
    by = row.get(BY)
    if isinstance(by, str) and by.split(" ")[0] == MACHINE:
        return by
    tagged = "review" in row and ("scores" in row or any(name.endswith("_words") for name in row))
    return MACHINE if tagged or "to review" in row else None


def with_models(corpus: Corpus, models: Sequence[str | None]) -> Corpus:
    """Say of a corpus whose labels it has, after `model_of` each of its passages; a note warns of those that nobody need have seen."""
    counts = Counter(filter(None, models))
    if not counts:
        return corpus
    whose = f"{many(counts.total(), 'passage')} of {len(models)}: the labels are those of the model {', '.join(counts)}"
    note = f"{whose}, unless somebody has read and corrected them: what learns from them learns its errors"
    return replace(corpus, model=models[0] if len(set(models)) == 1 else None, notes=(*corpus.notes, note))


def colours(themes: Sequence[Theme]) -> dict[str, str]:
    """A colour for each theme: that of the web page."""
    return {theme.name: _COLOURS[number % len(_COLOURS)] for number, theme in enumerate(themes)}


class Labels:
    """What others call our themes: names and titles of the codebook, and what is mapped to them; collects what is unknown.

    ``given`` maps a name to a theme, or to "" where it is to be left out; ``columns`` are what others call those of texts and ids.
    """

    def __init__(self, themes: Sequence[Theme], given: Mapping[str, str] | None = None, columns: Columns = COLUMNS) -> None:
        self.names = tuple(theme.name for theme in themes)
        self.columns = columns
        self._known: dict[str, str] = {_plain(theme.title): theme.name for theme in themes}
        self._known.update({_plain(name): name for name in self.names})
        for name, theme in (given or {}).items():
            if theme and theme not in self.names:
                raise InputError(f"--map {name}={theme}: {theme!r} is no theme; known are {', '.join(self.names)}")
            self._known[_plain(name)] = theme
        self._unknown: dict[str, str] = {}

    def known(self, name: object) -> str | None:
        """What a name stands for: a theme, "" where it is to be left out, None where it is unknown."""
        return self._known.get(_plain(str(name)))

    def asked(self, names: Iterable[object]) -> str:
        """The themes among what people could choose, as `Item.asked` names them; what is no theme of ours is passed over."""
        return "; ".join(self.ordered(theme for name in names if (theme := self.known(name))))

    def theme(self, *names: object, where: str = "") -> str | None:
        """The theme of the first known of these names, from the narrowest to the broadest; None if it is to be left out."""
        for name in names:
            if (found := self.known(name)) is not None:
                return found or None
        self._unknown.setdefault(str(names[0]), where)
        return None

    def all(self, names: Iterable[object], where: str = "") -> tuple[str, ...]:
        """The themes of these names, in the order of the codebook."""
        return self.ordered(theme for name in names if (theme := self.theme(name, where=where)))

    def ordered(self, themes: Iterable[str]) -> tuple[str, ...]:
        """Themes in the order of the codebook, each once."""
        found = set(themes)
        return tuple(name for name in self.names if name in found)

    def check(self) -> None:
        """Refuse labels that are no themes, and say how to map them."""
        if not self._unknown:
            return
        listed = [f"{name!r} ({where})" if where else repr(name) for name, where in self._unknown.items()]
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        first = next(iter(self._unknown))
        raise InputError(
            f"unknown label {', '.join(listed[:_SHOWN])}{more}: map each to a theme ({', '.join(self.names)}), as in "
            f"--map {_quoted(f'{first}={self.names[0]}')}, or leave it out: --map {_quoted(f'{first}=')}"
        )


def _plain(name: str) -> str:
    return _SIGNS.sub(" ", name).strip().casefold() or name


def _quoted(text: str) -> str:
    return f'"{text}"'


@dataclass(frozen=True, slots=True)
class Voted:
    """A passage with the labels of each annotator who saw it."""

    item: Item
    votes: Mapping[str, tuple[str, ...]]


def decide(voted: Sequence[Voted], labels: Labels) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Give each passage its labels: the final ones, or those of more than half of its annotators; return notes, too.

    Where no passage was labelled twice, an annotator's labels are the final ones, and nothing else is kept of him.
    """
    if not any(len(one.votes) > 1 for one in voted):
        return tuple(replace(one.item, labels=next(iter(one.votes.values()), ())) for one in voted), ()
    counts = Counter(name for one in voted for name in one.votes if name != FINAL)
    kept = sorted(sorted(counts, key=lambda name: (-counts[name], name))[:2])
    items, unsettled = [], 0
    for one in voted:
        votes = {name: one.votes[name] for name in sorted(one.votes, key=lambda name: (name not in kept, name)) if name != FINAL}
        passes = [*votes.values()][:2]
        final = one.votes.get(FINAL)
        most = labels.ordered(theme for theme in labels.names if sum(theme in vote for vote in votes.values()) * 2 > len(votes))
        item = replace(one.item, labels=most if final is None else final, first=passes[0] if passes else None)
        item = replace(item, second=passes[1] if len(passes) > 1 else None)
        if final is None and not item.settled and any(set(vote) != set(most) for vote in passes):
            unsettled += 1
            item = replace(item, settled="not settled: the labels of more than half of the annotators")
        items.append(item)
    notes = []
    if unsettled:
        notes.append(
            f"the annotators differ on {many(unsettled, 'passage')}, which keep the labels that more than half of them gave: see "
            "'not settled' in annotations.jsonl"
        )
    if gone := sorted(set(counts) - set(kept)):
        notes.append(f"a corpus keeps the labels of two annotators: those of {clean(', '.join(gone))} counted for the final ones only")
    return tuple(items), tuple(notes)


def detailed(text: str, found: Mapping[str, Any], where: str = "") -> Item:
    """Make a passage of its text, without control characters, and of `Item.details` that came with it; fields of others are passed over.

    Raises
    ------
    InputError
        A field has a value of the wrong type; the message names it and where it stands.
    """
    known: dict[str, Any] = {}
    for name, kind in DETAILS.items():
        value = found.get(name)
        if value is None or value == "" or value != value:  # pandas has "not a number" for what is not there
            continue
        if kind is int and isinstance(value, float | str):
            digits = str(value).removesuffix(".0")
            value = int(digits) if digits.isdecimal() and len(digits) <= len(str(_MOST)) else value
        if kind is str and name == "id" and isinstance(value, int):
            value = str(value)
        if name == "asked" and isinstance(value, list | tuple) and all(isinstance(theme, str) for theme in value):
            value = "; ".join(value)
        if not isinstance(value, kind) or isinstance(value, bool) or (isinstance(value, int) and not 0 <= value < _MOST):
            raise InputError(f"{where}: field {name!r} must be a {'whole number' if kind is int else 'text'}, not {str(value)[:40]!r}")
        known[name] = clean(value) if isinstance(value, str) else value
    return Item(clean(text), **known)


def named(items: Iterable[Item], name: str) -> tuple[Item, ...]:
    """Give ids and documents to the passages that have none, see that no id stands twice, and make the annotations those of a corpus."""
    found: list[Item] = []
    numbers: dict[str, int] = {}
    for number, item in enumerate(items, 1):
        item = replace(item, id=item.id or f"{name}-{number:04d}", document=item.document or name)
        if item.id in numbers:
            raise InputError(f"passage {number}: the id {item.id!r} is that of passage {numbers[item.id]} already: give each its own")
        numbers[item.id] = number
        found.append(item)
    return tuple(map(_annotated, found)) if any(item.first is not None or item.second is not None for item in found) else tuple(found)


def _annotated(item: Item) -> Item:
    """The passage with a first annotator, as all or none of a corpus have, and a word on how it was settled where that is needed."""
    passes = [given for given in (item.first, item.second) if given is not None] or [item.labels]
    item = replace(item, first=passes[0], second=passes[1] if len(passes) > 1 else None)
    if not item.settled and any(set(given) != set(item.labels) for given in passes):
        return replace(item, settled="decided where it was imported from")
    return item


def check_fit(corpus: Corpus) -> None:
    """Refuse what no other tool's format can hold, before anything is written."""
    if not corpus.items:
        raise OutputError("there is no passage to write")
    for item in corpus.items:
        for part in fields(item):
            value = getattr(item, part.name)
            if isinstance(value, int) and not 0 <= value < _MOST:
                raise OutputError(f"passage {item.id!r}: field {part.name!r} is {value}: give it a number that can be one")
            if isinstance(value, str) and ("\r" in value or fit(value) != value):
                raise OutputError(
                    f"passage {item.id!r}: field {part.name!r} holds a control character, which other tools can't hold: take it out"
                )
