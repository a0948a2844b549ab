"""How much `/v1/tag` does on loopback, beside `Tagger.scores` in process: 64 clients that ask without a pause.

    OMP_NUM_THREADS=1 python experiments/serving/load.py           # writes results.json and the table of README.md
    OMP_NUM_THREADS=1 python experiments/serving/load.py --table   # the table alone, from results.json

Each client keeps one connection, and compares each answer byte by byte with what `Tagger.tag` gives. The clients are a process of their own
on the last core, one server process is on the first.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

import tagger
from tagger.serving.api import answer
from tagger.serving.engine import json_lines
from tagger.writing.whole import whole

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CORES = sorted(os.sched_getaffinity(0))
CLIENTS, SECONDS, WARM_UP = 64, 8.0, 2.0


@dataclass(frozen=True)
class Plan:
    """A server, and what it is asked: batches of so many passages, with evidence or without."""

    workers: int
    batch: int
    evidence: bool


@dataclass(frozen=True)
class Load:
    """What came of a plan; latencies in milliseconds."""

    plan: Plan
    requests: int
    errors: int
    passages_a_second: float
    share_of_scores: float
    passages_a_processor_second: float
    share_of_scores_by_processor: float
    p50: float
    p99: float


PLANS = [Plan(workers, batch, evidence) for workers in (1, 2) for batch in (10, 250, 1000) for evidence in (True, False)]


def texts() -> list[str]:
    """Passages of the corpora of this repository, and of the Mexico report one passage in ten."""
    lines = (ROOT / "corpora" / name / "passages.jsonl" for name in ("composed", "mexico-2014"))
    found = [[json.loads(line)["text"] for line in path.open(encoding="utf-8")] for path in lines]
    return found[0][:9000] + found[1] * 9


def batched(given: Sequence[str], batch: int) -> list[Sequence[str]]:
    """Cut passages into batches of the same size; what is left is left out."""
    return [given[start : start + batch] for start in range(0, len(given) - batch + 1, batch)]


def in_process(model: tagger.Tagger, given: Sequence[str], batch: int) -> tuple[float, float]:
    """Passages of `Tagger.scores` a second and a second of the processor: medians of nine rounds, on the core of one server process."""
    os.sched_setaffinity(0, {CORES[0]})
    parts = batched(given, batch)
    rounds = []
    for _ in range(9):
        start, used = time.perf_counter(), time.process_time()
        for part in parts:
            model.scores(part)
        rounds.append((time.perf_counter() - start, time.process_time() - used))
    os.sched_setaffinity(0, CORES)
    seconds, processor = (len(parts) * batch / median(values) for values in zip(*rounds, strict=True))
    return seconds, processor


def processor_seconds(pid: int) -> float:
    """What a process and those it started have used; the one that parses files has nothing to do here."""
    total = 0.0
    for process in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def measured(plan: Plan, model: tagger.Tagger, given: Sequence[str]) -> Load:
    """Start a server, let the clients ask, end it."""
    pairs = [
        (
            json.dumps({"texts": part, "evidence": plan.evidence}).encode(),
            answer(model.about.model, json_lines(model.tags(part, evidence=plan.evidence), model.about)),
        )
        for part in batched(given, plan.batch)
    ]
    scores, scores_by_processor = in_process(model, given, plan.batch)
    command = [sys.executable, "-m", "tagger", "serve", "--api-only", "--port", "0", "--workers", str(plan.workers)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        os.sched_setaffinity(server.pid, {CORES[0]} if plan.workers == 1 else CORES)
        assert server.stderr is not None
        port = int(re.findall(r":(\d+)/", server.stderr.readline())[0])
        os.sched_setaffinity(0, {CORES[-1]} if plan.workers == 1 else CORES)
        latencies, errors, used = asyncio.run(_ask_all(port, pairs, partial(processor_seconds, server.pid)))
    finally:
        os.sched_setaffinity(0, CORES)
        server.terminate()
        server.wait()
    latencies.sort()
    passages = len(latencies) * plan.batch
    rate, by_processor = passages / SECONDS, passages / used
    p50, p99 = (round(1000 * latencies[int(share * len(latencies))], 1) for share in (0.5, 0.99))
    shares = round(rate / scores, 3), round(by_processor / scores_by_processor, 3)
    return Load(plan, len(latencies), errors, round(rate), shares[0], round(by_processor), shares[1], p50, p99)


async def _ask_all(port: int, pairs: Sequence[tuple[bytes, bytes]], used: Callable[[], float]) -> tuple[list[float], int, float]:
    """Return the latencies of the answers that came in time, the number of wrong ones, and the processor time of the server."""
    latencies: list[float] = []
    errors = 0
    begin = time.perf_counter() + WARM_UP
    end = begin + SECONDS

    async def client(number: int) -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        place = number
        while (start := time.perf_counter()) < end:
            body, expected = pairs[place % len(pairs)]
            place += CLIENTS
            head = f"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            head_of_answer = await reader.readuntil(b"\r\n\r\n")
            found = await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head_of_answer)[0]))
            done = time.perf_counter()
            if begin <= done <= end:
                latencies.append(done - start)
            errors += not head_of_answer.startswith(b"HTTP/1.1 200 ") or found != expected
        writer.close()

    async def watch() -> float:
        await asyncio.sleep(begin - time.perf_counter())
        before = used()
        await asyncio.sleep(end - time.perf_counter())
        return used() - before

    watched, *_ = await asyncio.gather(watch(), *map(client, range(CLIENTS)))
    return latencies, errors, watched


def table(loads: Sequence[Load]) -> str:
    """The loads as the table of the page."""
    rows = ["| processes | batch | evidence | passages/s | share of `scores` | by processor time | p50 ms | p99 ms | requests | errors |"]
    rows.append("|---|---|---|---|---|---|---|---|---|---|")
    for load in loads:
        plan = load.plan
        cells = [plan.workers, plan.batch, "yes" if plan.evidence else "no", f"{load.passages_a_second:,}", f"{load.share_of_scores:.2f}"]
        cells += [f"{load.share_of_scores_by_processor:.2f}", f"{load.p50:,.0f}", f"{load.p99:,.0f}", f"{load.requests:,}", load.errors]
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


def write_table() -> None:
    """Write the table of the page from what was measured."""
    found = json.loads((HERE / "results.json").read_text(encoding="utf-8"))["loads"]
    made = table([Load(**{**load, "plan": Plan(**load["plan"])}) for load in found])
    page = (HERE / "README.md").read_text(encoding="utf-8")
    with whole(HERE / "README.md") as stream:
        stream.write(re.sub(r"(?<=<!-- figures -->\n).*?(?=<!-- end -->)", f"{made}\n", page, flags=re.DOTALL).encode())


def main() -> None:
    if sys.argv[1:] == ["--table"]:
        write_table()
        return
    model, given = tagger.load(), texts()
    loads = []
    for plan in PLANS:
        loads.append(measured(plan, model, given))
        print(loads[-1], file=sys.stderr)
    machine = {"processor": platform.processor() or platform.machine(), "cores": len(CORES), "python": platform.python_version()}
    with whole(HERE / "results.json") as stream:
        found = {"machine": machine, "clients": CLIENTS, "seconds": SECONDS, "loads": [asdict(load) for load in loads]}
        stream.write(json.dumps(found, indent=1).encode() + b"\n")
    write_table()


if __name__ == "__main__":
    main()
