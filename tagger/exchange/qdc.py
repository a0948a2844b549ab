"""REFI-QDA codebooks: the themes as codes with their definitions and colours, in a ``.qdc`` file or in the project of a ``.qdpx`` file."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from tagger.errors import InputError, MissingExtraError
from tagger.exchange.items import colours
from tagger.reading.content import clean
from tagger.themes import Theme

if TYPE_CHECKING:
    from lxml.etree import _Element

SPACE = uuid.UUID("03b01de5-8aba-5aaa-ae9d-4add2be25ce6")
"""Of the identifiers that we make: the same thing has the same one in every file."""
CODEBOOK = "urn:QDA-XML:codebook:1.0"
_MOST_XML = 64 << 20  # bytes; parsed, it takes some ten times its size
_SIGNS = re.compile(r"[^a-z0-9_-]+")
_PARTS = ("Question", "Yes", "No", "Words", "Name")
_POINTS = ("Yes", "No", "Words")


@dataclass(frozen=True, slots=True)
class Code:
    """A code with the names of the codes above it, the nearest first."""

    guid: str
    name: str
    description: str
    above: tuple[str, ...]
    codable: bool


def guid(*parts: object) -> str:
    """A stable identifier."""
    return str(uuid.uuid5(SPACE, "\0".join(map(str, parts))))


def etree() -> Any:
    """The XML library."""
    try:
        from lxml import etree
    except ImportError as error:
        raise MissingExtraError("lxml", "documents") from error
    return etree


def parse(data: bytes, root: str) -> _Element:
    """Parse XML without entities, document types or anything outside the file; its first element must have this name."""
    if len(data) > _MOST_XML:
        raise InputError(f"holds more than {_MOST_XML >> 20} MiB of XML: cut it into several projects")
    xml = etree()
    parser = xml.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True)
    try:
        found: _Element = xml.fromstring(data, parser)
    except (xml.XMLSyntaxError, ValueError) as error:
        raise InputError(f"is no XML: {str(error).splitlines()[0]}") from error
    if found.getroottree().docinfo.doctype:
        raise InputError("has a document type, as no REFI-QDA file does: it may be made to do harm")
    if local(found) != root:
        raise InputError(f"holds {local(found)!r} where REFI-QDA has {root!r}")
    return found


def local(element: _Element) -> str:
    """An element's name without its namespace, which the versions of the standard differ in."""
    return str(element.tag).rpartition("}")[2]


def children(element: _Element | None, name: str) -> Iterator[_Element]:
    """Yield an element's children of this name."""
    return (child for child in ([] if element is None else element) if isinstance(child.tag, str) and local(child) == name)


def child(element: _Element | None, name: str) -> _Element | None:
    """The first of an element's children of this name."""
    return next(children(element, name), None)


def text(element: _Element | None) -> str:
    """What stands in an element."""
    return "" if element is None else clean(element.text or "")


def read_qdc(data: bytes) -> list[Theme]:
    """Read a codebook as themes: every code that can be given, with its description as the definition.

    Raises
    ------
    InputError
        It is no codebook, or has no code.
    """
    themes: list[Theme] = []
    for code in codes(child(parse(data, "CodeBook"), "Codes")):
        if code.codable:
            themes.append(_theme(code, {theme.name for theme in themes}))
    if not themes:
        raise InputError("has no code")
    return themes


def write_qdc(themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a codebook."""
    xml = etree()
    root = xml.Element(f"{{{CODEBOOK}}}CodeBook", nsmap={None: CODEBOOK}, origin="tagger")
    root.append(codes_element(themes, CODEBOOK))
    xml.ElementTree(root).write(stream, encoding="utf-8", xml_declaration=True, pretty_print=True)


def codes_element(themes: Sequence[Theme], space: str) -> _Element:
    """The themes as ``Codes`` of a codebook or a project."""
    xml = etree()
    shades = colours(themes)
    found: _Element = xml.Element(f"{{{space}}}Codes")
    for theme in themes:
        code = xml.SubElement(
            found, f"{{{space}}}Code", guid=theme_guid(theme.name), name=clean(theme.title), isCodable="true", color=shades[theme.name]
        )
        xml.SubElement(code, f"{{{space}}}Description").text = clean(_description(theme))
    return found


def theme_guid(name: str) -> str:
    """The identifier of a theme's code."""
    return guid("code", name)


def codes(element: _Element | None) -> Iterator[Code]:
    """Yield the codes of a codebook, each before those below it."""
    above: tuple[str, ...] = ()
    waiting = [(code, above) for code in children(element, "Code")][::-1]
    while waiting:
        code, above = waiting.pop()
        name = " ".join(clean(code.get("name") or "").split())
        if not name or not code.get("guid"):
            raise InputError(f"line {code.sourceline}: a code has no name or no guid")
        about = text(child(code, "Description")) or clean(code.get("description") or "")
        yield Code(plain_guid(code.get("guid")), name, about, above, code.get("isCodable", "true") in ("true", "1"))
        waiting += [(inner, (name, *above)) for inner in children(code, "Code")][::-1]


def plain_guid(value: str | None) -> str:
    """An identifier as it is compared: some tools write capitals, some braces."""
    return (value or "").strip().strip("{}").lower()


def _description(theme: Theme) -> str:
    """A theme for people: what `_theme` understands again."""
    lines = [theme.definition]
    lines += ["", f"Question: {theme.question}"] if theme.question else []
    for title, points in zip(_POINTS, (theme.yes, theme.no, theme.words), strict=True):
        lines += ["", f"{title}:", *(f"- {point}" for point in points)] if points else []
    return "\n".join([*lines, "", f"Name: {theme.name}"])


def _theme(code: Code, taken: set[str]) -> Theme:
    found: dict[str, list[str]] = {part: [] for part in ("", *_PARTS)}
    part = ""
    for line in code.description.splitlines():
        title, colon, rest = line.partition(":")
        if colon and title in _PARTS:
            part, line = title, rest
        if not part:
            found[part].append(line)
        elif line.strip():
            found[part].append(line.strip().removeprefix("- ") if part in _POINTS else line.strip())
    name = _SIGNS.sub("_", ("".join(found["Name"]) or code.name).lower()).strip("_-")
    name, number = (name if name[:1].isalpha() else f"code_{name}".rstrip("_"))[:40], 1
    while name in taken:
        number += 1
        name = f"{name[:36]}_{number}"
    return Theme(
        name,
        code.name,
        " ".join(found["Question"]),
        "\n".join(found[""]).strip() or code.name,
        tuple(found["Yes"]),
        tuple(found["No"]),
        tuple(found["Words"]),
    )


def themes_toml(themes: Sequence[Theme], title: str) -> str:
    """The themes as a ``themes.toml`` that `tagger.themes.load_codebook` reads."""
    lines = ["version = 1", f"title = {_quoted(title)}"]
    for theme in themes:
        lines += ["", "[[theme]]"]
        lines += [f"{name} = {_quoted(getattr(theme, name))}" for name in ("name", "title", "question", "definition")]
        for name in ("yes", "no", "words"):
            if points := getattr(theme, name):
                lines += [f"{name} = [", *(f"    {_quoted(point)}," for point in points), "]"]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
