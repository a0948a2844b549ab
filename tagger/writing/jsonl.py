"""JSON Lines: a passage a line, in UTF-8."""

from __future__ import annotations

import json
from typing import IO, Any

from tagger.records import Tagged
from tagger.writing.about import About, Results


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
        for item in passages:
            line = json.dumps(tagged_to_json(item), ensure_ascii=False)
            stream.write(line.encode("utf-8", "replace") + b"\n")
