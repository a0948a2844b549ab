"""A real server in a thread of the tests, and a client that sends exactly what it is told."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from fastapi import FastAPI

from tagger.serving.app import create_app
from tagger.serving.running import Server, configured, listen
from tagger.serving.settings import Settings


class Served(NamedTuple):
    """Where a server of the tests is, and its application."""

    url: str
    port: int
    app: FastAPI


@contextmanager
def serving(settings: Settings) -> Iterator[Served]:
    """Serve on a free port, as `tagger serve` does."""
    listener = listen(replace(settings, port=0))
    settings = replace(settings, port=listener.getsockname()[1])
    app, ready = create_app(settings), threading.Event()
    server = Server(configured(settings, app), ready.set)
    thread = threading.Thread(target=partial(server.run, sockets=[listener]), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield Served(settings.url.rstrip("/"), settings.port, app)
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
        assert not thread.is_alive()


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: bytes | None = None, /, **headers: str) -> Answer:
    """Send a request; ``content_type="x"`` is the header Content-Type."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def post_json(port: int, path: str, data: Any, /, **headers: str) -> Answer:
    return ask(port, "POST", path, json.dumps(data).encode(), content_type="application/json", **headers)


def post_file(port: int, path: str, name: str, data: bytes, /, field: str = "file", **fields: str) -> Answer:
    """Send a form with a file, as a browser does."""
    parts = [f'--line\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode() for key, value in fields.items()]
    head = f'--line\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    body = b"".join([*parts, head.encode(), data, b"\r\n--line--\r\n"])
    return ask(port, "POST", path, body, content_type="multipart/form-data; boundary=line")
