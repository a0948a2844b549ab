"""JSON Lines: a passage a line, in UTF-8."""

from __future__ import annotations

from json.encoder import encode_basestring as quoted
from typing import IO, Any

from tagger.records import Span, Tagged
from tagger.tags import Tags
from tagger.writing.about import About, Results
from tagger.writing.lines import json_lines, listed, place_of


def tagged_to_json(tagged: Tagged) -> dict[str, Any]:
    """Return the fields of a line. Evidence offsets count characters of the passage's text."""
    passage = tagged.passage
    return {
        "id": passage.id,
        "document": passage.document,
        "section": passage.section,
        "page": passage.page,
        "paragraph": passage.paragraph,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "labels": list(tagged.labels),
        "scores": {theme: round(score, 6) for theme, score in tagged.scores.items()},
        "evidence": {
            theme: [{"start": span.start, "end": span.end, "weight": span.weight} for span in spans]
            for theme, spans in tagged.evidence.items()
        },
        "review": list(tagged.review),
    }


def write_jsonl(results: Results, about: About, stream: IO[bytes]) -> None:
    """Write a line for each passage, whether it carries a theme or not."""
    for _, passages in results:
        if isinstance(passages, Tags):
            stream.write(json_lines(passages))
        else:
            for item in passages:
                stream.write(_line(item).encode("utf-8", "replace"))


def _line(item: Tagged) -> str:
    """The line of a passage: what `json` makes of `tagged_to_json`, in a third of the time."""
    passage = item.passage
    place = place_of(passage.document, passage.section, passage.page, passage.paragraph)
    scores = ", ".join([f"{quoted(theme)}: {round(score, 6)!r}" for theme, score in item.scores.items()])
    evidence = ", ".join([f"{quoted(theme)}: [{', '.join(map(_span, spans))}]" for theme, spans in item.evidence.items()])
    return (
        f'{{"id": {quoted(passage.id)}, {place}, "start": {passage.start}, "end": {passage.end}, "text": {quoted(passage.text)}, '
        f'"labels": {listed(item.labels)}, "scores": {{{scores}}}, "evidence": {{{evidence}}}, "review": {listed(item.review)}}}\n'
    )


def _span(span: Span) -> str:
    return f'{{"start": {span.start}, "end": {span.end}, "weight": {span.weight!r}}}'
