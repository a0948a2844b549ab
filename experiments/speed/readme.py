"""Results -> the parts of README.md: the table of targets, what it was measured on, the profiles, and a billion passages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tagger.writing.whole import whole

HERE = Path(__file__).parent
_SHARD = 64  # megabytes of text
_PARQUET = 105  # bytes that a passage takes there; so for 10⁹ passages, gigabytes
_RECORD = 800  # bytes of a shard's record
_CORES = (64, 1000)
_SHOWN = 12  # stages of a profile


def write(folder: Path, results: Mapping[str, Any]) -> None:
    """Write results.json, and fill README.md if the folder has one."""
    _replace(folder / "results.json", json.dumps(results, indent=1) + "\n")
    page = folder / "README.md"
    if page.is_file():
        text = page.read_text(encoding="utf-8")
        for name, lines in parts(results).items():
            text = re.sub(
                rf"<!-- {name} -->.*?<!-- end -->",
                lambda _, name=name, lines=lines: "\n".join([f"<!-- {name} -->", *lines, "<!-- end -->"]),
                text,
                flags=re.DOTALL,
            )
        _replace(page, text)


def parts(results: Mapping[str, Any]) -> dict[str, list[str]]:
    """The named parts of the page."""
    found = {"table": table(results["rows"]), "about": about(results), "varied": varied(results["varied"])}
    if "profile" in results:
        found["profile"] = profile(results["profile"], _before())
    if measured := results["rows"]["command"].get("passages"):
        found["billion"] = billion(results["rows"]["command"], measured)
    return found


def table(rows: Mapping[str, Any]) -> list[str]:
    """A line a target."""
    lines = ["| work | tagger | against | ratio | of processor time | at least | aim | |", "|---|---|---|---|---|---|---|---|"]
    for row in rows.values():
        cells = [row["work"]]
        if "skipped" in row:
            cells += ["", "", f"not measured: {row['skipped']}", ""]
        else:
            low, high = row["spread"]
            spread = f" ({low:.3g} to {high:.3g})" if low != high else ""
            ratio, of_processor = f"**{row['ratio']:.3g}**{spread}", row.get("processor_ratio") or ""
            cells += [_amount(row["ours"]), _amount(row["theirs"]), ratio, str(of_processor)]
        cells += [f"{row['least']:g}", f"{row['aim']:g}", row.get("verdict", "")]
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"- {note}." for row in rows.values() for note in row.get("notes", ())]
    return [*lines, "", *notes]


def _amount(found: Mapping[str, Any]) -> str:
    if "bytes" in found:
        return f"{found['bytes'] / 1e6:,.0f} MB"
    return f"{found['median']:.3g} s ({found['low']:.3g} to {found['high']:.3g})"


def about(results: Mapping[str, Any]) -> list[str]:
    """The machine and the versions."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    before, after = machine["load"]
    busy = " **The machine was busy**: times are too long, and what two workers are worth can't be told." if max(before, after) > 2 else ""
    return [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB of memory, {machine['system']}; {versions}. "
        f"Processes that wanted a core: {before} at the start of the run, {after} at its end.{busy}"
    ]


def varied(statistics: Mapping[str, float]) -> list[str]:
    """How varied the passages are, beside the corpora that they are made of."""
    names = list(next(iter(statistics.values())))
    lines = [f"| | {' | '.join(statistics)} |", "|---|" + "---|" * len(statistics)]
    return [*lines, *(f"| {name} | {' | '.join(f'{found[name]:,}' for found in statistics.values())} |" for name in names)]


def profile(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Two tables of stages, slowest first, beside the same before the work on speed."""
    lines = []
    for name, found in now.items():
        old = before.get(name, {}).get("stages", {})
        lines += [f"{found['about']}:", "", "| stage | seconds | share | before: seconds | share |", "|---|---|---|---|---|"]
        for stage in list(found["stages"])[:_SHOWN]:
            lines.append(f"| {stage} | {_share(found['stages'], stage)} | {_share(old, stage)} |")
        gone = [stage for stage in list(old)[:_SHOWN] if stage not in list(found["stages"])[:_SHOWN]]
        lines += [f"| {stage} | {_share(found['stages'], stage)} | {_share(old, stage)} |" for stage in gone]
        old_sum = f"{sum(old.values()):.3g}" if old else ""
        lines += [f"| all | {sum(found['stages'].values()):.3g} | | {old_sum} | |", ""]
    return lines[:-1]


def _share(stages: Mapping[str, float], stage: str) -> str:
    seconds = stages.get(stage)
    return " | " if seconds is None else f"{seconds:.3g} | {seconds / sum(stages.values()):.0%}"


def _before() -> dict[str, Any]:
    path = HERE / "profile_before.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def billion(row: Mapping[str, Any], passages: int) -> list[str]:
    """What a billion passages would cost at the rate of the whole command."""
    seconds, read, written = row["ours"]["median"], row["bytes_read"], row["bytes_written"]
    times, shard = 1e9 / passages, _SHARD * 1e6 / read
    spent, shards = times * seconds, times / shard
    rows = [
        ("work", f"**{spent / 3600:.1f} core-hours**"),
        *((f"on {cores:,} cores", _time(spent / cores)) for cores in _CORES),
        ("read", f"{times * read / 1e9:,.0f} GB"),
        ("written", f"{times * written / 1e9:,.0f} GB of JSON Lines, or {_PARQUET:,} GB of Parquet"),
        *((f"storage, on {cores:,} cores", _storage(times, read, written, spent / cores)) for cores in _CORES),
        ("shards", f"{shards:,.0f} of {_SHARD} MB of text, {passages * shard:,.0f} passages, {_time(seconds * shard)} each"),
        ("through the scheduler", f"{shards * _RECORD / 1e6:.0f} MB of names, counts and errors: {_RECORD} bytes a shard"),
        ("memory", "110 MB a worker, to Parquet 200 MB: texts, tables and results go through in parts"),
        ("lost by a kill", "the shards in work, and at most a second or a hundredth of what was done"),
    ]
    return [
        f"The whole command does {passages / seconds:,.0f} passages a second on one core ({read / seconds / 1e6:.2g} MB). At that rate:",
        "",
        "| for 10⁹ passages | |",
        "|---|---|",
        *(f"| {what} | {cost} |" for what, cost in rows),
    ]


def _time(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _storage(times: float, read: float, written: float, seconds: float) -> str:
    rates = (times * read / 1e9 / seconds, times * written / 1e9 / seconds, _PARQUET / seconds)
    return "{:.2g} GB/s read, {:.2g} GB/s written (Parquet: {:.2g})".format(*rates)


def _replace(path: Path, text: str) -> None:
    with whole(path) as stream:
        stream.write(text.encode())
