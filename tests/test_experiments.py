from __future__ import annotations

import html
import itertools
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tagger import corpus
from tagger.errors import CorpusError, ExperimentError, MissingExtraError, OutputError, TaggerError, ThemesError, TrainingError
from tagger.evaluation import measure
from tagger.evaluation.resampling import grouped_folds
from tagger.experiments import Run, read_experiment, read_results
from tagger.experiments.data import folds, read_data, search_folds
from tagger.experiments.files import line_of
from tagger.experiments.fitting import Fitter, code_digest
from tagger.experiments.learning import SettingError, make_learner
from tagger.experiments.searching import candidates
from tagger.experiments.settings import Features, Settings, TaggerEstimator
from tagger.features import FeatureSettings
from tagger.learners import TaggerLearner
from tagger.training import TrainingSettings

THEMES = ("complicity", "forced_labor", "shelter_gaps", "data_quality")
DATA = 'corpora = ["../little"]\nthemes = "../themes.toml"\n'
QUICK = '[split]\nkind = "cross-validation"\nfolds = 3\n[estimator]\nC = [0.1]\nfolds = 3\n'
BAYES = """[split]
kind = "cross-validation"
folds = 3
[estimator]
kind = "sklearn.naive_bayes.ComplementNB"
folds = 2
[estimator.vectorizer]
kind = "sklearn.feature_extraction.text.TfidfVectorizer"
"""


@pytest.fixture(scope="module")
def place(root, tmp_path_factory):
    """A working directory: two little corpora, of some passages of twelve composed documents each, and the themes."""
    folder = tmp_path_factory.mktemp("experiments")
    rows = corpus.passages(root / "corpora/composed")
    names = sorted({row["document"] for row in rows})
    for name, start in (("little", 0), ("other", 1)):
        chosen = [row for document in names[start::2][:12] for row in [r for r in rows if r["document"] == document][::8]]
        write_corpus(folder / name, chosen)
    (folder / "themes.toml").write_bytes((root / "corpora/themes.toml").read_bytes())
    return folder


def write_corpus(folder, rows):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write(place, name, text):
    folder = place / name
    folder.mkdir(exist_ok=True)
    (folder / "experiment.toml").write_text(text, encoding="utf-8")
    return folder


def run(folder, **options):
    experiment = read_experiment(folder)
    results = Run(experiment, **options).results()
    results.write(folder)
    return results


def command(*arguments):
    """Run a command in this process: to import all that training needs takes seconds."""
    from tagger.cli.experiment import experiment_app

    return CliRunner().invoke(experiment_app, [str(argument) for argument in arguments])


def test_experiments_settings_name_all_that_tagger_can_be_told():
    training, features = vars(TrainingSettings()), vars(FeatureSettings())
    assert set(TaggerEstimator.model_fields) - {"kind"} == set(training) - {"features", "seed"}
    assert set(Features.model_fields) == set(features) - {"lexicon"}
    settings = Settings(corpora=["a"], themes="b")
    assert settings.feature_settings({}) == FeatureSettings()
    assert {name: list(value) if name == "C" else value for name, value in training.items() if name not in ("features", "seed")} == (
        settings.estimator.model_dump(exclude={"kind"})
    )


def test_experiments_read_what_the_readme_shows(root, place):
    shown = re.search(r"```toml\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    experiment = read_experiment(write(place, "shown", shown.replace("../../corpora/", f"{root}/corpora/")))
    assert len(Run(experiment).data.corpus) > 10_000
    assert candidates(experiment.settings) == [{"estimator.parameters.C": value} for value in (0.1, 1, 10)]


@pytest.mark.parametrize("name", ["bag-of-words", "cross-validation"])
def test_experiments_of_the_repository_can_be_measured_again(root, name):
    read_experiment(root / "experiments" / name)
    results = read_results(root / "experiments" / name)
    assert measure(results.predictions).card() == results.figures


def test_experiments_line_of_a_value_wherever_it_stands():
    text = '# x\ntitle = "a"\n"corpora" = [\n  "a",\n]\n\n[estimator]\nkind = "tagger"\nvectorizer.kind = "b"\n[[x]]\n[[x]]\ny = {z = 1}\n'
    assert line_of(text, ("title",)) == 2
    assert line_of(text, ("corpora", 0)) == 3
    assert line_of(text, ("estimator",)) == 7
    assert line_of(text, ("estimator", "vectorizer", "kind")) == 9
    assert line_of(text, ("x", 1, "y", "z")) == 12
    assert line_of(text, ("estimator", "absent")) == 7
    assert line_of(text, ("absent",)) == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("titel = 1\n", 3, "titel: unknown key; known are title, about, corpora, themes"),
        ("[split]\nkind = 'cross-validation'\nfolds = 1\n", 5, "split.folds: input should be greater than or equal to 2"),
        ("[split]\nfolds = 3\n", 3, "split: needs a 'kind'"),
        ("[split]\nkind = 'folds'\n", 4, "split.kind: 'folds' is none of 'cross-validation', 'one-corpus-out', 'test-corpora'"),
        ("[split]\nkind = 'one-corpus-out'\nfolds = 3\n", 5, "split.folds: unknown key; known are kind, drop_near_duplicates"),
        ("seeds = [1, 1]\n", 3, "seeds: 1 stands twice"),
        ("seeds = [true]\n", 3, "seeds.1: input should be a valid integer"),
        ("\n[features]\nnorm = 3.0\n", 5, "features.norm: norm must be 0.0 to 2.0"),
        ("[features]\nweights = { pairs = 1.0 }\n", 4, "features.weights: unknown kind of feature 'pairs'"),
        ("[features]\nbits = '22'\n", 4, "features.bits: input should be a valid integer"),
        ("[estimator]\nC = [-1]\n", 4, "estimator.C.1: input should be greater than 0"),
        ("[estimator]\nseed = 1\n", 4, "estimator.seed: unknown key; known are kind, C"),
        ("[estimator]\nkind = 'svm'\n", 4, "estimator.kind: write 'tagger', a full name as 'sklearn.naive_bayes.ComplementNB'"),
        ("[estimator]\nkind = 'sklearn.naive_bayes.Complement'\n", 4, "estimator.kind: scikit-learn has no sklearn.naive_bayes.Complement"),
        ("[estimator]\nkind = 'sklearn.linear_model.Ridge'\n", 4, "estimator.kind: is not a classifier"),
        ("[estimator]\nkind = 'sklearn.naive_bayes.ComplementNB'\n", 3, "needs an [estimator.vectorizer]"),
        ("[estimator]\nkind = 'nowhere.at_all:Class'\n", 4, "estimator.kind: no module 'nowhere.at_all' in the experiment's folder"),
        ("[estimator]\nkind = 'tagger.model:Nothing'\n", 4, "estimator.kind: importing tagger.model:Nothing fails: AttributeError"),
        (
            "[estimator]\nkind = 'sklearn.naive_bayes.ComplementNB'\nparameters = { alfa = 1 }\n",
            5,
            "estimator.parameters.alfa: unknown parameter; known are alpha",
        ),
        (
            "[estimator]\nkind = 'sklearn.naive_bayes.ComplementNB'\n[estimator.parameters]\nnorm = false\nalpha = -1\n",
            7,
            "estimator.parameters.alpha: The 'alpha' parameter of ComplementNB must be",
        ),
        (BAYES + "parameters = { ngram_range = 'x' }\n", 11, "estimator.vectorizer.parameters.ngram_range: The 'ngram_range' parameter"),
        (BAYES + "[features]\nspan = 3\n", 11, "features: this estimator does not use tagger's features"),
        ("[search]\nkind = 'grid'\nparameters = { C = [1] }\n", 5, "search for values of features and of the estimator"),
        (
            "[search]\nkind = 'grid'\n[search.parameters]\n'estimator.least' = [1, 0]\n",
            6,
            "0: estimator.least: input should be greater than or equal to 1",
        ),
        (
            "[search]\nkind = 'grid'\n[search.parameters]\n'estimator.C' = [\n  [1.0],\n  [inf],\n]\n",
            6,
            "search.parameters.estimator.C.2: write finite numbers, texts, true or false",
        ),
        (BAYES + "parameters = { min_df = nan }\n", 11, "estimator.vectorizer.parameters.min_df: write finite numbers, texts"),
        ("[search]\nkind = 'random'\n[search.parameters]\n'features.norm' = [2020-01-01]\n", 6, "write finite numbers, texts"),
        ("[search]\nkind = 'random'\nparameters.'features.norm' = { low = 1.0, high = 0.5 }\n", 5, "low must be less than high"),
        ("x = \n", 3, "not TOML: Invalid value"),
    ],
)
def test_experiments_name_the_line_of_what_is_wrong(place, text, line, message):
    folder = write(place, "wrong", DATA + text)
    with pytest.raises(ExperimentError) as caught:
        Run(read_experiment(folder))
    assert str(caught.value).startswith(f"{folder / 'experiment.toml'}:{line}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_experiments_name_what_is_missing(place, tmp_path):
    with pytest.raises(ExperimentError, match=r"experiment\.toml:1: there is no .*nowhere/passages\.jsonl|corpora\.1: there is no"):
        Run(read_experiment(write(place, "wrong", DATA.replace("little", "nowhere"))))
    with pytest.raises(ExperimentError, match=r":2: themes: there is no .*absent\.toml"):
        Run(read_experiment(write(place, "wrong", DATA.replace("themes.toml", "absent.toml"))))
    with pytest.raises(ExperimentError, match=r":1: corpora: is missing"):
        Run(read_experiment(write(place, "wrong", 'themes = "../themes.toml"\n')))
    with pytest.raises(ExperimentError, match=r":1: corpora\.2: a second corpus is called 'little'"):
        Run(read_experiment(write(place, "wrong", DATA.replace('"../little"', '"../little", "../wrong/../little"'))))
    with pytest.raises(ExperimentError, match="can't be read: No such file or directory"):
        read_experiment(tmp_path)
    (place / "bad.toml").write_text("[[theme]]\n", encoding="utf-8")
    with pytest.raises(ThemesError, match="field 'name'"):
        Run(read_experiment(write(place, "wrong", DATA.replace("themes.toml", "bad.toml"))))


def test_experiments_refuse_corpora_that_can_t_be_split_or_learned(place):
    rows = corpus.passages(place / "little")
    write_corpus(place / "single", [row for row in rows if row["document"] == rows[0]["document"]])
    with pytest.raises(TrainingError, match="grouped folds need at least two documents"):
        run(write(place, "wrong", DATA.replace("little", "single") + QUICK))
    write_corpus(place / "bare", [row for row in rows if "complicity" not in row["labels"]])
    with pytest.raises(TrainingError, match="theme 'complicity' has passages with it in 0 document"):
        run(write(place, "wrong", DATA.replace("little", "bare") + QUICK))
    with pytest.raises(TrainingError, match="leaving one corpus out needs at least two corpora"):
        run(write(place, "wrong", DATA + "[split]\nkind = 'one-corpus-out'\n"))
    write_corpus(place / "foreign", [{**row, "labels": ["children"]} for row in rows])
    with pytest.raises(CorpusError, match="unknown label 'children'"):
        run(write(place, "wrong", DATA.replace("little", "foreign") + QUICK))


def test_experiments_cross_validate_by_document(place):
    results = run(write(place, "folds", DATA + QUICK + "[features]\nweights = { pair = 0.0 }\n"))
    predictions = results.predictions
    rows = corpus.passages(place / "little")
    assert sorted(predictions.ids) == sorted(row["id"] for row in rows)
    assert len(set(zip(predictions.documents, predictions.fold.tolist(), strict=True))) == len({row["document"] for row in rows}) == 12
    assert predictions.corpora == {"little": corpus.digest(place / "little")}
    assert results.settings["features"]["weights"]["pair"] == 0
    assert results.settings["features"]["weights"]["word"] == FeatureSettings().weights["word"]
    assert [fold["train"] + fold["test"] for fold in results.folds] == [len(rows)] * 3
    assert results.seconds > 0
    # A fold holds what the learner itself says.
    data = read_data(read_experiment(place / "folds"))
    fold = grouped_folds(data.labels, data.documents, folds=3)[0]
    settings = TrainingSettings(
        FeatureSettings(weights={**FeatureSettings().weights, "pair": 0.0}, lexicon=data.codebook.lexicon), C=(0.1,), folds=3
    )
    scores, predicted = TaggerLearner(settings).learn(data.corpus.select(fold.train)).predict(data.corpus.select(fold.test))
    np.testing.assert_allclose(predictions.scores[predictions.fold == 0], scores, atol=1e-6)
    np.testing.assert_array_equal(predictions.predicted[predictions.fold == 0], predicted)


def test_experiments_results_hold_no_text_and_read_back(place):
    folder = place / "folds"
    again = read_results(folder / "experiment.toml")
    written = (folder / "results.json").read_text(encoding="utf-8")
    assert not [row["text"] for row in corpus.passages(place / "little") if row["text"][:40] in written]
    assert again.predictions.themes == THEMES
    wrong = again.predictions.labels != again.predictions.predicted
    assert sum(len(ids) for ids in again.evidence.values()) == wrong.any(axis=1).sum()
    again.write(folder)
    assert (folder / "results.json").read_text(encoding="utf-8") == written
    (folder / "broken.json").write_text(written[:-100], encoding="utf-8")
    with pytest.raises(ExperimentError, match="not the results of an experiment"):
        read_results(folder / "broken.json")
    # The first format joined documents and ids of evidence.
    old = json.loads(written)
    old |= {"format": 1, "evidence": {f"{name}/{key}": marks for name, ids in old["evidence"].items() for key, marks in ids.items()}}
    (folder / "old.json").write_text(json.dumps(old), encoding="utf-8")
    assert read_results(folder / "old.json").evidence == again.evidence


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found["figures"].pop("macro_interval"), r"figures\.macro_interval: is missing"),
        (lambda found: found["figures"]["themes"][0].update(f1="x"), r"figures\.themes\.0\.f1: input should be a valid number"),
        (lambda found: found["settings"].pop("quote"), r"settings\.quote: is missing"),
        (lambda found: found["folds"][1].pop("seconds"), r"folds\.1\.seconds: is missing"),
        (lambda found: found.update(evidence=[]), "evidence: input should be an object"),
        (lambda found: found.update(evidence={"a": {"b": {"c": [[1, 2]]}}}), r"evidence\.a\.b\.c\.0"),
        (lambda found: found.pop("versions"), "versions: is missing"),
        (lambda found: found.update(predictions=7), "not the predictions of an experiment"),
    ],
)
def test_experiments_name_what_is_wrong_in_results(ranked, tmp_path, change, message):
    found = json.loads((ranked / "good/results.json").read_text(encoding="utf-8"))
    change(found)
    (tmp_path / "results.json").write_text(json.dumps(found), encoding="utf-8")
    said = command("report", tmp_path).exception
    assert isinstance(said, ExperimentError)
    assert re.search(rf"results\.json: not the results of an experiment: .*{message}", str(said))


def test_experiments_fit_once_what_has_not_changed(place):
    seen = []
    run(place / "folds", watch=lambda what, count, kept: seen.append((what, count, kept)) or (lambda: None))
    assert seen == [("folds", 3, 3)]
    write(place, "folds", DATA + QUICK.replace("0.1", "0.2"))
    Run(read_experiment(place / "folds"), watch=lambda what, count, kept: seen.append((what, count, kept)) or (lambda: None)).results()
    assert seen[1:] == [("folds", 3, 0)]


def test_experiments_search_within_what_is_learned_from(place, monkeypatch):
    text = DATA + BAYES.replace("folds = 3", "folds = 2") + "[search]\nkind = 'grid'\nfolds = 2\n[search.parameters]\n"
    text += "'estimator.parameters.alpha' = [0.1, 1000.0]\n'estimator.vectorizer.parameters.ngram_range' = [[1, 2]]\n"
    results = run(write(place, "grid", text))
    for fold in results.folds:
        assert len(fold["tried"]) == 2
        assert fold["chosen"] == max(fold["tried"], key=lambda tried: tried["macro_f1"])["values"]
    # Nothing of a fold's test passages is seen before it is chosen for them, and no document stands on both sides.
    rounds = []
    fit = Fitter.__call__
    monkeypatch.setattr(Fitter, "__call__", lambda self, tasks, done: rounds.append(tasks) or fit(self, tasks, done))
    experiment = Run(read_experiment(place / "grid"))
    experiment.results()
    search, outer = rounds
    documents = np.array(experiment.data.documents)
    assert len(search) == 2 * 2 * 2
    for number, task in enumerate(search):
        assert set(task.train) | set(task.test) <= set(outer[number // 4].train)
        assert not set(documents[task.train]) & set(documents[task.test])


def test_experiments_give_any_estimator_tagger_s_features(place):
    text = DATA + BAYES.replace("sklearn.naive_bayes.ComplementNB", "sklearn.svm.LinearSVC")
    text = text.replace("sklearn.feature_extraction.text.TfidfVectorizer", "tagger") + "[features]\nbits = 14\nweights = { pair = 0 }\n"
    assert run(write(place, "features", text)).figures["macro_f1"] > 0.4
    learner = make_learner(read_experiment(place / "features").settings, place, {"police": ("police",)}, 0)
    transformer = learner.make().steps[0][1]
    assert transformer.settings == FeatureSettings(
        bits=14, weights={**FeatureSettings().weights, "pair": 0}, lexicon={"police": ("police",)}
    )


def test_experiments_draw_different_values_at_random(place):
    text = DATA + "[search]\nkind = 'random'\ntries = 5\n[search.parameters]\n'features.norm' = { low = 0.1, high = 1.0 }\n"
    text += "'estimator.least' = [1, 2, 3]\n'features.scale' = { low = 0.01, high = 10.0, log = true }\n"
    drawn = candidates(read_experiment(write(place, "random", text)).settings)
    assert len({tuple(values.values()) for values in drawn}) == 5
    assert all(0.1 <= values["features.norm"] <= 1 and 0.01 <= values["features.scale"] <= 10 for values in drawn)
    assert drawn == candidates(read_experiment(place / "random").settings)
    few = text.split("'features.norm'")[0] + "'estimator.least' = [1, 2]\n"
    assert len(candidates(read_experiment(write(place, "random", few)).settings)) == 2


def test_experiments_repeat_with_each_seed(place):
    results = run(write(place, "seeds", "seeds = [3, 8]\n" + DATA + QUICK.replace("3", "2")))
    predictions, found = results.predictions, results.evidence
    assert [fold["seed"] for fold in results.folds] == [3, 3, 8, 8]
    assert len(predictions) == 2 * len(corpus.passages(place / "little"))
    assert len(set(predictions.fold.tolist())) == 4
    # The evidence of a passage that is wrong about one theme with one seed, and about another with the other, is that of both.
    wrong = {}
    for row, columns in enumerate(predictions.labels != predictions.predicted):
        key = predictions.documents[row], predictions.ids[row]
        wrong.setdefault(key, []).append({predictions.themes[column] for column in np.flatnonzero(columns)})
    assert any(one and other and one != other for one, other in wrong.values())
    marked = {(document, name): set(marks) for document, ids in found.items() for name, marks in ids.items()}
    assert marked == {key: one | other for key, (one, other) in wrong.items() if one or other}


def test_experiments_test_on_other_corpora_and_leave_one_out(place):
    text = DATA + BAYES.replace('"cross-validation"', '"test-corpora"').replace("folds = 3", 'corpora = ["../other"]')
    results = run(write(place, "test", text))
    assert {document.split("/")[0] for document in results.predictions.documents} == {"other"}
    assert list(results.predictions.corpora) == ["little", "other"]
    text = DATA.replace("]", ', "../other"]') + BAYES.replace('"cross-validation"\nfolds = 3', '"one-corpus-out"')
    results = run(write(place, "out", text))
    assert [fold["test"] for fold in results.folds] == [len(corpus.passages(place / name)) for name in ("little", "other")]


def test_experiments_drop_near_duplicates_of_test_passages(place):
    rows = corpus.passages(place / "little")
    write_corpus(place / "copies", [{**row, "document": "copy"} for row in rows[:30]])
    text = DATA.replace("]", ', "../copies"]').replace('"../little", "../copies"', '"../copies", "../little"')
    text += BAYES.replace('"cross-validation"', '"one-corpus-out"').replace("folds = 3", "drop_near_duplicates = true")
    with pytest.raises(TrainingError, match="every passage to learn from is a near-duplicate"):
        run(write(place, "copied", text))
    text = DATA + BAYES.replace("folds = 3", "folds = 3\ndrop_near_duplicates = true")
    kept = run(write(place, "kept", text))
    assert sum(fold["train"] + fold["test"] for fold in kept.folds) <= 3 * len(rows)


@pytest.mark.parametrize("near", [False, True])
def test_experiments_drop_duplicates_of_what_a_search_compares_on(place, near):
    rows = corpus.passages(place / "little")
    write_corpus(place / "doubled", [*rows, *({**row, "id": f"{row['id']}b", "document": "double"} for row in rows[:40])])
    text = DATA.replace("little", "doubled") + f"[split]\nkind = 'cross-validation'\ndrop_near_duplicates = {str(near).lower()}\n"
    text += "[search]\nkind = 'grid'\nparameters = { 'estimator.least' = [1, 2] }\n"
    experiment = read_experiment(write(place, "doubles", text))
    settings, data = experiment.settings, read_data(experiment)
    every = range(len(data.corpus))
    duplicates = data.near_duplicates if near else data.equal
    found = (duplicates.nearest([row], [other for other in every if other != row]) for row in every)
    pairs = {tuple(sorted(pair[:2])) for nearest in found for pair in nearest}
    assert len(pairs) >= 40
    for seed, fold in folds(experiment, data):
        for part in (fold, *search_folds(settings, settings.search, data, fold.train, seed)):
            assert not any((min(pair), max(pair)) in pairs for pair in itertools.product(part.train.tolist(), part.test.tolist()))
        assert set(part.train.tolist()) | set(part.test.tolist()) <= set(fold.train.tolist())


def test_experiments_refuse_a_copy_of_a_corpus_to_test_on(place):
    (place / "copy").mkdir()
    (place / "copy/passages.jsonl").write_bytes((place / "little/passages.jsonl").read_bytes())
    text = DATA + "[split]\nkind = 'test-corpora'\ncorpora = ['../copy']\n"
    with pytest.raises(ExperimentError, match=r":5: split\.corpora\.1: 'copy' holds the very same passages as 'little'"):
        Run(read_experiment(write(place, "wrong", text)))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that opens but can't be read")
def test_experiments_name_a_corpus_that_can_t_be_read(place):
    (place / "unreadable").mkdir()
    (place / "unreadable/passages.jsonl").symlink_to("/proc/self/mem")
    with pytest.raises(ExperimentError, match=r":1: corpora\.1: .*unreadable: can't be read: Input/output error"):
        Run(read_experiment(write(place, "wrong", DATA.replace("little", "unreadable"))))


OWN = """
import numpy as np

class Length:
    def __init__(self, factor=1.0):
        self.factor = factor
    def fit(self, texts, labels):
        self.themes = labels.shape[1]
        return self
    def decision_function(self, texts):
        return np.array([[len(text) * self.factor] * self.themes for text in texts])

class Broken(Length):
    def decision_function(self, texts):
        return super().decision_function(texts) * np.nan

class Raises(Length):
    def fit(self, texts, labels):
        raise RuntimeError("no luck")

class Whole:
    def learn(self, corpus):
        return self
    def predict(self, corpus):
        scores = np.full((len(corpus), 4), 0.25)
        scores[0, 0] = np.nan
        return scores, scores > 0.5

class Bare:
    pass
"""


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("Broken", "", "Broken gives scores that are not finite numbers"),
        ("Raises", "", "the estimator own_classes:Raises fails: RuntimeError: no luck"),
        ("Whole", "", "must give a finite score and a label .* 1 not finite"),
        ("Bare", "", r":7: estimator\.kind: the class needs fit, and decision_function or predict_proba"),
        ("OWN", "", "fails: AttributeError"),
        ("np", "", r":7: estimator\.kind: np is not a class"),
        ("Length", "parameters = { faktor = 2 }\n", r":8: estimator\.parameters\.faktor: unknown parameter; known are factor"),
    ],
)
def test_experiments_refuse_what_own_classes_do_wrong(place, name, parameters, message):
    text = DATA + f"[split]\nkind = 'cross-validation'\nfolds = 2\n[estimator]\nkind = 'own_classes:{name}'\n{parameters}"
    folder = write(place, "own", text)
    (folder / "own_classes.py").write_text(OWN, encoding="utf-8")
    with pytest.raises(TaggerError, match=message):
        run(folder)


@pytest.mark.parametrize("module", ["tokens", "evidence", "records", "training"])
def test_experiments_keep_no_fit_of_another_tokeniser_or_trainer(place, root, tmp_path, monkeypatch, module):
    shutil.copytree(root / "tagger", tmp_path / "tagger", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    monkeypatch.setattr("tagger.experiments.fitting._PACKAGE", tmp_path / "tagger")
    settings = read_experiment(write(place, "code", DATA + QUICK)).settings
    digest = code_digest(settings, place / "code")
    assert digest == code_digest(settings, place / "code")
    with (tmp_path / f"tagger/{module}.py").open("a", encoding="utf-8") as file:
        file.write("# other code\n")
    assert digest != code_digest(settings, place / "code")


def test_experiments_run_own_classes_and_keep_the_model(place, monkeypatch):
    import joblib

    text = "save_model = true\n" + DATA + "[split]\nkind = 'cross-validation'\nfolds = 2\n[estimator]\nkind = 'own_classes:Length'\n"
    folder = write(place, "own", text + "parameters = { factor = 2 }\n")
    (folder / "own_classes.py").write_text(OWN, encoding="utf-8")
    results = run(folder)
    assert results.predictions.scores.shape[1] == 4
    experiment = Run(read_experiment(folder))
    learned = joblib.load(experiment.save_model())
    scores, _ = learned.predict(experiment.data.corpus)
    assert scores.shape == (len(experiment.data.corpus), 4)
    # Fits are kept as long as all that the class may read stays the same; what the run leaves does not count.
    settings, digest = experiment.experiment.settings, code_digest(experiment.experiment.settings, folder)
    (folder / "notes").mkdir()
    for file, words in (("notes/words.txt", "shelter"), ("own_classes.py", f"import datasketch\n{OWN}"), ("notes/more.py", "import scipy")):
        (folder / file).write_text(words, encoding="utf-8")
        assert digest != (digest := code_digest(settings, folder))
    monkeypatch.setattr("tagger.experiments.sources.version", lambda name: "another")
    assert digest != code_digest(settings, folder)
    monkeypatch.undo()
    results.write(folder)
    (folder / "report.html").touch()
    assert digest == code_digest(settings, folder)
    # A file of the same name elsewhere is another class, which is not what was imported.
    other = write(place, "own_too", text)
    (other / "own_classes.py").write_text(OWN, encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"own_classes\.py is hidden by another module"):
        Run(read_experiment(other))


KEEPS = """
import numpy as np

class Bound:
    def __init__(self, most=10**6):
        self.most = most
    def learn(self, corpus):
        if len(corpus) > self.most:
            raise RuntimeError("too many")
        self.about = (x for x in ())
        return self
    def predict(self, corpus):
        scores = np.full((len(corpus), 4), 0.25)
        return scores, scores > 0.5
"""


def test_experiments_report_before_a_model_that_can_t_be_kept(place):
    text = "save_model = true\n" + DATA + "[split]\nkind = 'cross-validation'\nfolds = 2\n[estimator]\nkind = 'keeping:Bound'\n"
    folder = write(place, "keeping", text)
    (folder / "keeping.py").write_text(KEEPS, encoding="utf-8")
    said = command("run", folder).exception
    assert isinstance(said, OutputError)
    assert re.search(r"model\.joblib: what keeping:Bound learned can't be pickled: .*: mend the class, or leave out save_model", str(said))
    left = ["experiment.toml", "keeping.py", "report.html", "results.json"]
    assert sorted(path.name for path in folder.iterdir() if path.name[:1] not in "._") == left
    write(place, "keeping", f"{text}parameters = {{ most = {len(corpus.passages(place / 'little')) - 1} }}\n")
    with pytest.raises(TrainingError, match="the estimator keeping:Bound fails: RuntimeError: too many"):
        Run(read_experiment(folder)).save_model()


def test_experiments_keep_earlier_fits_where_the_file_is_wrong(place):
    folder = write(place, "precious", DATA + BAYES.replace("folds = 3", "folds = 1"))
    (folder / ".cache").mkdir()
    (folder / ".cache/kept").touch()
    assert isinstance(command("run", folder, "--fresh").exception, ExperimentError)
    assert (folder / ".cache/kept").exists()
    Run(read_experiment(write(place, "precious", DATA + BAYES)), fresh=True)
    assert not (folder / ".cache/kept").exists()


@pytest.mark.parametrize("package", ["jinja2", "mlflow"])
def test_experiments_say_what_is_not_installed_before_any_fit(place, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    folder = write(place, "unequipped", DATA + BAYES)
    assert f"this needs {package}, which is not installed: pip install" in str(command("run", folder, "--mlflow").exception)
    assert not (folder / ".cache").exists()


@pytest.mark.parametrize("error", [MissingExtraError("spacy", "peers"), SettingError(("estimator", "kind"), "is not a class")])
def test_experiments_errors_come_back_from_another_process(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_experiments_save_a_model_that_tagger_loads(place):
    import tagger

    folder = write(place, "saved", "save_model = true\n" + DATA + QUICK)
    saved = tagger.load(Run(read_experiment(folder)).save_model())
    assert saved.themes == THEMES
    assert saved.model.card["corpora"][0]["name"] == "little"
    assert saved.model.card["penalty"] == 0.1


@pytest.fixture(scope="module")
def ranked(place, tmp_path_factory):
    """A folder of two experiments that ran and one that did not."""
    folder = tmp_path_factory.mktemp("ranked")
    data = DATA.replace("../", f"{place}/")
    for name, text in (("good", BAYES), ("poor", BAYES + "parameters = { max_features = 5 }\n")):
        run(write(folder, name, data + text))
    write(folder, "later", data)
    return folder


def test_experiments_list_ranks(ranked, place):
    shown = command("list", ranked).stdout
    places = [shown.index(name) for name in ("good", "poor", "later")]
    assert places == sorted(places)
    assert f" {len(corpus.passages(place / 'little'))} " in shown
    text = (ranked / "poor/experiment.toml").read_text(encoding="utf-8")
    write(ranked, "poor", text + "# the same\n")
    assert [row.get("changed") for row in json.loads(command("list", ranked, "--json").stdout)] == [[], [], None]
    write(ranked, "poor", "title = 'other'\n" + text)
    shown = command("list", ranked).stdout
    assert "poor *" in shown
    assert "* poor: other settings since: run it again.\n" in shown
    write(ranked, "poor", text)
    nothing = command("list", place / "little").exception
    assert str(nothing) == f"{place / 'little'}: no experiments in it: a folder there with an experiment.toml is one"


def test_experiments_list_says_what_is_another_since(ranked, place, tmp_path):
    for name in ("little", "themes.toml"):
        (tmp_path / name).symlink_to(place / name)
    (tmp_path / "all").mkdir()
    folder = tmp_path / "all/good"
    folder.mkdir()
    (folder / "experiment.toml").write_text(DATA.replace("../", "../../") + BAYES, encoding="utf-8")
    found = json.loads((ranked / "good/results.json").read_text(encoding="utf-8"))
    found["settings"] |= {"corpora": ["../../little"], "themes": "../../themes.toml"}

    def changed():
        (folder / "results.json").write_text(json.dumps(found), encoding="utf-8")
        return json.loads(command("list", tmp_path / "all", "--json").stdout)[0]["changed"]

    assert changed() == []
    # Under other code other defaults are no other settings, but what the file says is.
    found["code"], found["settings"]["features"]["norm"] = "0", 0.123
    assert changed() == ["code or libraries"]
    found["settings"]["split"]["folds"] = 7
    assert changed() == ["settings", "code or libraries"]
    found["predictions"]["corpora"]["little"] = "0"
    found["codebook"] = "0"
    assert changed() == ["settings", "corpora", "themes", "code or libraries"]


def test_experiments_list_ranks_what_has_no_macro_f1_last(ranked, tmp_path):
    for name in ("good", "poor"):
        (tmp_path / name).mkdir()
        for file in ("experiment.toml", "results.json"):
            (tmp_path / name / file).write_bytes((ranked / name / file).read_bytes())
    found = json.loads((tmp_path / "good/results.json").read_text(encoding="utf-8"))
    found["figures"] |= {"macro_f1": None, "macro_interval": [None, None]}
    found["predictions"]["ids"][0] = "other"
    (tmp_path / "good/results.json").write_text(json.dumps(found), encoding="utf-8")
    shown = command("list", tmp_path).stdout
    assert shown.index("poor") < shown.index("good")
    assert "Not all were tested on the same passages" in shown
    assert "Not all" not in command("list", ranked).stdout


def test_experiments_compare_shows_a_dot_where_a_theme_has_no_passage(ranked, tmp_path):
    for name in ("good", "poor"):
        found = json.loads((ranked / name / "results.json").read_text(encoding="utf-8"))
        for row in found["predictions"]["labels"]:
            row[0] = 0
        (tmp_path / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")
    shown = command("compare", tmp_path / "poor.json", tmp_path / "good.json", "--resamples", 50).stdout
    assert "+nan" not in shown
    assert re.search(r"complicity +\. +\. +\. +\. to \. +\. ", shown)


def test_experiments_compare_says_what_flipped(ranked, place):
    rows = {row["text"] for row in corpus.passages(place / "little")}
    compared = command("compare", ranked / "poor", ranked / "good/results.json", "--resamples", 200, "--flips", 2)
    assert "B mends" in compared.stdout
    assert [line for line in compared.stdout.splitlines() if line.split("): ")[-1] in rows]
    plain = json.loads(command("compare", ranked / "poor", ranked / "good", "--resamples", 200, "--json").stdout)
    assert plain["macro"]["difference"] > 0
    assert "can't be read" in str(command("compare", ranked / "poor", ranked / "later").exception)
    # Where passages may not be shown, or are no longer what was tested on, there are ids only.
    for changed, change in (
        (["poor"], lambda found: found["settings"].update(quote=False)),
        (["poor", "good"], lambda found: found["predictions"]["corpora"].update(little="0")),
    ):
        for name in ("poor", "good"):
            found = json.loads((ranked / name / "results.json").read_text(encoding="utf-8"))
            if name in changed:
                change(found)
            (ranked / name / "changed.json").write_text(json.dumps(found), encoding="utf-8")
        compared = command("compare", ranked / "poor/changed.json", ranked / "good/changed.json", "--resamples", 200)
        assert "B mends" in compared.stdout
        assert not [text for text in rows if text in compared.stdout]


def test_experiments_refuse_to_compare_other_themes_or_passages(ranked, place, tmp_path):
    found = json.loads((ranked / "poor/results.json").read_text(encoding="utf-8"))
    for key, value, message in (
        ("themes", ["a", "b", "c", "d"], "both must predict the same themes"),
        ("ids", ["x", *found["predictions"]["ids"][1:]], "both must predict the same passages"),
    ):
        changed = {**found, "predictions": {**found["predictions"], key: value}}
        (tmp_path / "changed.json").write_text(json.dumps(changed), encoding="utf-8")
        assert message in str(command("compare", ranked / "good", tmp_path / "changed.json").exception)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of libraries among themselves
def test_experiments_log_to_mlflow(place, tmp_path):
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    from tagger.experiments.tracking import log_results

    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    results = run(write(place, "bayes", DATA + BAYES))
    logged = MlflowClient(store).get_run(log_results("bayes", results, store))
    assert logged.data.metrics["macro_f1"] == pytest.approx(results.figures["macro_f1"])
    assert logged.data.params["estimator.kind"] == "sklearn.naive_bayes.ComplementNB"
    # A run that could not be logged whole is none that goes on for ever.
    with pytest.raises(ExperimentError, match="--mlflow-store"):
        log_results("broken", replace(results, settings={**results.settings, "no\nkey": 1}), store)
    client = MlflowClient(store)
    assert [one.info.status for one in client.search_runs([client.get_experiment_by_name("broken").experiment_id])] == ["FAILED"]


def test_experiments_go_on_after_an_interruption_and_give_the_same_in_parallel(place):
    """Ctrl-C on a terminal reaches the whole group of processes."""
    text = DATA + QUICK.replace("folds = 3", "folds = 6", 1).replace("folds = 3", "folds = 2")
    folder = write(place, "long", text)
    words = [sys.executable, "-m", "tagger", "experiment", "run", str(folder), "--jobs", "2"]
    started = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while started.poll() is None and not list(folder.glob(".cache/**/output.pkl")):
        time.sleep(0.02)
    os.killpg(started.pid, signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert (started.returncode, said) == (130, "error: interrupted: what was fitted is kept, and the same command goes on from there\n")
    assert sorted(path.name for path in folder.iterdir()) == [".cache", "experiment.toml"]
    kept = []
    resumed = run(folder, watch=lambda what, count, found: kept.append(found) or (lambda: None))
    assert 1 <= kept[0] < 6
    once = run(write(place, "at_once", text))
    np.testing.assert_array_equal(resumed.predictions.scores, once.predictions.scores)
    assert resumed.evidence == once.evidence


def test_experiments_report_shows_texts_only_where_it_may(place):
    folder = write(place, "reported", DATA + QUICK)
    done = command("run", folder, "--fresh")
    assert done.stdout.startswith("macro-F1 0.")
    assert done.stdout.endswith(f"\n{folder / 'results.json'}\n{folder / 'report.html'}\n")
    results = read_results(folder)
    wrong = {
        results.predictions.ids[row] for row in np.flatnonzero((results.predictions.labels != results.predictions.predicted).any(axis=1))
    }
    texts = {row["id"]: row["text"] for row in corpus.passages(place / "little")}
    page = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    assert any(name in page for name in wrong)
    assert any(texts[name][-20:] in page for name in wrong)
    replace(results, settings={**results.settings, "quote": False}).write(folder)
    (folder / "report.html").unlink()
    assert command("report", folder).stdout == f"{folder / 'report.html'}\n"
    page = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    assert any(name in page for name in wrong)
    assert [name for name, text in texts.items() if text in page] == []
