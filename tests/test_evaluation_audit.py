"""Confident learning: by hand, by the paper's own figure, on labels made wrong on purpose, and on the command line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace

import datasets
import numpy as np
import pytest

from tagger.corpus import load, settlements
from tagger.errors import TrainingError
from tagger.evaluation.audit import audit, confident_joint
from tagger.evaluation.suspects import write
from tagger.features import FeatureSettings
from tagger.training import TrainingSettings, train


def test_audit_joint_of_a_worked_example():
    given = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    carries = np.array([0.1, 0.2, 0.4, 0.9, 0.9, 0.8, 0.7, 0.2])
    joint = confident_joint(given, np.stack([1 - carries, carries], axis=1))
    # Means of the own class: without it (0.9 + 0.8 + 0.6 + 0.1) / 4, with it (0.9 + 0.8 + 0.7 + 0.2) / 4.
    assert joint.thresholds == pytest.approx([0.6, 0.65])
    assert joint.confident.tolist() == [0, 0, 0, 1, 1, 1, 1, 0]
    assert joint.counts.tolist() == [[3, 1], [1, 3]]
    assert joint.joint == pytest.approx(np.array([[0.375, 0.125], [0.125, 0.375]]))
    assert joint.noise == pytest.approx([0.25, 0.25])


def test_audit_joint_leaves_out_passages_that_are_confidently_of_no_class_and_counts_rows_up_to_their_labels():
    given = np.array([0, 0, 0, 0, 1, 1])
    carries = np.array([0.0, 0.0, 0.3, 0.9, 0.9, 0.7])
    joint = confident_joint(given, np.stack([1 - carries, carries], axis=1))
    assert joint.thresholds == pytest.approx([0.7, 0.8])
    assert joint.confident.tolist() == [0, 0, 0, 1, 1, -1]
    assert joint.counts.tolist() == [[3, 1], [0, 1]]
    assert joint.joint == pytest.approx(np.array([[3 / 6, 1 / 6], [0, 2 / 6]]))


def test_audit_joint_where_both_classes_are_reached_counts_the_likelier():
    given = np.array([0, 0, 1, 1])
    carries = np.array([0.4, 0.8, 0.45, 0.3])  # means: 0.4 and 0.375; the first and third passage reach both
    joint = confident_joint(given, np.stack([1 - carries, carries], axis=1))
    assert joint.confident.tolist() == [0, 1, 0, 0]


def test_audit_joint_of_equal_probabilities_is_of_their_own_class():
    scores = np.full((3, 2), [0.9, 0.1])
    scores[2] = [0.3, 0.7]
    joint = confident_joint(np.array([0, 0, 1]), scores)
    assert joint.counts.tolist() == [[2, 0], [0, 1]]


def test_audit_joint_equals_the_figure_of_the_paper():
    """Northcutt, Jiang and Chuang (2021), figure 1: dogs, foxes and cows."""
    counts = np.array([[100, 40, 20], [56, 60, 0], [32, 12, 80]])
    given, likely = (np.repeat(number, counts.ravel()) for number in np.indices((3, 3)).reshape(2, -1))
    joint = confident_joint(given, np.where(np.arange(3) == likely[:, None], 0.9, 0.05))
    assert joint.counts.tolist() == counts.tolist()
    assert joint.joint == pytest.approx(np.array([[0.25, 0.10, 0.05], [0.14, 0.15, 0.00], [0.08, 0.03, 0.20]]))


@pytest.fixture(scope="module")
def composed(root, codebook):
    return load(root / "corpora/composed", codebook.names)


@pytest.fixture(scope="module")
def flipped(composed, codebook):
    """The composed corpus with 3 % of all labels made wrong, a model of it, and which (passage, theme) are wrong."""
    labels = np.zeros((len(composed), len(codebook.names)), bool)
    for row, numbers in enumerate(composed["labels"]):
        labels[row, numbers] = True
    wrong = np.random.default_rng(0).random(labels.shape) < 0.03
    noisy = [np.flatnonzero(row).tolist() for row in labels ^ wrong]
    changed = datasets.Dataset.from_dict({**composed.to_dict(), "labels": noisy}, features=composed.features)
    settings = TrainingSettings(features=FeatureSettings(lexicon=codebook.lexicon), C=(0.03,))
    truly = {(composed["id"][row], codebook.names[column]) for row, column in np.argwhere(wrong).tolist()}
    return train({"noisy": changed}, settings=settings), changed, truly


def test_audit_finds_labels_made_wrong_on_purpose(flipped, record_property):
    """Measured: 79 % of the suspects are wrong and 76 % of the wrong labels suspect; of the 300 most suspect, 99 % are wrong."""
    trained, corpus, wrong = flipped
    found = audit(trained, {"noisy": corpus})
    hits = [(suspect.id, suspect.theme) in wrong for suspect in found.suspects]
    precision, recall, first = float(np.mean(hits)), sum(hits) / len(wrong), float(np.mean(hits[:300]))
    for name, value in (("precision", precision), ("recall", recall), ("precision of the first 300", first)):
        record_property(name, round(value, 3))
    assert precision > 0.75
    assert recall > 0.7
    assert first > 0.97
    assert sum(theme.suspect_given + theme.suspect_missing for theme in found.themes) == len(found.suspects)
    # Each theme has 3 % of wrong labels; errors of the classifiers come on top.
    assert all(0.025 < theme.rate < 0.05 for theme in found.themes)


def test_audit_ranks_by_self_confidence_and_gives_reasons(flipped):
    trained, corpus, _ = flipped
    texts = dict(zip(corpus["id"], corpus["text"], strict=True))
    given = {id: {trained.model.themes[n] for n in numbers} for id, numbers in zip(corpus["id"], corpus["labels"], strict=True)}
    rows = {id: row for row, id in enumerate(corpus["id"])}
    found = audit(trained, {"noisy": corpus}, top=40, settled={("noisy", "C0001"): "elsewhere"})
    assert len(found.suspects) == 40
    assert [s.self_confidence for s in found.suspects] == sorted(s.self_confidence for s in found.suspects)
    assert {suspect.given for suspect in found.suspects} == {True, False}
    for suspect in found.suspects:
        assert suspect.given == (suspect.theme in given[suspect.id]) != (suspect.theme in given[suspect.nearest])
        assert (suspect.probability <= suspect.threshold) if suspect.given else (suspect.probability >= suspect.threshold)
        assert suspect.probability == trained.out_of_fold[rows[suspect.id], trained.model.themes.index(suspect.theme)]
        assert suspect.text == texts[suspect.id]
        assert suspect.words
        assert all(word in suspect.text for word in suspect.words)
        assert 0 < suspect.similarity < 1
        assert suspect.settled == ("elsewhere" if suspect.id == "C0001" else None)


def test_audit_refuses_other_corpora_than_those_trained_on(flipped):
    trained, corpus, _ = flipped
    with pytest.raises(TrainingError, match="very corpora"):
        audit(trained, {"noisy": corpus.select(range(10))})


def test_audit_is_written_in_every_format(flipped, tmp_path):
    trained, corpus, _ = flipped
    found = audit(trained, {"noisy": corpus}, top=5)
    first = replace(found.suspects[0], id="=1+1", text="A <b>bold</b> claim\nand | another.", settled="By the codebook.")
    found = replace(found, suspects=(first, *found.suspects[1:]))
    for ending in (".jsonl", ".csv", ".md"):
        write(tmp_path / f"suspects{ending}", found)
    lines = [json.loads(line) for line in (tmp_path / "suspects.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "suspects.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    page = (tmp_path / "suspects.md").read_text(encoding="utf-8")
    assert lines == [suspect.to_json() for suspect in found.suspects]
    assert set(rows[0]) == set(lines[0]) >= {"theme", "given", "probability", "threshold", "words", "nearest", "settled"}
    assert [row["id"] for row in rows] == ["'=1+1", *(line["id"] for line in lines[1:])]
    assert [row["text"] for row in rows] == [line["text"] for line in lines]
    assert "&lt;b&gt;bold&lt;/b&gt; claim and \\| another." in page
    assert "- settled earlier: By the codebook." in page
    assert page.count("nearest passage with") == 5
    assert {path.name for path in tmp_path.iterdir()} == {"suspects.jsonl", "suspects.csv", "suspects.md"}


@pytest.fixture(scope="module")
def part(root, tmp_path_factory):
    """Every sixth composed passage, the themes of the first ten turned round, as a folder."""
    folder = tmp_path_factory.mktemp("corpora") / "part"
    folder.mkdir()
    rows = [json.loads(line) for line in (root / "corpora/composed/passages.jsonl").read_text(encoding="utf-8").splitlines()[::6]]
    annotations = [{"id": row["id"], "first": row["labels"]} for row in rows]
    for row, annotation in zip(rows[:10], annotations, strict=False):
        row["labels"] = [] if row["labels"] else ["complicity"]
        annotation["settled"] = f"Turned round: {row['id']}."
    for name, lines in (("passages.jsonl", rows), ("annotations.jsonl", annotations)):
        (folder / name).write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tagger", "corpus", *map(str, arguments)], capture_output=True, text=True, check=False)


def test_audit_command_shows_or_writes_suspects_with_settlements(part, root, tmp_path):
    arguments = ["audit", part, "--themes", root / "corpora/themes.toml", "--top", 12]
    shown, written = run(*arguments), run(*arguments, "-o", tmp_path / "suspects.jsonl")
    assert shown.returncode == written.returncode == 0, shown.stderr + written.stderr
    assert "12 suspect labels" in written.stderr
    lines = [json.loads(line) for line in (tmp_path / "suspects.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 12
    assert any(line["settled"] == f"Turned round: {line['id']}." for line in lines)
    for number, line in enumerate(lines, 1):
        assert f"\n{number}. {line['id']} (part/" in shown.stdout
    assert shown.stdout.startswith(written.stdout)


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["{root}/corpora/mexico-2014"], "theme 'complicity' has passages in 1 document(s): label some in two or more", 1),
        (["{root}/corpora/composed", "-o", "x.txt"], "unknown format '.txt'; known are .csv, .jsonl, .md", 1),
        (["{root}/corpora", "--top", "0"], "--top", 2),
    ],
)
def test_audit_command_says_what_is_wrong_in_a_line(root, arguments, message, code):
    done = run("audit", *(part.format(root=root) for part in arguments), "--themes", root / "corpora/themes.toml")
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_audit_outcomes_of_the_project_stand_in_its_corpora(root, codebook):
    """Where a label was found wrong it is corrected, with a reason; the others are as they were when they were read."""
    outcomes = [json.loads(line) for line in (root / "experiments/audit/outcomes.jsonl").read_text(encoding="utf-8").splitlines()]
    first, second = ([line["rank"] for line in outcomes if line["audit"] == audit] for audit in (1, 2))
    assert first == list(range(1, 51))
    assert second == sorted(set(second))
    assert second[-1] == 150
    assert len({(line["id"], line["theme"]) for line in outcomes}) == len(outcomes) == len(first) + len(second)
    labels, settled = {}, {}
    for name in ("mexico-2014", "composed"):
        corpus = load(root / "corpora" / name, codebook.names)
        for document, id, numbers in zip(corpus["document"], corpus["id"], corpus["labels"], strict=True):
            labels[f"{name}/{document}", id] = {codebook.names[number] for number in numbers}
        settled.update(settlements(root / "corpora" / name))
    for line in outcomes:
        now = line["theme"] in labels[line["document"], line["id"]]
        assert line["outcome"] in ("right", "corrected")
        assert line["reason"]
        assert now == (line["given"] == (line["outcome"] == "right")), line
        assert line["outcome"] == "right" or "corrected" in settled[line["id"]]
