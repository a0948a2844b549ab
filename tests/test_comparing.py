"""Reports compared: alignment, changed words, rates and words that the model does not know."""

from __future__ import annotations

import csv
import doctest
import importlib
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from making_pairs import SOUP, SPANISH, composed_documents, later_report

import tagger
from tagger import drift as drift_module
from tagger.cli import main
from tagger.comparing import Change, compare
from tagger.comparing.alignment import align
from tagger.comparing.changes import changed
from tagger.comparing.writing import write
from tagger.drift import Strange, measure
from tagger.errors import InputError, OutputError
from tagger.likeness import cosines, words
from tagger.rates import Errors, change, errors_of, estimate, spread, wilson
from tagger.records import Document, Passage
from tagger.tagging import Tagger

KNOWN = Errors(found=1800, carrying=2000, left=11700, others=12000)


def made(name: str, text: str, **header) -> Document:
    """A report whose passages are the sentences of a text."""
    passages, start = [], 0
    for number, sentence in enumerate(text.split(". "), 1):
        sentence = sentence if sentence.endswith(".") else f"{sentence}."
        passages.append(Passage(sentence, f"{name}-{number}", name, start=start, end=start + len(sentence)))
        start += len(sentence) + 1
    return Document(name, text, passages=tuple(passages), **header)


@pytest.fixture(scope="module")
def trained_tagger(trained_folder) -> Tagger:
    return tagger.load(trained_folder)


@pytest.fixture(scope="module")
def two(report, tmp_path_factory) -> list[Document]:
    """The Mexico report, and one a year later made of it."""
    text = report.read_text(encoding="utf-8").replace("Report 2014", "Report 2015")
    sentence = "Official complicity continued to be a serious problem."
    assert sentence in text
    text = text.replace(sentence, "").replace("FEVIMTRA initiated 91 trafficking investigations", "FEVIMTRA opened 120 trafficking cases")
    text = text.replace("\nProtection\n", "\nProtection\n\nNo shelter was open to men, and services for victims were scarce.\n", 1)
    later = tmp_path_factory.mktemp("later") / "mexico-2015.txt"
    later.write_text(text, encoding="utf-8")
    return [tagger.read(later), tagger.read(report)]


@pytest.mark.parametrize("name", ["comparing.alignment", "comparing.changes", "likeness", "rates"])
def test_comparing_examples_run(name):
    assert doctest.testmod(importlib.import_module(f"tagger.{name}")).failed == 0


def test_comparing_alignment_tells_what_became_of_made_passages():
    documents = composed_documents()
    names = list(documents)
    right, count = dict.fromkeys(Change, 0), dict.fromkeys(Change, 0)
    for place in range(0, len(names), 12):
        earlier = documents[names[place]]
        later = later_report(earlier, documents[names[(place + 7) % len(names)]], share=0.3, seed=place)
        became = {match.after: match for match in align(earlier, [passage.text for passage in later])}
        for row, passage in enumerate(later):
            meant = None if passage.row is None else words(earlier[passage.row])
            kind = Change.NEW if meant is None else Change.UNCHANGED if meant == words(passage.text) else Change.REWORDED
            found = became[row].before
            count[kind] += 1
            right[kind] += became[row].change is kind and (None if found is None else words(earlier[found])) == meant
        kept = {passage.row for passage in later}
        dropped = {match.before for match in align(earlier, [passage.text for passage in later]) if match.change is Change.DROPPED}
        count[Change.DROPPED] += len(earlier) - len(kept - {None})
        right[Change.DROPPED] += len(dropped - kept)
    share = {kind: right[kind] / count[kind] for kind in Change}
    assert share[Change.UNCHANGED] == 1
    assert min(share[Change.NEW], share[Change.DROPPED]) > 0.98
    assert share[Change.REWORDED] > 0.97


def test_comparing_alignment_names_every_passage_once_in_the_order_of_reading():
    earlier = ["Alpha is here.", "Beta came in May.", "Gamma was tried.", "Delta fled.", "Zeta sang."]
    later = ["Beta came in June.", "Epsilon is new.", "gamma  was\ntried", "Zeta sang!", "Alpha is here."]
    found = [(match.change, match.before, match.after, match.moved) for match in align(earlier, later)]
    assert found == [
        ("reworded", 1, 0, False),
        ("new", None, 1, False),
        ("unchanged", 2, 2, False),
        ("dropped", 3, None, False),
        ("unchanged", 4, 3, False),
        ("unchanged", 0, 4, True),
    ]
    assert [match.change for match in align([], ["a"])] == ["new"]
    assert [match.change for match in align(["..."], ["!!!"])] == ["unchanged"]
    twice = align(["Alike.", "Other.", "Alike."], ["Alike.", "Alike."])
    assert [(match.before, match.after, match.moved) for match in twice] == [(0, 0, False), (1, None, False), (2, 1, False)]


def test_comparing_alignment_refuses_what_is_no_report():
    with pytest.raises(InputError, match="10,001 passages"):
        align(["a"] * 10_001, ["a"])


def test_comparing_marks_changed_words_only():
    before, after = changed("In 2013, police arrested “two” men.", "in 2014 police arrested 'two' men and a woman.")
    assert [text for text, marked in before if marked] == ["2013"]
    assert [text for text, marked in after if marked] == ["2014", "and a woman"]
    assert "".join(text for text, _ in before) == "In 2013, police arrested “two” men."
    long = changed(" ".join(map(str, range(3000))), " ".join(map(str, range(9000, 6000, -1))))
    assert [marked for _, marked in long[0]] == [True]


def test_comparing_corrects_a_rate_by_the_models_errors():
    found = estimate((20, 100), KNOWN)
    assert found.value == pytest.approx((0.2 - 0.025) / 0.875)
    assert 0.1 < found.low < 0.15 < 0.27 < found.high < 0.33
    nothing = estimate((0, 100), KNOWN)
    assert (nothing.value, nothing.low) == (0, 0)
    assert 0 < nothing.high < 0.05
    vague = estimate((20, 100), replace(KNOWN, sensitivity_spread=0.1, specificity_spread=0.1))
    assert vague.high - vague.low > 1.2 * (found.high - found.low)
    for unknown in (estimate((20, 100), None), estimate((20, 100), Errors(10, 100, 10, 100)), estimate((0, 0), KNOWN)):
        assert np.isnan([unknown.value, unknown.low, unknown.high]).all()
        assert not unknown.clear


@pytest.mark.parametrize("varies", [0.0, 0.05])
def test_comparing_intervals_hold_the_truth_of_simulated_reports(varies):
    random = np.random.default_rng(1)
    held = {"share": [], "report": [], "change": []}

    def text(share: float, size: int) -> tuple[int, int]:
        own = [random.beta(p * (1 / varies - 1), (1 - p) * (1 / varies - 1)) if varies else p for p in (0.9, 0.975)]
        carry = random.binomial(size, share)
        return random.binomial(carry, own[0]) + random.binomial(size - carry, 1 - own[1]), carry

    errors = replace(KNOWN, sensitivity_spread=varies, specificity_spread=varies)
    for share in (0.02, 0.1, 0.3):
        for _ in range(200):
            given, carry = text(share, 150)
            found = estimate((given, 150), errors, resamples=1000)
            held["share"].append(found.low <= share <= found.high)
            held["report"].append(found.low <= carry / 150 <= found.high)
            kept, dropped, new = text(share, 100), text(share, 50), text(share + 0.1, 50)
            moved = change((kept[0], 100), (dropped[0], 50), (new[0], 50), errors, resamples=1000)
            held["change"].append(moved.low <= (new[1] - dropped[1]) / 150 <= moved.high)
    assert min(map(np.mean, held.values())) >= 0.93


def test_comparing_what_stays_makes_no_change_unsure():
    same = change((20, 100), (0, 0), (0, 0), KNOWN)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    kept, apart = change((20, 90), (2, 10), (4, 12), KNOWN), change((0, 0), (22, 100), (24, 102), KNOWN)
    assert kept.value == pytest.approx(apart.value)
    assert kept.high - kept.low < (apart.high - apart.low) / 2


def test_comparing_spread_tells_chance_from_what_varies_between_documents():
    random = np.random.default_rng(0)
    sizes = random.integers(20, 60, 200)
    assert spread(random.binomial(sizes, 0.8), sizes) < 0.02
    assert spread(random.binomial(sizes, random.beta(8 * 0.9, 2 * 0.9, 200)), sizes) == pytest.approx(0.1, abs=0.03)
    assert spread(np.array([3]), np.array([4])) == spread(np.array([0, 0]), np.array([5, 5])) == 0


@pytest.mark.parametrize(
    "card",
    [{}, {"cross_validation": 3}, {"cross_validation": {"themes": [{"theme": "a", "recall": None, "support": 2}, 7], "passages": 9}}],
)
def test_comparing_takes_no_errors_from_a_card_without_them(card):
    assert errors_of(card) == {}


def test_comparing_takes_errors_from_the_card_of_a_model(trained_tagger):
    card = trained_tagger.model.card
    found = errors_of(card)
    for row in card["cross_validation"]["themes"]:
        errors = found[row["theme"]]
        assert errors.sensitivity == pytest.approx(row["recall"], abs=1e-3)
        assert errors.found / (errors.found + errors.others - errors.left) == pytest.approx(row["precision"], abs=1e-3)
        assert 0 < errors.sensitivity_spread < 0.3
        assert 0 < errors.specificity_spread < 0.3


def test_comparing_reports_of_one_country_year_by_year(two, trained_tagger):
    found = compare(two, tagger=trained_tagger)
    assert [report.label for report in found.reports] == ["Mexico, 2014", "Mexico, 2015"]
    assert found.warnings == ()
    (step,) = found.steps
    assert step.counts("complicity")["dropped"] == 1
    assert step.counts("shelter_gaps")["new"] == 1
    assert step.counts("data_quality")["reworded"] == 1
    assert step.counts("forced_labor") == {"unchanged": 18, "moved": 0}
    match = next(match for match in step.of("data_quality") if match.change is Change.REWORDED)
    assert "FEVIMTRA opened 120" in step.after.tagged[match.after].text
    assert step.differences["complicity"].value < 0 < step.differences["shelter_gaps"].value
    assert step.differences["forced_labor"].high - step.differences["forced_labor"].low < 0.05
    assert found.reports[0].rates["complicity"].given == 11


def test_comparing_reports_of_several_countries_by_rates_alone(default_tagger):
    text = "Police took bribes from traffickers. The government opened no shelter. Judges were trained."
    documents = [
        made("b20", text, country="Beta", year=2020),
        made("a21", text.replace("no", "one"), country="Alpha", year=2021),
        made("a20", text, country="Alpha", year=2020),
    ]
    found = compare(documents, tagger=default_tagger)
    assert [report.label for report in found.reports] == ["Beta, 2020", "Alpha, 2020", "Alpha, 2021"]
    assert [(step.before.label, step.after.label) for step in found.steps] == [
        ("Beta, 2020", "Alpha, 2020"),
        ("Alpha, 2020", "Alpha, 2021"),
    ]
    assert found.steps[0].matches is None
    assert [match.change for match in found.steps[1].matches] == ["unchanged", "reworded", "unchanged"]


def test_comparing_puts_years_in_order_even_where_one_comes_twice_or_is_missing(default_tagger):
    def order(*years):
        text = "Police took bribes from traffickers. The government opened no shelter."
        found = compare([made(f"r{n}", text, country="Alpha", year=year) for n, year in enumerate(years)], tagger=default_tagger)
        ordered = [(report.document.name, report.document.year) for report in found.reports]
        return ordered, [warning for warning in found.warnings if " year, so compared " in warning]

    found, warned = order(2016, 2014, 2016)
    assert found == [("r1", 2014), ("r0", 2016), ("r2", 2016)]
    assert warned == ["Alpha, 2016 (r0), Alpha, 2016 (r2): of the same year, so compared in the order given"]
    found, warned = order(2016, None, 2014)
    assert found == [("r2", 2014), ("r1", None), ("r0", 2016)]
    assert [warning.split(":")[0] for warning in warned] == ["Alpha"]
    assert order(2015, 2014) == ([("r1", 2014), ("r0", 2015)], [])


def test_comparing_reports_without_a_country_among_several_are_held_against_none(default_tagger):
    """Two reports that do not name their country may be of two."""
    text = "Police took bribes from traffickers. The government opened no shelter."
    named = [made("a", text, country="Alpha", year=2020), made("b", text, country="Beta", year=2020)]
    found = compare([*named, made("x", text, year=2020), made("y", text, year=2021)], tagger=default_tagger)
    assert [step.matches for step in found.steps] == [None, None, None]
    warned = [warning for warning in found.warnings if "does not name its country" in warning]
    assert [warning.split(":")[0] for warning in warned] == [report.label for report in found.reports[2:]]
    alone = compare([named[0], made("x", text, year=2021)], tagger=default_tagger)
    assert alone.steps[0].matches is not None
    assert not [warning for warning in alone.warnings if "does not name its country" in warning]


def test_comparing_tells_reports_of_one_name_apart_and_refuses_a_single_one(default_tagger):
    one = made("one", "Police took bribes.", country="Alpha", year=2020)
    found = compare([one, replace(one, name="two")], tagger=default_tagger)
    assert [report.label for report in found.reports] == ["Alpha, 2020 (one)", "Alpha, 2020 (two)"]
    with pytest.raises(InputError, match="at least two reports, not 1"):
        compare([one], tagger=default_tagger)


def test_comparing_likeness_is_the_cosine_of_tf_idf_vectors(report):
    """As scikit-learn has it, of words and pairs of words, each counted once."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [passage.text for passage in tagger.read(report).passages]
    vectorizer = TfidfVectorizer(analyzer=lambda text: _terms(words(text)), binary=True)
    vectors = vectorizer.fit_transform(texts)
    keys = list(map(words, texts))
    assert np.allclose(np.array(list(cosines(keys[:20], keys[10:], keys))), (vectors[:20] @ vectors[10:].T).toarray())


def _terms(key):
    return [*((word,) for word in key), *pairwise(key)]


@pytest.mark.parametrize(("share", "count", "low", "high"), [(0.9, 10, 0.596, 0.982), (0.0, 20, 0.0, 0.161), (1.0, 5, 0.566, 1.0)])
def test_comparing_wilson_interval_of_a_share(share, count, low, high):
    assert wilson(share, count) == pytest.approx((low, high), abs=5e-4)


def test_comparing_warns_of_reports_in_words_that_the_model_does_not_know(two, trained_tagger):
    found = compare([two[1], made("soup", SOUP), made("informe", SPANISH)], tagger=trained_tagger)
    assert [report.drift.far for report in found.reports] == [False, True, True]
    assert [warning.split(":")[0] for warning in found.warnings if "does not know" in warning] == ["soup", "informe"]
    soup = found.reports[1]
    strange = soup.drift.passages[0]
    unknown = [soup.tagged[strange.row].text[start:end].lower() for start, end in strange.spans]
    assert "oven" in unknown
    assert "the" not in unknown


def test_comparing_shows_the_strange_passages_of_a_report_that_is_not_far(two, trained_tagger):
    texts = [*(passage.text for passage in two[1].passages), "Whisk the eggs with the sugar until pale and fluffy, then fold in the flour."]
    drift = measure(trained_tagger.model, texts)
    assert not drift.far
    assert len(texts) - 1 in [strange.row for strange in drift.passages]
    assert len(drift.passages) < 5


def test_comparing_looks_only_for_the_words_of_passages_that_are_shown(trained_tagger, monkeypatch):
    """To find the words of one passage, those of the whole report are gone through: done for each, it takes for ever."""
    looked = []
    monkeypatch.setattr(drift_module, "Strange", lambda *values: looked.append(values) or Strange(*values))
    texts = ["Whisk the eggs with the sugar until pale and fluffy, then fold in the flour.", *[SOUP] * 30]
    shown = measure(trained_tagger.model, texts).passages
    assert len(looked) == len(shown) == 10
    assert [one.row for one in shown] == list(range(1, 11))


def test_comparing_says_that_a_model_without_reference_can_not_tell(default_tagger):
    card = {key: value for key, value in default_tagger.model.card.items() if key not in ("vocabulary", "cross_validation", "spread")}
    bare = Tagger(replace(default_tagger.model, card=card))
    found = compare([made("one", SOUP, year=2014), made("two", SOUP, year=2015)], tagger=bare)
    assert not any(report.drift.far for report in found.reports)
    assert [warning.split(":")[0].split(" so ")[0] for warning in found.warnings] == [
        "the model's card does not say how many unknown words are usual,",
        "the model's card has no cross-validation of complicity, forced_labor, shelter_gaps, data_quality",
    ]
    assert np.isnan(found.steps[0].differences["complicity"].value)


def test_comparing_writes_numbers(two, trained_tagger, tmp_path):
    found = compare(two, tagger=trained_tagger)
    write(tmp_path / "numbers.csv", found)
    with (tmp_path / "numbers.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * len(trained_tagger.themes)
    assert rows[0]["compared_with"] == rows[0]["new"] == ""
    later = rows[1]
    assert (later["report"], later["theme"], later["compared_with"], later["dropped"]) == (
        "Mexico, 2015",
        "complicity",
        "Mexico, 2014",
        "1",
    )
    rate = found.reports[1].rates["complicity"]
    assert float(later["corrected_high"]) == pytest.approx(rate.corrected.high, abs=1e-4)
    assert float(later["share"]) == pytest.approx(rate.given / rate.passages, abs=1e-4)
    with pytest.raises(OutputError, match=r"unknown format '.doc'"):
        write(tmp_path / "numbers.doc", found)


def test_comparing_needs_no_library_of_training(root):
    code = (
        "import sys, tagger.comparing.writing; print([name for name in ('sklearn', 'scipy', 'datasets', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process: what it prints, what it complains of, and its exit code."""

    def command(*arguments: object) -> tuple[str, str, object]:
        monkeypatch.setattr(sys, "argv", ["tagger", "compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return said.out, said.err, left.value.code or 0

    return command


def test_comparing_command_prints_tables_and_writes_files(run, two, report, trained_folder, tmp_path):
    later, soup = tmp_path / "mexico-2015.txt", tmp_path / "soup.txt"
    later.write_text(two[0].text, encoding="utf-8")
    soup.write_text(SOUP, encoding="utf-8")
    printed, said, code = run(report, later, soup, "--model", trained_folder)
    assert code == 0
    assert "11 of 112" in printed
    assert "*oven*" in printed
    assert said.startswith("note: soup: the model does not know")
    printed, _, code = run(report, later, "-o", tmp_path / "page.html", "-o", tmp_path / "numbers.csv", "--model", trained_folder)
    assert (printed, code) == ("", 0)
    assert (tmp_path / "page.html").stat().st_size > 10_000
    assert (tmp_path / "numbers.csv").stat().st_size > 500
    soup.unlink()
    _, said, code = run(tmp_path, "-o", tmp_path / "page.html", "--model", trained_folder)
    assert (code, said) == (1, "error: a comparison needs at least two reports, not 1: name another file\n")


def test_comparing_command_says_in_one_line_what_is_wrong(run, report, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("text\nPolice took bribes.\n", encoding="utf-8")
    for arguments, complaint in (
        ([report], "at least two reports, not 1"),
        ([report, tmp_path / "none.txt"], "none.txt: no such file"),
        ([report, other, "-o", tmp_path / "x.doc"], "unknown format '.doc'"),
        ([report, other, "-o", tmp_path / "no" / "x.csv"], "there is no folder"),
        ([report, other, "-o", other], "is an input too"),
    ):
        printed, said, code = run(*arguments)
        assert (printed, code) == ("", 1)
        assert said.count("\n") == 1
        assert complaint in said
    assert other.read_text(encoding="utf-8").startswith("text")
