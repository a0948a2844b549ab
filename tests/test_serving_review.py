"""What reviewers decide: kept, ordered, put together, and what it tells of the model."""

from __future__ import annotations

import doctest
import json
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

import tagger
from tagger.errors import BusyError, ReviewError
from tagger.records import Document, Passage, Tagged
from tagger.review import estimates
from tagger.review.agreement import agreement, verdicts
from tagger.review.store import Store
from tagger.serving.engine import Engine
from tagger.serving.review.project import Project
from tagger.serving.review.queues import Vectors, suspects
from tagger.serving.review.showing import differences
from tagger.tagging import Tagger

THEMES = ("complicity", "forced_labor", "shelter_gaps", "data_quality")


@pytest.fixture(scope="module")
def mexico(default_tagger, report):
    document = tagger.read(report)
    return document, default_tagger.tag(document)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "home" / "review.sqlite", THEMES)
    yield store
    store.close()


@pytest.fixture
def project(store, default_tagger, mexico):
    project = Project(store, Engine(default_tagger))
    project.add(*mexico)
    return project


def small(name: str, count: int) -> tuple[Document, list[Tagged]]:
    """A document whose model finds complicity in every fourth passage."""
    texts = [f"In {name}, the court of district {number} heard the case of an officer." for number in range(count)]
    passages = [Passage(text, f"{name}-{n:04}", name, "Prosecution", None, 1, 100 * n, 100 * n + len(text)) for n, text in enumerate(texts)]
    scores = [dict.fromkeys(THEMES, 0.01) | {"complicity": 0.9 if n % 4 == 0 else 0.05} for n in range(count)]
    tags = [Tagged(p, ("complicity",) if s["complicity"] > 0.5 else (), s, {}, ()) for p, s in zip(passages, scores, strict=True)]
    return Document(name, " ".join(texts), passages=tuple(passages)), tags


def decide(store, key, labels, *, who="Ana", queue="random", suggested=()):
    store.decide(f"{who}-{key}-{labels}-{queue}", key, who, labels, suggested=suggested, queue=queue)


# Store


def test_store_keeps_decisions_over_a_restart(store, tmp_path, mexico):
    number, new = store.add(*mexico, model="m")
    key = store.entries(number)[5].key
    store.decide("t1", key, " Ana  Lima ", ["data_quality", "complicity"], suggested=["complicity"], queue="random")
    store.close()
    again = Store(tmp_path / "home" / "review.sqlite", THEMES)
    [decision] = again.decisions()
    assert new
    assert (decision.passage, decision.annotator, decision.labels) == (key, "Ana Lima", ("complicity", "data_quality"))
    assert (decision.suggested, decision.queue) == (("complicity",), "random")
    assert decision.at.endswith("+00:00")
    assert again.entries(number)[5].text == mexico[1][5].text
    assert again.entries(number)[5].passage == mexico[1][5].passage
    again.close()


def test_store_saves_the_same_document_once_and_names_others_apart(store, mexico):
    document, tags = mexico
    assert store.add(document, tags, model="m") == (1, True)
    assert store.add(document, tags, model="m") == (1, False)
    number, _ = store.add(document, tags[:50], model="m")
    assert [one.name for one in store.documents()] == ["report", "report-2"]
    assert {entry.line["document"] for entry in store.entries(number)} == {"report-2"}


def test_store_undoes_decisions_from_last_to_first_over_a_restart(store, tmp_path, mexico):
    store.add(*mexico, model="m")
    decide(store, 1, ["complicity"])
    decide(store, 1, [])
    decide(store, 2, None)
    decide(store, 3, [], who="Ben")
    store.close()
    store = Store(tmp_path / "home" / "review.sqlite", THEMES)
    assert store.undo("ana").passage == 2
    assert [d.labels for d in store.decisions("Ana")] == [()]
    assert store.undo("Ana").labels == ()
    assert [d.labels for d in store.decisions("Ana")] == [("complicity",)]
    assert store.undo("Ana").passage == 1
    assert store.undo("Ana") is None
    assert [d.annotator for d in store.decisions()] == ["Ben"]
    store.close()


def test_store_knows_who_has_seen_what_the_model_says(store, mexico):
    store.add(*mexico, model="m")
    decide(store, 1, [])
    store.undo("Ana")
    decide(store, 1, ["complicity"])
    decide(store, 2, None)
    decide(store, 2, [])
    decide(store, 3, None, queue="uncertain")
    decide(store, 3, [])
    decide(store, 1, [], who="Ben")
    assert [(d.passage, d.annotator, d.queue) for d in store.decisions()] == [
        (1, "Ana", "again"),
        (2, "Ana", "random"),
        (3, "Ana", "again"),
        (1, "Ben", "random"),
    ]


def test_store_knows_who_was_shown_what_the_model_says_of_a_passage_and_did_not_decide(project):
    hidden, _ = project.tasks("Ana", "random", count=2)
    shown, _ = project.tasks("ana", "uncertain", count=1)
    for key in (hidden[0].entry.key, shown[0].entry.key):
        decide(project.store, key, [])
        decide(project.store, key, [], who="Ben")
    assert [decision.queue for decision in project.store.decisions("Ana")] == ["random", "again"]
    assert [decision.queue for decision in project.store.decisions("Ben")] == ["random", "random"]


def test_store_knows_what_was_opened_for_reading(store, mexico):
    document, tags = mexico
    store.add(document, tags, model="m")
    store.add(document, tags[:5], model="m", read=True)
    assert [one.read for one in store.documents()] == [False, True]
    store.note_read(tags)
    assert [one.read for one in store.documents()] == [True, True]


def test_store_says_in_one_line_that_another_program_holds_it(store, mexico):
    store.add(*mexico, model="m")
    store._db.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match=r"review\.sqlite: can't be written now: another program holds it$"):
        decide(store, 1, [])
    other.close()
    decide(store, 1, [])
    store._db.execute(f"PRAGMA max_page_count = {store._db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(BusyError, match="the disk is full"):
        store.add(*small("large", 2000), model="m")
    assert len(store.documents()) == len(store.decisions()) == 1


def test_estimates_count_what_was_decided_before_the_model_was_shown(project, mexico):
    key = project.pool().random[0]
    [said] = [item.labels for entry, item in zip(project.store.entries(), mexico[1], strict=True) if entry.key == key]
    decide(project.store, key, sorted(set(THEMES) - set(said)))
    project.store.undo("Ana")
    project.store.decide("swayed", key, "Ana", said, queue="random")
    assert project.verdicts()[key].labels == said
    assert project.estimates().wrong.value == 1.0


def test_store_keeps_a_decision_that_is_sent_twice_once(store, mexico):
    store.add(*mexico, model="m")
    for _ in range(2):
        store.decide("same", 1, "Ana", ["complicity"], queue="random")
    assert store.undo("Ana").passage == 1
    assert store.undo("Ana") is None


@pytest.mark.parametrize(
    ("who", "passage", "labels", "message"),
    [
        ("", 1, [], "needs a name"),
        ("x" * 41, 1, [], "needs a name"),
        ("a\x00b", 1, [], "needs a name"),
        ("Ana", 9999, [], "not in review any more"),
        ("Ana", 1, ["smuggling"], "no theme 'smuggling'"),
    ],
)
def test_store_refuses_what_it_can_not_keep(store, mexico, who, passage, labels, message):
    store.add(*mexico, model="m")
    with pytest.raises(ReviewError, match=message):
        store.decide("t", passage, who, labels, queue="random")
    assert store.decisions() == []


def test_store_takes_back_once_what_is_asked_twice(store, mexico):
    store.add(*mexico, model="m")
    for key in (1, 2):
        decide(store, key, [])
    assert [store.undo("Ana", "a1").passage, store.undo("Ana", "a1").passage] == [2, 2]
    assert [one.passage for one in store.decisions("Ana")] == [1]
    assert store.undo("Ana", "a2").passage == 1


def test_store_takes_back_a_skip_of_what_two_others_decided(store, mexico):
    store.add(*mexico, model="m")
    for key in (1, 2):
        decide(store, key, [], who="Cem")
    decide(store, 2, None, who="Cem")
    for who in ("Ana", "Ben"):
        decide(store, 2, ["complicity"], who=who)
    assert store.undo("Cem").labels is None
    assert [one.annotator for one in store.decisions() if one.passage == 2] == ["Ana", "Ben"]
    assert store.undo("Cem").passage == 1


def test_store_gives_a_passage_to_two_annotators_at_most(store, mexico):
    store.add(*mexico, model="m")
    for who in ("Ana", "Ben"):
        decide(store, 1, [], who=who)
    with pytest.raises(ReviewError, match="two others have decided"):
        decide(store, 1, [], who="Cem")
    decide(store, 1, ["complicity"], who="Ben")


def test_store_closes_a_passage_once_both_decisions_were_shown(store, mexico):
    store.add(*mexico, model="m")
    decide(store, 1, [], who="Ana")
    decide(store, 1, ["complicity"], who="Ben")
    with pytest.raises(ReviewError, match="compared"):
        store.settle(1, "Ana", [], "No official is named.")
    store.compare([1])
    for attempt in (lambda: decide(store, 1, ["complicity"], who="Ana"), lambda: store.undo("Ben")):
        with pytest.raises(ReviewError, match="settle it"):
            attempt()
    with pytest.raises(ReviewError, match="say why"):
        store.settle(1, "Ana", [], "  ")
    store.settle(1, "Ana", ["complicity"], "An officer is named.")
    assert store.settlements()[1].labels == ("complicity",)


def test_store_removes_a_document_and_every_word_of_it(store, tmp_path, mexico):
    number, _ = store.add(*mexico, model="m")
    decide(store, 1, [])
    store.remove(number)
    assert store.documents() == store.entries() == store.decisions() == []
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").iterdir())
    assert b"Official complicity continued" not in kept


def test_store_loses_nothing_to_threads_that_decide_at_once(store, mexico):
    store.add(*mexico, model="m")

    def work(who):
        for key in range(1, 26):
            decide(store, key, [], who=who)

    threads = [threading.Thread(target=work, args=(who,)) for who in ("Ana", "Ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.decisions()) == 50


def test_store_survives_the_kill_of_its_process(store, tmp_path, mexico):
    store.add(*mexico, model="m")
    program = f"""
from pathlib import Path
from tagger.serving.review.showing import differences
from tagger.review.store import Store
from tagger.tagging import Tagger
store = Store(Path({str(store.path)!r}), {THEMES!r})
for key in range(1, 101):
    store.decide(f"t{{key}}", key, "Ana", [], queue="random")
    print(key, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    said = [int(process.stdout.readline()) for _ in range(40)]
    process.kill()
    said += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    process.wait()
    process.stdout.close()
    kept = {decision.passage for decision in store.decisions()}
    assert set(said) <= kept
    assert store._rows("PRAGMA integrity_check") == [("ok",)]


def test_store_takes_a_further_theme_and_tells_for_which_a_passage_was_read(store, mexico):
    store.add(*mexico, model="m")
    decide(store, 1, ["complicity"])
    decide(store, 2, [])
    more = Store(store.path, [*THEMES, "new"])
    decide(more, 1, ["complicity", "new"], who="Ben")
    decide(more, 2, ["data_quality"], who="Ben")
    more.decide("of a page that showed less", 9, "Ben", ["complicity"], queue="random", asked=THEMES)
    assert more.decisions("Ben")[-1].asked == THEMES
    more.queue("new", [7, 3])
    more.queue("new", [3, 5])
    assert more.candidates() == {"new": [7, 3, 5]}
    found = verdicts(more.decisions(), more.firsts(), {})
    assert (found[1].labels, found[1].asked) == (("complicity", "new"), {*THEMES, "new"})
    assert found[2].labels is None
    assert [one.first + one.second for one in agreement(found, more.themes)] == [2, 0, 0, 1]
    with pytest.raises(ReviewError, match=r"holds decisions about .*, new, but"):
        Store(store.path, THEMES)
    more.remove(1)
    assert more.candidates() == {}
    more.close()


@pytest.mark.parametrize("version", [1, 2])
def test_store_of_an_older_format_is_brought_up_to_date(store, mexico, version):
    store.add(*mexico, model="m")
    decide(store, 1, ["complicity"])
    store.close()
    with sqlite3.connect(store.path) as db:
        db.executescript("ALTER TABLE documents DROP COLUMN read; DROP TABLE shown; DROP TABLE written; PRAGMA user_version = 2")
        if version == 1:
            db.executescript("ALTER TABLE decisions DROP COLUMN asked; DROP TABLE candidates; PRAGMA user_version = 1")
    db.close()
    again = Store(store.path, [*THEMES, "new"])
    assert [decision.asked for decision in again.decisions()] == [THEMES]
    again.queue("new", [1])
    decide(again, 1, [])
    assert again.decisions()[0].queue == "again"
    assert again.documents()[0].read
    again.close()


def test_estimates_leave_out_what_nobody_read_for_a_theme(store, mexico, default_tagger):
    store.add(*mexico, model="m")
    few = Store(store.path, THEMES)
    project = Project(few, Engine(default_tagger))
    for key in project.pool().random:
        decide(few, key, [label for label in project.task(key, None, "random").entry.line["labels"] if label != "complicity"])
    few._db.execute("UPDATE decisions SET asked = ?", (json.dumps(THEMES[1:]),))
    found = project.estimates()
    assert found.themes[0].precision is found.themes[0].recall is None
    assert [theme.precision.value for theme in found.themes[1:]] == [1.0, 1.0, 1.0]
    assert found.wrong.value == 0
    assert suspects(project.pool(), few.decisions()) == []
    few.close()


def test_store_refuses_files_of_others(tmp_path, store):
    with pytest.raises(ReviewError, match="but the codebook or model has other"):
        Store(store.path, ["other"])
    (tmp_path / "bad.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(ReviewError, match="can't be opened as a review file"):
        Store(tmp_path / "bad.sqlite", THEMES)
    with sqlite3.connect(tmp_path / "late.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ReviewError, match="has format 99"):
        Store(tmp_path / "late.sqlite", THEMES)


# Queues


def test_queue_uncertain_begins_where_a_score_is_nearest_to_its_threshold(project, mexico, default_tagger):
    first = project.tasks("Ana", "uncertain", count=3)[0][0]
    scores = default_tagger.model.decision([item.text for item in mexico[1]])
    at = np.log(default_tagger.model.thresholds / (1 - default_tagger.model.thresholds))
    nearest = int(np.abs(scores - at).min(axis=1).argmin())
    assert first.entry.text == mexico[1][nearest].text
    assert first.before == tuple(item.text for item in mexico[1][max(0, nearest - 2) : nearest])
    assert first.after == tuple(item.text for item in mexico[1][nearest + 1 : nearest + 3])


def test_queue_goes_on_after_what_was_decided_and_brings_skipped_passages_last(project):
    keys = [task.entry.key for task in project.tasks("Ana", "random", count=500)[0]]
    assert len(keys) == 112
    decide(project.store, keys[0], None)
    assert project.tasks("Ana", "random", count=1)[0][0].entry.key == keys[1]
    for key in keys[1:]:
        decide(project.store, key, [])
    assert [task.entry.key for task in project.tasks("Ana", "random")[0]] == [keys[0]]
    assert [task.entry.key for task in project.tasks("Ben", "random", count=500)[0]] == keys


def test_queue_random_hides_what_the_model_says(project):
    line = project.tasks("Ana", "random", count=1)[0][0].to_json()["line"]
    assert (line["labels"], line["scores"], line["evidence"], line["review"]) == ([], {}, {}, [])
    assert project.tasks("Ana", "uncertain", count=1)[0][0].to_json()["line"]["scores"]


def test_queue_random_is_the_same_whatever_the_model_says(store, mexico, tmp_path):
    document, tags = mexico
    store.add(document, tags, model="m")
    other = Store(tmp_path / "other.sqlite", THEMES)
    other.add(document, [Tagged(item.passage, (), dict.fromkeys(THEMES, 0.5), {}, ()) for item in tags], model="n")
    assert [entry.chance for entry in store.entries()] == [entry.chance for entry in other.entries()]
    other.close()


def test_queue_informative_picks_uncertain_passages_unlike_each_other(project, default_tagger):
    pool = project.pool()
    by_doubt = sorted(pool.entries, key=lambda entry: -pool.doubt[pool.place[entry.key], 0])
    picked = [project.task(key, None, "informative").entry for key in pool.informative("complicity")[:15]]
    assert picked[0].text == by_doubt[0].text

    def likeness(entries):
        vectors = Vectors([entry.text for entry in entries], default_tagger.model.features)
        similar = np.stack([vectors.like(entry.text) for entry in entries])
        assert np.allclose(np.diag(similar), 1)
        return (similar.sum() - len(entries)) / (len(entries) * (len(entries) - 1))

    assert likeness(picked[:8]) < likeness(by_doubt[:8])
    assert sorted(pool.informative("complicity")) == sorted(entry.key for entry in pool.entries)


def test_queue_orders_by_scores_leave_held_out_documents_alone(project):
    number, _ = project.add(*small("second", 8))
    assert [document.held_out for document in project.store.documents()] == [False, True]
    held_out = {entry.key for entry in project.store.entries(number)}
    assert held_out <= set(project.pool().random)
    assert not held_out & set(project.pool().uncertain)
    project.store.hold_out(number, False)
    assert held_out <= set(project.pool().uncertain)


def test_queue_suspects_are_decisions_that_the_model_contradicts(project, mexico):
    for entry, item in zip(project.store.entries(), mexico[1], strict=True):
        wrong = item.text == "Official complicity continued to be a serious problem."
        decide(project.store, entry.key, [] if wrong else item.labels)
    first = project.tasks("Ana", "suspects")[0][0]
    assert first.entry.text == "Official complicity continued to be a serious problem."
    assert first.mine.labels == ()
    project.store.decide("again", first.entry.key, "Ana", [], queue="suspects")
    assert first.entry.key not in suspects(project.pool(), project.store.decisions("Ana"))
    assert project.tasks("Ben", "suspects") == ([], 0)


def test_queue_suspects_leave_held_out_documents_alone(project, mexico):
    for entry, item in zip(project.store.entries(), mexico[1], strict=True):
        decide(project.store, entry.key, sorted(set(THEMES) - set(item.labels)))
    assert project.tasks("Ana", "suspects")[1] > 0
    project.store.hold_out(1, True)
    assert project.tasks("Ana", "suspects") == ([], 0)


def test_queue_refuses_what_it_does_not_know(project):
    with pytest.raises(ReviewError, match="no order 'best'"):
        project.tasks("Ana", "best")
    with pytest.raises(ReviewError, match="name the theme"):
        project.tasks("Ana", "informative", theme="smuggling")


def test_project_tags_passages_anew_when_another_model_takes_over(project, default_model):
    before = [entry.line["scores"] for entry in project.pool().entries]
    other = replace(default_model, weights=default_model.weights / 2, card={"digest": "other"})
    project.engine.swap(Tagger(other, name="other"))
    after = [entry.line["scores"] for entry in project.pool().entries]
    assert before != after
    assert project.store.documents()[0].model == "other"


def test_project_knows_what_the_model_in_use_has_learned_from(store, default_tagger, mexico, corpora):
    project = Project(store, Engine(default_tagger), corpora)
    project.add(*mexico)
    second, _ = project.add(*small("second", 8))
    assert project.learned() == {1}
    project.store.note_learned(project.model, [project.store.documents()[1].digest])
    assert project.learned() == {1, second}
    project.store.remove(second)
    again, _ = project.add(*small("second", 8))
    assert project.learned() == {1, again}
    project.engine.swap(Tagger(replace(default_tagger.model, card={"digest": "other"}), name="other"))
    assert project.learned() == set()


# Agreement


def test_agreement_counts_passages_that_two_have_decided(project):
    for key in range(1, 11):
        decide(project.store, key, ["complicity"] if key < 5 else [], who="Ana")
        decide(project.store, key, ["complicity"] if key < 4 else [], who="Ben")
    decide(project.store, 11, ["complicity"])
    found = project.verdicts()
    complicity, forced, *_ = agreement(found, THEMES)
    assert (complicity.first, complicity.second, complicity.both, complicity.agreement) == (4, 3, 3, 0.9)
    assert complicity.alpha == pytest.approx(1 - 0.1 / (1 - (7 * 6 + 13 * 12) / (20 * 19)))
    assert forced.alpha is None
    assert (found[4].labels, found[4].differs, found[5].labels, found[11].labels) == (None, True, (), ("complicity",))
    project.store.compare([4])
    project.store.settle(4, "Ana", ["complicity"], "It names officials.")
    assert project.verdicts()[4].labels == ("complicity",)


def test_agreement_asks_for_the_same_labels_in_any_order(store, mexico):
    store.add(*mexico, model="m")
    decide(store, 1, ["complicity", "data_quality"])
    other = Store(store.path, THEMES[::-1])
    decide(other, 1, ["complicity", "data_quality"], who="Ben")
    found = verdicts(store.decisions(), store.firsts(), {})[1]
    other.close()
    assert found.passes == [("complicity", "data_quality"), ("data_quality", "complicity")]
    assert not found.differs


def test_agreement_is_of_what_each_decided_at_first(store, mexico):
    store.add(*mexico, model="m")
    for key in range(1, 11):
        decide(store, key, ["complicity"] if key < 5 else [])
        decide(store, key, [], who="Ben")
    before = agreement(verdicts(store.decisions(), store.firsts(), {}), THEMES)[0]
    for key in range(1, 5):
        decide(store, key, ["complicity"], who="Ben")
    found = verdicts(store.decisions(), store.firsts(), {})
    assert agreement(found, THEMES)[0] == before
    assert before.agreement == 0.6
    assert found[1].labels == ("complicity",)


def test_differences_show_what_nobody_can_change_any_more(project, monkeypatch):
    for key in (1, 2):
        decide(project.store, key, ["complicity"])
        decide(project.store, key, [], who="Ben")
    decide(project.store, 3, [])
    compare = project.store.compare

    def late(passages):
        decide(project.store, 1, ["complicity"], who="Ben")
        decide(project.store, 2, ["data_quality"], who="Ben")
        decide(project.store, 3, ["complicity"], who="Ben")
        compare(passages)

    monkeypatch.setattr(project.store, "compare", late)
    [row] = differences(project)
    assert (row["key"], [one["labels"] for one in row["passes"]]) == (2, [["complicity"], ["data_quality"]])


# Estimates


def test_estimates_come_from_the_random_part_only(project, mexico):
    order = project.pool().random
    tags = dict(zip((entry.key for entry in project.store.entries()), mexico[1], strict=True))
    for key in order[:40]:
        decide(project.store, key, tags[key].labels)
    alone = project.estimates()
    for key in order[60:80]:  # chosen by their scores, and the model is wrong about all of them
        decide(project.store, key, sorted(set(THEMES) - set(tags[key].labels)), queue="uncertain")
    chosen = project.estimates()
    assert (alone.sampled, chosen.sampled, chosen.population) == (40, 40, 112)
    assert alone.themes == chosen.themes
    assert alone.wrong.value == 0.0
    assert 0 < alone.wrong.high < 0.1
    # All that is left to find, at most, less what was found by other orders.
    assert chosen.wrong_left[2] == max(0, alone.wrong_left[2] - 20)
    for key in order[40:60]:
        decide(project.store, key, tags[key].labels)
    found = project.estimates()
    assert (found.sampled, found.seen) == (60, 0)  # the doubtful ones at the end were not reached at random
    decide(project.store, order[80], tags[order[80]].labels)
    found = project.estimates()
    assert (found.sampled, found.seen) == (81, 20)


def test_estimates_have_no_part_of_a_document_that_nobody_read_at_random(project):
    for key in project.pool().random[:30]:
        decide(project.store, key, [], queue="uncertain")
    assert project.estimates().sampled == 0


def test_estimates_of_what_was_read_whole_are_sure(project, mexico):
    for entry, item in zip(project.store.entries(), mexico[1], strict=True):
        decide(project.store, entry.key, item.labels)
    found = project.estimates()
    assert [(t.precision.low, t.precision.high, t.recall.low) for t in found.themes] == [(1.0, 1.0, 1.0)] * 4
    assert (found.stopping.enough, found.stopping.more, found.wrong_left) == (True, 0, (0, 0, 0))


def test_estimates_leave_out_skipped_and_differing_passages_and_say_so(project):
    order = project.pool().random
    decide(project.store, order[0], None)
    decide(project.store, order[1], [])
    decide(project.store, order[1], ["complicity"], who="Ben")
    decide(project.store, order[2], [])
    found = project.estimates()
    assert (found.sampled, found.left_out) == (1, 2)


def test_estimates_leave_out_documents_that_the_model_learned_from(project):
    project.add(*small("second", 8))
    for key in project.pool().random:
        decide(project.store, key, [])
    assert project.estimates().population == 120
    project.store.note_learned(project.model, [project.store.documents()[0].digest])
    assert project.estimates().population == 8


def test_estimates_count_what_is_left_in_the_documents_that_the_sample_is_of(project):
    number, _ = project.add(*small("second", 8))
    first = [entry.key for entry in project.pool().entries if entry.document != number]
    second = sorted(project.store.entries(number), key=lambda entry: entry.chance)
    decide(project.store, [key for key in project.pool().random if key in first][-1], ["data_quality"], queue="uncertain")
    for entry in second[:4]:
        decide(project.store, entry.key, ["shelter_gaps"])
    assert project.estimates().population == 8
    assert project.estimates().wrong_left[0] == 4


def test_estimates_weigh_documents_by_their_size_not_by_what_was_read_of_them(project):
    """Of a document of 10 passages all were read, and the model is right; of one of 90 nine, and it is wrong about a third."""
    document = np.array([0] * 10 + [1] * 9)
    true = np.ones((19, 1), bool)
    true[10:13] = False
    drawn = estimates.Sample(document, true, np.ones((19, 1), bool), np.array([10, 90]))
    found = estimates.estimate(drawn, ["complicity"]).themes[0].precision
    assert found.value == pytest.approx((10 + 90 * 2 / 3) / 100)
    assert found.low < 0.5
    assert found.high < 0.95


@pytest.mark.parametrize(
    ("recall", "wrongly", "shares", "sizes", "read"),
    [
        (0.7, 0.06, [0.2, 0.4], [600, 300], [200, 50]),
        (0.95, 0.005, [0.1, 0.1], [300, 300], [180, 60]),
        (0.95, 0.005, [0.1], [112], [90]),
    ],
)
def test_estimates_intervals_hold_the_truth_19_times_of_20(recall, wrongly, shares, sizes, read):
    """Simulated reviews of documents read in unequal parts, by models with errors of either kind."""
    random = np.random.default_rng(0)
    held = []
    for _ in range(400):
        true, given, order = simulated(random, recall, wrongly, shares, sizes)
        held += contained(true, given, [rows[:count] for rows, count in zip(order, read, strict=True)], sizes)[0]
    assert np.mean(held) > 0.94


def test_estimates_intervals_hold_the_truth_when_reading_stops_by_the_rule():
    random = np.random.default_rng(0)
    held = []
    for _ in range(300):
        true, given, order = simulated(random, 0.7, 0.06, [0.2, 0.4], [600, 300])
        for count in range(40, 600, 20):
            inside, enough = contained(true, given, [order[0][:count], order[1][: count // 2]], [600, 300])
            if enough:
                held += inside
                break
    assert len(held) == 600
    assert np.mean(held) > 0.94


def simulated(random, recall, wrongly, shares, sizes):
    """What people would say of each passage, what a model says, and the random order of each document."""
    document = np.repeat(np.arange(len(sizes)), sizes)
    true = random.random(len(document)) < np.array(shares)[document]
    given = np.where(true, random.random(len(document)) < recall, random.random(len(document)) < wrongly)
    return true, given, [random.permutation(np.flatnonzero(document == number)) for number in range(len(sizes))]


def contained(true, given, read, sizes):
    """Whether the intervals of precision and recall hold the truth, and whether enough was read."""
    rows, document = np.concatenate(read), np.repeat(np.arange(len(sizes)), [len(part) for part in read])
    found = estimates.estimate(estimates.Sample(document, true[rows, None], given[rows, None], np.array(sizes)), ["t"])
    figures = [(found.themes[0].precision, given), (found.themes[0].recall, true)]
    truth = [(true & given).sum() / base.sum() for _, base in figures]
    inside = [value.low <= share <= value.high for (value, _), share in zip(figures, truth, strict=True) if value is not None]
    return inside, found.stopping.enough


def test_estimates_examples_in_the_documentation_hold():
    assert doctest.testmod(estimates).failed == 0


def test_estimates_say_when_enough_was_read():
    def stopping(count):
        given = np.arange(count) % 4 == 0
        drawn = estimates.Sample(np.zeros(count, int), given[:, None], given[:, None], np.array([10_000]))
        return estimates.estimate(drawn, ["complicity"]).stopping

    few, many = stopping(40), stopping(100)
    assert not few.enough
    assert few.widest == ("precision", "complicity")
    assert 10 < few.more < 60
    assert many.enough
    assert many.more == 0
    nothing = estimates.Sample(np.zeros(0, int), np.zeros((0, 1), bool), np.zeros((0, 1), bool), np.zeros(0, int))
    assert not estimates.estimate(nothing, ["complicity"]).stopping.enough


def test_estimates_ask_for_as_many_more_passages_as_these_tell():
    """Of a small and a large document as many were read: the small one's tell next to nothing of both."""
    document = np.repeat([0, 1], 60)
    true = (np.arange(120) % 2 == 0)[:, None]
    drawn = estimates.Sample(document, true, np.ones((120, 1), bool), np.array([100, 10_000]))
    found = estimates.estimate(drawn, ["complicity"])
    precision = found.themes[0].precision
    assert (precision.passages, round(precision.effective)) == (120, 61)
    assert 50 < found.stopping.more < 80
