"""spaCy: a ``DocBin`` of passages with categories (``textcat_multilabel``), or of documents with spans (``spancat``).

What tagger knows of passages lies in ``doc.user_data["tagger"]``; the final labels are ``doc.cats`` or the spans of the group ``sc``,
each annotator's the spans of a group of that name.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

from tagger.errors import InputError, MissingExtraError
from tagger.exchange.codings import Coded, Span, document_data, document_name, documents, votes_of
from tagger.exchange.items import FINAL, Corpus, Labels, Voted, decide, detailed, model_of, named, with_models
from tagger.exchange.jsons import items_of, object_of
from tagger.reading.content import Limits
from tagger.themes import Theme
from tagger.writing.text import many

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_KEY, _GROUP = "tagger", "sc"


def read_docbin(data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read documents with categories of 0.5 or more, or with spans."""
    voted: list[Voted] = []
    models: list[str | None] = []
    texts: dict[str, str] = {}
    silent = 0
    for number, doc in enumerate(_docs(data, limits), 1):
        where, text = f"document {number}", doc.text
        if not text.strip():
            continue
        known = _user_data(doc, where)
        groups = {key: group for key, group in doc.spans.items() if key == _GROUP or "passages" in known}
        if groups or "passages" in known:
            document = document_name(known, f"{name}-{number:04d}")
            spans = [
                Span(span.start_char, span.end_char, theme, FINAL if key == _GROUP else key)
                for key, group in groups.items()
                for span in group
                if (theme := labels.theme(span.label_, where=where))
            ]
            annotators = [FINAL, *(key for key in groups if key != _GROUP)]
            found, content = votes_of(known, document, text, spans, annotators, labels, where)
            voted += found
            texts.update({} if content is None else {document: content})
        elif doc.cats or known:
            votes = {
                vote: labels.all(items_of(known[vote], vote, where), where) for vote in ("first", "second") if known.get(vote) is not None
            }
            votes[FINAL] = labels.all((label for label, score in doc.cats.items() if score >= 0.5), where)
            item = detailed(text, known, where)
            # Our own documents have all categories of the codebook, and know by themselves what was asked.
            voted.append(Voted(item if known else replace(item, asked=labels.asked(doc.cats)), votes))
        else:
            silent += 1
        models += [model_of(known)] * (len(voted) - len(models))
    if not voted:
        raise InputError(f"no document has categories or spans of the group {_GROUP!r}")
    items, notes = decide(voted, labels)
    notes += (f"{many(silent, 'document')} without labels left out",) if silent else ()
    return with_models(Corpus(named(items, name), texts, notes=notes), models)


def _docs(data: bytes, limits: Limits) -> Iterator[Doc]:
    spacy = library()
    unpacked = zlib.decompressobj()
    try:
        size = len(unpacked.decompress(data, limits.expanded))
        if unpacked.unconsumed_tail:
            raise InputError(f"expands to more than {limits.expanded >> 20} MiB: it may be made to do harm")
        found = spacy.tokens.DocBin().from_bytes(data)
        if not size or len(found) > limits.passages:
            raise InputError(f"has no document, or more than {limits.passages:,}")
        yield from found.get_docs(spacy.blank("en").vocab)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # (whatever spaCy makes of damaged bytes)
        raise InputError(f"is no DocBin of spaCy, or is damaged: {type(error).__name__}") from error


def _user_data(doc: Doc, where: str) -> dict[str, Any]:
    value = doc.user_data.get(_KEY)
    try:
        return object_of(json.loads(value), "user_data", where) if isinstance(value, str) else {}
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: user_data[{_KEY!r}] is no JSON: {error}") from error


def write_cats(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a document a passage, with a category a theme: 0 or 1."""
    nlp = library().blank("en")

    def docs() -> Iterator[Doc]:
        for item in corpus.items:
            doc = _tokens(nlp, item.text, [])
            doc.cats = {theme.name: float(theme.name in item.labels) for theme in themes}
            votes = {name: list(given) for name, given in item.votes.items() if name != FINAL}
            doc.user_data[_KEY] = json.dumps({**item.details(), **votes, **corpus.by})
            yield doc

    _write(docs(), stream)


def write_spans(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a document for each of the corpus, in which each theme of a passage is a span of exactly its characters."""
    nlp = library().blank("en")
    _write((_spanned(nlp, one, corpus.by) for one in documents(corpus)), stream)


def _spanned(nlp: Language, one: Coded, by: Mapping[str, str]) -> Doc:
    doc = _tokens(nlp, one.text, [place for item in one.items for place in (item.start or 0, item.end or 0)])
    groups: dict[str, list[Any]] = {_GROUP: []}
    for item in one.items:
        for who, given in (item.votes or {FINAL: item.labels}).items():
            group = groups.setdefault(_GROUP if who == FINAL else who, [])
            group += [doc.char_span(item.start, item.end, label=theme) for theme in given]
    for key, spans in groups.items():
        doc.spans[key] = spans
    doc.user_data[_KEY] = json.dumps({**document_data(one), **by})
    return doc


def _tokens(nlp: Language, text: str, places: Sequence[int]) -> Doc:
    """A document in which a token begins at each of these places, so that a span can have exactly these characters."""
    from spacy.tokens import Doc

    cuts = sorted({0, *places, len(text)})
    words: list[str] = []
    spaces: list[bool] = []
    for start, end in pairwise(cuts):
        for token in nlp.tokenizer(text[start:end]):
            words.append(token.text)
            spaces.append(bool(token.whitespace_))
    return Doc(nlp.vocab, words=words, spaces=spaces)


def _write(docs: Iterator[Doc], stream: IO[bytes]) -> None:
    found = library().tokens.DocBin(store_user_data=True)
    for doc in docs:
        found.add(doc)
    stream.write(found.to_bytes())


def library() -> Any:
    """The library spaCy."""
    try:
        import spacy
        import spacy.tokens
    except ImportError as error:
        raise MissingExtraError("spacy", "integrations") from error
    return spacy
