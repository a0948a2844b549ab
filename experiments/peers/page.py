"""Write README.md and its picture from the figures in ``results/``.

python experiments/peers/page.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from contenders import ALONE, GRIDS, OURS, TITLES

from tagger.writing.whole import whole

plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "tagger", "font.family": "sans-serif", "font.size": 10})

HERE = Path(__file__).parent
PICTURE = "macro_f1.svg"
QUICK = 300
"""Seconds: what trains in less must be beaten."""

TRAFFICKING = """\
Learned from `corpora/mexico-2014` and `corpora/composed`, {learned_from:,} passages; tested on {passages:,} real passages of {documents}
other countries, clauses that sum up yearly reports, which are not in this repository. tagger has the lexicon of `corpora/themes.toml`, as
the shipped model. **tagger was developed with these passages in view**: they served to choose its features and its lexicon, and some of
the composed passages, from which all learn alike, were written from its errors on them. No peer had such care, so the figures of tagger
are optimistic, and so is its lead. The keyword list is that of `experiments/default`."""

STATEMENTS = """\
{passages:,} sentences of {documents} statements from AIMS.au (ICLR 2025, CC-BY), labelled by experts for {themes} criteria of reporting;
{splits} folds by statement (scikit-learn's `GroupKFold`), each learned from about {learned_from:,} sentences. The sentences are not in this
repository. tagger is at its defaults, without a lexicon. It was made for other texts, but **that it hears neighbouring sentences, and the
form of a line (its length, capitals, digits and ending), was added with these figures in view**. The peers see each sentence alone; “each
passage alone, without form” is tagger under that condition, and without the form of lines. Some criteria have so few sentences that their
figures are mostly chance."""

ABOUT = {
    "development": ("Country reports on trafficking", TRAFFICKING),
    "aims": ("Corporate statements on modern slavery", STATEMENTS),
}

METHOD = """\
## How

All learn from the same passages and are tested on the same; no document stands on both sides. Within what is learned from, every
contender but the keyword list chooses its parameters by mean average precision out of fold (5 folds by document), then its calibration
(Platt) and a threshold a label for the highest F1, out of fold too. The ranges below were set after a look at average precision on a
quarter of the composed documents and of the statements; the latter can only favour the peers. Where one took the end of its range, a
wider range might still have gained it something.

{grids}

TF-IDF is sublinear, over lower-cased words and pairs that stand in two passages or more; characters are three to five within words.
fastText takes words and pairs with one-vs-all loss, 100 dimensions, and a label of its own for passages without any; spaCy is
`TextCatBOW.v3` of words and pairs in 65,536 buckets; wordllama gives the 256 dimensions inside its package, standardised. tagger chooses
its penalty from 0.01, 0.03, 0.1, 0.3 and 1.

Intervals are the middle 95 % of bootstrap resamples of documents, 1,000 for a figure and 10,000, paired, for a difference. p is that of a
two-sided approximate randomisation test over documents with 10,000 swaps, corrected (Holm) for the number of lines in the table. Average
precision pools the folds. Seconds are of the processor, on one thread, to learn once with all that is chosen (mean of the folds); passages
a second are the best of three.
"""


def write_page(folder: Path = HERE) -> None:
    """Write README.md and the picture of all benchmarks that have results."""
    results = {
        name: json.loads(path.read_text(encoding="utf-8")) for name in ABOUT if (path := folder / "results" / f"{name}.json").is_file()
    }
    draw(results, folder / PICTURE)
    unfinished = folder / "README.tmp"
    unfinished.write_text(page(results), encoding="utf-8")
    unfinished.replace(folder / "README.md")


def page(results: Mapping[str, Any]) -> str:
    """The page, in Markdown."""
    lines = [
        "# tagger and its peers, side by side",
        "",
        "```console",
        "$ pip install '.[train,peers]'",
        "$ python experiments/peers/run.py development path/to/development      # a folder with passages.jsonl",
        "$ python experiments/peers/run.py aims path/to/sentences.csv           # any table with the columns of AIMS.au",
        "```",
        "",
        "`--model FOLDER` adds static embeddings that model2vec reads; a peer whose package is missing is passed over. Names of peers",
        "after the path measure these alone anew, beside what `predictions/` holds of the others. The peers are in [`peers.py`](peers.py),",
        "to be named in experiments of your own.",
        "",
        f"![Macro-F1 of all contenders, with intervals]({PICTURE})",
    ]
    for name, found in results.items():
        title, about = ABOUT[name]
        values = {key: found[key] for key in ("learned_from", "passages", "documents", "splits")}
        lines += ["", f"## {title}", "", about.format(**values, themes=len(found["support"])), "", *verdict(found), "", *table(found)]
        lines += ["", "F1 of each label:", "", *labels(found)]
        if found["skipped"]:
            lines += ["", "Left out: " + "; ".join(f"{TITLES[peer]} ({why})" for peer, why in found["skipped"].items()) + "."]
    lines += ["", METHOD.format(grids=grids(results)).rstrip(), "", *machines(results)]
    return "\n".join(lines) + "\n"


def verdict(found: Mapping[str, Any]) -> list[str]:
    """Say whether tagger, and tagger alone, is better than all peers that train quickly."""
    lines = [_verdict(found, OURS, "ours_less_this")]
    return [*lines, "", _verdict(found, ALONE, "alone_less_this")] if ALONE in found["contenders"] else lines


def _verdict(found: Mapping[str, Any], name: str, key: str) -> str:
    peers = {peer: value for peer, value in found["contenders"].items() if peer not in (OURS, ALONE) and value["seconds"] < QUICK}
    unbeaten = {peer: value[key] for peer, value in peers.items() if value[key]["value"] <= 0 or value[key]["p_corrected"] >= 0.05}
    macro = found["contenders"][name]["macro_f1"]
    lead = f"*{TITLES[name]}* has a macro-F1 of **{macro['value']:.3f}** ({macro['low']:.3f} to {macro['high']:.3f})"
    if not unbeaten:
        return f"{lead}, significantly more than each of the {len(peers)} peers that train in under five minutes (corrected p below 0.05)."
    names = "; ".join(
        f"{TITLES[peer]} ({value['value']:+.3f}, {value['low']:+.3f} to {value['high']:+.3f}, corrected p {value['p_corrected']:.3f})"
        for peer, value in unbeaten.items()
    )
    return (
        f"{lead}, significantly more than {len(peers) - len(unbeaten)} of the {len(peers)} peers that train in under five minutes. "
        f"**Not significantly better** than: {names}."
    )


def table(found: Mapping[str, Any]) -> list[str]:
    """A line a contender, the best first."""
    lines = [
        "| | macro-F1 | 95 % interval | average precision | tagger is better by | corrected p | seconds to learn | passages a second |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name, value in ranked(found):
        macro, difference = value["macro_f1"], value.get("ours_less_this")
        cells = [
            TITLES[name],
            f"{macro['value']:.3f}",
            f"{macro['low']:.3f} to {macro['high']:.3f}",
            f"{value['mean_average_precision']['value']:.3f}",
        ]
        if difference:
            cells += [
                f"{difference['value']:+.3f} ({difference['low']:+.3f} to {difference['high']:+.3f})",
                f"{difference['p_corrected']:.4f}",
            ]
        else:
            cells += ["", ""]
        lines.append("| " + " | ".join([*cells, f"{value['seconds']:,.1f}", f"{value['passages_a_second']:,}"]) + " |")
    return lines


def labels(found: Mapping[str, Any]) -> list[str]:
    """A line a label, a column a contender, the best first."""
    names = [name for name, _ in ranked(found)]
    lines = [f"| label (passages) | {' | '.join(TITLES[name] for name in names)} |", "|---|" + "---|" * len(names)]
    for label, count in found["support"].items():
        values = (found["contenders"][name]["f1"][label]["value"] for name in names)
        lines.append(f"| {label} ({count}) | " + " | ".join("" if value is None else f"{value:.2f}" for value in values) + " |")
    return lines


def ranked(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The contenders, highest macro-F1 first."""
    return sorted(found["contenders"].items(), key=lambda item: -item[1]["macro_f1"]["value"])


def grids(results: Mapping[str, Any]) -> str:
    """The parameters that each peer chose between, and those it took for each benchmark."""
    lines = ["| peer | chooses from | " + " | ".join(f"took: {ABOUT[name][0].lower()}" for name in results) + " |"]
    lines.append("|---|---|" + "---|" * len(results))
    for peer, grid in GRIDS.items():
        took = [found["contenders"].get(peer, {}).get("chosen", []) for found in results.values()]
        cells = [TITLES[peer], *(_parameters(part) for part in (grid, *took))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _parameters(choices: Sequence[Mapping[str, float]]) -> str:
    return "; ".join(dict.fromkeys(" ".join(f"{key} {value:g}" for key, value in each.items()) for each in choices))


def machines(results: Mapping[str, Any]) -> list[str]:
    """What the figures of speed were measured on."""
    found = {json.dumps(value["machine"]): value["machine"] for value in results.values()}
    return [
        f"Measured on {value['processor']}, {value['cores']} cores, of which one was used while others worked beside it: speeds are rough. "
        + ", ".join(f"{name} {number}" for name, number in value["versions"].items())
        + "."
        for value in found.values()
    ]


def draw(results: Mapping[str, Any], path: Path) -> None:
    """A point and its interval a contender, a panel a benchmark."""
    names = [name for name in TITLES if any(name in found["contenders"] for found in results.values())][::-1]
    size = (3.2 + 3.4 * len(results), 0.8 + 0.34 * len(names))
    figure, axes = plt.subplots(1, len(results), figsize=size, sharey=True, layout="constrained", squeeze=False)
    for axis, (benchmark, found) in zip(axes[0], results.items(), strict=True):
        for place, name in enumerate(names):
            if name in found["contenders"]:
                _point(axis, place, found["contenders"][name]["macro_f1"], "#b3401f" if name.startswith(OURS) else "#1f5f8b")
        axis.set(title=ABOUT[benchmark][0], xlabel="macro-F1", ylim=(-0.5, len(names) - 0.3))
        axis.set_yticks(range(len(names)), [TITLES[name] for name in names])
        axis.grid(axis="x", color="0.9")
        axis.set_axisbelow(True)
    with whole(path) as stream:
        figure.savefig(stream, format="svg", metadata={"Date": None})
    plt.close(figure)


def _point(axis: plt.Axes, place: int, macro: Mapping[str, float], color: str) -> None:
    axis.plot([macro["low"], macro["high"]], [place, place], color=color, linewidth=1.5)
    axis.plot(macro["value"], place, "o", color=color, markersize=5)
    axis.annotate(f"{macro['value']:.2f}", (macro["value"], place), textcoords="offset points", xytext=(0, 5), ha="center", fontsize=8)


if __name__ == "__main__":
    write_page()
