"""The programs of experiments/speed/cluster.md, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import uuid

import numpy as np
import pytest

NEEDED = ("pyarrow", "pandas")
STARTED = {
    "pyspark": "",
    "ray": "import ray; ray.init(num_cpus=4, include_dashboard=False, object_store_memory=100 << 20, log_to_driver=False)\n",
}


@pytest.mark.parametrize("engine", ["pyspark", "ray"])
def test_scaling_recipe_gives_the_scores_of_one_process(engine, root, default_tagger, tmp_path):
    for package in (engine, *NEEDED):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install 'pyspark[sql]' 'ray[data]'")
    if engine == "pyspark" and shutil.which("java") is None:
        pytest.skip("Spark needs a Java, and none is installed")
    import pyarrow as pa
    from pyarrow import parquet

    lines = (root / "corpora/composed/passages.jsonl").read_text(encoding="utf-8").splitlines()[:3000]
    texts = [json.loads(line)["text"] for line in lines]
    ids = [f"{number:04}" for number in range(len(texts))]
    parquet.write_table(pa.table({"id": ids, "text": texts}), tmp_path / "passages.parquet", row_group_size=500)
    page = (root / "experiments/speed/cluster.md").read_text(encoding="utf-8")
    program = next(code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if engine in code)
    (tmp_path / "program.py").write_text(STARTED[engine] + program, encoding="utf-8")
    given = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_SUBMIT_ARGS": "--master local[2] pyspark-shell"}
    given |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env={**os.environ, **given}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (written,) = (path for path in tmp_path.iterdir() if path.name.startswith("scores-"))
    found = parquet.read_table(written).sort_by("id")
    assert found["id"].to_pylist() == ids
    scores = np.column_stack([found[theme].to_numpy() for theme in default_tagger.themes])
    assert np.abs(scores - default_tagger.scores(texts)).max() < 1e-6
