"""A bar on standard error that shows how far tagging is: files, passages a second, and the time left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """What has been done of so many files; without ``progress`` nothing is shown."""

    def __init__(self, files: int, progress: Progress | None = None) -> None:
        self._files = files
        self._progress = progress
        self._done = self._passages = self._size = 0

    def reads(self, place: int) -> None:
        """So many bytes of the next file have been read."""
        self._show(self._size + place)

    def tagged(self, passages: int) -> None:
        """So many passages more have been tagged."""
        self._passages += passages
        self._show(None)

    def ends(self, size: int) -> None:
        """The next file, of so many bytes, is done."""
        self._done, self._size = self._done + 1, self._size + size
        self._show(self._size)

    def _show(self, size: int | None) -> None:
        if self._progress is not None:
            task = self._progress.tasks[0]
            files = f"{self._done:,} of {self._files:,} files, " if self._files > 1 else ""
            rate = self._passages / max(task.elapsed or 0, 0.001)
            self._progress.update(task.id, completed=size, said=f"{files}{rate:,.0f} passages/s")


@contextmanager
def bar(files: int, size: int, *, shown: bool = True) -> Iterator[Bar]:
    """Show a bar of so many files and bytes, if standard error is a terminal, as long as the block lasts."""
    if not (shown and sys.stderr.isatty()):
        yield Bar(files)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Tagging"), BarColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task("", total=size, said="")
        yield Bar(files, progress)
