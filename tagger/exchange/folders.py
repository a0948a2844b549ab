"""A corpus as tagger keeps it: a folder with ``passages.jsonl``, ``annotations.jsonl`` and the texts of its documents."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.errors import CorpusError, OutputError
from tagger.exchange.items import DETAILS, Corpus, Item, Labels
from tagger.writing.text import many

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


def with_themes_asked(corpus: Corpus, labels: Labels) -> Corpus:
    """Give ``asked`` the names of the codebook; others join the unknown ``labels``. A label that was given was asked for."""
    items = []
    for item in corpus.items:
        if item.asked:
            known = labels.all(themes_asked(item), f"field 'asked' of passage {item.id!r}")
            item = replace(item, asked=_BETWEEN.join(labels.ordered({*known, *item.labels})) or None)
        items.append(item)
    return replace(corpus, items=tuple(items))


def say_asked(corpus: Corpus, labels: Labels, known: Iterable[str]) -> Corpus:
    """Say of the passages that do not tell it for which themes they were read: those that occur among them, and the ``known`` ones.

    A note names the themes of which then nothing is known: that nobody gave one may be because nobody was asked for it.
    """
    unsaid = [item for item in corpus.items if item.asked is None]
    given = {theme for item in unsaid for theme in (*item.labels, *(item.first or ()), *(item.second or ()))}
    asked = labels.ordered(given | set(known))
    missing = [name for name in labels.names if unsaid and name not in asked]
    items = tuple(replace(item, asked=_BETWEEN.join(asked)) if item.asked is None else item for item in corpus.items)
    note = (
        f"no passage has {', '.join(missing)}, so {many(len(unsaid), 'passage')} count as not read for that; if somebody looked for it, "
        f"say so: {' '.join(f'--map {name}={name}' for name in missing)}"
    )
    return replace(corpus, items=items, notes=(*corpus.notes, *([note] if missing else [])))


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
    values["asked"] = list(labels.ordered({*themes_asked(item), *item.labels})) if item.asked is not None else None
    return {name: values[name] for name in _FIELDS if values[name] is not None}


def themes_asked(item: Item) -> list[str]:
    """The themes for which a passage was read, as far as it says so."""
    return [name for part in (item.asked or "").split(_BETWEEN.strip()) if (name := part.strip())]


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
