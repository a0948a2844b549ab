"""Columns of tags, and the lines that are written of them at once."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

import tagger
from tagger.passages import Passages
from tagger.records import Passage
from tagger.tags import Spans, Tags
from tagger.writing import tagged_to_json
from tagger.writing.counts import Tally
from tagger.writing.jsonl import write_jsonl

ODD = [
    Passage('tab\t "quotes" \\ caf\u00e9 \U0001f600 \x07 police took bribes', 'a "name"\n', "d", None, 3, None, 1, 2),
    Passage("police took bribes \x7f and \x00", "\x7f", 'a "document"', 'a "section"', None, 2, -5, 10**15),
    Passage("half of a pair \ud800 of police", "\ud83d", "d", "s"),
    Passage("", "", ""),
]


def lines(items) -> list[str]:
    stream = io.BytesIO()
    write_jsonl([(tagger.Document("d", ""), items)], None, stream)
    return stream.getvalue().decode("utf-8").splitlines(keepends=True)


def expected(items) -> list[str]:
    return [(json.dumps(tagged_to_json(item), ensure_ascii=False) + "\n").encode("utf-8", "replace").decode("utf-8") for item in items]


@pytest.fixture(scope="module")
def tags(default_tagger, report):
    passages = tagger.read(report, name='a "name"').passages
    ((_, found),) = default_tagger.tag_parts([tagger.Document("d", "text", passages=(*passages, *ODD))])
    assert isinstance(found, Tags)
    return found


def test_tags_are_written_as_json_would(tags):
    assert lines(tags) == expected(tags) == lines(list(tags))
    assert lines(tags[:0]) == []


def test_tags_are_what_tag_gives_of_each(tags, default_tagger):
    assert list(tags) == default_tagger.tag(tags.passages)
    assert tags[3] == tags[np.int64(3)] == list(tags)[3]
    assert tags.passages[np.int64(3)] == tags[3].passage
    for first, last in ((0, 5), (7, 60), (100, 400), (9, 9), (50, 20), (-20, -3)):
        part = tags[first:last]
        assert isinstance(part, Tags)
        assert list(part) == list(tags)[first:last]
        assert lines(part) == expected(list(tags)[first:last])
    assert list(tags[::2]) == list(tags)[::2]


def test_tags_are_counted_as_each_is(tags):
    assert Tally().add(tags) == Tally().add(list(tags))
    assert Tally().add(tags[:0]) == Tally()


@pytest.mark.parametrize("size", [1, 1000])
def test_tags_numbers_are_written_as_python_does(size):
    draw = np.random.default_rng(size)
    corners = [0, 1, 1e-7, 5e-7, 1e-6, 1.2e-5, 9.99e-5, 1e-4, 0.1, 0.5, 0.25, 0.010101, 0.999999, 0.9999996]
    scores = np.array([*corners, *draw.random(size), *draw.random(size) / 1000], np.float32)[:, None].repeat(2, axis=1)
    nothing = np.zeros(scores.shape, bool)
    passages = Passages.of([Passage(f"text {number}") for number in range(len(scores))])
    for most in (1, 1e6, 1e12):
        weight = np.round([0, 1, 10, 0.5, 1e-4, 99.9999, *draw.random(size) * most], 4)
        place = np.arange(len(weight))
        pairs = {"row": place // 2, "theme": place % 2, "count": np.ones_like(place)}
        made = Tags(("a", 'b"'), passages, scores, nothing, nothing, Spans(**pairs, start=place, end=place * 997, weight=weight))
        assert lines(made) == expected(made)


def test_tags_passages_as_columns_are_the_records(report):
    records = tagger.read(report).passages
    columns = Passages.of(records)
    assert list(columns) == list(Passages(*columns.columns)) == list(records)
    assert columns[2] is records[2]
    assert columns[3:9][1] is records[4]
    assert list(Passages(*columns.columns)[3:9]) == list(records[3:9])
    assert Passages.of(columns) is columns
    assert list(Passages.of([])) == []
