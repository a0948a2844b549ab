"""Whether a text is English, the one language that the models know: told by how many of its words are the commonest of English."""

from __future__ import annotations

import re

NOTE = "does not look like English; the model knows English only"

# Without those that other languages have too: a, in, on, is, was.
_COMMON = frozenset(re.findall(r"\w+", "the of and to that with by for from were which their not have has been or this it its are they"))
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_WORDS = 200
_LEAST_SHARE = 0.1  # every 200 words of the corpora have more than 0.12, all together 0.23; other languages 0.00 to 0.02
_SAMPLE = 10_000  # characters, from the middle: at the beginning of many a file stand lists of names


def looks_english(text: str) -> bool:
    """Tell whether a text looks like English; one of fewer than 200 words does in any case.

    >>> looks_english("It was the best of times. " * 50), looks_english("Era el mejor de los tiempos. " * 50)
    (True, False)
    """
    start = max(0, (len(text) - _SAMPLE) // 2)
    words = _WORD.findall(text[start : start + _SAMPLE].lower())
    return len(words) < _LEAST_WORDS or sum(map(_COMMON.__contains__, words)) >= _LEAST_SHARE * len(words)
