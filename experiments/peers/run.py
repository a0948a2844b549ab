"""Measure tagger beside its peers on the same folds, each on one thread.

    python experiments/peers/run.py development path/to/development
    python experiments/peers/run.py aims path/to/sentences.csv

Figures go to ``results/``, and from there into README.md and its picture; what each said of every passage goes to ``predictions/``, which
stays out of the repository. With names of peers after the path only these are measured anew; what ``predictions/`` holds of the others is
taken over, and where it holds less than ``results/``, nothing is done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks import BENCHMARKS, Benchmark
from contenders import ALONE, OURS, TITLES, LearnedTuned, learner
from page import write_page
from rich.console import Console
from rich.progress import track
from threadpoolctl import threadpool_limits

import tagger
from tagger.corpus import label_matrix
from tagger.errors import TaggerError, TrainingError
from tagger.evaluation import Predictions, compare, holm, measure
from tagger.writing.whole import whole

HERE = Path(__file__).parent
PACKAGES = ("scikit-learn", "fasttext-numpy2", "spacy", "wordllama", "model2vec")


@dataclass(frozen=True)
class Run:
    """What a contender said, and what it cost: processor seconds to learn a split (everything chosen included), passages a second."""

    predictions: Predictions
    seconds: float
    speed: float
    chosen: Sequence[dict[str, Any]]
    """The parameters that were chosen, split by split."""
    made_by: Mapping[str, str]
    """The SHA-256 of the code and the versions of the packages that the run was made with; nothing of runs before these were kept."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**vars(self), "chosen": list(self.chosen), "made_by": dict(self.made_by), "predictions": self.predictions.to_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Run:
        """Read what `to_json` wrote."""
        return cls(Predictions.from_json(value["predictions"]), value["seconds"], value["speed"], value["chosen"], value.get("made_by", {}))


def contend(name: str, benchmark: Benchmark, model: Path | None) -> Run:
    """Let a contender learn and score every split."""
    contender = learner(name, benchmark, model)
    said, learning, scoring, chosen = [], [], [], []
    for train, test in benchmark.splits:
        start = time.process_time()
        learned = contender.learn(train)
        learning.append(time.process_time() - start)
        chosen += [dict(learned.chosen)] if isinstance(learned, LearnedTuned) else []
        times = []
        for _ in range(3):
            start = time.process_time()
            result = learned.predict(test)
            times.append(time.process_time() - start)
        scoring.append(min(times))
        said.append(result)
    tests = [test for _, test in benchmark.splits]
    predictions = Predictions(
        themes=benchmark.themes,
        ids=tuple(number for test in tests for number in test["id"]),
        documents=tuple(document for test in tests for document in test["document"]),
        fold=np.repeat(np.arange(len(tests)), [len(test) for test in tests]),
        labels=np.concatenate([label_matrix(test) for test in tests]),
        scores=np.concatenate([scores for scores, _ in said]),
        predicted=np.concatenate([predicted for _, predicted in said]),
        corpora=benchmark.corpora,
    )
    return Run(predictions, float(np.mean(learning)), len(predictions) / sum(scoring), chosen, {"code": code_digest(), **versions()})


def summarise(benchmark: Benchmark, runs: dict[str, Run], skipped: dict[str, str]) -> dict[str, Any]:
    """Return the figures of all contenders and how tagger, and tagger alone, differ from each, as plain values."""
    figures: dict[str, dict[str, Any]] = {}
    for name, run in runs.items():
        evaluation = measure(run.predictions)
        figures[name] = {
            "macro_f1": evaluation.macro["f1"].to_json(),
            "mean_average_precision": evaluation.macro["average_precision"].to_json(),
            "f1": {theme.theme: theme.figures["f1"].to_json() for theme in evaluation.themes},
            "seconds": round(run.seconds, 1),
            "passages_a_second": round(run.speed),
            "chosen": run.chosen,
            "made_by": run.made_by,
        }
    for one, key in ((OURS, "ours_less_this"), (ALONE, "alone_less_this")):
        for name, difference in differences(one, runs).items():
            figures[name][key] = difference
    ours = runs[OURS].predictions
    trained = [len(train) for train, _ in benchmark.splits]
    return {
        "corpora": dict(benchmark.corpora),
        "passages": len(ours),
        "documents": len(set(ours.documents)),
        "learned_from": round(float(np.mean(trained))),
        "splits": len(trained),
        "support": dict(zip(benchmark.themes, ours.labels.sum(axis=0).tolist(), strict=True)),
        "machine": machine(),
        "contenders": figures,
        "skipped": skipped,
    }


def differences(one: str, runs: dict[str, Run]) -> dict[str, dict[str, float]]:
    """Return the macro-F1 of one contender, if it took part, less that of each other that but tagger itself."""
    others = [name for name in runs if one in runs and name != one and name != OURS]
    macros = [compare(runs[name].predictions, runs[one].predictions).macro for name in others]
    return {
        name: {"value": macro.difference, "low": macro.interval[0], "high": macro.interval[1], "p": macro.p, "p_corrected": p}
        for name, macro, p in zip(others, macros, holm([macro.p for macro in macros]), strict=True)
    }


def machine() -> dict[str, Any]:
    """The processor and the versions that figures of speed hang on."""
    cpu = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")] if cpu.is_file() else []
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that contenders are made of."""
    return {"python": platform.python_version(), **{name: found for name in PACKAGES if (found := _version(name))}}


@cache
def code_digest() -> str:
    """SHA-256 of the code of all contenders: the modules of the package and those beside this file."""
    files = sorted([*Path(tagger.__file__).parent.rglob("*.py"), *HERE.glob("*.py")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _kept(path: Path, benchmark: Benchmark) -> Run | None:
    """An earlier run, if it was on the same passages."""
    if not path.is_file():
        return None
    run = Run.from_json(json.loads(path.read_text(encoding="utf-8")))
    return run if run.predictions.corpora == dict(benchmark.corpora) else None


def _check_kept(results: Path, predictions: Path, kept: Collection[str], names: Collection[str]) -> None:
    """Refuse to write over the figures of those that are neither to be measured nor kept."""
    published = json.loads(results.read_text(encoding="utf-8"))["contenders"] if results.is_file() else {}
    if lost := [name for name in published if name not in {*kept, *names, OURS}]:
        raise TrainingError(
            f"{results}: the figures of {', '.join(lost)} would be lost, since {predictions} has no predictions of these for the same "
            "passages: name these, too, or no peer at all"
        )


def _write(path: Path, value: dict[str, Any], indent: int | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as stream:
        stream.write((json.dumps(value, indent=indent) + "\n").encode())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument("path", type=Path, help="a folder with passages.jsonl, or a table of sentences")
    parser.add_argument("names", nargs="*", metavar="peer", help=f"of {', '.join(TITLES)}")
    parser.add_argument("--model", type=Path, help="a folder with a model for model2vec")
    parser.add_argument("--out", type=Path, default=HERE, help="where to write (default: beside this file)")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(TITLES):
        parser.error(f"unknown peer {min(unknown)!r}: choose from {', '.join(TITLES)}")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        with threadpool_limits(1):
            _measure(options)
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from error


def _measure(options: argparse.Namespace) -> None:
    benchmark = BENCHMARKS[options.benchmark](options.path)
    paths = {name: options.out / "predictions" / options.benchmark / f"{name}.json" for name in TITLES}
    results = options.out / "results" / f"{options.benchmark}.json"
    others = [name for name in TITLES if name not in options.names] if options.names else []
    kept = {name: run for name in others if (run := _kept(paths[name], benchmark))}
    if options.names:
        _check_kept(results, paths[OURS].parent, kept, options.names)
    runs, skipped = {}, {}
    for name in track(TITLES, "Peers", console=Console(stderr=True), transient=True):
        if name in others and name not in kept and name != OURS:
            continue
        try:
            runs[name] = kept.get(name) or contend(name, benchmark, options.model)
        except ImportError as error:
            skipped[name] = f"{error.name} is not installed: pip install '.[peers]'"
        except TrainingError as error:
            if name == OURS:
                raise
            skipped[name] = str(error)
        else:
            _write(paths[name], runs[name].to_json())
    _write(results, summarise(benchmark, runs, skipped), indent=1)
    write_page(options.out)


if __name__ == "__main__":
    main()
