from __future__ import annotations

import runpy

import pytest


@pytest.fixture(scope="module")
def fuzz(root):
    return runpy.run_path(str(root / "experiments/robustness/fuzz.py"), run_name="fuzz")


@pytest.mark.parametrize("name", ["txt", "md", "html", "pdf", "docx", "jsonl", "csv", "tsv", "xlsx", "parquet"])
def test_reading_fuzz_ends_in_documents_or_in_one_line(name, fuzz):
    found = fuzz["run"](60, [name], seed=1)[name]
    assert found["wrong"] == []
    assert found["read"] + found["refused"] == 60


def test_reading_fuzz_committed_results_show_nothing_wrong(root):
    import json

    results = json.loads((root / "experiments/robustness/results.json").read_text(encoding="utf-8"))
    assert len(results) == 10
    for found in results.values():
        assert found["inputs"] == found["read"] + found["refused"] == 10_000
        assert found["wrong"] == []
