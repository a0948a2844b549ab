"""Where time goes: a profile by cProfile, what libraries take counted to the function of tagger that called them."""

from __future__ import annotations

import cProfile
import pstats
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tagger

Function = tuple[str, int, str]
_PASSES = 60  # calls of libraries within libraries that are followed
_START = "start: imports"
_PACKAGE = Path(tagger.__file__).parent


def profiled(work: Callable[[], object]) -> Mapping[Function, Any]:
    """Profile a call."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return pstats.Stats(profile).stats  # type: ignore[attr-defined]


def read(path: Path) -> Mapping[Function, Any]:
    """Read what ``python -m cProfile -o`` wrote."""
    return pstats.Stats(str(path)).stats  # type: ignore[attr-defined]


def by_stage(stats: Mapping[Function, Any], *, functions: bool = False) -> dict[str, float]:
    """Seconds of each module of tagger, or of each of its ``functions``, the slowest first.

    Time in a library's function goes to those that called it, in the shares in which it was spent for them, until it comes to
    tagger's own.
    """
    owner = {function: _owner(function, functions) for function in stats}
    found: dict[str, float] = defaultdict(float)
    waiting = {}
    for function, (_, _, own, _, _) in stats.items():
        if owner[function]:
            found[owner[function]] += own
        else:
            waiting[function] = own
    for _ in range(_PASSES):
        passed: dict[Function, float] = defaultdict(float)
        for function, seconds in waiting.items():
            callers = {caller: spent[3] for caller, spent in stats[function][4].items() if caller != function}
            total = sum(callers.values())
            if not total:
                found["other"] += seconds
                continue
            for caller, spent in callers.items():
                if name := owner.get(caller, "other"):
                    found[name] += seconds * spent / total
                else:
                    passed[caller] += seconds * spent / total
        waiting = passed
    found["other"] += sum(waiting.values())
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _owner(function: Function, functions: bool) -> str:
    """The module of tagger, or its function; empty for a library's."""
    file, _, name = function
    if "importlib" in file:
        return _START
    if name == "<module>" or not Path(file).is_relative_to(_PACKAGE):
        return ""
    module = ".".join(Path(file).relative_to(_PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    return f"{module}.{name}" if functions and not name.startswith("<") else module
