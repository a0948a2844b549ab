"""Whether a hyphen at the end of a line belongs to the word: the other words of the document tell, then a list of words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

# A range of letters, though a few signs are among them: it takes half the time of asking for each character whether it is a letter.
_WORD = re.compile("[a-z\u00aa-\u1fff]+(?:[-\u2019'][a-z\u00aa-\u1fff]+)*")
_LAST = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)-$")
_FIRST = re.compile(r"[^\W\d_]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# First parts after which the reports keep a hyphen.
_PREFIXES = _set("""
all anti cross full government half high hard ill labor large law long low mid multi non off older one part post pre quasi self
semi sex short single so state sub two three four five six seven eight nine ten victim well year years
""")
# First parts of words written as one, though both halves are words: counterparts, overturned, frontline, without.
_CLOSED = _set("""
after back black brother counter cross down door eye fire fore foot front grand hand head home house life land mean mother news
over road sales sister some south north east west super their them there through trans under water when where with within wood
work every other common ware gate ground land child fisher body ship text time room man men book board
""")
# Second parts before which they nearly always keep one.
_LAST_PARTS = _set("""
based trafficking centered related smuggling exploitation funded owned generating informed trained ranking level risk profile
""")


@cache
def _listed() -> frozenset[str]:
    """Words of reports of this kind, with and without hyphens; `make words` writes the list."""
    return frozenset(Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split())


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Lines without the words that a hyphen at a line's end cuts in two."""
    broken = False
    for line in lines:
        if broken and (rest := _FIRST.match(line)):
            line = line[rest.end() :]
        broken = line[-1:] == "-" and line[-2:-1].isalpha()
        yield line[: line.rfind(" ") + 1] if broken else line


class Vocabulary:
    """The words of a document, counted, but for those cut by a line's end."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._words = Counter(_WORD.findall("\n".join(_whole(lines)).lower()))

    def keeps_hyphen(self, line: str, following: str) -> bool:
        """Tell whether the hyphen that ends ``line`` stays when ``following`` is joined to it.

        >>> Vocabulary(["the anti-trafficking law", "in prostitution"]).keeps_hyphen("an anti-", "trafficking unit")
        True
        """
        left, right = _LAST.search(line, line.rfind(" ") + 1), _FIRST.match(following)
        if not left or not right:
            return True
        before, after = left[1].lower(), right.group().lower()
        joined, parted = before + after, f"{before}-{after}"
        if self._words[joined] != self._words[parted]:
            return self._words[parted] > self._words[joined]
        if (joined in _listed()) != (parted in _listed()):
            return parted in _listed()
        if right.group()[0].isupper() and not left[1].isupper():
            return True
        if (after in _LAST_PARTS and len(before) > 2) or "-" in before:
            return True
        # Neither is known, or both alike: two words that stand alone elsewhere are more often a compound than one cut in two.
        return (before in _PREFIXES or (before not in _CLOSED and self._known(before))) and self._known(after)

    def _known(self, word: str) -> bool:
        return len(word) > 3 and (self._words[word] > 0 or word in _listed())
