"""Parsing in a process of its own, so that a hostile file can use up neither memory nor time.

One process serves one document after the other (starting it takes longer than reading most documents); it is killed when it
takes too long, and made anew after any mishap. It gets bytes and gives JSON and text: nothing that it sends is executed.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading.content import Columns, Content, Limits, unpacked

_ROOT = Path(__file__).resolve().parents[2]
# Libraries that start a thread a core, or take address space ahead, would reach the memory limit with nothing done.
_FRUGAL = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    # What one document took is kept for the next: given back and asked for again, it costs a fifth of the time of a table.
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
}

_PIPE = 1 << 20  # the most that Linux gives to everybody


class Sandbox:
    """A process that parses; see `tagger.reading.worker` for its side."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def parse(self, format: str, data: bytes, columns: Columns, limits: Limits) -> Content:
        """Parse a file's bytes with the reader of a format.

        Raises
        ------
        InputError
            The file is damaged, or reading it went beyond a limit.
        MissingExtraError
            The library for the format is not installed.
        """
        return self._parse({"format": format}, data, columns, limits)

    def read(self, data: bytes, suffix: str, columns: Columns, limits: Limits) -> Content:
        """Parse a file's bytes whose format is found there too, as the directory of an archive may be hostile; ``suffix`` ends its name."""
        return self._parse({"suffix": suffix}, data, columns, limits)

    def _parse(self, by: dict[str, str], data: bytes, columns: Columns, limits: Limits) -> Content:
        request = {**by, "size": len(data), "columns": asdict(columns), "limits": asdict(limits)}
        with self._lock:
            try:
                answer, text = self._ask(request, data, limits)
            except BaseException:
                self.close()
                raise
        return _understood(answer, text)

    def batches(self, path: Path, columns: Columns, limits: Limits) -> Iterator[Content]:
        """Yield the rows of a Parquet file of any size; the limits hold for each batch. The errors are those of `parse`."""
        request = {"batches": str(path.absolute()), "columns": asdict(columns), "limits": asdict(limits)}
        try:
            answer, text = self._ask(request, b"", limits)
            while not answer.get("done"):
                yield _understood(answer, text)
                answer, text = self._ask({}, b"", limits)
        finally:
            self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    _given(stream).close()

    def _ask(self, request: dict[str, Any], data: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
        process = self._process
        if process is None or process.poll() is not None:
            self.close()
            process = self._process = _start()
            # The libraries are loaded before the clock starts: on a busy machine that alone takes seconds.
            if _given(process.stdout).readline() != b"ready\n":
                raise InputError("can't be read: the process that parses did not start")
        late = threading.Event()
        timer = threading.Timer(limits.seconds, _kill, (process, late))
        timer.daemon = True
        timer.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                stream = _given(process.stdin)
                stream.write(json.dumps(request).encode() + b"\n")
                stream.write(data)
                stream.flush()
            answer = _given(process.stdout).readline()
            found: dict[str, Any] = json.loads(answer) if answer.endswith(b"\n") else {}
            text = _given(process.stdout).read(found.get("size", 0))
        finally:
            timer.cancel()
        if len(text) != found.get("size"):
            self.close()
            if late.is_set():
                raise InputError(f"was given up after {limits.seconds:g} seconds: it may be damaged, or made to do harm")
            raise InputError(f"can't be read within {limits.memory >> 20} MiB of memory: it may be damaged, or made to do harm")
        if found.get("spent") or late.is_set():
            self.close()
        return found, text


def _understood(answer: dict[str, Any], text: bytes) -> Content:
    if "content" in answer:
        return Content.from_json(answer["content"], unpacked(text, answer["wide"]))
    if "missing" in answer:
        raise MissingExtraError(*answer["missing"])
    raise InputError(answer["error"])


def _given(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # Popen was told to make it
    return stream


def _kill(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def search_path() -> str:
    """Where a process with ``-P`` finds what this one does, and nothing of the working directory."""
    return os.pathsep.join([str(_ROOT), *filter(None, sys.path)])


def _start() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tagger.reading.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **_FRUGAL, "PYTHONPATH": search_path()},
    )
    for stream in (process.stdin, process.stdout):
        _widen(_given(stream))
    return process


def _widen(stream: IO[bytes]) -> None:
    """Let the pipe hold a whole document, so that the two processes take fewer turns; where the system can't, nothing is lost."""
    try:
        from fcntl import F_SETPIPE_SZ, fcntl

        fcntl(stream, F_SETPIPE_SZ, _PIPE)
    except (ImportError, OSError):
        pass


SANDBOX = Sandbox()
"""The one that `tagger.reading` uses."""
atexit.register(SANDBOX.close)
if hasattr(os, "register_at_fork"):
    # A forked child must not share the pipe of its parent's process.
    _forget: Callable[[], None] = lambda: globals().update(SANDBOX=Sandbox())  # noqa: E731
    os.register_at_fork(after_in_child=_forget)
