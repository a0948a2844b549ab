"""Hugging Face: a dataset as ``datasets`` saves it to disk, a row a passage, with class labels in the order of the codebook."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.errors import InputError, MissingExtraError
from tagger.exchange.folders import new_folder
from tagger.exchange.items import BY, Corpus, Labels
from tagger.exchange.rows import COLUMNS, LABELS, columns_of, corpus_of, rows_of
from tagger.reading.content import Limits
from tagger.reading.rows import class_names
from tagger.reading.table import TEXTS
from tagger.themes import Theme

if TYPE_CHECKING:
    import datasets

_ROWS = 1000
_PLAIN = {str: "string", int: "int64"}


def to_dataset(corpus: Corpus, themes: Sequence[Theme]) -> datasets.Dataset:
    """Make a dataset in memory, with the columns of a corpus and of its annotations.

    Examples
    --------
    >>> from tagger.exchange import read_corpus
    >>> from tagger.themes import load_codebook
    >>> book = load_codebook("corpora/themes.toml")
    >>> to_dataset(read_corpus("corpora/mexico-2014", book.names), book.themes).features["labels"].feature.names
    ['complicity', 'forced_labor', 'shelter_gaps', 'data_quality']
    """
    datasets = library()
    labels = datasets.List(datasets.ClassLabel(names=[theme.name for theme in themes]))
    kinds = {name: labels if kind is tuple else datasets.Value(_PLAIN[kind]) for name, kind in columns_of(corpus).items()}
    rows = list(rows_of(corpus))
    columns = {name: [list(v) if isinstance(v := row[name], tuple) else v for row in rows] for name in kinds}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))


def from_dataset(dataset: datasets.Dataset, labels: Labels, name: str = "dataset") -> Corpus:
    """Make a corpus of a dataset that has a column of texts and one of labels, by name or by number."""
    return corpus_of(((f"row {number}", row) for number, row in enumerate(_rows(dataset, labels), 1)), name, labels)


def read_dataset(folder: Path, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read what `datasets.Dataset.save_to_disk` wrote; of a dictionary of datasets, the only one."""
    datasets = library()
    _refuse_strange_files(folder)
    if sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) > limits.size:
        raise InputError(f"is larger than {limits.size >> 20} MiB: select fewer rows, or raise the limit")
    try:
        found = datasets.load_from_disk(str(folder))
    except MemoryError:
        raise
    except Exception as error:  # (whatever it makes of damaged files)
        raise InputError(f"is no dataset saved by datasets: {str(error).splitlines()[0] if str(error) else error!r}") from error
    if isinstance(found, Mapping):
        if len(found) != 1:
            raise InputError(f"holds {', '.join(map(str, found))}: give the folder of one of them")
        found = next(iter(found.values()))
    if len(found) > limits.passages:
        raise InputError(f"has more than {limits.passages:,} rows: select fewer, or raise the limit")
    try:
        return from_dataset(found, labels, name)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # (whatever Arrow makes of damaged tables)
        raise InputError(f"is damaged: {type(error).__name__} while reading its rows") from error


def write_dataset(corpus: Corpus, themes: Sequence[Theme], folder: Path) -> None:
    """Save a dataset into a new folder, for `datasets.load_from_disk`."""
    dataset = to_dataset(corpus, themes)
    with new_folder(folder) as made:
        library().disable_progress_bars()
        dataset.save_to_disk(str(made))


def _refuse_strange_files(folder: Path) -> None:
    """Refuse a dataset that names files outside its own folder, which would be read as if they were its tables."""
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise InputError(f"{path.relative_to(folder)}: is a link: save the dataset anew")
        if path.name != "state.json":
            continue
        try:
            names = [str(one["filename"]) for one in json.loads(path.read_bytes())["_data_files"]]
        except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
            raise InputError(f"{path.relative_to(folder)}: does not list the files of the dataset: save it anew") from error
        for name in names:
            if not name or set(name) & set("/\\:") or name in (".", ".."):
                raise InputError(f"{path.relative_to(folder)}: names a file elsewhere, {name[:100]!r}: save the dataset anew")


def _rows(dataset: datasets.Dataset, labels: Labels) -> Iterator[dict[str, Any]]:
    """Yield rows whose class labels are names; columns that a corpus has no use for are left alone, and no picture or sound is opened."""
    datasets = library()
    inner = {name: getattr(kind, "feature", kind) for name, kind in dataset.features.items()}
    classes = {name: kind.names for name, kind in inner.items() if isinstance(kind, datasets.ClassLabel)}
    texts = (labels.columns.text,) if labels.columns.text else TEXTS
    ours = (*texts, labels.columns.id, *LABELS, *COLUMNS, BY)
    useful = [name for name in dataset.column_names if name in ours or labels.known(name)]
    # Without a text the rows are refused, and the message names all columns.
    chosen = dataset.select_columns(useful) if set(texts) & set(useful) else dataset
    for table in chosen.with_format("arrow").iter(_ROWS):  # as stored: decoding would open the files, even of the network, that a row names
        for row in table.to_pylist():
            yield {name: class_names(value, classes[name]) if name in classes else value for name, value in row.items()}


def library() -> Any:
    """The library datasets."""
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("datasets", "train") from error
    return datasets
