"""What stands on pages beside the text: running heads, page numbers, the labels of a tier-history graphic."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from tagger.reading.geometry import Page, Segment, rows
from tagger.structure import Header, header_line, heading

_OUTER = 0.13  # share of a page's height where running heads and page numbers stand
_NUMBER = re.compile(r"(?:page )?[-\u2013\u2014 ]*(?:\d{1,4}|[ivxlc]{1,6})(?: ?(?:of|/) ?\d{1,4})?[-\u2013\u2014 ]*", re.IGNORECASE)
_TITLE = re.compile(r"trafficking in persons report", re.IGNORECASE)
_CHART_TITLE = re.compile(r".{0,60}\btier (?:ranking|placement|history)(?: by year)?", re.IGNORECASE)
_CHART_LABEL = re.compile(r"(?:(?:(?:19|20)\d\d|tier|watch ?list|wl|special case|sc|[123]|[\u2022\u25cf\u25a0*])[\s,-]*)+", re.IGNORECASE)
_YEARS = re.compile(r"(?:(?:19|20)\d\d[\s,-]*)+")


class _Edge(NamedTuple):
    """A row at the top or the bottom of a page."""

    segments: tuple[Segment, ...]
    text: str
    level: int
    alone: bool  # more space parts it from the next row than there is between lines

    @property
    def key(self) -> tuple[str, int]:
        """What is equal on pages that have the same running head."""
        return re.sub(r"\d+", "#", self.text.lower()), self.level


def without_furniture(pages: Sequence[Page]) -> tuple[list[Page], str | None]:
    """Return the pages with what belongs to the text, and the title that the running heads give, if any."""
    edges = [_sides(page) for page in pages]
    seen = Counter(key for page in edges for key in {edge.key for side in page for edge in side})
    levels = Counter(level for page in edges for level in {edge.level for side in page for edge in side if edge.alone})
    usual = median([y1 - y0 for page in pages for _, _, _, y0, y1 in page.segments] or [0.0])
    most = max(2.0, 0.6 * len(pages))
    kept: list[Page] = []
    titles: Counter[str] = Counter()
    for page, sides in zip(pages, edges, strict=True):
        gone: set[Segment] = set()
        for edge in (edge for side in sides for edge in side):
            header = header_line(edge.text) or Header()
            belongs = heading(edge.text) or edge.segments[0].size > 1.4 * usual or header.tier
            titled = edge.alone and header.title and not header.country  # on a single page nothing repeats
            numbered = edge.alone and _NUMBER.fullmatch(edge.text)
            repeated = seen[edge.key] > 1 and re.search(r"[^\W\d_]", edge.text)
            placed = edge.alone and levels[edge.level] >= most and len(edge.text) < 80
            if not belongs and (numbered or titled or repeated or placed):
                gone.update(edge.segments)
                if _TITLE.search(edge.text):
                    titles[re.sub(r"^\d+ | \d{1,3}$", "", edge.text)] += 1
        gone |= _chart(page, usual)
        heights = {segment.y0 for segment in gone}
        kept.append(page._replace(segments=tuple([one for one in page.segments if one.y0 not in heights or one not in gone])))
    return kept, titles.most_common(1)[0][0] if titles else None


def _sides(page: Page) -> tuple[list[_Edge], list[_Edge]]:
    """The first two rows of a page and the last two, if they stand in its margins."""
    margin = _OUTER * page.height
    found = rows(segment for segment in page.segments if not 2 * margin < segment.y0 < page.height - 2 * margin)
    return list(_edges(page, found, top=True)), list(_edges(page, found[::-1], top=False))


def _edges(page: Page, found: list[list[Segment]], *, top: bool) -> Iterator[_Edge]:
    for row, inner in zip(found[:2], [*found[1:3], None, None], strict=False):
        middle = (row[0].y0 + row[0].y1) / 2
        if (page.height - middle if top else middle) > _OUTER * page.height:
            return
        space = float("inf") if inner is None else row[0].y0 - inner[0].y1 if top else inner[0].y0 - row[0].y1
        text = " ".join(segment.text.strip() for segment in row)
        yield _Edge(tuple(row), text, round(middle / 3), space > 0.8 * row[0].size)


def _chart(page: Page, usual: float) -> set[Segment]:
    """The labels of a tier-history graphic, if the page has one: a title, a row of years, the names of the tiers."""
    titles = [segment for segment in page.segments if "tier" in segment.text.lower() and _CHART_TITLE.fullmatch(segment.text)]
    years = [segment for segment in page.segments if segment.text.startswith(("1", "2")) and _YEARS.fullmatch(segment.text)]
    if not titles and sum(len(segment.text.split()) for segment in years) < 4:
        return set()
    around = [*titles, *years]
    left, right = min(segment.x0 for segment in around) - 60, max(segment.x1 for segment in around) + 60
    low, high = min(segment.y0 for segment in around) - 150, max(segment.y1 for segment in around) + 150
    labels = (segment for segment in page.segments if _CHART_LABEL.fullmatch(segment.text) and segment.size < 1.3 * usual)
    return {*titles, *(label for label in labels if left <= label.x0 and label.x1 <= right and low <= label.y0 <= high)}
