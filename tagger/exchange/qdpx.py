"""REFI-QDA projects (``.qdpx``): documents with codings of exact characters, for NVivo, ATLAS.ti, MAXQDA, QualCoder and others.

A project is a zip archive with ``project.qde`` and the texts in ``sources/``. Positions count Unicode characters, the end excluded. A
passage is a selection with its id as name; a description of the selection holds what else is known of it, a line each.
"""

from __future__ import annotations

import re
import zipfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import IO, TYPE_CHECKING

from tagger.errors import InputError
from tagger.exchange.codings import Coded, Span, cut, documents, offsets, unplaced, vote
from tagger.exchange.items import FINAL, MACHINE, Corpus, Item, Labels, Voted, decide, detailed, named
from tagger.exchange.qdc import child, children, codes, codes_element, etree, guid, local, parse, plain_guid, text, theme_guid
from tagger.reading.archives import member, open_archive
from tagger.reading.content import Limits, clean
from tagger.reading.plain import check_size, decode
from tagger.themes import Theme
from tagger.writing.text import many

if TYPE_CHECKING:
    from lxml.etree import _Element

_PROJECT = "urn:QDA-XML:project:1.0"
_ORIGIN = "tagger"
_JOINED = "The passages of this document, a line each."
_FIELDS = ("section", "page", "paragraph", "source", "asked", "settled")
_UNSEEN = "text that only a model coded"
_OFF = "coding outside the passages"
_BETWEEN = re.compile(r"(?<!\w)(?=\w)|(?<=\w)(?!\w)")


def write_qdpx(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a project; each annotator is a user, and so is the model that gave the labels, if one did."""
    xml = etree()
    last = corpus.model or FINAL
    users = [*(["first", "second"] if any(item.votes for item in corpus.items) else []), last]
    root = xml.Element(_tag("Project"), nsmap={None: _PROJECT}, name="tagger", origin=_ORIGIN, creatingUserGUID=_user(last))
    found = xml.SubElement(root, _tag("Users"))
    for name in users:
        xml.SubElement(found, _tag("User"), guid=_user(name), name=clean(name))
    xml.SubElement(root, _tag("CodeBook")).append(codes_element(themes, _PROJECT))
    sources = xml.SubElement(root, _tag("Sources"))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in documents(corpus):
            _source(sources, one, last)
            _put(archive, f"sources/{_text_guid(one)}.txt", one.text.encode("utf-8", "replace"))
        _put(archive, "project.qde", xml.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True))


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    about = zipfile.ZipInfo(name)  # without the time, so that the same corpus makes the same file
    about.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(about, data)


def _tag(name: str) -> str:
    return f"{{{_PROJECT}}}{name}"


def _user(name: str) -> str:
    return guid("user", name)


def _text_guid(one: Coded) -> str:
    return guid("source", one.name, one.text)


def _source(sources: _Element, one: Coded, last: str) -> None:
    """Add a document with its passages and their codings."""
    xml = etree()
    by = {"creatingUser": _user(last)}
    key = _text_guid(one)
    source = xml.SubElement(sources, _tag("TextSource"), guid=key, name=clean(one.name), plainTextPath=f"internal://{key}.txt", **by)
    if one.joined:
        xml.SubElement(source, _tag("Description")).text = _JOINED
    for item in one.items:
        mine = guid(key, item.id, item.start, item.end)
        places = {"startPosition": str(item.start), "endPosition": str(item.end)}
        selection = xml.SubElement(source, _tag("PlainTextSelection"), guid=mine, name=clean(item.id), **places, **by)
        known = [f"{name}: {_one_line(value)}" for name in _FIELDS if (value := getattr(item, name)) is not None]
        known += [f"annotators: {', '.join(item.votes)}"] if item.votes else []
        if known:
            xml.SubElement(selection, _tag("Description")).text = clean("\n".join(known))
        votes: Mapping[str, tuple[str, ...]] = item.votes or {FINAL: item.labels}
        for who, given in votes.items():
            who = last if who == FINAL else who
            for theme in given:
                coding = xml.SubElement(selection, _tag("Coding"), guid=guid(mine, who, theme), creatingUser=_user(who))
                xml.SubElement(coding, _tag("CodeRef"), targetGUID=theme_guid(theme))


def _one_line(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("\n", "\\n")


def _known(description: str) -> dict[str, str]:
    """What the description of a selection of ours says."""
    lines = (line.split(": ", 1) for line in description.split("\n") if ": " in line)
    return {name: re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value) for name, value in lines}


@dataclass(slots=True)
class _Project:
    """What the codings of a project refer to.

    ``members`` are the files inside by their names in small letters; ``missed`` counts what can't be read, by what it is; ``read`` are the
    members whose texts were read, and ``characters`` those of all texts together.
    """

    archive: zipfile.ZipFile
    codes: Mapping[str, tuple[str, ...]]
    users: Mapping[str, str]
    ours: bool
    labels: Labels
    limits: Limits
    members: Mapping[str, str]
    missed: Counter[str] = field(default_factory=Counter)
    read: set[str] = field(default_factory=set)
    characters: int = 0

    def counted(self, text: str) -> str:
        """Return a text of the project, unless it is one too many."""
        self.characters += len(text)
        if self.characters > self.limits.characters:
            most = f"{self.limits.characters:,} characters of text"
            raise InputError(f"holds more than {most}: cut it into several projects, or raise the limit")
        return text


def read_qdpx(data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read the texts of a project and the codings of their characters.

    In a project of ours a selection that we wrote is a passage, and others are codings on these; other texts are cut into passages as
    `tagger.read` does, and a passage has the themes of the codings on it. A code below one that is a theme counts as that theme. Texts
    without codings are left out, as nobody may have read them, and so are pictures, sound, video and the regions of PDF pages.
    """
    with open_archive(data, limits) as archive:
        inside = [one for one in archive.namelist() if one.lower().endswith(".qde")]
        if not inside:
            raise InputError("is a zip archive, but no REFI-QDA project: there is no project.qde in it")
        root = parse(member(archive, inside[0]), "Project")
        users = {
            plain_guid(user.get("guid")): user.get("name") or user.get("id") or "somebody"
            for user in children(child(root, "Users"), "User")
        }
        names = {code.guid: (code.name, *code.above) for code in codes(child(child(root, "CodeBook"), "Codes"))}
        names |= {theme_guid(theme): (theme,) for theme in labels.names if theme_guid(theme) in names}
        members = {one.lower(): one for one in archive.namelist()}
        project = _Project(archive, names, _distinct(users), root.get("origin") == _ORIGIN, labels, limits, members)
        voted: list[Voted] = []
        texts: dict[str, str] = {}
        again: Counter[str] = Counter()
        for number, source in enumerate(_text_sources(root, project), 1):
            document = first = clean(source.get("name") or f"{name}-{number:04d}")
            while document in texts:
                again[first] += 1
                document = f"{first}-{again[first] + 1}"
            found, content = _passages(source, document, project)
            voted += found
            if len(voted) > limits.passages:
                raise InputError(f"has more than {limits.passages:,} passages: cut it into several projects, or raise the limit")
            texts.update({} if content is None else {document: content})
    if not voted:
        raise InputError("has no text with codings" + "".join(f"; {note}" for note in _notes(project)))
    items, notes = decide(voted, labels)
    return Corpus(named(items, name), texts, notes=(*notes, *_notes(project)))


def _distinct(users: Mapping[str, str]) -> dict[str, str]:
    """Users by identifier, with names that differ."""
    counts = Counter(users.values())
    return {key: name if counts[name] == 1 else f"{name} {key[:8]}" for key, name in users.items()}


def _notes(project: _Project) -> list[str]:
    unseen, off = project.missed.pop(_UNSEEN, 0), project.missed.pop(_OFF, 0)
    notes = [f"{many(count, what)} left out" for what, count in project.missed.items()]
    notes += [f"{many(off, 'coding')} outside the passages left out"] if off else []
    return notes + ([f"the labels of {many(unseen, 'text')} are a model's, and no person's"] if unseen else [])


def _text_sources(root: _Element, project: _Project) -> Iterator[_Element]:
    """Yield the sources that are texts, those of PDF files among them, and count the others that are coded."""
    sources = child(root, "Sources")
    for source in [] if sources is None else sources:
        if not isinstance(source.tag, str):
            continue
        kind = local(source)
        if kind == "TextSource":
            yield source
        elif (
            kind == "PDFSource"
            and (inner := child(source, "Representation")) is not None
            and child(inner, "PlainTextSelection") is not None
        ):
            inner.set("name", source.get("name") or inner.get("name") or "")
            yield inner
        else:
            coded = [
                one for one in source if isinstance(one.tag, str) and local(one).endswith("Selection") and child(one, "Coding") is not None
            ]
            project.missed.update(f"coded {local(one)}" for one in coded)


def _passages(source: _Element, document: str, project: _Project) -> tuple[list[Voted], str | None]:
    """The passages of a text with what each user gave them, and the text unless it was made of passages."""
    selections = list(children(source, "PlainTextSelection"))
    ours = {selection for selection in selections if project.ours and _ours(source, selection)}
    if not ours and not any(child(selection, "Coding") is not None for selection in selections):
        project.missed["text without codings"] += 1
        return [], None
    raw = _raw_text(source, document, project)
    content, places = _placed(raw, [_positions(selection, document) for selection in selections])
    spans: list[Span] = []
    for selection, (start, end) in zip(selections, places, strict=True):
        if not start < end <= len(content):
            raise InputError(f"{document}: a selection goes from {start} to {end} in a text of {len(content)} characters")
        spans += [
            Span(start, end, theme, project.users.get(plain_guid(coding.get("creatingUser")), "somebody"))
            for coding in children(selection, "Coding")
            if (theme := _theme(coding, project, document))
        ]
    spans = _accepted(spans, project)
    if not ours:
        return vote(cut(document, content), spans, project.labels), content
    items: list[Item] = []
    seen: dict[str, list[str]] = {}
    everybody = sorted({span.annotator for span in spans})
    for selection, (start, end) in zip(selections, places, strict=True):
        if selection not in ours:
            continue
        about = _known(text(child(selection, "Description")))
        item = detailed(content[start:end], {**about, "id": selection.get("name"), "document": document}, document)
        items.append(replace(item, start=start, end=end))
        seen[item.id] = [one for one in about.get("annotators", "").split(", ") if one] or everybody
    if off := _off(items, spans):
        project.missed[_OFF] += off
    voted = vote(items, spans, project.labels, seen)
    return (unplaced(voted), None) if text(child(source, "Description")) == _JOINED else (voted, content)


def _off(items: Sequence[Item], spans: Sequence[Span]) -> int:
    """How many codings have no character of a passage."""
    ranges = sorted((item.start or 0, item.end or 0) for item in items)
    starts = [start for start, _ in ranges]
    furthest = [0, *accumulate((end for _, end in ranges), max)]
    return sum(furthest[bisect_left(starts, span.end)] <= span.start for span in spans)


def _ours(source: _Element, selection: _Element) -> bool:
    """Tell whether a selection is a passage as `write_qdpx` writes it, and no coding that somebody added."""
    known = [selection.get(name) for name in ("name", "startPosition", "endPosition")]
    return plain_guid(selection.get("guid")) == guid(plain_guid(source.get("guid")), *known)


def _accepted(spans: Sequence[Span], project: _Project) -> list[Span]:
    """A model's codings as those of the people who coded in the same text, for they could have taken them away."""
    machines = {span.annotator for span in spans if span.annotator.split(" ")[0] == MACHINE}
    people = sorted({span.annotator for span in spans} - machines)
    if machines and not people:
        project.missed[_UNSEEN] += 1
    return [
        replace(span, annotator=who) for span in spans for who in (people if span.annotator in machines and people else [span.annotator])
    ]


def _theme(coding: _Element, project: _Project, document: str) -> str | None:
    reference = child(coding, "CodeRef")
    target = plain_guid(None if reference is None else reference.get("targetGUID"))
    if target not in project.codes:
        raise InputError(f"{document}: a coding refers to a code that is not in the codebook ({target or 'none'})")
    return project.labels.theme(*project.codes[target], where=document)


def _raw_text(source: _Element, document: str, project: _Project) -> str:
    """The text of a source as it lies in the file, its line ends as they are."""
    path = source.get("plainTextPath")
    if path is None:
        content = child(source, "PlainTextContent")
        if content is None:
            raise InputError(f"{document}: has no plain text: export the project with its texts")
        return project.counted(content.text or "")
    scheme, _, name = path.partition("://")
    if scheme != "internal":
        raise InputError(f"{document}: its text lies outside the file ({path[:100]}): export the project with its sources")
    found = project.members.get(f"sources/{name}".lower()) or project.members.get(name.lower())
    if found is None:
        raise InputError(f"{document}: its text, sources/{name[:100]}, is not in the file")
    if found in project.read:
        raise InputError(f"{document}: its text, sources/{name[:100]}, is that of another source, too: give each its own")
    project.read.add(found)
    data = member(project.archive, found)
    check_size(data, project.limits)
    return project.counted(decode(data, raw=True)[0])


def _positions(selection: _Element, document: str) -> tuple[int, int]:
    try:
        return int(selection.get("startPosition") or ""), int(selection.get("endPosition") or "")
    except ValueError as error:
        raise InputError(f"{document}: line {selection.sourceline}: a selection has no start or end") from error


def _placed(raw: str, ranges: Sequence[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """The text with line feeds, and where the selections stand in it.

    Tools count differently: a line end of two characters as two or as one, and a rare character as one or, as in UTF-16, as two. Most
    selections begin and end where words do, so that way of counting is taken by which most do; the standard's, where it is all the same.
    """
    content = clean(raw)
    if "\r" not in raw and all(character < "\U00010000" for character in raw):
        return content, list(ranges)
    edges = {match.start() for match in _BETWEEN.finditer(content)}
    best: tuple[int, list[tuple[int, int]]] | None = None
    for two_ends, wide in ((True, False), (False, False), (True, True), (False, True)):
        counted = offsets(raw, two_ends=two_ends, wide=wide)
        places = [(bisect_left(counted, start), bisect_left(counted, end)) for start, end in ranges]
        good = sum(offset in edges for place in places for offset in place)
        if best is None or good > best[0]:
            best = good, places
    return content, best[1] if best else []
