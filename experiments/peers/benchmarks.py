"""The two benchmarks: labelled passages, and which of them are learned from and tested on."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
from sklearn.model_selection import GroupKFold

from tagger.corpus import digest, load
from tagger.errors import CorpusError
from tagger.features import FeatureSettings
from tagger.themes import load_codebook

ROOT = Path(__file__).resolve().parents[2]
TRAINING = (ROOT / "corpora/mexico-2014", ROOT / "corpora/composed")
KEYWORDS = ROOT / "experiments/default/keywords.toml"
FOLDS = 5

_COLUMNS = ("statement_id", "sentence_orig_idxs", "sentence")


@dataclass(frozen=True)
class Benchmark:
    """Labelled passages; ``splits`` are pairs of what is learned from and what is tested, ``corpora`` the SHA-256 of each corpus."""

    themes: tuple[str, ...]
    splits: Sequence[tuple[datasets.Dataset, datasets.Dataset]]
    corpora: Mapping[str, str]
    features: FeatureSettings
    keywords: Path | None
    """A list of expressions for each theme, if anybody wrote one."""


def development(folder: Path) -> Benchmark:
    """Learn from the project's own corpora, test on another, all with the themes and the lexicon of the codebook."""
    codebook = load_codebook(ROOT / "corpora/themes.toml")
    train, test = ([_named(load(path, codebook.names), path.name) for path in paths] for paths in (TRAINING, [folder]))
    corpora = {path.name: digest(path) for path in (*TRAINING, folder)}
    return Benchmark(
        codebook.names, [(datasets.concatenate_datasets(train), *test)], corpora, FeatureSettings(lexicon=codebook.lexicon), KEYWORDS
    )


def aims(path: Path) -> Benchmark:
    """Five folds by statement of a table of sentences, in running order; every column after the first three is a label."""
    corpus = read_sentences(path)
    folds = GroupKFold(FOLDS).split(corpus["id"], groups=corpus["document"])
    splits = [(corpus.select(train), corpus.select(test)) for train, test in folds]
    themes = tuple(corpus.features["labels"].feature.names)
    return Benchmark(themes, splits, {path.stem: hashlib.sha256(path.read_bytes()).hexdigest()}, FeatureSettings(), None)


BENCHMARKS = {"development": development, "aims": aims}


def _named(corpus: datasets.Dataset, name: str) -> datasets.Dataset:
    documents = [f"{name}/{document}" for document in corpus["document"]]
    return corpus.remove_columns("document").add_column("document", documents)


def read_sentences(path: Path) -> datasets.Dataset:
    """Read the table into a corpus; ``start`` is the number of a sentence within its statement.

    Raises
    ------
    CorpusError
        A column is missing or a field is bad; the message names the file and the line.
    """
    themes, rows = _table(path)
    statements = {statement: place for place, statement in enumerate(dict.fromkeys(row[0] for row in rows))}
    if len(statements) < FOLDS:
        raise CorpusError(f"{path}: {len(statements)} statements can't fill {FOLDS} folds: label more")
    rows.sort(key=lambda row: (statements[row[0]], row[1]))
    documents = [f"{path.stem}/{row[0]}" for row in rows]
    first = {document: place for place, document in reversed(list(enumerate(documents)))}
    start = [place - first[document] for place, document in enumerate(documents)]
    columns = {
        "id": [f"{row[0]}:{number}" for row, number in zip(rows, start, strict=True)],
        "text": [row[2] for row in rows],
        "labels": [np.flatnonzero(row[3]).tolist() for row in rows],
        "document": documents,
        "start": start,
    }
    features = datasets.Features(
        {
            **{name: datasets.Value("string") for name in ("id", "text", "document")},
            "labels": datasets.List(datasets.ClassLabel(names=themes)),
            "start": datasets.Value("int64"),
        }
    )
    return datasets.Dataset.from_dict({name: columns[name] for name in features}, features=features)


def _table(path: Path) -> tuple[list[str], list[tuple[str, int, str, list[bool]]]]:
    """The names of the labels, and each sentence's statement, place in it, text and labels."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if tuple(header[:3]) != _COLUMNS or len(set(header)) < len(header) or len(header) < 4:
                raise CorpusError(f"{path}: line 1: the columns must be {', '.join(_COLUMNS)}, then one a label, no name twice")
            return header[3:], [_row(f"{path}: line {reader.line_num}", header, fields) for fields in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: can't be read as a UTF-8 table: {error}") from error


def _row(where: str, header: Sequence[str], fields: Sequence[str]) -> tuple[str, int, str, list[bool]]:
    if len(fields) != len(header):
        raise CorpusError(f"{where}: {len(fields)} fields, not {len(header)}")
    statement, places, text = fields[:3]
    place = re.search(r"\d+", places)
    if not place:
        raise CorpusError(f"{where}: sentence_orig_idxs {places!r} holds no number: say which sentence of the statement it is")
    if not text.strip() or not statement.strip():
        raise CorpusError(f"{where}: statement_id and sentence must not be empty")
    for name, value in zip(header[3:], fields[3:], strict=True):
        if value not in ("0", "1"):
            raise CorpusError(f"{where}: {name} is {value!r}: write 0 or 1")
    return statement, int(place[0]), text, [value == "1" for value in fields[3:]]
