"""The report of an evaluation in a real browser."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from tagger.cli.evaluate import evaluate_cli
from tagger.errors import MissingExtraError, OutputError
from tagger.evaluation import Figure, Predictions, evaluate, measure, predict
from tagger.evaluation.report import write_report
from tagger.records import Span

HOSTILE = "\u202e</script><script>window.hacked = 1</script><img src=x onerror='hacked = 1'> \"&quot; {{ 7 * 7 }} <!-- \x00 \ud800"
NAMES = ("complicity", "forced_labor", "<b>$x_1$</b> 'odd'")


@pytest.fixture(scope="module")
def made() -> Predictions:
    """Two hundred passages of ten documents, about every tenth decision wrong; no passage carries a fourth theme."""
    random = np.random.default_rng(3)
    labels = np.hstack([(random.random((200, 3)) < [0.4, 0.3, 0.25]).astype(np.int64), np.zeros((200, 1), np.int64)])
    scores = np.clip(labels * 0.6 + random.normal(0.2, 0.18, labels.shape), 0, 1)
    ids = tuple(f"made-{number:03d}" for number in range(200))
    documents = tuple(f"made/{number % 10}" for number in range(200))
    return Predictions((*NAMES, "rare"), ids, documents, np.zeros(200, np.int64), labels, scores, scores >= 0.5, {})


@pytest.fixture(scope="module")
def pages(made, tmp_path_factory, default_tagger, root):
    folder = tmp_path_factory.mktemp("reports")
    evaluation = measure(made, resamples=50, review=np.full((4, 2), [0.3, 0.7]))
    by = {"section": {name: measure(made.rows(np.arange(200) % 2 == n), resamples=20) for n, name in enumerate(["Odd", "</td>Even"])}}
    texts = {name: f"Passage {number} says {HOSTILE}" for number, name in enumerate(made.ids)}
    about = {
        "title": "<i>Made</i> up",
        "about": "Chance & <u>numbers</u>.",
        "evaluation": replace(evaluation, by=by),
        "sections": {name: ["Odd", "</td>Even"][number % 2] for number, name in enumerate(made.ids)},
        "evidence": {name: {"complicity": (Span(0, 7, 1.0),)} for name in made.ids},
    }
    curve = {100: Figure(0.5, 0.4, 0.6), 200: Figure(0.7, 0.6, 0.8)}
    write_report(folder / "made.html", made, texts=texts, learning_curve=curve, **about)
    write_report(folder / "silent.html", made, **about)
    from tagger.corpus import load

    corpus = load(root / "corpora/mexico-2014", default_tagger.themes)
    found = evaluate(default_tagger, corpus, by=["section", "length"], resamples=20)
    shown = {
        "texts": dict(zip(corpus["id"], corpus["text"], strict=True)),
        "sections": dict(zip(corpus["id"], corpus["section"], strict=True)),
    }
    write_report(folder / "mexico.html", predict(default_tagger, corpus), title="Mexico", about="", evaluation=found, **shown)
    return folder


@pytest.fixture
def show(open_page, pages):
    return lambda name, **options: open_page(pages / name, **options)


def errors(page, **data) -> int:
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    where = "".join(f"[data-{name}='{value}']" for name, value in data.items())
    return page.evaluate("where => [...document.querySelectorAll('.error' + where)].filter(e => e.checkVisibility()).length", where)


def test_report_shows_figures_with_their_intervals(show, made):
    page = show("made.html")
    assert page.title() == page.inner_text("h1") == "<i>Made</i> up"
    found = measure(made, resamples=50)
    macro = found.macro["f1"]
    assert page.inner_text(".cards div:first-child dd").split("\n")[0] == f"{macro.value:.2f} {macro.low:.2f} to {macro.high:.2f}"
    row = page.locator("#figures .values >> nth=0").locator("tbody tr >> nth=1")
    precision = found.themes[1].figures["precision"]
    assert row.locator("td >> nth=0").inner_text() == str(found.themes[1].support)
    assert row.locator("td >> nth=1").inner_text().split() == f"{precision.value:.2f} {precision.low:.2f} to {precision.high:.2f}".split()
    lead = page.inner_text(".lead")
    assert "200 passages of 10 documents" in lead
    assert lead.endswith(f"the true value for documents of this kind probably lies between {macro.low:.2f} and {macro.high:.2f}.")
    assert "rare: no passage carries it" in page.inner_text(".warnings")
    assert page.locator("#apart tbody th").all_inner_texts() == ["Odd", "</td>Even"]
    hits = int((made.labels[:, 0] * made.predicted[:, 0]).sum())
    assert page.inner_text("#confusion tbody tr:first-child td.right .value") == str(hits)


def test_report_filters_errors_by_theme_section_kind_and_document(show, made):
    page = show("made.html")
    wrong = made.predicted != (made.labels == 1)
    assert errors(page) == wrong.sum()  # fewer than are listed at most
    assert page.inner_text("#status") == f"{wrong.sum()} of {wrong.sum()} errors shown"
    page.uncheck("[name=theme] >> nth=0")
    assert errors(page, theme=0) == 0
    assert errors(page) == wrong[:, 1:].sum()
    page.select_option("[name=kind]", "missed")
    missed = wrong & (made.labels == 1)
    assert errors(page) == errors(page, kind="missed") == missed[:, 1:].sum()
    page.select_option("[name=section]", "</td>Even")
    assert errors(page) == missed[1::2, 1:].sum()
    document = page.locator(".error:not([hidden])").first.get_attribute("data-document")
    page.select_option("[name=document]", document)
    assert 0 < errors(page) == errors(page, document=document)
    for place in range(1, 4):
        page.uncheck(f"[name=theme] >> nth={place}")
    assert errors(page) == 0
    assert page.is_visible("text=No error passes these filters.")
    page.click("#bar >> text=Reset")
    assert errors(page) == wrong.sum()


def test_report_of_a_model_without_errors_says_so(show, default_tagger):
    page = show("mexico.html")
    assert page.locator("text=No error.").all_inner_texts() == ["No error."] * len(default_tagger.themes)
    assert not page.is_visible("#bar")
    assert not page.is_visible("#nothing")


def test_report_marks_the_words_that_raised_the_score(show):
    page = show("made.html")
    assert page.inner_text(".error[data-theme='0'] u >> nth=0") == "Passage"
    assert page.locator(".error[data-theme='1'] u").count() == 0


def test_report_shows_hostile_text_as_text(show):
    page = show("made.html")
    shown = HOSTILE.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert page.evaluate("document.querySelector('.error bdi').textContent").endswith(shown)
    assert page.evaluate("document.querySelectorAll('img, main script, main i i, td td').length") == 0
    assert page.locator("#curves h3 >> nth=2").inner_text().endswith("<b>$x 1$</b> 'odd'")


def test_report_without_texts_holds_none(show, pages):
    page = show("silent.html")
    assert "Passage 1" not in (pages / "silent.html").read_text(encoding="utf-8")
    assert page.locator(".error .id >> nth=0").inner_text().startswith("made-")
    assert page.locator(".error .passage").count() == 0
    assert "text is not shown here" in page.inner_text("#errors .note")


def test_report_text_of_plots_can_be_selected_and_takes_the_colours_of_the_page(show):
    for scheme, text, line in (("light", "rgb(27, 31, 36)", "rgb(107, 29, 107)"), ("dark", "rgb(231, 230, 226)", "rgb(197, 131, 201)")):
        page = show("made.html", color_scheme=scheme)
        label = page.locator("#curves .card >> nth=0").locator("svg text", has_text="precision")
        label.evaluate("e => getSelection().selectAllChildren(e)")
        assert page.evaluate("getSelection().toString()") == "precision"
        assert label.evaluate("e => getComputedStyle(e).fill") == text
        strokes = page.eval_on_selector_all("#curves .card:first-child path", "all => all.map(e => getComputedStyle(e).stroke)")
        assert line in strokes
        assert page.locator(".plot svg").count() == 3 + 4 + 2  # no precision and recall of the theme that no passage carries
        assert page.evaluate("[...document.querySelectorAll('[id]')].every((e, n, all) => all.findIndex(o => o.id === e.id) === n)")


@pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}], ids=["light", "dark", "phone"]
)
def test_report_is_accessible_and_fits(show, axe, options):
    page = show("made.html", **options)
    if page.get_attribute("#toggle", "aria-expanded") == "false":
        page.click("#toggle")
    assert axe(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_report_can_be_used_by_keyboard_and_printed(show):
    page = show("made.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
    page.focus("#toggle")
    page.keyboard.press("Enter")
    assert not page.is_visible("#controls")
    page.emulate_media(media="print")
    assert not page.is_visible("#bar")
    assert errors(page) > 0
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_report_is_whole_without_its_script(show):
    page = show("made.html", java_script_enabled=False)
    assert page.locator(".error >> nth=0").is_visible()
    assert not page.is_visible("#bar")


def test_report_is_the_same_for_the_same_figures(made, tmp_path):
    evaluation = measure(made, resamples=5)
    for name in ("one", "other"):
        write_report(tmp_path / f"{name}.html", made, title="Made", about="", evaluation=evaluation)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "other.html").read_bytes()
    styles = re.findall(r"<[^>]* style=", (tmp_path / "one.html").read_text(encoding="utf-8"))
    assert styles == []  # which the page's own policy would not allow


def test_report_without_a_place_or_of_other_predictions_is_refused(made, tmp_path):
    evaluation = measure(made, resamples=5)
    with pytest.raises(OutputError, match=r"unknown format '.pdf'; known are .html"):
        write_report(tmp_path / "report.pdf", made, title="", about="", evaluation=evaluation)
    with pytest.raises(OutputError, match="of other themes"):
        write_report(tmp_path / "report.html", replace(made, themes=("a", "b", "c", "d")), title="", about="", evaluation=evaluation)
    assert list(tmp_path.iterdir()) == []


def test_report_of_scores_that_are_no_probabilities_draws_no_calibration(made, open_page, tmp_path):
    far = replace(made, scores=made.scores * 4 - 2)
    write_report(tmp_path / "far.html", far, title="Far", about="", evaluation=measure(far, resamples=5))
    page = open_page(tmp_path / "far.html")
    assert page.locator("#curves .plot").count() == 3
    assert page.locator("#curves summary").count() == 0


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_report_names_a_missing_package_before_any_work(package, monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.startswith("tagger.evaluation.report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"needs {package}, .* pip install 'tagger\[train\]'"):
        evaluate_cli(tmp_path / "no model", tmp_path / "no corpus", out=tmp_path / "report.html")
