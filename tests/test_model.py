from __future__ import annotations

import tracemalloc
from collections import Counter
from dataclasses import replace
from itertools import groupby
from string import ascii_lowercase

import numpy as np
import pytest

import tagger
from tagger.features import FeatureSettings
from tagger.model import Model
from tagger.records import Span

LEXICON = {"official": ["police$"], "care": ["shelter"]}


def one_weight(settings: FeatureSettings, text: str, *, first: str, second: str) -> Model:
    """A model of one theme with a single weight: of the feature whose tokens in a text are these."""
    blank = Model(("a",), settings, *(np.zeros(0, kind) for kind in (np.uint32, np.float32, np.float64, np.float64)), np.zeros((1, 2)))
    tokens, (found,) = blank.features.occurrences(*blank.features.read([text]))
    words = [text[start:end] for start, end in zip(tokens.start.tolist(), tokens.end.tolist(), strict=True)]
    places = zip(found.first.tolist(), found.second.tolist(), found.column.tolist(), strict=True)
    (column,) = {column for one, other, column in places if (words[one], words[other]) == (first, second)}
    weights = np.array([column], np.uint32), np.array([[2.0]], np.float32)
    return Model(("a",), settings, *weights, np.zeros(1), np.array([0.5]), np.zeros((1, 2)))


def test_model_evidence_of_a_token_beside_a_class_is_both_of_them_and_what_they_add():
    settings = FeatureSettings(lexicon=LEXICON, weights={"beside": 1.0}, reach=2)
    text = "In May the police of Mali sold girls"
    model = one_weight(settings, text, first="police", second="Mali")
    spans = model.evidence([text], np.array([[True]]))[0]["a"]
    assert [text[span.start : span.end] for span in spans] == ["police", "Mali"]
    # Half of what the feature adds to the log-odds falls to each of its two tokens.
    assert sum(span.weight for span in spans) == pytest.approx(model.decision([text])[0, 0], abs=2e-4)
    assert spans[0].weight == spans[1].weight > 0
    # Out of reach, or on the other side of the class, it is another feature.
    other = ["police in all of Mali", "Mali police", "The shelter of Mali"]
    assert model.decision(other).ravel().tolist() == [0.0, 0.0, 0.0]
    assert model.evidence(other, np.ones((3, 1), bool)) == [{"a": ()}] * 3


def test_model_evidence_of_a_token_beside_a_class_in_several_places_is_shared_among_them():
    settings = FeatureSettings(lexicon=LEXICON, weights={"beside": 1.0}, reach=1)
    text = "police sold; then they sold and police sold"
    model = one_weight(settings, text, first="police", second="sold")
    (found,) = model.evidence([text], np.array([[True]]))
    assert sorted((span.start, text[span.start : span.end]) for span in found["a"]) == [(0, "police sold"), (32, "police sold")]
    assert sum(span.weight for span in found["a"]) == pytest.approx(model.decision([text])[0, 0], abs=2e-4)
    assert found["a"][0].weight == found["a"][1].weight


def plainly(model: Model, text: str) -> list[tuple[list[Span], float]]:
    """The evidence for each theme, token by token, and what all tokens add to the score."""
    words, kinds = model.features.occurrences(*model.features.read([text]))
    row_of = {column: row for row, column in enumerate(model.columns.tolist())}
    square, tokens = 0.0, np.zeros((len(words.start), len(model.themes)))
    for kind in kinds:
        value, times = kind.weight, Counter(kind.column.tolist())
        square += value**2 * len(times)
        for column, first, second in zip(kind.column.tolist(), kind.first.tolist(), kind.second.tolist(), strict=True):
            for token in (first, second):
                tokens[token] += model.weights[row_of[column]] * value / times[column] / 2 if column in row_of else 0
    tokens *= model.settings.scale / square ** (model.settings.norm / 2)
    found = []
    for adds in tokens.T.tolist():
        least = max(adds) / 4 if max(adds) > 0 else np.inf
        spans = []
        for keep, group in groupby(enumerate(adds), key=lambda item, least=least: item[1] >= least):
            places = list(group)
            if keep:
                start, end = words.start[places[0][0]], words.end[places[-1][0]]
                spans.append(Span(int(start), int(end), round(sum(add for _, add in places), 4)))
        found.append((sorted(spans, key=lambda span: -span.weight)[:6], sum(adds)))
    return found


@pytest.mark.parametrize("bits", [9, 22])
def test_model_evidence_is_what_each_token_adds_to_the_score(bits, default_tagger, report):
    # With few columns many features of a passage fall on each other, of the same kind and of others.
    shipped = default_tagger.model
    columns = shipped.columns if bits == 22 else np.arange(1 << bits, dtype=np.uint32)
    model = replace(shipped, settings=replace(shipped.settings, bits=bits), columns=columns, weights=shipped.weights[: len(columns)])
    texts = [passage.text for passage in tagger.read(report).passages]
    decisions = model.decision(texts) - model.intercepts
    for text, evidence, decision in zip(texts, model.evidence(texts, np.ones((len(texts), 4), bool)), decisions.tolist(), strict=True):
        for theme, (spans, total), sums in zip(model.themes, plainly(model, text), decision, strict=True):
            assert [(span.start, span.end) for span in evidence[theme]] == [(span.start, span.end) for span in spans]
            assert [span.weight for span in evidence[theme]] == pytest.approx([span.weight for span in spans], abs=2e-4)
            assert total == pytest.approx(sums, abs=1e-4)


def test_model_evidence_of_many_texts_is_that_of_each(default_tagger, report):
    texts = ["", "...", *(passage.text for passage in tagger.read(report).passages)]
    wanted = np.random.default_rng(1).random((len(texts), 4)) < 0.4
    together = default_tagger.model.evidence(texts, wanted)
    assert together == [default_tagger.model.evidence([text], row[None])[0] for text, row in zip(texts, wanted, strict=True)]
    assert default_tagger.model.evidence([], np.zeros((0, 4), bool)) == []


def test_model_evidence_of_crowded_windows_takes_bounded_memory():
    """Every word is in as many classes as may be, and pairs with all in a wide window."""
    settings = FeatureSettings(lexicon={f"c{number}": list(ascii_lowercase) for number in range(5)}, window=50, bits=8)
    weights = np.random.default_rng(2).normal(size=(settings.columns, 1)).astype(np.float32)
    columns = np.arange(settings.columns, dtype=np.uint32)
    model = Model(("a",), settings, columns, weights, np.zeros(1), np.array([0.5]), np.zeros((1, 2)))
    texts = [" ".join(f"{ascii_lowercase[n * m % 26]}{m}" for m in range(60)) for n in range(120)]
    wanted = np.ones((len(texts), 1), np.bool_)
    tracemalloc.start()
    found = model.evidence(texts, wanted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6
    assert found == [model.evidence([text], wanted[:1])[0] for text in texts]
