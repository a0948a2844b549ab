"""pandas: a column of texts -> columns of tags."""

from __future__ import annotations

from tagger.errors import MissingExtraError
from tagger.integrations.columns import tag_texts
from tagger.tagging import Tagger, worker_tagger

try:
    import pandas as pd
except ImportError as error:
    raise MissingExtraError("pandas", "integrations") from error


def tag_column(texts: pd.Series, tagger: Tagger | None = None) -> pd.DataFrame:
    """Tag a column of texts, each by itself, with a tagger or the default one.

    Returns
    -------
    A frame with the same index: ``labels`` and ``review`` (lists of themes), a probability a theme (float32), and ``evidence`` (for each
    theme its spans). A missing text has None and NaN.

    Raises
    ------
    InputError
        A value is neither a text nor missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from tagger.integrations.pandas import tag_column
    >>> frame = pd.DataFrame({"text": ["Police took bribes.", None]})
    >>> tag_column(frame["text"])["labels"].tolist()
    [['complicity'], None]
    """
    tagger = tagger or worker_tagger()
    missing = texts.isna()
    found = [row or {} for row in tag_texts(tagger, [None if gone else text for text, gone in zip(texts, missing, strict=True)])]
    columns = {name: pd.Series([row.get(name) for row in found], texts.index, dtype=object) for name in ("labels", "review", "evidence")}
    scores = {theme: [row["scores"][theme] if row else None for row in found] for theme in tagger.themes}
    probabilities = {theme: pd.Series(values, texts.index, dtype="float32") for theme, values in scores.items()}
    return pd.DataFrame({"labels": columns.pop("labels"), "review": columns.pop("review"), **probabilities, **columns}, texts.index)
