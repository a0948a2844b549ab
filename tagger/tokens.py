"""Texts -> tokens, their hashes and their word classes, a batch at a time in numpy.

A batch of texts becomes one buffer of bytes; token borders come from a table of characters; every token and every prefix is
hashed from one running sum (a polynomial hash, Karp and Rabin 1987), so that nothing loops over tokens in Python.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from tagger.invisible import INVISIBLE, visible

UInt = NDArray[np.uint64]
Int = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_SLOT_BITS = 18  # of the memory of tokens
_KEPT = 1 << 18  # powers of the base that are kept


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


def _separators() -> NDArray[np.bool_]:
    """Whether characters of three bytes separate tokens, by the low bits of their first and second byte."""
    table = np.zeros(1 << 10, np.bool_)
    for first, last in (
        (0x2000, 0x207F),  # dashes, quotes, spaces
        (0x2180, 0x27FF),  # arrows, marks of lists, other signs
        (0x3000, 0x303F),  # spaces and punctuation of East Asian text
        (0xE000, 0xF8FF),  # of private use, as the bullets of symbol fonts
    ):
        table[first >> 6 : (last >> 6) + 1] = True
    return table.reshape(16, 64)


_SEPARATORS = _separators()
_CHARACTERS = _character_table()
_TABLE = _CHARACTERS.tobytes()


class Tokens:
    """The tokens of a batch of texts, and the running sum from which any piece of one is hashed.

    Attributes
    ----------
    raw : the texts in UTF-8 without invisible characters, a zero before, between and after them
    start, end : (t,) where each token stands in ``raw``
    first : (n + 1,) the first token of each text, then the number of tokens
    row : (t,) the text of each token
    hash : (t,) never 0
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.raw, self._zeros, self._whole = _buffer(texts)
        letters = np.frombuffer(bytearray(self.raw.tobytes().translate(_TABLE)), np.uint8)
        _drop_punctuation(self.raw, letters)
        inside = letters != 0
        borders = np.flatnonzero(inside[1:] != inside[:-1]) + 1
        self.start: Int = borders[0::2]
        self.end: Int = borders[1::2]
        self.first: Int = np.searchsorted(self.start, self._zeros)
        self.row: Int = np.repeat(np.arange(len(texts)), np.diff(self.first))
        powers, self._inverse = _powers(len(letters) + 1)
        self._sums = np.zeros(len(letters) + 1, np.uint64)
        np.cumsum(letters * powers[:-1], out=self._sums[1:])
        self.hash: UInt = np.maximum(self.piece(self.start, self.end), np.uint64(1))

    def piece(self, start: Int, end: Int) -> UInt:
        """Hash of the bytes from ``start`` to ``end``: the same wherever they stand."""
        return (self._sums.take(end) - self._sums.take(start)) * self._inverse.take(start)

    def characters(self) -> tuple[Int, Int]:
        """Start and end of each token in characters of its own text."""
        position = np.concatenate(([0], np.cumsum((self.raw & 0xC0) != 0x80)))
        start, end, before = position[self.start], position[self.end], position[self._zeros[:-1]][self.row]
        if self._whole is not None:
            seen = np.flatnonzero([character not in INVISIBLE for character in self._whole])
            start, end, before = seen[start], seen[end - 1] + 1, seen[before]
        return start - before - 1, end - before - 1


def _buffer(texts: Sequence[str]) -> tuple[Bytes, Int, str | None]:
    """The texts in UTF-8 without invisible characters, with a zero before, between and after them, and where these zeros stand.

    Beside them stand all characters, if any are gone.
    """
    whole = "\0".join(["", *texts, ""])
    text = visible(whole)
    raw = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    zeros = np.flatnonzero(raw == 0)
    if len(zeros) > len(texts) + 1:
        return _buffer([text.replace("\0", " ") for text in texts])
    return raw, zeros, None if text is whole else whole


def _drop_punctuation(raw: Bytes, letters: Bytes) -> None:
    """Separate tokens at typographic punctuation, and read Latin capitals with accents in lower case."""
    high = np.flatnonzero(raw > 127)
    if not len(high):
        return
    value = raw.take(high)
    lead = high[(value >= 0xE0) & (value < 0xF0)]
    lead = lead[_SEPARATORS[raw[lead] - 0xE0, raw[lead + 1] & 0x3F]]
    for step in range(3):
        letters[lead + step] = 0
    lead = high[value == 0xC2]  # U+0080 to U+00BF: no-break space, guillemets, section signs
    letters[lead] = letters[lead + 1] = 0
    accented = high[value == 0xC3] + 1  # U+00C0 to U+00DE
    accented = accented[(raw[accented] >= 0x80) & (raw[accented] <= 0x9E) & (raw[accented] != 0x97)]  # not the sign of multiplication
    letters[accented] += 0x20


_POWERS: list[UInt] = []


def _powers(count: int) -> tuple[UInt, UInt]:
    """Powers 0 to ``count - 1`` of the hash's base and of its inverse modulo 2**64."""
    if _POWERS and len(_POWERS[0]) >= count:
        return _POWERS[0][:count], _POWERS[1][:count]
    made = []
    for base in (_BASE, _INVERSE):
        steps = np.full(max(count, _KEPT), base, np.uint64)
        steps[0] = 1
        made.append(np.multiply.accumulate(steps))
    if count <= _KEPT:
        _POWERS[:] = made
    return made[0][:count], made[1][:count]


def multiplier(seed: int) -> np.uint64:
    """An odd number of 64 random bits for each seed (SplitMix64, Steele and others 2014), to spread hashes by."""
    value = seed * _BASE % (1 << 64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> shift)) * factor % (1 << 64)
    return np.uint64(value ^ (value >> 31) | 1)


def set_bytes(classes: int) -> int:
    """Bytes of a set of classes with a bit for each of them: whole words of 64 bits, at least one."""
    return 8 * max(1, -(-classes // 64))


def hash_word(word: str) -> int:
    """The hash that `Tokens` gives a token of these letters."""
    letters = _CHARACTERS[np.frombuffer(word.encode(), np.uint8)]
    return sum(int(letter) * pow(_BASE, place, 1 << 64) for place, letter in enumerate(letters)) % (1 << 64)


@dataclass(frozen=True)
class Members:
    """The word classes of a batch's tokens.

    Attributes
    ----------
    token, number : (m,) every membership, in the order of the tokens: a token and the number of a class
    marked : (k,) the tokens that have a class
    sets : (k, `set_bytes` / 8) their classes, a bit each
    """

    token: Int
    number: Int
    marked: Int
    sets: UInt


class Lexicon:
    """Word classes, looked up by a token's hash. A pattern is a prefix; one that ends in ``$`` is a whole word."""

    def __init__(self, classes: Mapping[str, Sequence[str]]) -> None:
        self.names: UInt = np.array([hash_word(name) for name in sorted(classes)], np.uint64)  # in one order, whatever the file
        self._whole: dict[int, set[int]] = {}
        self._prefixes: dict[int, dict[int, set[int]]] = {}
        for number, name in enumerate(sorted(classes)):
            for pattern in classes[name]:
                word = pattern.lower().rstrip("$")
                table = self._whole if pattern.endswith("$") else self._prefixes.setdefault(len(word.encode()), {})
                table.setdefault(hash_word(word), set()).add(number)
        self._forget()

    def _forget(self) -> None:
        """Begin an empty memory of tokens: for each slot a token's hash and the number of its set of classes. A token has two slots."""
        _LEXICONS.add(self)
        self._lock = Lock()
        self._numbers: dict[tuple[int, ...], int] = {}
        self._known = np.zeros(1 << _SLOT_BITS, np.uint64)
        self._set = np.zeros(1 << _SLOT_BITS, np.int64)
        self._add([()])

    def members(self, tokens: Tokens) -> Members:
        """Return the classes of all tokens."""
        with self._lock:
            number = self._remembered(tokens)
            flat, size, offset, sets = self._flat, self._size, self._offset, self._sets
        marked = np.flatnonzero(number != 0)
        number = number.take(marked)
        counts = size.take(number)
        token = marked.repeat(counts)
        ends = np.cumsum(counts)
        within = np.arange(len(token)) - (ends - counts).repeat(counts)
        return Members(token, flat.take(offset.take(number).repeat(counts) + within), marked, sets.take(number, axis=0))

    def __getstate__(self) -> dict[str, Any]:
        """All but the memory: it is large, and other threads may write to it while it is pickled."""
        return {"names": self.names, "_whole": self._whole, "_prefixes": self._prefixes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def _remembered(self, tokens: Tokens) -> Int:
        """The number of each token's set of classes."""
        slot = _slot(tokens.hash, 1)
        number = self._set.take(slot)
        missed = np.flatnonzero(self._known.take(slot) != tokens.hash)
        if not len(missed):
            return number
        other = _slot(tokens.hash.take(missed), 2)
        number[missed] = self._set.take(other)
        new = np.flatnonzero(self._known.take(other) != tokens.hash.take(missed))
        if len(new):
            place = missed.take(new)
            slot, other = slot.take(place), other.take(new)
            number[place] = self._learn(tokens, place, np.where(self._known.take(slot) == 0, slot, other))
        return number

    def _learn(self, tokens: Tokens, new: Int, slot: Int) -> Int:
        """Look up tokens that the memory does not hold, keep them there, and return the numbers of their sets."""
        unique, first, inverse = np.unique(tokens.hash[new], return_index=True, return_inverse=True)
        found = [set(self._whole.get(value, ())) for value in unique.tolist()]
        place = new[first]
        start, length = tokens.start[place], tokens.end[place] - tokens.start[place]
        for size, table in self._prefixes.items():
            long = np.flatnonzero(length >= size)
            for which, value in zip(long.tolist(), tokens.piece(start[long], start[long] + size).tolist(), strict=True):
                found[which] |= table.get(value, set())
        classes = [tuple(sorted(numbers)) for numbers in found]
        if not self._numbers.keys() >= set(classes):
            self._add(classes)
        numbers = np.array([self._numbers[key] for key in classes])
        self._known[slot[first]], self._set[slot[first]] = unique, numbers
        return numbers[inverse]

    def _add(self, classes: Sequence[tuple[int, ...]]) -> None:
        """Number sets of classes that were not met before."""
        for key in classes:
            self._numbers.setdefault(key, len(self._numbers))
        self._size: Int = np.array([len(key) for key in self._numbers])
        self._offset: Int = np.cumsum(self._size) - self._size
        self._flat: Int = np.array([number for key in self._numbers for number in key], np.int64)
        self._sets: UInt = np.zeros((len(self._numbers), set_bytes(len(self.names)) // 8), np.uint64)
        for place, key in enumerate(self._numbers):
            for number in key:
                self._sets[place, number // 64] |= np.uint64(1 << number % 64)


_LEXICONS: WeakSet[Lexicon] = WeakSet()


def _after_fork() -> None:
    """Begin anew in a forked process: a thread that is not in it may have held a lock, and have been writing."""
    for lexicon in list(_LEXICONS):
        lexicon._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _slot(hashes: UInt, seed: int) -> Int:
    return (hashes * multiplier(seed) >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)
