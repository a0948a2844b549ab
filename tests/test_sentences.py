"""Many paragraphs cut at once are cut as each is by itself."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tagger
from tagger import sentences as module
from tagger.sentences import paragraph_sentences, sentences

PIECES = [
    "He said no. ", "Police freed 3 girls. ", "The St. ", "Mary shelter closed.12 ", "See para. ", "4 of the law. ", "e.g. ", "i.e. this. ",
    "No. ", "7. ", "(iv) ", "IV. ", "a) ", "(He left.) ", "(never closed. ", "closed at last.) ", "\u201cYes. ", "No.\u201d ", "\u201cSo.\u201d ",
    "? ", "... ", "\u2026 ", "J. ", "F. Kennedy came. ", "Messrs. ", "Gov. ", "approx. ", "Approx. ", "5 beds. ", "Mr. Abe said! ", "\u00c9t\u00e9. ",
    "\u00e9tat. ", "x\u00a0y. ", "\u3000 ", "\ud800 ", "\U0001f600. ", "\tTab.\x1f", "line.\nbreak ", "_ ", "1.) ", "[1] ", "Done.] ", "Fr. ", "fr. ",
    "\u2028", ") ", "(", "\u201d", "a very long piece of words without any end to it " * 3,
]  # fmt: skip


def compare(paragraphs: list[str], between: str) -> None:
    text, ranges = between, []
    for paragraph in filter(None, map(str.strip, paragraphs)):
        ranges.append((len(text), len(text) + len(paragraph)))
        text += paragraph + between
    found = [place for columns in sentences(text, ranges) for place in zip(*(column.tolist() for column in columns), strict=True)]
    assert found == [(*place, number) for number, (start, end) in enumerate(ranges) for place in paragraph_sentences(text, start, end)]


@pytest.mark.parametrize("at_once", [1, 300, 1 << 17])
@pytest.mark.parametrize("seed", range(3))
def test_sentences_at_once_are_those_of_each_paragraph(at_once, seed, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    draw = random.Random(seed)
    for _ in range(30):
        made = ["".join(draw.choices(PIECES, k=draw.randrange(1, 12))) for _ in range(draw.randrange(1, 30))]
        compare(made, draw.choice(["\n", "\n\n", "\nA (heading\n", "\n\u201cHeading)\n"]))


@given(st.lists(st.lists(st.sampled_from([*PIECES, ".", "A", "3", ")"]), max_size=6).map("".join) | st.text(max_size=30), max_size=4))
@example(["St. Mary", "St.", "Mary"])
@settings(max_examples=300, deadline=None)
def test_sentences_of_any_text_are_those_of_each_paragraph(paragraphs):
    compare(paragraphs, "\n")


def test_sentences_of_long_paragraphs(root):
    texts = [passage.text for passage in tagger.read(root / "corpora/mexico-2014/report.txt").passages]
    compare([" ".join(texts), "\u201c".join(texts), "x" * 9000, " ".join(texts[:3])], "\n\n")
