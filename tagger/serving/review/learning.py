"""Retraining, seen from the server: a process is started, watched and ended, and what it made takes over only when somebody says so.

In the data folder, ``runs/NAME`` holds what a run was given and how it went, ``models/NAME`` the model that it made, and ``model.txt``
the name of the one that answers from now on.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import IO, Any

from tagger.errors import ModelError, ReviewError
from tagger.reading.sandbox import search_path
from tagger.review.agreement import Verdict
from tagger.review.estimates import random_part
from tagger.review.export import REVIEWED, export
from tagger.review.store import Entry, digest
from tagger.serving.review.project import Project
from tagger.serving.settings import Settings
from tagger.tagging import Tagger, load
from tagger.writing.whole import whole

JOB, HELD_OUT, STATUS = "job.json", "held_out.json", "status.json"
_LOG, _LOCK, _CHOSEN = "log.txt", "lock", "model.txt"
_FRUGAL = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def write_json(path: Path, value: Any) -> None:
    """Write a file that is whole whenever somebody reads it."""
    with whole(path) as stream:
        stream.write(json.dumps(value).encode())


def adopted(home: Path) -> Path | None:
    """Return the folder of the model that took over, or None where that is the one that the server began with.

    Raises
    ------
    ModelError
        That model is gone.
    """
    path = home / _CHOSEN
    if not path.is_file():
        return None
    folder = home / "models" / path.read_text(encoding="utf-8").strip()
    if folder.parent != home / "models" or not folder.is_dir():
        raise ModelError(f"{path}: names a model that is not in {home / 'models'}: delete this file to go on with the default model")
    return folder


def in_use(settings: Settings) -> Path | None:
    """Return the folder of the model that answers: the one that was named, else one that took over, else the project's; None for ours."""
    return settings.model or adopted(settings.home) or settings.default


class Learning:
    """The runs of one data folder; one at a time."""

    def __init__(self, home: Path, *, first: Path | None, themes: Path, corpora: Sequence[Path], current: Path | None = None) -> None:
        self.home, self.themes = home, themes
        self.first = first
        """The model that the server began with, None for the default one."""
        self.corpora = tuple(corpora)
        """What may be learned from beside the reviewed passages."""
        self.current = current
        """The folder of the model in use."""
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        for folder in home.glob("runs/*"):  # what a server left that was killed
            if not _going_on(folder):
                _forget(folder)

    def start(self, project: Project, corpora: Sequence[str]) -> str:
        """Begin to train on some of the corpora, by name, and on the reviewed passages of documents that are not held out.

        Raises
        ------
        ReviewError
            A run is going on, a corpus is not known, or there is nothing to learn from.
        """
        from fcntl import LOCK_EX, flock  # only where it is needed: Windows has none

        known = {corpus.name: corpus for corpus in self.corpora}
        if unknown := set(corpora) - set(known):
            raise ReviewError(f"there is no corpus {min(unknown)!r}: known are {', '.join(known) or 'none'}")
        with self._lock:
            last = self.status()
            if last is not None and last["state"] == "running":
                raise ReviewError("a model is being trained already: wait for it, or stop it")
            name = self._free_name()
            folder = self.home / "runs" / name
            folder.mkdir(parents=True, mode=0o700)
            with (folder / _LOCK).open("wb") as lock:
                flock(lock, LOCK_EX)
                learned = _prepare(folder, project)
                if not learned and not corpora:
                    shutil.rmtree(folder)
                    raise ReviewError("choose a corpus, or review passages of a document to learn from: there is nothing to train on")
                job = {
                    "corpora": [str(known[corpus].absolute()) for corpus in corpora],
                    "themes": str(self.themes.absolute()),
                    "old": None if self.current is None else str(self.current.absolute()),
                    "out": str((self.home / "models" / name).absolute()),
                    "learned": learned,
                }
                write_json(folder / JOB, job)
                write_json(folder / STATUS, {"state": "running", "message": "Starting", "done": 0, "steps": 0})
                self._process = _started(folder, lock)
        threading.Thread(target=_clean_up, args=(self._process, folder), daemon=True).start()
        return name

    def status(self) -> dict[str, Any] | None:
        """Return how the last run goes or went, with its name; None where there was none."""
        runs = sorted(path.parent for path in self.home.glob(f"runs/*/{STATUS}") if (path.parent / JOB).is_file())
        if not runs:
            return None
        alive = _going_on(runs[-1])  # before reading, so that what a process wrote last is not taken for an interruption
        status: dict[str, Any] = json.loads((runs[-1] / STATUS).read_text(encoding="utf-8"))
        if status["state"] == "running" and not alive:
            status |= {"state": "failed", "message": "It was interrupted before it was done: start it again"}
        job = json.loads((runs[-1] / JOB).read_text(encoding="utf-8"))
        name = runs[-1].name
        corpora = [Path(corpus).name for corpus in job["corpora"]]
        return {**status, "name": name, "corpora": corpora, "in_use": self.current == self.home / "models" / name}

    def stop(self) -> None:
        """End the run that goes on, if any."""
        with self._lock:
            process = self._process
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
                folder = max(path.parent for path in self.home.glob(f"runs/*/{STATUS}"))
                write_json(folder / STATUS, {"state": "failed", "message": "It was stopped before it was done", "done": 0, "steps": 0})

    def adopt(self, project: Project, name: str | None) -> Tagger:
        """Let a trained model answer from now on, and after the next start of the server; None stands for the one that it began with.

        Raises
        ------
        ReviewError
            There is no such model, it has other themes, or what it learned from is not known any more.
        ModelError
            It is damaged.
        """
        if name is not None and name not in self.models():
            raise ReviewError(f"there is no trained model {name!r}: load the page again")
        folder = self.first if name is None else self.home / "models" / name
        tagger = load(folder)
        if not set(tagger.themes) & set(project.store.themes):
            raise ReviewError(
                f"the model has the themes {', '.join(tagger.themes)}, the passages in review {', '.join(project.store.themes)}"
            )
        with self._lock:
            if name is None:
                (self.home / _CHOSEN).unlink(missing_ok=True)
            else:
                project.store.note_learned(digest(tagger), _learned(self.home / "runs" / name / JOB))
                with whole(self.home / _CHOSEN) as stream:
                    stream.write(f"{name}\n".encode())
            self.current = folder
            project.engine.swap(tagger)
        return tagger

    def models(self) -> list[str]:
        """Names of the trained models, the newest first."""
        return sorted((path.parent.name for path in self.home.glob("models/*/manifest.json")), reverse=True)

    def _free_name(self) -> str:
        now = f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}"
        return next(name for number in count(1) if not (self.home / "runs" / (name := now if number == 1 else f"{now}-{number}")).exists())


def _learned(job: Path) -> list[str]:
    """Return the digests of the documents that a run learned from."""
    try:
        return [str(document) for document in json.loads(job.read_text(encoding="utf-8"))["learned"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReviewError(f"{job}: can't be read, so nobody knows on which documents the model may be measured: train anew") from error


def _prepare(folder: Path, project: Project) -> list[str]:
    """Write what a run learns from and is measured on; return the digests of the documents that it learns from."""
    store, found = project.store, project.verdicts()
    documents, entries = store.documents(), project.pool().entries
    learned = export(store, folder / REVIEWED, held_out=False).documents
    unfair = project.learned()
    test = [
        held_out_document(document.name, [entry for entry in entries if entry.document == document.id], found)
        for document in documents
        if document.held_out and document.id not in unfair
    ]
    write_json(folder / HELD_OUT, [document for document in test if document["labels"]])
    return learned


def held_out_document(name: str, entries: Sequence[Entry], found: Mapping[int, Verdict]) -> dict[str, Any]:
    """All passages of a document, and the labels of its random part: on what its own doubts had chosen, the old model would do worse."""
    part = {entry.key for entry in random_part(entries, found).entries}
    return {
        "name": name,
        "keys": [entry.key for entry in entries],
        "passages": [asdict(entry.passage) for entry in entries],
        "labels": {place: list(found[entry.key].measured or ()) for place, entry in enumerate(entries) if entry.key in part},
        "asked": {place: sorted(found[entry.key].asked) for place, entry in enumerate(entries) if entry.key in part},
    }


def _started(folder: Path, lock: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the process; it holds the end of a pipe, by which it knows that this one is gone, and the lock of its folder until it ends."""
    with (folder / _LOG).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tagger.serving.review.retraining", str(folder.absolute())],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, **_FRUGAL, "PYTHONPATH": search_path()},
            pass_fds=[lock.fileno()],
        )


def _going_on(folder: Path) -> bool:
    """Whether the process of a run lives, whichever server started it."""
    from fcntl import LOCK_NB, LOCK_SH, flock

    try:
        with (folder / _LOCK).open("rb") as lock:
            flock(lock, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # it was never started
        return False
    return False


def _clean_up(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait for a run to end, and delete what it was given."""
    process.wait()
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    _forget(folder)


def _forget(folder: Path) -> None:
    """Delete the text that a run was given: of a document that is removed from review nothing shall stay."""
    shutil.rmtree(folder / REVIEWED, ignore_errors=True)
    (folder / HELD_OUT).unlink(missing_ok=True)
