"""Real small objects that the tests share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tagger.model import Model
from tagger.tagging import Tagger, load
from tagger.themes import Codebook, load_codebook

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "corpora/mexico-2014/report.txt"
DEVELOPMENT = ROOT.parent / "shared/development"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def report() -> Path:
    return REPORT


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return load_codebook(ROOT / "corpora/themes.toml")


@pytest.fixture(scope="session")
def default_tagger() -> Tagger:
    return load(ROOT / "models/default")


@pytest.fixture(scope="session")
def default_model(default_tagger: Tagger) -> Model:
    return default_tagger.model


@pytest.fixture(scope="session")
def corpora() -> list[Path]:
    return [ROOT / "corpora" / name for name in ("mexico-2014", "composed")]


@pytest.fixture(scope="session")
def trained_folder(corpora: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that `tagger train` made of all corpora, in a process of its own: training takes seconds, so it is done once."""
    folder = tmp_path_factory.mktemp("trained") / "m"
    command = [
        sys.executable,
        "-m",
        "tagger",
        "train",
        *map(str, corpora),
        "-o",
        str(folder),
        "--themes",
        str(ROOT / "corpora/themes.toml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder
