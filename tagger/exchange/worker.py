"""The process that reads for `tagger.exchange.apart`: gets a request as JSON, loads the library, sets the limits, answers with a corpus."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.exchange import LIBRARIES, Labels, read_here
from tagger.reading.content import Columns, Limits
from tagger.reading.worker import bound
from tagger.themes import Theme


def main() -> None:
    """Answer one request."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what a library prints is no answer
    answers.write(json.dumps(_answer(json.loads(sys.stdin.buffer.read()))).encode())
    answers.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    limits = Limits(**request["limits"])
    known = Labels([Theme(name, title, "", title) for name, title in request["themes"]], request["given"], Columns(**request["columns"]))
    try:
        LIBRARIES[request["format"]]()
        bound(replace(limits, memory=limits.memory + _taken()))
        found = read_here(Path(request["path"]), request["format"], known, limits)
        known.check()
    except MissingExtraError as error:
        return {"missing": [error.package, error.extra]}
    except InputError as error:
        return {"error": str(error)}
    except (MemoryError, RecursionError):
        return {"error": f"needs more than {limits.memory >> 20} MiB of memory: it may be damaged, or made to do harm"}
    except Exception as error:  # noqa: BLE001  (a library's failure on a bad file)
        return {"error": f"is damaged: {type(error).__name__} while reading it"}
    return {"items": [asdict(item) for item in found.items], "texts": dict(found.texts), "model": found.model, "notes": found.notes}


def _taken() -> int:
    """Bytes of address space that the libraries took before a file was touched, where the system tells."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0


if __name__ == "__main__":
    main()
