"""The passages behind results, where their corpora still lie there unchanged: results themselves hold no text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tagger.corpus import digest, passages
from tagger.errors import CorpusError
from tagger.experiments.results import Results

Passages = Mapping[tuple[str, str], Mapping[str, Any]]
"""Document, as corpus/document, and id -> the passage as its corpus has it."""


def find_passages(results: Results, folder: Path) -> tuple[Passages, list[str]]:
    """Return the passages of the corpora that are as they were, and the names of the others."""
    split = results.settings["split"]
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    lost = dict(results.predictions.corpora)
    for path in (folder / written for written in [*results.settings["corpora"], *split.get("corpora", [])]):
        name = path.resolve().name
        try:
            if digest(path) != lost.get(name):
                continue
            found |= {(f"{name}/{row['document']}", row["id"]): row for row in passages(path)}
        except (CorpusError, OSError):
            continue
        del lost[name]
    return found, list(lost)


def quotable(results: Results) -> bool:
    """Tell whether passages of these results may be shown."""
    return results.settings["quote"] is True
