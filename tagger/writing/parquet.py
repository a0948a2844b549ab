"""Parquet: the fields of a JSON line, typed, a row a passage."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import IO

from tagger.writing.about import About, Results
from tagger.writing.jsonl import write_jsonl

_ROWS, _BYTES = 1_000, 8 << 20
"""A row group ends when so many bytes of JSON have come, looked at after so many passages: memory stays small."""


def write_parquet(results: Results, about: About, stream: IO[bytes]) -> None:
    """Write all passages, a row group after the other; the name of the model stands in the file's metadata."""
    import pyarrow as pa
    from pyarrow import json, parquet

    text, texts, place = pa.string(), pa.list_(pa.string()), pa.int64()
    span = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("weight", pa.float32())])
    fields = [("id", text), ("document", text), ("section", text), ("page", pa.int32()), ("paragraph", pa.int32())]
    fields += [("start", place), ("end", place), ("text", text), ("labels", texts)]
    fields += [("scores", pa.struct([(theme, pa.float32()) for theme in about.names]))]
    fields += [("evidence", pa.struct([(theme, pa.list_(span)) for theme in about.names])), ("review", texts)]
    schema = pa.schema(fields, metadata={"model": about.model})
    options = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for lines in _batches(results, about):
            # Arrow reads the lines itself: made from Python lists, its arrays would import pandas wherever that is installed.
            whole = json.ReadOptions(block_size=len(lines), use_threads=False)
            table = json.read_json(BytesIO(lines), read_options=whole, parse_options=options)
            writer.write_table(table.replace_schema_metadata(schema.metadata))


def _batches(results: Results, about: About) -> Iterator[bytes]:
    """Yield some thousand JSON lines at a time."""
    lines = BytesIO()
    for document, passages in results:
        for start in range(0, len(passages), _ROWS):
            write_jsonl([(document, passages[start : start + _ROWS])], about, lines)
            if lines.tell() >= _BYTES:
                yield lines.getvalue()
                lines = BytesIO()
    if lines.tell():
        yield lines.getvalue()
