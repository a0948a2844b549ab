from __future__ import annotations

import numpy as np
import pytest

from tagger.features import FeatureSettings
from tagger.model import Model

LEXICON = {"official": ["police$"], "care": ["shelter"]}


def one_weight(settings: FeatureSettings, text: str, *, first: str, second: str) -> Model:
    """A model of one theme with a single weight: of the feature whose tokens in a text are these."""
    blank = Model(("a",), settings, *(np.zeros(0, kind) for kind in (np.uint32, np.float32, np.float64, np.float64)), np.zeros((1, 2)))
    found = blank.features.occurrences([text])
    words = [text[start:end] for start, end in zip(found.start.tolist(), found.end.tolist(), strict=True)]
    places = zip(found.first.tolist(), found.second.tolist(), found.column.tolist(), strict=True)
    (column,) = {column for one, other, column in places if (words[one], words[other]) == (first, second)}
    weights = np.array([column], np.uint32), np.array([[2.0]], np.float32)
    return Model(("a",), settings, *weights, np.zeros(1), np.array([0.5]), np.zeros((1, 2)))


def test_model_evidence_of_a_token_beside_a_class_is_both_of_them_and_what_they_add():
    settings = FeatureSettings(lexicon=LEXICON, weights={"beside": 1.0}, reach=2)
    text = "In May the police of Mali sold girls"
    model = one_weight(settings, text, first="Mali", second="police")
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
    model = one_weight(settings, text, first="sold", second="police")
    (found,) = model.evidence([text], np.array([[True]]))
    assert sorted((span.start, text[span.start : span.end]) for span in found["a"]) == [(0, "police sold"), (32, "police sold")]
    assert sum(span.weight for span in found["a"]) == pytest.approx(model.decision([text])[0, 0], abs=2e-4)
    assert found["a"][0].weight == found["a"][1].weight
