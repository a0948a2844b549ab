"""Reading in a process of its own, for formats whose libraries a hostile file could make fill the memory or run without end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.exchange.items import Corpus, Item
from tagger.reading.content import Columns, Limits
from tagger.themes import Theme

_ROOT = Path(__file__).resolve().parents[2]
_LOADING = 120  # seconds that a busy machine may take to load the libraries, before the limits hold
_LISTS = ("labels", "first", "second")
_QUIET = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def read_apart(
    format: str, path: Path, themes: Sequence[Theme], given: Mapping[str, str] | None, columns: Columns, limits: Limits
) -> Corpus:
    """Read a file or folder of a format as a corpus; see `tagger.exchange.worker` for the side of the process.

    Raises
    ------
    InputError
        It can't be read, or not within the limits.
    MissingExtraError
        The library for the format is not installed.
    """
    names = [(theme.name, theme.title) for theme in themes]
    request = {"format": format, "path": str(path), "themes": names, "given": dict(given or {})}
    request |= {"columns": asdict(columns), "limits": asdict(limits)}
    environment = {**os.environ, **_QUIET, "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)])}
    command = [sys.executable, "-P", "-m", "tagger.exchange.worker"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=limits.seconds + _LOADING,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"was given up after {limits.seconds:g} seconds: it may be damaged, or made to do harm") from error
    if done.returncode:
        bounds = f"{limits.seconds:g} seconds and {limits.memory >> 20} MiB of memory"
        raise InputError(f"can't be read within {bounds}: it may be damaged, or made to do harm")
    answer = json.loads(done.stdout)
    if "missing" in answer:
        raise MissingExtraError(*answer["missing"])
    if "error" in answer:
        raise InputError(answer["error"])
    return Corpus(tuple(map(_item, answer["items"])), answer["texts"], answer["model"], notes=tuple(answer["notes"]))


def _item(row: dict[str, Any]) -> Item:
    lists = {name: tuple(row[name]) for name in _LISTS if row[name] is not None}
    return Item(**{**row, **lists})
