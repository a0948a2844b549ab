"""A corpus as tagger keeps it: a folder with ``passages.jsonl``, ``annotations.jsonl`` and the texts of its documents."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.errors import CorpusError, OutputError
from tagger.exchange.items import DETAILS, Corpus, Item, Labels

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS = ("id", "text", "labels", *(name for name in DETAILS if name not in ("id", "settled")))
_BETWEEN = "; "


def is_corpus(folder: Path | str) -> bool:
    """Tell whether a folder is a corpus."""
    return (Path(folder) / "passages.jsonl").is_file()


def read_corpus(folder: Path | str, names: Sequence[str]) -> Corpus:
    """Read a corpus with its annotations and texts.

    Raises
    ------
    CorpusError
        A line is broken; the message names the file and the line.
    """
    from tagger import corpus

    problems = corpus.faults(folder, names)
    if problems:
        raise CorpusError(str(problems[0]))
    passes = corpus.passes(folder)
    items = []
    for row in corpus.passages(folder):
        known: dict[str, Any] = {name: row.get(name) for name in _FIELDS} | {"labels": tuple(row["labels"])}
        known["asked"] = _BETWEEN.join(row["asked"]) if "asked" in row else None
        found = passes.get(row["id"], {})
        known |= {name: tuple(found[name]) for name in ("first", "second") if name in found}
        items.append(Item(**known, settled=found.get("settled")))
    return Corpus(tuple(items), corpus.texts(folder))


def write_corpus(folder: Path | str, corpus: Corpus, *, about: str, labels: Labels) -> None:
    """Write a corpus into a new folder, which appears only when it is whole.

    ``about`` says in its datasheet where the passages come from.
    """
    from tagger.corpus import ANNOTATIONS, PASSAGES, README, report_path

    alone = len({item.document for item in corpus.items}) == 1
    with new_folder(Path(folder)) as made:
        _write_lines(made / PASSAGES, (_passage(item, labels) for item in corpus.items))
        if any(item.first is not None for item in corpus.items):
            _write_lines(made / ANNOTATIONS, (_annotation(item) for item in corpus.items if item.first is not None))
        for document, text in corpus.texts.items():
            path = report_path(made, document, alone=alone)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        (made / README).write_text(_datasheet(Path(folder).name, about, corpus), encoding="utf-8")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to write into, which takes its name at the end of the block; one that is there must be empty."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"{folder}: is there already: name a new folder")
        parent = folder.absolute().parent
        if not parent.is_dir():
            raise OutputError(f"{folder}: there is no folder {folder.parent}: make it first")
        made = Path(tempfile.mkdtemp(dir=parent, prefix=f".{folder.name}-", suffix=".tmp"))
        try:
            made.chmod(0o755)
            yield made
            if folder.is_dir():
                folder.rmdir()
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror or error}") from error


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def _passage(item: Item, labels: Labels) -> dict[str, Any]:
    values: dict[str, Any] = {"labels": list(labels.ordered(item.labels))}
    values.update({name: getattr(item, name) for name in _FIELDS if name != "labels"})
    values["asked"] = [theme.strip() for theme in item.asked.split(_BETWEEN.strip())] if item.asked else None
    return {name: values[name] for name in _FIELDS if values[name] is not None}


def _annotation(item: Item) -> dict[str, Any]:
    row: dict[str, Any] = {"id": item.id, "first": list(item.first or ())}
    if item.second is not None:
        row["second"] = list(item.second)
    if item.settled:
        row["settled"] = item.settled
    return row


def _datasheet(name: str, about: str, corpus: Corpus) -> str:
    from tagger.corpus import PASSAGES

    twice = sum(item.second is not None for item in corpus.items)
    lines = [
        *("---", "configs:", "- config_name: default", f"  data_files: {PASSAGES}", "---"),
        f"# Datasheet: {name}",
        "",
        f"**What.** {len(corpus.items)} passages of {len({item.document for item in corpus.items})} document(s), {about}.",
        "",
        f"**How it was annotated.** {twice} passages by two annotators. Write here who they were and what they went by.",
    ]
    if corpus.notes:
        lines += ["", "**What to know.**", "", *(f"- {note}" for note in corpus.notes)]
    return "\n".join(lines) + "\n"
