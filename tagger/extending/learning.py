"""A model that knows a further theme: learned from the passages that were read for it, and put beside the themes of another model.

The classifiers of the themes do not depend on each other, so those of the other model stay as they are, to the last bit, with all that was
measured of them: their passages are not needed, and the new theme, for which nobody read those, does not take them for its opposite.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tagger.building import limits, load_corpora, predictions, spreads
from tagger.corpus import digest
from tagger.errors import TrainingError
from tagger.evaluation import Evaluation, measure
from tagger.model import Model
from tagger.themes import Codebook
from tagger.training import TrainingSettings, train


def learn_theme(name: str, corpora: Sequence[Path], codebook: Codebook, base: Model) -> tuple[Model, Evaluation]:
    """Learn one theme, and return a model of it and of the other themes of ``base`` that the codebook has; and how good it is.

    The figures are those of cross-validation by document.

    Raises
    ------
    TrainingError
        Too little is labelled for the theme.
    """
    if name not in codebook.names:
        raise TrainingError(f"the codebook has no theme {name!r}; it has {', '.join(codebook.names)}: tagger theme new {name}")
    trained = train(load_corpora(corpora, codebook.names), settings=TrainingSettings(features=base.settings), only=[name])
    out_of_fold = predictions(trained)
    found = measure(out_of_fold, thresholds=trained.model.thresholds)
    read = {path.name: sum(document.startswith(f"{path.name}/") for document in trained.documents) for path in corpora}
    learned = [{"name": path.name, "passages": read[path.name], "sha256": digest(path)} for path in corpora if read[path.name]]
    model = _beside(base, trained.model, [theme for theme in codebook.names if theme == name or theme in base.themes])
    card = {
        **_card(name, base, model, codebook, learned, found),
        "cross_validation": _cross_validation(base, model, found),
        "spread": {**_kept(base.card.get("spread"), model), **spreads(out_of_fold)},
    }
    if model.themes == trained.model.themes:
        card["vocabulary"] = trained.model.card["vocabulary"]
    return replace(model, card=card), found


def _beside(base: Model, new: Model, themes: Sequence[str]) -> Model:
    """One model of the themes of both; what both know is the new one's."""
    columns = np.union1d(base.columns, new.columns).astype(np.uint32)
    weights = np.zeros((len(columns), len(themes)), np.float32)
    intercepts, thresholds, review = np.zeros(len(themes)), np.zeros(len(themes)), np.zeros((len(themes), 2))
    for place, theme in enumerate(themes):
        of = new if theme in new.themes else base
        column = of.themes.index(theme)
        weights[np.searchsorted(columns, of.columns), place] = of.weights[:, column]
        intercepts[place], thresholds[place], review[place] = of.intercepts[column], of.thresholds[column], of.review[column]
    learned = np.union1d(base.learned, new.learned)
    return Model(tuple(themes), base.settings, columns, weights, intercepts, thresholds, review, learned=learned)


def _cross_validation(base: Model, model: Model, found: Evaluation) -> dict[str, Any]:
    """The rows of the other model's themes, and that of the new one; there are no figures of all: each theme has passages of its own."""
    before, new = base.card.get("cross_validation"), found.card()
    old = before if isinstance(before, Mapping) and isinstance(before.get("themes"), list) else {"themes": []}
    rows = {row["theme"]: {"read": old.get("passages"), **row} for row in old["themes"] if _whole(row, new["themes"][0])}
    rows |= {row["theme"]: {**row, "read": new["passages"]} for row in new["themes"]}
    return {"themes": [rows[theme] for theme in model.themes if theme in rows]}


def _kept(spread: Any, model: Model) -> dict[str, Any]:
    return {theme: value for theme, value in spread.items() if theme in model.themes} if isinstance(spread, Mapping) else {}


def _whole(value: Any, fields: Iterable[str]) -> bool:
    """Whether a part of the other model's card holds what a part of a card does."""
    return isinstance(value, Mapping) and set(fields) <= set(value)


def _card(
    name: str, base: Model, model: Model, codebook: Codebook, learned: Sequence[Mapping[str, Any]], found: Evaluation
) -> dict[str, Any]:
    """The card of the other model, with what is new."""
    of = {theme.name: theme for theme in codebook.themes if theme.name in model.themes}
    about = (
        f"Passages that were read for {name}, each scored by a model that had not seen its document. More of them carry the theme than "
        "of a report, for many were found by its words and its definition: in a report precision is lower."
    )
    measured = _whole_parts(base.card.get("measured"), found.card())
    measured[f"{name} in cross-validation"] = {"about": about, "figures": found.card()}
    return {
        **{key: value for key, value in base.card.items() if key != "digest"},
        "codebook": {"version": codebook.version, "sha256": codebook.digest},
        "titles": {theme: of[theme].title for theme in of},
        "definitions": {theme: of[theme].definition for theme in of},
        "limits": limits(model),
        "corpora": [*_other_corpora(base.card.get("corpora"), learned), *learned],
        "measured": measured,
    }


def _whole_parts(measured: Any, like: Mapping[str, Any]) -> dict[str, Any]:
    parts = measured.items() if isinstance(measured, Mapping) else ()
    return {name: part for name, part in parts if _whole(part, ("about", "figures")) and _whole(part["figures"], like)}


def _other_corpora(corpora: Any, learned: Sequence[Mapping[str, Any]]) -> list[Any]:
    names = [one["name"] for one in learned]
    given = corpora if isinstance(corpora, list) else []
    return [old for old in given if _whole(old, ("name", "passages", "sha256")) and old["name"] not in names]
