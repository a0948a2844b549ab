"""How good a new theme is after so many labelled passages: each of the four themes is taken for the new one.

    OMP_NUM_THREADS=1 python experiments/new-theme/curve.py

In each draw half of the composed documents, by chance, are the reports in which candidates are found, and the other half is what the theme
is measured on, every passage of it. Candidates get their labels in the order in which the finder names them, until so many carry the theme,
and ten at a time beyond that where they are of too few documents to be learned from. The theme is then learned from these alone, as
`tagger theme learn` does. Writes results.json and curve.svg here.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.progress import track
from sklearn.metrics import average_precision_score, f1_score

from tagger.corpus import label_matrix, load
from tagger.errors import TrainingError
from tagger.extending import find_candidates
from tagger.features import FeatureSettings
from tagger.records import Passage
from tagger.themes import load_codebook
from tagger.training import TrainingSettings, train

HERE = Path(__file__).parent
CODEBOOK = load_codebook(HERE.parent.parent / "corpora/themes.toml")
POSITIVES = (10, 20, 30, 60, 120)
DRAWS = 10
WORDS = {  # what somebody who begins would think of
    "complicity": ("complicit", "corrupt", "official", "brib"),
    "forced_labor": ("labor", "forced$", "bondage", "servitude"),
    "shelter_gaps": ("shelter", "inadequate", "lack", "services$"),
    "data_quality": ("data$", "statistic", "report$", "unclear"),
}
LEXICONS = {"lexicon": CODEBOOK.lexicon, "no lexicon": {}}
"""The lexicon was made for these very themes, so a new one fares worse with it than they do; without any it should fare no worse."""


def labelled_until(corpus, rows, labels, theme, positives, seed):
    """Rows that somebody reads, in the finder's order, and for each number of passages with the theme how many are read until then."""
    texts = corpus["text"]
    passages = [Passage(texts[row], id=str(row)) for row in rows.tolist()]
    codebook_theme = next(one for one in CODEBOOK.themes if one.name == theme)
    wanted = type(codebook_theme)(theme, codebook_theme.title, "", codebook_theme.definition, words=WORDS[theme])
    found = [int(one.passage.id) for one in find_candidates(passages, wanted, count=12 * max(positives), seed=seed)]
    carried = np.cumsum(labels[found])
    return found, {count: int(np.searchsorted(carried, count)) + 1 for count in positives if carried[-1] >= count}


def learned_from(corpus, found, read, theme, lexicon):
    """The model, and from how many passages it could be learned."""
    settings = TrainingSettings(features=FeatureSettings(lexicon=lexicon))
    while True:
        try:
            return train({"labelled": corpus.select(found[:read])}, settings=settings, only=[theme]).model, read
        except TrainingError:
            if read >= len(found):
                raise
            read += 10


def main():
    corpus = load(HERE.parent.parent / "corpora/composed", CODEBOOK.names)
    labels, documents, texts = label_matrix(corpus), np.array(corpus["document"]), list(corpus["text"])
    names = np.unique(documents)
    rows = []
    for draw in track(range(DRAWS), "draws"):
        learned = set(np.random.default_rng(draw).permutation(names)[: len(names) // 2])
        inside = np.array([document in learned for document in documents])
        tested = np.flatnonzero(~inside)
        for column, theme in enumerate(CODEBOOK.names):
            found, needed = labelled_until(corpus, np.flatnonzero(inside), labels[:, column], theme, POSITIVES, draw)
            for count, until in needed.items():
                for name, lexicon in LEXICONS.items():
                    model, read = learned_from(corpus, found, until, theme, lexicon)
                    score = model.scores([texts[row] for row in tested])[:, 0]
                    truth, said = labels[tested, column], score >= model.thresholds[0]
                    rows.append(
                        {
                            "theme": theme,
                            "draw": draw,
                            "features": name,
                            "positives": count,
                            "read": read,
                            "average_precision": round(float(average_precision_score(truth, score)), 4),
                            "f1": round(float(f1_score(truth, said)), 4),
                            "share": round(float(truth.mean()), 4),
                        }
                    )
    (HERE / "results.json").write_text(json.dumps(rows, indent=0) + "\n")
    figure(rows)
    print(table(rows))


def figure(rows):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tagger"
    import matplotlib.pyplot as plt

    drawn, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
    for axis, (name, shown) in zip(axes, (("average_precision", "average precision"), ("f1", "F1")), strict=True):
        for theme in CODEBOOK.names:
            of = [
                [row[name] for row in rows if (row["theme"], row["positives"], row["features"]) == (theme, count, "no lexicon")]
                for count in POSITIVES
            ]
            axis.errorbar(POSITIVES, [np.mean(one) for one in of], [np.std(one, ddof=1) for one in of], marker="o", capsize=2, label=theme)
        axis.set(xscale="log", xlabel="labelled passages with the theme", title=shown, ylim=(0, 1))
        axis.set_xticks(POSITIVES, map(str, POSITIVES))
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8, loc="lower right")
    drawn.savefig(HERE / "curve.svg", metadata={"Date": None})


def table(rows):
    """Mean and standard deviation over draws and themes, as the README shows them."""
    lines = [
        "| with the theme | read in all | average precision | F1 | lowest and highest theme's F1 | F1 with the lexicon |",
        "|---|---|---|---|---|---|",
    ]
    for count in POSITIVES:
        plain, rich = ([row for row in rows if row["positives"] == count and row["features"] == name] for name in ("no lexicon", "lexicon"))
        by_theme = [np.mean([row["f1"] for row in plain if row["theme"] == theme]) for theme in CODEBOOK.names]
        lines.append(
            f"| {count} | {np.mean([row['read'] for row in plain]):.0f} | {spread(plain, 'average_precision')} | {spread(plain, 'f1')} | "
            f"{min(by_theme):.2f}, {max(by_theme):.2f} | {spread(rich, 'f1')} |"
        )
    return "\n".join(lines)


def spread(rows, name):
    """The mean of the themes' means, and the mean of their standard deviations over draws."""
    by_theme = [[row[name] for row in rows if row["theme"] == theme] for theme in CODEBOOK.names]
    return f"{np.mean([np.mean(one) for one in by_theme]):.2f} ± {np.mean([np.std(one, ddof=1) for one in by_theme]):.2f}"


if __name__ == "__main__":
    main()
