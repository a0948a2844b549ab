"""Prodigy: JSON Lines of tasks, one a passage with options (``choice``), or one a document with spans (``spans_manual``).

Each annotator's answer is a line of its own; lines with the same ``_input_hash`` are about the same text. Prodigy gives further fields of a
task back as they were.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, Any

from tagger.errors import InputError
from tagger.exchange.codings import Span, check_range, document_data, document_name, documents, votes_of
from tagger.exchange.items import FINAL, Corpus, Item, Labels, Voted, decide, detailed, named
from tagger.exchange.jsons import Row, items_of, object_of, objects, read_objects, text_of, write_lines
from tagger.reading.content import Limits
from tagger.themes import Theme
from tagger.writing.text import many

_MARKS = ("accept", "spans", "answer", "_task_hash", "_input_hash", "_view_id", "options")


def recognise(row: Mapping[str, Any]) -> bool:
    """Tell whether an object is a task."""
    return "text" in row and any(name in row for name in _MARKS)


def read_prodigy(data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read what ``prodigy db-out`` gives: answers to ``choice``, to a single label (``textcat``) and spans.

    What was ignored, or rejected where there was more to choose than yes or no, is nobody's label, and no more is what a task that nobody
    has answered yet comes with.
    """
    tasks: dict[tuple[str, ...], list[Row]] = {}
    refused = unanswered = 0
    for where, row in read_objects(data, limits):
        answer = row.get("answer", "accept")
        if "answer" not in row and ("options" in row or "_task_hash" in row):
            unanswered += 1
            continue
        if answer == "ignore" or (answer != "accept" and "label" not in row):
            refused += 1
            continue
        text = text_of(row, where)
        tasks.setdefault((str(row.get("_input_hash")), str(row.get("id")), text), []).append((where, row))
    voted: list[Voted] = []
    texts: dict[str, str] = {}
    for number, rows in enumerate(tasks.values(), 1):
        where, row = rows[0]
        text = text_of(row, where)
        if any("spans" in row for _, row in rows):
            document = document_name(row, f"{name}-{number:04d}")
            annotators = [_annotator(row) for _, row in rows]
            found, content = votes_of(row, document, text, _spans(rows, text, labels), annotators, labels, where)
            voted += found
            texts.update({} if content is None else {document: content})
        else:
            details = {**object_of(row.get("meta"), "meta", where), **row}
            item = detailed(text, details, where)
            voted.append(Voted(replace(item, asked=item.asked or _asked(rows, labels)), _choices(rows, labels)))
    if not voted:
        raise InputError("holds no accepted answer" + (f": {many(unanswered, 'task')} still to be answered" if unanswered else ""))
    items, notes = decide(voted, labels)
    notes += (f"{many(refused, 'rejected or ignored answer')} left out",) if refused else ()
    notes += (f"{many(unanswered, 'task')} still to be answered left out",) if unanswered else ()
    return Corpus(named(items, name), texts, notes=notes)


def _annotator(row: Mapping[str, Any]) -> str:
    return str(row.get("_annotator_id") or row.get("_session_id") or "somebody")


def _choices(rows: Sequence[Row], labels: Labels) -> dict[str, tuple[str, ...]]:
    """What each annotator chose; of a task that asks for one label, the lines together say it.

    Where annotators were asked for different labels, each label is what more than half of those said who were asked for it.
    """
    found: dict[str, tuple[str, ...]] = {}
    asked: dict[str, set[str]] = {}
    for where, row in rows:
        given = items_of(row.get("accept"), "accept", where)
        who = _annotator(row)
        if "label" in row:
            theme = labels.theme(row["label"], where=where)
            given = [row["label"]] if theme and row.get("answer", "accept") == "accept" else []
            asked.setdefault(who, set()).add(theme or "")
        found[who] = labels.ordered((*found.get(who, ()), *labels.all(given, where)))
    if len(set(map(frozenset, asked.values()))) < 2:
        return found
    said = {theme: [theme in found[who] for who in asked if theme in asked[who]] for theme in labels.names}
    return {FINAL: labels.ordered(theme for theme, given in said.items() if 2 * sum(given) > len(given))}


def _asked(rows: Sequence[Row], labels: Labels) -> str | None:
    """The themes that the task asked for: its label, or the options; those of our own tasks are always all."""
    if any("label" in row for _, row in rows):
        return labels.asked(row["label"] for _, row in rows if "label" in row)
    options = [one for where, row in rows if "document" not in row for one in objects(row.get("options"), "options", where)]
    return labels.asked(one[name] for one in options for name in ("id", "text") if name in one) if options else None


def _spans(rows: Sequence[Row], text: str, labels: Labels) -> list[Span]:
    spans = []
    for where, row in rows:
        for one in objects(row.get("spans"), "spans", where):
            start, end = check_range(one.get("start"), one.get("end"), text, where)
            if theme := labels.theme(one.get("label"), where=where):
                spans.append(Span(start, end, theme, _annotator(row)))
    return spans


def write_choices(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a task a passage; what a model gave is chosen beforehand and not yet answered."""
    options = [{"id": theme.name, "text": theme.title} for theme in themes]

    def tasks() -> Iterator[dict[str, Any]]:
        for item in corpus.items:
            for who, given in _votes(corpus, item).items():
                task = {"text": item.text, **item.details(), "options": options, "accept": list(given)}
                yield task | _answer(item.id + item.text, "choice", who)

    write_lines(tasks(), stream)


def write_spans(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a task a document, in which each theme of a passage is a span."""

    def tasks() -> Iterator[dict[str, Any]]:
        for one in documents(corpus):
            spans: dict[str, list[dict[str, Any]]] = {}
            for item in one.items:
                for who, given in _votes(corpus, item).items():
                    spans.setdefault(who, []).extend({"start": item.start, "end": item.end, "label": theme} for theme in given)
            for who, found in spans.items():
                yield {"text": one.text, **document_data(one), "spans": found} | _answer(one.name + one.text, "spans_manual", who)

    write_lines(tasks(), stream)


def _votes(corpus: Corpus, item: Item) -> Mapping[str, tuple[str, ...]]:
    return {"": item.labels} if corpus.model else item.votes or {FINAL: item.labels}


def _answer(key: str, view: str, who: str) -> dict[str, Any]:
    """The fields by which Prodigy knows a task again; without anybody who answered, it is still to be answered."""
    # Prodigy takes any whole number of 32 bits with a sign.
    hashes = [zlib.crc32(given.encode("utf-8", "replace")) - (1 << 31) for given in (key, f"{key} {view} {who}")]
    found: dict[str, Any] = {"_input_hash": hashes[0], "_task_hash": hashes[1], "_view_id": view}
    return found | ({"answer": "accept", "_annotator_id": who, "_session_id": who} if who else {})
