"""What is counted for Prometheus; never anything of a document."""

from __future__ import annotations

import os
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one server. Several processes share them, by files in a folder that the environment names."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("tagger_requests", "Requests answered.", ["method", "route", "status"], registry=registry)
        self.seconds = Histogram("tagger_request_seconds", "Time to answer a request.", ["route"], buckets=_SECONDS, registry=registry)
        self.passages = Counter("tagger_passages", "Passages tagged.", registry=registry)
        self.documents = Counter("tagger_documents", "Documents read.", registry=registry)

    def text(self) -> bytes:
        """All counters, those of other processes too, in the text format of Prometheus."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class Measured:
    """Counts and times every request by its route, so that no address with something of a document in it is kept."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, and note how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        begin = perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "DELETE", "OPTIONS") else "other"
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(perf_counter() - begin)
