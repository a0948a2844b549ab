"""Whether what the standard library parses is sure to keep within the limits, whatever is in it."""

from __future__ import annotations

import sys

from tagger.reading.content import Limits

_PER_BYTE, _PER_MARK, _LEAST_SPEED = 16, 192, 1 << 20
"""What they take at the worst: bytes of memory for each of the file (four copies, four bytes a character) and for each mark that
may begin a value or a row (a JSON object: 184), and bytes a second (control characters)."""
_BLOCK = 1 << 17  # bytes that a processor's cache holds
_SHALLOW = 3000  # calls that Python allows within each other; where somebody allowed far more, nested JSON could break the process


def harmless(data: bytes, limits: Limits) -> bool:
    """Tell whether a table of text has too few bytes and values to take more memory or time than it may.

    Its parsers, of the standard library, go through it once and make an object a value.
    """
    if len(data) > limits.seconds * _LEAST_SPEED or sys.getrecursionlimit() > _SHALLOW:
        return False
    spare = limits.memory - _PER_BYTE * len(data)
    return _PER_MARK * len(data) <= spare or (spare > 0 and _PER_MARK * _marks(data) <= spare)


def _marks(data: bytes) -> int:
    """Count commas, semicolons, opening brackets and whatever ends a line or a field of TSV."""
    import numpy as np

    count = 0
    for start in range(0, len(data), _BLOCK):
        codes = np.frombuffer(data[start : start + _BLOCK], "u1")
        for found in (codes < 14, codes == ord(","), codes == ord(";"), codes & 0xDF == ord("[")):  # 0xDF: "{" is "[" and a bit
            count += int(np.count_nonzero(found))
    return count
