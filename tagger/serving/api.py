"""The API for programs. A passage is told as in a line that `tagger tag` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, HTTPException, Request, Response, Security, UploadFile
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tagger import __version__
from tagger.reading import Columns
from tagger.records import Document
from tagger.serving.engine import Engine, json_lines
from tagger.serving.metrics import Metrics
from tagger.serving.uploads import Uploads
from tagger.tagging import Tagger

TEXTS, CHARACTERS = 10_000, 4_000_000  # in one request: what takes a second or two


class Failure(BaseModel):
    """Why a request was not done."""

    error: str = Field(description="One line that says what is wrong and what to do.")


class Texts(BaseModel):
    """Passages to tag, each by itself."""

    model_config = ConfigDict(extra="forbid")

    texts: list[str] = Field(
        max_length=TEXTS, description=f"Passages: sentences, or items of a list; up to {CHARACTERS:,} characters together."
    )
    evidence: bool = Field(True, description="Whether to find the words that decided, which takes more than half of the time.")


class Evidence(BaseModel):
    """Words that decided: characters of the passage's text, and what they add to the score, in log-odds."""

    start: int
    end: int
    weight: float


class Line(BaseModel):
    """A passage with its themes: a line that `tagger tag` writes."""

    id: str
    document: str
    section: str | None
    page: int | None
    paragraph: int | None
    start: int = Field(description="Where the passage begins in the text of its document.")
    end: int
    text: str
    labels: list[str] = Field(description="Themes whose score reaches the model's threshold.")
    scores: dict[str, float] = Field(description="A calibrated probability for each theme.")
    evidence: dict[str, list[Evidence]] = Field(description="For each label, the words that decided, strongest first.")
    review: list[str] = Field(description="Themes whose score lies in the review band: a person should look.")


class TaggedTexts(BaseModel):
    """The passages in the order in which they were sent, and the model that tagged them."""

    model: str
    passages: list[Line]


class TaggedDocument(BaseModel):
    """A document as it was read, and its passages in their order."""

    name: str
    title: str | None
    country: str | None
    year: int | None
    tier: str | None
    notes: list[str] = Field(description="What a person should know about the reading.")
    passages: list[Line]


class TaggedDocuments(BaseModel):
    """The documents of a file, one a country, and the model that tagged them."""

    model: str
    documents: list[TaggedDocument]


class Theme(BaseModel):
    """A theme of the model."""

    name: str
    title: str
    definition: str
    threshold: float = Field(description="A passage gets the theme from this probability on.")
    review: tuple[float, float] = Field(description="Between these probabilities a person should look.")


class ModelCard(BaseModel):
    """What the model knows, and how good it is."""

    version: str = Field(description="The version of tagger.")
    model: str = Field(description="The model's name and the beginning of its digest.")
    themes: list[Theme]
    figures: list[dict[str, Any]] = Field(description="What was measured on passages that the model had not seen.")
    limits: list[str] = Field(description="What it should not be trusted with.")


class Health(BaseModel):
    """The server answers."""

    status: str


def _fails(*statuses: int) -> Mapping[int | str, dict[str, Any]]:
    return {status: {"model": Failure} for status in statuses}


_JSON = "application/json"
_TOKEN = HTTPBearer(auto_error=False, description="The token that the server was started with, if any.")  # checked in security.py

router = APIRouter()


@router.post(
    "/v1/tag",
    dependencies=[Security(_TOKEN)],
    response_model=TaggedTexts,
    responses={**_fails(401, 403, 408, 413, 415, 422, 503)},
    openapi_extra={"requestBody": {"required": True, "content": {_JSON: {"schema": Texts.model_json_schema()}}}},
)
async def tag_texts(request: Request) -> Response:
    """Tag passages."""
    engine: Engine = request.app.state.engine
    metrics: Metrics = request.app.state.metrics
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise HTTPException(415, f"send JSON, with the header Content-Type: {_JSON}")
    try:
        asked = Texts.model_validate_json(await request.body())
    except ValidationError as error:
        raise HTTPException(422, first_error(error.errors(include_url=False, include_context=False, include_input=False))) from error
    if sum(map(len, asked.texts)) > CHARACTERS:
        raise HTTPException(413, f"texts: more than {CHARACTERS:,} characters together: send less at once")
    model, lines = await engine.lines(asked.texts, evidence=asked.evidence)
    metrics.passages.inc(len(lines))
    return Response(answer(model, lines), media_type=_JSON)


@router.post(
    "/v1/documents",
    dependencies=[Security(_TOKEN)],
    response_model=TaggedDocuments,
    responses={**_fails(400, 401, 403, 408, 413, 422, 501, 503)},
)
async def tag_document(
    request: Request,
    file: Annotated[UploadFile, File(description="A report or a table, of any format that tagger reads.")],
    text_column: Annotated[str | None, Form(description="Of a table: the column of the passages; 'text' if left out.")] = None,
    id_column: Annotated[str | None, Form(description="Of a table: the column of their ids; 'id' if left out and there.")] = None,
) -> Response:
    """Read a file and tag its passages."""
    engine: Engine = request.app.state.engine
    uploads: Uploads = request.app.state.uploads
    metrics: Metrics = request.app.state.metrics
    columns = Columns(text=text_column or None, id=id_column or None)
    documents = await uploads.read(file.file, file.filename or "", columns)
    body = await engine.run(partial(_tag_documents, engine.tagger, documents))
    metrics.documents.inc(len(documents))
    metrics.passages.inc(sum(len(document.passages) for document in documents))
    return Response(body, media_type=_JSON)


@router.get("/v1/model", dependencies=[Security(_TOKEN)], responses={**_fails(401, 403)})
async def model(request: Request) -> ModelCard:
    """Say what the model knows, and how good it is."""
    engine: Engine = request.app.state.engine
    about = engine.tagger.about
    return ModelCard(
        version=__version__,
        model=about.model,
        themes=[
            Theme(name=theme.name, title=theme.title, definition=theme.definition, threshold=theme.threshold, review=theme.review)
            for theme in about.themes
        ],
        figures=[
            {
                "name": figures.name,
                "about": figures.about,
                "passages": figures.passages,
                "macro_f1": figures.macro_f1,
                "interval": figures.interval,
                "themes": {
                    theme: dict(zip(("precision", "recall", "f1"), values, strict=True)) for theme, values in figures.themes.items()
                },
            }
            for figures in about.figures
        ],
        limits=list(about.limits),
    )


@router.get("/healthz")
async def healthz() -> Health:
    """Say that the server answers; needs no token."""
    return Health(status="ok")


@router.get(
    "/metrics",
    dependencies=[Security(_TOKEN)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **_fails(401, 403)},
)
def metrics(request: Request) -> Response:
    """Count requests, seconds, passages and documents, for Prometheus."""
    found: Metrics = request.app.state.metrics
    return Response(found.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def answer(model: str, lines: Sequence[bytes]) -> bytes:
    """What `/v1/tag` answers: JSON put together, as to make it anew of objects takes longer than tagging."""
    return b'{"model": %b, "passages": [%b]}' % (json.dumps(model).encode(), b", ".join(lines))


def _tag_documents(tagger: Tagger, documents: Sequence[Document]) -> bytes:
    about = tagger.about
    found = b", ".join(_document(document, json_lines(tagger.tags(document), about)) for document in documents)
    return b'{"model": %b, "documents": [%b]}' % (json.dumps(about.model).encode(), found)


def _document(document: Document, lines: Sequence[bytes]) -> bytes:
    head = {name: getattr(document, name) for name in ("name", "title", "country", "year", "tier", "notes")}
    return b'%b, "passages": [%b]}' % (json.dumps(head).encode()[:-1], b", ".join(lines))


def first_error(errors: Sequence[Mapping[str, Any]]) -> str:
    """Say in one line what of a request is wrong, without what was sent."""
    place = ".".join(str(part) for part in errors[0]["loc"])
    return f"{place}: {errors[0]['msg']}" if place else str(errors[0]["msg"])
