"""The model that answers, which another one can replace while the server runs."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.tagging import Tagger


@dataclass(slots=True)
class Engine:
    """Holds the one `Tagger` of the server. Take it once for a piece of work, so that all of that is done by one model."""

    tagger: Tagger

    def swap(self, tagger: Tagger) -> Tagger:
        """Let another model answer from now on, and return the one that did; work that has begun is ended by that one."""
        old, self.tagger = self.tagger, tagger
        return old
