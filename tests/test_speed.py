"""The benchmark of speed: a small run end to end, and its parts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes can be pinned to a core on Linux only")


@pytest.fixture(scope="module", autouse=True)
def scripts(root):
    """The scripts import what lies beside them."""
    sys.path.insert(0, str(root / "experiments/speed"))


def test_speed_quick_run_fills_the_page(root, tmp_path):
    shutil.copy(root / "experiments/speed/README.md", tmp_path)
    command = [sys.executable, str(root / "experiments/speed/bench.py"), "--quick", "--profile", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [*results["rows"]] == ["scikit_learn", "fasttext", "spacy", "start", "command", "memory", "workers"]
    for name, row in results["rows"].items():
        if "skipped" in row:
            assert name in ("fasttext", "spacy", "workers")
            assert re.search("not installed|one core", row["skipped"])
        else:
            assert row["ratio"] > 0
            assert row["verdict"] in ("aim met", "met", "**not met**")
    assert 0 < results["rows"]["scikit_learn"]["first_call"]["median"] < 10
    assert sum(results["profile"]["command"]["stages"].values()) > 0.01
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert f"**{results['rows']['start']['ratio']:.3g}**" in page
    assert "core-hours" in page
    assert results["machine"]["processor"] in page
    for text in (page, json.dumps(results)):
        assert str(root) not in text
        assert os.uname().nodename not in text


def test_speed_passages_are_varied_and_the_same_every_time(corpora):
    from varied import distinct, statistics, varied

    texts = [json.loads(line)["text"] for line in (corpora[1] / "passages.jsonl").read_text(encoding="utf-8").splitlines()]
    made = distinct(varied(texts), 3000)
    found, ours = statistics(made), statistics(texts[:: len(texts) // 3000][:3000])
    assert made == distinct(varied(texts), 3000)
    assert made[:50] != distinct(varied(texts, seed=1), 50)
    assert found["distinct passages"] == len(made) == 3000
    assert not set(made) & set(texts)
    assert abs(found["median words"] - ours["median words"]) <= 2
    assert found["distinct words"] > ours["distinct words"]
    assert found["distinct pairs"] > ours["distinct pairs"]


def test_speed_report_has_its_size_and_is_cut_into_its_passages(corpora, tmp_path):
    from varied import varied, write_report

    import tagger

    texts = [json.loads(line)["text"] for line in (corpora[0] / "passages.jsonl").read_text(encoding="utf-8").splitlines()]
    path = tmp_path / "report.txt"
    write_report(path, varied(texts), 0.05)
    assert 50_000 <= path.stat().st_size < 53_000
    passages = tagger.read(path).passages
    assert {passage.section for passage in passages} == {"Prosecution", "Protection", "Prevention"}
    assert len(passages) > 200


def test_speed_process_tells_time_memory_and_core():
    from processes import process

    cores = sorted(os.sched_getaffinity(0))[:1]
    small = process([sys.executable, "-c", f"import os; assert os.sched_getaffinity(0) == {set(cores)}"], cores)
    large = process([sys.executable, "-c", "import time; time.sleep(0.2); b'x' * 50_000_000"], cores)
    assert 45_000_000 < large.peak - small.peak < 60_000_000
    assert large.seconds > 0.2 > large.processor


def test_speed_process_that_fails_says_why():
    from processes import NotMeasuredError, process

    with pytest.raises(NotMeasuredError, match=r"^the command ended with 3: no room$"):
        process([sys.executable, "-c", "import sys; print('no room', file=sys.stderr); sys.exit(3)"], os.sched_getaffinity(0))


def test_speed_works_are_done_in_turn():
    from processes import Cost, in_turn

    done = []

    def work(name, cost):
        done.append(name)
        return Cost(cost, cost)

    costs = in_turn({"a": lambda: work("a", 1), "b": lambda: work("b", 2)}, 3)
    assert "".join(done) == "abababab"
    assert (len(costs["a"].rounds), costs["a"].seconds, costs["b"].seconds) == (3, 1, 2)


@pytest.mark.parametrize(
    ("share", "ratio", "verdict"),
    [
        (False, 10, "aim met"),
        (False, 5, "met"),
        (False, 4.9, "**not met**"),
        (True, 0.3, "aim met"),
        (True, 0.5, "met"),
        (True, 0.51, "**not met**"),
    ],
)
def test_speed_verdict_is_by_the_target(share, ratio, verdict):
    from bench import Target

    assert Target("work", *((0.5, 0.3) if share else (5, 10)), share=share).verdict(ratio) == verdict


def test_speed_ratio_is_of_medians_and_spreads_over_rounds():
    from bench import Target
    from processes import Cost, Costs

    ours, theirs = (Costs(tuple(Cost(seconds, seconds) for seconds in taken)) for taken in ((1, 2, 4), (10, 12, 20)))
    row = Target("work", 5, 10).row(ours, theirs)
    assert (row["ratio"], row["spread"], row["verdict"]) == (6, [5, 10], "met")
    assert Target("work", 0.5, 0.3, share=True).row(ours, theirs)["ratio"] == pytest.approx(1 / 6, abs=1e-3)


def test_speed_libraries_that_are_not_installed_are_passed_over(root, tmp_path, monkeypatch):
    from bench import QUICK, Bench

    cores = os.sched_getaffinity(0)
    try:
        bench = Bench(QUICK, root / "models/default", tmp_path)
        for name in ("fasttext", "spacy"):
            monkeypatch.setitem(sys.modules, name, None)
        rows = bench.scores()
    finally:
        os.sched_setaffinity(0, cores)
    assert rows["scikit_learn"]["ratio"] > 0
    assert rows["fasttext"]["skipped"] == "fasttext is not installed: pip install '.[peers]'"
    assert "ratio" not in rows["spacy"]


def test_speed_profile_counts_libraries_to_who_called_them(default_tagger, report):
    import profiles

    import tagger

    document = tagger.read(report)
    stats = profiles.profiled(lambda: [default_tagger.tag(document) for _ in range(5)])
    stages, functions = profiles.by_stage(stats), profiles.by_stage(stats, functions=True)
    total = sum(own for _, _, own, _, _ in stats.values())
    assert sum(stages.values()) == pytest.approx(total)
    assert sum(functions.values()) == pytest.approx(total)
    assert {"features", "model", "tagging"} <= set(stages)
    assert any(name.startswith("features.") for name in functions)
    assert [*stages.values()] == sorted(stages.values(), reverse=True)


def test_speed_bad_options_cost_one_line(root, tmp_path):
    for options, said in (
        (["--out", str(tmp_path / "none")], "no such folder"),
        (["--rounds", "0"], "above 0"),
        (["--quick", "--model", str(tmp_path), "--out", str(tmp_path)], "error: "),
    ):
        command = [sys.executable, str(root / "experiments/speed/bench.py"), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (1, 2)
        assert said in done.stderr
        assert "Traceback" not in done.stderr
