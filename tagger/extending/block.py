"""A theme's block, written into a ``themes.toml`` that people have written in: their comments and their order stay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tagger.errors import MissingExtraError, ThemesError
from tagger.exchange.rows import COLUMNS, LABELS
from tagger.reading.table import TEXTS
from tagger.themes import Theme, parse_codebook
from tagger.writing.whole import whole

try:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import AoT, Array
except ImportError as error:
    raise MissingExtraError("tomlkit", "train") from error

_COLUMNS = {*COLUMNS, *LABELS, *TEXTS, "by", "evidence", "review", "scores", "similarity", "why"}
"""Columns of the tables in which a theme has one, too."""


def theme_name(written: str) -> str:
    """Return the name of a theme as files hold it: in lower case, with underscores.

    >>> theme_name("Victim-identification")
    'victim_identification'
    """
    return re.sub(r"[\s_-]+", "_", written.strip()).lower()


def add_theme(path: Path, theme: Theme) -> None:
    """Add the block of a theme after the last one.

    Raises
    ------
    ThemesError
        The file can't be used, has such a theme, or would not be a valid codebook with this one, or the theme is called as a column of our
        tables is; the file then stays as it is.
    OutputError
        The file can't be written.
    """
    if theme.name in _COLUMNS:
        raise ThemesError(f"{path}: {theme.name!r} is the name of a column of tagger's tables, in which a theme has one, too: take another")
    try:
        book = tomlkit.parse(path.read_bytes())
    except OSError as error:
        raise ThemesError(f"{path}: can't be read: {error.strerror or error}") from error
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise ThemesError(f"{path}: not a TOML file in UTF-8: {error}") from error
    blocks = book.setdefault("theme", tomlkit.aot())
    if not isinstance(blocks, AoT):
        raise ThemesError(f"{path}: 'theme' must be written as [[theme]] tables")
    if any(block.get("name") == theme.name for block in blocks):
        raise ThemesError(f"{path}: there is a theme {theme.name!r} already: edit its block, or take another name")
    block = tomlkit.table()
    for name in ("name", "title", "question", "definition"):
        block[name] = getattr(theme, name)
    for name in ("yes", "no", "words"):
        block[name] = _array(getattr(theme, name))
    block.add(tomlkit.nl())
    blocks.append(block)
    text = tomlkit.dumps(book)
    try:
        parse_codebook(tomlkit.parse(text).unwrap())
    except ThemesError as error:
        raise ThemesError(f"{path}: {error}") from error
    with whole(path) as stream:
        stream.write(text.encode())


def _array(values: Sequence[str]) -> Array:
    array = tomlkit.array()
    array.extend(values)
    return array
