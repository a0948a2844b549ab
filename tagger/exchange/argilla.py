"""Argilla: records of a dataset with a question of several labels, as ``dataset.records.to_json`` writes and ``from_json`` reads them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from tagger.errors import InputError
from tagger.exchange.items import FINAL, Corpus, Labels, Voted, decide, detailed, named
from tagger.exchange.jsons import items_of, object_of, objects, read_objects, text_of, write_list
from tagger.reading.content import Limits
from tagger.themes import Theme
from tagger.writing.text import many

QUESTION, TEXT = "themes", "text"
_SPACE = uuid.UUID("03b01de5-8aba-5aaa-ae9d-4add2be25ce6")
_USERS = {str(uuid.uuid5(_SPACE, name)): name for name in ("first", "second", FINAL)}
"""Argilla knows users by such an id only."""


def recognise(row: Mapping[str, Any]) -> bool:
    """Tell whether an object is a record."""
    return isinstance(row.get("fields"), dict)


def read_argilla(data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read records: the answers that were given to the question ``themes``, or to the only one; suggestions are nobody's labels."""
    voted, silent = [], 0
    for where, row in read_objects(data, limits):
        fields = object_of(row.get("fields"), "fields", where)
        texts = [key for key, value in fields.items() if isinstance(value, str)]
        text = text_of(fields, f"{where}, fields", TEXT if TEXT in fields or len(texts) != 1 else texts[0])
        answers = object_of(row.get("responses"), "responses", where)
        question = QUESTION if QUESTION in answers or not answers else next(iter(answers))
        if len(answers) > 1 and question != QUESTION:
            raise InputError(f"{where}: answers {', '.join(sorted(answers))}: call the question of the labels {QUESTION!r}")
        votes = {}
        for answer in objects(answers.get(question), "responses", where):
            given = answer.get("value")
            user = str(answer.get("user_id"))
            given = [given] if isinstance(given, str) else items_of(given, "value", where)
            votes[_USERS.get(user, user)] = labels.all(given, where)
        silent += not votes
        if votes:
            details = {"id": row.get("id"), **object_of(row.get("metadata"), "metadata", where)}
            voted.append(Voted(detailed(text, details, where), votes))
    if not voted:
        raise InputError("no record has an answer: a suggestion becomes one when somebody submits it")
    items, notes = decide(voted, labels)
    notes += (f"{many(silent, 'record')} without an answer left out",) if silent else ()
    return Corpus(named(items, name), notes=notes)


def write_argilla(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a record a passage; what a model gave are suggestions with its scores, everything else is a response."""
    write_list(_records(corpus), stream)


def _records(corpus: Corpus) -> Iterator[dict[str, Any]]:
    users = {name: user for user, name in _USERS.items()}
    for item in corpus.items:
        suggestions, responses = {}, {}
        if corpus.model:
            scores = [round(item.scores[theme], 6) for theme in item.labels] if item.scores and item.labels else None
            suggestions = {QUESTION: {"value": list(item.labels), "score": scores, "agent": corpus.model}}
        else:
            votes = item.votes or {FINAL: item.labels}
            responses = {QUESTION: [{"value": list(given), "user_id": users[who]} for who, given in votes.items()]}
        details = item.details()
        yield {
            "id": details.pop("id", None),
            "fields": {TEXT: item.text},
            "metadata": details,
            "suggestions": suggestions,
            "responses": responses,
            "vectors": {},
            "status": "pending" if corpus.model else "completed",
            "_server_id": None,
        }
