"""Write what the shipped model prints, scores and was taught into README.md and the datasheets.

    python experiments/pages.py

It fills the parts between ``<!-- name -->`` and ``<!-- end -->``, and the text blocks of the README. Tests hold the pages to it.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import tagger
from tagger.corpus import agreement, load
from tagger.themes import load_codebook

ROOT = Path(__file__).resolve().parent.parent
CODEBOOK = load_codebook(ROOT / "corpora/themes.toml")


def fill(page: str, name: str, lines: list[str]) -> str:
    """Put lines into a named part of a page."""
    part = re.compile(rf"<!-- {name} -->.*?<!-- end -->", re.DOTALL)
    if not part.search(page):
        raise SystemExit(f"no part named {name} in the page")
    return part.sub(lambda _: "\n".join([f"<!-- {name} -->", *lines, "<!-- end -->"]), page)


def figures() -> list[str]:
    """The headline and the table of the figures on countries never seen, from the model card."""
    card = tagger.load(ROOT / "models/default").model.card
    measured, compared = (card["measured"]["Countries never seen"][key] for key in ("figures", "compared"))
    held_out = card["measured"]["Held-out composed reports"]["figures"]
    low, high = measured["macro_interval"]
    without_errors, keywords, alone = (
        f"{compared[name]['macro_f1']:.2f}"
        for name in (
            "without passages written from errors on these countries",
            "keyword list (keywords.toml)",
            "the same features, the Mexico report alone",
        )
    )
    lines = [
        f"On {measured['passages']} real passages of {measured['documents']} countries, none of which it was trained on, macro-F1 is "
        f"{measured['macro_f1']:.2f} (95 % interval",
        f"{low:.2f} to {high:.2f}, bootstrap over countries). That is too good: features, word lists and settings were chosen with these",
        "passages in view, and some of what it learned was written from errors on them. Without what was written from errors it reaches",
        f"**{without_errors}**, and on {held_out['passages']} composed passages of documents held out **{held_out['macro_f1']:.2f}**:",
        "expect no more of a report of another country.",
        f"A keyword list reaches {keywords}, the same features taught by the Mexico report alone {alone}.",
        "",
        "| theme | precision | recall | F1 |",
        "|---|---|---|---|",
    ]
    return [*lines, *(f"| {t['theme']} | {t['precision']:.2f} | {t['recall']:.2f} | {t['f1']:.2f} |" for t in measured["themes"])]


def blocks(page: str) -> str:
    """Replace the README's text blocks by what its code before them and its first command print."""
    page = re.sub(
        r"(```python\n((?:(?!```).)*)```\n\n```text\n).*?```", lambda found: f"{found[1]}{printed(found[2])}```", page, flags=re.DOTALL
    )
    command = [sys.executable, "-m", "tagger", "tag", "corpora/mexico-2014/report.txt"]
    environment = {**os.environ, "COLUMNS": "120"}
    table = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()
    table = [line.rstrip() for line in table]
    start = next(number for number, line in enumerate(table) if "complicity continued" in line.replace("*", ""))
    counts = next(number for number, line in enumerate(table) if line.startswith(" section") and "passages" in line)
    shown = [*table[:5], "...", *table[start : start + 7], "...", *table[counts:]]
    text = "\n".join(shown) + "\n"
    return re.sub(r"(?<!```\n\n)```text\n.*?```", lambda _: f"```text\n{text}```", page, count=1, flags=re.DOTALL)


def printed(code: str) -> str:
    """What a program prints."""
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout


def compared(page: str, model: Path = ROOT / "models/default") -> list[str]:
    """The commands of the README that compare two reports, with what they print."""
    shown = re.search(r"<!-- compare -->\n```console\n(.*?)```", page, re.DOTALL)
    assert shown
    commands = [line for line in shown[1].splitlines() if line.startswith("$ ")]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "corpora").symlink_to(ROOT / "corpora")
        run = "\n".join(command.removeprefix("$ ") for command in commands)
        run = run.replace("tagger compare", f"{shlex.quote(sys.executable)} -m tagger compare --model {shlex.quote(str(model))}")
        done = subprocess.run(run, shell=True, cwd=folder, capture_output=True, text=True, check=True)
    lines = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    return ["```console", *commands, *lines, "```"]


def agreements(folder: Path) -> list[str]:
    """The agreement table of a corpus."""
    table, differences = agreement(folder, CODEBOOK.names)
    lines = ["| theme | Krippendorff's alpha | first | second | both |", "|---|---|---|---|---|"]
    lines += [f"| {t.theme} | {t.alpha:.3f} | {t.first} | {t.second} | {t.both} |" for t in table]
    return [*lines, "", f"They differ on {len(differences)} of the {table[0].passages} passages labelled twice."]


def documents(folder: Path) -> list[str]:
    """The size of a corpus and of its documents."""
    corpus = load(folder, CODEBOOK.names)
    spans: dict[str, list[str]] = {}
    for name, number in zip(corpus["document"], corpus["id"], strict=True):
        spans.setdefault(name, []).append(number)
    lines = [f"{len(corpus)} passages in {len(spans)} documents:", "", "| document | ids | passages |", "|---|---|---|"]
    return [*lines, *(f"| {name} | {ids[0]} to {ids[-1]} | {len(ids)} |" for name, ids in spans.items())]


def main() -> None:
    os.chdir(ROOT)
    for folder in (ROOT / "corpora/mexico-2014", ROOT / "corpora/composed"):
        sheet = folder / "README.md"
        page = sheet.read_text(encoding="utf-8")
        page = fill(page, "agreement", agreements(folder))
        if "<!-- documents -->" in page:
            page = fill(page, "documents", documents(folder))
        sheet.write_text(page, encoding="utf-8")
    readme = ROOT / "README.md"
    page = fill(readme.read_text(encoding="utf-8"), "figures", figures())
    readme.write_text(blocks(fill(page, "compare", compared(page))), encoding="utf-8")


if __name__ == "__main__":
    main()
