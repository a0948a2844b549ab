"""A tagger shared by threads, tasks and processes gives what it gives alone."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import pickle
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from threading import Barrier

import dill
import numpy as np
import pytest
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

import tagger
from tagger import bundle
from tagger.errors import ModelError
from tagger.tagging import Tagger, load

THREADS = 16


@pytest.fixture(scope="module")
def parts(root):
    """Passages of composed documents in running order, a part a thread; most words of a part are in others too."""
    lines = (root / "corpora/composed/passages.jsonl").read_text(encoding="utf-8").splitlines()[: THREADS * 100]
    rows = list(map(json.loads, lines))
    passages = [tagger.Passage(row["text"], document=row["document"], start=row.get("start") or 0) for row in rows]
    return [passages[part::THREADS] for part in range(THREADS)]


@pytest.fixture(scope="module")
def expected(parts, root):
    alone = load(root / "models/default")
    return [alone.tag(part) for part in parts]


@pytest.fixture
def switching():
    """Threads give way to each other as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_sharing_sixteen_threads_give_what_one_gives(parts, expected, root, switching):
    for _ in range(3):
        shared, start = load(root / "models/default"), Barrier(THREADS)

        def work(number, shared=shared, start=start):
            start.wait()  # all make the tables of the first use, and learn the same words
            return shared.tag(parts[number]), shared.scores([passage.text for passage in parts[number]])

        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(work, range(THREADS)))
        for (tagged, scores), wanted in zip(found, expected, strict=True):
            assert tagged == wanted
            assert np.array_equal(scores, load(root / "models/default").scores([item.text for item in wanted]))


def test_sharing_what_is_pickled_while_threads_work_is_whole(parts, expected, root, switching):
    shared = Tagger(load(root / "models/default").model)  # pickled with its model
    with ThreadPoolExecutor(THREADS) as pool:
        working = [pool.submit(shared.tag, part) for part in parts]
        copies = []
        while not all(task.done() for task in working):
            copies.append(dill.dumps((shared, shared.model.features)))  # in Python: threads work meanwhile
    assert [task.result() for task in working] == expected
    assert copies
    texts = [passage.text for part in parts for passage in part]
    counts = shared.model.features.counts(texts)
    for copied in copies[:: max(1, len(copies) // 10)]:
        again, features = pickle.loads(copied)
        assert again.tag(parts[0]) == expected[0]
        assert np.array_equal(features.counts(texts).indices, counts.indices)


def test_sharing_tasks_of_asyncio_give_what_one_thread_gives(parts, expected, default_tagger):
    async def work():
        beats, stop = 0, asyncio.Event()

        async def beat():
            nonlocal beats
            while not stop.is_set():
                beats += 1
                await asyncio.sleep(0.001)

        beating = asyncio.create_task(beat())
        found = await asyncio.gather(*(asyncio.to_thread(default_tagger.tag, part) for part in parts))
        stop.set()
        await beating
        return found, beats

    found, beats = asyncio.run(work())
    assert found == expected
    assert beats > 1  # the loop goes on meanwhile


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_sharing_a_process_forked_while_a_thread_works_does_not_wait_for_it(default_tagger):
    process = get_context("fork").Process(target=default_tagger.scores, args=(["Police took bribes."],))
    with default_tagger.model.features._lexicon._lock:  # as a thread holds it
        process.start()
    process.join(timeout=20)
    process.kill()
    assert process.exitcode == 0


def which(shared, texts):
    time.sleep(0.02)  # leaves tasks for the other worker
    return os.getpid(), tagger.tagging._kept.cache_info().misses, shared.scores(texts)


def test_sharing_processes_of_joblib_load_the_model_once_each(parts, default_tagger):
    assert len(pickle.dumps(default_tagger)) < 500
    get_reusable_executor().shutdown(wait=True)  # processes of other tests may have a model already
    texts = [[passage.text for passage in part] for part in parts]
    found = Parallel(n_jobs=2)(delayed(which)(default_tagger, some) for some in texts)
    loads = {(process, count) for process, count, _ in found}
    assert os.getpid() not in dict(loads)
    assert {count for _, count in loads} == {1}
    assert all(np.array_equal(scores, default_tagger.scores(some)) for (*_, scores), some in zip(found, texts, strict=True))
    tagged = Parallel(n_jobs=2)(delayed(default_tagger.tag)(some) for some in texts[:4])
    assert tagged == [default_tagger.tag(some) for some in texts[:4]]


def test_sharing_a_pickle_is_the_same_model_or_none(default_model, tmp_path):
    text = ["Police officers took bribes from traffickers."]
    bundle.save(default_model, tmp_path / "m")
    opened = load(tmp_path / "m")
    again = pickle.loads(pickle.dumps(opened))
    assert (again.name, again.about) == (opened.name, opened.about)
    assert again.model is not opened.model
    assert copy.deepcopy(opened).tag(text) == opened.tag(text)
    changed = load(tmp_path / "m")
    changed.model = replace(changed.model, thresholds=np.ones(len(changed.themes)))
    assert pickle.loads(pickle.dumps(changed)).tag(text)[0].labels == ()
    assert changed.tag(text)[0].labels == ()
    other = replace(default_model, intercepts=default_model.intercepts + 1)
    data = pickle.dumps(opened)
    bundle.save(other, tmp_path / "m")
    tagger.tagging._kept.cache_clear()
    with pytest.raises(ModelError, match="is another one where a worker runs"):
        pickle.loads(data)
    assert pickle.loads(pickle.dumps(Tagger(other, name="x"))).name == "x"
