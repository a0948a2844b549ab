"""The model that answers, and the line in which work waits for a processor."""

from __future__ import annotations

import ctypes
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import HTTPException

from tagger.records import Document, Tagged
from tagger.tagging import Tagger
from tagger.writing.about import About
from tagger.writing.jsonl import write_jsonl

Result = TypeVar("Result")
_M_ARENA_MAX = -8  # of malloc.h
_TOGETHER = 1000  # passages of several requests that are tagged at once


def keep_memory() -> None:
    """Let threads use the memory of the process: in glibc each has its own, gives it back at once, and asks for it again a batch later."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class Line:
    """Threads for work that takes long, and a bounded number of requests that wait for them; what comes on top is turned away."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self._waiting = waiting

    def admit(self) -> None:
        """Turn a request away if too many wait."""
        if self._limiter.statistics().tasks_waiting >= self._waiting:
            raise HTTPException(503, "too many requests wait already: try again in a moment", {"Retry-After": "2"})

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do the work in a thread, when it is its turn.

        Raises
        ------
        HTTPException
            Too much work waits already: 503.
        """
        self.admit()
        return await to_thread.run_sync(work, limiter=self._limiter)


@dataclass(slots=True)
class _Asked:
    """Passages that wait to be tagged, and then the name of the model and their lines, or what went wrong."""

    texts: Sequence[str]
    evidence: bool
    outcome: tuple[str, list[bytes]] | Exception | None = None


class Engine(Line):
    """Holds the one `Tagger` of the server. Take it once for a piece of work, so that all of that is done by one model.

    Tagging keeps a processor busy, so one thread does it: more would only wait for each other.
    """

    def __init__(self, tagger: Tagger) -> None:
        super().__init__(threads=1, waiting=256)
        self.tagger = tagger
        self._asked: deque[_Asked] = deque()

    def swap(self, tagger: Tagger) -> Tagger:
        """Let another model answer from now on, and return the one that did; work that has begun is ended by that one."""
        old, self.tagger = self.tagger, tagger
        return old

    async def lines(self, texts: Sequence[str], *, evidence: bool) -> tuple[str, list[bytes]]:
        """Return the name of the model, and for each passage the line that `tagger tag` writes.

        What several requests ask while they wait is tagged at once: a batch costs little more than a passage.
        """
        asked = _Asked(texts, evidence)
        self.admit()
        self._asked.append(asked)
        await self.run(partial(self._answer, asked))
        if not isinstance(asked.outcome, tuple):
            raise asked.outcome or AssertionError
        return asked.outcome

    def _answer(self, asked: _Asked) -> None:
        while asked.outcome is None:
            some = [self._asked.popleft()]
            count = len(some[0].texts)
            while self._asked and self._asked[0].evidence == some[0].evidence and (count := count + len(self._asked[0].texts)) <= _TOGETHER:
                some.append(self._asked.popleft())
            _tag_together(self.tagger, some)


def _tag_together(tagger: Tagger, some: Sequence[_Asked]) -> None:
    try:
        tagged = tagger.tags([text for asked in some for text in asked.texts], evidence=some[0].evidence)
        lines = iter(json_lines(tagged, tagger.about))
        model = tagger.about.model
        for asked in some:
            asked.outcome = model, list(islice(lines, len(asked.texts)))
    except Exception as error:  # noqa: BLE001  (each of those who asked is told)
        for asked in some:
            asked.outcome = error


def json_lines(tagged: Sequence[Tagged], about: About) -> list[bytes]:
    """The lines of passages, without their ends."""
    stream = BytesIO()
    write_jsonl([(Document("", ""), tagged)], about, stream)
    return stream.getvalue().split(b"\n")[:-1]
