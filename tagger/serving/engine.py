"""The model that answers, and the line in which work waits for a processor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import HTTPException

from tagger.tagging import Tagger

Result = TypeVar("Result")


class Line:
    """Threads for work that takes long, and a bounded number of requests that wait for them; what comes on top is turned away."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self._waiting = waiting

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do the work in a thread, when it is its turn.

        Raises
        ------
        HTTPException
            Too much work waits already: 503.
        """
        if self._limiter.statistics().tasks_waiting >= self._waiting:
            raise HTTPException(503, "too many requests wait already: try again in a moment", {"Retry-After": "2"})
        return await to_thread.run_sync(work, limiter=self._limiter)


class Engine(Line):
    """Holds the one `Tagger` of the server. Take it once for a piece of work, so that all of that is done by one model.

    Tagging keeps a processor busy, so one thread does it: more would only wait for each other.
    """

    def __init__(self, tagger: Tagger) -> None:
        super().__init__(threads=1, waiting=256)
        self.tagger = tagger

    def swap(self, tagger: Tagger) -> Tagger:
        """Let another model answer from now on, and return the one that did; work that has begun is ended by that one."""
        old, self.tagger = self.tagger, tagger
        return old
