"""Characters that nobody sees and that cut words in two for whoever counts these: soft hyphens and those of no width."""

from __future__ import annotations

INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
"""Soft hyphen; spaces, joiners and marks of no width; the mark of a text's byte order."""


def visible(text: str) -> str:
    r"""The text without them; of one that has none the same object.

    >>> visible("traf\u00adfick\u200bers")
    'traffickers'
    """
    if not text.isascii():
        for character in INVISIBLE:
            if character in text:
                text = text.replace(character, "")
    return text
