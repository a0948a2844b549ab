"""Boxes on a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Segment(NamedTuple):
    """A piece of a line and its box, in points; y grows upwards."""

    text: str
    x0: float
    x1: float
    y0: float
    y1: float

    @property
    def size(self) -> float:
        """Height of the box: that of the font, about."""
        return self.y1 - self.y0


class Page(NamedTuple):
    """A page's number in the file, its height, and what stands on it."""

    number: int
    height: float
    segments: tuple[Segment, ...]


def rows(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Group what stands on the same line, from the top down, and from left to right within it."""
    found: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda item: -(item.y0 + item.y1)):
        if found and found[-1][0].y0 - 0.5 * segment.size < segment.y0 and segment.y1 - found[-1][0].y0 > 0.5 * segment.size:
            found[-1].append(segment)
        else:
            found.append([segment])
    for row in found:
        row.sort(key=lambda item: item.x0)
    return found
