"""Tables of tagged passages and of counts, for the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tagger.cli.choice import Choice
from tagger.records import Document, Tagged
from tagger.writing.about import About
from tagger.writing.counts import Tally, add_sections
from tagger.writing.text import many

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_NARROW = 80  # columns of a terminal below which passages stand in one column
_NAME, _COUNT = 20, 10  # columns that the name of a document and a count take
_STYLES = ("bold magenta", "bold cyan", "bold yellow", "bold green", "bold blue", "bold red")


class Printer:
    """Prints to standard output: in colour on a terminal, in 120 columns elsewhere."""

    def __init__(self, about: About) -> None:
        from rich.console import Console

        self.console: Console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
        self.about = about
        self.styles = {theme: _STYLES[place % len(_STYLES)] for place, theme in enumerate(about.names)}
        self.letters = [theme.letter for theme in about.themes]

    def document(self, document: Document, passages: Sequence[Tagged], choice: Choice, *, everything: bool) -> None:
        """Print the passages of one document at which a theme is shown, then counts a section."""
        from rich.markup import escape

        tally = Tally().add(passages)
        carry = "carries" if tally.tagged == 1 else "carry"
        said = f"{tally.tagged} of {many(tally.passages, 'passage')} {carry} a theme"
        if choice.active:
            passing = "passes" if tally.passages == 1 else "pass"
            said = f"{tally.passages} of {many(len(document.passages), 'passage')} {passing} the filters, {tally.tagged} {carry} a theme"
        self.console.print(f"\n[bold]{escape(document.name)}[/bold]: {said}\n")
        shown = [item for item in passages if everything or any(self.about.shows(item, theme) for theme in self.about.names)]
        if shown:
            self.console.print(self._passages(shown))
        self._counts("section", add_sections({}, passages).items(), tally)

    def documents(self, tallies: Sequence[tuple[str, Tally]]) -> None:
        """Print counts a document."""
        total = Tally()
        for _, tally in tallies:
            total = Tally(total.passages + tally.passages, review=total.review + tally.review, themes=total.themes + tally.themes)
        self.console.print()
        self._counts("document", tallies, total, review=True)

    def advice(self, passages: Sequence[Tagged]) -> None:
        """Say what a person should still do: the passages in the review band, and how many to read to miss little."""
        import numpy as np

        from tagger.tagging import reading_effort

        effort = reading_effort(np.array([[item.scores[theme] for theme in self.styles] for item in passages]))
        reads = ", ".join(f"{theme} {count}" for theme, count in zip(self.styles, effort, strict=True) if count)
        review = sum(bool(item.review) for item in passages)
        lie = f"{many(review, 'passage')} {'lies' if review == 1 else 'lie'} in the review band of a theme"
        self.console.print(f"{lie} (marked ?, or in the file's column 'review'): a person should look.")
        if reads:
            self.console.print(f"To see 95 % of a theme's passages, read so many, most probable first: {reads}.")

    def _passages(self, passages: Sequence[Tagged]) -> Table:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        if self.console.width < _NARROW:
            return self._stacked(passages)
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        paged = any(item.passage.page is not None for item in passages)
        table.add_column("section", style="dim", max_width=15)
        if paged:
            table.add_column("page", style="dim", justify="right")
        table.add_column("passage", ratio=1)
        table.add_column("themes", no_wrap=True)
        for item in passages:
            page = [str(item.passage.page or "")] if paged else []
            table.add_row(item.passage.section or "", *page, self._highlighted(item), self._labels(item))
        return table

    def _stacked(self, items: Sequence[Tagged]) -> Table:
        """Passages in one column, below what is said of each."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=False)
        for item in items:
            where = [item.passage.section or "", f"page {item.passage.page}" if item.passage.page is not None else ""]
            said = [Text(fact, "dim") for fact in where if fact]
            labels = self._labels(item)
            table.add_row(
                Text("\n").join([Text(", ").join([*said, *(labels.split("\n") if labels else [])]), self._highlighted(item), Text()])
            )
        return table

    def _highlighted(self, item: Tagged) -> Text:
        """The passage with its deciding words in the colour of their theme, or between asterisks where there is no colour."""
        from rich.text import Text

        spans = sorted({(span.start, span.end) for spans in item.evidence.values() for span in spans})
        if self.console.is_terminal:
            text = Text(item.text)
            for theme, found in item.evidence.items():
                for span in found:
                    text.stylize(f"{self.styles[theme]} underline", span.start, span.end)
            return text
        pieces, place = [], 0
        for start, end in spans:
            if start >= place:
                pieces += [item.text[place:start], "*", item.text[start:end], "*"]
                place = end
        return Text("".join([*pieces, item.text[place:]]))

    def _labels(self, item: Tagged) -> Text:
        """The themes of a passage; in brackets those that it did not get but should be looked at, or was kept, for."""
        from rich.text import Text

        text = Text()
        for theme, style in self.styles.items():
            said = f"{theme} {item.scores[theme]:.2f}{' ?' if theme in item.review else ''}"
            if theme in item.labels:
                text.append(f"{said}\n", style)
            elif self.about.shows(item, theme):
                text.append(f"({said})\n", "dim")
        text.rstrip()
        return text

    def _counts(self, first: str, rows: Iterable[tuple[str, Tally]], total: Tally, *, review: bool = False) -> None:
        """Print counts by theme; without room for the names of the themes, their letters and what they mean."""
        from rich.box import SIMPLE_HEAD
        from rich.markup import escape
        from rich.table import Table

        heads = self._heads(self.console.width - (_NAME + _COUNT * (2 if review else 1)))
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=True, padding=(0, 0 if review else 1))
        table.add_column(first, footer="all", overflow="fold")
        table.add_column("passages", justify="right", footer=str(total.passages))
        for head, (theme, style) in zip(heads, self.styles.items(), strict=True):
            table.add_column(head, justify="right", header_style=style, footer=str(total.themes[theme]))
        if review:
            table.add_column("to review", justify="right", footer=str(total.review))
        for name, tally in rows:
            counts = [*(tally.themes[theme] for theme in self.styles), *([tally.review] if review else [])]
            table.add_row(escape(name), str(tally.passages), *(str(count) if count else "." for count in counts))
        self.console.print(table)
        if heads == self.letters:
            self.console.print(", ".join(f"{letter} {theme}" for letter, theme in zip(heads, self.styles, strict=True)) + "\n")

    def _heads(self, room: int) -> list[str]:
        """Heads of the themes' columns that fit into so many characters: whole names, names on several lines, or letters."""
        for heads in (list(self.styles), [theme.replace("_", "_\n") for theme in self.styles]):
            if sum(max(map(len, head.split("\n"))) + 2 for head in heads) <= room:
                return heads
        return self.letters
