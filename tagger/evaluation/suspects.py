"""An audit of labels -> lines to read, or a file: CSV, JSON Lines or Markdown."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from tagger.evaluation.audit import Audit, Suspect
from tagger.writing.markdown import escape
from tagger.writing.table import defuse
from tagger.writing.whole import check_place, whole


def reasons(suspect: Suspect) -> Iterator[str]:
    """Yield what makes a label suspect, a line each."""
    given, bound = ("given", "up to") if suspect.given else ("not given", "from")
    yield f"{suspect.theme} is {given}; its probability is {suspect.probability:.3f}, suspect {bound} {suspect.threshold:.3f}"
    if suspect.words:
        yield f"words {'against' if suspect.given else 'for'} it: {' | '.join(suspect.words)}"
    other = "without" if suspect.given else "with"
    yield f"nearest passage {other} it: {suspect.nearest} ({suspect.similarity:.2f}) {suspect.nearest_text}"
    if suspect.settled:
        yield f"settled earlier: {suspect.settled}"


def check_output(path: Path | str) -> Path:
    """Return the path if an audit can be written there."""
    return check_place(path, WRITERS)


def write(path: Path | str, audit: Audit) -> None:
    """Write the suspects of an audit, the most suspect first; the file's ending picks the format.

    Raises
    ------
    OutputError
        The format is unknown, the disk is full or the folder can't be written to.
    """
    path = check_output(path)
    with whole(path) as stream:
        stream.write(WRITERS[path.suffix.lower()](audit).encode("utf-8", "replace"))


def _jsonl(audit: Audit) -> str:
    return "".join(f"{json.dumps(suspect.to_json(), ensure_ascii=False)}\n" for suspect in audit.suspects)


def _csv(audit: Audit) -> str:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(Suspect.__slots__)
    for suspect in audit.suspects:
        row = {**suspect.to_json(), "words": " | ".join(suspect.words), "given": "yes" if suspect.given else "no"}
        rows.writerow([defuse(value) for value in row.values()])
    return codecs.BOM_UTF8.decode() + text.getvalue()


def _markdown(audit: Audit) -> str:
    lines = ["# Suspect labels", "", "| theme | passages | given wrongly | missing | all labels wrong |", "|---|--:|--:|--:|--:|"]
    for theme in audit.themes:
        rates = f"{theme.given_rate:.1%} | {theme.missing_rate:.1%} | {theme.rate:.1%}"
        lines.append(f"| {escape(theme.theme)} | {theme.passages} | {rates} |")
    lines += ["", "Estimated shares: of the passages with the theme, of those without it, of all."]
    for number, suspect in enumerate(audit.suspects, 1):
        lines += ["", f"## {number}. {escape(suspect.id)} ({escape(suspect.document)})", "", f"> {escape(suspect.text)}", ""]
        lines += [f"- {escape(reason)}" for reason in reasons(suspect)]
    return "\n".join(lines) + "\n"


WRITERS: dict[str, Callable[[Audit], str]] = {".csv": _csv, ".jsonl": _jsonl, ".md": _markdown}
