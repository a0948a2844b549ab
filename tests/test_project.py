from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tagger.cli import main
from tagger.errors import OutputError, ProjectError
from tagger.project import MARK, create, find
from tagger.themes import load_codebook

EXPERIMENT = """corpora = ["../../corpora/mine"]
themes = "../../themes.toml"
seeds = [0]

[split]
kind = "cross-validation"
folds = 2

[estimator]
kind = "sklearn.linear_model.LogisticRegression"
folds = 2

[estimator.vectorizer]
kind = "sklearn.feature_extraction.text.TfidfVectorizer"
"""


@pytest.fixture(scope="module")
def study(root, tmp_path_factory) -> Path:
    """A project with a corpus, a model and an experiment, and a folder deep below."""
    folder = tmp_path_factory.mktemp("made") / "study"
    create(folder)
    (folder / "corpora/mine").mkdir()
    lines = (root / "corpora/composed/passages.jsonl").read_text(encoding="utf-8").splitlines()[::48]
    (folder / "corpora/mine/passages.jsonl").write_text("\n".join(lines), encoding="utf-8")
    notes = [json.dumps({"id": (row := json.loads(line))["id"], "first": row["labels"], "second": row["labels"]}) for line in lines]
    (folder / "corpora/mine/annotations.jsonl").write_text("\n".join(notes))
    shutil.copytree(root / "models/default", folder / "models/default")
    (folder / "experiments/bag").mkdir()
    (folder / "experiments/bag/experiment.toml").write_text(EXPERIMENT)
    (folder / "notes/2024").mkdir(parents=True)
    return folder


@pytest.fixture
def call(study, monkeypatch, capsys):
    """Call a command in a folder far below the project's; give its exit code, what it printed, and what it said."""

    def run(*arguments: object, cwd: Path | None = None) -> tuple[int, str, str]:
        monkeypatch.chdir(cwd or study / "notes/2024")
        monkeypatch.setattr(sys, "argv", ["tagger", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_project_is_found_from_any_folder_below_and_said_once(call, study):
    for cwd in (study, study / "notes", study / "notes/2024"):
        code, printed, said = call("codebook", cwd=cwd)
        assert code == 0
        assert printed == load_codebook(study / "themes.toml").markdown()
        assert said == f"note: project {study}: themes.toml, corpora/mine, models/default\n"


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["corpus", "stats"], "corpora/mine: {count} passages"),
        (["corpus", "stats", "mine"], "corpora/mine: {count} passages"),
        (["corpus", "stats", "corpora/mine"], "corpora/mine: {count} passages"),
        (["corpus", "check"], "corpora/mine: nothing wrong"),
        (["corpus", "agreement"], "corpora/mine: the annotators differ on 0"),
        (["corpus", "leakage", "mine", "mine"], "~"),
        (["evaluate", "default", "mine", "--resamples", "2"], "{count} passages of"),
        (["evaluate", "models/default", "corpora/mine", "--resamples", "2"], "{count} passages of"),
        (["experiment", "list"], "bag"),
        (["corpus", "export", "mine", "-o", "{tmp_path}/mine.csv"], ""),
        (["theme", "find", "data-quality", "{report}", "-o", "{tmp_path}/found.csv", "--count", "8"], ""),
    ],
)
def test_project_gives_commands_what_they_do_not_name(call, study, report, tmp_path, arguments, shown):
    code, printed, said = call(*(part.format(report=report, tmp_path=tmp_path) for part in arguments))
    assert code == (arguments[1] == "leakage"), said
    count = len((study / "corpora/mine/passages.jsonl").read_text(encoding="utf-8").splitlines())
    assert shown.format(count=count) in printed
    assert said.count("note: project") == 1


def test_project_takes_what_is_imported_by_its_own_themes(call, study, tmp_path):
    (tmp_path / "labels.csv").write_text("id,text,labels\n1,Police took bribes.,complicity\n")
    code, _, said = call("corpus", "import", tmp_path / "labels.csv", "-o", tmp_path / "mine")
    assert (code, said.count("note: project")) == (0, 1)


def test_project_model_tags(call, study, report, tmp_path):
    code, _, said = call("tag", report, "-o", tmp_path / "tags.csv")
    assert (code, said.splitlines()[0]) == (0, f"note: project {study}: themes.toml, corpora/mine, models/default")
    code, _, said = call("tag", report, "-o", tmp_path / "tags.csv", "--model", "default")
    assert code == 0
    assert "note: project" in said


def test_project_trains_audits_and_experiments_below(call, study, tmp_path):
    shutil.copytree(study, copy := tmp_path / "copy")
    below = copy / "notes/2024"
    shutil.rmtree(copy / "models/default")
    assert call("train", cwd=below)[0] == 0
    assert (copy / "models/default/manifest.json").is_file()
    assert call("corpus", "audit", "--top", "1", cwd=below)[0] == 0
    for command in ("run", "report"):
        assert call("experiment", command, "bag", cwd=below)[0] == 0
    assert call("experiment", "compare", "bag", "experiments/bag", "--resamples", "2", cwd=below)[0] == 0


def test_project_decides_nothing_that_is_named(call, study, root, tmp_path, report):
    shutil.copytree(root / "corpora/mexico-2014", tmp_path / "theirs")
    code, printed, said = call("corpus", "stats", tmp_path / "theirs", "--themes", root / "corpora/themes.toml")
    assert (code, said) == (0, "")
    assert "112 passages" in printed
    code, _, said = call("tag", report, "-o", tmp_path / "tags.csv", "--model", root / "models/default")
    assert code == 0
    assert "note: project" not in said
    (study / "notes/2024/mine").mkdir(exist_ok=True)  # what is here comes before what is called so in the project
    assert "mine/passages.jsonl: missing" in call("corpus", "stats", "mine", "--themes", root / "corpora/themes.toml")[2]
    (study / "notes/2024/mine").rmdir()


def test_project_outside_of_one_nothing_is_found(call, tmp_path):
    assert find(tmp_path) is None
    code, _, said = call("corpus", "stats", cwd=tmp_path)
    assert (code, "corpora/themes.toml: no such codebook" in said or "name one or more" in said) == (code, True)
    assert code in (1, 2)
    assert "tagger init" in call("theme", "new", "x", "--definition", "y", cwd=tmp_path)[2]
    assert call("train", "c", "--themes", Path(__file__).parent.parent / "corpora/themes.toml", cwd=tmp_path)[0] == 2


def test_project_without_its_codebook_says_so(call, tmp_path):
    create(tmp_path)
    (tmp_path / "themes.toml").unlink()
    code, _, said = call("codebook", cwd=tmp_path)
    assert code == 1
    assert f"error: {tmp_path / 'themes.toml'}: no such codebook" in said


def test_project_themes_without_a_mark_are_none(root, tmp_path):
    (tmp_path / "themes.toml").write_bytes((root / "corpora/themes.toml").read_bytes())
    assert find(tmp_path) is None


def test_project_nearest_is_taken(tmp_path):
    create(tmp_path / "outer")
    create(tmp_path / "outer/inner")
    (tmp_path / "outer/inner/deep").mkdir()
    assert find(tmp_path / "outer/inner/deep").folder == tmp_path / "outer/inner"


def test_project_is_found_above_a_symbolic_link_and_above_its_target(tmp_path, monkeypatch):
    create(tmp_path / "study")
    (tmp_path / "data/reports").mkdir(parents=True)
    (tmp_path / "study/reports").symlink_to(tmp_path / "data/reports")
    assert find(tmp_path / "study/reports").folder == tmp_path / "study"
    monkeypatch.chdir(tmp_path / "study/reports")
    monkeypatch.setenv("PWD", str(tmp_path / "study/reports"))
    assert find().folder == tmp_path / "study"
    monkeypatch.setenv("PWD", str(tmp_path / "elsewhere"))  # stale: another folder than the one we are in
    assert find() is None
    (tmp_path / "link").symlink_to(tmp_path / "study/corpora")
    monkeypatch.chdir(tmp_path / "link")
    monkeypatch.setenv("PWD", str(tmp_path / "link"))
    assert find().folder == tmp_path / "study"


def test_project_corpora_may_be_links(study, tmp_path):
    create(tmp_path)
    (tmp_path / "corpora/linked").symlink_to(study / "corpora/mine")
    (tmp_path / "corpora/broken").symlink_to(tmp_path / "nowhere")
    assert find(tmp_path).corpora() == [tmp_path / "corpora/linked"]


def test_project_where_the_working_directory_is_gone(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert find() is None


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may look into every folder")
def test_project_passes_over_what_may_not_be_looked_into(tmp_path):
    create(tmp_path / "study")
    (tmp_path / "study/below").mkdir()
    (tmp_path / "study/corpora").chmod(0)
    with pytest.raises(ProjectError, match="can't be read"):
        find(tmp_path / "study/below").corpora()
    (tmp_path / "study/corpora").chmod(0o755)
    (tmp_path / "study").chmod(0)
    assert find(tmp_path / "study/below") is None
    (tmp_path / "study").chmod(0o755)


def test_project_folder_that_may_not_be_looked_into_is_passed_over(tmp_path, monkeypatch):
    create(tmp_path / "study")
    (tmp_path / "study/below").mkdir()
    look = Path.is_file

    def refused(path, **options):
        if path.parent.name == "below":
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **options)

    monkeypatch.setattr(Path, "is_file", refused)
    assert find(tmp_path / "study/below").folder == tmp_path / "study"


def test_project_is_made_whole_and_nothing_there_is_lost(tmp_path):
    (tmp_path / "themes.toml").write_text("# mine\n")
    written = {path.relative_to(tmp_path).as_posix() for path in create(tmp_path)}
    assert written == {"README.md", "corpora/README.md", "models/README.md", "experiments/README.md", MARK}
    assert (tmp_path / "themes.toml").read_text() == "# mine\n"
    assert create(tmp_path) == []
    (tmp_path / "models/README.md").unlink()
    assert create(tmp_path) == [tmp_path / "models/README.md"]


def test_project_begins_with_the_four_themes_or_with_none(codebook, tmp_path):
    create(tmp_path / "four")
    assert load_codebook(tmp_path / "four/themes.toml") == codebook
    create(tmp_path / "none", empty=True)
    assert "name" not in (tmp_path / "none/themes.toml").read_text()


def test_project_that_can_not_be_made_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't be written"):
        create(tmp_path / "file")


def test_project_init_names_what_it_wrote(call, tmp_path):
    code, printed, _ = call("init", "mine", cwd=tmp_path)
    assert (code, len(printed.splitlines())) == (0, 6)
    assert call("init", "mine", cwd=tmp_path)[1] == "mine: is a project already; nothing was missing\n"


def test_project_readme_names_commands_that_there_are(call, tmp_path):
    create(tmp_path)
    shown = [line.split("#")[0].split()[2:] for line in (tmp_path / "README.md").read_text().splitlines() if line.startswith("$ ")]
    assert len(shown) == 9
    for command in shown:
        words = command[: 2 if command[0] in ("theme", "corpus") else 1]
        assert call(*words, "--help")[0] == 0
