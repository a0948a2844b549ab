"""Where the time of `tagger tag` goes: python experiments/speed/pipeline.py TEXT prints processor seconds a stage."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from typing import Any

import tagger
from tagger.writing.counts import Tally
from tagger.writing.jsonl import write_jsonl


class Stopwatch:
    """Adds up processor seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def watched(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            start = time.process_time()
            made = work(*given)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start
            return made

        return call


def main(path: str) -> None:
    watch, tags = Stopwatch(), tagger.load()
    object.__setattr__(tags.model, "scores", watch.watched("score", tags.model.scores))
    object.__setattr__(tags.model, "spans", watch.watched("evidence", tags.model.spans))
    parts = tagger.read_parts(path)
    read = watch.watched("read, segment", lambda: next(parts, None))
    found = tags.tag_parts(iter(read, None))
    work, write = watch.watched("tag", lambda: next(found, None)), watch.watched("write", write_jsonl)
    passages = themed = 0
    while (part := work()) is not None:
        tally = Tally().add(part[1])
        write([part], tags.about, io.BytesIO())
        passages += tally.passages
        themed += tally.tagged
    seconds = watch.seconds
    seconds["labels, columns"] = seconds.pop("tag") - seconds["read, segment"] - seconds["score"] - seconds["evidence"]
    print(f"{passages} passages, {themed} of them with a theme; {sum(seconds.values()):.2f} processor seconds")
    for name, spent in seconds.items():
        print(f"{name:16}{spent:6.2f}")


if __name__ == "__main__":
    main(sys.argv[1])
