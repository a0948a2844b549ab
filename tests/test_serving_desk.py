"""Review and learning as people do it: a real server, and Debian's Chromium, driven by playwright."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from serving import ask, post_file, post_json, serving

import tagger
from tagger import corpus
from tagger.extending import Candidate, add_theme
from tagger.review.candidates import send as send_candidates
from tagger.review.store import Store
from tagger.serving.settings import Settings
from tagger.themes import Theme

THEMES = ("complicity", "forced_labor", "shelter_gaps", "data_quality")
HOSTILE = (
    "<img src=x onerror='window.hacked = 1'> <script>window.hacked = 1</script> {{ 7 * 7 }} \u202e\U0001f4a3 was exploited in forced labor."
)


@pytest.fixture(scope="module")
def small(tmp_path_factory, root, corpora):
    """A codebook with a part of the composed passages beside it, so that training takes a second."""
    folder = tmp_path_factory.mktemp("corpora")
    shutil.copy(root / "corpora/themes.toml", folder)
    (folder / "small").mkdir()
    lines = (corpora[1] / "passages.jsonl").read_text().splitlines(keepends=True)
    (folder / "small" / "passages.jsonl").write_text("".join(lines[::12]))
    return folder


@pytest.fixture(scope="module")
def composed(corpora):
    """Passages that people labelled, of three documents."""
    rows = corpus.passages(corpora[1])
    names = list(dict.fromkeys(row["document"] for row in rows))[:3]
    return [[row for row in rows if row["document"] == name][1:240:6] for name in names]


@pytest.fixture
def served(tmp_path, small):
    with serving(Settings(home=tmp_path / "home", themes=small / "themes.toml")) as server:
        yield server


@pytest.fixture
def desk(browser, served):
    """Open pages of the server and, at the end, see that they said nothing and fetched nothing from elsewhere."""
    opened = []

    def open_desk(path="/review", **options):
        context = browser.new_context(**options)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if not request.url.startswith(served.url) else None)
        page.goto(served.url + path)
        opened.append((context, page, said))
        return page

    yield open_desk
    for context, page, said in opened:
        assert page.evaluate("window.hacked") is None
        context.close()
        assert said == []


def send(port, name, data):
    """Open a file and send it to review, as the forms do."""
    place = post_file(port, "/read", name, data, field="files").headers["location"]
    body = f"opened={place.rpartition('/')[2]}".encode()
    assert ask(port, "POST", "/review/documents", body, content_type="application/x-www-form-urlencoded").status == 303


def jsonl(rows):
    return "".join(json.dumps({"id": row["id"], "text": row["text"]}) + "\n" for row in rows).encode()


def begin(page, name="Ana", order=None):
    page.fill("[name=annotator]", name)
    page.keyboard.press("Enter")
    page.wait_for_selector("#card:not([hidden])")
    if order:
        page.select_option("[name=queue]", order)
        page.wait_for_selector("#card:not([hidden])")


def see(page, selector):
    """Wait for what shall be seen; the pages' policy forbids the scripts by which playwright else waits."""
    from playwright.sync_api import expect

    expect.set_options(timeout=30_000)  # many tests may run at once
    return expect(page.locator(selector))


def ready(page, count):
    """Wait until the server has so many decisions, and the page says so."""
    see(page, "#tally").to_have_text(re.compile(f"^{count} of"))


def test_desk_candidates_for_a_theme_that_the_model_does_not_know_are_decided_by_key(open_page, tmp_path, root, report, default_tagger):
    shutil.copy(root / "corpora/themes.toml", tmp_path)
    add_theme(tmp_path / "themes.toml", Theme("new", "New theme", "", "What is new."))
    document, store = tagger.read(report), Store(tmp_path / "home/review.sqlite", [*THEMES, "new"])
    first, second = (document.passages[place] for place in (40, 3))
    assert send_candidates(store, default_tagger, [document], "new", [Candidate(one, "chance", 0.0) for one in (first, second)]) == 2
    with serving(Settings(home=tmp_path / "home", themes=tmp_path / "themes.toml")) as server:
        page = open_page(f"{server.url}/review")
        begin(page)
        see(page, "#text").to_have_text(first.text)
        for key in ("0", "5", "Enter"):
            page.keyboard.press(key)
        see(page, "#text").to_have_text(second.text)
        page.keyboard.press("Enter")
        see(page, "#none").to_be_visible()
        ready(page, 2)
    decided = store.decisions()
    store.close()
    assert decided[0].labels == ("new",)
    assert [(one.queue, one.asked) for one in decided] == [("candidates", (*THEMES, "new"))] * 2


def test_desk_ten_corrections_by_keyboard_are_found_again_exported_and_learned_from(desk, served, composed, report, tmp_path, axe):
    page = desk("/")
    page.set_input_files("input[type=file]", report)
    page.click("text=Review this report")
    page.wait_for_url("**/review")
    begin(page, order="uncertain")
    corrected = []
    for _ in range(10):
        corrected.append(page.inner_text("#text"))
        page.keyboard.press("1")
        marked = page.eval_on_selector_all(".theme[aria-pressed=true]", "them => them.map(one => one.dataset.theme)")
        page.keyboard.press("Enter")
        see(page, "#text").not_to_have_text(corrected[-1])
    ready(page, 10)
    last = "complicity" in marked
    page.reload()
    ready(page, 10)
    see(page, "#list .again").to_have_text(corrected[::-1])
    see(page, "#list .changed").to_have_count(10)
    page.fill("[name=find]", corrected[3][:40])
    see(page, "#list li").to_have_count(1)
    page.fill("[name=find]", "")

    page.click("#card")
    page.keyboard.press("u")  # what was decided before the page was loaded anew
    see(page, "#text").to_have_text(corrected[-1])
    assert (page.get_attribute("[data-theme=complicity]", "aria-pressed") == "true") is last
    ready(page, 9)
    page.keyboard.press("a")
    ready(page, 10)
    assert axe(page) == ""

    labels = {}
    for number, rows in enumerate(composed):
        labels |= {row["text"]: row["labels"] for row in rows}
        send(served.port, f"country-{number}.jsonl", jsonl(rows))
    answer = ask(served.port, "GET", "/review/tasks?annotator=Ana&queue=random&count=50").json
    while new := [task for task in answer["tasks"] if task["line"]["text"] in labels]:
        for task in new:
            decision = {"token": f"decision-{task['key']}", "passage": task["key"], "annotator": "Ana", "queue": "random"}
            given = labels[task["line"]["text"]]
            assert post_json(served.port, "/review/decisions", {**decision, "labels": given}).status == 200
        rest = [task for task in answer["tasks"] if task not in new]
        for task in rest:
            decision = {"token": f"decision-{task['key']}", "passage": task["key"], "annotator": "Ana", "queue": "random", "labels": []}
            assert post_json(served.port, "/review/decisions", decision).status == 200
        answer = ask(served.port, "GET", "/review/tasks?annotator=Ana&queue=random&count=50").json

    page.goto(served.url + "/learn")
    assert axe(page) == ""
    page.select_option("[data-name=country-1] select", "measure")
    see(page, "[data-name=country-1] select").to_have_value("measure")
    page.click("#export")
    page.wait_for_selector("#zip:not([hidden])")
    folder = tmp_path / "home" / "corpora" / "reviewed"
    assert str(folder) in page.inner_text("#exported")
    rows = {row["text"]: row for row in corpus.passages(folder)}
    assert set(corrected) | set(labels) <= set(rows)
    assert corpus.load(folder, THEMES)
    with page.expect_download() as download:
        page.click("#zip")
    assert download.value.suggested_filename == "reviewed.zip"

    page.click("#start")
    page.wait_for_selector("#done:not([hidden])")
    assert page.is_disabled("#start")
    page.wait_for_selector("#result:not([hidden])", timeout=120_000)
    assert re.match("(The new model seems|No difference)", page.text_content("#verdict"))
    assert "of 2 held-out documents" in page.inner_text("#measured")
    assert "to" in page.inner_text("#macro td:nth-of-type(4)")
    assert page.inner_text(".site .model").startswith("default")
    assert axe(page) == ""
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#use")
    see(page, ".site .model").not_to_have_text(re.compile("^default"))
    name = page.inner_text("#models b")
    assert served.app.state.engine.tagger.name == name
    tags = post_json(served.port, "/v1/tag", {"texts": [corrected[0]]}).json
    assert tags
    page.click("#models button")
    see(page, ".site .model").to_have_text(re.compile("^default"))
    page.goto(served.url + "/review")
    ready(page, len(rows))
    assert "Left out" not in page.inner_text("#basis")


def test_desk_random_order_hides_the_model_and_the_others_show_it(desk, served, report):
    send(served.port, "report.txt", report.read_bytes())
    page = desk()
    begin(page, order="random")
    assert page.locator("#text u").count() == 0
    assert page.inner_text(".theme .score") == ""
    assert page.is_visible("#blind")
    page.keyboard.press("Enter")
    see(page, "#said").to_contain_text("The model:")
    page.select_option("[name=queue]", "informative:forced_labor")
    page.wait_for_selector("#blind", state="hidden")
    while not page.locator(".theme[aria-pressed=true]").count():
        before = page.inner_text("#text")
        page.keyboard.press("Enter")
        see(page, "#text").not_to_have_text(before)
    assert page.locator("#text u").count() > 0
    text = page.inner_text("#text")
    score = served.app.state.engine.tagger.tag([text])[0].scores["forced_labor"]
    assert page.inner_text(".theme[data-theme=forced_labor] .score").split()[0] == f"{score:.2f}"
    like = served.app.state.workbench.examples_like(text)
    assert page.eval_on_selector_all("#examples li", "them => them.map(one => Number(one.dataset.example))") == like


def test_desk_reviews_a_report_that_nobody_has_read(desk, served, report):
    page = desk("/")
    page.check("[name=unread]")
    page.set_input_files("input[type=file]", report)
    page.wait_for_url("**/review")
    begin(page, order="random")
    page.keyboard.press("Enter")
    ready(page, 1)
    assert ask(served.port, "GET", "/", accept="text/html").body.count(b'class="opened"') == 0
    see(page, "#basis").to_have_text(re.compile("From 1 of 112 passages, read in random order. $"))
    assert post_json(served.port, "/learn/export", {}).status == 200
    sheet = next(served.app.state.settings.home.glob("corpora/*/README.md"))
    assert "None of the documents was opened for reading" in sheet.read_text()
    place = post_file(served.port, "/read", "again.txt", report.read_bytes(), field="files").headers["location"]
    assert ask(served.port, "GET", place, accept="text/html").status == 200
    page.reload()
    see(page, "#basis").to_have_text(re.compile("Opened under Read, too, where whoever looked has seen the model's labels: Mexico, 2014.$"))
    post_json(served.port, "/learn/export", {})
    assert "1 of the documents was opened for reading" in sheet.read_text()


def test_desk_two_annotators_see_nothing_of_each_other_until_both_have_decided(desk, served, report):
    send(served.port, "report.txt", report.read_bytes())
    ana, ben = desk(), desk()
    begin(ana, "Ana", "random")
    begin(ben, "Ben", "random")
    texts = []
    for number in range(3):
        texts.append(ana.inner_text("#text"))
        if number < 2:
            ana.keyboard.press("1")
        ana.keyboard.press("Enter")
        see(ana, "#text").not_to_have_text(texts[-1])
    ready(ana, 3)
    for number in range(3):
        assert ben.inner_text("#text") == texts[number]
        assert ben.locator(".theme[aria-pressed=true]").count() == 0
        if number == 0:
            ben.keyboard.press("1")
        ben.keyboard.press("Enter")
        see(ben, "#text").not_to_have_text(texts[number])
    ready(ben, 3)
    ben.wait_for_selector("#compare:not([hidden])")
    assert "3 passages were decided by two" in ben.inner_text("#agreed")
    assert ben.inner_text("#alphas [data-theme=complicity]").split()[-3:] == ["2", "1", "1"]
    ben.click("#compare")
    ben.wait_for_selector("#differences li")
    [difference] = ben.locator("#differences > li").all()
    assert "Ana: Official complicity" in difference.inner_text()
    assert "Ben: no theme" in difference.inner_text()
    difference.locator("[value=complicity]").check()
    difference.locator("[name=reason]").fill("It names an official.")
    difference.locator("text=Settle >> nth=-1").click()
    see(ben, "#differences > li").to_have_count(0)
    [settled] = served.app.state.workbench.project.store.settlements().values()
    assert (settled.labels, settled.reason) == (("complicity",), "It names an official.")


def test_desk_shows_hostile_passages_and_names_as_text(desk, served):
    texts = [HOSTILE, "\U0001d4b3 \U0001f4a3 were exploited in forced labor, and officers took bribes."]
    send(served.port, "hostile.jsonl", jsonl([{"id": f"<b>{number}", "text": text} for number, text in enumerate(texts)]))
    page = desk()
    begin(page, "<b>O'Neil</b>", "uncertain")
    evidence = {item.text: item.evidence["forced_labor"] for item in served.app.state.engine.tagger.tag(texts)}
    for number in (1, 2):
        shown = page.inner_text("#text")
        words = [shown[span.start : span.end] for span in sorted(evidence[shown], key=lambda span: span.start)]
        assert "".join(page.locator("#text u.t1").all_inner_texts()) == "".join(words)
        page.keyboard.press("Enter")
        ready(page, number)
    assert page.is_visible("#none")
    assert page.inner_text("#me b") == "<b>O'Neil</b>"


def test_desk_skips_undoes_and_leaves_typing_alone(desk, served, report):
    send(served.port, "report.txt", report.read_bytes())
    page = desk()
    begin(page, order="uncertain")
    first = page.inner_text("#text")
    page.keyboard.press(" ")
    see(page, "#text").not_to_have_text(first)
    see(page, "#said").to_have_text("Skipped.")
    page.keyboard.press("Backspace")
    see(page, "#text").to_have_text(first)
    page.keyboard.press("3")
    page.keyboard.press("0")
    assert page.locator(".theme[aria-pressed=true]").count() == 0
    page.keyboard.press("/")
    page.keyboard.type("a1us")
    assert page.input_value("[name=find]") == "a1us"
    assert page.inner_text("#text") == first
    page.fill("[name=find]", "")
    page.click(".keys summary")
    page.uncheck("#keyed")
    page.click("#place")
    page.keyboard.press("1")
    assert page.locator(".theme[aria-pressed=true]").count() == 0
    page.click("[data-theme=complicity]")  # a click leaves Enter to accept
    page.keyboard.press("Enter")
    ready(page, 1)
    page.click("#list .again")
    see(page, "#text").to_have_text(first)
    assert page.get_attribute("[data-theme=complicity]", "aria-pressed") == "true"


def test_desk_goes_on_saying_what_was_not_kept(browser, served, report):
    send(served.port, "report.txt", report.read_bytes())
    page = browser.new_page()
    page.goto(served.url + "/review")
    begin(page, order="random")
    refusal = {"status": 422, "json": {"error": "two others have decided this passage already"}}
    page.route("**/review/decisions", lambda route: route.fulfill(**refusal), times=1)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    see(page, "#alarm").to_contain_text("Not kept (Official complicity): two others")
    page.keyboard.press("Enter")
    ready(page, 1)
    see(page, "#alarm").to_contain_text("Not kept (Official complicity): two others")
    page.click("#change")
    assert page.is_hidden("#alarm")
    page.close()


def test_desk_says_that_the_token_is_wanted(browser, served, report):
    send(served.port, "report.txt", report.read_bytes())
    page = browser.new_page()
    page.goto(served.url + "/review")
    begin(page, order="random")
    page.route("**/review/decisions", lambda route: route.fulfill(status=401, json={"error": "send the token"}), times=1)
    page.keyboard.press("Enter")
    see(page, "#alarm").to_contain_text("The server wants its token: log in again on another tab. One decision waits")
    ready(page, 1)
    assert page.is_hidden("#alarm")
    page.close()


def test_desk_drops_late_answers_about_another_annotator(desk, served, report):
    send(served.port, "report.txt", report.read_bytes())
    decision = {"token": "decision-1", "passage": 1, "annotator": "Ana", "labels": [], "queue": "random"}
    assert post_json(served.port, "/review/decisions", decision).status == 200
    page, late = desk(), []
    page.route(re.compile("progress.annotator=Ana"), lambda route: late.append(route))
    begin(page, "Ana", "random")
    page.click("#change")
    begin(page, "Ben")
    ready(page, 0)
    assert late
    for route in late:
        with page.expect_response(route.request.url):
            route.continue_()
    page.wait_for_timeout(300)
    ready(page, 0)
    page.keyboard.press("Enter")
    ready(page, 1)
    see(page, "#list li").to_have_count(1)
    see(page, "#list .again").not_to_have_text(served.app.state.workbench.project.store.entries()[0].text)


def test_desk_watches_a_training_on_after_a_failed_answer(browser, served, report):
    send(served.port, "report.txt", report.read_bytes())
    page = browser.new_page()
    page.route("**/learn/runs/last*", lambda route: route.abort())
    page.goto(served.url + "/learn")
    see(page, "#alarm").to_have_text("The server does not answer. It is asked again.")
    page.unroute("**/learn/runs/last*")
    see(page, "#alarm").to_be_hidden()
    page.close()


@pytest.mark.parametrize(
    "options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}], ids=["light", "dark", "phone"]
)
def test_desk_passes_the_accessibility_rules_of_axe(desk, served, report, axe, options):
    page = desk("/review", **options)
    assert axe(page) == ""
    page.goto(served.url + "/learn")
    assert axe(page) == ""
    send(served.port, "report.txt", report.read_bytes())
    page.goto(served.url + "/review")
    assert axe(page) == ""
    begin(page, order="uncertain")
    page.keyboard.press("1")
    for _ in range(3):
        page.keyboard.press("Enter")
    ready(page, 3)
    for summary in page.locator("summary").all():
        summary.click()
    assert axe(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.goto(served.url + "/learn")
    assert axe(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("width", [320, 360, 700, 961])
def test_desk_fits_a_window_of_any_width(desk, served, report, width):
    send(served.port, "report.txt", report.read_bytes())
    page = desk("/review", viewport={"width": width, "height": 700})

    def wide():
        outside = "[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 0.5)"
        return page.evaluate(f"[document.documentElement.scrollWidth > innerWidth, ...{outside}.map(e => e.outerHTML.slice(0, 80))]")

    assert wide() == [False]
    begin(page, name="A name of forty letters that is very long", order="informative:data_quality")
    page.keyboard.press("Enter")
    ready(page, 1)
    assert wide() == [False]
    page.goto(served.url + "/learn")
    assert wide() == [False]


# What the server keeps


@pytest.fixture
def killable(tmp_path, small):
    """`tagger serve` as a process, to be killed and started again at the same address."""
    processes = []

    def start(port=0, home="home"):
        command = [sys.executable, "-m", "tagger", "serve", "--no-open", "--port", str(port), "--home", str(tmp_path / home)]
        process = subprocess.Popen([*command, "--themes", str(small / "themes.toml")], stderr=subprocess.PIPE, text=True)
        processes.append(process)
        line = process.stderr.readline()
        return process, int(line.split("127.0.0.1:")[1].split("/")[0])

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()


def test_server_killed_during_a_hundred_decisions_loses_none_that_it_acknowledged(killable, report):
    process, port = killable()
    send(port, "report.txt", report.read_bytes())
    keys = range(1, 101)
    acknowledged, enough = [], threading.Event()

    def work(some):
        for key in some:
            labels = ["complicity"] if key % 2 else []
            given = {"token": f"decision-{key}", "passage": key, "annotator": "Ana", "labels": labels, "queue": "random"}
            try:
                if post_json(port, "/review/decisions", given).status == 200:
                    acknowledged.append(key)
            except (OSError, http.client.HTTPException):
                return
            if len(acknowledged) >= 40:
                enough.set()

    threads = [threading.Thread(target=work, args=(keys[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for thread in threads:
        thread.join()
    assert 40 <= len(acknowledged) < 100
    _, port = killable(port)
    pages = [ask(port, "GET", f"/review/decided?annotator=Ana&start={start}").json["decided"] for start in range(0, 120, 20)]
    kept = {row["key"]: row["labels"] for page in pages for row in page}
    assert set(acknowledged) <= set(kept)
    assert all(kept[key] == (["complicity"] if key % 2 else []) for key in kept)


def test_desk_keeps_decisions_while_the_server_is_away(killable, browser, report, tmp_path):
    process, port = killable()
    send(port, "report.txt", report.read_bytes())
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{port}/review")
    begin(page, order="random")
    process.send_signal(signal.SIGKILL)
    process.wait()
    for _ in range(5):
        page.keyboard.press("1")
        page.keyboard.press("Enter")
    see(page, "#alarm").to_contain_text("5 decisions wait in this browser")
    killable(port)
    ready(page, 5)
    assert page.is_hidden("#alarm")
    kept = ask(port, "GET", "/review/decided?annotator=Ana").json["decided"]
    assert [row["labels"] for row in kept] == [["complicity"]] * 5
    page.close()


def test_desk_keeps_decisions_where_the_browser_stores_nothing(killable, browser, report, tmp_path):
    process, port = killable()
    send(port, "report.txt", report.read_bytes())
    page = browser.new_page()
    failed = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('closed', 'SecurityError'); } })")
    page.goto(f"http://127.0.0.1:{port}/review")
    begin(page, order="random")
    process.kill()
    process.wait()
    texts = []
    for key in ("1", "2"):
        texts.append(page.inner_text("#text"))
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        see(page, "#text").not_to_have_text(texts[-1])
    see(page, "#alarm").to_contain_text("2 decisions wait in this page, as the browser's storage takes no more: leave it open")
    killable(port)
    see(page, "#alarm").to_be_hidden()
    ready(page, 2)
    assert failed == []
    page.close()
    with closing(Store(tmp_path / "home/review.sqlite", THEMES)) as store:
        given = {entry.key: entry.text for entry in store.entries()}
        assert [(given[one.passage], one.labels) for one in store.decisions()] == [(texts[0], THEMES[:1]), (texts[1], THEMES[1:2])]


def test_desk_keeps_decisions_while_the_server_has_another_data_folder(killable, browser, report):
    process, port = killable()
    send(port, "report.txt", report.read_bytes())
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/review")
    begin(page, order="random")
    process.kill()
    process.wait()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    process, _ = killable(port, "other")
    see(page, "#alarm").to_contain_text("another data folder than this page")
    send(port, "report.txt", report.read_bytes())
    see(page, "#alarm").to_contain_text("One decision waits in this browser")
    assert ask(port, "GET", "/review/decided?annotator=Ana").json["decided"] == []
    other = context.new_page()
    other.goto(f"http://127.0.0.1:{port}/review")
    other.wait_for_selector("#card:not([hidden])")
    assert ask(port, "GET", "/review/decided?annotator=Ana").json["decided"] == []
    other.close()
    process.kill()
    process.wait()
    killable(port)
    ready(page, 1)
    assert page.is_hidden("#alarm")
    context.close()


def test_server_refuses_what_is_asked_of_another_data_folder(served, report):
    send(served.port, "report.txt", report.read_bytes())
    decision = {"token": "decision-1", "passage": 1, "annotator": "Ana", "labels": [], "queue": "random"}
    store = served.app.state.workbench.project.store.id
    assert post_json(served.port, "/review/decisions", decision, tagger_store="other").status == 409
    assert post_json(served.port, "/learn/documents/1/remove", {}, tagger_store="other").status == 409
    assert post_json(served.port, "/review/decisions", decision, tagger_store=store).status == 200


def test_server_keeps_nothing_of_a_document_that_is_not_sent_to_review(served, report, tmp_path):
    post_file(served.port, "/read", "report.txt", report.read_bytes(), field="files")
    for path in ("/review", "/learn", "/review/progress", "/learn/runs/last"):
        ask(served.port, "GET", path)
    assert not (tmp_path / "home").exists()


def test_server_says_why_a_decision_can_not_be_kept_now(served, report, capfd):
    send(served.port, "report.txt", report.read_bytes())
    store = served.app.state.workbench.project.store
    store._db.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    given = {"token": "decision-1", "passage": 1, "annotator": "Ana", "labels": [], "queue": "random"}
    answer = post_json(served.port, "/review/decisions", given)
    other.close()
    assert (answer.status, answer.json["error"]) == (503, f"{store.path}: can't be written now: another program holds it")
    assert "Traceback" not in "".join(capfd.readouterr())
    assert post_json(served.port, "/review/decisions", given).status == 200


def test_server_refuses_requests_that_make_no_sense(served, report):
    assert ask(served.port, "GET", "/review/tasks?annotator=Ana&queue=random").json["error"].startswith("nothing is in review yet")
    send(served.port, "report.txt", report.read_bytes())
    decision = {"token": "decision-1", "passage": 1, "annotator": "Ana", "labels": [], "queue": "random"}
    for path, data, message in (
        ("/review/decisions", {**decision, "queue": "best"}, "no order 'best'"),
        ("/review/decisions", {**decision, "passage": 9999}, "not in review any more"),
        ("/review/decisions", {**decision, "labels": ["x"]}, "no theme 'x'"),
        ("/review/decisions", {**decision, "token": ""}, "token"),
        ("/review/undo", {"annotator": ""}, "needs a name"),
        ("/review/settlements", {"annotator": "Ana", "passage": 1, "labels": [], "reason": "x"}, "were compared"),
        ("/learn/documents/9/role", {"held_out": True}, "no document 9"),
        ("/learn/model", {"name": "../x"}, "no trained model"),
        ("/learn/runs", {"corpora": ["/etc"]}, "no corpus"),
        ("/learn/export", {}, "no passage was reviewed yet"),
    ):
        answer = post_json(served.port, path, data)
        assert 400 <= answer.status < 500, path
        assert message in answer.json["error"], path
    assert ask(served.port, "GET", "/review/passages/1?annotator=Ana").status == 422
    assert ask(served.port, "GET", "/learn/reviewed.zip").status == 422


def test_server_begins_with_the_model_that_took_over(killable, tmp_path, root):
    home = tmp_path / "home"
    shutil.copytree(root / "models/default", home / "models" / "2026-01-01-000000")
    (home / "model.txt").write_text("2026-01-01-000000\n")
    _, port = killable()
    assert "<b>2026-01-01-000000</b> answers now" in ask(port, "GET", "/learn").body.decode()


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/learn/documents/{}/role", {"held_out": True}),
        ("/learn/documents/{}/remove", {}),
        ("/review/settlements", {"passage": 10**20, "annotator": "Ana", "labels": [], "reason": "x"}),
        ("/review/decisions", {"passage": -(10**20), "annotator": "Ana", "labels": [], "token": "x" * 8, "queue": "random"}),
    ],
)
def test_desk_refuses_numbers_that_no_passage_or_document_can_have(served, report, path, data):
    send(served.port, "report.txt", report.read_bytes())
    answer = post_json(served.port, path.format(10**20), data)
    assert answer.status == 422
    assert "less than or equal" in answer.json["error"] or "greater than or equal" in answer.json["error"]
