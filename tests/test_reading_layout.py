from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.errors import InputError
from tagger.reading import furniture
from tagger.reading.formats import detect
from tagger.reading.hyphens import Vocabulary
from tagger.reading.layout import Page, Segment, lay_out
from tagger.reading.plain import decode

WORDS = st.sampled_from(["police", "Bribes.", "Tier", "2", "Prosecution", "Mali", "2014", "\u2022", "(a)", "so,", "\u2014"])
SEGMENTS = st.builds(
    lambda words, x, y, width, size: Segment(" ".join(words), x, x + width, y, y + size),
    st.lists(WORDS, min_size=1, max_size=6),
    st.floats(20, 560),
    st.floats(220, 560),  # clear of the margins, where running heads are
    st.floats(0, 500),
    st.floats(1, 30),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(SEGMENTS, max_size=40), min_size=1, max_size=4))
def test_reading_layout_loses_no_word_and_pages_begin_in_order(pages):
    text, starts, _ = lay_out([Page(number, 792, tuple(dict.fromkeys(page))) for number, page in enumerate(pages, 1)])
    given_words = Counter(word for page in pages for segment in dict.fromkeys(page) for word in segment.text.split())
    found = Counter(text.replace("\u2014", " \u2014 ").split())
    labels = {"Tier", "2", "2014", "\u2022"}  # what a tier-history graphic may be made of
    assert {word: count for word, count in given_words.items() if word not in labels} == {
        word: count for word, count in found.items() if word not in labels
    }
    assert starts == sorted(starts)
    assert all(0 <= start <= len(text) for start, _ in starts)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", ".txt", ".pdf", ".html", ".csv", ".docx"]), st.sampled_from([None, "text"]))
def test_reading_layout_of_bytes_any_are_told_apart_or_refused(data, suffix, column):
    try:
        assert detect(data, suffix, column)
        text, _ = decode(data)
    except InputError:
        return
    assert "\r" not in text
    text.encode("utf-8")


@pytest.mark.parametrize(
    "head",
    [b"<!-- x -->\n" * 23, b"<!-- x -->" * 700, b"<!--" * 2000, b"<!---->" + b"<?xml>" * 1300, b" " * 8000, b"x " + b"<body " * 1300],
)
def test_reading_layout_of_a_text_with_comments_is_told_at_once(head):
    started = time.perf_counter()
    assert detect(head + b"Police took bribes.", ".txt") == "text"
    assert time.perf_counter() - started < 0.5


def test_reading_layout_of_a_page_may_begin_with_comments():
    assert detect(b'<?xml version="1.0"?>\n<!-- saved -->\n<!-- - -> -- --><p>Police took bribes.', ".txt") == "html"


@pytest.mark.parametrize(
    ("label", "belongs"),
    [("Tier 2 WL, 2014", True), ("2 wl", True), ("2013 2014 \u2022 special case", True), ("tier 1 " * 24 + "x", False)],
)
def test_reading_layout_labels_of_a_chart_are_told_at_once(label, belongs):
    started = time.perf_counter()
    assert bool(furniture._CHART_LABEL.fullmatch(label)) is belongs
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("lines", "left", "right", "keeps"),
    [
        ([], "human traf-", "ficking", False),
        (["the anti-trafficking law"], "an anti-", "trafficking unit", True),
        (["the antislavery law"], "an anti-", "slavery unit", False),
        ([], "an evidence-", "based response", True),
        ([], "in Guinea-", "Bissau", True),
        ([], "PROSE-", "CUTION", False),
        ([], "of their re-", "habilitation", False),
        (["the church took", "was controlled"], "a church-", "controlled shelter", True),
        ([], "a 19-", "year-old girl", True),
    ],
)
def test_reading_layout_hyphens_at_line_ends(lines, left, right, keeps):
    assert Vocabulary([*lines, left, right]).keeps_hyphen(left, right) is keeps
