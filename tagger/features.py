"""Texts -> counts: words, neighbours, stems and word classes, hashed, over whole batches in numpy.

The same code serves training and use. A batch of texts becomes one buffer of bytes; token borders come from a table of
characters; every token and every prefix is hashed from one running sum (a polynomial hash, Karp and Rabin 1987), so
that nothing loops over tokens in Python. What a text holds is a set (presence, not counts) of:

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
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = ("word", "pair", "stem", "class", "opening", "order", "beside")
CONTEXT = ("before", "after", "form")
_HEARD = ("word", "stem")  # what a passage hears of its neighbours

UInt = NDArray[np.uint64]
Int = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_SLOT_BITS = 18
_SLOTS = 1 << _SLOT_BITS  # tokens whose classes are remembered
_BATCH = 1 << 18  # characters of text in one pass: tables and sums stay in the cache
_SMALL = np.float64(1e-12)
_LENGTHS, _CAPITALS, _DIGITS = (3, 6, 10, 20, 35), (0.0, 0.1, 0.6), (0.0, 0.1)  # upper ends of the classes of a line's form


def _character_table() -> Bytes:
    """Byte -> the byte that is hashed, 0 for what separates tokens. Bytes above 127 belong to letters."""
    table = np.zeros(256, np.uint8)
    for code in range(256):
        character = chr(code)
        if code >= 128 or character.isalpha():
            table[code] = ord(character.lower()) if code < 128 else code
        elif character.isdigit():
            table[code] = ord("0")
    return table


_CHARACTERS = _character_table()


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
    bits: int = 22
    lexicon: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what would not count anything, or would take a machine's memory.

        Settings also come out of model folders of strangers.
        """
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
        for name, words in self.lexicon.items():
            if not all(isinstance(word, str) and word.rstrip("$") for word in words):
                raise ValueError(f"class {name!r} of the lexicon must be a list of words")

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
    """Every place where a feature of one kind stands: its text, its column, and its first and second token."""

    kind: str
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


class _Tokens:
    """The tokens of a batch of texts, and the running sum from which any piece of one is hashed."""

    def __init__(self, texts: Sequence[str]) -> None:
        joined = "\0".join([*texts, ""])
        if joined.count("\0") > len(texts):
            joined = "\0".join([*(text.replace("\0", " ") for text in texts), ""])
        self.raw: Bytes = np.frombuffer(joined.encode("utf-8", "replace"), np.uint8)
        letters = _CHARACTERS[self.raw]
        _drop_punctuation(self.raw, letters)
        edges = np.diff((letters != 0).view(np.int8), prepend=np.int8(0), append=np.int8(0))
        self.start: Int = np.flatnonzero(edges == 1)
        self.end: Int = np.flatnonzero(edges == -1)
        self.row_end: Int = np.flatnonzero(self.raw == 0)
        self.row: Int = np.searchsorted(self.row_end, self.start)
        powers, self._inverse = _powers(len(letters) + 1)
        self._sums = np.zeros(len(letters) + 1, np.uint64)
        np.cumsum(letters * powers[:-1], out=self._sums[1:])
        self.hash: UInt = self.piece(self.start, self.end)

    def piece(self, start: Int, end: Int) -> UInt:
        """Hash of the bytes from ``start`` to ``end``: the same wherever they stand."""
        return (self._sums[end] - self._sums[start]) * self._inverse[start]

    def characters(self) -> tuple[Int, Int]:
        """Start and end of each token in characters of its own text."""
        position = np.concatenate(([0], np.cumsum((self.raw & 0xC0) != 0x80)))
        text_start = np.concatenate(([0], self.row_end[:-1] + 1))
        offset = position[text_start[self.row]]
        return position[self.start] - offset, position[self.end] - offset


def _drop_punctuation(raw: Bytes, letters: Bytes) -> None:
    """Separate tokens at typographic punctuation, and read Latin capitals with accents in lower case."""
    if not (raw > 127).any():
        return
    lead = np.flatnonzero(raw[:-2] == 0xE2)
    lead = lead[(raw[lead + 1] == 0x80) | (raw[lead + 1] == 0x81)]  # U+2000 to U+207F: dashes, quotes, spaces
    for step in range(3):
        letters[lead + step] = 0
    lead = np.flatnonzero(raw[:-1] == 0xC2)  # U+0080 to U+00BF: no-break space, guillemets, section signs
    letters[lead] = letters[lead + 1] = 0
    accented = np.flatnonzero(raw[:-1] == 0xC3) + 1  # U+00C0 to U+00DE
    accented = accented[(raw[accented] >= 0x80) & (raw[accented] <= 0x9E) & (raw[accented] != 0x97)]  # not the sign of multiplication
    letters[accented] += 0x20


_POWERS: list[UInt] = []


def _powers(count: int) -> tuple[UInt, UInt]:
    """Powers 0 to ``count - 1`` of the hash's base and of its inverse modulo 2**64."""
    if _POWERS and len(_POWERS[0]) >= count:
        return _POWERS[0][:count], _POWERS[1][:count]
    made = []
    for base in (_BASE, _INVERSE):
        steps = np.full(max(count, 2 * _BATCH), base, np.uint64)
        steps[0] = 1
        made.append(np.multiply.accumulate(steps))
    if count <= 2 * _BATCH:
        _POWERS[:] = made
    return made[0][:count], made[1][:count]


def _mix(value: UInt, seed: int) -> UInt:
    """Spread a hash over all 64 bits (the finaliser of MurmurHash3), differently for each seed."""
    value = value ^ np.uint64(seed * 0x2545F4914F6CDD1D % (1 << 64))
    value = (value ^ (value >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return value ^ (value >> np.uint64(33))


def _hash_word(word: str) -> int:
    """The hash that `_Tokens` gives a token of these letters."""
    letters = _CHARACTERS[np.frombuffer(word.encode(), np.uint8)]
    return sum(int(letter) * pow(_BASE, place, 1 << 64) for place, letter in enumerate(letters)) % (1 << 64)


class _Lexicon:
    """Word classes, looked up by a token's hash. A pattern is a prefix; one that ends in ``$`` is a whole word."""

    def __init__(self, classes: Mapping[str, Sequence[str]]) -> None:
        self.names: UInt = np.array([_hash_word(name) for name in classes], np.uint64)
        self._whole: dict[int, set[int]] = {}
        self._prefixes: dict[int, dict[int, set[int]]] = {}
        for number, patterns in enumerate(classes.values()):
            for pattern in patterns:
                word = pattern.lower().rstrip("$")
                table = self._whole if pattern.endswith("$") else self._prefixes.setdefault(len(word.encode()), {})
                table.setdefault(_hash_word(word), set()).add(number)
        # A memory of tokens: for each slot a token's hash, and the number of the set of classes that it belongs to.
        self._lock = Lock()
        self._sets: dict[tuple[int, ...], int] = {(): 0}
        self._known = np.zeros(_SLOTS, np.uint64)
        self._set = np.zeros(_SLOTS, np.int64)
        self._flat, self._size, self._offset = np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64)

    def classes(self, tokens: _Tokens) -> tuple[Int, Int]:
        """Token and class numbers of all memberships, in the order of the tokens."""
        slot = (_mix(tokens.hash, 0) >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)
        with self._lock:
            number = self._set.take(slot)
            new = np.flatnonzero(self._known.take(slot) != tokens.hash)
            if len(new):
                number[new] = self._learn(tokens, new, slot[new])
            flat, size, offset = self._flat, self._size, self._offset
        counts = size.take(number)
        token = np.repeat(np.arange(len(number)), counts)
        within = np.arange(len(token)) - np.repeat(np.cumsum(counts) - counts, counts)
        return token, flat.take(offset.take(number).repeat(counts) + within) if len(token) else np.zeros(0, np.int64)

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock, which stays with its process."""
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=Lock())

    def _learn(self, tokens: _Tokens, new: Int, slot: Int) -> Int:
        """Look up tokens that the memory does not hold, keep them there, and return the numbers of their sets."""
        unique, first, inverse = np.unique(tokens.hash[new], return_index=True, return_inverse=True)
        found = [set(self._whole.get(value, ())) for value in unique.tolist()]
        place = new[first]
        start, length = tokens.start[place], tokens.end[place] - tokens.start[place]
        for size, table in self._prefixes.items():
            long = np.flatnonzero(length >= size)
            for which, value in zip(long.tolist(), tokens.piece(start[long], start[long] + size).tolist(), strict=True):
                found[which] |= table.get(value, set())
        numbers = np.array([self._sets.setdefault(tuple(sorted(classes)), len(self._sets)) for classes in found])
        if len(self._sets) > len(self._size):
            self._size = np.array([len(classes) for classes in self._sets])
            self._offset = np.cumsum(self._size) - self._size
            self._flat = np.array([number for classes in self._sets for number in classes], np.int64)
        self._known[slot[first]], self._set[slot[first]] = unique, numbers
        return numbers[inverse]


class Features:
    """Counts the features of texts."""

    def __init__(self, settings: FeatureSettings) -> None:
        self.settings = settings
        self._lexicon = _Lexicon(settings.lexicon)

    @property
    def columns(self) -> int:
        """Number of columns of the matrix."""
        return 1 << self.settings.bits

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
        return _merged(parts, self.settings.bits)

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
            mixed = _mix(heard.indices.astype(np.uint64), len(KINDS) + 1 + place) >> np.uint64(64 - self.settings.bits)
            told = Counts(heard.indptr, mixed.astype(np.int64), heard.data)
            for step in range(1, self.settings.span + 1):
                other = every + sign * step
                inside = (other >= 0) & (other < len(run))
                inside[inside] &= run[other[inside]] == run[inside]
                yield _picked(told, np.where(inside, other, -1), weight * self.settings.fade ** (step - 1))

    def _forms(self, texts: Sequence[str], documents: Sequence[str | None]) -> Counts:
        found = [() if document is None else _form(text) for text, document in zip(texts, documents, strict=True)]
        indptr = np.concatenate(([0], np.cumsum([len(marks) for marks in found])))
        marks = np.array([mark for marks in found for mark in marks], np.uint64)
        column = _mix(marks, len(KINDS) + 3) >> np.uint64(64 - self.settings.bits)
        return Counts(indptr, column.astype(np.int64), np.full(len(marks), self.settings.weights["form"] * self.settings.scale))

    def sums(self, texts: Sequence[str], lookup: NDArray[np.int32], table: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the product of the feature matrix and a table of weights, (n, themes): the fast path, which never builds the matrix.

        ``lookup`` has the row of ``table`` for each column of the matrix; row 0 is zero.
        """
        parts = [self._sums(batch, lookup, table) for batch in _batches(texts)]
        return np.concatenate(parts) if parts else np.zeros((0, table.shape[1]))

    def _sums(self, texts: Sequence[str], lookup: NDArray[np.int32], table: NDArray[np.float32]) -> NDArray[np.float64]:
        settings = self.settings
        square, sums = np.zeros(len(texts)), np.zeros((len(texts), table.shape[1]))
        for kind, key in self._unique(_Tokens(texts), settings.weights):
            if not len(key):
                continue
            weight, row = settings.weights[kind], key >> settings.bits
            first = np.flatnonzero(np.diff(row, prepend=-1))
            here = row[first]
            square[here] += weight**2 * np.diff(first, append=len(row))
            sums[here] += weight * np.add.reduceat(table.take(lookup.take(key & (self.columns - 1)), axis=0), first, axis=0)
        return sums * self._factor(square)[:, None]

    def _factor(self, square: NDArray[Any]) -> NDArray[np.float64]:
        """What a passage's weights are multiplied by, from the sum of their squares."""
        length = square ** (self.settings.norm / 2)
        return np.asarray(self.settings.scale / np.maximum(length, _SMALL))

    def _unique(self, tokens: _Tokens, weights: Mapping[str, float]) -> Iterator[tuple[str, Int]]:
        """Yield, for each kind of feature, the sorted keys of what is there: a row and a column in one number."""
        for kind, row, column, _, _ in self._kinds(tokens, weights):
            key = np.sort(row << self.settings.bits | column)
            yield kind, key[np.concatenate(([True], key[1:] != key[:-1]))] if len(key) else key

    def _batch(self, texts: Sequence[str], weights: Mapping[str, float]) -> Counts:
        keys, values = [], []
        for kind, unique in self._unique(_Tokens(texts), weights):
            keys.append(unique)
            values.append(np.full(len(unique), weights[kind]))
        key, value = np.concatenate(keys), np.concatenate(values)
        order = np.argsort(key, kind="stable")
        key, value = key[order], value[order]
        row = key >> self.settings.bits
        indptr = np.searchsorted(row, np.arange(len(texts) + 1))
        factor = self._factor(np.bincount(row, value * value, minlength=len(texts)))
        return Counts(indptr, key & (self.columns - 1), value * factor[row])

    def occurrences(self, texts: Sequence[str]) -> tuple[Words, list[Occurrences]]:
        """Return the tokens of the texts and, for each kind, every place where a feature stands: what evidence is made of."""
        tokens = _Tokens(texts)
        found = [Occurrences(*kind) for kind in self._kinds(tokens, self.settings.weights)]
        return Words(tokens.row, *tokens.characters()), found

    def _kinds(self, tokens: _Tokens, weights: Mapping[str, float]) -> Iterator[tuple[str, Int, Int, Int, Int]]:
        """Yield, for each kind of feature with a weight: rows, columns, first tokens, second tokens."""
        shift = np.uint64(64 - self.settings.bits)
        row, every = tokens.row, np.arange(len(tokens.row))

        def made(kind: str, value: UInt, first: Int, second: Int) -> tuple[str, Int, Int, Int, Int]:
            return kind, row[first], (_mix(value, KINDS.index(kind) + 1) >> shift).astype(np.int64), first, second

        if weights.get("word"):
            yield made("word", tokens.hash, every, every)
        if weights.get("pair"):
            left = np.flatnonzero(row[:-1] == row[1:])
            yield made("pair", _mix(tokens.hash[left], 0) + tokens.hash[left + 1], left, left + 1)
        if weights.get("stem"):
            size = self.settings.stem_length
            long = np.flatnonzero(tokens.end - tokens.start > size)
            start = tokens.start[long]
            yield made("stem", tokens.piece(start, start + size), long, long)
        if not any(weights.get(kind) for kind in ("class", "opening", "order", "beside")):
            return
        token, number = self._lexicon.classes(tokens)
        name = self._lexicon.names[number]
        if weights.get("class"):
            yield made("class", name, token, token)
        if weights.get("opening"):
            opening = np.flatnonzero(np.isin(token, np.searchsorted(row, np.arange(len(tokens.row_end)))))
            yield made("opening", name[opening], token[opening], token[opening])
        if weights.get("order"):
            left, right = _neighbours(token, row, self.settings.window)
            yield made("order", _mix(name[left], 0) + name[right], token[left], token[right])
        if weights.get("beside"):
            member, other, before = _beside(token, row, self.settings.reach)
            side = np.where(before, np.uint64(_BASE), np.uint64(_INVERSE))
            yield made("beside", _mix(name[member] + side, 0) + tokens.hash[other], other, token[member])


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


def _neighbours(token: Int, row: Int, window: int) -> tuple[Int, Int]:
    """All ordered pairs of memberships whose tokens stand in one text, at most ``window`` tokens apart."""
    lefts, rights = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for step in range(1, len(token)):
        distance = token[step:] - token[:-step]
        near = np.flatnonzero(distance <= window)
        if not len(near):
            break
        near = near[(distance[near] > 0) & (row[token[near]] == row[token[near + step]])]
        lefts.append(near)
        rights.append(near + step)
    return np.concatenate(lefts), np.concatenate(rights)


def _beside(token: Int, row: Int, reach: int) -> tuple[Int, Int, NDArray[np.bool_]]:
    """All memberships with the tokens of their text at most ``reach`` before or after them: membership, token, is it before."""
    members, others, before = [], [], []
    every = np.arange(len(token))
    for step in (*range(-reach, 0), *range(1, reach + 1)):
        other = token + step
        inside = np.flatnonzero((other >= 0) & (other < len(row)))
        inside = inside[row[other[inside]] == row[token[inside]]]
        members.append(every[inside])
        others.append(other[inside])
        before.append(np.full(len(inside), step < 0))
    return np.concatenate(members), np.concatenate(others), np.concatenate(before)


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut the texts into runs of about ``_BATCH`` characters."""
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    first = 0
    while first < len(texts):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _BATCH, side="right")))
        yield texts[first:last]
        first = last
