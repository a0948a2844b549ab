"""polars: a column or expression of texts -> a struct of tags, in eager and lazy frames."""

from __future__ import annotations

from functools import partial
from typing import overload

from tagger.errors import MissingExtraError
from tagger.integrations.columns import tag_texts
from tagger.tagging import Tagger, worker_tagger

try:
    import polars as pl
except ImportError as error:
    raise MissingExtraError("polars", "integrations") from error


@overload
def tag_column(texts: pl.Series, tagger: Tagger | None = None) -> pl.Series: ...
@overload
def tag_column(texts: pl.Expr, tagger: Tagger | None = None) -> pl.Expr: ...
def tag_column(texts: pl.Series | pl.Expr, tagger: Tagger | None = None) -> pl.Series | pl.Expr:
    """Tag a column of texts, each by itself, with a tagger or the default one.

    Returns
    -------
    A struct of ``labels`` and ``review`` (lists of themes), ``scores`` (a probability a theme) and ``evidence`` (for each theme its spans),
    called ``tagger``; null for a missing text.

    Raises
    ------
    InputError
        The column is not one of texts.

    Examples
    --------
    >>> import polars as pl
    >>> from tagger.integrations.polars import tag_column
    >>> frame = pl.DataFrame({"text": ["Police took bribes.", None]})
    >>> frame.select(tag_column(pl.col("text")).struct.field("labels")).to_series().to_list()
    [['complicity'], None]
    """
    tagger = tagger or worker_tagger()
    if isinstance(texts, pl.Series):
        return _tagged(texts, tagger)
    return texts.map_batches(partial(_tagged, tagger=tagger), return_dtype=_type(tagger), is_elementwise=True).alias("tagger")


def _tagged(texts: pl.Series, tagger: Tagger) -> pl.Series:
    return pl.Series("tagger", tag_texts(tagger, texts.to_list()), dtype=_type(tagger))


def _type(tagger: Tagger) -> pl.Struct:
    span = pl.Struct({"start": pl.Int32, "end": pl.Int32, "weight": pl.Float32})
    return pl.Struct(
        {
            "labels": pl.List(pl.String),
            "scores": pl.Struct(dict.fromkeys(tagger.themes, pl.Float32)),
            "evidence": pl.Struct(dict.fromkeys(tagger.themes, pl.List(span))),
            "review": pl.List(pl.String),
        }
    )
