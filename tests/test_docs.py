"""What the pages show is what happens."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import subprocess
import sys
import tomllib

import pytest

import tagger


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # datasets forks
@pytest.mark.parametrize("library", ["tagger", "sklearn", "spacy", "datasets", "pandas", "polars", "asyncio", "joblib"])
def test_docs_python_of_the_readme_prints_what_the_readme_shows(library, readme, root, monkeypatch):
    pytest.importorskip(library, reason=f"{library} is not installed: pip install '.[integrations]'")
    monkeypatch.chdir(root)
    examples = re.findall(r"```python\n((?:(?!```).)*)```\n\n```text\n(.*?)```", readme, re.DOTALL)
    about = [rf"from tagger\.integrations\.{library} ", rf"^(?:import|from) {library}\b"]
    code, shown = next(example for line in about for example in examples if re.search(line, example[0], re.MULTILINE))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == shown


def test_docs_table_of_the_readme_is_what_tag_prints(readme, root):
    shown = re.findall(r"```text\n(.*?)```", readme, re.DOTALL)[1]
    done = subprocess.run(
        [sys.executable, "-m", "tagger", "tag", "corpora/mexico-2014/report.txt"], cwd=root, capture_output=True, text=True, check=True
    )
    printed = {line.rstrip() for line in done.stdout.splitlines()}
    assert [line for line in shown.splitlines() if line.rstrip() not in printed and line.strip() != "..."] == []


def test_docs_reports_compared_in_the_readme_give_what_it_shows(readme, root, default_model, tmp_path, monkeypatch):
    if not default_model.card.get("vocabulary"):
        pytest.skip("the shipped model was trained before cards told how errors vary between documents: make model pages")
    monkeypatch.syspath_prepend(root / "experiments")
    from pages import compared

    shown = re.search(r"<!-- compare -->\n(.*?)\n<!-- end -->", readme, re.DOTALL)[1].splitlines()
    assert shown == compared(readme)
    (tmp_path / "corpora").symlink_to(root / "corpora")
    monkeypatch.chdir(tmp_path)
    subprocess.run(next(line for line in shown if line.startswith("$ sed"))[2:], shell=True, check=True)
    code = re.search(r"```python\n(from tagger.comparing.*?)```", readme, re.DOTALL)[1]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {"tagger": tagger})
    assert printed.getvalue().startswith("6 ")
    assert (tmp_path / "page.html").stat().st_size > 10_000


def test_docs_every_command_stands_in_the_readme(readme):
    done = subprocess.run([sys.executable, "-m", "tagger", "--help"], capture_output=True, text=True, check=True)
    commands = re.findall(r"^│ (\w+) ", done.stdout, re.MULTILINE)
    assert set(commands) >= {"tag", "train", "evaluate", "corpus", "codebook"}
    for command in commands:
        assert f"tagger {command}" in readme


def test_docs_figures_of_the_readme_are_those_of_the_model_card(readme, default_model):
    measured = default_model.card["measured"]["Countries never seen"]["figures"]
    assert f"{measured['macro_f1']:.2f}" in readme
    for theme in measured["themes"]:
        assert f"| {theme['theme']} | {theme['precision']:.2f} | {theme['recall']:.2f} | {theme['f1']:.2f} |" in readme


def test_docs_agreement_of_the_datasheets_is_measured(root, codebook):
    from tagger.corpus import agreement

    for name in ("mexico-2014", "composed"):
        sheet = (root / "corpora" / name / "README.md").read_text(encoding="utf-8")
        for theme in agreement(root / "corpora" / name, codebook.names)[0]:
            assert f"| {theme.theme} | {theme.alpha:.3f} | {theme.first} | {theme.second} | {theme.both} |" in sheet


def test_docs_name_what_the_core_needs_and_it_needs_that(readme, root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (root / "tagger").rglob("*.py"))
    assert {name for name in needed if re.search(rf"^ *(?:import|from) {name}\b", source, re.MULTILINE)} == needed
    assert set(re.split(r", | and ", re.search(r"core needs (.*?)\. ", readme)[1])) == needed


def test_docs_name_every_format_that_is_written(readme):
    from tagger.writing import WRITERS

    table = readme.split("## Results")[1].split("## ")[0]
    assert set(re.findall(r"`(\.\w+)`", table)) == set(WRITERS)
    done = subprocess.run([sys.executable, "-m", "tagger", "tag", "--help"], capture_output=True, text=True, check=True)
    assert all(ending in done.stdout for ending in WRITERS)


def test_docs_commands_of_the_readme_work_as_shown(readme, root, report, tmp_path):
    """All that tag, read or print a page; training, evaluating and corpora have their own tests."""
    import pyarrow as pa
    from making import mexico
    from making_docx import word_document
    from making_pdf import reportlab_pdf
    from pyarrow import json, parquet

    (tmp_path / "corpora").symlink_to(root / "corpora")
    (tmp_path / "reports").mkdir()
    for place in (tmp_path, tmp_path / "reports"):
        (place / "report.pdf").write_bytes(reportlab_pdf([mexico()]))
        (place / "report.txt").write_bytes(report.read_bytes())
    (tmp_path / "more.docx").write_bytes(word_document(mexico()))
    rows = json.read_json(pa.BufferReader(b'{"key": "a", "sentence": "Police officers accepted bribes."}'))
    parquet.write_table(rows, tmp_path / "rows.parquet")
    readme = readme.replace(_tutorial(readme), "")
    shown = re.findall(r"^\$ ((?:cat report.txt \| )?tagger (?:tag|read|codebook)\b[^#\n]*)", readme, re.MULTILINE)
    assert len(shown) >= 8
    for command in shown:
        command = command.replace("> corpora/codebook.md", "> codebook.md").strip()
        words = command.replace("tagger", f"{shlex.quote(sys.executable)} -m tagger", 1)
        done = subprocess.run(words, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert "error" not in done.stderr
        for name in re.findall(r"(?:-o|>) (\w\S*)", command):
            assert (tmp_path / name).stat().st_size > 100, command


def _tutorial(readme: str) -> str:
    return readme.split("## A project and a theme of your own")[1].split("\n## ")[0]


def test_docs_tutorial_of_a_new_theme_happens_as_shown(readme, root, tmp_path):
    """Every command, one after the other, in one shell; what it shows is what it prints, but for numbers and marks of evidence."""
    (tmp_path / "examples").symlink_to(root / "examples")
    parts = re.split(r"^\$ ", "".join(re.findall(r"```console\n(.*?)```", _tutorial(readme), re.DOTALL)), flags=re.MULTILINE)[1:]
    asked = [re.match(r".*(?:\n> .*)*", part)[0] for part in parts]
    script = "\n".join(f"echo @@; {command}" for command in (re.sub(r"\n> ?", "\n", command) for command in asked))
    tagger = f'tagger() {{ {shlex.quote(sys.executable)} -m tagger "$@"; }}'
    done = subprocess.run(["bash", "-ec", f"{tagger}\nexec 2>&1\n{script}"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    printed = done.stdout.split("@@\n")[1:]
    for command, part, said in zip(asked, parts, printed, strict=True):
        happened = set(map(_plain, said.replace(str(tmp_path), "/home/you").splitlines()))
        lines = map(_plain, part[len(command) :].splitlines())
        assert [line for line in lines if line not in ("", "...") and line not in happened] == [], said


def _plain(line: str) -> str:
    return " ".join(re.sub(r"\d+(\.\d+)?", "0", line).replace("*", "").replace(" ?", "").lstrip("\ufeff").split())


def test_docs_learning_curve_of_a_new_theme_is_the_measured_one(readme, root):
    sys.path.insert(0, str(root / "experiments/new-theme"))
    try:
        import curve
    finally:
        sys.path.pop(0)
    rows = json.loads((root / "experiments/new-theme/results.json").read_text(encoding="utf-8"))
    assert curve.table(rows) in readme
    assert curve.table(rows) in (root / "experiments/new-theme/README.md").read_text(encoding="utf-8")
