"""Folders of many files, by processes and clusters that are really started, and really killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from clusters import cluster, working

from tagger import bundle, storage
from tagger.errors import InputError, ModelError, OutputError, TaggerError
from tagger.reading import Limits
from tagger.scaling import MANIFEST, Manifest, Settings, digest, engine, plan, run, tag_shard
from tagger.storage import Input, find_inputs
from tagger.writing.whole import passing_name


@pytest.fixture(scope="module")
def texts(root):
    lines = (root / "corpora/composed/passages.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


@pytest.fixture(scope="module")
def folder(texts, tmp_path_factory):
    """Forty reports of 20 to 400 passages, in two folders."""
    made, dice = tmp_path_factory.mktemp("reports"), random.Random(1)
    (made / "sub").mkdir()
    for number in range(40):
        chosen = dice.sample(texts, dice.choice([20, 100, 400]))
        (made / ("sub" if number % 3 == 0 else "") / f"r{number:02}.txt").write_text("\n\n".join(chosen), encoding="utf-8")
    return made


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tagger", "tag", *map(str, arguments)]


def tag(*arguments: object, code: int = 0) -> list[str]:
    """Run the command; the lines of its standard error."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def contents(out: Path) -> dict[str, bytes]:
    """All files but the manifest, and what writers left that were killed just now."""
    found = [p for p in out.rglob("*") if p.is_file() and p.parent.name != MANIFEST and not p.name.startswith(".tagger-")]
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in found}


def records(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for part in sorted((out / MANIFEST).iterdir()) for line in part.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def expected(folder, tmp_path_factory):
    """What one process makes of the folder."""
    out = tmp_path_factory.mktemp("expected")
    tag(folder, "-o", out)
    return contents(out)


@pytest.fixture
def settings(default_tagger, tmp_path):
    def make(out: object = tmp_path / "out", **others: object) -> Settings:
        return Settings(str(out), digest(default_tagger), **others)

    return make


def work(inputs: list[object], settings: Settings) -> tuple[list[str], list[str]]:
    """Do what is to be done: the shards that were made now and those that were there already."""
    planned = plan(find_inputs(list(map(str, inputs)), without=settings.out), settings)
    with engine("processes"):
        made = list(run(planned.todo, settings, jobs=1))
    return sorted(record.shard for record in made), sorted(record.shard for record in planned.done)


def test_scaling_a_shard_holds_what_one_file_would(folder, expected, tmp_path):
    tag(folder / "r01.txt", "-o", tmp_path / "one.jsonl")
    assert expected["r01.jsonl"] == (tmp_path / "one.jsonl").read_bytes()
    assert len(expected) == 40
    assert "sub/r03.jsonl" in expected


def test_scaling_two_processes_write_the_same_bytes(folder, expected, tmp_path):
    said = tag(folder, "-o", f"{tmp_path}/out/", "--jobs", 2)
    assert contents(tmp_path / "out") == expected
    assert said[0].startswith(f"{tmp_path}/out: 40 files, ")
    assert sum(record["passages"] for record in records(tmp_path / "out")) == sum(lines.count(b"\n") for lines in expected.values())


def test_scaling_a_second_run_has_nothing_to_do(report, tmp_path, settings):
    shutil.copy(report, tmp_path / "a.txt")
    shutil.copy(report, tmp_path / "b.md")
    inputs = [tmp_path / "a.txt", tmp_path / "b.md"]
    assert work(inputs, settings()) == (["a.jsonl", "b.jsonl"], [])
    assert work(inputs, settings()) == ([], ["a.jsonl", "b.jsonl"])


def test_scaling_does_anew_what_is_not_as_it_was(report, tmp_path, settings):
    changed, same = tmp_path / "changed.txt", tmp_path / "same.txt"
    shutil.copy(report, changed)
    shutil.copy(report, same)
    everything = ["changed.jsonl", "same.jsonl"]
    assert work([changed, same], settings())[0] == everything
    changed.write_text("Police officers accepted bribes from traffickers.\n", encoding="utf-8")
    assert work([changed, same], settings()) == (["changed.jsonl"], ["same.jsonl"])
    assert len(contents(tmp_path / "out")["changed.jsonl"].splitlines()) == 1
    (tmp_path / "out" / "same.jsonl").write_text("cut short")
    assert work([changed, same], settings()) == (["same.jsonl"], ["changed.jsonl"])
    assert work([changed, same], settings(filters={"only_tagged": True}))[0] == everything


def test_scaling_another_model_makes_everything_anew(report, default_model, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    bundle.save(replace(default_model, intercepts=default_model.intercepts + 1), other, readme="Another model.")
    tag(report, "-o", f"{out}/")
    first = contents(out)
    said = tag(report, "-o", out, "--model", other)
    assert len(said) == 1
    assert contents(out) != first
    assert len({record["made_with"]["model"] for record in records(out)}) == 2
    assert tag(report, "-o", out, "--model", other)[0] == "note: done already: 1 of 1 input"


def test_scaling_names_bad_files_and_tags_the_others(report, tmp_path):
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    shutil.copy(report, inputs / "good.txt")
    (inputs / "binary.txt").write_bytes(b"\x7fELF\0\0")
    for _ in range(2):
        said = tag(inputs, tmp_path / "missing.txt", "-o", f"{out}/", "--jobs", 2, code=1)
        assert f"error: {tmp_path}/missing.txt: no such file" in said
        assert said[-1] == f"error: 2 inputs could not be read, the others were tagged: {inputs}/binary.txt, {tmp_path}/missing.txt"
    assert list(contents(out)) == ["good.jsonl"]
    assert [record["shard"] for record in records(out) if record["error"]].count("binary.jsonl") == 2


def test_scaling_tells_of_results_whose_inputs_are_gone(report, tmp_path):
    inputs, out = tmp_path / "in", tmp_path / "in" / "out"
    inputs.mkdir()
    shutil.copy(report, inputs / "a.txt")
    tag(inputs, "-o", f"{out}/", "--format", "md")
    (inputs / "a.txt").rename(inputs / "b.txt")
    assert tag(inputs, "-o", out, "--format", "md")[0] == f"note: {out} holds 1 file of inputs that are not among these: a.md"
    assert sorted(contents(out)) == ["a.md", "b.md"]


def test_scaling_filters_hold_for_shards(report, tmp_path):
    tag(report, "-o", f"{tmp_path}/out/", "--theme", "complicity")
    found = [json.loads(line) for line in (tmp_path / "out/report.jsonl").read_text(encoding="utf-8").splitlines()]
    assert found
    assert all("complicity" in line["labels"] for line in found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "o.jsonl", "--jobs", "2"], "needs a folder to write into"),
        (["-o", "o/", "--format", "docx"], "'docx' is unknown"),
        (["-o", "o/", "--backend", "dask"], "dask needs --scheduler"),
        (["-o", "o/", "--scheduler", "tcp://x:1"], "needs --backend dask or --backend ray"),
        (["-o", "o/", "--backend", "ray", "--jobs", "2"], "all workers are used"),
    ],
)
def test_scaling_options_that_do_not_go_together(report, tmp_path, arguments, message):
    done = subprocess.run(command(report, *arguments), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())


def test_scaling_refuses_what_can_not_be_a_shard(report, tmp_path, settings):
    for address in ("-", "https://example.org/report.html"):
        with pytest.raises(InputError, match="can't be tagged into a folder"):
            find_inputs([address], without=str(tmp_path / "out"))
    (tmp_path / "out").mkdir()
    shutil.copy(report, tmp_path / "out")
    with pytest.raises(InputError, match="is all that there is to read"):
        find_inputs([str(tmp_path / "out")], without=str(tmp_path / "out"))
    twice = [Input("/a/x.txt", "../x"), Input("/b/x.txt", "x")]
    with pytest.raises(OutputError, match=r"would be written to x\.jsonl, and /a/x\.txt would be too"):
        plan(twice, settings())
    with pytest.raises(OutputError, match="the manifest's place"):
        plan([Input("/a/x.txt", f"{MANIFEST}/x")], settings())
    (tmp_path / "out" / MANIFEST).mkdir()
    (tmp_path / "out" / MANIFEST / "1.json").write_text("{}\n")
    with pytest.raises(OutputError, match="no manifest of this version"):
        plan([], settings())


def test_scaling_a_worker_with_another_model_or_version_stops_the_run(report, settings):
    item = Input(str(report), "report")
    with pytest.raises(ModelError, match="a worker has tagger"):
        tag_shard(item, "report.jsonl", replace(settings(), version="0"))
    with pytest.raises(ModelError, match="another one where a worker runs"):
        tag_shard(item, "report.jsonl", replace(settings(), digest="0"))


def test_scaling_a_full_disk_stops_the_run_and_what_is_done_stays(report, tmp_path, settings):
    (tmp_path / "a.txt").write_bytes(report.read_bytes())
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "b.txt").write_bytes(report.read_bytes())
    made = settings()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").write_text("a file where a folder is to be")
    with pytest.raises(OutputError, match="can't be made"):
        list(run([(Input(str(tmp_path / "a.txt"), "a"), "a.jsonl"), (Input(str(tmp_path / "b/b.txt"), "b"), "sub/b.jsonl")], made, jobs=1))
    assert [record["shard"] for record in records(tmp_path / "out")] == ["a.jsonl"]


def test_scaling_the_manifest_is_written_in_whole_files(tmp_path, report, settings):
    item, made = Input(str(report), "report", 1, "2"), settings()
    manifest = Manifest(made.out)
    record = tag_shard(item, "report.jsonl", made)
    manifest.add(record)
    assert not (tmp_path / "out" / MANIFEST).exists()
    manifest.flush()
    manifest.flush()
    assert len(list((tmp_path / "out" / MANIFEST).iterdir())) == 1
    assert plan([item], made).done == [record]


def test_scaling_reads_large_files_of_shared_storage_part_by_part(report, tmp_path, settings):
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    large = tmp_path / "large"
    large.write_bytes((report.read_bytes() + b"\n\n") * (1 + (4 << 20) // report.stat().st_size))
    (tmp_path / "large.html").write_bytes(b"<html><body>" + large.read_bytes())
    limits = Limits(size=4 << 20)
    by_path = tag_shard(Input(str(large), "large"), "path.jsonl", settings(limits=limits))
    assert by_path.error is None
    by_address = tag_shard(Input(large.as_uri(), "large"), "address.jsonl", settings(limits=limits))
    assert (by_address.passages, by_address.themes) == (by_path.passages, by_path.themes)
    assert "is larger than 4 MiB" in tag_shard(Input(large.as_uri(), "large"), "large.html", settings(limits=limits, format=".html")).error
    assert "is larger than 4 MiB" in tag_shard(Input(f"{large.as_uri()}.html", "p"), "p.jsonl", settings(limits=limits)).error


def test_scaling_removes_only_what_own_writers_of_old_left(report, tmp_path, settings):
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    kept = [".draft.tmp", ".a.jsonl-abc.tmp", passing_name(), f"sub/{passing_name()}", ".tagger-1700000000.tmp"]
    gone = [".tagger-1700000000-0123456789abcdef.tmp", "sub/.tagger-1700000000-0123456789abcdef.tmp"]
    for name in kept + gone:
        (out / name).write_text("mine")
    assert work([report], settings()) == (["report.jsonl"], [])
    assert [name for name in kept + gone if (out / name).exists()] == kept


def test_scaling_two_runs_beside_each_other_both_end_well(folder, expected, tmp_path):
    runs = [subprocess.Popen(command(folder, "-o", f"{tmp_path}/out/"), stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=180)[1] for process in runs]
    assert [process.returncode for process in runs] == [0, 0], said
    assert contents(tmp_path / "out") == expected


def test_scaling_a_manifest_with_files_of_others_is_read(report, tmp_path, settings):
    work([report], settings())
    (tmp_path / "out" / MANIFEST / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (tmp_path / "out" / MANIFEST / passing_name()).write_bytes(b"{")
    assert work([report], settings()) == ([], ["report.jsonl"])


def test_scaling_shortens_names_that_are_too_long_for_files(report, tmp_path, settings):
    inputs = tmp_path / "in"
    inputs.mkdir()
    names = ["a" * 245, "a" * 251, "b" * 251, "\u0436" * 125, "z"]
    for name in names:
        shutil.copy(report, inputs / f"{name}.txt")
    for ending in (".jsonl", ".parquet"):
        made = settings(tmp_path / ending[1:], format=ending)
        shards = work([inputs], made)[0]
        assert sorted(contents(tmp_path / ending[1:])) == shards
        assert all(shard.startswith(name[:100]) for shard, name in zip(shards, sorted(names), strict=True))
        assert work([inputs], made) == ([], shards)


def test_scaling_shared_storage_is_read_and_written(report, settings):
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    memory = fsspec.filesystem("memory")
    try:
        for name in ("a.txt", "sub/b.txt", "sub/.hidden.txt", "table.jsonl", "bad.txt"):
            memory.pipe_file(f"/reports/{name}", report.read_bytes() if name != "bad.txt" else b"\x7fELF\0\0")
        memory.pipe_file("/reports/tags/.tagger-1700000000-0123456789abcdef.tmp", b"of a writer that was killed")
        made = settings(storage.absolute("memory://reports/tags/"))
        assert work(["memory://reports"], made) == (["a.jsonl", "bad.jsonl", "sub/b.jsonl"], [])
        assert work(["memory://reports"], made) == (["bad.jsonl"], ["a.jsonl", "sub/b.jsonl"])
        assert memory.cat_file("/reports/tags/a.jsonl").count(b"\n") == 112
        assert [path for path in memory.find("/reports/tags") if MANIFEST not in path] == [
            "/reports/tags/a.jsonl",
            "/reports/tags/sub/b.jsonl",
        ]
        single = tag_shard(find_inputs(["memory://reports/gone.txt"], without=made.out)[0], "gone.jsonl", made)
        assert single.error == "memory://reports/gone.txt: no such file, nor a folder with a file of a known format"
        assert tag_shard(Input("memory://reports/bad.txt", "bad"), "bad.jsonl", made).error.startswith(
            "memory://reports/bad.txt: is a binary file"
        )
        memory.pipe_file("/reports/a.txt", b"Police officers accepted bribes from traffickers.")
        assert work(["memory://reports"], made)[0] == ["a.jsonl", "bad.jsonl"]
    finally:
        memory.rm("/reports", recursive=True)
    with pytest.raises(TaggerError, match="nowhere://x: the storage can't be used"):
        storage.absolute("nowhere://x")


def test_scaling_killed_at_any_moment_a_run_goes_on_to_the_same_bytes(folder, expected, tmp_path):
    out = tmp_path / "out"
    again = command(folder, "-o", f"{out}/", "--jobs", 2)
    for end in (os.kill, os.killpg, os.killpg):  # first the workers live on for a while
        process = subprocess.Popen(again, stderr=subprocess.DEVNULL, start_new_session=True)
        with suppress(subprocess.TimeoutExpired):
            process.wait(random.uniform(0.4, 1.6))
        if process.poll() is None:
            end(process.pid, signal.SIGKILL)
            process.wait()
    tag(folder, "-o", f"{out}/", "--jobs", 2)
    assert contents(out) == expected
    assert sorted({record["shard"] for record in records(out)}) == sorted(expected)


def test_scaling_a_killed_process_ends_the_run_with_a_line(folder, expected, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(command(folder, "-o", f"{out}/", "--jobs", 2), stderr=subprocess.PIPE, text=True)
    while not list(out.glob("*.jsonl")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    working(psutil.Process(process.pid))[0].kill()
    said = process.communicate(timeout=180)[1]
    assert process.returncode == 1
    assert said.startswith("error: workers were lost (TerminatedWorkerError: ")
    assert said.endswith("run the same command again to go on from here\n")
    tag(folder, "-o", f"{out}/")
    assert contents(out) == expected


def test_scaling_shows_progress_on_a_terminal(report, tmp_path):
    pty = pytest.importorskip("pty", reason="there are no terminals here")
    screen, terminal = pty.openpty()
    subprocess.run(command(report, "-o", f"{tmp_path}/out/"), stderr=terminal, check=True)
    seen = os.read(screen, 10_000)
    assert b"Tagging" in seen
    assert b"passages/s" in seen
    assert b"passages/s" in seen
    os.close(screen)
    os.close(terminal)


@pytest.mark.parametrize("kind", ["dask", "ray"])
def test_scaling_a_cluster_whose_worker_is_killed_makes_it_whole(folder, expected, tmp_path, kind, monkeypatch):
    pytest.importorskip({"dask": "distributed", "ray": "ray"}[kind], reason=f"{kind} is not installed: pip install '.[cluster]'")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", uuid.uuid4().hex)
    with cluster(kind) as (address, parent):
        arguments = command(folder, "-o", f"{tmp_path}/out/", "--backend", kind, "--scheduler", address)
        process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
        while len(list((tmp_path / "out").glob("*.jsonl"))) < 3:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        working(parent)[0].kill()
        assert len(list((tmp_path / "out").rglob("*.jsonl"))) < 40
        said = process.communicate(timeout=180)[1]
        assert process.returncode == 0, said
    assert contents(tmp_path / "out") == expected
    assert len(records(tmp_path / "out")) == 40


def test_scaling_says_which_sections_no_passage_lies_in(root, tmp_path):
    for name, section in (("a", "Prosecution"), ("b", "Prevention")):
        (tmp_path / f"{name}.txt").write_text(f"{section}\n\nPolice officers accepted bribes from traffickers.\n", encoding="utf-8")
    options = (tmp_path / "a.txt", tmp_path / "b.txt", "-o", f"{tmp_path / 'out'}/", "--section", "prevention", "--section", "Protection")
    for _ in range(2):  # the second time nothing is left to do
        said = tag(*options, code=1)
        assert said[-1] == "error: --section Protection: no passage lies in it; sections are Prosecution, Prevention"
    assert tag(*options[:-1], "Prosecution")[-1].startswith(str(tmp_path / "out"))
