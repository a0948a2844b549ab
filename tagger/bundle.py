"""A model <-> a folder: ``manifest.json``, ``weights.safetensors`` and ``README.md`` (the model card).

Loading checks sizes, hashes, shapes and types before it builds arrays. Nothing in a folder is code: no pickle, no
import path, no template; a model from a stranger can give wrong labels but can't do anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tagger.errors import ModelError, OutputError
from tagger.features import FeatureSettings
from tagger.model import Model

FORMAT = 3
"""Number of the layout below. Readers refuse a number that they do not know."""
_MOST_CELLS = 1 << 27  # numbers in the tables of a loaded model: half a GiB


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of the files of a model folder, and the most bytes each may have."""

    manifest: str = "manifest.json"
    weights: str = "weights.safetensors"
    readme: str = "README.md"
    manifest_limit: int = 4 << 20
    weights_limit: int = 512 << 20


LAYOUT = Layout()
_MODEL_KEYS = ("format", "themes", "features", "thresholds", "review", "files")


def contents(model: Model) -> dict[str, bytes]:
    """Return the files of a model's folder by their names."""
    tensors = {"columns": model.columns, "weights": model.weights, "intercepts": model.intercepts}
    tensors |= {"learned": model.learned} if len(model.learned) else {}
    weights, card = save_tensors(tensors), model.readme.encode()
    manifest = {
        **model.card,
        "format": FORMAT,
        "themes": list(model.themes),
        "features": model.settings.to_json(),
        "thresholds": [float(value) for value in model.thresholds],
        "review": [[float(low), float(high)] for low, high in model.review],
        "files": {LAYOUT.weights: _digest(weights), LAYOUT.readme: _digest(card)},
    }
    return {LAYOUT.weights: weights, LAYOUT.readme: card, LAYOUT.manifest: _serialise(manifest)}


def save(model: Model, folder: Path | str, *, readme: str | None = None) -> Path:
    """Write the model to ``folder``, with its own card or this one.

    An older model there is replaced only when the new one is whole, and comes back if the new one can't take its place.

    Raises
    ------
    OutputError
        The folder holds anything but a model, or can't be written.
    """
    folder = Path(folder)
    files = contents(model if readme is None else replace(model, readme=readme))
    try:
        place = Path(os.path.realpath(folder))
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and (other := _not_a_model(place)):
            raise OutputError(f"{folder}: is a folder with other things in it, not a model ({other}): name another one")
        _replace(place, files)
    except OSError as error:
        raise OutputError(f"{folder}: can't write the model: {error.strerror or error}") from error
    return folder


def _not_a_model(folder: Path) -> str | None:
    """What shows that a folder was not written by `save`, of whatever format; None if it was, or is empty."""
    found = {path.name for path in folder.iterdir()}
    if foreign := sorted(found - {LAYOUT.manifest, LAYOUT.weights, LAYOUT.readme}):
        return f"{foreign[0]!r} is in it"
    if not found:
        return None
    try:
        _parsed(_read(folder / LAYOUT.manifest, LAYOUT.manifest_limit), folder / LAYOUT.manifest)
    except ModelError:
        return f"{LAYOUT.manifest} is not a model's"
    return None


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files to a folder beside it, which then takes its place."""
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    new, old = made / "new", made / "old"
    try:
        new.mkdir()
        for name, content in files.items():
            with (new / name).open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        if folder.exists():
            os.replace(folder, old)
        os.replace(new, folder)
    finally:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        shutil.rmtree(made, ignore_errors=True)


def load(folder: Path | str) -> Model:
    """Read a model from its folder.

    Raises
    ------
    ModelError
        The folder is not a model, is damaged, or has a format of another version of tagger.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such model folder: name one that `tagger train` wrote")
    limits = {LAYOUT.manifest: LAYOUT.manifest_limit}
    return _open(lambda name: _read(folder / name, limits.get(name, LAYOUT.weights_limit)), folder)


def parse(files: Mapping[str, bytes]) -> Model:
    """Make a model of what `contents` returned.

    Raises
    ------
    ModelError
        A file is missing or damaged, or has a format of another version of tagger.
    """

    def read(name: str) -> bytes:
        if not isinstance(files.get(name), bytes):
            raise ModelError(f"{name}: missing: this is not a whole model")
        return files[name]

    return _open(read, Path())


def _open(read: Callable[[str], bytes], folder: Path) -> Model:
    manifest = _manifest(read(LAYOUT.manifest), folder / LAYOUT.manifest)
    files = manifest["files"]
    if not isinstance(files, dict) or set(files) != {LAYOUT.weights, LAYOUT.readme}:
        raise ModelError(f"{folder / LAYOUT.manifest}: 'files' must name {LAYOUT.weights} and {LAYOUT.readme}")
    found = {}
    for name in files:
        found[name] = read(name)
        if _digest(found[name]) != files[name]:
            raise ModelError(f"{folder / name}: differs from what its manifest says: the model is damaged; fetch or train it anew")
    try:
        tensors = load_tensors(found[LAYOUT.weights])
    except (SafetensorError, ValueError, KeyError, MemoryError) as error:
        raise ModelError(f"{folder / LAYOUT.weights}: not a safetensors file: {error}") from error
    try:
        return replace(_build(manifest, tensors), readme=found[LAYOUT.readme].decode())
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"{folder / LAYOUT.manifest}: not a model that this version can use: {error}") from error


def _parsed(raw: bytes, path: Path) -> dict[str, Any]:
    """The manifest of a model, of whatever format."""
    try:
        manifest = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not JSON: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise ModelError(f"{path}: not a model's manifest: it has no format number")
    return manifest


def _manifest(raw: bytes, path: Path) -> dict[str, Any]:
    manifest = _parsed(raw, path)
    if manifest["format"] != FORMAT:
        raise ModelError(
            f"{path}: format {manifest['format']}, but this version of tagger reads format {FORMAT}: "
            "upgrade tagger (pip install -U tagger) or train the model anew (tagger train)"
        )
    if missing := [key for key in _MODEL_KEYS if key not in manifest]:
        raise ModelError(f"{path}: field {missing[0]!r} is missing")
    try:
        unchanged = _serialise(manifest) == raw
    except (ValueError, RecursionError):
        unchanged = False
    if not unchanged:
        raise ModelError(f"{path}: was changed after it was saved: fetch or train the model anew")
    return manifest


def _build(manifest: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Model:
    themes = manifest["themes"]
    if not isinstance(themes, list) or not themes or len(themes) > 1000 or not all(isinstance(name, str) for name in themes):
        raise ValueError("'themes' must be a list of names")
    if len(set(themes)) < len(themes):
        raise ValueError("'themes' must differ from each other")
    settings = FeatureSettings(**manifest["features"])
    if settings.cells * len(themes) > _MOST_CELLS:
        raise ValueError(f"{len(themes)} themes, {len(settings.lexicon)} classes and {settings.bits} bits would fill the memory")
    columns, weights, intercepts = (tensors[name] for name in ("columns", "weights", "intercepts"))
    learned = tensors.get("learned", np.zeros(0, np.uint64))
    thresholds, review = (np.array(manifest[key], np.float64) for key in ("thresholds", "review"))
    count = len(themes)
    expected = {
        "columns": (columns, np.uint32, (len(columns),)),
        "weights": (weights, np.float32, (len(columns), count)),
        "intercepts": (intercepts, np.float64, (count,)),
        "thresholds": (thresholds, np.float64, (count,)),
        "review": (review, np.float64, (count, 2)),
        "learned": (learned, np.uint64, (learned.size,)),
    }
    for name, (array, kind, shape) in expected.items():
        if array.dtype != kind or array.shape != shape:
            raise ValueError(f"{name!r} is {array.dtype} {array.shape}, not {np.dtype(kind)} {shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name!r} holds values that are not finite")
    if len(columns) and (columns[-1] >= settings.columns or (np.diff(columns.astype(np.int64)) <= 0).any()):
        raise ValueError("'columns' must rise and lie below the number of columns")
    if (thresholds < 0).any() or (thresholds > 1).any():
        raise ValueError("'thresholds' must be probabilities")
    card = {key: value for key, value in manifest.items() if key not in _MODEL_KEYS}
    return Model(tuple(themes), settings, columns, weights, intercepts, thresholds, review, card, learned=learned)


def _read(path: Path, limit: int) -> bytes:
    try:
        if path.is_symlink() or not path.is_file():
            raise ModelError(f"{path}: missing: this folder is not a whole model")
        if path.stat().st_size > limit:
            raise ModelError(f"{path}: larger than {limit >> 20} MiB: not a model of this project")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: can't be read: {error.strerror or error}") from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _serialise(manifest: Mapping[str, Any]) -> bytes:
    """The one way to write a manifest, so that any changed byte shows. It holds no hash of itself."""
    body = {key: value for key, value in manifest.items() if key != "digest"}
    text = json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (
        json.dumps({**body, "digest": _digest(text.encode())}, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()
