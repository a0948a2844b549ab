"""What people decide, in a SQLite file: documents sent to review, their passages as they were tagged, and every decision with who and when.

Nothing that was acknowledged is lost when the process is killed or the power fails: write-ahead log, ``synchronous=FULL``, and a
transaction a decision. Decisions are only ever added; taking one back marks it, so that the one before it counts again. Themes may come
to those that are reviewed: each decision tells for which its passage was read, as unlabelled is not negative.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from tagger.errors import BusyError, ReviewError
from tagger.records import Document, Passage, Tagged
from tagger.tagging import Tagger
from tagger.writing import tagged_to_json
from tagger.writing.text import clean, label

FILE = "review.sqlite"
"""Its name in the data folder."""
VERSION = 3
"""Number of the schema below. A file of another number is refused."""

_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, label TEXT NOT NULL,
    model TEXT NOT NULL, held_out INTEGER NOT NULL, added TEXT NOT NULL, read INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE passages (
    key INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    place INTEGER NOT NULL, chance REAL NOT NULL, line TEXT NOT NULL, compared TEXT, UNIQUE (document, place)
);
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE,
    annotator TEXT NOT NULL, labels TEXT, suggested TEXT NOT NULL, queue TEXT NOT NULL, at TEXT NOT NULL, undone TEXT,
    asked TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX decisions_current ON decisions (passage, annotator, id) WHERE undone IS NULL;
CREATE TABLE settlements (
    id INTEGER PRIMARY KEY AUTOINCREMENT, passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE,
    annotator TEXT NOT NULL, labels TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE learned (model TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (model, document));
CREATE TABLE candidates (
    id INTEGER PRIMARY KEY AUTOINCREMENT, theme TEXT NOT NULL, passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE,
    UNIQUE (theme, passage)
);
CREATE TABLE shown (
    passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE, annotator TEXT NOT NULL, PRIMARY KEY (passage, annotator)
);
CREATE TABLE written (digest TEXT PRIMARY KEY);
"""
_CANDIDATES, _SHOWN, _WRITTEN = _SCHEMA.split(";\n")[-4:-1]
_UPDATES = {  # from a format to the next
    1: (
        "ALTER TABLE decisions ADD COLUMN asked TEXT NOT NULL DEFAULT '[]'",
        "UPDATE decisions SET asked = (SELECT value FROM about WHERE name = 'themes')",
        _CANDIDATES,
    ),
    2: (
        "ALTER TABLE documents ADD COLUMN read INTEGER NOT NULL DEFAULT 1",
        _SHOWN,
        "INSERT INTO shown SELECT DISTINCT passage, annotator FROM decisions WHERE labels IS NOT NULL OR queue != 'random'",
        _WRITTEN,
    ),
}
_DECISION = "id, passage, annotator, labels, suggested, queue, at, asked"
_CURRENT = "SELECT max(id) FROM decisions WHERE undone IS NULL GROUP BY passage, annotator"
_FIRST = "SELECT min(id) FROM decisions WHERE labels IS NOT NULL GROUP BY passage, annotator"
BLIND = frozenset({"random"})
"""Orders in which what the model says is hidden until the decision."""
AGAIN = "again"
"""The order of what is decided in one of them by somebody who may have seen before what the model says of it."""
_HELD_OUT = 3  # of so many documents in a row, the second is held out


@dataclass(frozen=True, slots=True)
class ReviewDocument:
    """A document that was sent to review."""

    id: int
    digest: str
    """SHA-256 of its passages."""
    name: str
    label: str
    model: str
    """The digest of the model that its passages are tagged by."""
    held_out: bool
    """Whether it is kept to measure on: models are never trained on its passages."""
    added: str
    read: bool
    """Whether it was opened for reading, too: there the model's labels stand on every passage."""
    passages: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage to review. ``chance`` is its place in the random order, from 0 to below 1, which hangs on nothing but the document."""

    key: int
    document: int
    place: int
    chance: float
    line: dict[str, Any]
    """As `tagger tag` writes it."""

    @property
    def passage(self) -> Passage:
        """The passage without its tags."""
        return Passage(**{name: self.line[name] for name in Passage.__slots__})

    @property
    def text(self) -> str:
        """Its words."""
        return str(self.line["text"])


@dataclass(frozen=True, slots=True)
class Decision:
    """What an annotator decided of a passage; ``labels`` is None where it was skipped."""

    id: int
    passage: int
    annotator: str
    labels: tuple[str, ...] | None
    suggested: tuple[str, ...]
    """The labels that the model gave it at that time."""
    queue: str
    at: str
    asked: tuple[str, ...]
    """The themes for which he read it."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a difference between two annotators was settled."""

    passage: int
    annotator: str
    labels: tuple[str, ...]
    reason: str
    at: str


def digest(tagger: Tagger) -> str:
    """What names a model, whatever its folder is called."""
    return str(tagger.model.card.get("digest", tagger.name))


class Store:
    """The file of one project. Every method is safe to call from any thread, and from several processes.

    ``themes`` are those that are reviewed. They may be more than at an earlier time, but not fewer.
    """

    def __init__(self, path: Path, themes: Sequence[str]) -> None:
        self.path, self.themes = path, tuple(themes)
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            path.chmod(0o600)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self._open()
        except (sqlite3.Error, OSError) as error:
            if (reason := _passing(error)) is not None:
                raise BusyError(f"{path}: can't be opened now: {reason}") from error
            raise ReviewError(f"{path}: can't be opened as a review file: {error}: move it away to begin a new one") from error

    def _open(self) -> None:
        with self._write() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in _SCHEMA.split(";\n"):
                    db.execute(statement)
                db.execute("INSERT INTO about VALUES ('themes', ?)", (json.dumps(self.themes),))
                db.execute("INSERT INTO about VALUES ('revision', '0')")
                db.execute(f"PRAGMA user_version = {VERSION}")
            elif version in _UPDATES:
                for statement in (statement for number in range(version, VERSION) for statement in _UPDATES[number]):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise ReviewError(
                    f"{self.path}: has format {version}, and this tagger reads {VERSION}: update it, or name another data folder"
                )
            db.execute("INSERT OR IGNORE INTO about VALUES ('id', ?)", (uuid4().hex,))
            self.id = str(db.execute("SELECT value FROM about WHERE name = 'id'").fetchone()[0])
            themes = json.loads(db.execute("SELECT value FROM about WHERE name = 'themes'").fetchone()[0])
            if set(themes) - set(self.themes):
                raise ReviewError(
                    f"{self.path}: holds decisions about {', '.join(themes)}, but the codebook or model has {', '.join(self.themes)}: "
                    "take one of these themes, or name another data folder"
                )
            if set(self.themes) - set(themes):
                db.execute("UPDATE about SET value = ? WHERE name = 'themes'", (json.dumps(self.themes),))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block is kept, or nothing of it."""
        with self._lock, self._telling("written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _telling(self, done: str) -> Iterator[None]:
        """Say in one line why the file can't be used now."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if (reason := _passing(error)) is None:
                raise
            raise BusyError(f"{self.path}: can't be {done} now: {reason}") from error

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._telling("read"):
            return self._db.execute(query, values).fetchall()

    # Documents

    @property
    def revision(self) -> int:
        """A number that rises with every change of the documents, but not with decisions."""
        return int(self._rows("SELECT value FROM about WHERE name = 'revision'")[0][0])

    def add(self, document: Document, tagged: Sequence[Tagged], *, model: str, learn: bool = False, read: bool = False) -> tuple[int, bool]:
        """Save a document with its tagged passages; return its number, and whether it is new. The same text is saved once.

        A passage's place in the random order comes from a hash of the document: nobody can choose it, and everybody gets the same. With
        ``learn`` the document is not held out. ``read`` tells that it was opened for reading.
        """
        if not tagged:
            raise ReviewError(f"{document.name}: has no passage to review")
        digest = _digest_of(tagged)
        with self._write() as db:
            if known := db.execute("SELECT id FROM documents WHERE digest = ?", (digest,)).fetchone():
                if read:
                    db.execute("UPDATE documents SET read = 1 WHERE id = ?", known)
                    _changed(db)
                return int(known[0]), False
            name = self._free_name(document.name)
            count = db.execute("SELECT count(*) FROM documents").fetchone()[0]
            values = (digest, name, label(document), model, not learn and count % _HELD_OUT == 1, _now(), read)
            row = db.execute(
                "INSERT INTO documents (digest, name, label, model, held_out, added, read) VALUES (?, ?, ?, ?, ?, ?, ?)", values
            )
            number = int(row.lastrowid or 0)
            lines = [(number, place, _chance(digest, place), self._line(item, name)) for place, item in enumerate(tagged)]
            db.executemany("INSERT INTO passages (document, place, chance, line) VALUES (?, ?, ?, ?)", lines)
            _changed(db)
        return number, True

    def note_read(self, tagged: Sequence[Tagged]) -> None:
        """Note that a document, if it is in review, was opened for reading."""
        digest = _digest_of(tagged)
        if self._rows("SELECT 1 FROM documents WHERE digest = ? AND NOT read", (digest,)):
            with self._write() as db:
                db.execute("UPDATE documents SET read = 1 WHERE digest = ?", (digest,))
                _changed(db)

    def _free_name(self, wanted: str) -> str:
        """Name a document as no other is named."""
        base = clean(wanted).strip() or "document"
        taken = {name for (name,) in self._rows("SELECT name FROM documents")}
        return next(name for number in range(1, len(taken) + 2) if (name := base if number == 1 else f"{base}-{number}") not in taken)

    def _line(self, item: Tagged, document: str) -> str:
        """A passage as `tagger tag` writes it, with the themes in review, of the document as it is named here: no two have one name."""
        line = tagged_to_json(item)
        lists = {name: [theme for theme in line[name] if theme in self.themes] for name in ("labels", "review")}
        maps = {name: {theme: value for theme, value in line[name].items() if theme in self.themes} for name in ("scores", "evidence")}
        return json.dumps({**line, **lists, **maps, "document": document})

    def documents(self) -> list[ReviewDocument]:
        """Return the documents, in the order in which they came."""
        query = """SELECT documents.id, digest, name, label, model, held_out, added, read, count(key) FROM documents
            JOIN passages ON document = documents.id GROUP BY documents.id ORDER BY documents.id"""
        return [
            ReviewDocument(id, digest, name, label, model, bool(held_out), added, bool(read), passages)
            for id, digest, name, label, model, held_out, added, read, passages in self._rows(query)
        ]

    def entries(self, document: int | None = None) -> list[Entry]:
        """Return the passages of one document or of all, as they read."""
        where, values = ("", ()) if document is None else ("WHERE document = ?", (document,))
        query = f"SELECT key, document, place, chance, line FROM passages {where} ORDER BY document, place"
        return [Entry(key, number, place, chance, json.loads(line)) for key, number, place, chance, line in self._rows(query, values)]

    def retag(self, document: int, tagged: Sequence[Tagged], *, model: str) -> None:
        """Replace what a model said of a document by what another one says."""
        with self._write() as db:
            name = db.execute("SELECT name FROM documents WHERE id = ?", (document,)).fetchone()[0]
            lines = [(self._line(item, name), document, place) for place, item in enumerate(tagged)]
            db.executemany("UPDATE passages SET line = ? WHERE document = ? AND place = ?", lines)
            db.execute("UPDATE documents SET model = ? WHERE id = ?", (model, document))
            _changed(db)

    def hold_out(self, document: int, held_out: bool) -> None:
        """Keep a document to measure on, or let models learn from it."""
        with self._write() as db:
            if not db.execute("UPDATE documents SET held_out = ? WHERE id = ?", (held_out, document)).rowcount:
                raise ReviewError(f"there is no document {document} in review: load the page again")
            _changed(db)

    def remove(self, document: int) -> None:
        """Delete a document, its passages and all that was decided of them, and overwrite what they took."""
        with self._write() as db:
            if not db.execute("DELETE FROM documents WHERE id = ?", (document,)).rowcount:
                raise ReviewError(f"there is no document {document} in review: load the page again")
            _changed(db)
        with self._lock, self._telling("written"):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # Candidates

    def queue(self, theme: str, passages: Sequence[int]) -> None:
        """Put candidates for a theme, the best first, after those that are there already."""
        self._known([theme])
        with self._write() as db:
            db.executemany("INSERT OR IGNORE INTO candidates (theme, passage) VALUES (?, ?)", [(theme, passage) for passage in passages])

    def candidates(self) -> dict[str, list[int]]:
        """Return the candidates for each theme that has some, in their order."""
        found: dict[str, list[int]] = {}
        for theme, passage in self._rows("SELECT theme, passage FROM candidates ORDER BY id"):
            if theme in self.themes:
                found.setdefault(theme, []).append(passage)
        return found

    # Decisions

    def decide(
        self,
        token: str,
        passage: int,
        annotator: str,
        labels: Sequence[str] | None,
        *,
        suggested: Sequence[str] = (),
        queue: str,
        asked: Sequence[str] | None = None,
    ) -> None:
        """Keep a decision; ``labels`` is None to skip, ``asked`` for all themes.

        When this returns, it is on the disk. The same ``token`` is kept once.

        Raises
        ------
        ReviewError
            The passage is gone, two others have decided it, or its difference was shown already.
        """
        kept = None if labels is None else json.dumps(self._known(labels))
        read = json.dumps(self._known([*(self.themes if asked is None else asked), *(labels or ())]))
        annotator = self.annotator(annotator)
        with self._write() as db:
            if db.execute("SELECT 1 FROM decisions WHERE token = ?", (token,)).fetchone():
                return
            self._check_open(db, passage, annotator)
            seen_by = {name.casefold() for (name,) in db.execute("SELECT annotator FROM shown WHERE passage = ?", (passage,))}
            if queue in BLIND and annotator.casefold() in seen_by:
                queue = AGAIN
            values = (token, passage, annotator, kept, json.dumps(list(suggested)), queue, _now(), read)
            columns = "token, passage, annotator, labels, suggested, queue, at, asked"
            db.execute(f"INSERT INTO decisions ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            if labels is not None or queue not in BLIND:  # who has given labels is told the model's
                db.execute("INSERT OR IGNORE INTO shown VALUES (?, ?)", (passage, annotator))

    def show(self, passages: Sequence[int], annotator: str) -> None:
        """Note that an annotator is shown what the model says of these passages: what he decides of them from now on is not blind."""
        if passages:
            annotator = self.annotator(annotator)
            with self._write() as db:
                there = "INSERT OR IGNORE INTO shown SELECT key, ? FROM passages WHERE key = ?"  # one may have been removed since
                db.executemany(there, [(annotator, passage) for passage in passages])

    def undo(self, annotator: str, token: str = "") -> Decision | None:
        """Take an annotator's last decision back and return it, or None where there is nothing to take back.

        The same ``token`` takes back once, and returns the same again. A skip can always be taken back; on a passage that has been closed
        to the annotator since, all that he decided before goes with it, as it would count again.

        Raises
        ------
        ReviewError
            Its passage is closed.
        """
        annotator = self.annotator(annotator)
        with self._write() as db:
            of_his = f"SELECT {_DECISION} FROM decisions WHERE annotator = ? AND"
            if token and (row := db.execute(f"{of_his} undone LIKE ? ORDER BY id DESC", (annotator, f"% {token}")).fetchone()):
                return _decision(row)
            row = db.execute(f"{of_his} undone IS NULL ORDER BY id DESC LIMIT 1", (annotator,)).fetchone()
            if row is None:
                return None
            last, begin = _decision(row), int(row[0])
            try:
                self._check_open(db, last.passage, annotator)
            except ReviewError:
                if last.labels is not None:
                    raise
                begin = 0
            which = "annotator = ? AND passage = ? AND id >= ? AND undone IS NULL"
            db.execute(f"UPDATE decisions SET undone = ? WHERE {which}", (f"{_now()} {token}", annotator, last.passage, begin))
            return last

    def _check_open(self, db: sqlite3.Connection, passage: int, annotator: str) -> None:
        found = db.execute("SELECT compared FROM passages WHERE key = ?", (passage,)).fetchone()
        if found is None:
            raise ReviewError("this passage is not in review any more: load the page again")
        if found[0]:
            raise ReviewError("both decisions about this passage were shown since: settle it under Differences instead")
        query = "SELECT annotator, labels FROM decisions WHERE passage = ? AND annotator != ? AND undone IS NULL ORDER BY id"
        others = dict(db.execute(query, (passage, annotator)).fetchall())
        if sum(labels is not None for labels in others.values()) > 1:
            raise ReviewError("two others have decided this passage already: go on with the next one")

    def decisions(self, annotator: str | None = None) -> list[Decision]:
        """Return the decisions that count: the last of each annotator about each passage, oldest first."""
        where, values = ("", ()) if annotator is None else ("AND annotator = ?", (self.annotator(annotator),))
        query = f"SELECT {_DECISION} FROM decisions WHERE id IN ({_CURRENT}) {where} ORDER BY id"
        return [_decision(row) for row in self._rows(query, values)]

    def firsts(self) -> list[Decision]:
        """Return the first labels that each annotator gave each passage, even if he took them back: he had seen no answer to them yet."""
        return [_decision(row) for row in self._rows(f"SELECT {_DECISION} FROM decisions WHERE id IN ({_FIRST}) ORDER BY id")]

    def compare(self, passages: Sequence[int]) -> None:
        """Note that both decisions about these passages are shown: from now on nobody can change his own."""
        with self._write() as db:
            at = _now()
            db.executemany("UPDATE passages SET compared = ? WHERE key = ? AND compared IS NULL", [(at, passage) for passage in passages])

    def compared(self) -> set[int]:
        """Return the passages of which both decisions were shown."""
        return {key for (key,) in self._rows("SELECT key FROM passages WHERE compared IS NOT NULL")}

    def settle(self, passage: int, annotator: str, labels: Sequence[str], reason: str) -> None:
        """Settle the difference between two annotators, and say why."""
        if not reason.strip():
            raise ReviewError("say why, in a few words: a difference is settled in writing")
        values = (passage, self.annotator(annotator), json.dumps(self._known(labels)), clean(reason.strip()), _now())
        with self._write() as db:
            if not db.execute("SELECT 1 FROM passages WHERE key = ? AND compared IS NOT NULL", (passage,)).fetchone():
                raise ReviewError("only a passage whose two decisions were compared can be settled: load the page again")
            db.execute("INSERT INTO settlements (passage, annotator, labels, reason, at) VALUES (?, ?, ?, ?, ?)", values)

    def settlements(self) -> dict[int, Settlement]:
        """Return the last settlement of each passage that has one."""
        rows = self._rows("SELECT passage, annotator, labels, reason, at FROM settlements ORDER BY id")
        return {row[0]: Settlement(row[0], row[1], tuple(json.loads(row[2])), row[3], row[4]) for row in rows}

    def annotators(self) -> list[str]:
        """Return the names of those who have decided anything."""
        return [name for (name,) in self._rows("SELECT annotator FROM decisions WHERE undone IS NULL GROUP BY annotator ORDER BY min(id)")]

    def annotator(self, name: str) -> str:
        """Return a name as it is kept: as it was written first, whatever its capitals and spaces now.

        Raises
        ------
        ReviewError
            It is empty, too long, or holds what can't be printed.
        """
        plain = re.sub(r"\s+", " ", unicodedata.normalize("NFC", name)).strip()
        if not plain or len(plain) > 40 or not plain.isprintable():
            raise ReviewError("an annotator needs a name of 1 to 40 letters: write yours at the top of the page")
        known = self._rows("SELECT DISTINCT annotator FROM decisions")
        return next((other for (other,) in known if other.casefold() == plain.casefold()), plain)

    def _known(self, labels: Sequence[str]) -> list[str]:
        if unknown := set(labels) - set(self.themes):
            raise ReviewError(f"there is no theme {clean(min(unknown))!r}: known are {', '.join(self.themes)}")
        return [theme for theme in self.themes if theme in labels]

    # Models

    def learned(self, model: str) -> set[int]:
        """Return the documents that a model, by its digest, has learned from."""
        query = "SELECT documents.id FROM documents JOIN learned ON learned.document = documents.digest WHERE learned.model = ?"
        return {number for (number,) in self._rows(query, (model,))}

    def note_learned(self, model: str, documents: Sequence[str]) -> None:
        """Note which documents, by their digests, a model has learned from: so it is known when one is removed and comes again."""
        with self._write() as db:
            db.executemany("INSERT OR IGNORE INTO learned VALUES (?, ?)", [(model, document) for document in documents])
            _changed(db)

    def note_written(self, digest: str) -> None:
        """Note the digest of the files of a corpus that is written from here."""
        with self._write() as db:
            db.execute("INSERT OR IGNORE INTO written VALUES (?)", (digest,))

    def has_written(self, digest: str) -> bool:
        """Whether a corpus of this digest was written from here."""
        return bool(self._rows("SELECT 1 FROM written WHERE digest = ?", (digest,)))


def _passing(error: Exception) -> str | None:
    """Why SQLite can't go on, if that is no fault of the file and may pass."""
    reasons = {sqlite3.SQLITE_BUSY: "another program holds it", sqlite3.SQLITE_FULL: "the disk is full"}
    reasons |= dict.fromkeys((sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN), str(error))
    return reasons.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)


def _decision(row: Sequence[Any]) -> Decision:
    id, passage, annotator, labels, suggested, queue, at, asked = row
    given = None if labels is None else tuple(json.loads(labels))
    return Decision(id, passage, annotator, given, tuple(json.loads(suggested)), queue, at, tuple(json.loads(asked)))


def _digest_of(tagged: Sequence[Tagged]) -> str:
    return hashlib.sha256("\0".join(item.text for item in tagged).encode("utf-8", "surrogatepass")).hexdigest()


def _chance(digest: str, place: int) -> float:
    return int.from_bytes(hashlib.sha256(f"{digest}/{place}".encode()).digest()[:6]) / 2**48


def _changed(db: sqlite3.Connection) -> None:
    db.execute("UPDATE about SET value = value + 1 WHERE name = 'revision'")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
