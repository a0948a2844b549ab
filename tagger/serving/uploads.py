"""Files that people send -> documents. They are parsed in processes of their own, which are killed when they use too much."""

from __future__ import annotations

from functools import partial
from pathlib import PureWindowsPath
from queue import LifoQueue
from typing import IO

from tagger.reading import COLUMNS, Columns, Limits, naming, source_of
from tagger.reading.sandbox import Sandbox
from tagger.records import Document
from tagger.serving.engine import Line
from tagger.splitting import documents
from tagger.writing.text import clean

_PROCESSES, _WAITING = 2, 16  # one hostile file must not stop all others
_LONGEST_NAME = 120


class Uploads(Line):
    """Reads files within limits, a few at once. Whatever the format, nothing of a file is parsed in this process."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(_PROCESSES, _WAITING)
        self._limits = limits
        self._free: LifoQueue[Sandbox] = LifoQueue()
        for _ in range(_PROCESSES):
            self._free.put(Sandbox())

    async def read(self, file: IO[bytes], filename: str, columns: Columns = COLUMNS) -> list[Document]:
        """Return the documents of a file, one a country. It is taken into memory when it is its turn.

        Raises
        ------
        InputError
            The file can't be read; the message names it.
        MissingExtraError
            The library for the file's format is not installed.
        """
        return await self.run(partial(self._read, file, filename, columns))

    def close(self) -> None:
        """End the processes."""
        while not self._free.empty():
            self._free.get().close()

    def _read(self, file: IO[bytes], filename: str, columns: Columns) -> list[Document]:
        name, suffix = plain_name(filename)
        label = f"{name}{suffix}"
        sandbox = self._free.get()
        try:
            source = source_of(file.read(), suffix, label=label, name=name, columns=columns, limits=self._limits, parse=sandbox.read)
        finally:
            self._free.put(sandbox)
        with naming(label):
            return documents(name, source.content, self._limits)


def plain_name(filename: str) -> tuple[str, str]:
    """The name of a file, without the folders that some clients send, and its ending."""
    path = PureWindowsPath(clean(filename))
    return path.stem[:_LONGEST_NAME] or "upload", path.suffix
