"""Annotated corpora: a folder each, with ``passages.jsonl``, a datasheet (``README.md``) and both annotation passes.

A line of ``passages.jsonl`` holds ``id``, ``text``, ``labels`` and ``document``, and where the passages come from a
report that lies beside them, as ``report.txt`` or, of several documents, ``reports/DOCUMENT.txt``, also ``section``,
``paragraph``, ``start`` and ``end``; ``asked`` names the themes for which the passage was read, where these are not all: of
the others nothing is known, which is not the same as that it does not carry them. Lines without ``asked`` were read for the
themes that occur in such lines of their corpus. A line of
``annotations.jsonl`` holds a passage's ``id``, the labels of the ``first`` and the ``second`` annotator, who did not see
each other's, and, where they differ or a label that both gave was corrected, how that was ``settled``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from tagger import records
from tagger.duplicates import near_duplicates, shingles, words
from tagger.errors import CorpusError, MissingExtraError

try:
    import datasets
except ImportError as error:
    raise MissingExtraError("datasets", "train") from error

PASSAGES = "passages.jsonl"
ANNOTATIONS = "annotations.jsonl"
README = "README.md"
REPORT, REPORTS = "report.txt", "reports"

_REQUIRED: dict[str, type] = {"id": str, "text": str, "labels": list, "document": str}
_OPTIONAL: dict[str, type | tuple[type, ...]] = {
    "section": (str, type(None)),
    "paragraph": int,
    "page": (int, type(None)),
    "start": int,
    "end": int,
    "source": str,
    "asked": list,
}
_BITS = {"paragraph": 31, "page": 31, "start": 63, "end": 63}  # of the numbers in a dataset's columns
_HALF = re.compile("[\ud800-\udfff]")  # half of a pair of surrogates: no character
_OVERLAP = 6  # so many words in a row in common with a protected text are a copy


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a corpus, and where."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two annotators agree on one theme."""

    theme: str
    alpha: float
    """Krippendorff's alpha for nominal data; not a number when neither annotator used the theme."""
    agreement: float
    first: int
    second: int
    both: int
    passages: int
    """How many passages were labelled twice, and so count here."""

    @property
    def f1(self) -> float:
        """F1 of one annotator measured against the other."""
        return 2 * self.both / (self.first + self.second) if self.first + self.second else float("nan")


def load(folder: Path | str, themes: Sequence[str], *, others: bool = False) -> datasets.Dataset:
    """Read a corpus into a dataset with typed features; ``labels`` and ``asked`` are class labels in the order of ``themes``.

    With ``others`` the corpus may have further themes, which are left out.

    Raises
    ------
    CorpusError
        A line is broken; the message names the file and the line of the first problem and counts the others.
    """
    rows, problems = _read(_passages(folder), None if others else themes)
    if problems:
        more = f" (and {len(problems) - 1} more: tagger corpus check {folder})" if len(problems) > 1 else ""
        raise CorpusError(f"{problems[0]}{more}")
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "text": datasets.Value("string"),
            "labels": datasets.List(datasets.ClassLabel(names=list(themes))),
            "document": datasets.Value("string"),
            "section": datasets.Value("string"),
            "paragraph": datasets.Value("int32"),
            "start": datasets.Value("int64"),
            "end": datasets.Value("int64"),
            "asked": datasets.List(datasets.ClassLabel(names=list(themes))),
        }
    )
    columns: dict[str, list[Any]] = {name: [row.get(name) for _, row in rows] for name in features}
    columns["labels"] = [[label for label in labels if label in themes] for labels in columns["labels"]]
    columns["asked"] = _asked([row for _, row in rows], themes)
    return datasets.Dataset.from_dict(columns, features=features)


def _asked(rows: Sequence[Mapping[str, Any]], themes: Sequence[str]) -> list[list[str]]:
    """For which of the themes each passage was read; where that is not said, those that occur where it is not."""
    unsaid = unsaid_themes(rows)
    return [[theme for theme in themes if theme in row.get("asked", unsaid)] for row in rows]


def unsaid_themes(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The themes for which lines without ``asked`` were read: those that occur in such lines, in the order in which they do."""
    return list(dict.fromkeys(label for row in rows if "asked" not in row for label in row["labels"]))


def label_matrix(corpus: datasets.Dataset) -> NDArray[np.int64]:
    """The labels of a loaded corpus as 0 or 1, (n, themes)."""
    labels = np.zeros((len(corpus), len(corpus.features["labels"].feature.names)), np.int64)
    for row, numbers in enumerate(corpus["labels"]):
        labels[row, numbers] = 1
    return labels


def asked_matrix(corpus: datasets.Dataset) -> NDArray[np.bool_]:
    """Tell for which themes each passage of a loaded corpus was read, (n, themes); in a dataset that does not say it, for all."""
    asked = np.ones((len(corpus), len(corpus.features["labels"].feature.names)), np.bool_)
    if "asked" in corpus.features:
        asked[:] = False
        for row, numbers in enumerate(corpus["asked"]):
            asked[row, numbers] = True
    return asked


def running(corpus: datasets.Dataset) -> list[str | None]:
    """Name the document of each passage that stands in running text, as `tagger.records.running` does; its place is its ``start``."""
    return records.running(list(zip(corpus["document"], corpus["start"], strict=True)))


def passages(folder: Path | str) -> list[dict[str, Any]]:
    """Return the passages of a corpus as they stand in it, whatever their labels.

    Raises
    ------
    CorpusError
        A line is broken; the message names the file and the line.
    """
    return [row for _, row in _valid(folder, None)]


def faults(folder: Path | str, themes: Sequence[str]) -> list[Problem]:
    """Return the lines of passages and annotations that can't be used, without looking at what they say."""
    rows, problems = _read(_passages(folder), themes)
    return problems or list(_annotation_problems(Path(folder), rows, themes))


def passes(folder: Path | str) -> dict[str, dict[str, Any]]:
    """Return the lines of ``annotations.jsonl`` by the id of their passage; a corpus without annotations has none."""
    path = Path(folder) / ANNOTATIONS
    return {row["id"]: row for _, row in _json_lines(path, [])} if path.is_file() else {}


def texts(folder: Path | str) -> dict[str, str]:
    """Return the texts of a corpus's documents, as far as they lie beside the passages."""
    return _texts(Path(folder), [row["document"] for row in passages(folder)])


def report_path(folder: Path, document: str, *, alone: bool = False) -> Path:
    """Return the file of a document's text: one of its own, or that of the corpus if it is ``alone`` or has no other."""
    # What no file system takes in a name is written as a URL has it.
    own = folder / REPORTS / f"{quote(document, safe=' ,;()&@+=')}.txt"
    return folder / REPORT if alone or ((folder / REPORT).is_file() and not own.is_file()) else own


def digest(folder: Path | str) -> str:
    """SHA-256 of the corpus's passages, as the manifest of a model names it."""
    return hashlib.sha256(_passages(folder).read_bytes()).hexdigest()


def check(folder: Path | str, themes: Sequence[str], *, against: Iterable[Path | str] = ()) -> list[Problem]:
    """Return all that is wrong with a corpus, in the order of its lines.

    Beside broken lines: an id or a text that stands twice, near-duplicates with the same labels (others are contrast
    pairs), text that is not at its place in ``report.txt``, annotations that do not fit, and, for each
    text or corpus in ``against``, six or more words in a row that stand there too.
    """
    path = _passages(folder)
    rows, problems = _read(path, themes)
    problems += _duplicates(path, rows)
    problems += _misplaced(path, rows)
    problems += _overlaps(path, rows, against)
    problems += _annotation_problems(Path(folder), rows, themes)
    return sorted(problems, key=lambda problem: (str(problem.path), problem.line))


def unchecked(folder: Path | str, *, against: Iterable[Path | str] = ()) -> list[str]:
    """Return what `check` could not check of a corpus, and why."""
    found = []
    if not (Path(folder) / ANNOTATIONS).is_file():
        found.append(f"whether the labels are those of two annotators; there is no {ANNOTATIONS}")
    if not texts(folder):
        found.append(f"where the passages stand; there is no {REPORT}")
    if not list(against):
        found.append("whether words are copied; no --against is given")
    return found


def statistics(folder: Path | str, themes: Sequence[str]) -> dict[str, Any]:
    """Count a corpus: passages, documents, words a passage, and passages by theme, read for a theme, and by combination of themes."""
    rows = [row for _, row in _valid(folder, themes)]
    asked = _asked(rows, themes)
    lengths = sorted(len(words(row["text"])) for row in rows)
    combinations = Counter(" + ".join(t for t in themes if t in row["labels"]) or "none" for row in rows)
    return {
        "passages": len(rows),
        "documents": dict(Counter(row["document"] for row in rows)),
        "words": {name: lengths[int(share * (len(lengths) - 1))] for name, share in (("least", 0), ("median", 0.5), ("most", 1))}
        if lengths
        else {},
        "themes": {theme: sum(theme in row["labels"] for row in rows) for theme in themes},
        "asked": {theme: sum(theme in each for each in asked) for theme in themes},
        "combinations": dict(combinations.most_common()),
    }


def agreement(folder: Path | str, themes: Sequence[str]) -> tuple[list[Agreement], list[dict[str, Any]]]:
    """Return the agreement of both annotators for each theme, and the passages on which they differ.

    Passages that were labelled only once, whose line has no ``second``, are left out.
    """
    passes = labelled_twice(folder, themes)
    found = []
    for theme in themes:
        first, second = ([theme in row[key] for row in passes] for key in ("first", "second"))
        same = sum(a == b for a, b in zip(first, second, strict=True))
        both = sum(a and b for a, b in zip(first, second, strict=True))
        share = same / len(passes) if passes else float("nan")
        found.append(Agreement(theme, krippendorff_alpha([first, second]), share, sum(first), sum(second), both, len(passes)))
    return found, [row for row in passes if set(row["first"]) != set(row["second"])]


def labelled_twice(folder: Path | str, themes: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the lines of ``annotations.jsonl`` with two annotators, and the text, document and final labels of their passages.

    Labels must be among ``themes``, if these are given.
    """
    path = Path(folder) / ANNOTATIONS
    if not path.is_file():
        raise CorpusError(f"{path}: missing: a corpus keeps both annotation passes there, to be measured")
    numbered = _valid(folder, themes)
    rows = [row for _, row in numbered]
    problems = list(_annotation_problems(Path(folder), numbered, themes))
    if problems:
        raise CorpusError(str(problems[0]))
    texts = {row["id"]: {name: row[name] for name in ("text", "document", "labels")} for row in rows}
    return [{**row, **texts[row["id"]]} for _, row in _json_lines(path, []) if "second" in row]


def label_lines(folder: Path | str) -> dict[str, int]:
    """Return the labels that stand in a corpus, each with the first line where it stands; broken lines are passed over."""
    found: dict[str, int] = {}
    for number, row in _json_lines(_passages(folder), []):
        for label in row["labels"] if isinstance(row.get("labels"), list) else ():
            if isinstance(label, str):
                found.setdefault(label, number)
    return found


def settlements(folder: Path | str) -> dict[str, str]:
    """Return, by id, how the labels were settled of passages on which the annotators differ or whose label was corrected.

    A corpus without annotations has none.
    """
    path = Path(folder) / ANNOTATIONS
    rows = _json_lines(path, []) if path.is_file() else ()
    return {row["id"]: str(row["settled"]) for _, row in rows if isinstance(row.get("id"), str) and row.get("settled")}


def krippendorff_alpha(coders: Sequence[Sequence[Any]]) -> float:
    """Krippendorff's alpha for nominal values and no missing ones (Krippendorff 2019, Content Analysis, chapter 12).

    ``coders`` holds one sequence of values a coder, all of one length. Not a number where no value varies.
    """
    count = len(coders)
    units = list(zip(*coders, strict=True))
    totals = Counter(value for unit in units for value in unit)
    pairs = count * len(units)
    observed = sum(1 - sum(n * (n - 1) for n in Counter(unit).values()) / (count * (count - 1)) for unit in units)
    expected = 1 - sum(n * (n - 1) for n in totals.values()) / (pairs * (pairs - 1)) if pairs > 1 else 0.0
    return 1 - observed / len(units) / expected if expected else float("nan")


def _passages(folder: Path | str) -> Path:
    path = Path(folder) / PASSAGES
    if not path.is_file():
        raise CorpusError(f"{path}: missing: a corpus is a folder with a {PASSAGES}")
    return path


def _texts(folder: Path, names: Iterable[str]) -> dict[str, str]:
    paths = {name: report_path(folder, name) for name in dict.fromkeys(names)}
    read = {path: _text(path) for path in dict.fromkeys(paths.values()) if path.is_file()}
    return {name: read[path] for name, path in paths.items() if path in read}


def _valid(folder: Path | str, themes: Sequence[str] | None) -> list[tuple[int, dict[str, Any]]]:
    rows, problems = _read(_passages(folder), themes)
    if problems:
        raise CorpusError(str(problems[0]))
    return rows


def _text(path: Path, encoding: str = "utf-8") -> str:
    try:
        return path.read_text(encoding)
    except OSError as error:
        raise CorpusError(f"{path}: can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{path}:{line}: not UTF-8 text ({error.reason}): save the file as UTF-8") from error


def _json_lines(path: Path, problems: list[Problem]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(_text(path, "utf-8-sig").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            half = _HALF.search(json.dumps(row, ensure_ascii=False)) if "\\u" in line else None
        except (ValueError, RecursionError) as error:
            problems.append(Problem(path, number, f"broken JSON: {error}"))
            continue
        if half:
            problems.append(Problem(path, number, f"{half[0]!r} is half a character: write the whole one"))
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            problems.append(Problem(path, number, "not an object: each line is one passage in braces"))


def _read(path: Path, themes: Sequence[str] | None) -> tuple[list[tuple[int, dict[str, Any]]], list[Problem]]:
    """Return the rows that have what they must, with their line numbers, and all that is wrong with them and with the others.

    Without ``themes`` any label is right.
    """
    rows: list[tuple[int, dict[str, Any]]] = []
    problems: list[Problem] = []
    for number, row in _json_lines(path, problems):
        problems += [Problem(path, number, message) for message in _row_problems(row, themes)]
        if all(isinstance(row.get(name), kind) for name, kind in _REQUIRED.items()) and all(
            isinstance(label, str) for label in row["labels"]
        ):
            rows.append((number, row))
    if not rows and not problems:
        problems.append(Problem(path, 1, "empty: no passage in it"))
    return rows, problems


def _row_problems(row: Mapping[str, Any], themes: Sequence[str] | None) -> Iterator[str]:
    for name, kind in _REQUIRED.items():
        if not isinstance(row.get(name), kind):
            yield f"field {name!r} is missing or is not a {kind.__name__}"
        elif name == "text" and not row["text"].strip():
            yield f"empty passage {row.get('id')!r}: write its text or delete the line"
        elif not row[name] and name != "labels":
            yield f"field {name!r} must not be empty"
    for name, value in row.items():
        if name not in _REQUIRED and name not in _OPTIONAL:
            yield f"unknown field {name!r}; known are {', '.join([*_REQUIRED, *_OPTIONAL])}"
        if name in _OPTIONAL and (not isinstance(value, _OPTIONAL[name]) or isinstance(value, bool)):
            yield f"field {name!r} has a value of the wrong type"
        elif name in _BITS and value is not None and not 0 <= value < 1 << _BITS[name]:
            yield f"field {name!r} must be from 0 to {(1 << _BITS[name]) - 1}"
    labels = row["labels"] if isinstance(row.get("labels"), list) else []
    known = [label for label in labels if isinstance(label, str)] if themes is None else themes
    yield from (f"unknown label {label!r}; known are {', '.join(known)}" for label in labels if label not in known)
    if any(labels.count(label) > 1 for label in labels):
        yield "a label stands twice"
    if isinstance(asked := row.get("asked"), list):
        known = asked if themes is None else themes
        yield from (f"unknown theme {theme!r} in 'asked'; known are {', '.join(known)}" for theme in asked if theme not in known)
        unasked = [label for label in labels if label not in asked]
        yield from (f"label {label!r} is not among 'asked', the themes for which the passage was read" for label in unasked)


def _duplicates(path: Path, rows: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[Problem]:
    ids: dict[str, int] = {}
    near = near_duplicates([row["text"] for _, row in rows])
    for (number, row), first in zip(rows, near.same, strict=True):
        if row["id"] in ids:
            yield Problem(path, number, f"id {row['id']!r} stands in line {ids[row['id']]} already")
        ids.setdefault(row["id"], number)
        if rows[first][0] != number:
            yield Problem(path, number, f"the same passage stands in line {rows[first][0]} already")
    reported: set[int] = set()
    for pair in near.pairs:
        (line, other), (number, row) = rows[pair.first], rows[pair.second]
        if number not in reported and set(other["labels"]) == set(row["labels"]):
            reported.add(number)
            yield Problem(path, number, f"near-duplicate of line {line}: {other['text'][:80]!r}")


def _misplaced(path: Path, rows: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[Problem]:
    reports = _texts(path.parent, [row["document"] for _, row in rows])
    for number, row in rows:
        report = reports.get(row["document"])
        if report is None:
            continue
        name = report_path(path.parent, row["document"]).relative_to(path.parent)
        if not isinstance(row.get("start"), int) or not isinstance(row.get("end"), int):
            yield Problem(path, number, f"fields 'start' and 'end' must say where in {name} the passage stands")
        elif report[row["start"] : row["end"]] != row["text"]:
            where = report.find(row["text"])
            hint = f"it stands at {where}" if where >= 0 else "it stands nowhere in it"
            yield Problem(path, number, f"text is not in {name} at {row['start']} to {row['end']}: {hint}")


def _overlaps(path: Path, rows: Sequence[tuple[int, dict[str, Any]]], against: Iterable[Path | str]) -> Iterator[Problem]:
    for other in map(Path, against):
        source = other / PASSAGES if other.is_dir() else other
        if not source.is_file():
            raise CorpusError(f"{source}: missing: --against takes a text file or a corpus folder")
        texts = [str(row.get("text", "")) for _, row in _json_lines(source, [])] if source.suffix == ".jsonl" else [_text(source)]
        protected = {shingle for text in texts for shingle in shingles(text, _OVERLAP) if len(shingle) == _OVERLAP}
        for number, row in rows:
            if common := shingles(row["text"], _OVERLAP) & protected:
                yield Problem(path, number, f"words in a row that stand in {other}: {' '.join(min(common))!r}: say it in others")


def _annotation_problems(folder: Path, rows: Sequence[tuple[int, dict[str, Any]]], themes: Sequence[str] | None) -> Iterator[Problem]:
    path = folder / ANNOTATIONS
    if not path.is_file():
        return
    broken: list[Problem] = []
    passages = {row["id"]: (number, row) for number, row in rows}
    for number, row in _json_lines(path, broken):
        first: Any = row.get("first")
        second: Any = row.get("second", first)  # a passage that was labelled once has no second
        known = all(
            isinstance(labels, list) and all(isinstance(label, str) if themes is None else label in themes for label in labels)
            for labels in (first, second)
        )
        if not known:
            yield Problem(path, number, "fields 'first' and 'second' must be lists of known labels")
        name = row.get("id")
        if not isinstance(name, str):
            yield Problem(path, number, "field 'id' is missing or is not a str")
            continue
        passage = passages.pop(name, None)
        if passage is None:
            yield Problem(path, number, f"no passage has the id {name!r}, or it has two lines")
        elif known and not str(row.get("settled", "")).strip():
            final = set(passage[1]["labels"])
            if set(first) != set(second):
                yield Problem(path, number, "the annotators differ, and 'settled' does not say how that was decided")
            elif set(first) != final:
                message = f"both annotators agree, but the passage is labelled {sorted(final)}, and 'settled' does not say why"
                yield Problem(path, number, message)
    yield from broken
    for number, row in passages.values():
        yield Problem(folder / PASSAGES, number, f"passage {row['id']!r} has no line in {ANNOTATIONS}")
