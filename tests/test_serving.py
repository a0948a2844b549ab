"""The server over HTTP: real sockets, real files. What the browser shows is in test_serving_pages."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

import anyio
import pytest
from making import mexico, three_countries
from making_docx import word_document
from making_pdf import reportlab_pdf
from serving import ask, post_file, post_json, serving
from test_reading_bad import BAD, zipped

import tagger
from tagger.errors import TaggerError
from tagger.records import Document, Passage
from tagger.serving.documents import Opened, Shelf
from tagger.serving.engine import Engine, Line, _Asked
from tagger.serving.security import POLICY
from tagger.serving.settings import UPLOADS, Settings
from tagger.serving.uploads import Uploads
from tagger.writing import write
from tagger.writing.jsonl import tagged_to_json

TOKEN = "a-token-of-the-tests"
TEXTS = ["Police officers accepted bribes from traffickers.", "", 'Señor said "\u2028\x00".', "Shelters lacked funding."]


@pytest.fixture(scope="module")
def server():
    with serving(Settings()) as served:
        yield served


@pytest.fixture(scope="module")
def guarded():
    """A server with a token, a named origin and small limits."""
    small = replace(UPLOADS, seconds=5, memory=300 << 20, size=1 << 20)
    settings = Settings(token=TOKEN, origins=("https://example.org",), limits=small, request_bytes=100_000, seconds=2)
    with serving(settings) as served:
        yield served


# -- the API -----------------------------------------------------------------------------------------------------------------


def test_serving_api_tags_texts_as_tag_does(server, default_tagger):
    answer = post_json(server.port, "/v1/tag", {"texts": TEXTS})
    assert answer.status == 200
    assert answer.json["model"] == default_tagger.about.model
    assert answer.json["passages"] == [tagged_to_json(item) for item in default_tagger.tag(TEXTS)]
    without = post_json(server.port, "/v1/tag", {"texts": TEXTS, "evidence": False}).json["passages"]
    assert without == [{**line, "evidence": {}} for line in answer.json["passages"]]
    assert post_json(server.port, "/v1/tag", {"texts": []}).json["passages"] == []


def test_serving_api_tags_a_file_as_the_command_does(server, report, default_tagger, tmp_path):
    document = tagger.read(report)
    write(tmp_path / "tags.jsonl", [(document, default_tagger.tag(document))], default_tagger.about)
    lines = [json.loads(line) for line in (tmp_path / "tags.jsonl").read_text(encoding="utf-8").splitlines()]
    answer = post_file(server.port, "/v1/documents", "report.txt", report.read_bytes())
    assert answer.status == 200
    (found,) = answer.json["documents"]
    assert found.pop("passages") == lines
    assert found == {
        "name": "report",
        "title": "Trafficking in Persons Report 2014 - Mexico",
        "country": "Mexico",
        "year": 2014,
        "tier": "Tier 2",
        "notes": [],
    }


def test_serving_api_reads_what_tagger_reads(server, default_tagger):
    files = {
        "a.pdf": reportlab_pdf([mexico()]),
        "b.docx": word_document(mexico(), footnotes=False, table=False),
        "C:\\folder\\c.txt": b"Police took bribes.",
    }
    for name, data in files.items():
        (found,) = post_file(server.port, "/v1/documents", name.replace("\\", "\\\\"), data).json["documents"]
        assert found["name"] == name.rpartition("\\")[2].partition(".")[0]
        assert len(found["passages"]) == (1 if name.endswith("c.txt") else 112)
    table = b"key,sentence\nx,Police took bribes.\n"
    (found,) = post_file(server.port, "/v1/documents", "t.csv", table, text_column="sentence", id_column="key").json["documents"]
    assert [(line["id"], line["text"]) for line in found["passages"]] == [("x", "Police took bribes.")]
    several = "\n\n".join(report.text for report in three_countries()).encode()
    countries = post_file(server.port, "/v1/documents", "all.txt", several).json["documents"]
    assert [found["country"] for found in countries] == [report.country for report in three_countries()]


def test_serving_api_tells_the_model(server, default_tagger):
    card = ask(server.port, "GET", "/v1/model").json
    about = default_tagger.about
    assert (card["version"], card["model"]) == (tagger.__version__, about.model)
    assert [(theme["name"], theme["threshold"]) for theme in card["themes"]] == [(theme.name, theme.threshold) for theme in about.themes]
    assert card["figures"][0]["macro_f1"] == about.figures[0].macro_f1
    assert card["limits"] == list(about.limits)


def test_serving_api_counts_for_prometheus(server):
    def count(name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", ask(server.port, "GET", "/metrics").body.decode(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    asked, passages = 'tagger_requests_total{method="POST",route="/v1/tag",status="200"}', "tagger_passages_total"
    before = count(asked), count(passages)
    post_json(server.port, "/v1/tag", {"texts": TEXTS})
    assert (count(asked), count(passages)) == (before[0] + 1, before[1] + len(TEXTS))
    ask(server.port, "GET", "/read/secret-name")
    assert "secret-name" not in ask(server.port, "GET", "/metrics").body.decode()


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        (b'{"texts": "Police"}', "application/json", 422, "texts: "),
        (b'{"texts": ["a", 7]}', "application/json", 422, "texts.1: "),
        (b'{"text": ["a"]}', "application/json", 422, "texts: Field required"),
        (b'{"texts": ["secret\\ud800"]}', "application/json", 422, "Invalid JSON"),
        (b"{", "application/json", 422, "Invalid JSON"),
        (b"", "application/json", 422, "Invalid JSON"),
        (b'{"texts": []}', "text/plain", 415, "Content-Type: application/json"),
        (json.dumps({"texts": ["x"] * 10_001}).encode(), "application/json", 422, "texts: "),
        (b"[" * 100_000, "application/json", 422, "Invalid JSON"),
        (json.dumps({"texts": ["x" * 2_000_001] * 2}).encode(), "application/json", 413, "4,000,000 characters"),
    ],
)
def test_serving_api_says_in_one_line_what_is_wrong(server, body, kind, status, message):
    answer = ask(server.port, "POST", "/v1/tag", body, content_type=kind)
    assert answer.status == status
    assert message in answer.json["error"]
    assert "\n" not in answer.json["error"]
    assert "secret" not in answer.json["error"]


def test_serving_api_bad_files_are_named_in_one_line(server):
    for name, (make, message) in BAD.items():
        answer = post_file(server.port, "/v1/documents", name, make()[: 20 << 20])
        assert answer.status == 422, name
        assert answer.json["error"].startswith(f"{name}: ")
        assert re.search(message, answer.json["error"])
    assert ask(server.port, "POST", "/v1/documents", b"x", content_type="text/plain").json["error"] == "body.file: Field required"
    assert post_file(server.port, "/v1/documents", "report.txt", b"Police took bribes.").status == 200


def test_serving_api_document_names_no_other_server(server):
    document = ask(server.port, "GET", "/openapi.json").json
    assert set(document["paths"]) == {"/v1/tag", "/v1/documents", "/v1/model", "/healthz", "/metrics"}
    for path in ("/docs", "/redoc"):
        assert ask(server.port, "GET", path).status == 404


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_serving_api_never_fails_inside_whatever_is_sent(server, mode):
    """What schemathesis makes of the OpenAPI document, right and wrong, is answered as the document says, and never by a 5xx."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from hypothesis import HealthCheck, given, settings
    from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    statuses = set()
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations if mode == "POSITIVE" else [operation for operation in operations if operation.method == "post"]:

        @settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
        def check(case):
            answer = case.call()
            statuses.add(answer.status_code)
            checks = [schemathesis.checks.not_a_server_error, response_schema_conformance, status_code_conformance]
            case.validate_response(answer, checks=checks)

        check()
    assert statuses & {200, 422}


# -- safe by default ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"host": "0.0.0.0"}, "--host 0.0.0.0: other machines reach this address: set a token"),
        ({"host": "example.org"}, "set a token"),
        ({"token": "short"}, "--token: needs 16"),
        ({"token": "with\nline ends in it"}, "--token: needs 16 or more printable"),
        ({"origins": ("*",)}, r"--origin \*: is not an origin"),
        ({"origins": ("https://example.org/",)}, "write it like https://example.org"),
        ({"workers": 2}, "--workers: .* give --api-only too"),
    ],
)
def test_serving_settings_refuse_what_is_not_safe(settings, message):
    with pytest.raises(TaggerError, match=message):
        Settings(**settings)


def test_serving_settings_listen_on_this_machine_only():
    assert Settings().host == "127.0.0.1"
    assert Settings(host="::1", port=1).url == "http://[::1]:1/"
    assert Settings(host="0.0.0.0", port=1, token=TOKEN).url == "http://127.0.0.1:1/"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "10.0.0.1", "", "[::", "localhost.evil"])
def test_serving_refuses_a_name_that_is_not_its_own(server, host):
    answer = ask(server.port, "GET", "/", host=host.format(port=server.port))
    assert answer.status == 421
    assert "this server is not called" in answer.json["error"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:80", "LOCALHOST:8765"])
def test_serving_answers_to_the_names_of_this_machine(server, host):
    assert ask(server.port, "GET", "/healthz", host=host).json == {"status": "ok"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
        {"origin": "http://[::"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_serving_refuses_what_pages_of_others_send(server, headers):
    for path in ("/v1/tag", "/read", "/v1/documents"):
        answer = post_json(server.port, path, {"texts": TEXTS}, **headers)
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers
    own = f"http://127.0.0.1:{server.port}"
    assert post_json(server.port, "/v1/tag", {"texts": []}, origin=own, sec_fetch_site="same-origin").status == 200


def test_serving_lets_a_named_origin_call_the_api(guarded):
    asked = {"origin": "https://example.org", "access_control_request_method": "POST", "access_control_request_headers": "authorization"}
    answer = ask(guarded.port, "OPTIONS", "/v1/tag", **asked)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://example.org")
    answer = post_json(guarded.port, "/v1/tag", {"texts": []}, origin="https://example.org", authorization=f"Bearer {TOKEN}")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://example.org")
    assert ask(guarded.port, "OPTIONS", "/v1/tag", **{**asked, "origin": "https://evil.example"}).status == 400
    assert ask(guarded.port, "GET", "/healthz", host="example.org").status == 200


def test_serving_asks_for_the_token(guarded):
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}, {"cookie": f"tagger_token={TOKEN}"}):
        for path in ("/v1/model", "/metrics", "/openapi.json", "/", "/read/x"):
            assert ask(guarded.port, "GET", path, **headers).status == 401
    assert ask(guarded.port, "GET", "/v1/model", authorization=f"Bearer {TOKEN}").status == 200
    assert ask(guarded.port, "GET", "/healthz").status == 200
    page = ask(guarded.port, "GET", "/", accept="text/html")
    assert (page.status, page.headers["location"]) == (303, "/login")
    page = ask(guarded.port, "GET", "/read/x/2?part=3&x=%C3%A9", accept="text/html")
    assert (page.status, page.headers["location"]) == (303, "/login?to=/read/x/2%3Fpart%3D3%26x%3D%25C3%25A9")
    assert b'name="to" value="/read/x/2?part=3&amp;x=%C3%A9"' in ask(guarded.port, "GET", page.headers["location"]).body


def test_serving_keeps_the_token_in_a_cookie_of_its_own(guarded):
    form = {"content_type": "application/x-www-form-urlencoded"}
    wrong = ask(guarded.port, "POST", "/login", urlencode({"token": "wrong"}).encode(), **form)
    assert (wrong.status, wrong.headers["set-cookie"]) == (403, None)
    right = ask(guarded.port, "POST", "/login", urlencode({"token": TOKEN}).encode(), **form)
    assert right.status == 303
    cookie = right.headers["set-cookie"]
    assert {part.strip().lower() for part in cookie.split(";")[1:]} >= {"httponly", "samesite=strict"}
    assert TOKEN not in cookie
    assert ask(guarded.port, "GET", "/", cookie=cookie.partition(";")[0]).status == 200


@pytest.mark.parametrize(
    ("to", "place"),
    [
        ("/read/x/2?part=3", "/read/x/2?part=3"),
        ("", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/%0d%0aa", "/%0d%0aa"),
        ("/x\r\nSet-Cookie: a=b", "/"),
    ],
)
def test_serving_shows_the_page_that_was_asked_for_once_the_token_is_known(guarded, to, place):
    form = urlencode({"token": TOKEN, "to": to}).encode()
    answer = ask(guarded.port, "POST", "/login", form, content_type="application/x-www-form-urlencoded")
    assert (answer.status, answer.headers["location"]) == (303, place)


def test_serving_sends_the_cookie_over_tls_only_behind_a_proxy_that_has_it(guarded):
    form = urlencode({"token": TOKEN}).encode(), {"content_type": "application/x-www-form-urlencoded"}
    plain = ask(guarded.port, "POST", "/login", form[0], **form[1])
    assert "secure" not in plain.headers["set-cookie"].lower()
    behind = ask(guarded.port, "POST", "/login", form[0], **form[1], host="example.org", origin="https://example.org")
    assert behind.headers["set-cookie"].lower().endswith("; secure")


def test_serving_answers_head_as_get_without_what_follows(guarded):
    for path, status in (("/healthz", 200), ("/login", 200), ("/v1/model", 401), ("/static/base.css", 200)):
        got, head = (ask(guarded.port, method, path) for method in ("GET", "HEAD"))
        assert (head.status, head.body) == (status, b"")
        assert head.headers["content-length"] == got.headers["content-length"]
    assert ask(guarded.port, "HEAD", "/v1/tag", authorization=f"Bearer {TOKEN}").status == 405


def test_serving_knows_no_document_of_a_number_that_is_none(server):
    place = post_file(server.port, "/read", "a.txt", b"Police took bribes.", field="files").headers["location"]
    assert ask(server.port, "GET", f"{place}/1").status == 200
    for number in ("0", "2", "01", "-1", "x", "1" * 5000, "%D9%A1"):
        assert ask(server.port, "GET", f"{place}/{number}").status == 404


def test_serving_writes_no_upload_to_the_disk(server, monkeypatch):
    rolled = []
    monkeypatch.setattr("tempfile.SpooledTemporaryFile.rollover", lambda self: rolled.append(self))
    large = b"Police officers in the capital took large bribes from traffickers of women, men and children.\n\n" * 12_000
    assert len(large) > 1 << 20
    assert post_file(server.port, "/v1/documents", "a.txt", large).status == 200
    assert post_file(server.port, "/read", "a.txt", large, field="files").status == 303
    assert rolled == []


def test_serving_limits_the_size_of_a_request(guarded):
    auth = {"authorization": f"Bearer {TOKEN}"}
    assert post_json(guarded.port, "/v1/tag", {"texts": ["x" * 99_000]}, **auth).status == 200
    assert post_json(guarded.port, "/v1/tag", {"texts": ["x" * 101_000]}, **auth).status == 413
    # Without a length told ahead, it is counted.
    with socket.create_connection(("127.0.0.1", guarded.port)) as raw:
        head = f"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
        raw.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"8000\r\n" + b" " * 0x8000 + b"\r\n")
        for _ in range(3):
            raw.sendall(b"8000\r\n" + b" " * 0x8000 + b"\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413")
    with socket.create_connection(("127.0.0.1", guarded.port)) as raw:
        head = f"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        raw.sendall(f"{head}Content-Type: multipart/form-data; boundary=line\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        part = b"--line\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\n".ljust(0x8000)
        for _ in range(35):
            raw.sendall(b"8000\r\n" + part + b"\r\n")
            part = bytes(0x8000)
        assert raw.recv(100).startswith(b"HTTP/1.1 413")
    file = ask(guarded.port, "POST", "/v1/documents", bytes(2 << 20), content_type="multipart/form-data; boundary=line", **auth)
    assert file.status == 413


def test_serving_limits_the_time_of_a_request(guarded):
    with socket.create_connection(("127.0.0.1", guarded.port)) as raw:
        head = f"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
        begin = time.monotonic()
        raw.sendall(f"{head}Content-Length: 100\r\n\r\n".encode() + b"{")
        assert raw.recv(100).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - begin < 30


def test_serving_limits_what_parsing_a_file_may_use(guarded):
    """The process that parses is killed; the server and the next file are none the worse."""
    authorized = f"Bearer {TOKEN}"

    def send(name: str, data: bytes):
        form = b"--line\r\nContent-Disposition: form-data; name=file; filename=" + name.encode() + b"\r\n\r\n" + data + b"\r\n--line--\r\n"
        return ask(guarded.port, "POST", "/v1/documents", form, content_type="multipart/form-data; boundary=line", authorization=authorized)

    slow = zipped(**{"word/document.xml": "<a>" + "<b/>" * 30_000_000 + "</a>"})
    assert len(slow) < 1 << 20
    answer = send("slow.docx", slow)
    assert answer.status == 422
    assert re.search(r"slow\.docx: (was given up after 5 seconds|needs more|can't be read within)", answer.json["error"])
    assert send("good.txt", b"Police took bribes.").json["documents"][0]["passages"][0]["text"] == "Police took bribes."


def test_serving_kills_what_takes_too_long():
    uploads = Uploads(replace(UPLOADS, seconds=0.2))
    slow, good = b"<html><body>" + b"<p>word word" * 200_000, b"Police took bribes."
    with pytest.raises(tagger.InputError, match=r"slow\.html: was given up after 0\.2 seconds"):
        anyio.run(uploads.read, io.BytesIO(slow), "slow.html")
    assert len(anyio.run(uploads.read, io.BytesIO(good), "good.txt")) == 1
    uploads.close()


def test_serving_parses_no_file_in_its_own_process(server, monkeypatch):
    """Whatever the format: this process must not even find out what it is."""
    import tagger.reading

    monkeypatch.setattr(tagger.reading, "detect", lambda *_: pytest.fail("detected here"))
    monkeypatch.setattr(tagger.reading, "READERS", {})
    for name, data in {"a.txt": b"Police took bribes.", "b.csv": b"text\nPolice took bribes.\n", "c.docx": word_document(mexico())}.items():
        assert post_file(server.port, "/v1/documents", name, data).status == 200


def test_serving_every_answer_has_the_headers_of_safety(server):
    answers = [ask(server.port, "GET", path) for path in ("/", "/nowhere", "/read/x", "/static/base.css", "/v1/model", "/login")]
    answers += [ask(server.port, "GET", "/", host="evil"), post_json(server.port, "/v1/tag", {})]
    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
        assert answer.headers["server"] is None
    assert "unsafe" not in POLICY
    assert "*" not in POLICY


def test_serving_tells_nobody_what_went_wrong_inside(server, monkeypatch):
    monkeypatch.setitem(server.app.state._state, "engine", None)
    answer = post_json(server.port, "/v1/tag", {"texts": ["secret"]})
    assert (answer.status, answer.headers["content-security-policy"]) == (500, POLICY)
    assert answer.json == {"error": "something went wrong inside the server: the terminal in which it runs tells what"}


def test_serving_pages_hold_no_script_or_style(server, report):
    key = post_file(server.port, "/read", "report.txt", report.read_bytes(), field="files").headers["location"]
    for path in ("/", key, "/login"):
        page = ask(server.port, "GET", path, accept="text/html").body.decode()
        assert re.findall(r"<script(?![^>]* src=\"/static/)|<style|\sstyle=|\son\w+=|https?://", page) == []


def test_serving_static_files_are_not_sent_twice(server):
    first = ask(server.port, "GET", "/static/tagger.css")
    assert first.status == 200
    assert ask(server.port, "GET", "/static/tagger.css", if_none_match=first.headers["etag"]).status == 304
    for path in ("/static/nowhere.css", "/static/..%2fsettings.py", "/static/%2e%2e/app.py"):
        assert ask(server.port, "GET", path).status == 404


def test_serving_turns_away_what_would_wait_too_long():
    async def crowd() -> list[object]:
        line, busy, results = Line(threads=1, waiting=1), threading.Event(), []

        async def work() -> None:
            try:
                results.append(await line.run(partial(busy.wait, 10)))
            except Exception as error:  # noqa: BLE001
                results.append(error)
                busy.set()

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(work)
                await anyio.sleep(0.05)
        return results

    results = anyio.run(crowd)
    assert [getattr(result, "status_code", result) for result in results] == [503, True, True]


def test_serving_tags_while_a_file_is_written(server, report, monkeypatch):
    place = post_file(server.port, "/read", "report.txt", report.read_bytes(), field="files").headers["location"]
    begun, busy = threading.Event(), threading.Event()

    def slowly(*_: object) -> bytes:
        begun.set()
        return b"waited" if busy.wait(20) else b"gave up"

    monkeypatch.setattr("tagger.serving.pages._written", slowly)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(ask, server.port, "GET", f"{place}/tags.csv")
        assert begun.wait(20)
        assert post_json(server.port, "/v1/tag", {"texts": TEXTS}).status == 200
        busy.set()
        assert slow.result().body == b"waited"


def test_serving_engine_tags_together_only_what_asks_for_the_same(default_tagger):
    engine, text = Engine(default_tagger), "Official complicity continued to be a serious problem."
    asked = [_Asked([text], evidence) for evidence in (False, True, True)]
    engine._asked.extend(asked)
    engine._answer(asked[1])
    found = [json.loads(one.outcome[1][0])["evidence"] for one in asked]
    assert [bool(evidence) for evidence in found] == [False, True, True]


# -- documents that are open -------------------------------------------------------------------------------------------------


def opened(name: str, characters: int) -> Opened:
    return Opened(name, [Document(name, "x" * characters, passages=(Passage("x"),))])


def test_serving_documents_close_the_oldest_where_there_would_be_too_much():
    shelf = Shelf(most=3, characters=100)
    for name, size in (("a", 10), ("b", 20), ("c", 30), ("d", 40)):
        shelf.add(opened(name, size))
    assert [one.name for one in shelf] == ["d", "c", "b"]
    shelf.add(opened("e", 35))
    assert [one.name for one in shelf] == ["e", "d"]
    shelf.add(opened("large", 1000))
    assert [one.name for one in shelf] == ["large"]


def test_serving_documents_are_gone_when_closed(server, report):
    key = post_file(server.port, "/read", "report.txt", report.read_bytes(), field="files").headers["location"]
    assert ask(server.port, "GET", key).status == 200
    assert ask(server.port, "POST", f"{key}/close").status == 303
    for path in (key, f"{key}/tags.csv", f"{key}/1"):
        answer = ask(server.port, "GET", path)
        assert (answer.status, answer.json["error"]) == (404, "this document is not open any more: drop the file again")


def test_serving_documents_are_tagged_anew_by_a_model_that_takes_over(server, report, default_tagger):
    key = post_file(server.port, "/read", "report.txt", report.read_bytes(), field="files").headers["location"]
    model = replace(default_tagger.model, thresholds=default_tagger.model.thresholds * 0)
    engine = server.app.state.engine
    before = ask(server.port, "GET", f"{key}/tags.jsonl").body
    old = engine.swap(tagger.Tagger(model, name="lax"))
    try:
        lines = [json.loads(line) for line in ask(server.port, "GET", f"{key}/tags.jsonl").body.splitlines()]
        assert all(line["labels"] == list(default_tagger.themes) for line in lines)
        assert post_json(server.port, "/v1/tag", {"texts": TEXTS}).json["model"].startswith("lax")
    finally:
        engine.swap(old)
    assert ask(server.port, "GET", f"{key}/tags.jsonl").body == before


# -- the command -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def serve():
    """Start the command; whatever still runs at the end is killed."""
    started = []

    def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tagger", "serve", "--no-open", "--port", "0", *map(str, arguments)]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def port_of(process: subprocess.Popen[str]) -> int:
    said = process.stderr.readline()
    found = re.fullmatch(r"note: tagger serves at http://127\.0\.0\.1:(\d+)/; Ctrl-C ends it\n", said)
    assert found, said + process.stderr.read()
    return int(found[1])


def ended(process: subprocess.Popen[str], how: signal.Signals = signal.SIGINT) -> tuple[int, str]:
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_serving_command_leaves_nothing_of_a_document(serve, report, tmp_path):
    place, temporary = tmp_path / "place", tmp_path / "temporary"
    place.mkdir()
    temporary.mkdir()
    process = serve(cwd=place, env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)})
    port = port_of(process)
    large = report.read_bytes() + b" " * 2_000_000  # more than is held in memory while it arrives
    key = post_file(port, "/read", "report.txt", large, field="files").headers["location"]
    assert ask(port, "GET", f"{key}/tags.xlsx").status == 200
    assert ended(process) == (0, "")
    assert list(place.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_serving_command_with_several_processes_counts_them_together(serve):
    process = serve("--api-only", "--workers", 2)
    port = port_of(process)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post_json(port, "/v1/tag", {"texts": TEXTS}), range(40)))
    assert {answer.status for answer in answers} == {200}
    assert f"tagger_passages_total {40.0 * len(TEXTS)}" in ask(port, "GET", "/metrics").body.decode()
    assert ask(port, "GET", "/", accept="text/html").json == {"error": "Not Found"}
    status, said = ended(process)
    assert (status, "Traceback" in said) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "error: --host 0.0.0.0: other machines reach this address: set a token with --token"),
        (["--host", "203.0.113.1", "--token", TOKEN], "error: can't listen on 203.0.113.1:0: "),
        (["--model", "nowhere"], "error: nowhere: no such model folder"),
        (["--workers", "2"], "error: --workers: several processes can't share the documents"),
    ],
)
def test_serving_command_says_in_one_line_what_is_wrong(serve, arguments, message):
    process = serve(*arguments)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith(message)
    assert said.count("\n") == 1


def test_serving_command_names_a_port_that_is_taken(server):
    command = [sys.executable, "-m", "tagger", "serve", "--no-open", "--port", str(server.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"can't listen on 127.0.0.1:{server.port}: Address already in use: name another --port" in done.stderr


def test_serving_command_without_its_extra_says_what_to_install():
    code = "import sys; sys.modules['fastapi'] = None; sys.argv = ['tagger', 'serve']; from tagger.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: this needs fastapi, which is not installed: pip install 'tagger[serve]'\n")


def test_serving_needs_no_extra_but_its_own():
    """Nor is anything of the others loaded before it is used."""
    code = """import sys
for name in ("sklearn", "datasets", "datasketch", "matplotlib", "openpyxl", "xlsxwriter", "pyarrow", "trafilatura", "pypdfium2"):
    sys.modules[name] = None
from tagger.serving.app import create_app
from tagger.serving.settings import Settings
create_app(Settings())"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
