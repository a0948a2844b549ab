"""What `tagger serve` was asked for."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tagger.errors import TaggerError
from tagger.reading import Limits

UPLOADS = Limits(seconds=30, size=64 << 20, passages=50_000)
"""What reading one uploaded file may use, if nothing else is asked for."""

_LEAST_TOKEN = 16  # characters


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the server listens, who may ask it, and what it may use.

    Parameters
    ----------
    model
        Folder of the model; None for one that took over in the workbench, else ``default``.
    default
        Folder of the model that a project has; None for the one that comes with tagger.
    host, port
        The address to listen on. One that other machines reach needs a token.
    token
        What a request must show, if anything.
    origins
        Addresses of web pages, such as ``https://example.org``, that may call the API from a browser, and names under which this server
        is reached.
    themes
        The codebook that reviewers work by and that models are trained with, the corpora beside it or in ``corpora/``; its themes are those
        that passages are read for. None for that of the working directory or the one that comes with tagger, and the model's themes.
    home
        Folder of what reviewers decide and of the corpora that are made of it; it is made when there is something to keep.
    workers
        Processes that answer; more than one only for the API alone.
    api_only
        Whether to leave out the pages.
    limits
        What reading one uploaded file may use.
    request_bytes
        Bytes of any other request.
    seconds
        Seconds that a client may take to send a request.
    opened
        Documents that are kept in memory for reading; the oldest goes first.
    characters
        Characters of text in all of them together.
    """

    model: Path | None = None
    default: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    origins: tuple[str, ...] = ()
    themes: Path | None = None
    home: Path = Path("workbench")
    workers: int = 1
    api_only: bool = False
    limits: Limits = UPLOADS
    request_bytes: int = 16 << 20
    seconds: float = 60
    opened: int = 50
    characters: int = 20_000_000

    def __post_init__(self) -> None:
        if not self.local and self.token is None:
            raise TaggerError(f"--host {self.host}: other machines reach this address: set a token with --token, or listen on 127.0.0.1")
        if self.token is not None and (len(self.token) < _LEAST_TOKEN or not self.token.isascii() or not self.token.isprintable()):
            raise TaggerError(f"--token: needs {_LEAST_TOKEN} or more printable ASCII characters, so that nobody guesses it")
        for origin in self.origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
                raise TaggerError(f"--origin {origin}: is not an origin: write it like https://example.org or http://localhost:3000")
        if self.workers > 1 and not self.api_only:
            raise TaggerError("--workers: several processes can't share the documents opened for reading: give --api-only too")

    @property
    def local(self) -> bool:
        """Whether only this machine reaches the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """The address to type into a browser."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"
