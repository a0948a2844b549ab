"""Which labels are likely wrong? Confident learning (Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in
Dataset Labels"), each theme a problem of two classes: without it (0) and with it (1).

The probabilities are those of `tagger.training.Trained.out_of_fold`: no classifier saw the passage's document. A passage counts as
confidently of a class if its probability for the class reaches the mean that the passages labelled so have. Suspect are those that count
for the other class than their label (the off-diagonal of the confident joint), and the lower the probability of the label that was given,
its self-confidence, the more: with two classes, the order of the normalised margin too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.errors import MissingExtraError, TrainingError
from tagger.training import Trained

try:
    import datasets
    from sklearn.feature_extraction.text import TfidfTransformer
except ImportError as error:
    raise MissingExtraError("scikit-learn", "train") from error


_ROUNDING = 1e-9  # the mean of equal numbers may come out above them


@dataclass(frozen=True)
class ConfidentJoint:
    """Given labels against the labels that the probabilities are confident of, for ``n`` passages and ``k`` classes.

    Attributes
    ----------
    thresholds : (k,) mean probability of each class among the passages labelled so
    confident : (n,) the class that a passage is confidently of, -1 where it is of none
    counts : (k, k) int, passages by given label (rows) and confident class (columns)
    joint : (k, k) the estimated share of passages by given (rows) and true label (columns); it sums to 1
    """

    thresholds: NDArray[np.float64]
    confident: NDArray[np.int64]
    counts: NDArray[np.int64]
    joint: NDArray[np.float64]

    @property
    def noise(self) -> NDArray[np.float64]:
        """(k,) the estimated share of each class's labels that are wrong."""
        shares: NDArray[np.float64] = 1 - np.diag(self.joint) / self.joint.sum(axis=1)
        return shares


def confident_joint(given: NDArray[np.int64], probabilities: NDArray[np.float64]) -> ConfidentJoint:
    """Count and calibrate the confident joint of labels (n,) and probabilities (n, k) (section 3.1 of the paper).

    Every class needs a passage that is labelled so.
    """
    classes = range(probabilities.shape[1])
    thresholds = np.array([probabilities[given == k, k].mean() for k in classes])
    reaching = np.where(probabilities >= thresholds - _ROUNDING, probabilities, -1.0)
    confident = np.where(reaching.max(axis=1) >= 0, reaching.argmax(axis=1), -1)
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (given[confident >= 0], confident[confident >= 0]), 1)
    joint = counts / counts.sum(axis=1, keepdims=True) * np.bincount(given, minlength=len(classes))[:, None] / len(given)
    return ConfidentJoint(thresholds, confident, counts, joint)


@dataclass(frozen=True, slots=True)
class ThemeNoise:
    """How many labels of one theme are likely wrong.

    The rates are estimates that count what the classifier is confidently wrong about as well: read them as upper bounds.
    """

    theme: str
    passages: int
    """How many carry the theme."""
    suspect_given: int
    suspect_missing: int
    given_rate: float
    """Estimated share of the passages with the theme that should not carry it."""
    missing_rate: float
    """Estimated share of the passages without the theme that should carry it."""
    rate: float
    """Estimated share of all passages whose label for this theme is wrong."""
    thresholds: tuple[float, float]
    """From these probabilities on, of not carrying and of carrying the theme, a passage is confidently so."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that is likely wrong, and why."""

    id: str
    document: str
    """As corpus/document."""
    text: str
    theme: str
    given: bool
    """Whether the passage is labelled with the theme."""
    probability: float
    """Of carrying the theme, by a classifier that did not see the passage's document."""
    threshold: float
    """The probability of carrying the theme from which on (up to which, if it was given) the label is suspect."""
    words: tuple[str, ...]
    """The words that speak most against the given label, strongest first, by the model of all documents."""
    nearest: str
    """The id of the most similar passage (cosine of features) that is labelled otherwise."""
    nearest_text: str
    similarity: float
    settled: str | None
    """How a difference between the annotators of this passage was settled."""

    @property
    def self_confidence(self) -> float:
        """The probability of the given label."""
        return self.probability if self.given else 1 - self.probability

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        rounded = {name: round(getattr(self, name), 4) for name in ("probability", "threshold", "similarity")}
        return {**asdict(self), **rounded, "words": list(self.words)}


@dataclass(frozen=True, slots=True)
class Audit:
    """Estimated noise a theme, and the most suspect labels of all themes, the most suspect first."""

    themes: tuple[ThemeNoise, ...]
    suspects: tuple[Suspect, ...]


def audit(
    trained: Trained,
    corpora: Mapping[str, datasets.Dataset],
    *,
    top: int | None = None,
    settled: Mapping[tuple[str, str], str] | None = None,
) -> Audit:
    """Audit the labels of the very corpora that a model was trained on.

    ``top`` is how many suspects to give reasons for, all if left out; ``settled`` says how differences between annotators were settled,
    by corpus and id (see `tagger.corpus.settlements`).

    Raises
    ------
    TrainingError
        The corpora hold another number of passages than the model was trained on.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tagger.building import train_folders
    >>> from tagger.corpus import load
    >>> from tagger.themes import load_codebook
    >>> codebook, folder = load_codebook("corpora/themes.toml"), Path("corpora/composed")
    >>> found = audit(train_folders([folder], codebook), {folder.name: load(folder, codebook.names)}, top=50)
    """
    themes = trained.model.themes
    if sum(map(len, corpora.values())) != len(trained.labels):
        raise TrainingError("an audit needs the very corpora that the model was trained on: train it on these")
    joints = [
        confident_joint(given[read], np.stack([1 - scores[read], scores[read]], axis=1))
        for given, scores, read in zip(trained.labels.T, trained.out_of_fold.T, trained.asked.T, strict=True)
    ]
    own = np.where(trained.labels == 1, trained.out_of_fold, 1 - trained.out_of_fold)
    confident = np.full(trained.labels.shape, -1)
    for column, joint in enumerate(joints):
        confident[trained.asked[:, column], column] = joint.confident
    rows, columns = np.nonzero((confident >= 0) & (confident != trained.labels))
    order = np.argsort(own[rows, columns], kind="stable")[:top]
    places = list(zip(rows[order].tolist(), columns[order].tolist(), strict=True))
    noise = tuple(_noise(theme, joint, given) for theme, joint, given in zip(themes, joints, trained.labels.T, strict=True))
    return Audit(noise, tuple(_suspects(trained, corpora, joints, places, settled or {})))


def _noise(theme: str, joint: ConfidentJoint, given: NDArray[np.int64]) -> ThemeNoise:
    return ThemeNoise(
        theme=theme,
        passages=int(given.sum()),
        suspect_given=int(joint.counts[1, 0]),
        suspect_missing=int(joint.counts[0, 1]),
        given_rate=float(joint.noise[1]),
        missing_rate=float(joint.noise[0]),
        rate=float(joint.joint[0, 1] + joint.joint[1, 0]),
        thresholds=(float(joint.thresholds[0]), float(joint.thresholds[1])),
    )


def _suspects(
    trained: Trained,
    corpora: Mapping[str, datasets.Dataset],
    joints: Sequence[ConfidentJoint],
    places: Sequence[tuple[int, int]],
    settled: Mapping[tuple[str, str], str],
) -> list[Suspect]:
    """Give reasons for the labels at these rows and columns."""
    names = [(name, id) for name, corpus in corpora.items() for id in corpus["id"]]
    texts = [text for corpus in corpora.values() for text in corpus["text"]]
    words = _words(trained, texts, places)
    nearest = _nearest(trained, texts, places)
    found = []
    for place in places:
        row, column = place
        given = bool(trained.labels[row, column])
        reached = joints[column].thresholds
        found.append(
            Suspect(
                id=names[row][1],
                document=trained.documents[row],
                text=texts[row],
                theme=trained.model.themes[column],
                given=given,
                probability=float(trained.out_of_fold[place]),
                threshold=float(1 - reached[0] if given else reached[1]),
                words=words[place],
                nearest=names[nearest[place][0]][1],
                nearest_text=texts[nearest[place][0]],
                similarity=nearest[place][1],
                settled=settled.get(names[row]),
            )
        )
    return found


def _words(trained: Trained, texts: Sequence[str], places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[str, ...]]:
    """The words that speak for the theme where it was not given, and against it where it was."""
    for_it, model = trained.model, trained.model
    against = replace(model, weights=-model.weights)
    found = {}
    for row, column in places:
        wanted = np.zeros((1, len(model.themes)), bool)
        wanted[0, column] = True
        speaking = against if trained.labels[row, column] else for_it
        spans = speaking.evidence([texts[row]], wanted)[0][model.themes[column]]
        found[row, column] = tuple(texts[row][span.start : span.end] for span in spans)
    return found


def _nearest(trained: Trained, texts: Sequence[str], places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, float]]:
    """The row of the most similar passage that is labelled otherwise, and its cosine."""
    matrix = TfidfTransformer().fit_transform(trained.transformer.transform(texts)[:, trained.model.columns])
    found: dict[tuple[int, int], tuple[int, float]] = {}
    for column, group in groupby(sorted(places, key=lambda place: place[1]), key=lambda place: place[1]):
        rows = np.array([row for row, _ in group])
        similar = (matrix[rows] @ matrix.T).toarray()
        similar[trained.labels[rows, column][:, None] == trained.labels[:, column]] = -1.0
        similar[:, ~trained.asked[:, column]] = -1.0
        for row, scores in zip(rows.tolist(), similar, strict=True):
            found[row, column] = int(scores.argmax()), float(scores.max())
    return found
