"""Candidates of a new theme, decided in the browser: a project, a real server, and the model that comes of it."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager

import pytest
from serving import ask, post_json

from tagger import bundle, corpus
from tagger.extending import read_labels
from tagger.project import create
from tagger.review.store import Store
from tagger.serving.engine import Engine
from tagger.serving.review.project import Project
from tagger.tagging import Tagger

NAME = "victim_identification"
THEMES = ("complicity", "forced_labor", "shelter_gaps", "data_quality", NAME)


@pytest.fixture
def study(tmp_path):
    create(tmp_path / "study")
    return tmp_path / "study"


WITHOUT_WEB = """
import sys
sys.modules.update(dict.fromkeys(("fastapi", "starlette", "uvicorn", "multipart", "python_multipart", "prometheus_client")))
from tagger.cli import main
main()
"""


def call(study, *arguments):
    """Call the command where the extra `serve` is not installed."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_WEB, *map(str, arguments)], cwd=study, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@contextmanager
def served(folder, *arguments):
    """Serve as people do, from a folder; yield the port and what was said before."""
    command = [sys.executable, "-m", "tagger", "serve", "--port", "0", "--no-open", *map(str, arguments)]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"serves at http://127.0.0.1:(\d+)/", line):
                    yield int(found[1]), said[:-1]
                    return
            pytest.fail("".join(said))
        finally:
            process.terminate()


def test_candidates_are_decided_in_the_browser_and_learned_from(study, root):
    example = root / "examples/victim-identification"
    words = [part for word in ("identif", "screen", "recogniz", "indicators$") for part in ("--word", word)]
    said = call(study, "theme", "new", "Victim-identification", example / "reports", "--review", "--definition", "Finding victims.", *words)
    assert f"{study / 'workbench'}: 80 of 80 passages to decide" in said
    carry = {one.text for one in read_labels(example / "labelled.csv", NAME) if one.carries}
    with served(study / "corpora") as (port, said):
        assert len(said) == 1
        assert said[0].startswith(f"note: project {study}: themes.toml; what is decided is kept in {study / 'workbench'}")
        page = ask(port, "GET", "/review", accept="text/html").body.decode()
        assert f'<option value="candidates:{NAME}">Found for: Victim identification</option>' in page
        assert f'data-theme="{NAME}"' in page
        assert f"informative:{NAME}" not in page
        decided = 0
        while tasks := ask(port, "GET", f"/review/tasks?annotator=Ana&queue=candidates&theme={NAME}&count=50").json["tasks"]:
            for task in tasks:
                decided += 1
                line = task["line"]
                labels = [*line["labels"], *([NAME] if line["text"] in carry else [])]
                given = {"token": f"decision-{task['key']}", "passage": task["key"], "annotator": "Ana", "queue": "candidates"}
                assert post_json(port, "/review/decisions", {**given, "labels": labels}).status == 200
        assert decided == 80
        assert ask(port, "GET", "/review/progress?annotator=Ana").json["mine"]["decided"] == 80
        exported = post_json(port, "/learn/export", {}).json
    assert exported == {"folder": str(study / "workbench/corpora/reviewed"), "passages": 80}
    for folder in (exported["folder"], study / "corpora/reviewed"):
        if folder == study / "corpora/reviewed":
            assert f"{folder}: 80 passages decided in the workbench" in call(study, "theme", "learn", NAME)
        assert corpus.check(folder, THEMES) == []
        found = corpus.statistics(folder, THEMES)
        assert found["asked"] == dict.fromkeys(THEMES, 80)
        assert found["themes"][NAME] == 30
    model = bundle.load(study / "models/default")
    assert model.themes == THEMES
    store = Store(study / "workbench/review.sqlite", THEMES)
    project = Project(store, Engine(Tagger(model)))
    assert len(project.learned()) == len(store.documents()) > 1
    taken = (study / "corpora/reviewed/passages.jsonl").read_bytes()
    store.decide("changed", 1, "Ana", THEMES, queue="suspects")
    more = call(study, "theme", "find", NAME, example / "reports", example / "later", "--review")
    assert re.search(r"workbench: \d+ of 96 passages to decide", more)
    assert (study / "corpora/reviewed/passages.jsonl").read_bytes() == taken  # what finds writes no corpus
    call(study, "theme", "learn", NAME, "-o", "models/other")
    assert (study / "corpora/reviewed/passages.jsonl").read_bytes() != taken
    assert len(project.learned()) == len(store.documents()) - 1  # of the model that learned from what was written over; another has come
    for document in store.documents():
        store.hold_out(document.id, True)
    store.close()
    done = subprocess.run([sys.executable, "-m", "tagger", "theme", "learn", NAME], cwd=study, capture_output=True, text=True, check=False)
    assert (done.returncode, (study / "corpora/reviewed").exists()) == (1, False)  # no model learns from what is held out
    with served(study) as (port, said):
        assert "models/default" in said[0]
        task = ask(port, "GET", f"/review/tasks?annotator=Ana&queue=candidates&theme={NAME}").json["tasks"][0]
        assert task["line"]["document"] == "tellera-2022"
        assert NAME in task["line"]["scores"]
        assert ask(port, "GET", "/learn", accept="text/html").status == 200


def test_serve_in_a_project_keeps_to_what_is_named(study, root, tmp_path):
    options = ("--home", tmp_path / "home", "--themes", root / "corpora/themes.toml", "--model", root / "models/default")
    with served(study, *options) as (port, said):
        assert said == []
        assert ask(port, "GET", "/review", accept="text/html").status == 200
    with served(study, "--api-only") as (_, said):  # of which it takes nothing: there is no model in it
        assert said == []


def test_theme_find_needs_a_place_for_the_passages(study, root):
    command = [sys.executable, "-m", "tagger", "theme", "find", "complicity", str(root / "examples/victim-identification/later")]
    done = subprocess.run(command, cwd=study, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "-o FILE, or --review" in done.stderr
