from __future__ import annotations

import json
import shutil
import sys
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from tagger.building import build_model, train_folders
from tagger.bundle import load
from tagger.cli import main
from tagger.corpus import digest
from tagger.corpus import load as load_corpus
from tagger.errors import TrainingError
from tagger.tagging import Tagger
from tagger.training import TrainingSettings, _decide, train


@pytest.fixture(scope="module")
def trained(corpora, codebook):
    return train_folders(corpora, codebook)


@pytest.fixture(scope="module")
def texts(corpora, codebook):
    return [text for folder in corpora for text in load_corpus(folder, codebook.names)["text"]]


def test_training_scores_equal_the_scikit_learn_pipeline(trained, texts):
    matrix = trained.transformer.transform(texts)[:, trained.model.columns]
    expected = np.stack([trained.classifiers[theme].predict_proba(matrix)[:, 1] for theme in trained.model.themes], axis=1)
    assert np.abs(trained.model.scores(texts) - expected).max() < 1e-6


def test_training_review_band_leaves_three_in_a_hundred_on_the_wrong_side(trained):
    for column, (low, high) in enumerate(trained.model.review):
        carries, score = trained.labels[:, column] == 1, trained.out_of_fold[:, column]
        assert low <= trained.model.thresholds[column] <= high
        # A thousandth for borders that are rounded to four digits.
        assert (score[carries] < low).mean() <= 0.031
        assert carries[score >= high].mean() >= 0.969


def test_training_review_band_holds_equal_scores_whole_in_any_order():
    scores = np.concatenate([np.full(60, 0.95), np.full(150, 0.8), np.linspace(0.01, 0.3, 300)])[:, None]
    labels = np.concatenate([np.ones(60), np.ones(100), np.zeros(50), np.zeros(300)]).astype(np.int64)[:, None]
    documents = np.array([f"d{row % 10}" for row in range(len(scores))])
    for order in (np.arange(len(scores)), np.random.default_rng(0).permutation(len(scores))):
        _, bands = _decide(labels[order], scores[order], documents[order], 0)
        assert bands[0, 1] == 0.95
        assert labels[scores >= bands[0, 1]].mean() >= 0.97


def test_training_twice_gives_the_same_weights(trained, trained_folder):
    again = load(trained_folder)
    assert np.array_equal(again.weights, trained.model.weights)
    assert np.array_equal(again.thresholds, trained.model.thresholds)


def test_training_rebuilds_the_shipped_model(trained, default_model, corpora, texts, codebook):
    """`make model` gives what is shipped, up to the last bits that another processor computes."""
    assert default_model.card["corpora"] == [
        {"name": folder.name, "passages": len(load_corpus(folder, codebook.names)), "sha256": digest(folder)} for folder in corpora
    ]
    assert default_model.card["codebook"]["sha256"] == codebook.digest
    assert np.array_equal(default_model.columns, trained.model.columns)
    assert np.abs(default_model.scores(texts) - trained.model.scores(texts)).max() < 0.005
    assert np.abs(default_model.thresholds - trained.model.thresholds).max() < 0.005


def test_training_writes_a_model_that_tags(eighth, root, tmp_path):
    built = build_model([eighth], tmp_path / "m", themes=root / "corpora/themes.toml")
    loaded = load(tmp_path / "m")
    assert np.array_equal(loaded.weights, built.weights)
    assert Tagger(loaded).tag(["Police officers accepted bribes from traffickers."])[0].labels[:1] == ("complicity",)
    assert "| complicity |" in (tmp_path / "m/README.md").read_text()


def test_training_on_the_command_line_tells_how_many_passages_count_for_a_theme(eighth, root, tmp_path, monkeypatch, capsys):
    themes = root / "corpora/themes.toml"
    monkeypatch.setattr(sys, "argv", ["tagger", "train", str(eighth), "-o", str(tmp_path / "m"), "--themes", str(themes)])
    with suppress(SystemExit):
        main()
    count = len((eighth / "passages.jsonl").read_text(encoding="utf-8").splitlines())
    assert capsys.readouterr().err.count(f" of {count} passages read for it") == 4


def test_training_refuses_figures_of_another_model(eighth, root, tmp_path):
    (tmp_path / "results.json").write_text(json.dumps({"fingerprint": "other", "measured": {}}))
    with pytest.raises(TrainingError, match="measured on another model"):
        build_model([eighth], tmp_path / "m", themes=root / "corpora/themes.toml", results=tmp_path / "results.json")


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Passages of six documents whose themes hang on how their words begin, and words that only one passage has."""
    random = np.random.default_rng(3)
    words = np.array([f"{first}{last}" for first in ("ka", "lo", "mi", "nu", "pe") for last in ("da", "fe", "gi", "ho", "ju", "ra")])
    rows = []
    for number in range(240):
        chosen = random.choice(words, 5, replace=False)
        labels = [
            theme for theme, sign in (("a", "ka"), ("b", "lo")) if sum(word.startswith(sign) for word in chosen) + random.random() > 1.5
        ]
        text = " ".join([*chosen, *(["once" + chr(97 + number // 10)] * (number % 10 == 0))])
        rows.append({"id": str(number), "text": text, "labels": labels, "document": f"d{number % 6}"})
    return {"few": small(tmp_path_factory.mktemp("few"), rows)}


def test_training_takes_the_penalty_that_ranks_unseen_documents_best(few):
    tried = (100.0, 0.1, 0.0001)
    alone = [train(few, settings=replace(TrainingSettings(), C=(strength,))) for strength in tried]
    precision = [average_precision_score(one.labels, one.out_of_fold) for one in alone]
    assert len(set(precision)) == len(tried)
    best = int(np.argmax(precision))
    chosen = train(few, settings=replace(TrainingSettings(), C=tried))
    assert chosen.model.card["penalty"] == tried[best]
    assert np.array_equal(chosen.model.weights, alone[best].model.weights)
    assert np.array_equal(chosen.out_of_fold, alone[best].out_of_fold)


@pytest.mark.parametrize("least", [1, 2, 5])
def test_training_gives_no_weight_to_a_feature_of_fewer_passages(few, least):
    found = train(few, settings=replace(TrainingSettings(), C=(0.1,), least=least))
    passages = np.diff(found.transformer.transform(few["few"]["text"]).tocsc().indptr)
    assert passages.min() == 0
    assert (passages == 1).any()
    assert found.model.columns.tolist() == np.flatnonzero(passages >= least).tolist()


@pytest.mark.parametrize("inverse_frequency", [True, False])
def test_training_folds_the_inverse_frequency_into_the_weights(few, inverse_frequency):
    found = train(few, settings=replace(TrainingSettings(), C=(0.1,), inverse_frequency=inverse_frequency))
    texts = list(few["few"]["text"])
    matrix = found.transformer.transform(texts)[:, found.model.columns]
    expected = np.stack([found.classifiers[theme].predict_proba(matrix)[:, 1] for theme in ("a", "b")], axis=1)
    assert np.abs(found.model.scores(texts) - expected).max() < 1e-6


def read_for(tmp_path, dataset, theme, *, asked):
    """The passages again, labelled for one theme; ``asked`` only for it."""
    names = dataset.features["labels"].feature.names
    rows = [
        {
            "id": row["id"],
            "text": row["text"],
            "document": row["document"],
            "labels": [theme] if names.index(theme) in row["labels"] else [],
        }
        for row in dataset
    ]
    return small(tmp_path, [{**row, "asked": [theme]} if asked else row for row in rows])


def test_training_learns_a_theme_from_the_passages_that_were_read_for_it(few, tmp_path):
    """Passages that were read for one theme say nothing of the other: not that they don't carry it, nor which words it has."""
    (tmp_path / "b").mkdir()
    only_b = read_for(tmp_path / "b", few["few"], "b", asked=True)
    both = train({**few, "more": only_b})
    alone = train(few)
    texts = list(few["few"]["text"])
    assert np.array_equal(both.model.scores(texts)[:, 0], alone.model.scores(texts)[:, 0])
    assert both.model.thresholds[0] == alone.model.thresholds[0]
    assert not np.array_equal(both.model.scores(texts)[:, 1], alone.model.scores(texts)[:, 1])
    assert both.asked.sum(axis=0).tolist() == [240, 480]
    assert np.isnan(both.out_of_fold[240:, 0]).all()
    assert not np.isnan(both.out_of_fold[:, 1]).any()


def test_training_of_some_themes_needs_only_their_passages(few, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a").mkdir()
    corpora = {"b": read_for(tmp_path / "b", few["few"], "b", asked=False), "a": read_for(tmp_path / "a", few["few"], "a", asked=True)}
    found = train(corpora, only=["b"])
    assert found.model.themes == ("b",)
    assert len(found.documents) == 240
    with pytest.raises(TrainingError, match=r"theme 'b' has passages in 0 document"):
        train({"a": corpora["a"]}, only=["b"])


def test_training_of_some_themes_hears_the_neighbours_that_nobody_read_for_them(few, tmp_path):
    """Every third passage was not read for b: those between stay its neighbours, as they are in a report that is tagged."""
    names = few["few"].features["labels"].feature.names
    rows = []
    for place, row in enumerate(sorted(few["few"], key=lambda row: row["document"])):
        asked = ["a", "b"] if place % 3 else ["a"]
        labels = [names[label] for label in row["labels"] if names[label] in asked]
        rows.append({"id": row["id"], "text": row["text"], "document": row["document"], "labels": labels, "asked": asked, "start": place})
    corpora = {"c": small(tmp_path, rows)}
    both, only = train(corpora), train(corpora, only=["b"])
    texts, documents = [row["text"] for row in rows], [row["document"] for row in rows]
    assert len(only.documents) == 160
    assert only.model.settings.hears
    assert np.array_equal(only.model.scores(texts, documents)[:, 0], both.model.scores(texts, documents)[:, 1])
    assert only.model.thresholds[0] == both.model.thresholds[1]


def test_training_measures_a_theme_on_the_passages_that_were_read_for_it(few, tmp_path):
    from tagger.building import predictions
    from tagger.evaluation import measure

    (tmp_path / "b").mkdir()
    both = train({**few, "more": read_for(tmp_path / "b", few["few"], "b", asked=True)})
    found = measure(predictions(both), thresholds=both.model.thresholds, resamples=20)
    alone = train(few)
    expected = measure(predictions(alone), thresholds=alone.model.thresholds, resamples=20)
    assert found.themes[0].support == expected.themes[0].support
    for name, figure in expected.themes[0].figures.items():
        assert found.themes[0].figures[name].value == pytest.approx(figure.value, nan_ok=True), name
    assert found.passages["exact_match"].value == pytest.approx(
        float((both.labels == (both.out_of_fold >= both.model.thresholds)).all(axis=1)[:240].mean())
    )


def test_training_audits_only_labels_that_somebody_gave(few, tmp_path):
    from tagger.evaluation.audit import audit

    (tmp_path / "b").mkdir()
    corpora = {**few, "more": read_for(tmp_path / "b", few["few"], "b", asked=True)}
    suspects = audit(train(corpora), corpora).suspects
    assert suspects
    assert not [suspect for suspect in suspects if suspect.theme == "a" and suspect.document.startswith("more/")]


def test_training_measures_no_passage_by_a_classifier_that_learned_its_words_in_another_corpus(few):
    alone = train(few)
    copies = few["few"].select(range(239, 0, -1))  # in another order, and without one
    doubled = train({**few, "copies": copies})
    once, twice = (average_precision_score(each.labels[:240], each.out_of_fold[:240]) for each in (alone, doubled))
    assert twice < once + 0.02
    assert (alone.model.card["repeated"], doubled.model.card["repeated"]) == (0, 478)


def test_training_tells_how_many_passages_stand_in_two_documents(eighth, root, tmp_path, monkeypatch, capsys):
    rows = (eighth / "passages.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/passages.jsonl").write_text("".join(rows[:7]), encoding="utf-8")
    command = ["tagger", "train", str(eighth), str(tmp_path / "copy"), "-o", str(tmp_path / "m")]
    monkeypatch.setattr(sys, "argv", [*command, "--themes", str(root / "corpora/themes.toml")])
    with suppress(SystemExit):
        main()
    assert "14 passages stand in more than one document in the same words" in " ".join(capsys.readouterr().err.split())
    assert "- 14 passages in the words of another document" in (tmp_path / "m/README.md").read_text()


def small(tmp_path, rows):
    (tmp_path / "passages.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return load_corpus(tmp_path, ("a", "b"))


def test_training_says_what_a_corpus_lacks(tmp_path):
    rows = [{"id": str(n), "text": f"word{n}", "labels": ["a"] * (n % 2), "document": f"d{n % 3}"} for n in range(12)]
    corpus = small(tmp_path, rows)
    with pytest.raises(TrainingError, match=r"theme 'b' has passages in 0 document"):
        train({"small": corpus})
    for line in rows:
        line["document"] = "one"
        line["labels"] = ["a", "b"] * (line["id"] > "5")
    with pytest.raises(TrainingError, match=r"theme 'a' has passages in 1 document"):
        train({"small": small(tmp_path, rows)})
    with pytest.raises(TrainingError, match="no corpus given"):
        train({})


def test_training_refuses_the_same_passages_under_two_names(eighth, codebook, tmp_path):
    shutil.copytree(eighth, tmp_path / "copy")
    with pytest.raises(TrainingError, match=r"copy: holds the very same passages as .*: name one of them"):
        train_folders([eighth, tmp_path / "copy"], codebook)


def test_training_refuses_two_corpora_of_one_name(corpora, codebook):
    with pytest.raises(TrainingError, match="two corpora are called 'composed'"):
        train_folders([corpora[1], corpora[1]], codebook)
