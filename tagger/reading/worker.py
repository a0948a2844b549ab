"""The process that parses: gets a line of JSON and the file's bytes, answers with a line of JSON and the text."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading import READERS
from tagger.reading.content import LIMITS, Columns, Content, Limits, packed
from tagger.reading.formats import detect
from tagger.reading.large import parquet_batches
from tagger.reading.rows import ROW_READERS


def main() -> None:
    """Serve until standard input ends."""
    gc.set_threshold(10_000)  # a document is thousands of small objects that need no collecting
    given, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what a library prints is no answer
    answers.write(b"ready\n")
    answers.flush()
    batches: Iterator[Content] = iter(())  # of a file that is read part by part: each further request, which is empty, gets the next one
    limits = LIMITS
    while line := given.readline():
        request = json.loads(line)
        limits = Limits(**request["limits"]) if request else limits
        if "batches" in request:
            batches = parquet_batches(Path(request["batches"]), Columns(**request["columns"]), limits)
        header, text = _answer(partial(_parse, request, given, limits) if "size" in request else partial(next, batches, None), limits)
        header["spent"] = header.get("spent") or request.get("size", 0) > 10_000_000
        answers.write(json.dumps({**header, "size": len(text)}).encode() + b"\n")
        answers.write(text)
        answers.flush()


def _parse(request: dict[str, Any], given: IO[bytes], limits: Limits) -> Content:
    data, columns = given.read(request["size"]), Columns(**request["columns"])
    format = request["format"] if "format" in request else detect(data, request["suffix"], columns.text)
    return {**READERS, **ROW_READERS}[format](data, columns, limits).check(limits)


def _answer(work: Callable[[], Content | None], limits: Limits) -> tuple[dict[str, Any], bytes]:
    try:
        bound(limits)
        content = work()
        if content is None:
            return {"done": True}, b""
        text, wide = packed(content.text)
        return {"content": content.to_json(), "wide": wide}, text
    except MissingExtraError as error:
        return {"missing": [error.package, error.extra]}, b""
    except InputError as error:
        return {"error": str(error)}, b""
    except (MemoryError, RecursionError):
        # What was allocated may never come back: the next document gets a new process.
        message = f"needs more than {limits.memory >> 20} MiB of memory: it may be damaged, or made to do harm"
        return {"error": message, "spent": True}, b""
    except Exception as error:  # noqa: BLE001  (a library's failure on a bad file must not end a batch)
        return {"error": f"is damaged: {type(error).__name__} while reading it"}, b""


def bound(limits: Limits) -> None:
    """Ask the system to hold this process to the limits, where it can; the parent keeps the time in any case."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime + limits.seconds) + 1
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


if __name__ == "__main__":
    main()
