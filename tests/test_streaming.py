"""Large files read part by part: the same passages as when they are read whole, in memory that does not grow."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import tagger
from tagger.reading import large
from tagger.tagging import read_all, read_parts

CASES = 12


@pytest.fixture
def small_parts(monkeypatch):
    """Every file is large, and borders of parts are everywhere."""
    monkeypatch.setattr(large, "LEAST", 1)

    def of(size: int) -> None:
        monkeypatch.setattr(large, "PART", size)
        monkeypatch.setattr("tagger.splitting.PART", size)
        monkeypatch.setattr(large, "_ROWS", max(1, size // 100))

    return of


def passages(documents):
    return [passage for document in documents for passage in document.passages]


def headers(documents):
    found = {document.name: replace(document, passages=(), text="", notes=()) for document in documents}
    return list(found.values())


def odd_report(draw: random.Random, sentences: list[str]) -> str:
    """Lines in a bad order: headings, wrapped and inline ones, titles, tiers, lists, hard-wrapped text, furniture, blank lines."""
    made = [
        lambda: " ".join(draw.choices(sentences, k=draw.randrange(1, 9))),
        lambda: "\n".join(draw.choice(sentences)[:70] for _ in range(draw.randrange(2, 9))),
        lambda: draw.choice(["Prosecution", "PREVENTION:", "PRIORITIZED\nRECOMMENDATIONS:", "Recommendations for Mali\nTrain police", "Profile"]),
        lambda: "Recommendations: " + "; ".join(draw.choices(sentences, k=3)),
        lambda: draw.choice(["MALI: Tier 2", "Kenya\nTier 1", "2014 Trafficking in Persons Report - Mexico", "GHANA (Tier 2 Watch List)", "Chad"]),
        lambda: "\n".join(f"\u2022 {sentence}" for sentence in draw.choices(sentences, k=3)),
        lambda: draw.choice(["", " ", "\n\n\n", "\t\r\n", "A title of its own", "Footnotes", "\u2028caf\u00e9\x0c"]),
        lambda: draw.choice(["Related documents", "Prosecution\n\n\nProtection"]) if draw.random() < 0.1 else draw.choice(sentences),
    ]
    return "".join(draw.choice(made)() + draw.choice(["\n", "\n\n", "\r\n", "\r"]) for _ in range(draw.randrange(1, 90)))


@pytest.mark.parametrize("seed", range(CASES))
@pytest.mark.parametrize("size", [37, 1000])
def test_streaming_text_is_cut_as_whole_text_is(seed, size, root, tmp_path, small_parts):
    draw = random.Random(seed)
    sentences = [json.loads(line)["text"] for line in (root / "corpora/composed/passages.jsonl").read_text("utf-8").splitlines()[:: 40 + seed]]
    path = tmp_path / "r.txt"
    for _ in range(6):
        path.write_bytes(odd_report(draw, sentences).encode(draw.choice(["utf-8", "utf-8-sig", "utf-16"])))
        try:
            whole = read_all(path)
        except tagger.InputError:
            continue
        small_parts(size)
        try:
            parts = list(read_parts(path))
        except tagger.InputError as error:
            assert "no passage" in str(error)
            parts = []
        assert passages(parts) == passages(whole)
        if parts:
            assert headers(parts) == headers(whole)
