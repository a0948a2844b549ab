"""Pages for reading documents, and for showing the token."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import IO, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from tagger.errors import InputError, MissingExtraError
from tagger.reading import Columns
from tagger.records import Tagged
from tagger.serving.documents import Opened, Results, Shelf
from tagger.serving.engine import Engine, Line
from tagger.serving.metrics import Metrics
from tagger.serving.rendering import page
from tagger.serving.review.routes import send_opened
from tagger.serving.review.workbench import Workbench
from tagger.serving.security import COOKIE, cookie_of, same
from tagger.serving.settings import Settings
from tagger.serving.uploads import Uploads, plain_name
from tagger.writing import WRITERS, check_packages
from tagger.writing.about import READING, About
from tagger.writing.counts import NO_SECTION, Tally, add_sections
from tagger.writing.html import Chart, view
from tagger.writing.text import clean, label

DOWNLOADS = {
    ".xlsx": ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".csv": ("CSV", "text/csv; charset=utf-8"),
    ".jsonl": ("JSON Lines", "application/x-ndjson"),
    ".html": ("Web page", "text/html; charset=utf-8"),
}
_FILES = 20  # in one form
_PART = 1000  # passages on one page: with many more, a browser takes long to show and to filter them
_OWN_PAGE = re.compile(r"/([\w.~%?=&-][\w.~%?=&/-]*)?", re.ASCII)  # a second slash or backslash would lead to another server

Part = Annotated[int, Query(ge=1)]
"""Which of the parts of a long document."""

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(request: Request) -> Response:
    """Where a person drops a report, and what is open."""
    return _start(request)


@router.post("/read")
async def read(request: Request) -> Response:
    """Open the files of a form, or the text pasted into it, or send them to review unread; those that can't be read are named."""
    settings: Settings = request.app.state.settings
    shelf: Shelf = request.app.state.shelf
    async with request.form(max_files=_FILES, max_fields=10, max_part_size=settings.limits.size) as form:
        given = {name: value for name in ("text", "text_column", "id_column", "unread") if isinstance(value := form.get(name), str)}
        files = [file for file in form.getlist("files") if isinstance(file, UploadFile) and file.filename]
        sent: list[tuple[IO[bytes], str]] = [(file.file, file.filename or "") for file in files]
        if given.get("text", "").strip():
            sent.append((io.BytesIO(given["text"].encode("utf-8", "replace")), "Pasted text.txt"))
        columns = Columns(text=given.get("text_column") or None, id=given.get("id_column") or None)
        opened, failed = await _open(request, sent, columns)
    unread = "unread" in given
    for one in opened:
        if unread:
            await send_opened(request, one, range(len(one.documents)))
        else:
            shelf.add(one)
    if failed or not opened:
        reviewed = [one.title for one in opened] if unread else []
        return _start(request, failed or ["choose a file or paste some text first"], text=given.get("text", ""), reviewed=reviewed)
    if unread:
        return RedirectResponse("/review", status_code=303)
    return RedirectResponse(f"/read/{opened[0].key}" if len(opened) == 1 else "/", status_code=303)


@router.get("/read/{key}")
async def opened_file(request: Request, key: str, part: Part = 1) -> Response:
    """The document of a file, or a part of it if it is long, or a list of its documents if they are several."""
    return await _document(request, _opened(request, key), None, part)


@router.get("/read/{key}/tags{ending}")
async def download(request: Request, key: str, ending: str) -> Response:
    """The tagged passages of a file as a file."""
    engine: Engine = request.app.state.engine
    lines: Line = request.app.state.files
    if ending not in DOWNLOADS:
        raise HTTPException(404, f"there is no such format: known are {', '.join(DOWNLOADS)}")
    opened = _opened(request, key)
    tagger = engine.tagger
    results = await engine.run(partial(opened.results, tagger))
    data = await lines.run(partial(_written, results, tagger.about, ending))
    await lines.run(partial(_note_read, request, opened, results, range(len(results))))
    name = f"{opened.name.rpartition('/')[2]}-tags{ending}"
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(data, media_type=DOWNLOADS[ending][1], headers=headers)


@router.get("/read/{key}/{number}")
async def one_of_several(request: Request, key: str, number: str, part: Part = 1) -> Response:
    """One of the documents of a file."""
    opened = _opened(request, key)
    places = {str(place): place for place in range(1, len(opened.documents) + 1)}
    if number not in places:
        raise HTTPException(404, f"{opened.name} has no document of this number")
    return await _document(request, opened, places[number], part)


@router.post("/read/{key}/close")
async def close(request: Request, key: str) -> Response:
    """Forget a file."""
    shelf: Shelf = request.app.state.shelf
    shelf.close(key)
    return RedirectResponse("/", status_code=303)


@router.get("/login")
async def login(request: Request, to: str = "/") -> Response:
    """Ask for the token."""
    return page(request, "login.html", part="", failed=False, to=to)


@router.post("/login")
async def logged_in(request: Request, token: Annotated[str, Form()], to: Annotated[str, Form()] = "/") -> Response:
    """Keep in the browser that it knows the token, until it is closed, and show the page that was asked for."""
    settings: Settings = request.app.state.settings
    if settings.token is None or not same(token.strip(), settings.token):
        return page(request, "login.html", part="", failed=True, to=to, status=403)
    answer = RedirectResponse(to if _OWN_PAGE.fullmatch(to) else "/", status_code=303)
    secure = request.headers.get("origin", "").startswith("https:")  # a proxy with TLS stands before this server
    answer.set_cookie(COOKIE, cookie_of(settings.token), httponly=True, samesite="strict", secure=secure)
    return answer


async def _open(request: Request, sent: Iterable[tuple[IO[bytes], str]], columns: Columns) -> tuple[list[Opened], list[str]]:
    """Parse files, given with their names; return those that can be opened, and what is wrong with the others."""
    uploads: Uploads = request.app.state.uploads
    metrics: Metrics = request.app.state.metrics
    opened, failed = [], []
    for file, filename in sent:
        try:
            documents = await uploads.read(file, filename, columns)
        except (InputError, MissingExtraError) as error:
            failed.append(_for_people(str(error)))
            continue
        opened.append(Opened(plain_name(filename)[0], documents))
        metrics.documents.inc(len(documents))
    return opened, failed


def _for_people(message: str) -> str:
    """What the command line calls an option is a field of the form."""
    for option, field in (("--text-column", "Passages"), ("--id-column", "Ids")):
        message = message.replace(f"with {option}", f"under \u201c{field}\u201d below")
    return message


def _start(request: Request, failed: Sequence[str] = (), text: str = "", reviewed: Sequence[str] = ()) -> Response:
    shelf: Shelf = request.app.state.shelf
    shown = {"opened": list(shelf), "failed": failed, "text": text, "reviewed": reviewed}
    return page(request, "start.html", part="Read", status=422 if failed else 200, **shown)


def _opened(request: Request, key: str) -> Opened:
    shelf: Shelf = request.app.state.shelf
    if (found := shelf.get(key)) is None:
        raise HTTPException(404, "this document is not open any more: drop the file again")
    return found


async def _document(request: Request, opened: Opened, number: int | None, part: int) -> Response:
    engine: Engine = request.app.state.engine
    lines: Line = request.app.state.pages
    tagger = engine.tagger
    results = await engine.run(partial(opened.results, tagger))
    return await lines.run(partial(_shown, request, opened, number, part, results, tagger.about))


def _shown(request: Request, opened: Opened, number: int | None, part: int, results: Results, about: About) -> Response:
    show = partial(page, request, part="Read", opened=opened, downloads=DOWNLOADS)
    if number is None and len(results) > 1:
        tallies = [Tally().add(tagged) for _, tagged in results]
        rows = [(label(document), str(place), tally) for place, ((document, _), tally) in enumerate(zip(results, tallies, strict=True), 1)]
        total = Tally().add(item for _, tagged in results for item in tagged)
        return show("several.html", chart=Chart("Document", rows, total), themes=view([], about).themes)
    place = (number or 1) - 1
    document, tagged = results[place]
    _note_read(request, opened, results, [place])
    begin = (part - 1) * _PART
    if begin >= max(len(tagged), 1):
        raise HTTPException(404, f"{opened.name} has no part of this number")
    shown = view([(document, tagged[begin : begin + _PART])], about)
    stretch = None
    if len(tagged) > _PART:
        shown = shown._replace(chart=_by_part(tagged))
        stretch = {"here": part, "begin": begin + 1, "end": min(begin + _PART, len(tagged)), "all": len(tagged)}
    return show("document.html", number=number, stretch=stretch, notes=document.notes, reading=READING, **shown._asdict())


def _by_part(tagged: Sequence[Tagged]) -> Chart:
    """Counts of a long document by section, which lead to the parts in which the sections begin."""
    first: dict[str, int] = {}
    for place, item in enumerate(tagged):
        first.setdefault(item.passage.section or NO_SECTION, place // _PART + 1)
    rows = [(clean(name), str(first[name]), tally) for name, tally in add_sections({}, tagged).items()]
    return Chart("Section", rows, Tally().add(tagged))


def _note_read(request: Request, opened: Opened, results: Results, places: Iterable[int]) -> None:
    """Note that the model's labels of these documents were shown: who reviews them afterwards may have seen them."""
    workbench: Workbench = request.app.state.workbench
    for place in places:
        opened.read.add(place)
        workbench.note_read(results[place][1])


def _written(results: Results, about: About, ending: str) -> bytes:
    check_packages(ending)
    stream = io.BytesIO()
    WRITERS[ending].write(results, about, stream)
    return stream.getvalue()
