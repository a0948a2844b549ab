"""Real small objects that the tests share."""

from __future__ import annotations

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
