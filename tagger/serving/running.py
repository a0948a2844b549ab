"""Starting and ending the server."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from tagger import load
from tagger.errors import TaggerError
from tagger.serving.app import create_app
from tagger.serving.review.learning import in_use
from tagger.serving.settings import Settings


def run(settings: Settings, started: Callable[[Settings], None]) -> None:
    """Serve until the process is told to end; once it answers, tell so with the settings that it has."""
    listener = listen(settings)
    settings = replace(settings, port=listener.getsockname()[1])
    with listener, contextlib.suppress(KeyboardInterrupt):
        if settings.workers > 1:
            _run_several(settings, listener, started)
        else:
            Server(configured(settings, create_app(settings)), partial(started, settings)).run(sockets=[listener])


class Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        if self.started:
            self._when_started()


def _run_several(settings: Settings, listener: socket.socket, started: Callable[[Settings], None]) -> None:
    load(in_use(settings))  # what is wrong with it is said once
    with tempfile.TemporaryDirectory(prefix="tagger-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # where each process counts, so that any of them can tell the sum
        listener.listen()  # whoever asks before the processes have started waits
        started(settings)
        Multiprocess(configured(settings), sockets=[listener]).run()


def configured(settings: Settings, app: FastAPI | None = None) -> uvicorn.Config:
    """Make what uvicorn is told: to serve this application, or one that each process makes; and to keep no log of requests."""
    return uvicorn.Config(
        app or partial(create_app, settings),
        factory=app is None,
        workers=settings.workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        http="h11",  # bounds the head of a request, which httptools does not
        timeout_graceful_shutdown=5,
        backlog=1024,
    )


def listen(settings: Settings) -> socket.socket:
    """Take the address, so that nobody else has it.

    Raises
    ------
    TaggerError
        It is not there, or taken.
    """
    try:
        kind = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(kind[0], socket.SOCK_STREAM)
    except OSError as error:
        raise TaggerError(f"--host {settings.host}: is no address of this machine: {error.strerror or error}") from error
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(kind[4])
    except OSError as error:
        listener.close()
        raise TaggerError(f"can't listen on {settings.host}:{settings.port}: {error.strerror or error}: name another --port") from error
    return listener
