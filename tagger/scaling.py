"""Many files on many processors: each input becomes a file of results (a shard) in a folder, and a killed run goes on where it was.

Workers read inputs and write shards themselves; records of what was done come back. They stand in the folder's ``_manifest``,
JSON Lines in files that are written once, each whole. A shard is written first and recorded after, and made anew unless its record
says that it was made from the same input by the same model in the same way: nothing is doubled or lost, whenever a run ends.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any

from tagger import __version__, storage
from tagger.errors import InputError, MissingExtraError, ModelError, OutputError, TaggerError
from tagger.passages import Passages
from tagger.reading import COLUMNS, LIMITS, Columns, Limits
from tagger.storage import Input, joined
from tagger.tagging import Tagger, tag_file, worker_tagger
from tagger.writing import STREAMING, About, Results, write
from tagger.writing.counts import Tally

MANIFEST = "_manifest"
_PART = re.compile(rf"{MANIFEST}/\d+\.json")
_LONGEST = 255  # bytes of a name that file systems take
_ATTEMPTS = 3  # of a task whose worker was killed
_IDLE = 30  # seconds after which processes end that a killed command left behind


@dataclass(frozen=True, slots=True)
class Settings:
    """How all shards of a run are made.

    Parameters
    ----------
    out
        The folder of results: a path, or an address of fsspec, that all workers reach.
    digest
        The hash of the model, for workers to know that theirs is the same.
    format
        The ending of the results' names, one of `tagger.writing.WRITERS`.
    model
        The folder of the model; None for the default one.
    select, told, filters
        Chooses the passages to be written, says so in what results say, and how it chooses, in plain data.
    version
        The version of tagger, for workers to know that theirs is the same.
    """

    out: str
    digest: str
    format: str = ".jsonl"
    model: str | None = None
    columns: Columns = COLUMNS
    limits: Limits = LIMITS
    select: Callable[[Results], Results] | None = None
    told: Callable[[About], About] | None = None
    filters: dict[str, Any] = field(default_factory=dict)
    version: str = __version__

    @property
    def made_with(self) -> dict[str, Any]:
        """All but the input that a shard's content depends on."""
        return {
            "tagger": self.version,
            "model": self.digest,
            "name": PurePath(self.model).name if self.model else None,
            "columns": asdict(self.columns),
            "filters": self.filters,
        }


@dataclass(frozen=True, slots=True)
class Record:
    """A shard: its name, what it was made from and with, its size, and counts of what is in it; or the error of an input.

    ``sections`` are those of the input, of passages that were not chosen too.
    """

    shard: str
    input: str
    size: int
    version: str
    made_with: dict[str, Any]
    bytes: int = 0
    passages: int = 0
    themes: dict[str, int] = field(default_factory=dict)
    sections: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str | None = None

    def same_work(self, other: Record) -> bool:
        """Tell whether both are of the same shard, made from the same input in the same way."""
        mine, others = ((r.shard, r.input, r.size, r.version, r.made_with) for r in (self, other))
        return mine == others


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do: inputs with the names of their shards; the records of those done; and shards of inputs no longer given."""

    todo: list[tuple[Input, str]]
    done: list[Record]
    left: list[str]


def digest(tagger: Tagger) -> str:
    """The hash of a loaded model, that of its manifest, which holds those of its other files."""
    found: str = tagger.model.card["digest"]
    return found


def plan(inputs: Sequence[Input], settings: Settings) -> Plan:
    """Compare the inputs with what earlier runs left in the folder of results."""
    named = _shards(inputs, settings.format)
    sizes = storage.listing(settings.out)
    records = _recorded(settings.out, sizes)
    todo, done = [], []
    for shard, item in named.items():
        record = records.get(shard)
        if record and not record.error and record.same_work(_record(item, shard, settings)) and sizes.get(shard) == record.bytes:
            done.append(record)
        else:
            todo.append((item, shard))
    left = [shard for shard, record in records.items() if shard in sizes and shard not in named and not record.error]
    return Plan(todo, done, left)


def _shards(inputs: Sequence[Input], format: str) -> dict[str, Input]:
    """Name the shards after the documents, which may be called by a path from anywhere."""
    found: dict[str, Input] = {}
    for item in inputs:
        path = PurePath(item.name)
        *folders, last = [part for part in path.parts if part not in (path.anchor, "..")] or [""]
        shard = "/".join([*map(_fitting, folders), _fitting(last, format)])
        if shard in found or shard.startswith(f"{MANIFEST}/"):
            other = f"{found[shard].address} would be too" if shard in found else "that is the manifest's place"
            raise OutputError(f"{item.address}: would be written to {shard}, and {other}: write it into another folder")
        found[shard] = item
    return found


def _fitting(name: str, ending: str = "") -> str:
    """The name with an ending; a hash stands for what would be too long for a file."""
    raw = name.encode("utf-8", "surrogateescape")
    if len(raw) + len(ending) > _LONGEST:
        name = f"{raw[: _LONGEST - len(ending) - 17].decode('utf-8', 'ignore')}-{sha256(raw).hexdigest()[:16]}"
    return name + ending


def _record(item: Input, shard: str, settings: Settings, **results: Any) -> Record:
    return Record(shard, item.address, item.size, item.version, settings.made_with, **results)


def _recorded(out: str, sizes: dict[str, int]) -> dict[str, Record]:
    """The last record of each shard."""
    records = {}
    for part in sorted(filter(_PART.fullmatch, sizes)):
        for line in storage.read(joined(out, part)).splitlines():
            try:
                record = Record(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise OutputError(f"{joined(out, part)}: is no manifest of this version of tagger: write into another folder") from error
            records[record.shard] = record
    return records


class Manifest:
    """Appends records, some together: a kill costs at most what was done in a second, or in a hundredth of the run."""

    def __init__(self, out: str) -> None:
        self._folder = joined(out, MANIFEST)
        self._waiting: list[str] = []
        self._started = self._written = time.monotonic()

    def add(self, record: Record) -> None:
        """Take a record, and write those taken if it is time."""
        self._waiting.append(json.dumps(asdict(record)) + "\n")
        now = time.monotonic()
        if now - self._written >= max(1, (now - self._started) / 100):
            self.flush()

    def flush(self) -> None:
        """Write the records taken; files in the order of their names tell the order of records."""
        if self._waiting:
            storage.put(joined(self._folder, f"{time.time_ns():020d}.json"), "".join(self._waiting).encode())
            self._waiting.clear()
        self._written = time.monotonic()


def run(todo: Sequence[tuple[Input, str]], settings: Settings, *, jobs: int = -1) -> Iterator[Record]:
    """Make shards with so many workers of the engine that is in use (all of a cluster), and yield records as they come.

    An input that can't be read has a record with an error and no shard.

    Raises
    ------
    OutputError
        A shard can't be written: what is done is recorded, and the same run goes on from there.
    ModelError
        A worker has another model, or another version of tagger.
    """
    from joblib import Parallel, delayed

    manifest = Manifest(settings.out)
    try:
        for record in Parallel(n_jobs=jobs, return_as="generator_unordered")(
            delayed(tag_shard)(item, shard, settings) for item, shard in todo
        ):
            manifest.add(record)
            yield record
    except TaggerError:
        raise
    except Exception as error:  # each engine raises errors of its own
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise TaggerError(f"workers were lost ({said}): run the same command again to go on from here") from error
    finally:
        manifest.flush()


def tag_shard(item: Input, shard: str, settings: Settings) -> Record:
    """Tag one input and write its shard; a worker's whole task."""
    if settings.version != __version__:
        raise ModelError(f"a worker has tagger {__version__}, not {settings.version}: install the same version there")
    tagger = worker_tagger(settings.model, settings.digest)
    tally, sections, notes = Tally(), dict[str, None](), list[str]()
    try:
        parts = settings.columns if settings.format in STREAMING else None
        fetched = storage.fetched(item.address, settings.limits.size, parts)
        with fetched as path, storage.stored(joined(settings.out, shard)) as place:
            results = _tagged(tagger, item, path, settings, notes)
            about = settings.told(tagger.about) if settings.told else tagger.about
            write(place, _counted(settings.select(results) if settings.select else results, tally, sections), about)
            size = place.stat().st_size
    except InputError as error:
        return _record(item, shard, settings, error=str(error))
    except MissingExtraError as error:
        return _record(item, shard, settings, error=f"{item.address}: {error}")
    counts = {"passages": tally.passages, "themes": dict(tally.themes), "sections": list(sections)}
    return _record(item, shard, settings, bytes=size, notes=notes, **counts)


def _tagged(tagger: Tagger, item: Input, path: Path, settings: Settings, notes: list[str]) -> Results:
    try:
        flowing = settings.format in STREAMING
        for document, tagged in tag_file(
            tagger, path, name=item.name, columns=settings.columns, limits=settings.limits, taken=Counter(item.others), flowing=flowing
        ):
            notes += document.notes
            yield document, tagged
    except InputError as error:
        raise InputError(str(error).replace(str(path), item.address)) from error


def _counted(results: Results, tally: Tally, sections: dict[str, None]) -> Results:
    for document, passages in results:
        tally.add(passages)
        sections.update(dict.fromkeys(filter(None, Passages.of(document.passages).section)))
        yield document, passages


@contextmanager
def engine(backend: str, address: str | None = None) -> Iterator[None]:
    """Let joblib use processes of this machine, or the workers of a Dask or Ray cluster, for as long as the block lasts."""
    from joblib import parallel_config

    if backend == "processes":
        with parallel_config("loky", idle_worker_timeout=_IDLE):
            yield
    else:
        with (_dask if backend == "dask" else _ray)(address):
            yield


@contextmanager
def _dask(address: str | None) -> Iterator[None]:
    """A scheduler gives the tasks of a killed worker to others."""
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("distributed", "cluster") from error
    from joblib import parallel_config

    try:
        client = Client(address, timeout=30, set_as_default=False)
    except (OSError, ValueError) as error:
        raise TaggerError(f"--scheduler {address}: no Dask scheduler answers there: {str(error).splitlines()[0][:200]}") from error
    with client, parallel_config("dask", client=client, retries=_ATTEMPTS, pure=False):
        yield


@contextmanager
def _ray(address: str | None) -> Iterator[None]:
    """Ray starts killed workers anew if it is told to; without an address, a cluster of this machine alone is started."""
    import os

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is to be told to its makers
    try:
        import ray
        from ray.util.joblib.ray_backend import RayBackend
    except ImportError as error:
        raise MissingExtraError("ray", "cluster") from error
    from joblib import parallel_config, register_parallel_backend

    class Backend(RayBackend):  # type: ignore[misc]
        """Hands over results as they come, which joblib takes a pool of processes, its base, to be unable to do."""

        supports_return_generator = True

    register_parallel_backend("ray", Backend)
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR", **({} if address else {"include_dashboard": False}))
    except (OSError, ValueError, RuntimeError) as error:
        raise TaggerError(f"--scheduler {address}: no Ray cluster answers there: {str(error).splitlines()[0][:200]}") from error
    try:
        with parallel_config("ray", ray_remote_args={"max_restarts": -1, "max_task_retries": _ATTEMPTS}):
            yield
    finally:
        ray.shutdown()
