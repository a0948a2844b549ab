"""Where the time of `tagger tag` goes: python experiments/speed/pipeline.py TEXT prints processor seconds a stage."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from typing import Any

import tagger
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
    object.__setattr__(tags.model, "evidence", watch.watched("evidence", tags.model.evidence))
    parts = tagger.read_parts(path)
    read = watch.watched("read, segment", lambda: next(parts, None))
    tag, write = watch.watched("tag", tags.tag), watch.watched("write", write_jsonl)
    passages = themed = 0
    while (part := read()) is not None:
        tagged = tag(part.passages)
        write([(part, tagged)], tags.about, io.BytesIO())
        passages += len(tagged)
        themed += sum(bool(item.labels) for item in tagged)
    seconds = watch.seconds
    seconds["records, labels"] = seconds.pop("tag") - seconds["score"] - seconds["evidence"]
    print(f"{passages} passages, {themed} of them with a theme; {sum(seconds.values()):.2f} processor seconds")
    for name, spent in seconds.items():
        print(f"{name:16}{spent:6.2f}")


if __name__ == "__main__":
    main(sys.argv[1])
