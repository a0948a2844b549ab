"""The HTML page in a real browser: Debian's Chromium, driven by playwright."""

from __future__ import annotations

import http.server
import re
import threading
import time
from dataclasses import replace

import pytest

import tagger
from tagger.records import Document, Passage, Span, Tagged
from tagger.writing import write
from tagger.writing.about import about_model
from tagger.writing.webpage import LAYOUT, STYLES

# The page is made for themes of its own: what the shipped codebook holds plays no part.
THEMES = {
    "complicity": "Official complicity",
    "forced_labor": "Forced labor",
    "shelter_gaps": "Shelter gaps",
    "data_quality": "Data quality",
}
ABOUT = about_model(
    list(THEMES), [0.5] * 4, [(0.3, 0.7)] * 4, {"titles": THEMES, "definitions": THEMES, "limits": ["English only."]}, model="made"
)
HOSTILE = "\u202e</script><script>window.hacked = 1</script><img src=x onerror='hacked = 1'> \"&quot; {{ 7 * 7 }} <!-- \x00 \ud800"


def passage(number: int, text: str, section: str, **scores: float) -> Tagged:
    """A passage as a model with thresholds at 0.5 and review bands from 0.3 to 0.7 gives it."""
    everything = {**dict.fromkeys(THEMES, 0.01), **scores}
    labels = tuple(theme for theme, score in everything.items() if score >= 0.5)
    review = tuple(theme for theme, score in everything.items() if 0.3 <= score < 0.7)
    place = Passage(text, id=f"made-{number:04d}", document="made", section=section, paragraph=number // 2)
    return Tagged(place, labels, everything, {theme: (Span(0, 6, 2.0),) for theme in labels}, review)


def four(item: Tagged) -> Tagged:
    """What the shipped model says of the page's themes, whatever others it knows."""
    scores, evidence = ({theme: found[theme] for theme in THEMES if theme in found} for found in (item.scores, item.evidence))
    labels, review = (tuple(theme for theme in found if theme in THEMES) for found in (item.labels, item.review))
    return Tagged(item.passage, labels, scores, evidence, review)


def many_themes(count: int):
    """Themes with long titles, as many as the page has colours for."""
    titles = {f"{letter}_theme": f"{letter.upper()} theme with quite a long title" for letter in "abcdefgh"[:count]}
    return about_model(list(titles), [0.5] * count, [(0.3, 0.7)] * count, {"titles": titles, "definitions": titles})


def carrying(about) -> list[Tagged]:
    """A passage that carries all themes, by the same words, and many that carry one each."""
    spans = (Span(0, 6, 2.0),)
    scores = dict.fromkeys(about.names, 0.9)
    place = Passage("Police took bribes from traffickers.", id="all", document="made", section="Recommendations")
    items = [Tagged(place, about.names, scores, dict.fromkeys(about.names, spans))]
    for number, theme in enumerate(about.names * 12):
        items.append(Tagged(replace(place, id=f"x{number}"), (theme,), {**dict.fromkeys(about.names, 0.1), theme: 0.8}, {theme: spans}))
    return items


MANY = {count: carrying(many_themes(count)) for count in (5, 8)}
MADE = Document("made", "", title="<b>Made</b> & \u202e'report' of Nowhere", country="Nowhere", year=2020, tier="Tier 1")
ITEMS = [
    passage(1, "Police took bribes from traffickers.", "Prosecution", complicity=0.9),
    passage(2, "Police kept workers in forced labor.", "Prosecution", complicity=0.6, forced_labor=0.8),
    passage(3, "Judges were trained.", "Prosecution", complicity=0.35),
    passage(4, "Nobody knows how many there are.", "Protection", data_quality=0.95),
    passage(5, HOSTILE, "Protection", shelter_gaps=0.75),
    passage(6, "The ministry met in May.", '"><i>Odd</i>'),
]


@pytest.fixture(scope="module")
def pages(default_tagger, report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    document = tagger.read(report)
    mexico = document, [four(item) for item in default_tagger.tag(document)]
    about = replace(ABOUT, figures=default_tagger.about.figures)
    write(folder / "mexico.html", [mexico], about)
    write(folder / "made.html", [(MADE, ITEMS)], about)
    paged = [replace(item, passage=replace(item.passage, page=page)) for item, page in zip(ITEMS, [1, 1, 3, 3, 3, 3], strict=True)]
    write(folder / "paged.html", [(MADE, paged)], about)
    write(folder / "two.html", [mexico, (MADE, ITEMS)], about)
    for count in MANY:
        write(folder / f"{count}.html", [(MADE, MANY[count]), (replace(MADE, name="other"), MANY[count])], many_themes(count))
    return folder


@pytest.fixture
def show(open_page, pages):
    return lambda name, **options: open_page(pages / name, **options)


def visible(page) -> list[str]:
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")  # filters work once a frame
    return page.evaluate("[...document.querySelectorAll('.passage')].filter(e => e.checkVisibility()).map(e => e.id)")


def marks(page, number: int) -> str:
    return page.evaluate(
        "id => [...document.querySelectorAll(`#${id} a.badge`)].filter(e => e.checkVisibility()).map(e => e.textContent).join(' ')",
        f"made-{number:04d}",
    )


def test_page_shows_the_document_as_it_reads(show):
    page = show("mexico.html")
    assert page.title() == page.inner_text("h1") == "Trafficking in Persons Report 2014 - Mexico"
    assert page.eval_on_selector_all("main h3", "all => all.slice(0, 5).map(e => e.textContent)") == [
        "Introduction",
        "Recommendations",
        "Prosecution",
        "Protection",
        "Prevention",
    ]
    assert len(visible(page)) == 112
    assert page.inner_text("#report-0021 bdi") == "Official complicity continued to be a serious problem."
    assert page.inner_text("#report-0021 u") == "Official complicity"
    assert page.eval_on_selector("#report-0021 u", "e => getComputedStyle(e).textDecorationLine") == "underline"
    row = page.locator(".counts tbody tr", has_text="Prosecution")
    assert re.findall(r"\d+", row.inner_text()) == ["34", "8", "4", "0", "6"]
    widths = row.locator("rect").evaluate_all("all => all.map(e => Number(e.getAttribute('width')))")
    assert widths == [80, 40, 0, 60]
    page.click(".counts >> text=Protection")
    assert page.evaluate("document.querySelector(':target h3').textContent") == "Protection"


def test_page_filters_by_theme_section_probability_and_review(show):
    page = show("made.html")
    assert [marks(page, number) for number in range(1, 7)] == ["C", "C? F", "C?", "D", "S", ""]
    assert page.inner_text("#status") == "6 of 6 passages shown, 4 with a theme, 2 to review"
    page.select_option("[name=show]", "marked")
    assert visible(page) == [f"made-000{number}" for number in (1, 2, 3, 4, 5)]
    page.select_option("[name=show]", "review")
    assert visible(page) == ["made-0002", "made-0003"]
    page.select_option("[name=show]", "marked")
    page.uncheck("[name=theme] >> nth=0")
    assert visible(page) == ["made-0002", "made-0004", "made-0005"]
    assert marks(page, 2) == "F"
    assert page.get_attribute("#made-0002", "class") == "passage marked t1"
    page.select_option("[name=section]", "Protection")
    assert visible(page) == ["made-0004", "made-0005"]
    assert not page.is_visible("text=Prosecution >> nth=-1")
    page.fill("[name=score]", "0.9")
    assert visible(page) == ["made-0004"]
    assert page.inner_text("output") == "0.90"
    page.fill("[name=score]", "1")
    assert visible(page) == []
    assert page.is_visible("text=No passage passes these filters.")
    page.click("text=Reset")
    page.wait_for_function("document.getElementById('status').textContent.startsWith('6 of 6')")
    assert [marks(page, number) for number in range(1, 7)] == ["C", "C? F", "C?", "D", "S", ""]


def test_page_shows_the_probability_on_hover_and_on_focus(show):
    page = show("made.html")
    tip = "e => { const s = getComputedStyle(e, '::after'); return s.position === 'absolute' ? s.content : null }"
    badge = page.locator("#made-0002 a.badge >> nth=0")
    assert badge.evaluate(tip) is None
    badge.hover()
    low, high = ABOUT.themes[0].review
    assert badge.evaluate(tip) == f'"Official complicity: probability 0.60. Unsure (between {low:.2f} and {high:.2f}): please read"'
    page.mouse.move(0, 0)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#made-0003') !== null"):
            break
    badge = page.locator("#made-0003 a.badge")
    unsure = f"probability 0.35. Unsure (between {low:.2f} and {high:.2f}): please read."
    below = f"Below the threshold of {ABOUT.themes[0].threshold:.2f}, so not given"
    assert badge.evaluate(tip) == f'"Official complicity: {unsure} {below}"'
    assert badge.get_attribute("aria-label").startswith("C?: Official complicity: probability 0.35")
    assert badge.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.url.endswith("#made-0003")
    page.keyboard.press("Escape")
    assert badge.evaluate(tip) is None


def test_page_steps_from_mark_to_mark(show):
    page = show("made.html")
    seen = []
    for button in ("next", "next", "next", "previous"):
        page.focus(f"#{button}") if not seen else None
        page.evaluate("id => document.getElementById(id).click()", button)
        seen.append(page.evaluate("document.activeElement.closest('.passage').id"))
    assert seen == ["made-0001", "made-0002", "made-0003", "made-0002"]


def test_page_bars_of_a_theme_begin_at_one_line(show):
    page = show("mexico.html")
    for column in range(4):
        edges = page.eval_on_selector_all(
            f"#index tbody td:nth-of-type({column + 2}) svg", "all => all.map(e => e.getBoundingClientRect().left)"
        )
        assert len(set(edges)) == 1


@pytest.mark.parametrize("width", [1200, 800, 360])
def test_page_says_where_each_page_of_the_file_begins(show, width):
    page = show("paged.html", viewport={"width": width, "height": 900})
    assert page.locator("main .page").all_inner_texts() == ["p. 1", "p. 3"]
    assert page.get_attribute("#made-0002 .number", "title") == "page 1"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print")
    assert all(page.evaluate("[...document.querySelectorAll('main .page')].map(e => e.checkVisibility())"))


@pytest.mark.parametrize("width", [320, 600, 769, 800, 900, 961])
def test_page_fits_a_window_of_any_width(show, width):
    page = show("two.html", viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("count", [5, 8])
def test_page_fits_a_phone_with_more_themes_each_of_its_own_look(show, axe, count):
    page = show(f"{count}.html", viewport={"width": 360, "height": 740})
    page.click("#toggle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # What is wider than the screen can be moved to in its own box.
    wide = "e => e.getBoundingClientRect().right > 360 && e.checkVisibility() && !e.closest('.scroll, .hidden, svg')"
    assert page.evaluate(f"[...document.body.querySelectorAll('*')].filter({wide}).map(e => e.outerHTML.slice(0, 200))") == []
    looks = "all => all.map(e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).clipPath, e.textContent])"
    colours, shapes, letters = zip(*page.eval_on_selector_all(".chip .badge i", looks), strict=True)
    assert len(set(colours)) == len(set(shapes)) == len(set(letters)) == count
    assert page.locator("#all a.badge").count() == page.locator("#all u").count() == count
    assert axe(page) == ""


def test_page_has_as_many_looks_as_the_style_sheet():
    css = (LAYOUT / "base.css").read_text(encoding="utf-8")
    assert {int(number) for number in re.findall(r"^ *\.t(\d) \{", css, re.MULTILINE)} == set(range(STYLES))


def test_page_shows_hostile_text_as_text(show):
    page = show("two.html")
    shown = HOSTILE.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert page.evaluate("document.querySelector('#made-0005 bdi').textContent") == shown
    assert page.evaluate("document.querySelectorAll('img, main script, main i i').length") == 0
    assert page.evaluate("document.querySelector('#document-2 h2').textContent") == MADE.title
    assert page.locator("main h3", has_text='"><i>Odd</i>').count() == 1
    page.select_option("[name=section]", '"><i>Odd</i>')
    assert visible(page) == ["made-0006"]
    page.select_option("[name=section]", "")
    page.select_option("[name=document]", "document-2")
    assert visible(page) == [f"made-000{number}" for number in range(1, 7)]
    assert page.locator("#index tbody th").all_inner_texts() == ["Mexico, 2014", "Nowhere, 2020"]


@pytest.mark.parametrize("name", ["mexico.html", "two.html"])
@pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}], ids=["light", "dark", "phone"]
)
def test_page_passes_the_accessibility_rules_of_axe(show, axe, name, options):
    page = show(name, **options)
    if page.get_attribute("#toggle", "aria-expanded") == "false":
        page.click("#toggle")
    assert axe(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_page_is_whole_without_its_script(show):
    page = show("made.html", java_script_enabled=False)
    assert page.locator(".passage").count() == 6
    assert page.locator(".passage >> nth=0").is_visible()
    assert not page.is_visible("#bar")


def test_page_prints_the_probabilities(show, default_tagger):
    page = show("mexico.html")
    page.emulate_media(media="print")
    assert not page.is_visible("#bar")
    score = default_tagger.scores(["Official complicity continued to be a serious problem."])[0, 0]
    assert page.eval_on_selector("#report-0021 a.badge", "e => getComputedStyle(e, '::after').content") == f'"{score:.2f}"'
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_page_policy_lets_nothing_else_run(browser, pages):
    page = browser.new_page()
    page.goto((pages / "made.html").as_uri())
    policy = page.get_attribute("meta[http-equiv=Content-Security-Policy]", "content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    run = """() => new Promise(done => {
        const seen = [], script = document.createElement('script');
        addEventListener('securitypolicyviolation', event => seen.push(event.effectiveDirective));
        try { document.body.innerHTML = '<b>markup</b>' } catch (error) { seen.push(error.name) }
        try { script.text = 'window.hacked = 1'; document.body.append(script) } catch (error) { seen.push(error.name) }
        document.body.setAttribute('style', 'color: red');
        fetch('https://example.org/').catch(error => seen.push(error.name));
        setTimeout(() => done([window.hacked ?? null, ...seen]), 300);
    })"""
    hacked, *seen = page.evaluate(run)
    page.close()
    assert hacked is None
    assert seen.count("TypeError") >= 2
    assert {"require-trusted-types-for", "style-src-attr", "connect-src"} <= set(seen)


def test_page_served_over_http_fetches_nothing_more(browser, pages):
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(pages))

        def log_message(self, *_):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"http://127.0.0.1:{server.server_port}/made.html")
        page.wait_for_timeout(300)
        page.close()
        server.shutdown()
    assert asked == ["/made.html"]
    assert said == []


def test_page_stays_quick_with_5000_passages(default_tagger, report, browser, tmp_path):
    document = tagger.read(report)
    found = default_tagger.tag(document)
    started = time.perf_counter()
    write(tmp_path / "long.html", [(document, found)] * 45, default_tagger.about)
    assert time.perf_counter() - started < 10
    page = browser.new_page()
    started = time.perf_counter()
    page.goto((tmp_path / "long.html").as_uri())
    assert page.inner_text("#status").startswith("5040 of 5040")
    assert time.perf_counter() - started < 10
    taken = page.evaluate(
        "() => { const box = document.querySelector('[name=show]'), start = performance.now(); box.value = 'marked';"
        "box.dispatchEvent(new Event('input', {bubbles: true}));"
        "return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)))) }"
    )
    page.close()
    assert taken < 2000
