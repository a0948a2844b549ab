from __future__ import annotations

import pickle
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.features import KINDS, Features, FeatureSettings

LEXICON = {"official": ["offic", "police$"], "neg": ["not$", "no$"], "care": ["shelter", "service"]}
SETTINGS = FeatureSettings(lexicon=LEXICON, window=4)
BASE, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def words(text: str) -> list[str]:
    """Tokens as the module's docstring describes them, without numpy."""
    text = text.replace("\0", " ").encode("utf-8", "replace").decode()
    text = "".join(" " if "\u2000" <= c <= "\u207f" or "\x80" <= c <= "\xbf" else c for c in text)
    text = "".join(c.lower() if c.isascii() or ("\xc0" <= c <= "\xde" and c != "\xd7") else c for c in text)
    return [re.sub("[0-9]", "0", token) for token in re.findall(r"[a-z0-9\u0080-\U0010ffff]+", text)]


def mix(value: int, seed: int) -> int:
    value ^= seed * 0x2545F4914F6CDD1D & MASK
    value = ((value ^ (value >> 33)) * 0xFF51AFD7ED558CCD) & MASK
    value = ((value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53) & MASK
    return value ^ (value >> 33)


def word_hash(data: bytes) -> int:
    return sum(byte * pow(BASE, place, 1 << 64) for place, byte in enumerate(data)) & MASK


def classes(word: str) -> list[str]:
    return [name for name, patterns in LEXICON.items() if any(word == p[:-1] if p.endswith("$") else word.startswith(p) for p in patterns)]


def reference(text: str) -> dict[int, float]:
    """The plain way to count: one loop a kind of feature."""
    tokens = [word.encode() for word in words(text)]
    hashes = [word_hash(token) for token in tokens]
    found: dict[str, set[int]] = {kind: set() for kind in KINDS}
    found["word"] = set(hashes)
    found["pair"] = {(mix(a, 0) + b) & MASK for a, b in pairwise(hashes)}
    found["stem"] = {word_hash(token[:5]) for token in tokens if len(token) > 5}
    member = [(place, word_hash(name.encode())) for place, word in enumerate(words(text)) for name in classes(word)]
    found["class"] = {name for _, name in member}
    found["opening"] = {name for place, name in member if place == 0}
    found["order"] = {(mix(a, 0) + b) & MASK for i, a in member for j, b in member if 0 < j - i <= 4}
    for i, a in member:
        for j in range(max(i - SETTINGS.reach, 0), min(i + SETTINGS.reach + 1, len(tokens))):
            if i != j:
                side = BASE if j < i else pow(BASE, -1, 1 << 64)
                found["beside"].add((mix((a + side) & MASK, 0) + hashes[j]) & MASK)
    entries = [
        (mix(value, KINDS.index(kind) + 1) >> (64 - SETTINGS.bits), SETTINGS.weights[kind]) for kind in KINDS for value in found[kind]
    ]
    length = sum(weight**2 for _, weight in entries) ** (SETTINGS.norm / 2)
    counted: dict[int, float] = {}
    for column, weight in entries:
        counted[column] = counted.get(column, 0.0) + weight * SETTINGS.scale / length
    return counted


def counted(features: Features, texts: list[str]) -> list[dict[int, float]]:
    counts = features.counts(texts)
    rows = []
    for first, last in pairwise(counts.indptr):
        row: dict[int, float] = {}
        for column, value in zip(counts.indices[first:last].tolist(), counts.data[first:last].tolist(), strict=True):
            row[column] = row.get(column, 0.0) + value
        rows.append(row)
    return rows


PARTS = st.sampled_from(
    ["Police ", "officers ", "not ", "no ", "shelters", "-", "\u2019s ", "\xc9tat ", "2014 ", "service, ", "\n", "\u2014", "\xa0"]
)
TEXT = st.one_of(st.text(max_size=60), st.lists(PARTS, max_size=20).map("".join))


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, max_size=5))
def test_features_equal_the_plain_reference(texts):
    found = counted(Features(SETTINGS), texts)
    assert len(found) == len(texts)
    for row, text in zip(found, texts, strict=True):
        expected = reference(text)
        assert row.keys() == expected.keys()
        assert all(row[column] == pytest.approx(expected[column]) for column in expected)


def test_features_do_not_depend_on_the_batch():
    features = Features(SETTINGS)
    texts = [f"Police officers did not open {n} shelters. " * (n % 7) for n in range(4000)]
    together = counted(features, texts)
    assert together[1234] == counted(Features(SETTINGS), [texts[1234]])[0]
    assert together[0] == {}


def test_features_do_not_depend_on_the_order_of_the_lexicon():
    turned = FeatureSettings(lexicon=dict(reversed(LEXICON.items())), window=4)
    text = ["No police officer was in the shelter."]
    assert counted(Features(SETTINGS), text) == counted(Features(turned), text)


def test_features_occurrences_point_at_characters():
    text = "L\u2019\xc9tat did not open shelters"
    tokens, found = Features(SETTINGS).occurrences(["", text])
    pieces = [text[a:b] for a, b in zip(tokens.start.tolist(), tokens.end.tolist(), strict=True)]
    assert pieces == ["L", "\xc9tat", "did", "not", "open", "shelters"]
    assert {row for kind in found for row in kind.row.tolist()} == {1} == set(tokens.row.tolist())


def test_features_beside_is_a_token_near_a_class_of_its_own_text():
    features = Features(FeatureSettings(lexicon=LEXICON, weights={"beside": 1.0}, reach=2))
    texts = ["Not one bed", "beds; few, very few, in the shelter"]
    _, (found,) = features.occurrences(texts)
    # Token and class: "one" and "bed" after "Not" (0); "in" and "the" before "shelter" (9). Nothing crosses from text to text.
    assert sorted(zip(found.row.tolist(), found.first.tolist(), found.second.tolist(), strict=True)) == [
        (0, 1, 0),
        (0, 2, 0),
        (1, 7, 9),
        (1, 8, 9),
    ]
    counts = features.counts(texts)
    assert sorted(counts.indices.tolist()) == sorted(found.column.tolist())
    before, after = (set(features.counts([text]).indices.tolist()) for text in ("beds not", "not beds"))
    assert not before & after


@pytest.mark.parametrize(
    "bad",
    [
        {"bits": 40},
        {"bits": 8.5},
        {"window": 0},
        {"reach": 0},
        {"weights": {"verse": 1.0}},
        {"weights": {"word": 0.0}},
        {"norm": -1.0},
        {"lexicon": {"a": ["$"]}},
    ],
)
def test_features_refuse_bad_settings(bad):
    with pytest.raises(ValueError, match=r"must be|unknown"):
        FeatureSettings(**bad)


def test_features_one_huge_text():
    texts = ["shelter police " * 100_000]
    assert np.diff(Features(SETTINGS).counts(texts).indptr)[0] > 3


def test_features_context_is_what_the_passages_around_say_fading_with_distance() -> None:
    settings = FeatureSettings(weights={"word": 1.0, "before": 0.5, "after": 0.25}, span=2, fade=0.5, norm=0.0, scale=1.0)
    features = Features(settings)
    counts = features.counts(["a b", "c", "d", "e", "f"], ["x", "x", "x", "x", "y"])
    rows = [dict(zip(counts.indices[a:b], counts.data[a:b], strict=True)) for a, b in pairwise(counts.indptr)]

    def column(word: str, kind: str = "word") -> int:
        own = mix(word_hash(word.encode()), KINDS.index("word") + 1) >> (64 - settings.bits)
        return own if kind == "word" else mix(own, len(KINDS) + 1 + ("before", "after").index(kind)) >> (64 - settings.bits)

    assert rows[2] == {
        column("d"): 1.0,
        column("c", "before"): 0.5,
        column("a", "before"): 0.25,
        column("b", "before"): 0.25,
        column("e", "after"): 0.25,
    }
    assert rows[4] == {column("f"): 1.0}


def test_features_a_passage_alone_hears_nothing() -> None:
    texts = ["Police took bribes.", "No shelter.", "He was forced to beg."]
    alone, known = (Features(SETTINGS).counts(texts, documents) for documents in (None, [None, None, None]))
    assert np.array_equal(alone.indices, known.indices)
    assert np.array_equal(alone.data, known.data)
    assert "before" not in SETTINGS.alone().weights


def test_features_form_tells_headings_from_sentences_in_running_text() -> None:
    settings = FeatureSettings(weights={"word": 1.0, "form": 0.5}, scale=1.0, norm=0.0)
    texts = ["PROTECTION", "PROTECTION", "Police took bribes from traffickers."]
    counts = Features(settings).counts(texts, ["a", None, "a"])
    rows = [set(counts.indices[a:b].tolist()) for a, b in pairwise(counts.indptr)]
    assert len(rows[0]) == 5
    assert rows[1] < rows[0]
    assert len(rows[2]) == 5 + 4
    assert len(rows[0] & rows[2]) == 1  # neither has a digit


def test_features_are_the_same_for_threads_that_share_them() -> None:
    features = Features(FeatureSettings(lexicon={"class": ["w$", *(f"w{n}" for n in range(0, 100, 7))]}, bits=16))
    texts = [[f"w{n} x{n * part}" for n in range(400)] for part in range(16)]
    expected = [Features(features.settings).counts(part) for part in texts]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(features.counts, texts))
    finally:
        sys.setswitchinterval(interval)
    assert all(np.array_equal(a.indices, b.indices) and np.array_equal(a.data, b.data) for a, b in zip(expected, found, strict=True))
    again = pickle.loads(pickle.dumps(features))
    assert np.array_equal(again.counts(texts[3]).indices, expected[3].indices)
