"""Reviewed passages -> a folder of a corpus, as `tagger.corpus` reads it: passages, both annotation passes, a datasheet."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tagger.errors import OutputError, ReviewError
from tagger.serving.review.agreement import Agreed, Verdict, agreement
from tagger.serving.review.store import BLIND, Entry, ReviewDocument
from tagger.writing.markdown import escape
from tagger.writing.text import many

README = "README.md"
_MADE = "reviewed in tagger's workbench"  # by what a datasheet tells that its corpus came from here
_PLACES = ("section", "paragraph", "page", "start", "end")


def export(
    folder: Path,
    documents: Sequence[ReviewDocument],
    entries: Sequence[Entry],
    found: Mapping[int, Verdict],
    themes: Sequence[str],
    *,
    only: Collection[int] | None = None,
) -> int:
    """Write the passages whose labels are known to a folder, all or those of ``only`` some documents; return how many they are.

    The folder is replaced only when the new one is whole; if it holds anything but a corpus that came from here, it is left alone.

    Raises
    ------
    ReviewError
        No passage has labels yet.
    OutputError
        The folder holds other things, or can't be written.
    """
    rows = [entry for entry in _stretches(entries, found) if only is None or entry.document in only]
    if not rows:
        raise ReviewError("no passage was reviewed yet: decide some first, or settle those on which annotators differ")
    used = {entry.document for entry in rows}
    kept = [document for document in documents if document.id in used]
    ids = Counter(entry.line["id"] for entry in rows)
    names = {entry.key: entry.line["id"] if ids[entry.line["id"]] == 1 and entry.line["id"] else _other_id(entry) for entry in rows}
    files = {
        "passages.jsonl": _lines(_passage(entry, names[entry.key], found[entry.key]) for entry in rows),
        "annotations.jsonl": _lines(_annotation(names[entry.key], found[entry.key]) for entry in rows),
        README: _datasheet(kept, rows, found, themes, _twice(entries, found, only)),
    }
    _write(folder, files)
    return len(rows)


def _twice(entries: Sequence[Entry], found: Mapping[int, Verdict], only: Collection[int] | None) -> dict[int, Verdict]:
    """Return what two decided of these documents, exported or not: without open differences, annotators would seem to agree too well."""
    keys = [entry.key for entry in entries if only is None or entry.document in only]
    return {key: found[key] for key in keys if key in found and len(found[key].decisions) == 2}


def _stretches(entries: Sequence[Entry], found: Mapping[int, Verdict]) -> list[Entry]:
    """Return the labelled passages, document by document, each stretch of neighbours before the one that stands before it.

    Of a corpus, a passage that starts after the one before it counts as its neighbour (see `tagger.records.running`). From the last
    stretch to the first, passages between which others are missing don't.
    """
    stretches: list[list[Entry]] = []
    known = [entry for entry in entries if (verdict := found.get(entry.key)) is not None and verdict.labels is not None]
    for before, entry in pairwise([None, *known]):
        if entry is None:
            continue
        if before is not None and (before.document, before.place + 1) == (entry.document, entry.place):
            stretches[-1].append(entry)
        else:
            stretches.append([entry])
    order = sorted(stretches, key=lambda stretch: (stretch[0].document, -stretch[0].place))
    return [entry for stretch in order for entry in stretch]


def _other_id(entry: Entry) -> str:
    return f"{entry.line['document']}-{entry.place + 1:04}"


def _passage(entry: Entry, name: str, verdict: Verdict) -> dict[str, Any]:
    places = {key: entry.line[key] for key in _PLACES if entry.line[key] is not None}
    labels = {"labels": list(verdict.labels or ()), "document": entry.line["document"], "asked": sorted(verdict.asked)}
    return {"id": name, "text": entry.text, **labels, **places}


def _annotation(name: str, verdict: Verdict) -> dict[str, Any]:
    """What each annotator decided at first, by whom and when, and how it was settled or changed afterwards."""
    row: dict[str, Any] = {"id": name}
    for key, first in zip(("first", "second"), verdict.firsts, strict=False):
        row[key] = list(first.labels or ())
    row["by"] = [{"annotator": first.annotator, "at": first.at, "order": first.queue} for first in verdict.firsts]
    both = zip(verdict.firsts, verdict.decisions, strict=True)
    changed = [f"{last.annotator}, {last.at}" for first, last in both if set(first.labels or ()) != set(last.labels or ())]
    if verdict.settlement is not None:
        row["settled"] = f"{verdict.settlement.reason} ({verdict.settlement.annotator}, {verdict.settlement.at})"
    elif changed:
        row["settled"] = f"changed by the annotator afterwards ({'; '.join(changed)})"
    elif len({frozenset(first.labels or ()) for first in verdict.firsts}) > 1:
        row["settled"] = "only one of them read it for the themes that both did not give alike"
    return row


def _lines(rows: Any) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def _datasheet(
    documents: Sequence[ReviewDocument],
    rows: Sequence[Entry],
    found: Mapping[int, Verdict],
    themes: Sequence[str],
    twice: Mapping[int, Verdict],
) -> str:
    verdicts = [found[entry.key] for entry in rows]
    given = [first for verdict in verdicts for first in verdict.firsts]
    people = sorted({decision.annotator for decision in given})
    counts = Counter(label for verdict in verdicts for label in verdict.labels or ())
    orders = Counter(decision.queue for decision in given)
    seen = sum(number for queue, number in orders.items() if queue not in BLIND)
    passages = Counter(entry.document for entry in rows)
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files: passages.jsonl",
        "---",
        "# Datasheet: reviewed passages",
        "",
        f"**What.** {many(len(rows), 'passage')} of {many(len(documents), 'document')}, {_MADE}; written on "
        f"{datetime.now(UTC):%Y-%m-%d}. The texts belong to the documents that they come from, which this sheet can't license.",
        "",
        "| document | passages in it | of them here |",
        "|---|--:|--:|",
        *(f"| {escape(document.name)} | {document.passages} | {passages[document.id]} |" for document in documents),
        "",
        "| theme | passages |",
        "|---|--:|",
        *(f"| {theme} | {counts[theme]} |" for theme in themes),
        "",
        f"**How it was annotated.** By {' and '.join(map(escape, people))}, from {min(d.at for d in given)} to {max(d.at for d in given)}. "
        f"{seen} of {len(given)} decisions were made with the model's labels in view, which may have swayed them; the others, in random "
        "order, without. `annotations.jsonl` has the labels that each gave first, when nobody was shown another's. Names are on trust.",
        "",
        f"**How passages were chosen.** {', '.join(f'{queue} {number}' for queue, number in orders.most_common())}. What was chosen by the "
        "model's doubts is harder than these documents are: measure on what was chosen at random.",
    ]
    return "\n".join([*lines, *_agreement(agreement(twice, themes), list(twice.values()))]) + "\n"


def _agreement(agreed: Sequence[Agreed], twice: Sequence[Verdict]) -> list[str]:
    if not agreed:
        return ["", "**Agreement.** No passage was decided by two people, so nothing tells how far these labels can be trusted."]
    disputed = [verdict for verdict in twice if verdict.differed or verdict.differs]
    settled = sum(verdict.settlement is not None for verdict in disputed)
    unsettled = sum(verdict.labels is None for verdict in disputed)
    told = f", and {unsettled} not settled: these are not in this corpus, so its files alone show too good an agreement"
    table = [f"| {one.theme} | {_number(one.alpha)} | {one.first} | {one.second} | {one.both} |" for one in agreed]
    return [
        "",
        f"**Agreement** of two annotators, by the labels that each gave first, on all {many(len(twice), 'passage')} that both decided. "
        f"They differed on {len(disputed)}: {settled} settled in writing, {len(disputed) - settled - unsettled} changed by one of them "
        f"afterwards{told if unsettled else ''}.",
        "",
        "| theme | Krippendorff's alpha | first | second | both |",
        "|---|--:|--:|--:|--:|",
        *table,
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = {path.name for path in folder.iterdir()} if folder.exists() else set()
        if not held <= set(files) or (held and not (README in held and _MADE in (folder / README).read_text("utf-8", "replace"))):
            raise OutputError(f"{folder}: holds other files than a corpus of reviewed passages: move it away, or name another data folder")
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
            new = Path(made, "new")
            new.mkdir()
            for name, text in files.items():
                (new / name).write_bytes(text.encode("utf-8", "replace"))
            if folder.exists():
                folder.replace(Path(made, "old"))
            new.replace(folder)
            shutil.rmtree(Path(made, "old"), ignore_errors=True)
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror or error}") from error
