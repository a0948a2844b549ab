"""What the pages of review and learning show, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from tagger.review.agreement import Verdict, agreement
from tagger.review.estimates import WIDTH, Estimates, Stopping
from tagger.review.store import BLIND, Decision, Entry, ReviewDocument
from tagger.serving.review.project import Project, Task
from tagger.serving.review.workbench import Workbench
from tagger.themes import Theme
from tagger.writing.about import AboutTheme, letters
from tagger.writing.text import many
from tagger.writing.webpage import STYLES

FEW_DOCUMENTS = 5  # as `tagger.evaluation` has it, which takes long to import


class ShownTheme(NamedTuple):
    """A theme in review, with its colour and letter, whether the model knows it, and what the codebook says of it, if anything."""

    style: int
    letter: str
    name: str
    title: str
    definition: str
    known: bool
    codebook: Theme | None


def themes(workbench: Workbench) -> list[ShownTheme]:
    """Return the themes that passages are read for."""
    written = {theme.name: theme for theme in workbench.codebook.themes}
    known = {theme.name: theme for theme in workbench.engine.tagger.about.themes}
    shown = []
    for place, (name, letter) in enumerate(zip(workbench.themes, letters(workbench.themes), strict=True)):
        about: Theme | AboutTheme = written.get(name) or known[name]
        title = known[name].title if name in known else about.title
        shown.append(ShownTheme(place % STYLES, letter, name, title, about.definition, name in known, written.get(name)))
    return shown


def task(workbench: Workbench, found: Task) -> dict[str, Any]:
    """Return a passage to decide, with the codebook's boundary cases in the order of their likeness to it."""
    return {**found.to_json(), "examples": workbench.examples_like(found.entry.text)}


def decided(project: Project, annotator: str, find: str) -> list[dict[str, Any]]:
    """Return what an annotator has decided, the last first, as far as the passages hold the words."""
    entries = {entry.key: entry for entry in project.pool().entries}
    words = find.casefold().split()
    found = [(entries[one.passage], one) for one in reversed(project.store.decisions(annotator)) if one.passage in entries]
    return [_decided(entry, one) for entry, one in found if all(word in entry.text.casefold() for word in words)]


def _decided(entry: Entry, one: Decision) -> dict[str, Any]:
    return {
        "key": entry.key,
        "text": entry.text,
        "document": entry.line["document"],
        "section": entry.line["section"],
        "labels": None if one.labels is None else list(one.labels),
        "suggested": [] if one.labels is None else list(one.suggested),  # who has skipped it may not have seen them
        "changed": one.labels is not None and set(one.labels) != set(one.suggested),
        "queue": one.queue,
        "at": one.at,
    }


def progress(project: Project, annotator: str | None) -> dict[str, Any]:
    """Return how far the review is, and what it tells."""
    decisions, pool = project.store.decisions(), project.pool()
    titles = {theme.name: theme.title for theme in project.engine.tagger.about.themes}
    who = None if annotator is None else project.store.annotator(annotator)
    counts = Counter(one.annotator for one in decisions if one.labels is not None)
    mine = [one for one in decisions if one.annotator == who]
    return {
        "passages": len(pool.entries),
        "mine": {
            "decided": counts[who] if who else 0,
            "skipped": sum(one.labels is None for one in mine),
            "changed": sum(one.labels is not None and set(one.labels) != set(one.suggested) for one in mine),
        },
        "annotators": [{"name": name, "decided": count} for name, count in counts.items()],
        "estimates": {**estimates(project.estimates(), titles), "notes": _notes(project)},
        "agreement": _agreement(project.verdicts(), project.store.themes),
    }


def _notes(project: Project) -> str:
    """Say which documents tell nothing about the model, as it has learned from them, and of which somebody may have seen its labels."""
    learned, documents = project.learned(), project.pool().documents
    left_out = [document.label for document in documents if document.id in learned]
    read = [document.label for document in documents if document.read and document.id not in learned]
    notes = [f"Left out, as the model in use has learned from it: {', '.join(left_out)}."] if left_out else []
    if read:
        notes.append(f"Opened under Read, too, where whoever looked has seen the model's labels: {', '.join(read)}.")
    return " ".join(notes)


def estimates(found: Estimates, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return the estimates, with what they mean in words."""
    return {
        "themes": [asdict(theme) for theme in found.themes],
        "sampled": found.sampled,
        "population": found.population,
        "left_out": found.left_out,
        "seen": found.seen,
        "enough": found.stopping.enough,
        "headline": _headline(found, titles),
        "left": _left(found),
    }


def _headline(found: Estimates, titles: Mapping[str, str]) -> str:
    stopping = found.stopping
    if not found.sampled:
        return "Nothing was read at random yet of documents that are new to the model: decide some passages in random order."
    if stopping.enough and found.sampled == found.population:
        return "Everything was read: these figures are exact for these documents."
    if stopping.enough:
        return f"Enough was read at random: no interval is wider than {WIDTH:.2f}."
    return f"Read about {many(stopping.more, 'more passage')} at random: {_reason(stopping, titles)}."


def _reason(stopping: Stopping, titles: Mapping[str, str]) -> str:
    kind, theme = stopping.widest
    figure = f"the {kind} of {titles.get(theme, theme)}"
    if stopping.width is None:
        return f"nothing tells {figure} yet"
    return f"the interval of {figure} is {stopping.width:.2f} wide, and {WIDTH:.2f} would do"


def _left(found: Estimates) -> str:
    if found.wrong_left is None:
        return ""
    value, low, high = found.wrong_left
    return f"Of the passages that nobody has decided, about {value} ({low} to {high}) have a wrong label of the model."


def _agreement(found: Mapping[int, Verdict], names: tuple[str, ...]) -> dict[str, Any]:
    twice = [verdict for verdict in found.values() if len(verdict.decisions) == 2]
    return {
        "passages": len(twice),
        "hidden": sum(all(one.queue in BLIND for one in verdict.firsts) for verdict in twice),
        "changed": sum(verdict.differed and not verdict.differs for verdict in twice),
        "open": sum(map(_open, twice)),
        "settled": sum(verdict.settlement is not None for verdict in twice),
        "themes": [asdict(one) for one in agreement(found, names)],
    }


def differences(project: Project) -> list[dict[str, Any]]:
    """Return the passages on which two annotators differ, and note that their decisions were shown."""
    project.store.compare([key for key, verdict in project.verdicts().items() if _open(verdict)])
    closed = project.store.compared()  # only what can't change any more is shown, and as it is now
    found = {key: verdict for key, verdict in project.verdicts().items() if key in closed and _open(verdict)}
    rows = []
    for key, verdict in found.items():
        shown = project.task(key, None, "uncertain")
        rows.append(
            {
                "key": key,
                "text": shown.entry.text,
                "document": shown.document,
                "section": shown.entry.line["section"],
                "before": list(shown.before),
                "after": list(shown.after),
                "passes": [{"annotator": one.annotator, "labels": list(one.labels or ())} for one in verdict.decisions],
            }
        )
    return rows


def _open(verdict: Verdict) -> bool:
    return verdict.differs and verdict.settlement is None


def learn(workbench: Workbench, project: Project | None) -> dict[str, Any]:
    """Return what the page of learning shows before its script asks for more."""
    documents = project.store.documents() if project else []
    reviewed: Counter[int] = Counter()
    if project:
        known = {key for key, verdict in project.verdicts().items() if verdict.labels is not None}
        reviewed.update(entry.document for entry in project.pool().entries if entry.key in known)
    learning = workbench.learning
    return {
        "documents": [(document, reviewed[document.id]) for document in documents],
        "learn_from": _total(documents, reviewed, held_out=False),
        "measure_on": _total(documents, reviewed, held_out=True),
        "held_out_documents": sum(document.held_out and reviewed[document.id] > 0 for document in documents),
        "corpora": [corpus.name for corpus in learning.corpora],
        "models": learning.models(),
        "current": learning.current.name if learning.current else None,
        "first": learning.first.name if learning.first else "default",
        "exported": workbench.corpus.is_dir(),
        "themes": themes(workbench),
    }


def _total(documents: list[ReviewDocument], reviewed: Counter[int], *, held_out: bool) -> int:
    return sum(reviewed[document.id] for document in documents if document.held_out == held_out)


def run(workbench: Workbench) -> dict[str, Any] | None:
    """Return how the last run goes or went; passages about which the models differ are shown with their text."""
    status = workbench.learning.status()
    if status is None or "result" not in status:
        return status
    texts = {entry.key: entry.text for entry in workbench.project.pool().entries}
    flips = [{**flip, "text": texts[flip["key"]]} for flip in status["result"]["flips"] if flip["key"] in texts]
    return {**status, "result": {**status["result"], "flips": flips, "verdict": verdict(status["result"])}}


def verdict(result: Mapping[str, Any]) -> str:
    """Say in a sentence whether the new model is better. Resamples of a few documents differ too little for a sure answer."""
    if not result["passages"]:
        return (
            "Nothing tells whether the new model is better: no passage of a held-out document was reviewed in random order. "
            "Hold out two or more documents, and review some of their passages at random."
        )
    macro = result["macro"]
    measured = f"{many(result['passages'], 'passage')} of {many(result['documents'], 'document')}"
    if result["documents"] < 2:
        return f"Measured on {measured} only, so no interval says how far to trust the difference. Hold out a second document."
    if macro["difference"] is None:
        mended = sum(flip["mended"] for flip in result["flips"])
        return (
            f"Too few of {measured} carry a theme to tell a difference in F1: the new model mends {many(mended, 'label')} and breaks "
            f"{len(result['flips']) - mended}. Review more held-out passages at random."
        )
    if not result["flips"]:
        return f"Both models give these {many(result['passages'], 'passage')} the same labels."
    value, low, high = (macro["difference"][name] for name in ("value", "low", "high"))
    told = f"macro F1 {value:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    if low <= 0 <= high:
        return f"No difference can be told: {told}. Review more held-out passages at random to narrow it."
    word = "better" if low > 0 else "worse"
    if result["documents"] < FEW_DOCUMENTS:
        few = many(result["documents"], "held-out document")
        return f"The new model seems {word}: {told}. But {few} are too few to be sure: hold out {FEW_DOCUMENTS} or more."
    return f"The new model is {word}: {told}."
