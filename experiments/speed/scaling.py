"""Many files on many cores: `scaling.py rates` measures shards by one and two processes and a Dask cluster, `scaling.py kills` kills runs.

Writes scaling.json beside this file. OMP_NUM_THREADS=1 .venv/bin/python experiments/speed/scaling.py rates
"""

from __future__ import annotations

import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).parent
CORPUS = HERE.parents[1] / "corpora/composed/passages.jsonl"
RESULTS = HERE / "scaling.json"
ROUNDS = 3


def make(folder: Path, shards: int, passages: int) -> None:
    """Write texts of passages drawn from the composed corpus, a seeded draw a file."""
    texts = [json.loads(line)["text"] for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    for number in range(shards):
        chosen = random.Random(number).choices(texts, k=passages)
        (folder / f"r{number:03}.txt").write_text("\n\n".join(chosen), encoding="utf-8")


def command(folder: Path, out: Path, *options: object) -> list[str]:
    return [sys.executable, "-m", "tagger", "tag", str(folder), "-o", f"{out}/", *map(str, options)]


def contents(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file() and path.parent.name != "_manifest"}


def timed(folder: Path, out: Path, *options: object) -> tuple[float, float]:
    """Seconds of the clock, and of processors in the command and the processes that it started."""
    started, spent = time.perf_counter(), sum(os.times()[2:4])
    subprocess.run(command(folder, out, *options), check=True, capture_output=True)
    return time.perf_counter() - started, sum(os.times()[2:4]) - spent


def rates() -> dict[str, object]:
    from distributed import LocalCluster

    with tempfile.TemporaryDirectory() as made, LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        folder, small = Path(made, "in"), Path(made, "small")
        for place, shards, passages in ((folder, 20, 5000), (small, 1, 1)):
            place.mkdir()
            make(place, shards, passages)
        ways = {
            "one process": [],
            "two processes": ["--jobs", 2],
            "two Dask workers": ["--backend", "dask", "--scheduler", cluster.scheduler_address],
        }
        times: dict[str, list[tuple[float, float]]] = {way: [] for way in (*ways, "one passage")}
        for number in range(ROUNDS):
            for way, options in ways.items():
                times[way].append(timed(folder, Path(made, f"{way} {number}"), *options))
            times["one passage"].append(timed(small, Path(made, f"small {number}")))
        outputs = [contents(Path(made, f"{way} {number}")) for way in ways for number in range(ROUNDS)]
        assert all(output == outputs[0] for output in outputs)
        lines = sum(data.count(b"\n") for data in outputs[0].values())
        clock, spent = ({way: statistics.median(pair[k] for pair in found) for way, found in times.items()} for k in (0, 1))
        return {
            "shards": 20,
            "passages": lines,
            "seconds": {way: round(value, 2) for way, value in clock.items()},
            "core-seconds": {way: round(spent[way], 2) for way in times if "Dask" not in way},
            "passages a core-second": round(lines / (spent["one process"] - spent["one passage"])),
            "two processes to one": round(clock["one process"] / clock["two processes"], 2),
            "bytes read a passage": round(sum(path.stat().st_size for path in folder.iterdir()) / lines, 1),
            "bytes written a passage": round(sum(map(len, outputs[0].values())) / lines, 1),
        }


def kills() -> dict[str, object]:
    """Kill ten runs of two processes at random moments; the first half with their workers, which else live on for a while."""
    with tempfile.TemporaryDirectory() as made:
        folder, expected, out = (Path(made, name) for name in ("in", "expected", "out"))
        folder.mkdir()
        make(folder, 120, 1000)
        whole, _ = timed(folder, expected, "--jobs", 2)
        moments = []
        for trial in range(10):
            moment = random.uniform(0.3, 0.3 + whole / 4)
            process = subprocess.Popen(command(folder, out, "--jobs", 2), stderr=subprocess.DEVNULL, start_new_session=True)
            with suppress(subprocess.TimeoutExpired):
                process.wait(moment)
            killed = process.poll() is None
            if killed:
                (os.killpg if trial < 5 else os.kill)(process.pid, signal.SIGKILL)
                process.wait()
            finished = len(list(out.rglob("*.jsonl"))) if out.exists() else 0
            moments.append({"after seconds": round(moment, 2), "killed": killed, "shards there": finished})
        timed(folder, out, "--jobs", 2)
        assert contents(out) == contents(expected), "the resumed run wrote other bytes"
        return {"shards": 120, "whole run's seconds": round(whole, 1), "kills": moments, "same bytes": True}


def main() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in sys.argv[1:] or ["rates", "kills"]:
        found[name] = {"rates": rates, "kills": kills}[name]()
    found["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
