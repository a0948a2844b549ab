"""Themes as the report shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tagger.writing.about import letters
from tagger.writing.text import clean
from tagger.writing.webpage import STYLES


class Theme(NamedTuple):
    """A theme with its column and its colour, shape and underline in the style sheet."""

    place: int
    style: int
    name: str
    title: str
    letter: str


def themes_of(names: Sequence[str]) -> list[Theme]:
    """The themes with their titles: forced_labor becomes Forced labor."""
    titles = [clean(name).replace("_", " ") for name in names]
    marks = zip(names, titles, letters(titles), strict=True)
    return [Theme(place, place % STYLES, name, title[:1].upper() + title[1:], letter) for place, (name, title, letter) in enumerate(marks)]
