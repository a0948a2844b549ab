from __future__ import annotations

import numpy as np
import pytest

from tagger.evaluation.evidence import _scattered, faithfulness
from tagger.tagging import Tagger, read


def test_evidence_decides_more_than_random_words_of_the_same_length(default_tagger, root):
    report = read(root / "corpora/mexico-2014/report.txt")
    figures = faithfulness(default_tagger, [passage.text for passage in report.passages])
    assert [theme.theme for theme in figures] == list(default_tagger.themes)
    for theme in figures:
        assert theme.passages >= 10
        assert 0 < theme.share < 0.6
        assert theme.comprehensiveness > theme.random_comprehensiveness + 0.2
        assert theme.sufficiency < theme.random_sufficiency - 0.2


def test_evidence_of_a_theme_that_nothing_carries_is_not_a_number(default_tagger: Tagger):
    figures = faithfulness(default_tagger, ["It rained."])
    assert all(theme.passages == 0 and np.isnan(theme.comprehensiveness) for theme in figures)


def test_evidence_figures_come_out_the_same_again(default_tagger):
    texts = ["Police officers accepted bribes from traffickers.", "There were no shelters for men, who were held in jail."]
    assert faithfulness(default_tagger, texts)[0] == faithfulness(default_tagger, texts)[0]


@pytest.mark.parametrize("marks", ["1", "0110", "1011", "0001", "1111"])
def test_evidence_random_spans_keep_the_lengths(marks):
    marked = np.array([mark == "1" for mark in marks])
    for seed in range(20):
        placed = _scattered(marked, np.random.default_rng(seed))
        assert placed.sum() == marked.sum()
        assert len(placed) == len(marked)
