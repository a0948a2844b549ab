"""Files on this machine, or on storage that many machines share: an address with ``://`` is fsspec's, anything else is a path.

What is written appears under its name only when it is whole. ``fsspec`` is imported for addresses alone.
"""

from __future__ import annotations

import os
import tempfile
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from tagger.errors import InputError, MissingExtraError, OutputError, TaggerError
from tagger.reading import Columns
from tagger.reading.files import STDIN, find_documents, is_address, is_document, named, without_own
from tagger.reading.large import HEAD, format_in_parts
from tagger.writing.whole import is_given_up, passing_name, whole

_VERSIONS = ("ETag", "etag", "generation", "mtime", "LastModified", "updated", "modified", "created")
"""What storages call that which changes with a file, the surest first."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read: where it is, what its document is called, and what tells whether it has changed.

    ``others`` are those names of other inputs that a document of it could have, if it holds the reports of several countries.
    """

    address: str
    name: str
    size: int = 0
    version: str = ""
    others: tuple[str, ...] = ()


def is_remote(address: str) -> bool:
    """Tell whether this is an address of fsspec, as ``s3://bucket/folder``, and not a path."""
    return "://" in address


def absolute(address: str) -> str:
    """The same place, told from anywhere."""
    if not is_remote(address):
        return str(Path(address).absolute())
    with _storage(address, OutputError) as (files, place):
        return str(files.unstrip_protocol(place))


def joined(folder: str, name: str) -> str:
    """The address of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def find_inputs(
    addresses: Sequence[str], *, tables: bool = False, without: str, told: Callable[[str], object] = lambda _: None
) -> list[Input]:
    """Find the files to read, as `find_documents` does; what lies in the folder ``without``, an absolute one, are results, not inputs.

    Pages that tagger wrote on this machine are passed over too, which is ``told``. A place with nothing to read is itself among the
    inputs, so that reading it tells.
    """
    for address in addresses:
        if address == STDIN or is_address(address):
            what = "standard input" if address == STDIN else "a web address"
            raise InputError(f"{address}: is {what}, which can't be tagged into a folder: save it and give the file")
    found = _local_inputs([address for address in addresses if not is_remote(address)], tables, without, told)
    for address in filter(is_remote, addresses):
        found += _remote_inputs(address, tables, without)
    if addresses and not found:
        raise InputError(f"{without}: is all that there is to read, and the folder to write into")
    names = sorted(item.name for item in found)
    return [replace(item, others=tuple(names[bisect(names, f"{item.name}-") : bisect(names, f"{item.name}.")])) for item in found]


def _local_inputs(paths: Sequence[str], tables: bool, without: str, told: Callable[[str], object]) -> list[Input]:
    top = None if is_remote(without) else Path(without).resolve()
    files = [(path, name) for path, name in find_documents(paths, tables=tables) if not (top and path.resolve().is_relative_to(top))]
    found = []
    for path, name in without_own(files, told):
        full = path.absolute()
        size, version = 0, ""
        with suppress(OSError):  # reading it will say what is wrong
            about = full.stat()
            size, version = about.st_size, str(about.st_mtime_ns)
        found.append(Input(str(full), name, size, version))
    return found


def _remote_inputs(address: str, tables: bool, without: str) -> list[Input]:
    with _storage(address, InputError) as (files, root):
        listed: dict[str, dict[str, Any]] = files.find(root, detail=True)
        whole_names = {path: files.unstrip_protocol(path) for path in listed}
    if root in listed:
        relative = {root: PurePosixPath(PurePosixPath(root).name)}
    else:
        relative = {path: PurePosixPath(path).relative_to(root) for path in listed}
        relative = {path: place for path, place in relative.items() if is_document(place.name, tables)}
        relative = {path: place for path, place in relative.items() if not whole_names[path].startswith(joined(without, ""))}
    found = [Input(whole_names[path], name, *_about(listed[path])) for path, name in named(sorted(relative.items()))]
    return found or ([] if listed and is_remote(without) else [Input(address, PurePosixPath(root).name)])


def _about(info: dict[str, Any]) -> tuple[int, str]:
    return info.get("size") or 0, next((str(info[key]) for key in _VERSIONS if info.get(key) is not None), "")


@contextmanager
def fetched(address: str, most: int, columns: Columns | None = None) -> Iterator[Path]:
    """Give the path of a file to read; one of shared storage is copied here for as long as the block lasts.

    It may have ``most`` bytes, or any number if ``columns`` are given, for it to be read part by part, and its format can be read so.
    """
    if not is_remote(address):
        yield Path(address)
        return
    with tempfile.TemporaryDirectory(prefix="tagger-") as made:
        path = Path(made, PurePosixPath(address).name)
        with _storage(address, InputError) as (files, place):
            if not files.isfile(place):
                raise InputError(f"{address}: no such file, nor a folder with a file of a known format")
            if files.size(place) > most and not (columns and format_in_parts(files.cat_file(place, 0, HEAD), path.suffix, columns)):
                raise InputError(f"{address}: is larger than {most >> 20} MiB: cut it into several files, or raise the limit")
            files.get_file(place, str(path))
        yield path


@contextmanager
def stored(address: str) -> Iterator[Path]:
    """Give a path to write a file to, whole; at the end of the block it is at its address, in folders made for it."""
    if not is_remote(address):
        path = Path(address)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent}: can't be made: {error.strerror or error}") from error
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="tagger-") as made:
        path = Path(made, PurePosixPath(address).name)
        yield path
        with _storage(address, OutputError) as (files, place):
            folder = str(PurePosixPath(place).parent)
            files.makedirs(folder, exist_ok=True)
            passing = joined(folder, passing_name())
            files.put_file(str(path), passing)
            files.mv(passing, place)


def put(address: str, data: bytes) -> None:
    """Write a file."""
    with stored(address) as path, whole(path) as stream:
        stream.write(data)


def read(address: str) -> bytes:
    """Read a file that this package wrote."""
    if not is_remote(address):
        try:
            return Path(address).read_bytes()
        except OSError as error:
            raise InputError(f"{address}: can't be read: {error.strerror or error}") from error
    with _storage(address, InputError) as (files, place):
        data: bytes = files.cat_file(place)
        return data


def listing(folder: str) -> dict[str, int]:
    """Names, relative to the folder, and sizes of all files below it; what writers of old that were killed left there is removed."""
    sizes = _remote_sizes(folder) if is_remote(folder) else _local_sizes(folder)
    for name in [name for name in sizes if is_given_up(PurePosixPath(name).name)]:
        del sizes[name]
        _remove(joined(folder, name))
    return sizes


def _remove(address: str) -> None:
    if not is_remote(address):
        Path(address).unlink(missing_ok=True)
        return
    with _storage(address, OutputError) as (files, place), suppress(FileNotFoundError):  # another run may remove it, too
        files.rm_file(place)


def _local_sizes(folder: str) -> dict[str, int]:
    sizes = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            with suppress(FileNotFoundError):  # a worker of a killed run may still rename its last file
                sizes[path.relative_to(folder).as_posix()] = path.lstat().st_size
    return sizes


def _remote_sizes(folder: str) -> dict[str, int]:
    with _storage(folder, OutputError) as (files, root):
        files.invalidate_cache()
        found: dict[str, dict[str, Any]] = files.find(root, detail=True)
    return {str(PurePosixPath(path).relative_to(root)): info.get("size") or 0 for path, info in found.items()}


@contextmanager
def _storage(address: str, kind: type[TaggerError]) -> Iterator[tuple[Any, str]]:
    """The file system of an address and the path on it; what goes wrong there becomes an error of this kind."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtraError("fsspec", "cluster") from error
    try:
        files, place = url_to_fs(address)
        yield files, place.rstrip("/")
    except TaggerError:
        raise
    except Exception as error:  # each storage raises the errors of its own library
        said = " ".join(str(error).split()) or type(error).__name__
        raise kind(f"{address}: the storage can't be used: {said[:300]}") from error
