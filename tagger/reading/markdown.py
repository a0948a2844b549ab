"""Markdown as text: its marks go, what they mark stays; line by line, so that a file of any size can be read in parts.

A parser of all Markdown would need the whole file at once, and numbers lists anew, which the text may refer to.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator

from tagger.reading.content import Columns, Content, Limits, clean
from tagger.reading.plain import check_size, decode

# Each line is blank, indented, a comment, an item or a key, so that a text between two rules is none.
_FRONT_MATTER = re.compile(r"---[ \t]*\n(\w[\w-]*:(?:[ \t].*)?\n(?:(?:\w[\w-]*:(?:[ \t].*)?|[ \t#-].*)?\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|$)")
_TITLE = re.compile(r"^title:[ \t]*(\S.*)$", re.MULTILINE | re.IGNORECASE)
_LONG_COMMENT = 1 << 18  # characters; in a file that is read in parts what is longer is taken for text
_NESTED = 4  # marks in marks in marks; nobody writes more


def _heading(match: re.Match[str]) -> str:
    text = match[1].strip()
    bare = text.rstrip("#")
    closed = not bare or bare[-1].isspace()
    return f"\n{bare.rstrip() if closed else text}\n"


def _row(match: re.Match[str]) -> str:
    return "\n" + "\n".join(cell.strip() for cell in re.split(r"(?<!\\)\|", match[1].strip(" \t|"))) + "\n"


_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
_BLOCKS: tuple[_Rule, ...] = (
    (re.compile(r"^ {0,3}(?:>[ \t]?)+", re.MULTILINE), ""),
    (re.compile(r"^ {0,3}(?:`{3,}|~{3,})[^`\n]*$", re.MULTILINE), ""),
    (re.compile(r"^ {0,3}#{1,6}[ \t]+(.*)$", re.MULTILINE), _heading),
    (re.compile(r"^(?=[^\n]*\|)(?=[^\n]*-)[ \t:|-]+$", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*\|(.*)$", re.MULTILINE), _row),
    (re.compile(r"^ {0,3}(?:={3,}[ \t]*|(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$", re.MULTILINE), ""),
    (re.compile(r"^([ \t]*)\+(?=[ \t])", re.MULTILINE), r"\1-"),
    (re.compile(r"^ {0,3}\[\^[^\]\n]{1,100}\]:[ \t]*", re.MULTILINE), "\n"),
    (re.compile(r"^ {0,3}\[[^\]\n]{1,500}\]:[ \t]+(?:<|\w+:/|mailto:|www\.|[/#.])\S*(?:[ \t]+[\"'(].*)?$", re.MULTILINE), ""),
)
_INLINE: tuple[_Rule, ...] = (
    (re.compile(r"!?\[([^\[\]\n]{1,500})\]\([^()\n]{0,500}(?:\([^()\n]{0,500}\)[^()\n]{0,500}){0,3}\)"), r"\1"),
    (re.compile(r"(?<![\w\\*])(\*{1,3})(?=[^\s*])([^*\n]{1,2000})(?<=\S)\1(?![\w*])"), r"\2"),
    (re.compile(r"(?<![\w\\])(_{1,3})(?=[^\s_])((?:[^_\n]|(?<=\w)_(?=\w)){1,2000})(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"~~(?=\S)([^~\n]{1,2000})(?<=\S)~~"), r"\1"),
)
_LAST: tuple[_Rule, ...] = (
    (re.compile(r"(?<!`)(`{1,3})(?!`)([^`\n]{1,2000})\1(?!`)"), lambda match: match[2].strip()),
    (re.compile(r"\[\^[^\]\n]{1,100}\]"), ""),
    (re.compile(r"!?\[([^\[\]\n]{1,500})\]\[[^\[\]\n]{0,100}\]"), r"\1"),
    (re.compile(r"<((?:https?://|mailto:)[^\s<>]{1,500})>"), r"\1"),
    (re.compile(r"</?(?:br|p|div|h[1-6]|ul|ol|li|table|tr|td|th|hr|details|summary|center)\b[^<>\n]{0,500}>", re.IGNORECASE), "\n"),
    (re.compile(r"</?(?:a|b|i|u|s|em|strong|span|sup|sub|font|small|mark|del|ins|img|code)\b[^<>\n]{0,500}>", re.IGNORECASE), ""),
    (re.compile(r"&nbsp;"), " "),
    (re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|\w{2,31});"), lambda match: html.unescape(match[0])),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!|~<>&-])"), r"\1"),
)


def read_markdown(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Decode a Markdown file and take its marks away; of what is said of it before it begins, the title stays."""
    check_size(data, limits)
    text, note = decode(data)
    return Content(unmarked(text, first=True), notes=(note,) if note else ())


def unmarked(text: str, *, first: bool = False) -> str:
    """Whole lines of Markdown, the ``first`` of a file or later ones, without marks."""
    if first and (front := _FRONT_MATTER.match(text)):
        title = _TITLE.search(front[1])
        text = (title[1].strip(" \t\"'") + "\n\n" if title else "") + text[front.end() :]
    text = _applied(_BLOCKS, _without_comments(text))
    for _ in range(_NESTED):
        before, text = text, _applied(_INLINE, text)
        if text == before:
            break
    return clean(_applied(_LAST, text), decoded=True)


def unmarked_parts(parts: Iterable[str]) -> Iterator[str]:
    """Take the marks of a file's parts of whole lines away; a comment that goes on in the next part stays in one piece."""
    rest, first = "", True
    for part in parts:
        text = rest + part
        start = text.rfind("<!--")
        opened = start >= 0 and text.find("-->", start) < 0 and len(text) - start < _LONG_COMMENT
        whole, rest = (text[: (line := text.rfind("\n", 0, start) + 1)], text[line:]) if opened else (text, "")
        if whole:
            yield unmarked(whole, first=first)
            first = False
    if rest:
        yield unmarked(rest, first=first)


def _applied(rules: tuple[_Rule, ...], text: str) -> str:
    for pattern, instead in rules:
        text = pattern.sub(instead, text)
    return text


def _without_comments(text: str) -> str:
    kept: list[str] = []
    place = 0
    while (start := text.find("<!--", place)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        kept.append(text[place:start])
        place = end + 3
    return "".join([*kept, text[place:]])
