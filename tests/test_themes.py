from __future__ import annotations

import pytest

from tagger.corpus import load as load_corpus
from tagger.errors import ThemesError
from tagger.themes import load_codebook
from tagger.training import train

GOOD = '[[theme]]\nname = "a"\ndefinition = "x"\n'


def test_themes_codebook_page_is_generated_from_the_file(root, codebook):
    assert (root / "corpora/codebook.md").read_text(encoding="utf-8") == codebook.markdown(), "run: make codebook"


def test_themes_of_the_project(codebook):
    assert set(codebook.names) >= {"complicity", "forced_labor", "shelter_gaps", "data_quality"}
    assert all(theme.yes and theme.no and theme.question for theme in codebook.themes)
    assert len(codebook.examples) >= 16


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("theme = 3", "must be written as"),
        ("", "no \\[\\[theme\\]\\]"),
        ("[[theme]\n", "not a TOML file"),
        (GOOD + GOOD, "stands twice"),
        (GOOD + 'colour = "red"', "unknown field 'colour'"),
        (GOOD.replace('"a"', '"A b"'), "lower-case"),
        (GOOD.replace('"x"', '""'), "'definition' must be"),
        (GOOD + "yes = [3]", "'yes' must be a list"),
        (GOOD + '[[example]]\ntext = "t"\nlabels = ["b"]', "unknown theme 'b'"),
        (GOOD + '[lexicon]\nneg = "not"', "'neg' must be a list"),
    ],
)
def test_themes_errors_name_file_and_field(tmp_path, content, message):
    path = tmp_path / "themes.toml"
    path.write_text(content)
    with pytest.raises(ThemesError, match=message) as caught:
        load_codebook(path)
    assert str(path) in str(caught.value)


def test_themes_missing_file(tmp_path):
    with pytest.raises(ThemesError, match=r"nowhere\.toml: can't be read"):
        load_codebook(tmp_path / "nowhere.toml")


def test_themes_a_further_theme_needs_no_code(root, tmp_path):
    """Add a block to the file and labels to some passages: the model then tags that theme too."""
    whole = (root / "corpora/themes.toml").read_text(encoding="utf-8")
    block = '[[theme]]\nname = "training"\ndefinition = "Officials or others being trained."\n\n'
    themes = tmp_path / "themes.toml"
    themes.write_text(whole.replace("[[example]]", block + "[[example]]", 1), encoding="utf-8")
    codebook = load_codebook(themes)
    assert codebook.names[-1] == "training"
    lines = (root / "corpora/composed/passages.jsonl").read_text(encoding="utf-8").splitlines()
    folder = tmp_path / "more"
    folder.mkdir()
    labelled = []
    for line in lines:
        word = any(stem in line for stem in ("trained", "training", "course", "workshop"))
        labelled.append(line.replace('"labels": [', '"labels": ["training", ').replace(", ]", "]") if word else line)
    (folder / "passages.jsonl").write_text("\n".join(labelled), encoding="utf-8")
    model = train({"more": load_corpus(folder, codebook.names)}).model
    assert model.themes == codebook.names
    score = model.scores(["The ministry trained 40 judges in a two-day course.", "Police took bribes."])
    assert score[0, -1] > model.thresholds[-1] > score[1, -1]
