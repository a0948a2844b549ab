"""Pages of review and learning, and what their scripts ask for."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Header, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from tagger.errors import ReviewError
from tagger.review.store import AGAIN
from tagger.serving.documents import Opened, Results, Shelf
from tagger.serving.engine import Engine, Line
from tagger.serving.rendering import page
from tagger.serving.review import showing
from tagger.serving.review.queues import QUEUES
from tagger.serving.review.workbench import Workbench

_MOST, _LISTED = 50, 20  # passages in one answer, at most and of those decided


def _same_store(request: Request, tagger_store: Annotated[str | None, Header(max_length=64)] = None) -> None:
    """Refuse what a page asks that shows another data folder: there, the numbers of passages and documents are of other texts."""
    if tagger_store is not None:
        workbench = _workbench(request)
        if workbench.empty or workbench.project.store.id != tagger_store:
            raise HTTPException(409, "The server has another data folder than this page: start it with that one, or load the page again.")


router = APIRouter(include_in_schema=False, dependencies=[Depends(_same_store)])
Annotator = Annotated[str, Query(max_length=200)]
Key = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""The number of a passage or a document: SQLite knows no larger ones."""


class Decided(BaseModel):
    """A decision as the page sends it; ``labels`` is null to skip, ``asked`` the themes that it showed, all if left out."""

    token: str = Field(min_length=8, max_length=64)
    passage: Key
    annotator: str = Field(max_length=200)
    labels: list[str] | None = Field(max_length=1000)
    queue: str = Field(max_length=20)
    asked: list[str] | None = Field(None, max_length=1000)


class Named(BaseModel):
    """Who asks."""

    annotator: str = Field(max_length=200)


class TakenBack(Named):
    """Whose last decision is taken back; the same token takes back once."""

    token: str = Field(default="", max_length=64, pattern="^[0-9A-Za-z]*$")


class Settled(Named):
    """How a difference is settled."""

    passage: Key
    labels: list[str] = Field(max_length=1000)
    reason: str = Field(max_length=2000)


class Chosen(BaseModel):
    """Corpora to learn from, by name."""

    corpora: list[str] = Field(max_length=1000)


class Model(BaseModel):
    """A trained model, or None for the one that the server began with."""

    name: str | None = Field(max_length=100)


class Role(BaseModel):
    """Whether a document is kept to measure on."""

    held_out: bool


def _workbench(request: Request) -> Workbench:
    found: Workbench = request.app.state.workbench
    return found


# Review


@router.get("/review")
def review(request: Request) -> Response:
    """The page to review on, or what to do first."""
    workbench = _workbench(request)
    themes = showing.themes(workbench)
    if workbench.empty or not (documents := workbench.project.store.documents()):
        return page(request, "review_empty.html", part="Review")
    store = workbench.project.store
    return page(
        request,
        "review.html",
        part="Review",
        store=store.id,
        themes=themes,
        codebook=workbench.codebook,
        documents=documents,
        annotators=store.annotators(),
        candidates=store.candidates(),
    )


@router.post("/review/documents")
async def send(request: Request, opened: Annotated[str, Form()], number: Annotated[int | None, Form()] = None) -> Response:
    """Save an opened file, or one document of it, to be reviewed."""
    shelf: Shelf = request.app.state.shelf
    if (found := shelf.get(opened)) is None:
        raise HTTPException(404, "this document is not open any more: drop the file again")
    if number is not None and not 1 <= number <= len(found.documents):
        raise HTTPException(404, f"{found.name} has no document of this number")
    await send_opened(request, found, range(len(found.documents)) if number is None else [number - 1])
    return RedirectResponse("/review", status_code=303)


async def send_opened(request: Request, opened: Opened, places: Iterable[int]) -> None:
    """Save some documents of a file to be reviewed."""
    engine: Engine = request.app.state.engine
    lines: Line = request.app.state.files
    results = await engine.run(partial(opened.results, engine.tagger))
    await lines.run(partial(_send, _workbench(request), opened, results, places))


def _send(workbench: Workbench, opened: Opened, results: Results, places: Iterable[int]) -> None:
    for place in places:
        document, tagged = results[place]
        if tagged:
            workbench.send(document, tagged, read=place in opened.read)


@router.get("/review/tasks")
def tasks(
    request: Request,
    annotator: Annotator,
    queue: Annotated[str, Query(max_length=20)],
    theme: Annotated[str | None, Query(max_length=100)] = None,
    count: Annotated[int, Query(ge=1, le=_MOST)] = 10,
) -> dict[str, Any]:
    """The next passages of an order for an annotator."""
    workbench = _workbench(request)
    found, left = workbench.project.tasks(annotator, queue, theme=theme, count=count)
    return {"tasks": [showing.task(workbench, task) for task in found], "left": left}


@router.get("/review/passages/{key}")
def passage(request: Request, key: Key, annotator: Annotator) -> dict[str, Any]:
    """A passage that an annotator has decided, to look at again."""
    workbench = _workbench(request)
    mine = next((decision for decision in workbench.project.store.decisions(annotator) if decision.passage == key), None)
    if mine is None:
        raise ReviewError("you have not decided this passage: load the page again")
    return showing.task(workbench, workbench.project.task(key, mine, mine.queue))


@router.post("/review/decisions")
def decide(request: Request, given: Decided) -> dict[str, Any]:
    """Keep a decision; when this answers, it is on the disk. It answers with what the model had said, unless it was skipped."""
    project = _workbench(request).project
    if given.queue not in (*QUEUES, AGAIN):
        raise ReviewError(f"there is no order {given.queue!r}: known are {', '.join(QUEUES)}")
    line = project.task(given.passage, None, given.queue).entry.line
    who = given.token, given.passage, given.annotator
    project.store.decide(*who, given.labels, suggested=line["labels"], queue=given.queue, asked=given.asked)
    return {} if given.labels is None else {"suggested": line["labels"], "scores": line["scores"]}


@router.post("/review/undo")
def undo(request: Request, given: TakenBack) -> dict[str, Any]:
    """Take an annotator's last decision back, and show its passage again as he had decided it."""
    workbench = _workbench(request)
    last = workbench.project.store.undo(given.annotator, given.token)
    if last is None:
        return {"task": None}
    return {"task": showing.task(workbench, workbench.project.task(last.passage, last, last.queue))}


@router.get("/review/decided")
def decided(
    request: Request, annotator: Annotator, find: Annotated[str, Query(max_length=200)] = "", start: Annotated[int, Query(ge=0)] = 0
) -> dict[str, Any]:
    """What an annotator has decided, the last first: all, or the passages that hold some words."""
    project = _workbench(request).project
    rows = showing.decided(project, annotator, find)
    return {"decided": rows[start : start + _LISTED], "found": len(rows)}


@router.get("/review/progress")
def progress(request: Request, annotator: Annotated[str | None, Query(max_length=200)] = None) -> dict[str, Any]:
    """How far the review is, what it tells of the model, and how far annotators agree."""
    return showing.progress(_workbench(request).project, annotator or None)


@router.post("/review/differences")
def differences(request: Request, given: Named) -> dict[str, Any]:
    """Passages on which two annotators differ. From now on both decisions about them stay as they are."""
    project = _workbench(request).project
    project.store.annotator(given.annotator)
    return {"differences": showing.differences(project)}


@router.post("/review/settlements")
def settle(request: Request, given: Settled) -> dict[str, Any]:
    """Settle a difference, and say why."""
    _workbench(request).project.store.settle(given.passage, given.annotator, given.labels, given.reason)
    return {}


# Learning


@router.get("/learn")
def learn(request: Request) -> Response:
    """The page of documents, corpora and models."""
    workbench = _workbench(request)
    project = None if workbench.empty else workbench.project
    return page(request, "learn.html", part="Learn", store=project and project.store.id, **showing.learn(workbench, project))


@router.post("/learn/documents/{number}/role")
def role(request: Request, number: Key, given: Role) -> dict[str, Any]:
    """Keep a document to measure on, or let models learn from it."""
    _workbench(request).project.store.hold_out(number, given.held_out)
    return {}


@router.post("/learn/documents/{number}/remove")
def remove(request: Request, number: Key) -> dict[str, Any]:
    """Delete a document and all that was decided of it."""
    _workbench(request).project.store.remove(number)
    return {}


@router.post("/learn/export")
def exported(request: Request) -> dict[str, Any]:
    """Write the reviewed passages to a corpus folder."""
    workbench = _workbench(request)
    count = workbench.project.export(workbench.corpus)
    return {"folder": str(workbench.corpus.absolute()), "passages": count}


@router.get("/learn/reviewed.zip")
def download(request: Request) -> Response:
    """The corpus that was exported, as one file."""
    folder = _workbench(request).corpus
    if not folder.is_dir():
        raise ReviewError("nothing was exported yet: export first")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{folder.name}/{file.name}")
    headers = {"Content-Disposition": f'attachment; filename="{folder.name}.zip"'}
    return Response(stream.getvalue(), media_type="application/zip", headers=headers)


@router.post("/learn/runs")
def start(request: Request, given: Chosen) -> dict[str, Any]:
    """Begin to train."""
    workbench = _workbench(request)
    return {"name": workbench.learning.start(workbench.project, given.corpora)}


@router.get("/learn/runs/last")
def last(request: Request) -> dict[str, Any]:
    """How the last run goes or went."""
    workbench = _workbench(request)
    return {"run": None if workbench.empty else showing.run(workbench)}


@router.post("/learn/runs/stop")
def stop(request: Request) -> dict[str, Any]:
    """End the run that goes on."""
    _workbench(request).learning.stop()
    return {}


@router.post("/learn/model")
def adopt(request: Request, given: Model) -> dict[str, Any]:
    """Let a trained model, or the first one, answer from now on."""
    workbench = _workbench(request)
    return {"model": workbench.learning.adopt(workbench.project, given.name).about.model}
