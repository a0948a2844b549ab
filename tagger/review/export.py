"""Reviewed passages -> a folder of a corpus, as `tagger.corpus` reads it: passages, both annotation passes, a datasheet.

The store notes what was written: of which documents, as models may be trained on the corpus anywhere, and the digest of all files, so
that nothing is written over that somebody has changed since.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from tagger.errors import OutputError
from tagger.review.agreement import Agreed, Verdict, agreement, verdicts
from tagger.review.store import BLIND, Entry, ReviewDocument, Store
from tagger.writing.markdown import escape
from tagger.writing.text import many

REVIEWED = "reviewed"
"""What its folder is called."""
_PASSAGES = "passages.jsonl"
_PLACES = ("section", "paragraph", "page", "start", "end")


class Exported(NamedTuple):
    """How many passages were written, and the digests of their documents."""

    passages: int
    documents: list[str]


class _Reviewed(NamedTuple):
    """What was decided, of all documents or of those that are not held out."""

    documents: list[ReviewDocument]
    entries: list[Entry]
    found: dict[int, Verdict]
    rows: list[Entry]
    """The passages whose labels are known, in the order of the corpus."""
    names: dict[int, str]
    """Their ids there, by their keys."""


def export(store: Store, folder: Path, *, held_out: bool = True) -> Exported:
    """Write the passages whose labels are known to a folder, and note it; without ``held_out`` those that models may learn from.

    The folder is replaced only when the new one is whole, and removed where there is nothing to write. If it holds anything but a corpus as
    it was written from this store, it is left alone.

    Raises
    ------
    OutputError
        The folder holds other things, or can't be written.
    """
    reviewed = _reviewed(store, held_out=held_out)
    used = {entry.document for entry in reviewed.rows}
    kept = [document for document in reviewed.documents if document.id in used]
    files = {name: text.encode("utf-8", "replace") for name, text in _files(reviewed, kept, store.themes).items()} if kept else {}
    documents = [document.digest for document in kept]
    _write(store, folder, files, documents)
    return Exported(len(reviewed.rows), documents)


def to_learn_from(store: Store) -> list[dict[str, Any]]:
    """Return the lines of the passages that models may learn from."""
    reviewed = _reviewed(store, held_out=False)
    return [_passage(entry, reviewed.names[entry.key], reviewed.found[entry.key]) for entry in reviewed.rows]


def _reviewed(store: Store, *, held_out: bool) -> _Reviewed:
    documents = [document for document in store.documents() if held_out or not document.held_out]
    wanted = {document.id for document in documents}
    entries = [entry for entry in store.entries() if entry.document in wanted]
    found = verdicts(store.decisions(), store.firsts(), store.settlements())
    rows = _stretches(entries, found)
    ids = Counter(entry.line["id"] for entry in rows)
    names = {entry.key: entry.line["id"] if ids[entry.line["id"]] == 1 and entry.line["id"] else _other_id(entry) for entry in rows}
    return _Reviewed(documents, entries, found, rows, names)


def _files(reviewed: _Reviewed, documents: Sequence[ReviewDocument], themes: Sequence[str]) -> dict[str, str]:
    found, rows, names = reviewed.found, reviewed.rows, reviewed.names
    return {
        _PASSAGES: _lines(_passage(entry, names[entry.key], found[entry.key]) for entry in rows),
        "annotations.jsonl": _lines(_annotation(names[entry.key], found[entry.key]) for entry in rows),
        "README.md": _datasheet(documents, rows, found, themes, _twice(reviewed.entries, found)),
    }


def _twice(entries: Sequence[Entry], found: Mapping[int, Verdict]) -> dict[int, Verdict]:
    """Return what two decided, exported or not: without open differences, annotators would seem to agree too well."""
    return {entry.key: found[entry.key] for entry in entries if entry.key in found and len(found[entry.key].decisions) == 2}


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
        f"**What.** {many(len(rows), 'passage')} of {many(len(documents), 'document')}, reviewed in tagger's workbench; written on "
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
        f"order, before review showed them. {_read(documents)} `annotations.jsonl` has the labels that "
        "each gave first, when nobody was shown another's. Names are on trust.",
        "",
        f"**How passages were chosen.** {', '.join(f'{queue} {number}' for queue, number in orders.most_common())}. What was chosen by the "
        "model's doubts is harder than these documents are: measure on what was chosen at random.",
    ]
    return "\n".join([*lines, *_agreement(agreement(twice, themes), list(twice.values()))]) + "\n"


def _read(documents: Sequence[ReviewDocument]) -> str:
    count = sum(document.read for document in documents)
    which = "None of the documents was" if not count else f"{count} of the documents {'was' if count == 1 else 'were'}"
    return f"{which} opened for reading in the workbench, where the model's labels stand on every passage."


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


def _write(store: Store, folder: Path, files: Mapping[str, bytes], documents: Sequence[str]) -> None:
    """Replace a folder; what is written is noted first, so that no corpus is there of which nobody knows whence it came."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = {path.name: path.read_bytes() if path.is_file() else b"" for path in folder.iterdir()} if folder.exists() else {}
        if held and not store.has_written(_digest(held)):
            raise OutputError(
                f"{folder}: holds other files than the workbench wrote, or changed ones: correct labels in the workbench, "
                "and move this folder away"
            )
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
            new = Path(made, "new")
            new.mkdir()
            for name, data in files.items():
                (new / name).write_bytes(data)
            if files:
                store.note_learned(hashlib.sha256(files[_PASSAGES]).hexdigest(), documents)
                store.note_written(_digest(files))
            if folder.exists():
                folder.replace(Path(made, "old"))
            if files:
                new.replace(folder)
            shutil.rmtree(Path(made, "old"), ignore_errors=True)
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror or error}") from error


def _digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 of files and their names."""
    digests = (f"{name}\0{hashlib.sha256(data).hexdigest()}\n" for name, data in sorted(files.items()))
    return hashlib.sha256("".join(digests).encode("utf-8", "surrogateescape")).hexdigest()
