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
    text = re.sub("[\xad\u200b-\u200f\u2060\ufeff]", "", text)
    text = re.sub("[\x80-\xbf\u2000-\u207f\u2180-\u27ff\u3000-\u303f\ue000-\uf8ff]", " ", text)
    text = "".join(c.lower() if c.isascii() or ("\xc0" <= c <= "\xde" and c != "\xd7") else c for c in text)
    return [re.sub("[0-9]", "0", token) for token in re.findall(r"[a-z0-9\u0080-\U0010ffff]+", text)]


def odd(seed: int) -> int:
    """SplitMix64, made odd."""
    value = seed * BASE & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31) | 1


def column(*hashed: tuple[int, int], bits: int) -> int:
    """The highest bits of hashes times the odd numbers of seeds."""
    return (sum(value * odd(seed) for value, seed in hashed) & MASK) >> (64 - bits)


def word_hash(data: bytes) -> int:
    return sum(byte * pow(BASE, place, 1 << 64) for place, byte in enumerate(data)) & MASK


def classes(word: str) -> list[str]:
    return [name for name, patterns in LEXICON.items() if any(word == p[:-1] if p.endswith("$") else word.startswith(p) for p in patterns)]


def reference(text: str) -> dict[int, float]:
    """The plain way to count: one loop a kind of feature."""
    tokens = [word.encode() for word in words(text)]
    hashes = [word_hash(token) for token in tokens]
    bits, names = SETTINGS.bits, sorted(LEXICON)
    member = [(place, name) for place, word in enumerate(words(text)) for name in classes(word)]
    beside = set()
    for i, name in member:
        for j in range(max(i - SETTINGS.reach, 0), min(i + SETTINGS.reach + 1, len(tokens))):
            if i != j:
                beside.add(column((word_hash(name.encode()), 8 if j < i else 9), (hashes[j], 7), bits=bits))
    own, opening, order = ((1 << bits) + times * len(names) for times in range(3))
    found = {
        "word": {column((value, 3), bits=bits) for value in hashes},
        "pair": {column((a, 4), (b, 5), bits=bits) for a, b in pairwise(hashes)},
        "stem": {column((word_hash(token[:5]), 6), bits=bits) for token in tokens if len(token) > 5},
        "beside": beside,
        "class": {own + names.index(name) for _, name in member},
        "opening": {opening + names.index(name) for place, name in member if place == 0},
        "order": {order + names.index(a) * len(names) + names.index(b) for i, a in member for j, b in member if 0 < j - i <= 4},
    }
    alike: dict[float, set[int]] = {}  # kinds of one weight are one set: two that share a column count once
    for kind in KINDS:
        alike.setdefault(SETTINGS.weights[kind], set()).update(found[kind])
    entries = [(value, weight) for weight, values in alike.items() for value in values]
    length = sum(weight**2 for _, weight in entries) ** (SETTINGS.norm / 2)
    counted: dict[int, float] = {}
    for place, weight in entries:
        counted[place] = counted.get(place, 0.0) + weight * SETTINGS.scale / length
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
    [
        "\xad",
        "\u3000",
        "\uf0b7",
        "\u2192",
        "Police ",
        "officers ",
        "not ",
        "no ",
        "shelters",
        "-",
        "\u2019s ",
        "\xc9tat ",
        "2014 ",
        "service, ",
        "\n",
        "\u2014",
        "\xa0",
    ]
)
TEXT = st.one_of(st.text(max_size=60), st.lists(PARTS, max_size=20).map("".join))


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, max_size=5))
def test_features_equal_the_plain_reference(texts):
    found = counted(Features(SETTINGS), texts)
    assert len(found) == len(texts)
    for row, text in zip(found, texts, strict=True):
        assert row == pytest.approx(reference(text))


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, max_size=5), st.sampled_from([1, 3, 4, 5, 9]))
def test_features_sums_are_the_product_of_the_matrix_and_the_weights(texts, themes):
    features = Features(SETTINGS)
    weights = np.random.default_rng(0).standard_normal((SETTINGS.columns, themes)).astype(np.float32)
    counts = features.counts(texts)
    expected = np.zeros((len(texts), themes))
    np.add.at(expected, np.repeat(np.arange(len(texts)), np.diff(counts.indptr)), weights[counts.indices] * counts.data[:, None])
    found = features.sums(texts, features.weights(np.arange(SETTINGS.columns), weights))
    assert np.allclose(found, expected, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT, max_size=5))
def test_features_occurrences_are_of_what_is_counted(texts):
    features = Features(SETTINGS)
    (_, kinds), counts = features.occurrences(*features.read(texts)), features.counts(texts)
    rows = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
    found = {place for kind in kinds for place in zip(kind.row.tolist(), kind.column.tolist(), strict=True)}
    assert found == set(zip(rows.tolist(), counts.indices.tolist(), strict=True))


def test_features_do_not_depend_on_the_batch():
    features = Features(SETTINGS)
    texts = [f"Police officers did not open {n} shelters. " * (n % 7) for n in range(4000)]
    together = counted(features, texts)
    assert together[1234] == counted(Features(SETTINGS), [texts[1234]])[0]
    assert together[0] == {}


def test_features_do_not_depend_on_the_order_of_the_lexicon():
    turned = FeatureSettings(lexicon=dict(reversed(LEXICON.items())), window=4)
    text = ["No police officer was in the shelter.", "Shelters not of the police"]
    assert counted(Features(SETTINGS), text) == counted(Features(turned), text)


def test_features_of_more_than_64_classes():
    words = [a + b for a in "abcdefghij" for b in "klmnopq"]
    many = FeatureSettings(lexicon={word: [word + "$"] for word in words}, weights={"class": 1.0, "order": 1.0}, norm=0.0, scale=1.0)
    counts = Features(many).counts([f"{words[69]} {words[3]}", f"{words[3]} {words[69]} {words[69]}"])
    own, order = 1 << many.bits, (1 << many.bits) + 2 * 70
    assert counts.indices.tolist() == [
        *(own + 3, own + 69, order + 69 * 70 + 3),
        *(own + 3, own + 69, order + 3 * 70 + 69, order + 69 * 70 + 69),
    ]


def test_features_occurrences_point_at_characters():
    text = "L\u2019\xc9tat did not open shelters"
    features = Features(SETTINGS)
    tokens, found = features.occurrences(*features.read(["", text]))
    pieces = [text[a:b] for a, b in zip(tokens.start.tolist(), tokens.end.tolist(), strict=True)]
    assert pieces == ["L", "\xc9tat", "did", "not", "open", "shelters"]
    assert {row for kind in found for row in kind.row.tolist()} == {1} == set(tokens.row.tolist())


def test_features_beside_is_a_token_near_a_class_of_its_own_text():
    features = Features(FeatureSettings(lexicon=LEXICON, weights={"beside": 1.0}, reach=2))
    texts = ["Not one bed", "beds; few, very few, in the shelter"]
    _, (found,) = features.occurrences(*features.read(texts))
    # Class and token: "one" and "bed" after "Not" (0); "in" and "the" before "shelter" (9). Nothing crosses from text to text.
    assert sorted(zip(found.row.tolist(), found.first.tolist(), found.second.tolist(), strict=True)) == [
        (0, 0, 1),
        (0, 0, 2),
        (1, 9, 7),
        (1, 9, 8),
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
        {"lexicon": {str(n): ["a"] for n in range(300)}},
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

    def heard(word: str, kind: str = "word") -> int:
        own = column((word_hash(word.encode()), 3), bits=settings.bits)
        return own if kind == "word" else column((own + 1, 10 + ("before", "after").index(kind)), bits=settings.bits)

    assert rows[2] == {
        heard("d"): 1.0,
        heard("c", "before"): 0.5,
        heard("a", "before"): 0.25,
        heard("b", "before"): 0.25,
        heard("e", "after"): 0.25,
    }
    assert rows[4] == {heard("f"): 1.0}


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


def test_features_refuse_a_lexicon_that_puts_one_word_into_very_many_classes():
    for count, window in ((16, 6), (8, 25), (5, 50)):
        with pytest.raises(ValueError, match=f"more than {count} classes of the lexicon hold 'a' .*, with a window of {window} words"):
            FeatureSettings(lexicon={f"class {number}": ["a"] for number in range(count + 1)}, window=window)
        with pytest.raises(ValueError, match="hold"):
            FeatureSettings(lexicon={f"class {number}": ["a" * (number + 1)] for number in range(count + 1)}, window=window)
        with pytest.raises(ValueError, match="hold"):
            FeatureSettings(lexicon={f"class {number}": ["ab$" if number else "A"] for number in range(count + 1)}, window=window)
        FeatureSettings(lexicon={f"class {number}": ["a"] for number in range(count)}, window=window)


def test_features_that_are_not_shipped_can_still_be_tried(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "experiments/features"))
    import trials

    texts = ["Police did not close the shelter, and no officer served the victims.", "Authorities lacked beds"] * 2
    shipped = trials.matrix(texts, trials.SETTINGS)
    for name, more in trials.FEATURES.items():
        made = trials.matrix(texts, trials.SETTINGS, more)
        assert made[:, : shipped.shape[1]].nnz == shipped.nnz
        assert made.nnz > shipped.nnz, name
