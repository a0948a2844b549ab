"""Which format a file has: from its first bytes or its members; its name decides only where content can't."""

from __future__ import annotations

import codecs
import io
import re
import zipfile

from tagger.errors import InputError

SUFFIXES = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
}
"""File endings and what they promise."""

TABLES = {"jsonl", "csv", "tsv", "xlsx", "parquet"}
WORD_PART = re.compile(r"word/document\d*\.xml")
_MARKED = {"pdf", "docx", "xlsx", "parquet"}
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "is an old or a locked Office file: open it in Word or Excel and save it, without a password, as .docx or .xlsx"),
    (b"{\\rtf", "is an RTF file: save it as .docx"),
    (b"\x1f\x8b", "is packed with gzip: unpack it first"),
    (b"\x89PNG", "is a picture: run OCR on it first"),
    (b"\xff\xd8\xff", "is a picture: run OCR on it first"),
    (b"GIF8", "is a picture: run OCR on it first"),
    (b"BZh", "is packed with bzip2: unpack it first"),
    (b"7z\xbc\xaf", "is packed with 7-Zip: unpack it first"),
    (codecs.BOM_UTF32_LE, "is UTF-32 text: save it in UTF-8"),
    (codecs.BOM_UTF32_BE, "is UTF-32 text: save it in UTF-8"),
)
_MARKUP = re.compile(
    r"\s*+(?:(?:<\?xml[^>]*>|(?><!--.*?-->))\s*+)*+<(?:!doctype\s+html|html|head|body|article|main|div|p|h[1-6]|table)\b", re.I | re.S
)
_INNER_MARKUP = re.compile(r"<(?:html|body|article|main)\b[^>]*>", re.IGNORECASE)
_OWN = re.compile(rb'<meta name="generator" content="tagger"|\A<!-- generator: tagger -->')
OWN_HEAD = 2048  # bytes of a page that hold the mark
_JSON = re.compile(r'\s*(?:\[\s*)?\{\s*"')
_ATX = re.compile(r"^ {0,3}#{1,6} \S", re.MULTILINE)


def detect(data: bytes, suffix: str, text_column: str | None = None) -> str:
    """Return the name of the reader for a file's bytes.

    Parameters
    ----------
    data
        The whole file.
    suffix
        The ending of its name, with the dot, or "".
    text_column
        A column that the caller expects: text whose first line names it is a table, whatever the file is called.

    Raises
    ------
    InputError
        The content is of a format that can't be read.
    """
    if is_own(data):
        raise InputError("is a page that tagger wrote: give the report that it was made of")
    promised = SUFFIXES.get(suffix.lower())
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return _zipped(data)
    if data.startswith(b"PAR1"):
        return "parquet"
    for magic, message in _FOREIGN:
        if data.startswith(magic):
            raise InputError(message)
    if promised in _MARKED and data.strip():
        raise InputError(f"is no {suffix.lower()} file, whatever its name says, or its beginning is lost")
    head = _decoded(data[:8192])
    if promised != "markdown" and (_MARKUP.match(head) or _INNER_MARKUP.search(head)):
        return "html"
    if promised in TABLES or promised == "markdown":
        return promised
    first = head.lstrip().partition("\n")[0].rstrip("\r")
    if first.startswith('{"') and (first.endswith("}") or len(first) > 4000):
        return "jsonl"
    if text_column is not None:
        for format, delimiter in (("tsv", "\t"), ("csv", ","), ("csv", ";")):
            if text_column in (name.strip(' "') for name in first.split(delimiter)):
                return format
    if promised == "html":
        return "html"
    if _JSON.match(head) or (suffix.lower() == ".json" and first[:1] in ("[", "{")):
        raise InputError("is JSON, but not JSON Lines: write an object a line, with the text of a passage in its field 'text'")
    if head.lstrip().startswith("<?xml") or (suffix.lower() == ".xml" and first.startswith("<")):
        raise InputError("is an XML file: save what it holds as text, HTML or DOCX")
    return "markdown" if promised is None and _ATX.search(head) else "text"


def is_own(data: bytes) -> bool:
    """Tell whether this is a page that tagger wrote, by the mark that it has."""
    return _OWN.search(data[:OWN_HEAD]) is not None


def _decoded(data: bytes) -> str:
    """The beginning of a text, well enough to see what it is."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(encoding, "ignore")
    return data.removeprefix(codecs.BOM_UTF8).replace(b"\0", b"").decode("utf-8", "replace")


def _zipped(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError, OverflowError) as error:
        raise InputError("is a damaged zip archive (DOCX and XLSX files are such): get the file anew") from error
    if any(WORD_PART.fullmatch(name) for name in names):
        return "docx"
    if "xl/workbook.xml" in names:
        return "xlsx"
    raise InputError("is a zip archive, but neither a Word document nor an Excel workbook: unpack it first")
