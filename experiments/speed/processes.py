"""What work costs: time, processor time and memory, of a call or of a whole process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# A small process starts the command, for the peak memory of a child is at least what its parent had when it was started.
_WATCH = """
import json, os, resource, subprocess, sys, time
cores, memory, command = json.loads(sys.argv[1])
os.sched_setaffinity(0, cores)
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
start = time.perf_counter()
done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
seconds, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
said = done.stderr.decode(errors="replace")[-1000:]
print(json.dumps([done.returncode, said, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
"""


class NotMeasuredError(Exception):
    """A row of the table can't be measured here; the message says why."""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and of the processor; peak bytes of memory, of a whole process only."""

    seconds: float
    processor: float
    peak: int = 0


@dataclass(frozen=True)
class Costs:
    """What each round of the same work cost."""

    rounds: tuple[Cost, ...]

    @property
    def seconds(self) -> float:
        return median(cost.seconds for cost in self.rounds)

    @property
    def processor(self) -> float:
        return median(cost.processor for cost in self.rounds)

    @property
    def peak(self) -> float:
        return median(cost.peak for cost in self.rounds)

    def to_json(self) -> dict[str, object]:
        """Plain values, rounded to four digits."""
        found = {"seconds": [float(f"{cost.seconds:.4g}") for cost in self.rounds]}
        found["processor"] = [float(f"{cost.processor:.4g}") for cost in self.rounds]
        return found | ({"peak": [cost.peak for cost in self.rounds]} if self.peak else {})


def call(work: Callable[[], object]) -> Cost:
    """What a call within this process costs."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - start, time.process_time() - used)


def process(command: Sequence[str | Path], cores: Collection[int]) -> Cost:
    """What a command costs, pinned to these cores; it may take half of the memory that is free.

    Raises
    ------
    NotMeasuredError
        It failed; the message is the end of what it said.
    """
    given = json.dumps([sorted(cores), _free() // 2, [str(part) for part in command]])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # tagger is compiled once, as pip does with what it installs
    watched = [sys.executable, "-I", "-S", "-c", _WATCH, given]
    done = subprocess.run(watched, capture_output=True, text=True, check=True, env=environment)
    code, said, seconds, processor, peak = json.loads(done.stdout)
    if code:
        last = said.strip().splitlines()[-1:] or [""]
        raise NotMeasuredError(f"the command ended with {code}{f': {last[0]}' if last[0] else ''}")
    return Cost(seconds, processor, peak)


def _free() -> int:
    """Bytes of memory that a new process can have."""
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


def in_turn(works: Mapping[str, Callable[[], Cost]], rounds: int, *, warm: bool = True) -> dict[str, Costs]:
    """Do works in turn, round after round, so that what else the machine does hits all alike.

    ``warm`` puts a round before several that is not counted.
    """
    found: dict[str, list[Cost]] = {name: [] for name in works}
    for turn in range(-1 if warm and rounds > 1 else 0, rounds):
        for name, work in works.items():
            cost = work()
            if turn >= 0:
                found[name].append(cost)
    return {name: Costs(tuple(costs)) for name, costs in found.items()}
