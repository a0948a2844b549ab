"""Texts -> counts: words, neighbours, stems and word classes, hashed, over whole batches in numpy.

The same code serves training and use. What has words in it gets a column by its hash (multiply-shift, Dietzfelbinger and
others 1997); what is made of classes alone has columns of its own, and is told from sets of classes, a bit for each class.
What a text holds is a set (presence, not counts) of:

============ =================================================================================================
``word``     a token: letters and digits in lower case, every digit read as 0
``pair``     two neighbouring tokens
``stem``     the first ``stem_length`` letters of a longer token
``class``    a class of the lexicon that a token belongs to
``opening``  a class of the first token
``order``    two classes in their order, at most ``window`` tokens apart
``beside``   a token and a class before or after it, at most ``reach`` tokens apart
``before``   words and stems of the ``span`` passages before it in its document, each ``fade`` times the weight of the next
``after``    words and stems of the passages after it, likewise
``form``     what kind of line it is: its length, capitals and digits, and how it ends (a heading, a cell, an item, a sentence)
============ =================================================================================================

A passage's vector holds ``weights[kind]`` for each feature present and is divided by its Euclidean length to the power
``norm`` (1 is the usual normalisation; less lets long passages keep more of the weight of their one deciding clause).
The last three kinds are for passages in running text, whose documents are named; they are added after that, what it hears
of its neighbours from their own vectors of words and stems.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.tokens import Bytes, Int, Lexicon, Members, Tokens, UInt, multiplier, set_bytes

KINDS = ("word", "pair", "stem", "beside", "class", "opening", "order")
CONTEXT = ("before", "after", "form")
_HEARD = ("word", "stem")  # what a passage hears of its neighbours
_CLASSES = ("beside", "class", "opening", "order")  # what is made of classes

_BATCH = 1 << 17  # characters of text in one pass: tables and sums stay in the cache
_MOST_CLASSES = 256
_LONGEST = 100  # characters of a pattern
_MOST_TOGETHER = 16  # classes of one word
_MOST_PAIRS = 1600  # of the classes of one word with those of the words in its window
_SMALL = np.float64(1e-12)
_LENGTHS, _CAPITALS, _DIGITS = (3, 6, 10, 20, 35), (0.0, 0.1, 0.6), (0.0, 0.1)  # upper ends of the classes of a line's form


@dataclass(frozen=True)
class FeatureSettings:
    """What is counted and how; a part of every saved model."""

    weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "word": 1.0,
            "pair": 1.0,
            "stem": 1.0,
            "class": 1.5,
            "opening": 1.0,
            "order": 0.8,
            "beside": 0.8,
            "before": 0.5,
            "after": 0.5,
            "form": 0.5,
        }
    )
    stem_length: int = 5
    window: int = 25
    reach: int = 3
    span: int = 5
    fade: float = 0.7
    norm: float = 0.5
    scale: float = 0.3
    bits: int = 20
    lexicon: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what would not count anything, or would take a machine's memory.

        Settings also come out of model folders of strangers.
        """
        if not isinstance(self.weights, Mapping) or not isinstance(self.lexicon, Mapping):
            raise ValueError("weights and lexicon must be tables of names")
        if unknown := set(self.weights) - {*KINDS, *CONTEXT}:
            raise ValueError(f"unknown kind of feature {min(unknown)!r}; known are {', '.join((*KINDS, *CONTEXT))}")
        if not all(0 <= weight <= 1000 for weight in self.weights.values()) or not any(map(self.weights.get, KINDS)):
            raise ValueError(f"weights must be numbers from 0 to 1000, that of one of {', '.join(KINDS)} above 0")
        limits = {
            "stem_length": (2, 20),
            "window": (1, 50),
            "reach": (1, 10),
            "span": (1, 20),
            "fade": (0.0, 1.0),
            "bits": (8, 24),
            "norm": (0.0, 2.0),
            "scale": (0.001, 1000.0),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high or isinstance(low, int) > isinstance(value, int):
                raise ValueError(f"{name} must be {low} to {high}")
        if len(self.lexicon) > _MOST_CLASSES:
            raise ValueError(f"the lexicon must be of at most {_MOST_CLASSES} classes")
        for name, words in self.lexicon.items():
            listed = isinstance(words, Sequence) and not isinstance(words, str)
            if not listed or not all(isinstance(word, str) and word.rstrip("$") and len(word) <= _LONGEST for word in words):
                raise ValueError(f"class {name!r} of the lexicon must be a list of words of at most {_LONGEST} characters")
        most = min(_MOST_TOGETHER, isqrt(_MOST_PAIRS // self.window))
        if (crowded := _crowded(self.lexicon, most)) is not None:
            raise ValueError(
                f"more than {most} classes of the lexicon hold {crowded!r} or its beginning, with a window of {self.window} words"
            )

    @property
    def columns(self) -> int:
        """Number of columns of the matrix: those of hashes, of classes, of classes of the first token, of pairs of classes."""
        return (1 << self.bits) + len(self.lexicon) * (2 + len(self.lexicon))

    @property
    def cells(self) -> int:
        """How many numbers a theme's prepared `Weights` are."""
        return self.columns + (len(self.lexicon) + 1) * set_bytes(len(self.lexicon)) * 256

    @property
    def hears(self) -> bool:
        """Whether it counts that a passage stands in running text."""
        return any(self.weights.get(kind) for kind in CONTEXT)

    def alone(self) -> FeatureSettings:
        """Return these settings without what counts in running text only."""
        return replace(self, weights={kind: weight for kind, weight in self.weights.items() if kind not in CONTEXT})

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a manifest."""
        return {
            "weights": dict(self.weights),
            "stem_length": self.stem_length,
            "window": self.window,
            "reach": self.reach,
            "span": self.span,
            "fade": self.fade,
            "norm": self.norm,
            "scale": self.scale,
            "bits": self.bits,
            "lexicon": {name: list(words) for name, words in self.lexicon.items()},
        }


@dataclass(frozen=True)
class Counts:
    """Features of ``n`` texts as a sparse matrix in compressed rows: (n + 1,), (k,) and (k,)."""

    indptr: Int
    indices: Int
    data: NDArray[np.float64]


@dataclass(frozen=True)
class Occurrences:
    """Every place where a feature of some kinds stands: their weight; its text, its column, and its first and second token."""

    weight: float
    row: Int
    column: Int
    first: Int
    second: Int


@dataclass(frozen=True)
class Words:
    """The tokens of texts: the row of each one's text, and where it starts and ends in characters of that text."""

    row: Int
    start: Int
    end: Int


@dataclass(frozen=True)
class Weights:
    """Weights of columns as `Features.sums` takes them: for hashed columns, and summed for each byte of a set of classes.

    Attributes
    ----------
    columns : (columns, width) weights of each column; width is the number of themes, or the power of two above it
    sets : ((classes + 1) * bytes * 256, width) what each byte of the set of classes that follow a class adds; the last is the opening
    themes : how many of ``width`` are themes
    """

    columns: NDArray[np.float32]
    sets: NDArray[np.float32]
    themes: int


class Features:
    """Counts the features of texts."""

    def __init__(self, settings: FeatureSettings) -> None:
        self.settings = settings
        self._lexicon = Lexicon(settings.lexicon)
        self._classes = len(settings.lexicon)
        self._hashed = 1 << settings.bits
        self._shift = (settings.columns - 1).bit_length()  # a row and a column are kept in one number

    def counts(self, texts: Sequence[str], documents: Sequence[str | None] | None = None) -> Counts:
        """Return the feature matrix of the texts, one row each, already normalised.

        ``documents`` names the document of each text, for texts in running order: those before and after it of the same name are its
        neighbours. Without it, or with None for a text, a passage stands alone.
        """
        own = self._rows(texts, self.settings.weights)
        if documents is None or not self.settings.hears:
            return own
        run, parts = _runs(documents), [own]
        heard = {kind: self.settings.weights[kind] for kind in _HEARD if self.settings.weights.get(kind)}
        if heard:
            parts += self._context(self._rows(texts, heard), run)
        if self.settings.weights.get("form"):
            parts.append(self._forms(texts, documents))
        return _merged(parts, self._shift)

    def sums(self, texts: Sequence[str], weights: Weights) -> NDArray[np.float64]:
        """Return the product of the feature matrix and weights, (n, themes): the fast path, which never builds the matrix."""
        parts = [self._sums(batch, weights) for batch in _batches(texts)]
        return np.concatenate(parts) if parts else np.zeros((0, weights.themes))

    def weights(self, columns: NDArray[Any], weights: NDArray[np.float32]) -> Weights:
        """Prepare weights (k, themes) of some columns (k,) for `sums`."""
        themes = weights.shape[1]
        width = next((size for size in (1, 2, 4, 8) if size >= themes), themes)  # numpy takes rows of 4 to 32 bytes fastest
        every = np.zeros((self.settings.columns, width), np.float32)
        every[columns, :themes] = weights
        kind = {name: np.float32(self.settings.weights.get(name, 0.0)) for name in KINDS}
        own, opening, order = np.split(every[self._hashed :], [self._classes, 2 * self._classes])
        later = np.concatenate([kind["order"] * order, kind["opening"] * opening]).reshape(self._classes + 1, self._classes, width)
        size = set_bytes(self._classes)
        bits = np.zeros((self._classes + 1, 8 * size, width), np.float32)
        bits[:, : self._classes] = later
        every_byte = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").astype(np.float32)
        sets = every_byte @ bits.reshape(self._classes + 1, size, 8, width)
        sets[:-1, 0] += kind["class"] * own[:, None]
        return Weights(every, np.ascontiguousarray(sets.reshape(-1, width)), themes)

    def _rows(self, texts: Sequence[str], weights: Mapping[str, float]) -> Counts:
        parts = [self._batch(batch, weights) for batch in _batches(texts)]
        if not parts:
            return Counts(np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0))
        sizes = np.concatenate([np.diff(part.indptr) for part in parts])
        indptr = np.concatenate(([0], np.cumsum(sizes)))
        return Counts(indptr, np.concatenate([p.indices for p in parts]), np.concatenate([p.data for p in parts]))

    def _context(self, heard: Counts, run: Int) -> Iterator[Counts]:
        """Yield what each passage hears of those before and after it, from the nearest to the farthest."""
        every = np.arange(len(run))
        for place, (kind, sign) in enumerate((("before", -1), ("after", 1))):
            weight = self.settings.weights.get(kind, 0.0)
            told = Counts(heard.indptr, self._column((heard.indices + 1).astype(np.uint64) * multiplier(10 + place)), heard.data)
            for step in range(1, self.settings.span + 1):
                other = every + sign * step
                inside = (other >= 0) & (other < len(run))
                inside[inside] &= run[other[inside]] == run[inside]
                yield _picked(told, np.where(inside, other, -1), weight * self.settings.fade ** (step - 1))

    def _forms(self, texts: Sequence[str], documents: Sequence[str | None]) -> Counts:
        found = [() if document is None else _form(text) for text, document in zip(texts, documents, strict=True)]
        indptr = np.concatenate(([0], np.cumsum([len(marks) for marks in found])))
        column = self._column(np.array([mark for marks in found for mark in marks], np.uint64) * multiplier(12))
        return Counts(indptr, column, np.full(len(column), self.settings.weights["form"] * self.settings.scale))

    def _sums(self, texts: Sequence[str], weights: Weights) -> NDArray[np.float64]:
        tokens, members = self.read(texts)
        rows = np.arange(len(texts) + 1)
        square, sums = np.zeros(len(texts)), np.zeros((len(texts), weights.columns.shape[1]))
        for weight, key in self._keys(tokens, members, self.settings.weights):
            borders = np.searchsorted(key, rows << self._shift)
            square += weight**2 * np.diff(borders)
            sums += weight * _sum_rows(weights.columns.take(key & ((1 << self._shift) - 1), axis=0), borders)
        row, number, sets = self._sets(tokens, members)
        borders = np.searchsorted(row, rows)
        square += _sum_rows(self._squares(number, sets), borders)
        place = number[:, None] * sets.shape[1] + np.arange(sets.shape[1]) << 8 | sets
        sums += _sum_rows(weights.sets.take(place.ravel(), axis=0), borders * sets.shape[1])
        return (sums * self._factor(square)[:, None])[:, : weights.themes]

    def _factor(self, square: NDArray[Any]) -> NDArray[np.float64]:
        """What a passage's weights are multiplied by, from the sum of their squares."""
        length = square ** (self.settings.norm / 2)
        return np.asarray(self.settings.scale / np.maximum(length, _SMALL))

    def _keys(self, tokens: Tokens, members: Members, weights: Mapping[str, float]) -> Iterator[tuple[float, Int]]:
        """Yield the sorted keys of the features with words in them, for each of their weights: a row and a column in one number."""
        row = tokens.row << self._shift
        for weight, found in groupby(self._words(tokens, members, weights), key=lambda one: weights[one[0]]):
            key = np.concatenate([row.take(token) | column for _, column, token, _ in found])
            key.sort()
            yield weight, key.take(_changes(key))

    def _sets(self, tokens: Tokens, members: Members) -> tuple[Int, Int, Bytes]:
        """Return what each text has of classes alone, sorted: text, class, and a bit for each class that follows it in the window.

        The number after the last class stands for the opening; its bits are the classes of the first token.
        """
        place, size = _spread(tokens, self.settings.window)
        spread = np.zeros((size, members.sets.shape[1]), np.uint64)
        spread[place.take(members.marked)] = members.sets
        later = _following(spread, self.settings.window).take(place.take(members.token) + 1, axis=0)
        row = tokens.row.take(members.marked)
        opens = np.flatnonzero(members.marked == tokens.first.take(row))
        bits = self._classes.bit_length()
        owner = np.concatenate([tokens.row.take(members.token) << bits | members.number, row.take(opens) << bits | self._classes])
        sets = np.concatenate([later, members.sets.take(opens, axis=0)])
        index_bits = len(owner).bit_length()
        ranked = np.sort(owner << index_bits | np.arange(len(owner)))
        owner, order = ranked >> index_bits, ranked & ((1 << index_bits) - 1)
        first = _changes(owner)
        if len(first):
            sets = np.bitwise_or.reduceat(sets.take(order, axis=0), first, axis=0)
        owner = owner.take(first)
        return owner >> bits, owner & ((1 << bits) - 1), sets.view(np.uint8)

    def _squares(self, number: Int, sets: Bytes) -> NDArray[np.float64]:
        """Sum of the squared weights of each entry of `_sets`."""
        kind = {name: self.settings.weights.get(name, 0.0) ** 2 for name in ("class", "opening", "order")}
        bits = np.bitwise_count(sets.view(np.uint64)).sum(axis=1)
        return np.asarray(np.where(number < self._classes, kind["class"] + kind["order"] * bits, kind["opening"] * bits))

    def _batch(self, texts: Sequence[str], weights: Mapping[str, float]) -> Counts:
        tokens, members = self.read(texts)
        found = [(key, np.full(len(key), weight)) for weight, key in self._keys(tokens, members, weights)]
        row, number, sets = self._sets(tokens, members)
        entry, other = np.nonzero(np.unpackbits(sets, axis=1, count=self._classes, bitorder="little"))
        own, ordered = np.flatnonzero(number < self._classes), number[entry] < self._classes
        for kind, rows, column in (
            ("class", row[own], number[own]),
            ("opening", row[entry[~ordered]], self._classes + other[~ordered]),
            ("order", row[entry[ordered]], (2 + number[entry[ordered]]) * self._classes + other[ordered]),
        ):
            if weights.get(kind):
                found.append((rows << self._shift | (self._hashed + column), np.full(len(rows), weights[kind])))
        key, value = np.concatenate([keys for keys, _ in found]), np.concatenate([values for _, values in found])
        order = np.argsort(key, kind="stable")
        key, value = key[order], value[order]
        row = key >> self._shift
        indptr = np.searchsorted(row, np.arange(len(texts) + 1))
        factor = self._factor(np.bincount(row, value * value, minlength=len(texts)))
        return Counts(indptr, key & ((1 << self._shift) - 1), value * factor[row])

    def read(self, texts: Sequence[str]) -> tuple[Tokens, Members]:
        """Return the tokens of the texts, and their classes."""
        tokens = Tokens(texts)
        return tokens, self._lexicon.members(tokens)

    def pairs(self, tokens: Tokens, members: Members) -> int:
        """Count the pairs of classes among the `occurrences`: how much of them there is hangs on these."""
        return int(_later(tokens, members.token, self.settings.window)[1].sum())

    def occurrences(self, tokens: Tokens, members: Members) -> tuple[Words, list[Occurrences]]:
        """Return the tokens of texts and every place where a feature stands, weight by weight: what evidence is made of."""
        found, weights = [], self.settings.weights
        for weight, several in groupby(self._places(tokens, members), key=lambda one: weights[one[0]]):
            column, first, second = (np.concatenate(parts) for parts in list(zip(*several, strict=True))[1:])
            found.append(Occurrences(weight, tokens.row.take(first), column, first, second))
        return Words(tokens.row, *tokens.characters()), found

    def words(self, texts: Sequence[str]) -> tuple[Words, Int]:
        """Return the tokens of the texts and the column of each as a word, whatever its kind weighs."""
        tokens = Tokens(texts)
        return Words(tokens.row, *tokens.characters()), self._column(tokens.hash * multiplier(3))

    def _places(self, tokens: Tokens, members: Members) -> Iterator[tuple[str, Int, Int, Int]]:
        """Yield, for each kind of feature with a weight, the columns, first tokens and second tokens of all its occurrences."""
        weights = self.settings.weights
        for kind, column, token, step in self._words(tokens, members, weights):
            yield kind, column, token, token + step
        token, number = members.token, members.number
        if weights.get("class"):
            yield "class", self._hashed + number, token, token
        if weights.get("opening"):
            opens = np.flatnonzero(token == tokens.first.take(tokens.row.take(token)))
            yield "opening", self._hashed + self._classes + number.take(opens), token.take(opens), token.take(opens)
        if weights.get("order"):
            left, right = neighbours(tokens, token, self.settings.window)
            pair = number.take(left) * self._classes + number.take(right)
            yield "order", self._hashed + 2 * self._classes + pair, token.take(left), token.take(right)

    def _words(self, tokens: Tokens, members: Members, weights: Mapping[str, float]) -> Iterator[tuple[str, Int, Int, int]]:
        """Yield the occurrences of features with words in them: the kind, columns, tokens, and how far from these the second tokens are."""
        if weights.get("word"):
            yield "word", self._column(tokens.hash * multiplier(3)), np.arange(len(tokens.row)), 0
        if weights.get("pair"):
            value = (tokens.hash * multiplier(4))[:-1] + (tokens.hash * multiplier(5))[1:]
            left = np.flatnonzero(tokens.row[1:] == tokens.row[:-1])
            yield "pair", self._column(value.take(left)), left, 1
        if weights.get("stem"):
            size = self.settings.stem_length
            long = np.flatnonzero(tokens.end - tokens.start > size)
            start = tokens.start.take(long)
            yield "stem", self._column(tokens.piece(start, start + size) * multiplier(6)), long, 0
        if weights.get("beside"):
            reach = self.settings.reach
            place, size = _spread(tokens, reach)
            spread = np.zeros(size, np.uint64)
            spread[place] = tokens.hash * multiplier(7)
            place = place.take(members.token)
            for side, steps in ((8, range(-reach, 0)), (9, range(1, reach + 1))):
                name = (self._lexicon.names * multiplier(side)).take(members.number)
                for step in steps:
                    other = spread.take(place + step)
                    inside = np.flatnonzero(other != 0)
                    yield "beside", self._column((name + other).take(inside)), members.token.take(inside), step

    def _column(self, value: UInt) -> Int:
        """The column of a hash: its highest bits."""
        return (value >> np.uint64(64 - self.settings.bits)).astype(np.int64)


def _crowded(lexicon: Mapping[str, Sequence[str]], most: int) -> str | None:
    """A pattern that puts a word into more classes than it may be in, counting the patterns that are prefixes of it."""
    classes: dict[str, set[str]] = {}
    for name, words in lexicon.items():
        for word in words:
            classes.setdefault(word.lower(), set()).add(name)
    for pattern, own in classes.items():
        word = pattern.rstrip("$")
        found = own.union(*(classes.get(word[:size], ()) for size in range(1, len(word) + 1)))
        if len(found) > most:
            return pattern
    return None


def _form(text: str) -> tuple[int, ...]:
    """What kind of line a text is, in four numbers: its length in words, its share of capitals and of digits, and how it ends."""
    capitals = sum(map(str.isupper, text)) / (sum(map(str.isalpha, text)) or 1)
    digits = sum(map(str.isdigit, text)) / (len(text) or 1)
    end = text.rstrip()[-1:]
    return (
        bisect_left(_LENGTHS, len(text.split())),
        10 + bisect_left(_CAPITALS, capitals),
        20 + bisect_left(_DIGITS, digits),
        30 + (1 if end in (".", "!", "?") else 2 if end in (";", ":", ",") else 0),
    )


def _runs(documents: Sequence[str | None]) -> Int:
    """A number for each stretch of neighbours of one document."""
    breaks = [name is None or name != before for name, before in zip(documents, (None, *documents), strict=False)]
    return np.cumsum(breaks)


def _picked(counts: Counts, rows: Int, weight: float) -> Counts:
    """The named rows, -1 for an empty one, times a weight."""
    sizes = np.where(rows < 0, 0, np.diff(counts.indptr)[rows])
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    place = np.arange(indptr[-1]) + np.repeat(counts.indptr[:-1][rows] - indptr[:-1], sizes)
    return Counts(indptr, counts.indices[place], counts.data[place] * weight)


def _merged(parts: Sequence[Counts], bits: int) -> Counts:
    """Add matrices of the same shape."""
    rows = len(parts[0].indptr) - 1
    key = np.concatenate([np.repeat(np.arange(rows), np.diff(part.indptr)) << bits | part.indices for part in parts])
    unique, inverse = np.unique(key, return_inverse=True)
    data = np.bincount(inverse, np.concatenate([part.data for part in parts]), len(unique)).astype(np.float64)
    return Counts(np.searchsorted(unique >> bits, np.arange(rows + 1)), unique & ((1 << bits) - 1), data)


def _changes(values: Int) -> Int:
    """Where sorted values change: the first place of each."""
    changed = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return np.flatnonzero(changed)


def _sum_rows(values: NDArray[Any], borders: Int) -> NDArray[Any]:
    """Sums of stretches of values along the first axis, from each border to the next."""
    sums = np.zeros((len(borders) - 1, *values.shape[1:]), values.dtype)
    full = np.flatnonzero(borders[1:] > borders[:-1])
    if len(full):
        sums[full] = np.add.reduceat(values, borders.take(full), axis=0)
    return sums


def _spread(tokens: Tokens, gap: int) -> tuple[Int, int]:
    """Return places for the tokens in an array, with a gap around each text, and its size: what stands next to a text is empty."""
    return np.arange(len(tokens.row)) + (tokens.row + 1) * gap, len(tokens.row) + (len(tokens.first) + 2) * gap


def _following(sets: UInt, window: int) -> UInt:
    """For each place, the union of the sets at it and after it, ``window`` together."""
    size = 1
    while 2 * size <= window:
        sets = sets[:-size] | sets[size:]
        size *= 2
    return sets[: len(sets) - (window - size)] | sets[window - size :] if size < window else sets


def neighbours(tokens: Tokens, token: Int, window: int) -> tuple[Int, Int]:
    """All ordered pairs of memberships, given by their tokens, in one text and at most ``window`` tokens apart."""
    end, count = _later(tokens, token, window)
    left = np.repeat(np.arange(len(token)), count)
    return left, np.arange(len(left)) + np.repeat(end - np.cumsum(count), count)


def _later(tokens: Tokens, token: Int, window: int) -> tuple[Int, Int]:
    """For each membership, where those end with which it makes a pair, and how many these are."""
    last = np.minimum(token + window, tokens.first.take(tokens.row.take(token) + 1) - 1)
    end = np.searchsorted(token, last, side="right")
    return end, end - np.searchsorted(token, token, side="right")


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut the texts into runs of about ``_BATCH`` characters."""
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    first = 0
    while first < len(texts):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _BATCH, side="right")))
        yield texts[first:last]
        first = last
