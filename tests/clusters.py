"""Real clusters of this machine, in processes of their own, which end when their standard input is closed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

_DASK = """
import sys
from distributed import LocalCluster

with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs=50) as cluster:
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""
_RAY = """
import sys
import ray

ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100 << 20, log_to_driver=False, logging_level="ERROR")
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def cluster(engine: str) -> Iterator[tuple[str, psutil.Process]]:
    """A Dask or Ray cluster of two workers: its address and the process that all of its processes descend from."""
    process = subprocess.Popen(
        [sys.executable, "-c", {"dask": _DASK, "ray": _RAY}[engine]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process.stdout.readline().strip(), psutil.Process(process.pid)
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def working(parent: psutil.Process) -> list[psutil.Process]:
    """The workers of a cluster or of a command; other processes of theirs look different."""
    found = []
    for process in parent.children(recursive=True):
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:  # it has just ended
            continue
        if line.startswith("ray::PoolActor") or "spawn_main" in line or "LokyProcess" in line:
            found.append(process)
    return found
