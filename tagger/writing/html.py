"""HTML: one page that holds everything, to read, filter, print and send. Plain data is made here; ``page/`` renders it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import IO, NamedTuple

from tagger.records import Document, Tagged
from tagger.writing.about import READING, About, AboutTheme, Results
from tagger.writing.counts import NO_SECTION, Tally, add_sections
from tagger.writing.text import clean, facts, heading, label, runs
from tagger.writing.webpage import STYLES, render

_PAGE = Path(__file__).parent / "page"


class Theme(NamedTuple):
    """A theme with its place in the model and its colour, shape and underline in the style sheet."""

    place: int
    style: int
    about: AboutTheme


class Badge(NamedTuple):
    """A theme at a passage: its score, whether the passage got it, and whether a person should look."""

    theme: Theme
    score: float
    given: bool
    review: bool

    @property
    def tip(self) -> str:
        """What is shown on hover and focus, and read out."""
        low, high = self.theme.about.review
        said = f"{clean(self.theme.about.title)}: probability {self.score:.2f}"
        if self.review:
            said += f". Unsure (between {low:.2f} and {high:.2f}): please read"
        return said if self.given else f"{said}. Below the threshold of {self.theme.about.threshold:.2f}, so not given"


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage as the page shows it."""

    anchor: str
    number: str
    page: int | None
    begins: bool  # the page, so that it is shown
    runs: list[tuple[str, list[Theme]]]
    badges: list[Badge]

    @property
    def style(self) -> int | None:
        """The style of its strongest theme."""
        given = [badge for badge in self.badges if badge.given]
        return max(given, key=lambda badge: badge.score).theme.style if given else None


class Chart(NamedTuple):
    """Rows of counts that the page draws as bars: a name, where it leads, and what was counted."""

    first: str
    rows: list[tuple[str, str, Tally]]
    total: Tally

    @property
    def most(self) -> int:
        """The count that fills the whole width of a bar."""
        return max((count for _, _, tally in self.rows for count in tally.themes.values()), default=1)


class SectionView(NamedTuple):
    """A section as it reads: paragraphs of passages."""

    name: str
    anchor: str
    paragraphs: list[list[PassageView]]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as the page shows it."""

    anchor: str
    name: str
    title: str
    label: str
    facts: list[str]
    chart: Chart
    sections: list[SectionView]


class View(NamedTuple):
    """All that a page shows of documents: they themselves, counts, the themes, and the names of the sections."""

    documents: list[DocumentView]
    chart: Chart
    themes: list[Theme]
    sections: list[str]


class _Anchors:
    """Makes names for links out of ids: the same for the same ids, and each only once."""

    def __init__(self) -> None:
        own = ("top", "bar", "controls", "toggle", "status", "previous", "next", "index", "about", "main", "nothing")
        self.taken = Counter(own)

    def make(self, wanted: str, other: str) -> str:
        """Name a thing after its id, or else ``other``."""
        base = re.sub(r"[^\w.-]+", "-", wanted).strip("-") or other
        name = base
        while name in self.taken:
            self.taken[base] += 1
            name = f"{base}-{self.taken[base]}"
        self.taken[name] += 1
        return name


def write_html(results: Results, about: About, stream: IO[bytes]) -> None:
    """Write one page for all documents."""
    for piece in render(_PAGE, about=about, reading=READING, **view(results, about)._asdict()):
        stream.write(piece)


def view(results: Results, about: About) -> View:
    """Make of tagged documents what a page shows."""
    themes = [Theme(place, place % STYLES, theme) for place, theme in enumerate(about.themes)]
    anchors = _Anchors()
    documents = []
    total = Tally()
    for number, (document, passages) in enumerate(results, 1):
        documents.append(_document(document, passages, about, themes, anchors, number))
        total.add(passages)
    same = Counter(document.label for document in documents)
    documents = [replace(one, label=f"{one.label} ({one.name})") if same[one.label] > 1 else one for one in documents]
    index = [(document.label, document.anchor, document.chart.total) for document in documents]
    chart = documents[0].chart if len(documents) == 1 else Chart("Document", index, total)
    return View(documents, chart, themes, list(dict.fromkeys(section.name for document in documents for section in document.sections)))


def _document(
    document: Document, passages: Sequence[Tagged], about: About, themes: Sequence[Theme], anchors: _Anchors, number: int
) -> DocumentView:
    by_name = {theme.about.name: theme for theme in themes}
    anchor = anchors.make(f"document-{number}", "document")
    sections = []
    count = 0
    page: int | None = None
    for name, inside in groupby(passages, key=lambda item: item.passage.section or NO_SECTION):
        paragraphs = []
        for paragraph, items in groupby(inside, key=lambda item: item.passage.paragraph):
            views = []
            for item in items:
                count += 1
                views.append(_passage(item, about, by_name, anchors, f"passage-{number}-{count}", count, page))
                page = item.passage.page
            # Passages without a paragraph are no running text: each stands by itself.
            paragraphs += [views] if paragraph is not None else [[view] for view in views]
        sections.append(SectionView(clean(name), anchors.make(f"{anchor}-{name}", anchor), paragraphs))
    first = {section.name: section.anchor for section in reversed(sections)}
    counted = [(clean(name), first[clean(name)], tally) for name, tally in add_sections({}, passages).items()]
    chart = Chart("Section", counted, Tally().add(passages))
    return DocumentView(anchor, clean(document.name), heading(document), label(document), facts(document), chart, sections)


def _passage(
    item: Tagged, about: About, themes: dict[str, Theme], anchors: _Anchors, other: str, count: int, page: int | None
) -> PassageView:
    badges = [
        Badge(theme, item.scores[name], name in item.labels, name in item.review)
        for name, theme in themes.items()
        if about.shows(item, name)
    ]
    number = re.search(r"(\d+)$", item.passage.id)
    return PassageView(
        anchor=anchors.make(item.passage.id, other),
        number=number[1].lstrip("0") if number else str(count),
        page=item.passage.page,
        begins=item.passage.page not in (None, page),
        runs=[(text, [themes[name] for name in found if name in themes]) for text, found in runs(item)],
        badges=badges,
    )
