"""Real small objects that the tests share."""

from __future__ import annotations

import os
import shutil
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
def eighth(corpora: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every eighth passage of the composed corpus: enough to train on, where it doesn't matter how well."""
    folder = tmp_path_factory.mktemp("eighth")
    lines = (corpora[1] / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    (folder / "passages.jsonl").write_text("\n".join(lines[::8]), encoding="utf-8")
    return folder


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


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, driven by playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Open a file, or the page of a server, and see at the end that it said, fetched and ran nothing that it should not."""
    opened = []

    def open_file(place: Path | str, **options):
        context = browser.new_context(**options)
        page = context.new_page()
        said: list[str] = []
        address = place if isinstance(place, str) else place.as_uri()
        own = ("/".join(address.split("/")[:3]), "data:")
        page.on("console", lambda message: said.append(message.text) if not refused(message) else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if not request.url.startswith(own) else None)
        page.add_init_script("addEventListener('securitypolicyviolation', e => console.log('CSP', e.violatedDirective, e.blockedURI))")
        page.goto(address)
        opened.append((context, page, said))
        return page

    def refused(message) -> bool:
        """Of a form that was refused the browser says so, too."""
        return "status of 4" in message.text and message.location["url"].endswith(("/read", "/login", "/nowhere"))

    yield open_file
    for context, page, said in opened:
        assert page.evaluate("window.hacked") is None
        context.close()
        assert said == []


@pytest.fixture
def axe():
    """Say which accessibility rules a page breaks."""
    from axe_playwright_python.sync_playwright import Axe

    def check(page) -> str:
        rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
        result = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": rules})
        return result.generate_snapshot() if result.violations_count else ""

    return check
