"""Writes tagger/reading/words.txt: the words of the composed passages, by which hyphens at line ends are judged."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def main() -> None:
    lines = (ROOT / "corpora/composed/passages.jsonl").read_text(encoding="utf-8").splitlines()
    words = {word for line in lines for word in WORD.findall(json.loads(line)["text"].lower()) if len(word) > 2}
    (ROOT / "tagger/reading/words.txt").write_text("\n".join(sorted(words)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
