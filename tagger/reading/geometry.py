"""Boxes on a page."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
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
    base = float("inf")
    for segment in sorted(segments, key=_height, reverse=True):
        _, _, _, y0, y1 = segment
        half = (y1 - y0) / 2
        if base - half < y0 and y1 - base > half:
            found[-1].append(segment)
        else:
            found.append([segment])
            base = y0
    for row in found:
        if len(row) > 1:
            row.sort(key=_left)
    return found


def _height(segment: Segment) -> float:
    return segment[3] + segment[4]


_left = itemgetter(1)
