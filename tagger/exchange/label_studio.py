"""Label Studio: a list of tasks, one a passage with choices, or one a document with labelled spans.

A task's ``data`` holds what tagger knows of its passages: Label Studio gives it back as it was. `interface` makes the labelling
interface that the project needs. It knows annotators by the users of its own server only: whoever imports a file is said to have made
its annotations, which stay in their order.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import IO, Any

from tagger.errors import InputError
from tagger.exchange.codings import Span, check_range, document_data, document_name, documents, votes_of
from tagger.exchange.items import FINAL, Corpus, Item, Labels, Voted, colours, decide, detailed, named
from tagger.exchange.jsons import items_of, object_of, objects, place, read_objects, text_of, write_list
from tagger.reading.content import Limits
from tagger.themes import Theme
from tagger.writing.text import many

_FROM, _TO = "themes", "text"
_KINDS = ("choices", "labels", "hypertextlabels")


def recognise(row: Mapping[str, Any]) -> bool:
    """Tell whether an object is a task."""
    return isinstance(row.get("data"), dict)


def interface(themes: Sequence[Theme], *, spans: bool = False) -> str:
    """The labelling interface for what `write_tasks` or, with ``spans``, `write_spans` writes."""
    shades = colours(themes)
    kind, one = ("Labels", "Label") if spans else ("Choices", "Choice")
    choice = "" if spans else ' choice="multiple"'
    lines = ["<View>", f'  <Text name="{_TO}" value="$text"/>', f'  <{kind} name="{_FROM}" toName="{_TO}"{choice}>']
    for theme in themes:
        colour = f' background="{shades[theme.name]}"' if spans else f' hint="{escape(theme.question or theme.title)}"'
        lines.append(f'    <{one} value="{escape(theme.name)}"{colour}/>')
    return "\n".join([*lines, f"  </{kind}>", "</View>"]) + "\n"


def read_label_studio(data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read tasks as Label Studio exports them in JSON; predictions are nobody's labels, and tasks without annotations are left out.

    Where any task has spans, all are documents: one in which nobody marked anything is cut into passages as the others are.
    """
    voted: list[Voted] = []
    texts: dict[str, str] = {}
    tasks: list[tuple[int, str, dict[str, Any], list[tuple[str, list[dict[str, Any]]]]]] = []
    silent = 0
    for number, (where, row) in enumerate(read_objects(data, limits), 1):
        if not recognise(row):
            raise InputError(f"{where}: has no field 'data': export the tasks as JSON, not as JSON-MIN")
        task = object_of(row["data"], "data", where)
        annotations = list(_annotations(row, where))
        silent += not annotations
        if annotations:
            tasks.append((number, where, task, annotations))
    whole = any("passages" in task or any(map(_marks, annotations)) for _, _, task, annotations in tasks)
    chosen = 0
    for number, where, task, annotations in tasks:
        text = _text(task, where)
        if whole:
            chosen += any(one["type"] == "choices" for _, results in annotations for one in results)
            document = document_name(task, f"{name}-{number:04d}")
            spans = [span for who, results in annotations for one in results for span in _spans(one, text, who, labels, where)]
            found, content = votes_of(task, document, text, spans, [who for who, _ in annotations], labels, where)
            voted += found
            texts.update({} if content is None else {document: content})
        else:
            choices = {who: labels.all((c for one in results for c in _values(one, where)), where) for who, results in annotations}
            voted.append(Voted(detailed(text, task, where), choices))
    if not voted:
        raise InputError("no task has an annotation: a prediction becomes one when somebody submits it")
    items, notes = decide(voted, labels)
    notes += (f"{many(silent, 'task')} without an annotation left out",) if silent else ()
    notes += (f"the choices of {many(chosen, 'task')} left out, as these are documents with spans",) if chosen else ()
    return Corpus(named(items, name), texts, notes=notes)


def _annotations(row: Mapping[str, Any], where: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield who annotated a task and what; the one that is marked as the ground truth has the last word."""
    taken: set[str] = set()
    for annotation in objects(row.get("annotations", row.get("completions")), "annotations", where):
        if annotation.get("was_cancelled"):
            continue
        by = annotation.get("completed_by")
        by = by.get("email") or by.get("id") if isinstance(by, dict) else by
        who = FINAL if annotation.get("ground_truth") else str(by or "somebody")
        while who in taken:  # a person may annotate a task again
            who += "'"
        taken.add(who)
        yield who, [one for one in objects(annotation.get("result"), "result", where) if one.get("type") in _KINDS]


def _marks(annotation: tuple[str, Sequence[Mapping[str, Any]]]) -> bool:
    """Tell whether an annotation has spans."""
    return any(one["type"] != "choices" for one in annotation[1])


def _text(data: Mapping[str, Any], where: str) -> str:
    """The text of a task: the field ``text``, or the only one that is a text."""
    texts = [key for key, value in data.items() if isinstance(value, str)]
    return text_of(data, f"{where}, data", "text" if "text" in data or len(texts) != 1 else texts[0])


def _values(one: Mapping[str, Any], where: str) -> list[Any]:
    kind = one["type"]
    return items_of(object_of(one.get("value"), "value", where).get(kind), kind, where)


def _spans(one: Mapping[str, Any], text: str, who: str, labels: Labels, where: str) -> list[Span]:
    """The themes of a labelled span; versions of Label Studio that count as JavaScript does are seen by the text that comes with it."""
    if one["type"] == "choices":
        return []
    value = object_of(one.get("value"), "value", where)
    places = object_of(value.get("globalOffsets"), "globalOffsets", where) or value
    start, end = place(places.get("start"), "start", where), place(places.get("end"), "end", where)
    marked = value.get("text")
    if isinstance(marked, str) and text[start:end] != marked:
        units = text.encode("utf-16-le", "surrogatepass")  # half a character, which JSON can hold, is as long as a whole one
        if units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass") == marked:
            start, end = (len(units[: 2 * offset].decode("utf-16-le", "surrogatepass")) for offset in (start, end))
    start, end = check_range(start, end, text, where)
    return [Span(start, end, theme, who) for theme in labels.all(_values(one, where), where)]


def write_tasks(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a task a passage; what a model gave are predictions, everything else annotations."""

    def tasks() -> Iterator[dict[str, Any]]:
        for item in corpus.items:
            votes = {} if corpus.model else item.votes or {FINAL: item.labels}
            results = {who: [_result(item.id, who, "choices", {"choices": list(given)})] if given else [] for who, given in votes.items()}
            predicted = [_result(item.id, "model", "choices", {"choices": list(item.labels)})] if item.labels else []
            yield _task({"text": item.text, **item.details()}, results, predicted, corpus.model, item.scores)

    write_list(tasks(), stream)


def write_spans(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a task a document, in which each theme of a passage is a span."""

    def tasks() -> Iterator[dict[str, Any]]:
        for one in documents(corpus):
            results: dict[str, list[dict[str, Any]]] = {}
            predicted: list[dict[str, Any]] = []
            for item in one.items:
                if corpus.model:
                    predicted += [_marked(item, "model", theme) for theme in item.labels]
                    continue
                for who, given in (item.votes or {FINAL: item.labels}).items():
                    results.setdefault(who, []).extend(_marked(item, who, theme) for theme in given)
            yield _task({"text": one.text, **document_data(one)}, results, predicted, corpus.model, None)

    write_list(tasks(), stream)


def _marked(item: Item, who: str, theme: str) -> dict[str, Any]:
    value = {"start": item.start, "end": item.end, "text": item.text, "labels": [theme]}
    found = _result(f"{item.id} {theme}", who, "labels", value)
    return found | ({"score": round(item.scores[theme], 6)} if item.scores else {})


def _result(name: str, who: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    key = uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {who}").hex[:10]
    return {"id": key, "from_name": _FROM, "to_name": _TO, "type": kind, "value": value}


def _task(
    data: dict[str, Any],
    results: Mapping[str, list[dict[str, Any]]],
    predicted: list[dict[str, Any]],
    model: str | None,
    scores: Mapping[str, float] | None,
) -> dict[str, Any]:
    annotations = [{"ground_truth": who == FINAL, "was_cancelled": False, "result": result} for who, result in results.items()]
    predictions = []
    if model:
        score = {"score": round(max(scores.values(), default=0), 6)} if scores else {}
        predictions = [{"model_version": model, **score, "result": predicted}]
    return {"data": data, "annotations": annotations, "predictions": predictions}
