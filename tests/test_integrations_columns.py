"""Columns of tables: datasets, pandas and polars."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys

import datasets
import numpy as np
import pandas as pd
import pytest
from datasets.fingerprint import Hasher

from tagger.errors import InputError, MissingExtraError
from tagger.integrations.datasets import BatchTagger
from tagger.tagging import load

TEXTS = ["The sky is blue.", None, "Police officers took bribes from traffickers.", "There were no shelters for male victims."]


@pytest.fixture(scope="module")
def expected(default_tagger):
    return [item and default_tagger.tag([item])[0] for item in TEXTS]


def test_integrations_datasets_map_tags_a_column(expected, default_tagger):
    rows = datasets.Dataset.from_dict({"sentence": TEXTS, "labels": ["own"] * 4})
    function = BatchTagger(default_tagger, column="sentence")
    features = function.features(rows.features)
    # Of two rows each: the first batch has no label at all.
    for processes in (None, 2):
        mapped = rows.map(function, batched=True, batch_size=2, num_proc=processes, features=features, load_from_cache_file=False)
        assert mapped.features == features
        assert mapped["labels"][:] == ["own"] * 4
        for row, item in zip(mapped["tagger"], expected, strict=True):
            if item is None:
                assert row is None
            else:
                assert tuple(row["labels"]) == item.labels
                assert tuple(row["review"]) == item.review
                assert np.allclose(list(row["scores"].values()), list(item.scores.values()), atol=1e-6)
                assert {theme: [span["start"] for span in spans] for theme, spans in row["evidence"].items() if spans} == {
                    theme: [span.start for span in spans] for theme, spans in item.evidence.items()
                }


def test_integrations_datasets_a_map_made_before_is_not_made_again(root, tmp_path):
    function = BatchTagger(load(root / "models/default"))
    assert len(pickle.dumps(function)) < 1000
    name = Hasher.hash(function)
    function({"text": ["Police took bribes with unseen words."]})
    assert Hasher.hash(function) == Hasher.hash(BatchTagger(load(root / "models/default"))) == name
    assert Hasher.hash(BatchTagger(load(root / "models/default"), column="other")) != name
    code = "import tagger; from datasets.fingerprint import Hasher; from tagger.integrations.datasets import BatchTagger as b; "
    code += f"print(Hasher.hash(b(tagger.load({str(root / 'models/default')!r}))))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == name
    with (tmp_path / "rows.jsonl").open("w", encoding="utf-8") as file:
        file.write('{"text": "Police took bribes."}\n')
    rows = datasets.load_dataset("json", data_files=str(tmp_path / "rows.jsonl"), split="train", cache_dir=str(tmp_path / "cache"))
    made = [rows.map(BatchTagger(), batched=True, features=BatchTagger().features(rows.features)).cache_files for _ in range(2)]
    assert made[0] == made[1]
    assert len(list((tmp_path / "cache").rglob("cache-*.arrow"))) == 1


def test_integrations_datasets_names_what_is_wrong():
    with pytest.raises(InputError, match="no column 'text': name one of sentence"):
        BatchTagger()({"sentence": ["x"]})
    with pytest.raises(InputError, match="call map with batched=True"):
        BatchTagger()({"text": "x"})
    with pytest.raises(InputError, match="row 1 of the column is 5, not a text"):
        BatchTagger()({"text": ["x", 5]})


@pytest.mark.parametrize("dtype", [object, "str", "category", "string[pyarrow]"])
def test_integrations_pandas_tags_a_column_of_any_kind(expected, default_tagger, dtype):
    from tagger.integrations.pandas import tag_column

    index = pd.Index(["a", "b", "c", "c"])
    found = tag_column(pd.Series(TEXTS, index=index, dtype=dtype), default_tagger)
    assert found.index.equals(index)
    assert list(found) == ["labels", "review", *default_tagger.themes, "evidence"]
    assert found["labels"].tolist() == [item and list(item.labels) for item in expected]
    assert found["evidence"].tolist()[1] is None
    scores = found[list(default_tagger.themes)].to_numpy()
    assert scores.dtype == np.float32
    assert np.isnan(scores[1]).all()
    assert np.allclose(scores[2], list(expected[2].scores.values()), atol=1e-6)
    assert tag_column(pd.Series([], dtype=dtype)).shape == (0, 7)


def test_integrations_pandas_names_a_value_that_is_no_text():
    from tagger.integrations.pandas import tag_column

    with pytest.raises(InputError, match="row 1 of the column is 5, not a text"):
        tag_column(pd.Series(["x", 5]))


def test_integrations_polars_tags_columns_and_expressions(expected, default_tagger):
    pl = pytest.importorskip("polars", reason="polars is not installed: pip install '.[integrations]'")
    from tagger.integrations.polars import tag_column

    frame = pl.DataFrame({"text": TEXTS})
    eager = frame.with_columns(tag_column(frame["text"], default_tagger))["tagger"]
    lazy = frame.lazy().with_columns(tag_column(pl.col("text"), default_tagger))
    assert lazy.collect_schema()["tagger"] == eager.dtype
    for found in (eager, lazy.collect()["tagger"], lazy.collect(engine="streaming")["tagger"]):
        rows = found.to_list()
        assert found.null_count() == 1
        assert rows[1] is None
        for row, item in zip(rows, expected, strict=True):
            if item:
                assert tuple(row["labels"]) == item.labels
                assert np.allclose(list(row["scores"].values()), list(item.scores.values()), atol=1e-6)
                assert [span["end"] for span in row["evidence"]["complicity"]] == [s.end for s in item.evidence.get("complicity", ())]
    labels = frame.lazy().select(tag_column(pl.col("text")).struct.field("labels")).collect()["labels"]
    assert labels.dtype == pl.List(pl.String)
    assert tag_column(pl.Series([], dtype=pl.String)).len() == 0
    with pytest.raises(InputError, match="row 0 of the column is 5, not a text"):
        tag_column(pl.Series([5]))


@pytest.mark.parametrize(
    ("library", "extra"), [("pandas", "integrations"), ("polars", "integrations"), ("spacy", "integrations"), ("datasets", "train")]
)
def test_integrations_name_the_extra_of_a_library_that_is_absent(library, extra, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"tagger.integrations.{library}", raising=False)
    with pytest.raises(MissingExtraError, match=rf"this needs {library}.*pip install 'tagger\[{extra}\]'"):
        importlib.import_module(f"tagger.integrations.{library}")
