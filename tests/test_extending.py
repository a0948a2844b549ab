from __future__ import annotations

import csv
import json
import shutil
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger import bundle, corpus
from tagger.building import render_card
from tagger.cli import main
from tagger.duplicates import near_duplicates
from tagger.errors import CorpusError, InputError, OutputError, ThemesError, TrainingError
from tagger.extending import (
    Candidate,
    Labelled,
    add_theme,
    find_candidates,
    learn_theme,
    read_labels,
    theme_name,
    write_candidates,
    write_labelled,
)
from tagger.project import create, find
from tagger.rates import errors_of
from tagger.records import Passage
from tagger.tagging import read_all
from tagger.themes import Theme, load_codebook

VICTIMS = Theme(
    "victim_identification",
    "Victim identification",
    "",
    "Finding victims and recognizing them as such: screening, indicators, procedures, training for it, numbers identified.",
    words=("identif", "screen", "recogniz", "indicators$"),
)


@pytest.fixture(scope="session")
def example(root) -> Path:
    return root / "examples/victim-identification"


@pytest.fixture(scope="module")
def passages(example) -> list[Passage]:
    return [passage for path in sorted((example / "reports").iterdir()) for document in read_all(path) for passage in document.passages]


@pytest.fixture(scope="module")
def study(example, tmp_path_factory) -> Path:
    """A project with the example's theme and labels."""
    folder = tmp_path_factory.mktemp("made") / "study"
    create(folder)
    add_theme(folder / "themes.toml", VICTIMS)
    write_labelled(folder / "corpora/victim_identification", VICTIMS.name, read_labels(example / "labelled.csv", VICTIMS.name))
    return folder


@pytest.mark.parametrize("written", ["victim-identification", "Victim identification", "victim__Identification ", "victim_identification"])
def test_extending_names_have_underscores(written):
    assert theme_name(written) == "victim_identification"


def test_extending_block_leaves_the_file_as_people_wrote_it(root, tmp_path):
    path = tmp_path / "themes.toml"
    before = (root / "corpora/themes.toml").read_text(encoding="utf-8")
    path.write_text(before, encoding="utf-8")
    add_theme(path, Theme("new", 'Say "new"', "", "It's new.", yes=("a",), words=("one$", "two")))
    after = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in before.splitlines() if line not in after] == []
    added = load_codebook(path)
    assert added.names == (*load_codebook(root / "corpora/themes.toml").names, "new")
    assert added.themes[-1] == Theme("new", 'Say "new"', "", "It's new.", yes=("a",), words=("one$", "two"))


def test_extending_block_is_the_first_of_an_empty_codebook(tmp_path):
    create(tmp_path, empty=True)
    with pytest.raises(ThemesError, match="needs at least one theme"):
        load_codebook(tmp_path / "themes.toml")
    add_theme(tmp_path / "themes.toml", VICTIMS)
    assert load_codebook(tmp_path / "themes.toml").themes == (VICTIMS,)


@pytest.mark.parametrize(
    ("content", "theme", "message"),
    [
        ("", Theme("a b", "t", "", "d"), "lower-case"),
        ("", Theme("a", "t", "", ""), "'definition' must be"),
        ('[[theme]]\nname = "a"\ndefinition = "x"\n', Theme("a", "t", "", "d"), "there is a theme 'a' already"),
        ("", Theme("document", "t", "", "d"), "'document' is the name of a column"),
        ("", Theme("labels", "t", "", "d"), "'labels' is the name of a column"),
        ("theme = 3", Theme("a", "t", "", "d"), "must be written as"),
        ("[[theme]\n", Theme("a", "t", "", "d"), "not a TOML file"),
        ('colour = "red"\n', Theme("a", "t", "", "d"), "unknown field 'colour'"),
    ],
)
def test_extending_block_that_would_spoil_the_file_is_not_written(tmp_path, content, theme, message):
    path = tmp_path / "themes.toml"
    path.write_text(content)
    with pytest.raises(ThemesError, match=message) as caught:
        add_theme(path, theme)
    assert str(path) in str(caught.value)
    assert path.read_text() == content


def test_extending_no_theme_is_called_as_a_column_of_its_files(tmp_path):
    write_candidates(tmp_path / "c.jsonl", "carries", [Candidate(Passage("One.", id="1", document="d"), "chance", 0.0)])
    for column in json.loads((tmp_path / "c.jsonl").read_text()).keys() - {"carries"}:
        with pytest.raises(ThemesError, match=f"'{column}' is the name of a column"):
            add_theme(tmp_path / "themes.toml", Theme(column, "t", "", "d"))


def test_extending_candidates_are_relevant_first_and_every_second_by_chance(passages, example):
    found = find_candidates(passages, VICTIMS, count=40)
    assert len(found) == len({one.passage.id for one in found}) == 40
    assert [place for place, one in enumerate(found) if one.why == "chance"] == list(range(1, 40, 2))
    carry = {one.text for one in read_labels(example / "labelled.csv", VICTIMS.name) if one.carries}
    first, drawn = ([one.passage.text in carry for one in found if (one.why == "chance") is chance][:10] for chance in (False, True))
    assert sum(first) >= 8 > sum(drawn)
    assert any(one.why == "identif" for one in found)
    assert [one.passage.id for one in find_candidates(passages, VICTIMS, count=40)] == [one.passage.id for one in found]


def test_extending_candidates_are_unlike_each_other_and_the_known(passages):
    again = [Passage(f"{passage.text} Indeed.", id=f"again-{passage.id}") for passage in passages]
    known = [passage.text for passage in passages[:10]]
    found = find_candidates([*passages, *again], VICTIMS, known=known, count=500)
    long = [one.passage.text for one in found if len(one.passage.text.split()) > 8]
    near = near_duplicates(long)
    assert (near.same, near.pairs) == (list(range(len(long))), [])
    assert not {one.passage.text for one in found} & set(known)
    assert len(found) <= len(passages)


def test_extending_candidates_follow_seeds(passages):
    vague = Theme("money", "Money", "", "Pay.")
    seed = "Farm owners were fined for late wages after inspections."
    found = find_candidates(passages, vague, seeds=[seed], count=3)
    assert "fined 12 owners for late wages" in found[0].passage.text
    assert found[0].why == "similar"
    assert find_candidates([], vague) == []


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".jsonl"])
def test_extending_labels_come_back_from_the_file_that_was_written(tmp_path, passages, ending):
    path = tmp_path / f"candidates{ending}"
    hard = Passage('=SUM(A1) "quoted", and;\tmore\u2014é', id="hard-1", document="hard")
    candidates = [*find_candidates(passages, VICTIMS, count=6), *find_candidates([hard], VICTIMS)]
    write_candidates(path, VICTIMS.name, candidates)
    with pytest.raises(InputError, match=r"is empty: there is no text in it .looked for a column 'victim_identification' with yes or no"):
        read_labels(path, VICTIMS.name)
    answers = ["yes", "no", None, "x", "0", None, "YES"]
    fill(path, answers)
    found = read_labels(path, VICTIMS.name)
    expected = [
        Labelled(one.passage.id, one.passage.document, one.passage.text.replace("\t", " "), str(answer).lower() in ("yes", "x"))
        for one, answer in zip(candidates, answers, strict=True)
        if answer
    ]
    assert [(one.id, one.document, one.text.replace("\t", " "), one.carries) for one in found] == [
        (one.id, one.document, one.text, one.carries) for one in expected
    ]


def fill(path: Path, answers: list[str | None]) -> None:
    """Write into the first column, as a person would."""
    if path.suffix == ".xlsx":
        import openpyxl

        book = openpyxl.load_workbook(path)
        for row, answer in enumerate(answers, 2):
            book.active.cell(row, 1).value = answer
        book.save(path)
    elif path.suffix == ".jsonl":
        rows = [{**json.loads(line), VICTIMS.name: answer} for line, answer in zip(path.read_text().splitlines(), answers, strict=True)]
        path.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            head, *rows = csv.reader(stream)
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            csv.writer(stream).writerows([head, *([answer, *row[1:]] for answer, row in zip(answers, rows, strict=True))])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,text,document\n1,a,d\n", "has no column 'victim_identification'"),
        (
            "victim_identification,id,text,document\nmaybe,1,a,d\n",
            "row '1': column 'victim_identification' must hold yes or no, or nothing, not 'maybe'",
        ),
        ("victim_identification,id,text,document\nyes,1,,d\nno,2,b,d\n", "row '1': has no text"),
        ("victim_identification,id,text,document\nyes,1,a,\nno,2,b,d\n", "row '1': has no document"),
        ("victim_identification,id,text,document\nyes,1,a,d\nno,1,b,d\n", "an id stands in two rows"),
    ],
)
def test_extending_labels_name_what_is_wrong(tmp_path, content, message):
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read_labels(path, VICTIMS.name)
    assert str(path) in str(caught.value)


def test_extending_other_endings_are_refused(tmp_path):
    with pytest.raises(OutputError, match="unknown format"):
        write_candidates(tmp_path / "a.txt", "t", [])


def test_extending_on_the_command_line_writes_no_block_where_the_candidates_have_no_place(example, tmp_path, monkeypatch, capsys):
    create(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = (tmp_path / "themes.toml").read_bytes()
    monkeypatch.setattr(sys, "argv", ["tagger", "theme", "new", "x", str(example / "reports"), "-o", "no/c.csv", "--definition", "y"])
    with pytest.raises(SystemExit):
        main()
    assert "error: no/c.csv: there is no folder no" in capsys.readouterr().err
    assert (tmp_path / "themes.toml").read_bytes() == before


def test_extending_corpus_grows_and_labels_change(tmp_path, codebook):
    folder = tmp_path / "corpora/complicity"
    assert write_labelled(folder, "complicity", [Labelled("1", "d", "A.", True), Labelled("2", "d", "B.", False)]) == (2, 1)
    assert write_labelled(folder, "complicity", [Labelled("2", "d", "B.", True), Labelled("3", "e", "C.", False)]) == (3, 2)
    assert corpus.check(folder, codebook.names) == []
    assert [(row["labels"], row["asked"]) for row in corpus.passages(folder)] == [
        (["complicity"], ["complicity"]),
        (["complicity"], ["complicity"]),
        ([], ["complicity"]),
    ]
    with pytest.raises(CorpusError, match="the id '3' is that of another passage"):
        write_labelled(folder, "complicity", [Labelled("3", "e", "D.", False)])


def test_extending_a_label_in_an_old_corpus_says_nothing_of_its_other_lines(tmp_path):
    """Lines without `asked` were not read for a theme that none of them has, whatever one of them is labelled with later."""
    lines = [
        {"id": str(number), "text": f"Passage {number}.", "labels": labels, "document": "d"}
        for number, labels in enumerate((["forced_labor"], [], []))
    ]
    (tmp_path / "passages.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_labelled(tmp_path, "complicity", [Labelled("0", "d", "Passage 0.", True), Labelled("9", "d", "New.", False)])
    found = corpus.statistics(tmp_path, ("complicity", "forced_labor", "data_quality"))
    assert found["asked"] == {"complicity": 2, "forced_labor": 3, "data_quality": 0}
    assert all("asked" in row for row in corpus.passages(tmp_path))


def test_extending_a_new_label_keeps_what_is_known_of_the_passage(tmp_path):
    line = {"id": "1", "text": "A.", "labels": [], "document": "d", "section": "S", "page": 3, "paragraph": 2, "start": 4, "end": 6}
    line |= {"source": "tier", "asked": ["forced_labor"]}
    (tmp_path / "passages.jsonl").write_text(json.dumps(line))
    write_labelled(tmp_path, "complicity", [Labelled("1", "d", "A.", True)])
    assert corpus.passages(tmp_path) == [{**line, "labels": ["complicity"], "asked": ["forced_labor", "complicity"]}]


def test_extending_leaves_the_other_themes_as_they_are_to_the_last_bit(study, default_model, passages):
    codebook = load_codebook(study / "themes.toml")
    model, found = learn_theme(VICTIMS.name, find(study).corpora(), codebook, default_model)
    assert model.themes == (*default_model.themes, VICTIMS.name)
    texts = [passage.text for passage in passages]
    assert np.allclose(model.scores(texts)[:, :4], default_model.scores(texts), atol=1e-7)
    known = np.isin(model.columns, default_model.columns)
    assert np.array_equal(model.weights[known][:, :4], default_model.weights)
    assert not model.weights[~known][:, :4].any()
    assert np.array_equal(model.thresholds[:4], default_model.thresholds)
    rows = {row["theme"]: row for row in model.card["cross_validation"]["themes"]}
    old = default_model.card["cross_validation"]
    assert [rows[row["theme"]] for row in old["themes"]] == [{**row, "read": old["passages"]} for row in old["themes"]]
    assert (rows[VICTIMS.name]["read"], rows[VICTIMS.name]["support"]) == (80, 30)
    errors = errors_of(model.card)
    assert {theme: errors[theme] for theme in default_model.themes} == errors_of(default_model.card)
    assert (errors[VICTIMS.name].carrying, errors[VICTIMS.name].others) == (30, 50)
    assert set(model.card["spread"]) == set(model.themes)
    assert [theme.theme for theme in found.themes] == [VICTIMS.name]
    assert render_card(model, codebook).count("There is no macro-F1: the themes were learned at different times") == 1
    assert found.themes[0].figures["average_precision"].value > 0.8
    again, _ = learn_theme(VICTIMS.name, find(study).corpora(), codebook, model)
    assert np.array_equal(again.weights, model.weights)
    assert again.card == model.card


def test_extending_a_codebook_of_its_own_keeps_no_theme_of_the_base(study, default_model, tmp_path):
    create(tmp_path, empty=True)
    add_theme(tmp_path / "themes.toml", VICTIMS)
    shutil.copytree(study / "corpora/victim_identification", tmp_path / "corpora/victim_identification")
    model, _ = learn_theme(VICTIMS.name, find(tmp_path).corpora(), load_codebook(tmp_path / "themes.toml"), default_model)
    assert model.themes == (VICTIMS.name,)
    assert "There is no macro-F1" not in render_card(model, load_codebook(tmp_path / "themes.toml"))
    assert list(errors_of(model.card)) == list(model.card["spread"]) == [VICTIMS.name]
    assert model.card["vocabulary"] != default_model.card["vocabulary"]


@pytest.mark.parametrize("card", [{}, {"cross_validation": {"themes": [3, {}]}, "spread": 1, "measured": {"x": {}}, "corpora": [{}, 4]}])
def test_extending_a_base_with_half_a_card_gives_a_model_with_a_whole_one(study, default_model, card):
    codebook = load_codebook(study / "themes.toml")
    model, _ = learn_theme(VICTIMS.name, find(study).corpora(), codebook, replace(default_model, card=card))
    assert f"| {VICTIMS.name} |" in render_card(model, codebook)
    assert list(errors_of(model.card)) == [VICTIMS.name]


def test_extending_what_was_measured_of_an_older_classifier_of_the_theme_is_gone(study, default_model):
    codebook = load_codebook(study / "themes.toml")
    first, _ = learn_theme(VICTIMS.name, find(study).corpora(), codebook, default_model)
    stale = {**first.card["cross_validation"], "themes": [{**row, "support": 1} for row in first.card["cross_validation"]["themes"]]}
    again, _ = learn_theme(VICTIMS.name, find(study).corpora(), codebook, replace(first, card={**first.card, "cross_validation": stale}))
    assert [row["support"] for row in again.card["cross_validation"]["themes"]] == [1, 1, 1, 1, 30]


def test_extending_a_theme_that_nobody_labelled_is_refused(study, default_model):
    codebook = load_codebook(study / "themes.toml")
    with pytest.raises(TrainingError, match="'complicity' has passages in 0 document"):
        learn_theme("complicity", find(study).corpora(), codebook, default_model)
    with pytest.raises(TrainingError, match="the codebook has no theme 'unheard'"):
        learn_theme("unheard", find(study).corpora(), codebook, default_model)


def test_extending_on_the_command_line_from_no_theme_to_tags(example, tmp_path, monkeypatch, capsys):
    def call(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["tagger", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert ended.value.code in (0, None), said.err
        return said.out + said.err

    create(tmp_path)
    monkeypatch.chdir(tmp_path / "corpora")
    words = [part for word in VICTIMS.words for part in ("--word", word)]
    new = ["theme", "new", "Victim-Identification", example / "reports", "-o", "c.csv", "--definition", VICTIMS.definition, *words]
    assert "80 of 80 passages to label" in call(*new)
    assert tomllib.loads((tmp_path / "themes.toml").read_text())["theme"][-1]["words"] == list(VICTIMS.words)
    assert "5 themes" in call("theme", "learn", "victim-identification", example / "labelled.csv")
    assert bundle.load(tmp_path / "models/default").themes[-1] == VICTIMS.name
    assert "| victim_identification |" in (tmp_path / "models/default/README.md").read_text()
    assert "victim_identification" in call("tag", example / "later/tellera-2022.txt", "--theme", "victim_identification")
    assert "victim_identification" in call("evaluate", "default", "victim_identification", "--resamples", "20")
    found = call("theme", "find", "victim-identification", example / "later", example / "reports", "-o", "more.jsonl")
    assert "of 96 passages to label" in found
    rows = list(map(json.loads, Path("more.jsonl").read_text().splitlines()))
    assert {row["document"] for row in rows} == {"tellera-2022"}
