"""Reading in a real browser: Debian's Chromium, driven by playwright, against a real server."""

from __future__ import annotations

import base64
import csv
import io
import json
import re

import openpyxl
import pytest
from making import mexico, three_countries
from making_pdf import reportlab_pdf
from serving import ask, post_file, serving

import tagger
from tagger.serving import pages
from tagger.serving.settings import Settings
from tagger.writing.jsonl import tagged_to_json

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='hacked = 1'> {{ 7 * 7 }} <!--"
TOKEN = "a-token-of-the-tests"
VISITORS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
}


@pytest.fixture(scope="module")
def server():
    with serving(Settings()) as served:
        yield served


@pytest.fixture(scope="module")
def read_address(server, report):
    """Where the report is open."""
    return server.url + post_file(server.port, "/read", "report.txt", report.read_bytes(), field="files").headers["location"]


@pytest.fixture(scope="module")
def several_address(server):
    data = "\n\n".join(one.text for one in three_countries()).encode()
    return server.url + post_file(server.port, "/read", "all.txt", data, field="files").headers["location"]


def drop(page, name: str, data: bytes) -> None:
    """Drop a file on the page, as a person does, once its script is there."""
    page.wait_for_load_state("load")
    transfer = page.evaluate_handle(
        """([name, data]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(atob(data), c => c.charCodeAt(0))], name));
            return transfer;
        }""",
        [name, base64.b64encode(data).decode()],
    )
    for event in ("dragenter", "dragover"):
        page.dispatch_event("body", event, {"dataTransfer": transfer})
    assert page.evaluate("document.body.className") == "over"
    with page.expect_navigation():
        page.dispatch_event("main", "drop", {"dataTransfer": transfer})


def shown(page) -> int:
    """How many passages are to be seen, which is what the page says."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    count = page.evaluate("[...document.querySelectorAll('.passage')].filter(e => e.checkVisibility()).length")
    assert page.inner_text("#status").startswith(f"{count} of ")
    return count


def test_serving_pages_show_a_report_that_is_dropped(open_page, server, report, default_tagger):
    page = open_page(server.url)
    drop(page, "report.txt", report.read_bytes())
    assert page.inner_text("h1") == "Trafficking in Persons Report 2014 - Mexico"
    assert shown(page) == 112
    assert page.inner_text("#report-0021 bdi") == "Official complicity continued to be a serious problem."
    assert page.inner_text("#report-0021 u") == "Official complicity"
    assert page.eval_on_selector("#report-0021 u", "e => getComputedStyle(e).textDecorationLine") == "underline"
    tagged = default_tagger.tag(tagger.read(report))
    badge = page.locator("#report-0021 a.badge >> nth=0")
    badge.hover()
    tip = badge.evaluate("e => getComputedStyle(e, '::after').content")
    assert tip == f'"Official complicity: probability {tagged[20].scores["complicity"]:.2f}"'
    row = page.locator(".counts tbody tr", has_text="Prosecution")
    assert re.findall(r"\d+", row.inner_text())[0] == "34"
    carrying = sum(bool(item.labels) for item in tagged if item.passage.section == "Prosecution")
    link = page.get_by_role("link", name=f"Prosecution {carrying} of 34 with a theme")
    assert link.inner_text().split()[:2] == ["Prosecution", f"{carrying}/34"]
    page.click(".side >> text=Protection")
    assert page.evaluate("document.querySelector(':target h3').textContent") == "Protection"
    page.goto(server.url)
    assert page.locator(".opened li").first.inner_text().split("\n") == ["Mexico, 2014", "report, 112 passages", "Close"]


def test_serving_pages_filter_by_theme_section_and_probability(open_page, read_address, default_tagger, report):
    tagged = default_tagger.tag(tagger.read(report))
    page = open_page(read_address)
    page.select_option("[name=show]", "marked")
    assert shown(page) == sum(bool(item.labels or item.review) for item in tagged)
    for number in (1, 2, 3):
        page.uncheck(f"[name=theme] >> nth={number}")
    assert shown(page) == sum("complicity" in (*item.labels, *item.review) for item in tagged)
    page.select_option("[name=section]", "Prosecution")
    complicit = [item for item in tagged if item.passage.section == "Prosecution" and "complicity" in (*item.labels, *item.review)]
    assert shown(page) == len(complicit)
    page.fill("[name=score]", "1")
    assert shown(page) == sum(item.scores["complicity"] >= 0.99995 for item in complicit)
    page.click("text=Reset")
    assert shown(page) == 112


def test_serving_pages_are_read_by_keyboard_alone(open_page, read_address, default_tagger, report):
    tagged = default_tagger.tag(tagger.read(report))
    page = open_page(read_address)
    press = page.keyboard.press
    focus = "document.activeElement.closest('.passage')?.id"
    press("j")
    first = page.evaluate(focus)
    press("j")
    second = page.evaluate(focus)
    marked = [item.passage.id for item in tagged if item.labels]
    assert [first, second] == marked[:2]
    press("k")
    assert page.evaluate(focus) == first
    press("m")
    assert shown(page) == len(marked)
    press("1")
    assert shown(page) == sum(any(theme != "complicity" for theme in (*item.labels, *item.review)) for item in tagged)
    press("1")
    press("m")
    for _ in range(4):
        press("+")
    shown(page)
    assert page.input_value("[name=score]") == "0.2"
    press("0")
    assert shown(page) == 112
    assert page.input_value("[name=score]") == "0"
    press("]")
    press("]")
    shown(page)
    top = "id => Math.round(document.getElementById(id).getBoundingClientRect().top - document.getElementById('bar').getBoundingClientRect().bottom)"
    assert abs(page.evaluate(top, "document-1-Recommendations")) < 60
    press("[")
    assert abs(page.evaluate(top, "document-1-Introduction")) < 60
    press("?")
    assert page.evaluate("document.getElementById('help').open")
    press("Escape")
    assert not page.evaluate("document.getElementById('help').open")
    press("d")
    assert page.evaluate("document.activeElement.textContent") == "Excel"
    press("?")
    page.uncheck("#keyed")
    press("Escape")
    page.reload()
    press("m")  # those who turned the keys off meant it
    press("?")
    assert page.input_value("[name=show]") == "all"
    assert not page.evaluate("document.getElementById('help').open")
    page.click("#keys")
    page.check("#keyed")
    press("Escape")
    page.focus("[name=section]")
    press("m")  # typed into a control, a letter is no command
    assert page.input_value("[name=show]") == "all"


def test_serving_pages_give_the_results_as_files(open_page, read_address, default_tagger, report):
    document = tagger.read(report)
    tagged = default_tagger.tag(document)
    page = open_page(read_address)
    files = {}
    for name in ("Excel", "CSV", "JSON Lines", "Web page"):
        with page.expect_download() as waiting:
            page.click(f".downloads >> text={name}")
        files[waiting.value.suggested_filename] = waiting.value.path().read_bytes()
    assert list(files) == ["report-tags.xlsx", "report-tags.csv", "report-tags.jsonl", "report-tags.html"]
    lines = [json.loads(line) for line in files["report-tags.jsonl"].splitlines()]
    assert lines == [tagged_to_json(item) for item in tagged]
    rows = list(csv.DictReader(io.StringIO(files["report-tags.csv"].decode("utf-8-sig"))))
    assert [row["text"] for row in rows] == [item.text for item in tagged]
    sheet = openpyxl.load_workbook(io.BytesIO(files["report-tags.xlsx"])).worksheets[0]
    assert sheet.max_row == 113
    assert b"Trafficking in Persons Report 2014 - Mexico" in files["report-tags.html"]


def test_serving_pages_read_text_that_is_pasted(open_page, server):
    page = open_page(server.url)
    page.fill("textarea", f"Prosecution\n\nPolice took bribes. {HOSTILE}\n\nProtection\n\nShelters lacked funding.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/read/*")
    assert page.inner_text("h1") == "Pasted text"
    assert page.locator("main h3").all_inner_texts()[:2] == ["PROSECUTION", "PROTECTION"]
    assert page.evaluate("document.querySelectorAll('img, main script').length") == 0
    assert HOSTILE[:20] in page.inner_text("main")
    page.click(".actions >> text=Close")
    assert "Pasted text" not in page.inner_text("main")


def test_serving_pages_escape_the_name_of_a_file(open_page, server):
    page = open_page(server.url)
    name = "<img src=x onerror=hacked=1>'&.txt"
    page.set_input_files("[name=files]", {"name": name, "mimeType": "text/plain", "buffer": b"Police took bribes."})
    page.wait_for_url("**/read/*")
    assert page.inner_text("h1") == name.removesuffix(".txt")
    assert page.title() == f"{name.removesuffix('.txt')} – tagger"
    page.goto(server.url)
    assert page.locator(".opened a").first.inner_text() == name.removesuffix(".txt")
    assert page.evaluate("document.querySelectorAll('img').length") == 0


def test_serving_pages_say_what_is_wrong_with_a_file_and_open_the_others(open_page, server):
    page = open_page(server.url)
    sent = {"bad.pdf": b"%PDF-1.7 nothing", "good.txt": b"Police took bribes.", "also good.txt": b"Shelters lacked funding."}
    page.set_input_files("[name=files]", [{"name": name, "mimeType": "", "buffer": data} for name, data in sent.items()])
    page.wait_for_selector("[role=alert]")
    assert re.fullmatch(r"Not opened\. bad\.pdf: is damaged.*", page.inner_text("[role=alert]"))
    assert page.locator(".opened a").all_inner_texts()[:2] == ["also good", "good"]
    page.set_input_files("[name=files]", {"name": "t.csv", "mimeType": "", "buffer": b"a,b\n1,2\n"})
    page.wait_for_selector("[role=alert] >> text=t.csv")
    assert "it has 'a', 'b': name one under “Passages” below" in page.inner_text("[role=alert]")
    assert page.is_visible("[name=text_column]")
    page.click("button.main")
    page.wait_for_selector("[role=alert] >> text=choose")
    assert "choose a file or paste some text" in page.inner_text("[role=alert]")


def test_serving_pages_read_a_table_and_a_pdf(open_page, server):
    page = open_page(server.url)
    page.click("summary")
    page.fill("[name=text_column]", "sentence")
    page.set_input_files(
        "[name=files]", {"name": "t.csv", "mimeType": "", "buffer": b"key,sentence\n1,Police took bribes.\n2,Rain fell.\n"}
    )
    page.wait_for_url("**/read/*")
    assert shown(page) == 2
    drop(page, "mexico.pdf", reportlab_pdf([mexico()]))  # on a document that is open
    assert shown(page) == 112
    assert page.locator("main .page").first.inner_text() == "p. 1"


def test_serving_pages_show_a_long_document_in_parts(open_page, axe, server, monkeypatch):
    monkeypatch.setattr(pages, "_PART", 100)
    lines = [f"{'Prevention' if n == 111 else ''}\n\nPolice officer {n} took bribes." for n in range(1, 211)]
    place = post_file(server.port, "/read", "long.txt", "\n".join(lines).encode(), field="files").headers["location"]
    page = open_page(server.url + place, viewport={"width": 320, "height": 800})
    assert shown(page) == 100
    assert "210 passages" in page.inner_text(".facts")
    assert axe(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.click(".counts >> text=Prevention")
    page.wait_for_url("**?part=2")
    assert page.inner_text(".parts >> nth=0").startswith("Passages 101 to 200 of 210")
    assert page.inner_text(".passage >> nth=0").endswith("Police officer 101 took bribes.")
    page.click("[rel=next] >> nth=0")
    page.wait_for_url("**?part=3")
    assert shown(page) == 10
    assert page.locator("[rel=next]").count() == 0
    for part, status in (("4", 404), ("0", 422), ("1" * 5000, 422)):
        assert ask(server.port, "GET", f"{place}?part={part}").status == status


def test_serving_pages_list_the_countries_of_a_file(open_page, several_address):
    page = open_page(several_address)
    countries = [report.country for report in three_countries()]
    rows = page.locator(".counts tbody th").all_inner_texts()
    assert [row.partition(",")[0] for row in rows] == countries
    page.click(f".counts >> text={countries[1]}")
    assert page.url == f"{several_address}/2"
    assert countries[1] in page.inner_text("h1")
    page.click(".kind a")
    assert page.url == several_address


def test_serving_pages_ask_for_the_token(open_page, report):
    with serving(Settings(token=TOKEN)) as guarded:
        page = open_page(guarded.url)
        assert page.url == f"{guarded.url}/login"
        page.fill("[name=token]", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]")
        page.fill("[name=token]", TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector("textarea")
        page.context.clear_cookies()
        page.goto(f"{guarded.url}/review")
        page.fill("[name=token]", TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{guarded.url}/review")
        page.goto(guarded.url)
        drop(page, "report.txt", report.read_bytes())
        assert shown(page) == 112


def test_serving_pages_work_without_scripts(open_page, server, report):
    page = open_page(server.url, java_script_enabled=False)
    page.set_input_files("[name=files]", report)
    page.click("button.main")
    page.wait_for_url("**/read/*")
    assert page.locator(".passage").count() == 112
    assert not page.is_visible("#bar")


@pytest.mark.parametrize("visitor", VISITORS)
def test_serving_pages_pass_the_accessibility_rules_of_axe(open_page, axe, server, read_address, several_address, visitor):
    page = open_page(server.url, **VISITORS[visitor])
    width = page.viewport_size["width"]
    for address in (server.url, read_address, several_address, f"{server.url}/login", f"{server.url}/nowhere"):
        page.goto(address)
        if address == read_address and page.get_attribute("#toggle", "aria-expanded") == "false":
            page.click("#toggle")
        assert axe(page) == "", address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.goto(read_address)
    page.keyboard.press("?")
    assert axe(page) == ""


@pytest.mark.parametrize("width", [320, 700, 961, 1100, 1600])
def test_serving_pages_fit_a_window_of_any_width(open_page, server, read_address, several_address, width):
    page = open_page(server.url, viewport={"width": width, "height": 800})
    for address in (server.url, read_address, several_address):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
