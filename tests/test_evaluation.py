from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics as reference

import tagger
from tagger.building import build_model
from tagger.corpus import agreement, passages
from tagger.corpus import load as load_corpus
from tagger.errors import TrainingError
from tagger.evaluation import Predictions, annotators, evaluate, measure, predict
from tagger.evaluation.bootstrap import draw, resample
from tagger.evaluation.figures import COVERAGE, DecisionFigures, Decisions
from tagger.evaluation.metrics import _distances
from tagger.evaluation.report.models import write_model_report


def said(labels, scores, predicted=None, documents=None, fold=None) -> Predictions:
    """Predictions of themes a, b, ...; documents of one passage each, if not given."""
    labels, scores = np.array(labels, np.int64), np.array(scores, float)
    count = len(labels)
    return Predictions(
        themes=tuple("abcdefgh"[: labels.shape[1]]),
        ids=tuple(map(str, range(count))),
        documents=tuple(documents or map(str, range(count))),
        fold=np.zeros(count, np.int64) if fold is None else np.array(fold),
        labels=labels,
        scores=scores,
        predicted=scores >= 0.5 if predicted is None else np.array(predicted, bool),
        corpora={},
    )


def random_predictions(count=300, themes=3, documents=20, seed=1) -> Predictions:
    random = np.random.default_rng(seed)
    labels = (random.random((count, themes)) < 0.3).astype(np.int64)
    scores = np.clip(labels * 0.4 + random.random((count, themes)) * 0.6, 0, 1)
    return said(labels, scores, documents=[f"d{n % documents}" for n in range(count)])


@st.composite
def some_predictions(draw_from) -> Predictions:
    shape = draw_from(st.tuples(st.integers(1, 25), st.integers(2, 4)))
    labels = draw_from(arrays.arrays(np.int64, shape, elements=st.integers(0, 1)))
    scores = draw_from(arrays.arrays(np.int64, shape, elements=st.integers(0, 8))) / 8  # with many ties
    return said(labels, scores, draw_from(arrays.arrays(bool, shape)))


@given(some_predictions())
@settings(deadline=None, max_examples=100)
def test_evaluation_equals_scikit_learn(made):
    labels, scores, predicted = made.labels, made.scores, made.predicted
    found = measure(made, resamples=0)
    supported = labels.any(axis=0)
    for name, score in (("precision", reference.precision_score), ("recall", reference.recall_score), ("f1", reference.f1_score)):
        each = score(labels, predicted, average=None, zero_division=np.nan)
        if name == "f1":
            each[~supported] = np.nan  # scikit-learn has 0 where a theme is only predicted
        equal([theme.figures[name].value for theme in found.themes], each)
        macro = score(labels, predicted, labels=np.flatnonzero(supported), average="macro", zero_division=0) if supported.any() else np.nan
        equal(found.macro[name].value, macro)
        equal(found.samples[name].value, score(labels, predicted, average="samples", zero_division=np.nan))
        if labels.any():
            equal(found.micro[name].value, score(labels, predicted, average="micro", zero_division=np.nan))
    for t, theme in enumerate(found.themes):
        assert (theme.support, theme.predicted) == (labels[:, t].sum(), predicted[:, t].sum())
        equal(theme.figures["brier"].value, reference.brier_score_loss(labels[:, t], scores[:, t]))
        if supported[t]:
            equal(theme.figures["average_precision"].value, reference.average_precision_score(labels[:, t], scores[:, t]))
        if supported[t] and not labels[:, t].all():
            equal(theme.figures["roc_auc"].value, reference.roc_auc_score(labels[:, t], scores[:, t]))
    if 0 < labels.sum() < labels.size:
        equal(found.micro["average_precision"].value, reference.average_precision_score(labels, scores, average="micro"))
        equal(found.micro["roc_auc"].value, reference.roc_auc_score(labels.ravel(), scores.ravel()))
    equal(found.passages["exact_match"].value, reference.accuracy_score(labels, predicted))
    equal(found.passages["hamming_loss"].value, reference.hamming_loss(labels, predicted))
    equal(found.passages["label_ranking_average_precision"].value, reference.label_ranking_average_precision_score(labels, scores))


def equal(found, expected):
    assert found == pytest.approx(expected, nan_ok=True)


def test_evaluation_resamples_equal_scikit_learn_with_weights():
    made = random_predictions(count=80, themes=1, documents=10)
    document = np.array([int(name[1:]) for name in made.documents])
    label, score, predicted = made.labels[:, 0], made.scores[:, 0].round(1), made.predicted[:, 0]
    distance = np.abs(score - 0.5)
    figures = DecisionFigures(Decisions(label, score, predicted, distance, None, document), 10)
    times = draw(10, 20, seed=3)
    found = resample(figures, times, cells=100_000)
    for row, weights in enumerate(times[:, document]):
        assert found["average_precision"][row] == pytest.approx(reference.average_precision_score(label, score, sample_weight=weights))
        assert found["roc_auc"][row] == pytest.approx(reference.roc_auc_score(label, score, sample_weight=weights))
        assert found["f1"][row] == pytest.approx(reference.f1_score(label, predicted, sample_weight=weights))
        assert found["brier"][row] == pytest.approx(reference.brier_score_loss(label, score, sample_weight=weights))
        drawn = np.repeat(np.arange(80), weights.astype(int))
        again = measure(said(label[drawn, None], score[drawn, None], predicted[drawn, None]), resamples=0, thresholds=np.array([0.5]))
        for name in ("calibration_error", "risk_coverage_area"):
            assert found[name][row] == pytest.approx(again.themes[0].figures[name].value)
        assert found["risk_coverage"][row] == pytest.approx([point.value for point in again.themes[0].risk_coverage])


def test_evaluation_calibration_error_of_a_worked_example():
    # Bins 0.2 to 0.3 (two scores, none right) and 0.9 to 1 (two, one right): (2 x 0.25 + 2 x |0.95 - 0.5|) / 4.
    found = measure(said([[0], [0], [1], [0]], [[0.25], [0.25], [0.95], [0.95]]))
    assert found.themes[0].figures["calibration_error"].value == pytest.approx((2 * 0.25 + 2 * 0.45) / 4)
    assert measure(said([[1]], [[1.0]])).themes[0].figures["calibration_error"].value == 0.0


def test_evaluation_risk_by_coverage_of_a_worked_example():
    # Surest first: right, wrong, right, and together, as near to 0.5 as each other, wrong and right.
    made = said([[1], [1], [1], [1], [0]], [[0.9], [0.2], [0.75], [0.375], [0.375]])
    found = measure(made, thresholds=np.array([0.5])).themes[0]
    assert found.figures["risk_coverage_area"].value == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 * 2 / 5) / 5)
    curve = {round(share, 2): point.value for share, point in zip(COVERAGE, found.risk_coverage, strict=True)}
    assert [curve[share] for share in (0.01, 0.2, 0.21, 0.4, 0.6)] == pytest.approx([0, 0, 1 / 2, 1 / 2, 1 / 3])
    assert [curve[share] for share in (0.61, 0.8, 1)] == pytest.approx([2 / 5] * 3)


def test_evaluation_finds_the_threshold_of_each_fold():
    scores = [[0.125], [0.375], [0.625], [0.5], [0.875], [0.25]]
    predicted = [[0], [0], [1], [0], [1], [0]]
    made = said([[0], [1], [1], [1], [1], [0]], scores, predicted, fold=[0, 0, 0, 1, 1, 2])
    # 1/2, 11/16 and, where no label is given, 1/4: so the surest is the first, then the fold of two, then the others of the first fold.
    found = measure(made).themes[0]
    assert found.figures["risk_coverage_area"].value == pytest.approx((0 + 2 * 1 / 3 + 2 * 2 / 5 + 2 / 6) / 6)


def test_evaluation_of_the_review_band_of_a_worked_example():
    made = said([[1, 0], [0, 0], [0, 1], [1, 1]], [[0.9, 0.1], [0.55, 0.2], [0.4, 0.9], [0.1, 0.6]])
    found = measure(made, review=np.array([[0.4, 0.6], [0.6, 0.7]]))
    one = found.themes[0].figures
    assert [one[name].value for name in ("coverage", "risk_outside", "risk_inside")] == [0.5, 0.5, 0.5]
    assert [found.micro[name].value for name in ("coverage", "risk_outside", "risk_inside")] == pytest.approx([5 / 8, 1 / 5, 1 / 3])
    assert [found.passages[name].value for name in ("coverage", "risk_outside", "risk_inside")] == pytest.approx([1 / 4, 0, 2 / 3])
    assert "coverage" not in measure(made).micro


def simulated(random) -> Predictions:
    """Passages of 40 documents that differ in length, in how often they carry the theme, and in how often they are judged wrongly."""
    labels, predicted, documents = [], [], []
    for document in range(40):
        count = random.integers(5, 20)
        label = random.random(count) < random.beta(2, 6)
        given_rightly, given_wrongly = random.beta(8, 2), random.beta(1, 19)
        labels.append(label)
        predicted.append(random.random(count) < np.where(label, given_rightly, given_wrongly))
        documents += [f"d{document}"] * count
    label, given_label = np.concatenate(labels)[:, None], np.concatenate(predicted)[:, None]
    return said(label, given_label.astype(float), given_label, documents)


def test_evaluation_intervals_hold_the_truth_about_as_often_as_they_say():
    carries, found, wrong = 0.25, 0.25 * 0.8, 0.75 * 0.05  # means of the beta distributions
    truth = {"precision": found / (found + wrong), "recall": 0.8, "f1": 2 * found / (carries + found + wrong)}
    random = np.random.default_rng(5)
    held = dict.fromkeys(truth, 0)
    for seed in range(200):
        figures = measure(simulated(random), resamples=300, seed=seed).themes[0].figures
        for name, value in truth.items():
            held[name] += figures[name].low <= value <= figures[name].high
    assert all(0.90 <= count / 200 <= 0.98 for count in held.values()), held


def test_evaluation_is_the_same_for_any_number_of_jobs():
    made, human = random_predictions(count=4000, documents=30), random_predictions(seed=4)
    review = np.array([[0.3, 0.7]] * 3)
    one, two = (measure(made, resamples=200, review=review, ceiling=human, jobs=jobs).to_json() for jobs in (1, 2))
    assert one == two
    assert one != measure(made, resamples=200, review=review, ceiling=human, seed=1).to_json()


def test_evaluation_every_figure_has_an_interval_around_it():
    found = measure(random_predictions(), review=np.array([[0.3, 0.7]] * 3), ceiling=random_predictions(seed=4))
    for scope in (found.macro, found.micro, found.samples, found.passages, *(theme.figures for theme in found.themes)):
        for name, figure in scope.items():
            # Resampling adds to the distance between score and share, so that this interval may lie above the value.
            assert figure.low <= figure.value <= figure.high or (name == "calibration_error" and figure.low <= figure.high), name
            assert figure.low < figure.high or name == "risk_outside", name
    curves = [found.risk_coverage, *(theme.risk_coverage for theme in found.themes)]
    assert all(point.low <= point.value <= point.high for curve in curves for point in curve)
    assert (found.count, found.documents, found.warnings) == (300, 20, ())


def test_evaluation_leaves_a_theme_without_passages_out_of_the_macro_figures():
    made = random_predictions(count=200, themes=2)
    labels = made.labels.copy()
    labels[:, 1] = 0
    found = measure(replace(made, labels=labels))
    empty = found.to_json()["themes"][1]
    assert [empty[name]["value"] for name in ("recall", "f1", "average_precision", "roc_auc")] == [None] * 4
    assert empty["f1"] == {"value": None, "low": None, "high": None}
    assert found.macro == found.themes[0].figures
    assert found.warnings == ("b: no passage carries it, so it has no recall and no F1 and is left out of the macro figures",)
    json.dumps(found.to_json(), allow_nan=False)
    json.dumps(measure(replace(made, labels=labels * 0)).to_json(), allow_nan=False)


def test_evaluation_macro_precision_counts_a_theme_that_is_never_given_as_0():
    made = random_predictions(count=200, themes=2)
    predicted = made.predicted.copy()
    predicted[:, 1] = False
    found = measure(replace(made, predicted=predicted))
    one = found.themes[0].figures["precision"]
    assert math.isnan(found.themes[1].figures["precision"].value)
    assert [getattr(found.macro["precision"], name) for name in ("value", "low", "high")] == pytest.approx(
        [one.value / 2, one.low / 2, one.high / 2]
    )


def test_evaluation_of_one_document_has_figures_but_no_intervals():
    found = measure(random_predictions(documents=1), review=np.array([[0.3, 0.7]] * 3))
    f1 = found.macro["f1"]
    assert f1.value > 0.5
    assert math.isnan(f1.low)
    assert math.isnan(f1.high)
    assert found.resamples == 0
    assert found.warnings[0] == "all passages are of one document: there are no intervals, as these come from resampling documents"
    assert "passages in 1 document with it: too few to say how good the model is (fewer than 20, or in fewer than 5)" in found.warnings[1]


def test_evaluation_warns_where_support_is_too_small():
    labels = np.zeros((100, 3), np.int64)
    labels[:19, 0] = labels[:40, 1] = labels[:, 2] = 1
    scores = labels * 0.8 + 0.1
    documents = [f"d{n // 10}" for n in range(100)]
    found = measure(said(labels, scores, documents=documents))
    assert [warning[:32] for warning in found.warnings] == [
        "a: 19 passages in 2 documents wi",
        "b: 40 passages in 4 documents wi",
        "c: no error in precision in 10 d",
        "c: no error in recall in 10 docu",
    ]
    assert "it may be as low as 0.74" in found.warnings[3]  # 0.74 ** 10 is 0.05
    predicted = np.zeros_like(labels)
    predicted[:30, 2] = 1
    made = said(labels, scores, predicted, documents)
    assert "c: no error in precision in 3 documents, so resampling finds none; it may be as low as 0.37" in measure(made).warnings
    scores[0, 2] = 1.5
    assert "c: scores are no probabilities" in measure(said(labels, scores, documents=documents)).warnings[-1]


def test_evaluation_counts_a_passage_of_repeated_cross_validation_once():
    labels = np.zeros((100, 1), np.int64)
    labels[::10] = 1
    once = said(labels, labels * 0.6 + 0.1, documents=[f"d{n % 20}" for n in range(100)])
    other = replace(once, scores=once.scores[::-1], predicted=once.predicted.copy())
    other.predicted[:20] = True
    joined = {name: np.concatenate([getattr(part, name) for part in (once, once, other)]) for name in ("labels", "scores", "predicted")}
    thrice = replace(once, ids=once.ids * 3, documents=once.documents * 3, fold=np.repeat([0, 1, 2], 100), **joined)
    found = measure(thrice, resamples=20)
    theme = found.themes[0]
    assert (found.count, theme.support, theme.predicted) == (100, 10, 16)  # the model gives it to 10, 10 and 28
    assert found.card()["passages"] == 100
    assert "a: 10 passages in 2 documents with it: too few" in found.warnings[0]
    assert theme.figures["precision"].value == pytest.approx(30 / 48)


def test_evaluation_refuses_what_it_cannot_measure(default_tagger, corpora, tmp_path):
    passages = tmp_path / "passages.jsonl"
    passages.write_text('{"id": "1", "text": "t", "labels": ["other"], "document": "d"}')
    with pytest.raises(
        TrainingError, match=rf"^{re.escape(str(passages))}:1: .* labelled other, but the model default has the themes complicity, f"
    ):
        evaluate(default_tagger, tmp_path)
    with pytest.raises(TrainingError, match="the corpus has the themes other, but the model complicity"):
        evaluate(default_tagger, load_corpus(tmp_path, ("other",)))
    passages.write_text('{"id": "1", "text": "t", "labels": [], "document": "d"}')
    with pytest.raises(TrainingError, match="no passage of the corpus has a section"):
        evaluate(default_tagger, tmp_path, by=["section"])
    with pytest.raises(TrainingError, match="by 'country': known are section, length, document"):
        evaluate(default_tagger, tmp_path, by=["country"])
    with pytest.raises(TrainingError, match="no passage to measure"):
        measure(random_predictions().rows(np.array([], int)))


def test_evaluation_measures_parts_of_a_corpus_apart(default_tagger, corpora):
    found = evaluate(default_tagger, corpora[0], by=["section", "length", "document"])
    corpus = load_corpus(corpora[0], default_tagger.themes)
    made = predict(default_tagger, corpus)
    assert list(found.by["section"]) == list(dict.fromkeys(corpus["section"]))
    assert list(found.by["length"]) == ["up to 10 words", "11 to 20 words", "21 to 40 words", "over 40 words"]
    assert list(found.by["document"]) == ["mexico-2014"]
    for name in found.by:
        assert sum(part.count for part in found.by[name].values()) == 112
    prosecution = measure(made.rows(np.array(corpus["section"]) == "Prosecution"))
    assert found.by["section"]["Prosecution"].macro["brier"].value == pytest.approx(prosecution.macro["brier"].value)
    short = [len(text.split()) <= 10 for text in corpus["text"]]
    assert found.by["length"]["up to 10 words"].count == sum(short)
    assert "the model learned from these very passages" in found.warnings[0]


def test_evaluation_tells_which_passages_the_model_learned_from_and_measures_the_others_apart(eighth, root, tmp_path):
    learned = passages(eighth)
    other = [row for row in passages(root / "corpora/composed")[::50] if row not in learned]
    mixed = [{**row, "text": row["text"].upper().replace(" ", "  ")} for row in learned[:30]] + other
    for name, part in (("mixed", mixed), ("some", learned[:-1])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "passages.jsonl").write_text("\n".join(map(json.dumps, part)), encoding="utf-8")
    build_model([eighth], tmp_path / "model", themes=root / "corpora/themes.toml")
    model = tagger.load(tmp_path / "model")
    found = evaluate(model, tmp_path / "mixed", resamples=20)
    assert f"the model learned from 30 of these {len(mixed)} passages" in found.warnings[0]
    assert {name: part.count for name, part in found.by["learned"].items()} == {"yes": 30, "no": len(other)}
    assert "the model learned from these very passages" in evaluate(model, tmp_path / "some", resamples=20).warnings[0]
    assert not any("learned from" in warning for warning in evaluate(model, root / "corpora/mexico-2014", resamples=20).warnings)


@pytest.mark.parametrize("labelled", [False, True])
def test_evaluation_leaves_out_the_themes_that_the_model_does_not_have(default_tagger, tmp_path, labelled):
    rows = [
        {
            "id": str(n),
            "text": f"Officers took bribes number {n}.",
            "labels": ["complicity"] * (n % 3 > 0) + ["victim_identification"] * labelled,
            "document": f"d{n % 3}",
            "asked": ["victim_identification", "complicity"],
        }
        for n in range(12)
    ]
    passes = [{"id": row["id"], "first": row["labels"], "second": row["labels"]} for row in rows]
    for name, lines in (("passages", rows), ("annotations", passes)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = evaluate(default_tagger, tmp_path, resamples=20)
    assert [theme.support for theme in found.themes] == [8, 0, 0, 0]
    assert found.themes[0].figures["human_f1"].value == 1
    note = f"{tmp_path}: labels that the model does not have are left out: victim_identification"
    assert (note in found.warnings) is labelled
    write_model_report(tmp_path / "report.html", default_tagger, tmp_path, found)


def test_evaluation_ceiling_is_the_agreement_of_the_annotators(default_tagger, corpora):
    themes = default_tagger.themes
    human = annotators(corpora[1], themes)
    found = measure(human, ceiling=human, resamples=50)
    for theme, expected in zip(found.themes, agreement(corpora[1], themes)[0], strict=True):
        assert theme.figures["human_alpha"].value == pytest.approx(expected.alpha)
        assert theme.figures["human_f1"].value == pytest.approx(expected.f1)
        assert theme.figures["human_f1"] == theme.figures["f1"]
    assert "human_alpha" in evaluate(default_tagger, corpora[0]).themes[0].figures
    assert annotators(corpora[1].parent, themes) is None


@pytest.mark.parametrize(("documents", "human_documents"), [(1, 9), (9, 1)])
def test_evaluation_ceiling_may_come_from_other_documents(documents, human_documents):
    found = measure(random_predictions(documents=documents), ceiling=random_predictions(documents=human_documents, seed=4), resamples=50)
    assert math.isnan(found.macro["f1"].low) == (documents == 1)
    assert math.isnan(found.macro["human_f1"].low) == (human_documents == 1)
    assert found.macro["human_f1"].value > 0


def test_evaluation_is_imported_only_when_asked_for():
    assert tagger.evaluate is evaluate
    with pytest.raises(AttributeError, match="no attribute 'evaluates'"):
        tagger.evaluates  # noqa: B018


def test_evaluation_of_the_default_model_on_countries_it_never_saw(default_tagger, root):
    development = root.parent / "shared/development"
    if not development.is_dir():
        pytest.skip("the development set is not here")
    found = evaluate(default_tagger, development)
    assert found.macro["f1"].value > 0.83
    assert all(theme.figures["calibration_error"].value < 0.05 for theme in found.themes)
    assert found.card() == default_tagger.model.card["measured"]["Countries never seen"]["figures"]


def test_evaluation_counts_nothing_that_nobody_read():
    """Figures of a theme are those of the passages that were read for it, whatever the model says of the others."""
    whole = random_predictions(themes=2)
    read = np.ones((300, 2), bool)
    read[:120, 1] = False
    made = replace(whole, labels=whole.labels * read, predicted=whole.predicted & read, asked=read)
    found, first, second = (measure(one, resamples=0) for one in (made, whole, whole.rows(np.arange(120, 300))))
    for name in found.themes[0].figures:
        assert found.themes[0].figures[name].value == pytest.approx(first.themes[0].figures[name].value), name
        assert found.themes[1].figures[name].value == pytest.approx(second.themes[1].figures[name].value), name
    assert found.passages["exact_match"].value == pytest.approx(second.passages["exact_match"].value)
    assert Predictions.from_json(made.to_json()).asked.tolist() == read.tolist()
    with pytest.raises(TrainingError, match="without a label where a passage was not read"):
        replace(whole, asked=read)


def test_evaluation_takes_a_fold_in_which_nobody_read_for_a_theme():
    whole = replace(random_predictions(themes=2), fold=np.arange(300) // 100)
    read = np.ones((300, 2), bool)
    read[:100, 1] = False
    made = replace(whole, labels=whole.labels * read, predicted=whole.predicted & read, asked=read)
    found, rest = measure(made, resamples=0), measure(whole.rows(np.arange(100, 300)), resamples=0)
    assert [point.value for point in found.themes[1].risk_coverage] == [point.value for point in rest.themes[1].risk_coverage]
    assert np.isfinite(_distances(made, None)).all()
    assert np.array_equal(_distances(made, None)[read], _distances(whole, None)[read])


def test_evaluation_names_a_theme_for_which_nobody_read_anything(default_tagger, tmp_path):
    rows = [
        {
            "id": str(n),
            "text": f"Officers number {n} took bribes.",
            "labels": ["complicity"] * (n % 2),
            "document": f"d{n % 4}",
            "asked": ["complicity"],
        }
        for n in range(12)
    ]
    (tmp_path / "passages.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = evaluate(default_tagger, tmp_path, resamples=20)
    assert "data_quality: no passage was read for it, so it is not measured" in found.warnings
    assert found.themes[3].predicted == 0
    assert math.isnan(found.themes[3].figures["brier"].value)
    assert found.micro["recall"].value == found.themes[0].figures["recall"].value
