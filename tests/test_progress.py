"""The bar of `tagger tag`, on a terminal that is made for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")


def on_terminal(*arguments: object) -> str:
    """What a command says on standard error if that is a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tagger", "tag", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"})
    os.close(theirs)
    said = b""
    try:
        while more := os.read(ours, 1 << 16):
            said += more
    except OSError:  # the command has ended
        pass
    os.close(ours)
    assert process.wait() == 0
    return said.decode()


def test_progress_of_one_large_file_is_shown(root, tmp_path):
    lines = (root / "corpora/composed/passages.jsonl").read_text("utf-8").splitlines()
    text = "\n\n".join(json.loads(line)["text"] for line in lines)
    (tmp_path / "large.txt").write_text(text * (1 + 4_200_000 // len(text)), "utf-8")
    said = on_terminal(tmp_path / "large.txt", "-o", tmp_path / "t.jsonl")
    assert "Tagging" in said
    assert "passages/s" in said
    assert "files" not in said
    (tmp_path / "small.txt").write_text(text[:100_000], "utf-8")
    said = on_terminal(tmp_path / "small.txt", root / "corpora/mexico-2014/report.txt", "-o", tmp_path / "t.jsonl")
    assert "of 2 files, " in said


def test_progress_of_one_report_is_not_shown(report, tmp_path):
    assert "Tagging" not in on_terminal(report, "-o", tmp_path / "t.jsonl")


def test_progress_tells_how_much_of_a_file_was_read(root, tmp_path, monkeypatch):
    import tagger

    monkeypatch.setattr("tagger.reading.large.LEAST", 1)
    monkeypatch.setattr("tagger.reading.large.PART", 3000)
    monkeypatch.setattr("tagger.splitting.PART", 3000)
    for name in ("mexico-2014/report.txt", "mexico-2014/passages.jsonl"):
        told: list[int] = []
        path = root / "corpora" / name
        assert list(tagger.read_parts(path, told=told.append))
        assert len(set(told)) > 2
        assert told == sorted(told)
        assert told[-1] == path.stat().st_size
