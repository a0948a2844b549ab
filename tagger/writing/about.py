"""What a writer says besides the passages: the themes, the model, its measured figures and how to read a score."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tagger.records import Document, Tagged
from tagger.writing.text import clean

Results = Iterable[tuple[Document, Sequence[Tagged]]]
"""What is written: each document with its tagged passages, one after the other."""

READING = (
    "A score is the probability, as the model sees it, that a passage is about a theme: of 100 passages scored 0.80, about 80 are.",
    "A passage gets a theme when its score reaches the theme's threshold.",
    "A score in the theme's review band is unsure: a person should read the passage, whether it got the theme or not.",
    "The deciding words are those that raised the score most. They show what the model looked at, not what is true.",
)


@dataclass(frozen=True, slots=True)
class AboutTheme:
    """A theme as people read it; ``letter`` is its short mark, unique among the themes."""

    name: str
    title: str
    definition: str
    letter: str
    threshold: float
    review: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """How good the model was on some passages; ``themes`` maps a theme to its precision, recall and F1."""

    name: str
    about: str
    passages: int
    macro_f1: float
    interval: tuple[float, float]
    themes: Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class About:
    """What a reader of results needs to know about the model that made them, and how they were chosen.

    ``kept`` names the themes for whose scores passages were chosen, also below the threshold, and from which score on.
    """

    themes: tuple[AboutTheme, ...]
    model: str = ""
    figures: tuple[Figures, ...] = ()
    limits: tuple[str, ...] = ()
    kept: Mapping[str, float] = field(default_factory=dict)

    def shows(self, item: Tagged, theme: str) -> bool:
        """Tell whether a theme is shown at a passage: it was given, should be looked at, or is what the passage was chosen for."""
        return theme in item.labels or theme in item.review or item.scores[theme] >= self.kept.get(theme, math.inf)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the themes, in column order."""
        return tuple(theme.name for theme in self.themes)


def about_model(
    names: Sequence[str],
    thresholds: Sequence[float],
    review: Sequence[Sequence[float]],
    card: Mapping[str, Any],
    *,
    model: str = "",
) -> About:
    """Take from a model's card what results show. A card may lack any of it: models are trained by others, too."""
    titles, definitions = (_texts(card.get(key)) for key in ("titles", "definitions"))
    limits = card.get("limits")
    digest = card.get("digest")
    themes = [
        AboutTheme(name, titles.get(name, name), definitions.get(name, ""), letter, float(threshold), (float(band[0]), float(band[1])))
        for name, letter, threshold, band in zip(names, letters(names), thresholds, review, strict=True)
    ]
    return About(
        themes=tuple(themes),
        model=clean(f"{model} ({digest[:16]})".strip() if isinstance(digest, str) else model),
        figures=tuple(_figures(card)),
        limits=tuple(map(str, limits)) if isinstance(limits, list) else (),
    )


def _figures(card: Mapping[str, Any]) -> Iterable[Figures]:
    """Figures on passages never seen, then those of cross-validation; what is not written as expected is left out."""
    measured = card.get("measured")
    found = list(measured.items()) if isinstance(measured, Mapping) else []
    note = "Passages that the model learned from, each scored by a model that had not seen its document."
    found.append(("Cross-validation on the training corpora", {"about": note, "figures": card.get("cross_validation")}))
    for name, part in found:
        try:
            figures = part["figures"]
            low, high = figures["macro_interval"]
            themes = {str(row["theme"]): (float(row["precision"]), float(row["recall"]), float(row["f1"])) for row in figures["themes"]}
            yield Figures(name, str(part["about"]), int(figures["passages"]), float(figures["macro_f1"]), (float(low), float(high)), themes)
        except (KeyError, TypeError, ValueError):
            continue


def _texts(value: Any) -> dict[str, str]:
    return {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, Mapping) else {}


def letters(names: Sequence[str]) -> list[str]:
    """A capital letter for each theme: of its name, as far as letters go; then its number."""
    taken: list[str] = []
    for number, name in enumerate(names, 1):
        free = (letter for letter in name.upper() if letter.isalpha() and len(letter) == 1 and letter not in taken)
        taken.append(next(free, str(number)))
    return taken
