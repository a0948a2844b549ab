"""Markdown: a report to read. The passages at which a theme is shown, under their sections, after the counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import IO

from tagger.records import Document, Tagged
from tagger.writing.about import READING, About, Results
from tagger.writing.counts import NO_SECTION, Tally, add_sections
from tagger.writing.text import clean, entry, facts, heading, many, runs

_CORE = re.compile(r"[^\W_](?:.*[^\W_])?", re.DOTALL)
_SPECIAL = re.compile(r"[\\`*_\[\]<>#|~$&]")


def write_markdown(results: Results, about: About, stream: IO[bytes]) -> None:
    """Write documents one after the other, then counts of all, what the themes mean and how to read the scores."""

    def put(lines: Iterator[str]) -> None:
        stream.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))

    stream.write(b"<!-- generator: tagger -->\n\n")  # by which it is known not to be a report
    tallies: list[tuple[str, Tally]] = []
    total = Tally()
    for document, passages in results:
        put(_document(document, passages, about))
        tallies.append((entry(document), Tally().add(passages)))
        total.add(passages)
    if len(tallies) > 1:
        put(chain(["# All documents\n"], _counts("document", tallies, total, about)))
    put(_about(about))


def _document(document: Document, passages: Sequence[Tagged], about: About) -> Iterator[str]:
    tally = Tally().add(passages)
    yield f"# {escape(heading(document))}\n"
    yield " · ".join([*map(escape, facts(document)), many(tally.passages, "passage"), f"{tally.tagged} with a theme"]) + "\n"
    yield from _counts("section", add_sections({}, passages).items(), tally, about)
    shown = [item for item in passages if any(about.shows(item, theme) for theme in about.names)]
    for section, items in groupby(shown, key=lambda item: item.passage.section or NO_SECTION):
        yield f"## {escape(section)}\n"
        yield from (_passage(item, about) for item in items)
        yield ""
    if left := len(passages) - len(shown):
        yield f"*Left out here: {many(left, 'passage')} without a theme.*\n"


def _counts(first: str, rows: Iterable[tuple[str, Tally]], total: Tally, about: About) -> Iterator[str]:
    yield _row([first, "passages", *(escape(theme.title) for theme in about.themes), "to review"])
    yield _row(["---", *["--:"] * (len(about.themes) + 2)])
    for name, tally in [*((escape(name), tally) for name, tally in rows), ("**all**", total)]:
        yield _row([name, *map(str, [tally.passages, *(tally.themes[theme] for theme in about.names), tally.review])])
    yield ""


def _passage(item: Tagged, about: About) -> str:
    """One passage: its themes with their scores, the text with the deciding words bold, and its id."""
    marks = []
    for theme in about.themes:
        if about.shows(item, theme.name):
            unsure = ", to review" if theme.name in item.review else ""
            title = f"**{escape(theme.title)}**" if theme.name in item.labels else f"({escape(theme.title)})"
            marks.append(f"{title} {item.scores[theme.name]:.2f}{unsure}")
    where = f", page {item.passage.page}" if item.passage.page is not None else ""
    return f"- {'; '.join(marks)}: {_text(item)} *({escape(item.passage.id)}{where})*"


def _text(item: Tagged) -> str:
    """The text with the deciding words bold."""
    text = ""
    for marked, group in groupby(runs(item), key=lambda run: bool(run[1])):
        part = "".join(piece for piece, _ in group)
        # Between a space or a sign and a letter, Markdown may take ** for asterisks: bold begins and ends with letters.
        core = _CORE.search(part) if marked else None
        if core:
            text += f"{escape(part[: core.start()])}**{escape(core[0])}**{escape(part[core.end() :])}"
        else:
            text += escape(part)
    return " ".join(text.split())


def _about(about: About) -> Iterator[str]:
    yield "# How to read this\n"
    yield from (f"- {escape(line)}" for line in READING)
    yield "\n" + _row(["theme", "meaning", "threshold", "review band"])
    yield _row(["---", "---", "--:", "--:"])
    for theme in about.themes:
        low, high = theme.review
        yield _row([escape(theme.title), escape(theme.definition), f"{theme.threshold:.2f}", f"{low:.2f} to {high:.2f}"])
    for figures in about.figures:
        low, high = figures.interval
        yield f"\n**{escape(figures.name)}** ({figures.passages} passages): macro-F1 {figures.macro_f1:.2f},"
        yield f"95 % interval {low:.2f} to {high:.2f}. {escape(figures.about)}"
    yield ""
    yield from (f"- {escape(limit)}" for limit in about.limits)
    if about.model:
        yield f"\nModel: {escape(about.model)}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """Make a text show as it is: no part of it is Markdown, HTML or mathematics, and it stays on one line."""
    flat = re.sub(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", " ", text)
    return _SPECIAL.sub(lambda match: {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(match[0], f"\\{match[0]}"), clean(flat))
