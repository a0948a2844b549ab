"""Parquet: the fields of a JSON line, typed, a row a passage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from tagger.errors import OutputError
from tagger.writing.about import About, Results
from tagger.writing.jsonl import tagged_to_json
from tagger.writing.text import clean

_ROWS = 10_000  # passages in a row group: memory stays small, and readers can still skip


def write_parquet(results: Results, about: About, stream: IO[bytes]) -> None:
    """Write all passages, a row group after the other; the name of the model stands in the file's metadata."""
    import pyarrow as pa
    from pyarrow import parquet

    text, texts, place = pa.string(), pa.list_(pa.string()), pa.int64()
    span = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("weight", pa.float32())])
    fields = [("id", text), ("document", text), ("section", text), ("page", pa.int32()), ("paragraph", pa.int32())]
    fields += [("start", place), ("end", place), ("text", text), ("labels", texts)]
    fields += [("scores", pa.struct([(theme, pa.float32()) for theme in about.names]))]
    fields += [("evidence", pa.struct([(theme, pa.list_(span)) for theme in about.names])), ("review", texts)]
    schema = pa.schema(fields, metadata={"model": clean(about.model)})
    try:
        with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
            for rows in _batches(results):
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
    except pa.ArrowInvalid as error:
        raise OutputError(f"can't be written as Parquet: {error}") from error


def _batches(results: Results) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    for _, passages in results:
        for item in passages:
            row = tagged_to_json(item)
            rows.append({**row, **{key: row[key] and clean(row[key]) for key in ("id", "document", "section", "text")}})
            if len(rows) == _ROWS:
                yield rows
                rows = []
    if rows:
        yield rows
