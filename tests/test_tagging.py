from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import tagger
from tagger.invisible import visible
from tagger.records import Document, Passage
from tagger.tagging import reading_effort

TEXTS = [
    "Police officers accepted bribes from traffickers and warned brothel owners of raids.",
    "Migrant workers are subjected to forced labor on farms.",
    "There were no shelters for male victims outside the capital.",
    "The government did not report how many victims it identified.",
    "The ministry trained 40 judges.",
    "",
]


def test_tagging_import_is_light():
    code = "import sys, tagger; tagger.load().tag(['x']); print([m for m in ('sklearn', 'scipy', 'pandas', 'datasets', 'joblib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tagging_public_names_are_all_there():
    assert tagger.__all__ == sorted(tagger.__all__, key=lambda name: (name.islower(), name))
    public = {
        name
        for name, value in vars(tagger).items()
        if not name.startswith("_") and not hasattr(value, "__path__") and type(value).__name__ != "module"
    }
    assert (public - {"annotations", "TYPE_CHECKING", "Any"}) | {"evaluate"} == set(tagger.__all__)


def test_tagging_gives_the_plain_cases_their_themes(default_tagger):
    found = default_tagger.tag(TEXTS)
    themes = ("complicity", "forced_labor", "shelter_gaps", "data_quality")
    assert [tuple(theme for theme in item.labels if theme in themes) for item in found] == [*((theme,) for theme in themes), (), ()]


def test_tagging_does_not_see_invisible_characters(default_tagger):
    texts = ["\u200bPolice offi\u00adcers accepted bri\u00adbes\u200b from traf\u200b\u00adfickers.\u2060", "a\0b\ufeffc", *TEXTS]
    plain = [visible(text) for text in texts]
    assert (default_tagger.scores(texts) == default_tagger.scores(plain)).all()
    for text, given, seen in zip(texts, default_tagger.tag(texts), default_tagger.tag(plain), strict=True):
        assert given.text == text
        assert {theme: [visible(text[span.start : span.end]) for span in spans] for theme, spans in given.evidence.items()} == {
            theme: [seen.text[span.start : span.end] for span in spans] for theme, spans in seen.evidence.items()
        }
    (span, *_) = default_tagger.tag(texts)[0].evidence["complicity"]
    assert texts[0][span.start : span.end].startswith("Police offi\u00adcers accepted bri\u00adbes")


def test_tagging_leaves_out_evidence_where_told(default_tagger):
    found = default_tagger.tag(TEXTS)
    assert default_tagger.tag(TEXTS, evidence=False) == [replace(item, evidence={}) for item in found]


def test_tagging_labels_are_those_that_reach_the_threshold(default_tagger, report):
    found = default_tagger.tag(tagger.read(report))
    assert len(found) == 112
    thresholds = dict(zip(default_tagger.themes, default_tagger.model.thresholds.astype(np.float32), strict=True))
    for item in found:
        assert item.labels == tuple(theme for theme in default_tagger.themes if np.float32(item.scores[theme]) >= thresholds[theme])
        assert set(item.evidence) == set(item.labels)
        assert all(0 <= score <= 1 for score in item.scores.values())
    scores = default_tagger.scores([item.text for item in found])
    assert scores.dtype == np.float32
    assert scores.tolist() == [list(item.scores.values()) for item in found]


def test_tagging_evidence_points_at_the_deciding_words(default_tagger):
    text = "Although the \u201cSe\u00f1or Presidente\u201d program went on \u2014 police officers accepted bribes."
    spans = default_tagger.tag([text])[0].evidence["complicity"]
    assert "bribes" in " ".join(text[span.start : span.end] for span in spans)
    assert [span.weight for span in spans] == sorted((span.weight for span in spans), reverse=True)


def test_tagging_without_the_evidence_the_score_falls_more_than_without_other_words(default_tagger, report):
    """Comprehensiveness (DeYoung et al. 2020, ERASER) against random words of the same number."""
    random = np.random.default_rng(0)
    falls, others = [], []
    for item in default_tagger.tag(tagger.read(report)):
        for theme, spans in item.evidence.items():
            column = default_tagger.themes.index(theme)
            words = item.text.split()
            gone = "".join(" " if any(s.start <= i < s.end for s in spans) else c for i, c in enumerate(item.text))
            count = len(words) - len(gone.split())
            kept = sorted(random.choice(len(words), max(len(words) - count, 0), replace=False))
            after = default_tagger.scores([gone, " ".join(words[i] for i in kept)])[:, column]
            falls.append(item.scores[theme] - after[0])
            others.append(item.scores[theme] - after[1])
    assert np.mean(falls) > 2 * np.mean(others)


def test_tagging_takes_passages_and_refuses_one_string(default_tagger):
    passage = Passage("Police took bribes.", id="x-1", document="x", start=5, end=24)
    assert default_tagger.tag([passage])[0].passage is passage
    assert default_tagger.tag([]) == []
    assert default_tagger.scores([]).shape == (0, len(default_tagger.themes))
    with pytest.raises(TypeError, match="list of passages"):
        default_tagger.tag("Police took bribes.")
    with pytest.raises(TypeError, match="list of texts"):
        default_tagger.scores("Police took bribes.")
    for wrong in (None, 3, Document("d", "text")):
        with pytest.raises(TypeError, match=f"a list of strings and passages, not of {type(wrong).__name__}"):
            default_tagger.tag([passage, wrong])


def test_tagging_survives_any_characters(default_tagger):
    assert len(default_tagger.tag(["\ud800 bribes \0", "\U0001f600" * 50, "x" * 100_000])) == 3


def test_tagging_reading_effort_of_a_worked_example():
    # Two passages are to be seen in all; the first two hold 1.8 of them, the first three 1.95.
    assert reading_effort(np.array([[0.05], [0.9], [0.15], [0.9]])) == [3]
    assert reading_effort(np.array([[1.0, 0.5], [0.0, 0.5]])) == [1, 2]
    assert reading_effort(np.array([[1.0, 0.4], [0.0, 0.5]])) == [1, 0]  # less than one passage to be seen
    assert reading_effort(np.zeros((0, 2))) == [0, 0]
