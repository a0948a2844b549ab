"""The page of a comparison in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tagger.comparing import compare
from tagger.comparing.writing import write
from tagger.records import Document, Passage
from tagger.tagging import Tagger

HOSTILE = "\u202e</script><script>window.hacked = 1</script><img src=x onerror='hacked = 1'> \"&quot; {{ 7 * 7 }} <!-- \x00 \ud800"
EARLIER = (
    "Official complicity in trafficking remained a serious problem.",
    "In 2013, police officers took bribes from traffickers.",
    "The government operated no shelter for male victims.",
    "Officials did not collect data on trafficking cases.",
    "Workers were held in forced labor on farms.",
)
LATER = (
    "Workers were held in forced labor on farms.",
    "In 2014, two police officers took bribes from traffickers.",
    f"Corrupt officials profited from trafficking {HOSTILE}.",
    "The government operated no shelter for male victims.",
    "Officials did not collect data on trafficking cases.",
)


def made(name: str, texts: tuple[str, ...], country: str, year: int) -> Document:
    passages = tuple(Passage(text, f"{name}-{row}", name, '"><i>Odd</i>', row + 1) for row, text in enumerate(texts))
    return Document(name, "\n".join(texts), country=country, year=year, passages=passages)


@pytest.fixture(scope="module")
def tagger_with_reference(default_tagger) -> Tagger:
    """The default model; what is usual of words stands in its card, whatever it was trained with."""
    vocabulary = {"documents": 72, "unknown_words_usual": 0.011, "unknown_words_most": 0.036}
    return Tagger(replace(default_tagger.model, card={**default_tagger.model.card, "vocabulary": vocabulary}), name="made")


@pytest.fixture(scope="module")
def pages(tagger_with_reference, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    years = [made("a", EARLIER, "Nowhere <b>", 2013), made("b", LATER, "Nowhere <b>", 2014)]
    soup = ("Whisk the eggs with the sugar until pale and fluffy, then fold in the flour.",) * 12
    countries = [made(f"c{number}", EARLIER, f"Country {number} of quite a long name", 2014) for number in range(9)]
    write(folder / "years.html", compare(years, tagger=tagger_with_reference))
    write(folder / "many.html", compare([*years, *countries, made("soup", soup, "Soup", 2014)], tagger=tagger_with_reference))
    return folder


@pytest.fixture
def show(open_page, pages):
    return lambda name, **options: open_page(pages / name, **options)


def shown(page) -> list[str]:
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate(
        "[...document.querySelectorAll('.pair')].filter(e => e.checkVisibility()).map(e => e.querySelector('.what').textContent)"
    )


def test_comparing_page_shows_passages_side_by_side(show):
    page = show("years.html")
    assert page.title() == "Nowhere <b>, 2013 · Nowhere <b>, 2014"
    pair = page.locator(".pair.reworded >> nth=0")
    assert pair.locator("del").all_inner_texts() == ["2013"]
    assert pair.locator("ins").all_inner_texts() == ["2014, two"]
    assert "page 2" in pair.locator(".where >> nth=0").inner_text()
    assert page.locator(".pair.new").count() >= 1
    assert page.locator(".pair.dropped .text >> nth=0").inner_text() == EARLIER[0]
    assert shown(page).count("Unchanged, moved") == 1
    page.select_option("[name=change]", "moved")
    assert set(shown(page)) == {"Unchanged, moved"}
    page.select_option("[name=change]", "changed")
    assert "Unchanged" not in shown(page)
    for number in range(4):
        page.uncheck(f"[name=theme] >> nth={number}")
    assert shown(page) == []
    assert page.is_visible("text=No passage passes these filters.")
    page.click("text=Reset")
    page.wait_for_selector("#nothing", state="hidden")


def test_comparing_page_draws_the_rates_of_each_theme(show):
    page = show("years.html")
    assert page.locator(".panel").count() == 4
    label = page.get_attribute(".panel >> nth=0", "aria-label")
    assert re.match(r"Official complicity, per cent of passages: Nowhere <b>, 2013 \d+\.\d, \d+\.\d to \d+\.\d; ", label)
    for panel in page.locator(".panel").all():
        assert panel.locator(".range").count() == panel.locator(".at").count() == panel.locator(".raw").count() == 2
    inside = "all => all.every(e => { const b = e.getBBox(); return b.x >= 0 && b.x + b.width <= 340 })"
    assert page.eval_on_selector_all(".panel circle, .panel rect, .panel .report", inside)


def test_comparing_page_shows_hostile_text_as_text(show):
    page = show("years.html")
    text = page.evaluate("document.querySelector('.pair.new .side:not(.none) .text bdi').textContent")
    assert text == LATER[2].replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert page.evaluate("document.querySelectorAll('img, main script, main i i, main b b').length") == 0


def test_comparing_page_of_many_countries_names_what_is_far(show):
    page = show("many.html")
    assert page.inner_text("h1") == "12 reports"
    assert page.locator("section.step").count() == 1
    assert "Soup, 2014: the model does not know" in page.inner_text(".warnings")
    assert page.locator(".strange").count() >= 10
    assert "fluffy" in page.locator(".strange mark").all_inner_texts()
    assert page.locator(".panel >> nth=0").locator(".report").count() == 12


@pytest.mark.parametrize("name", ["years.html", "many.html"])
@pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}], ids=["light", "dark", "phone"]
)
def test_comparing_page_passes_the_accessibility_rules_of_axe(show, axe, name, options):
    page = show(name, **options)
    if page.get_attribute("#toggle", "aria-expanded") == "false":
        page.click("#toggle")
    assert axe(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_comparing_page_is_whole_without_its_script_and_on_paper(show):
    page = show("years.html", java_script_enabled=False)
    assert not page.is_visible("#bar")
    assert page.locator(".pair >> nth=0").is_visible()
    page.emulate_media(media="print")
    assert page.pdf(format="A4").startswith(b"%PDF")
