"""What every request passes before anything else sees it: where it comes from, whether it may, and how much it brings."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
from urllib.parse import quote, urlsplit

from fastapi import HTTPException
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagger.serving.settings import Settings

COOKIE = "tagger_token"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": browsers would then send the forms of our own pages with the origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",  # what is shown of a document stays on no disk
}
_SAFE = {"GET", "HEAD", "OPTIONS"}
_OPEN = ("/healthz", "/login", "/static/")  # need no token
_UPLOADS = ("/v1/documents", "/read")


class Guard:
    """Checks Host, Origin, token, size and time of a request, and puts the headers of security on its answer.

    A page of a stranger that a person has open in the same browser can reach this server, but can't call itself by one of its names
    (Host), can't hide that it is another page (Origin, Sec-Fetch-Site), and can't read the answers (no CORS unless named).
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.names = {"localhost", settings.host, *(urlsplit(origin).hostname for origin in settings.origins)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that may not pass; let the others pass within limits."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            if scope["method"] == "HEAD":  # answered as GET; the server leaves out what would follow the head
                scope = {**scope, "method": "GET"}
            answer = self._refusal(scope, Headers(scope=scope)) or self.app
            await answer(scope, self._limited(scope, receive), _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if not self._named(host):
            return _refuse(421, f"this server is not called {host[:100]!r}: use {self.settings.url}, or name it with --origin")
        origin = headers.get("origin")
        foreign = origin is not None and origin not in (f"http://{host}", f"https://{host}", *self.settings.origins)
        if origin is None and scope["method"] not in _SAFE:
            foreign = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
        if foreign:
            return _refuse(403, "pages of other servers may not ask this one: name theirs with --origin")
        if self.settings.token is not None and not scope["path"].startswith(_OPEN) and not self._knows_token(headers):
            if scope["method"] == "GET" and "text/html" in headers.get("accept", "") and not self.settings.api_only:
                asked = scope["path"] + "?" * bool(scope["query_string"]) + scope["query_string"].decode("latin-1")
                return RedirectResponse("/login" if asked == "/" else f"/login?to={quote(asked, safe='/')}", status_code=303)
            return _refuse(401, "send the token: Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._most(scope):
            return _refuse(*_too_large(self._most(scope)))
        return None

    def _named(self, host: str) -> bool:
        """Tell whether a Host is one of this server. An address is: only names can be made to lead somewhere else."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self.settings.local

    def _knows_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return same(given.strip(), self.settings.token or "")
        return same(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""), cookie_of(self.settings.token or ""))

    def _most(self, scope: Scope) -> int:
        room = 64 << 10  # for what stands around a file
        return self.settings.limits.size + room if scope["path"] in _UPLOADS else self.settings.request_bytes

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        most, loop = self._most(scope), asyncio.get_running_loop()
        end = loop.time() + self.settings.seconds
        seen, whole = 0, False

        async def limited() -> Message:
            nonlocal seen, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"the request took more than {self.settings.seconds:g} seconds to arrive") from None
            seen += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if seen > most:
                raise HTTPException(*_too_large(most))
            return message

        return limited


def same(given: str, wanted: str) -> bool:
    """Compare secrets in a time that does not tell how much of them is right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def cookie_of(token: str) -> str:
    """What a browser keeps instead of the token."""
    return hashlib.sha256(b"tagger " + token.encode()).hexdigest()


def _refuse(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=headers)


def _too_large(most: int) -> tuple[int, str]:
    return 413, f"the request is larger than {most >> 20} MiB: send less at once"


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
