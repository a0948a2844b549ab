from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as save_tensors

from tagger import bundle
from tagger.errors import ModelError, OutputError
from tagger.features import FeatureSettings
from tagger.model import Model

TEXTS = ["Police officers took bribes from traffickers.", "The only shelter closed.", "", "Children were forced to beg."]


@pytest.fixture
def folder(default_model: Model, tmp_path: Path) -> Path:
    return bundle.save(default_model, tmp_path / "model", readme="# Card\n")


def test_bundle_round_trip_is_exact(default_model, folder):
    loaded = bundle.load(folder)
    assert np.array_equal(loaded.scores(TEXTS), default_model.scores(TEXTS))
    assert loaded.card == {**default_model.card, "digest": loaded.card["digest"]}
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "manifest.json", "weights.safetensors"]


def test_bundle_save_replaces_an_older_model(default_model, folder):
    renamed = tuple(f"new-{theme}" for theme in default_model.themes)
    bundle.save(replace(default_model, themes=renamed), folder, readme="new")
    assert bundle.load(folder).themes == renamed
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_bundle_save_spares_a_folder_that_is_not_a_model(default_model, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="other things in it"):
        bundle.save(default_model, tmp_path, readme="")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_bundle_save_spares_what_others_keep_beside_a_manifest(default_model, folder, tmp_path):
    foreign = tmp_path / "extension"
    foreign.mkdir()
    (foreign / "manifest.json").write_text('{"manifest_version": 3}')
    (folder / "figures.html").write_text("mine")
    for place, what in ((foreign, "manifest.json is not a model's"), (folder, "'figures.html' is in it")):
        before = {path.name: path.read_bytes() for path in place.iterdir()}
        with pytest.raises(OutputError, match=what):
            bundle.save(default_model, place)
        assert {path.name: path.read_bytes() for path in place.iterdir()} == before


def test_bundle_save_replaces_a_model_of_another_format_and_follows_links(default_model, folder, tmp_path):
    resave(folder, {"format": 99})
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    bundle.save(default_model, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert bundle.load(folder).themes == default_model.themes


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), SystemExit(143)])
def test_bundle_save_that_fails_at_the_last_leaves_the_old_model(default_model, folder, monkeypatch, error):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    replace_, calls = os.replace, []

    def failing(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise error
        replace_(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises((OutputError, SystemExit)):
        bundle.save(replace(default_model, readme="new"), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors", "README.md"])
def test_bundle_refuses_any_changed_byte(folder, name):
    path = folder / name
    whole = path.read_bytes()
    for place in {0, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ModelError) as caught:
            bundle.load(folder)
        assert str(folder) in str(caught.value)
        assert "\n" not in str(caught.value)
    path.write_bytes(whole + b" ")
    with pytest.raises(ModelError):
        bundle.load(folder)


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors", "README.md"])
def test_bundle_refuses_a_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name}: missing"):
        bundle.load(folder)


def resave(folder: Path, change: dict[str, object], tensors: dict[str, np.ndarray] | None = None) -> None:
    """Change a model the way a stranger could, with all its hashes put right."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if tensors is not None:
        data = save_tensors(tensors)
        (folder / "weights.safetensors").write_bytes(data)
        manifest["files"]["weights.safetensors"] = bundle._digest(data)
    (folder / "manifest.json").write_bytes(bundle._serialise({**manifest, **change}))


def test_bundle_refuses_an_unknown_format_with_advice(folder):
    resave(folder, {"format": 99})
    with pytest.raises(ModelError, match=r"format 99.*reads format 3.*upgrade tagger"):
        bundle.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"themes": []},
        {"themes": ["a"]},
        {"thresholds": [2.0, 0.5, 0.5, 0.5]},
        {"thresholds": "high"},
        {"review": [[0.1, 0.2]]},
        {"features": {"bits": 60}},
        {"features": {"bits": 24}, "themes": [f"theme {n}" for n in range(1000)]},
        {"features": {"code": "import os"}},
        {"features": {"lexicon": ["a"]}},
        {"features": {"lexicon": {"a": 3}}},
        {"features": {"weights": []}},
        {"themes": ["a"] * 4},
        {"files": {"../secret": "0"}},
    ],
)
def test_bundle_refuses_a_crafted_manifest(folder, change):
    resave(folder, change)
    with pytest.raises(ModelError, match="manifest"):
        bundle.load(folder)


def test_bundle_refuses_crafted_weights(folder, default_model):
    good = {"columns": default_model.columns, "weights": default_model.weights, "intercepts": default_model.intercepts}
    for name, array in (
        ("columns", good["columns"][::-1].copy()),
        ("weights", good["weights"] * np.float32("nan")),
        ("weights", good["weights"].astype(np.float64)),
        ("intercepts", good["intercepts"][:2].copy()),
    ):
        resave(folder, {}, {**good, name: array})
        with pytest.raises(ModelError):
            bundle.load(folder)


def test_bundle_does_not_follow_links(folder, tmp_path):
    shutil.move(folder / "README.md", tmp_path / "elsewhere")
    (folder / "README.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="missing"):
        bundle.load(folder)


def test_bundle_of_a_small_model_by_hand(tmp_path):
    model = Model(
        themes=("x",),
        settings=FeatureSettings(bits=8),
        columns=np.array([3], np.uint32),
        weights=np.ones((1, 1), np.float32),
        intercepts=np.zeros(1),
        thresholds=np.array([0.5]),
        review=np.array([[0.4, 0.6]]),
    )
    assert bundle.load(bundle.save(model, tmp_path / "m", readme="")).scores([""]).tolist() == [[0.5]]
    hashes = np.array([1, 2**64 - 1], np.uint64)
    assert bundle.load(bundle.save(replace(model, learned=hashes), tmp_path / "m", readme="")).learned.tolist() == hashes.tolist()
