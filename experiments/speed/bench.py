"""tagger's speed and memory against its targets, in one run: python experiments/speed/bench.py, or make bench.

Everything runs pinned to one core (Linux only), but for two workers; rounds are in turn. The table is printed, and goes with all figures
into results.json and README.md. A library that is not installed is passed over; `pip install '.[train,peers]'` brings all.

    python experiments/speed/bench.py --quick --out /tmp    # a small run in seconds, for a look
    python experiments/speed/bench.py --profile --large     # with profiles, and memory up to 1 GB
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import profiles
import readme
from processes import Cost, Costs, NotMeasuredError, call, in_turn, process
from rivals import Rivals, Score, plain
from varied import distinct, statistics, varied, write_report

import tagger
from tagger.corpus import label_matrix, load
from tagger.errors import TaggerError
from tagger.themes import load_codebook

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGES = ("tagger", "numpy", "scikit-learn", "fasttext-numpy2", "spacy", "sentencex", "joblib")
CHUNK = 50_000
_UNLIMITED = [part for name in ("size", "characters", "passages") for part in ("--limit", f"{name}=1000G")]
_COLD = """
import json, sys, time, tagger
texts, opened = json.load(open(sys.argv[1])), tagger.load(sys.argv[2])
start = time.perf_counter()
opened.scores(texts)
print(time.perf_counter() - start, file=open(sys.argv[3], "w"))
"""


@dataclass(frozen=True)
class Scale:
    """How much is measured: passages scored, megabytes tagged (whole command; small and large for memory; by workers), rounds."""

    corpora: tuple[str, ...] = ("mexico-2014", "composed")
    passages: int = 50_000
    command: float = 100
    memory: tuple[float, float] = (30, 300)
    files: int = 256
    workers: float = 256
    profile: tuple[int, float] = (20_000, 5)
    rounds: int = 7


QUICK = Scale(("mexico-2014",), 300, 0.05, (0.05, 0.1), 4, 0.05, (100, 0.02), 1)


@dataclass(frozen=True)
class Target:
    """What is demanded of a ratio; a ``share`` is to be small, else it is to be large."""

    work: str
    least: float
    aim: float
    share: bool = False

    def verdict(self, ratio: float) -> str:
        """Say plainly whether it is met."""
        sign = -1 if self.share else 1
        return "aim met" if sign * ratio >= sign * self.aim else "met" if sign * ratio >= sign * self.least else "**not met**"

    def row(self, ours: Costs, theirs: Costs, **more: Any) -> dict[str, Any]:
        """A row of the table of times: medians, the ratio, and the least and largest ratio of a round."""
        pairs = list(zip(ours.rounds, theirs.rounds, strict=True))
        ratio = self._ratio(ours.seconds, theirs.seconds)
        spread = sorted(self._ratio(one.seconds, other.seconds) for one, other in pairs)
        return {
            **self.about(),
            "ours": _seconds(ours),
            "theirs": _seconds(theirs),
            "ratio": _digits(ratio),
            "spread": [_digits(spread[0]), _digits(spread[-1])],
            "processor_ratio": _digits(self._ratio(ours.processor, theirs.processor)),
            "verdict": self.verdict(ratio),
            **more,
        }

    def about(self) -> dict[str, Any]:
        return {"work": self.work, "least": self.least, "aim": self.aim}

    def _ratio(self, ours: float, theirs: float) -> float:
        return ours / theirs if self.share else theirs / ours


def _digits(number: float) -> float:
    return float(f"{number:.3g}")


def _seconds(costs: Costs) -> dict[str, Any]:
    taken = [cost.seconds for cost in costs.rounds]
    return {"median": _digits(costs.seconds), "low": _digits(min(taken)), "high": _digits(max(taken)), "rounds": costs.to_json()}


class Bench:
    """One run: what all rows share, and a method a group of rows."""

    def __init__(self, scale: Scale, model: Path, folder: Path) -> None:
        self.scale, self.model, self.folder = scale, model, folder
        self.cores = sorted(os.sched_getaffinity(0))
        self.core = self.cores[-1:]
        os.sched_setaffinity(0, self.core)
        names = load_codebook(ROOT / "corpora/themes.toml").names
        corpora = [load(ROOT / "corpora" / name, names) for name in scale.corpora]
        self.taught = [text for corpus in corpora for text in corpus["text"]]
        self.rivals = Rivals(self.taught, np.concatenate([label_matrix(corpus) for corpus in corpora]))
        self.tagger = tagger.load(model)
        self.passages = distinct(varied(self.taught), scale.passages)
        self.file = folder / "passages.json"
        self.file.write_text(json.dumps(self.passages), encoding="utf-8")

    @cached_property
    def scikit_learn(self) -> Score:
        return self.rivals.scikit_learn()

    def rows(self) -> dict[str, dict[str, Any]]:
        """All rows of the table, each said on standard error when it is done."""
        found: dict[str, dict[str, Any]] = {}
        for group in (self.scores, self.start, self.command, self.memory, self.workers):
            made = group()
            for row in made.values():
                said = f"not measured: {row['skipped']}" if "skipped" in row else f"{row['ratio']} {row['verdict']}"
                print(f"{row['work']}: {said}", file=sys.stderr)
            found |= made
        return found

    def scores(self) -> dict[str, dict[str, Any]]:
        """`Tagger.scores` and all libraries in turn, on the same passages."""
        count = f"`Tagger.scores` of {len(self.passages):,} varied passages against "
        targets = {
            "scikit_learn": Target(f"{count}scikit-learn, TF-IDF (1,2) and one-vs-rest logistic regression", 5, 10),
            "fasttext": Target(f"{count}fastText, words and pairs", 1, 2),
            "spacy": Target(f"{count}spaCy's bag-of-words textcat", 10, 20),
        }
        made = {"fasttext": [plain(text) for text in self.passages]}
        works: dict[str, Callable[[], Cost]] = {"tagger": partial(call, partial(self.tagger.scores, self.passages)), "cold": self._cold}
        skipped = {}
        for name in targets:
            try:
                score = self.scikit_learn if name == "scikit_learn" else getattr(self.rivals, name)()
            except ImportError as error:
                skipped[name] = f"{error.name} is not installed: pip install '.[peers]'"
            else:
                works[name] = partial(call, partial(score, made.get(name, self.passages)))
        costs = in_turn(works, self.scale.rounds)
        rows = {
            name: {**target.about(), "skipped": skipped[name]} if name in skipped else target.row(costs["tagger"], costs[name])
            for name, target in targets.items()
        }
        if "scikit_learn" in costs:
            cold, warm = costs["cold"].seconds, costs["tagger"].seconds
            rows["scikit_learn"]["first_call"] = _seconds(costs["cold"])
            rows["scikit_learn"]["notes"] = [
                f"`Tagger.scores`: {len(self.passages) / warm:,.0f} passages a second; the first call of a fresh process, with nothing "
                f"remembered, takes {cold:.3g} s, **{costs['scikit_learn'].seconds / cold:.3g}** times as fast as scikit-learn warm"
            ]
        return rows

    def _cold(self) -> Cost:
        """The first call in a process of its own; what the process does before is not counted."""
        out = self.folder / "cold.txt"
        cost = process([sys.executable, "-c", _COLD, self.file, self.model, out], self.core)
        return replace(cost, seconds=float(out.read_text()))

    def start(self) -> dict[str, dict[str, Any]]:
        """One report against nothing but the import of scikit-learn."""
        report = self._tag(ROOT / "corpora/mexico-2014/report.txt")
        imports = [sys.executable, "-c", "import sklearn.feature_extraction.text, sklearn.linear_model"]
        works = {"ours": partial(process, report, self.core), "theirs": partial(process, imports, self.core)}
        costs = in_turn(works, self.scale.rounds)
        target = Target("`tagger tag` of one report, whole process, in the time of importing scikit-learn", 0.5, 0.3, share=True)
        return {"start": target.row(costs["ours"], costs["theirs"])}

    def command(self) -> dict[str, dict[str, Any]]:
        """The whole command on one large text against scikit-learn's scoring of the passages that the command cut."""
        size = self.scale.command
        work = f"`tagger tag` of {size:g} MB of text to JSON Lines, whole process, against scikit-learn's scoring alone"
        target = Target(work, 1, 3)
        source, out = self.folder / "report.txt", self.folder / "report.jsonl"
        write_report(source, varied(self.taught, seed=1), size)
        command = self._tag(source, out)
        try:
            process(command, self.core)
            with out.open(encoding="utf-8") as lines:
                texts = [json.loads(line)["text"] for line in lines]
            alone = partial(_in_chunks, self.scikit_learn, texts)
            costs = in_turn({"ours": partial(process, command, self.core), "theirs": partial(call, alone)}, self.scale.rounds, warm=False)
        except NotMeasuredError as error:
            return {"command": {**target.about(), "skipped": str(error)}}
        seconds, bytes_read = _digits(costs["ours"].seconds), source.stat().st_size
        more = {"passages": len(texts), "bytes_read": bytes_read, "bytes_written": out.stat().st_size}
        notes = [f"`tagger tag`: {len(texts):,} passages, {len(texts) / seconds:,.0f} and {bytes_read / 1e6 / seconds:.3g} MB a second"]
        return {"command": target.row(costs["ours"], costs["theirs"], **more, notes=notes)}

    def memory(self) -> dict[str, dict[str, Any]]:
        """Peak memory of the same command on a text and on a larger one."""
        small, large = self.scale.memory
        target = Target(f"peak memory of `tagger tag` of {large:g} MB against {small:g} MB", 1.1, 1.0, share=True)
        source, out, costs = self.folder / "large.txt", self.folder / "large.jsonl", []
        try:
            for size in (small, large):
                write_report(source, varied(self.taught, seed=2), size)
                costs.append(process(self._tag(source, out), self.core))
                out.unlink()
        except NotMeasuredError as error:
            return {"memory": {**target.about(), "skipped": f"with {size:g} MB {error}"}}
        ratio = round(costs[1].peak / costs[0].peak, 2)
        found = [{"bytes": cost.peak, "seconds": _digits(cost.seconds)} for cost in costs[::-1]]
        row = {"ours": found[0], "theirs": found[1], "ratio": ratio, "spread": [ratio, ratio], "verdict": target.verdict(ratio)}
        return {"memory": {**target.about(), **row}}

    def workers(self) -> dict[str, dict[str, Any]]:
        """Two worker processes on two cores against one on one."""
        target = Target("two worker processes on two cores against one", 1.7, 1.9)
        if len(self.cores) < 2:
            return {"workers": {**target.about(), "skipped": "there is one core only"}}
        shards = self.folder / "shards"
        outs = iter(self.folder / f"out{number}" for number in range(1_000))
        shards.mkdir()
        passages = varied(self.taught, seed=3)
        for number in range(self.scale.files):
            write_report(shards / f"{number:04d}.txt", passages, self.scale.workers / self.scale.files)
        notes = [f"Workers: `tagger tag FOLDER --jobs`, {self.scale.files} files of {self.scale.workers / self.scale.files:g} MB"]

        def work(jobs: int) -> Cost:
            return process([*self._tag(shards), "-o", f"{next(outs)}/", "--jobs", str(jobs)], self.cores[-jobs:])

        try:
            costs = in_turn({"two": partial(work, 2), "one": partial(work, 1)}, self.scale.rounds, warm=False)
        except NotMeasuredError as error:
            return {"workers": {**target.about(), "skipped": str(error)}}
        return {"workers": target.row(costs["two"], costs["one"], processor_ratio=None, notes=notes)}

    def profile(self) -> dict[str, Any]:
        """Where the time of `Tagger.scores` and of the whole command goes."""
        passages, size = self.scale.profile
        texts = list(islice(varied(self.taught, seed=4), passages))
        self.tagger.scores(texts)
        scores = profiles.profiled(partial(self.tagger.scores, texts))
        source, out, kept = self.folder / "profile.txt", self.folder / "profile.jsonl", self.folder / "profile.prof"
        write_report(source, varied(self.taught, seed=5), size)
        process([sys.executable, "-m", "cProfile", "-o", kept, *self._tag(source, out)[1:]], self.core)
        return {
            "scores": {"about": f"`Tagger.scores` of {passages:,} passages", "stages": _rounded(profiles.by_stage(scores, functions=True))},
            "command": {"about": f"`tagger tag` of {size:g} MB, whole process", "stages": _rounded(profiles.by_stage(profiles.read(kept)))},
        }

    def _tag(self, source: Path, out: Path | None = None) -> list[str]:
        command = [sys.executable, "-m", "tagger", "tag", str(source), "--model", str(self.model)]
        return command if out is None else [*command, "-o", str(out), *_UNLIMITED]


def _rounded(stages: dict[str, float]) -> dict[str, float]:
    return {name: round(seconds, 4) for name, seconds in stages.items() if seconds >= 0.0005}


def _in_chunks(score: Score, texts: Sequence[str]) -> None:
    for start in range(0, len(texts), CHUNK):
        score(texts[start : start + CHUNK])


def machine(load: Sequence[float]) -> dict[str, Any]:
    """What the figures hang on."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.split(":")[1].strip() for line in cpu if line.startswith("model name")]
    versions = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9),
        "system": platform.system(),
        "load": [round(number, 1) for number in load],
        "versions": versions,
    }


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def number(text: str) -> float:
        if not (found := kind(text)) > 0:
            raise argparse.ArgumentTypeError(f"{text}: must be above 0")
        return found

    return number


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small run, whose figures mean nothing")
    parser.add_argument("--large", action="store_true", help="peak memory with 100 MB and 1 GB, not 30 and 300 MB")
    parser.add_argument("--profile", action="store_true", help="also where the time goes")
    parser.add_argument("--megabytes", type=_positive(float), help="size of the text that the whole command tags (default: 100)")
    parser.add_argument("--rounds", type=_positive(int), help="rounds of each work (default: 7)")
    parser.add_argument("--model", type=Path, default=ROOT / "models/default", help="folder of a model (default: the shipped one)")
    parser.add_argument("--out", type=Path, default=HERE, help="where to write (default: beside this file)")
    options = parser.parse_args(arguments)
    if not hasattr(os, "sched_setaffinity"):
        parser.error("processes can be pinned to a core on Linux only")
    if not options.out.is_dir():
        parser.error(f"--out {options.out}: no such folder: make it first")
    scale = QUICK if options.quick else Scale()
    scale = replace(
        scale,
        command=options.megabytes or scale.command,
        rounds=options.rounds or scale.rounds,
        memory=(100, 1000) if options.large else scale.memory,
    )
    try:
        _measure(scale, options)
    except (TaggerError, NotMeasuredError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from error


def _measure(scale: Scale, options: argparse.Namespace) -> None:
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(scale, options.model.resolve(), Path(folder))
        results: dict[str, Any] = {"scale": asdict(scale), "rows": bench.rows()}
        if options.profile:
            results["profile"] = bench.profile()
        results["varied"] = {"benchmark": statistics(bench.passages), "corpora": statistics(bench.taught)}
    results["machine"] = machine((before, os.getloadavg()[0]))
    readme.write(options.out, results)
    for lines in readme.parts(results).values():
        print("\n".join(lines), end="\n\n")


if __name__ == "__main__":
    main()
