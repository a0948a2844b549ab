from __future__ import annotations

import json
import math

import datasets
import pytest

from tagger import corpus
from tagger.errors import CorpusError

THEMES = ("complicity", "forced_labor", "shelter_gaps", "data_quality")


def row(number: int, **changes: object) -> dict[str, object]:
    return {"id": f"p{number}", "text": f"Sentence {number} speaks of {number} matters.", "labels": [], "document": "d", **changes}


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def put(folder, rows, name="passages.jsonl"):
    lines = [line if isinstance(line, str) else json.dumps(line) for line in rows]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["mexico-2014", "composed"])
def test_corpus_of_the_project_has_nothing_wrong(root, name, codebook):
    against = [root / "corpora/mexico-2014/report.txt"] if name == "composed" else []
    assert corpus.check(root / "corpora" / name, codebook.names, against=against) == []


@pytest.mark.parametrize("name", ["mexico-2014", "composed"])
def test_corpus_of_the_project_loads_as_it_is(root, name, tmp_path, codebook):
    loaded = datasets.load_dataset(str(root / "corpora" / name), cache_dir=str(tmp_path))
    themes = codebook.names
    typed = corpus.load(root / "corpora" / name, themes)
    assert loaded["train"]["text"] == typed["text"]
    assert typed.features["labels"].feature.names == list(themes)
    assert [[themes[n] for n in numbers] for numbers in typed["labels"]] == [
        sorted(labels, key=themes.index) for labels in loaded["train"]["labels"]
    ]


def test_corpus_composed_shares_no_words_with_the_development_set(root, codebook):
    development = root.parent / "shared/development"
    if not development.is_dir():
        pytest.skip("the development set is not here")
    assert corpus.check(root / "corpora/composed", codebook.names, against=[development]) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{broken", "broken JSON"),
        ("[1]", "not an object"),
        (row(2, labels=["corruption"]), "unknown label 'corruption'; known are complicity"),
        (row(2, labels=["complicity", "complicity"]), "a label stands twice"),
        (row(2, text="  "), "empty passage 'p2'"),
        (row(2, text=3), "field 'text' is missing or is not a str"),
        (row(2, colour="red"), "unknown field 'colour'"),
        (row(2, start="0"), "field 'start' has a value of the wrong type"),
        (row(2, start=True), "field 'start' has a value of the wrong type"),
        (row(2, start=-1), "field 'start' must be from 0 to 9223372036854775807"),
        (row(2, end=2**63), "field 'end' must be from 0 to 9223372036854775807"),
        (row(2, paragraph=2**31), "field 'paragraph' must be from 0 to 2147483647"),
        (row(2, text="x \ud800 y"), r"'\ud800' is half a character"),
        (row(2, document="\udfff"), r"'\udfff' is half a character"),
        (row(2, asked="complicity"), "field 'asked' has a value of the wrong type"),
        (row(2, asked=["corruption"]), "unknown theme 'corruption' in 'asked'; known are complicity"),
        (row(2, labels=["complicity"], asked=["forced_labor"]), "label 'complicity' is not among 'asked'"),
        (row(1), "id 'p1' stands in line 1 already"),
        (row(2, text="sentence 1 speaks of 1 matters"), "same passage stands in line 1"),
        (row(2, text="Sentence 1 speaks of 1 matters. Indeed."), "near-duplicate of line 1"),
    ],
)
def test_corpus_check_names_file_and_line(folder, line, message):
    put(folder, [row(1), line, row(3)])
    problems = corpus.check(folder, THEMES)
    assert problems
    assert str(problems[0]).startswith(f"{folder / 'passages.jsonl'}:2: ")
    assert any(message in problem.message for problem in problems)


@pytest.mark.parametrize("fault", [{"start": 2**63}, {"paragraph": 2**31}, {"start": True}, {"text": "x \ud800 y"}])
def test_corpus_load_refuses_what_no_dataset_holds(folder, fault):
    put(folder, [row(1), row(2, **fault)])
    with pytest.raises(CorpusError, match=r"passages\.jsonl:2: "):
        corpus.load(folder, THEMES)


def test_corpus_takes_the_largest_numbers_and_whole_characters_that_are_escaped(folder):
    put(folder, [row(1, start=0, end=2**63 - 1, paragraph=2**31 - 1, text="\U0001f600 laughs.")])
    assert corpus.check(folder, THEMES) == []
    assert corpus.load(folder, THEMES)[0]["end"] == 2**63 - 1


def test_corpus_check_lists_every_fault_of_a_line(folder):
    put(
        folder,
        [
            row(1),
            row(1, text="Sentence 1 speaks of 1 matters.", labels=["a", "b", "b"], colour="red", start="0"),
            row(2, id="", text=" "),
            row(3, labels=[{}]),
        ],
    )
    put(folder, [{"id": "p1", "first": [], "second": []}, {"id": "p7", "first": 3}], "annotations.jsonl")
    found = [(problem.path.name, problem.line, problem.message.partition(";")[0]) for problem in corpus.check(folder, THEMES)]
    assert found == [
        ("annotations.jsonl", 1, "both annotators agree, but the passage is labelled ['a', 'b'], and 'settled' does not say why"),
        ("annotations.jsonl", 2, "fields 'first' and 'second' must be lists of known labels"),
        ("annotations.jsonl", 2, "no passage has the id 'p7', or it has two lines"),
        ("passages.jsonl", 2, "unknown field 'colour'"),
        ("passages.jsonl", 2, "field 'start' has a value of the wrong type"),
        ("passages.jsonl", 2, "unknown label 'a'"),
        ("passages.jsonl", 2, "unknown label 'b'"),
        ("passages.jsonl", 2, "unknown label 'b'"),
        ("passages.jsonl", 2, "a label stands twice"),
        ("passages.jsonl", 2, "id 'p1' stands in line 1 already"),
        ("passages.jsonl", 2, "the same passage stands in line 1 already"),
        ("passages.jsonl", 3, "field 'id' must not be empty"),
        ("passages.jsonl", 3, "empty passage '': write its text or delete the line"),
        ("passages.jsonl", 3, "passage '' has no line in annotations.jsonl"),
        ("passages.jsonl", 4, "unknown label {}"),
    ]


def test_corpus_check_takes_contrast_pairs(folder):
    pair = [
        row(1, text="The only shelter in the capital was closed in May."),
        row(2, text="The only shelter in the capital was opened in May.", labels=["shelter_gaps"]),
    ]
    assert corpus.check(put(folder, pair), THEMES) == []


@pytest.mark.parametrize("name", ["passages.jsonl", "annotations.jsonl", "report.txt", "other.txt"])
def test_corpus_files_that_are_not_utf8_are_named_with_their_line(folder, name):
    put(folder, [row(1)])
    (folder / "other.txt").write_text("Other words.", encoding="utf-8")
    (folder / name).write_bytes(b"\n\n" + "año".encode("latin-1"))
    with pytest.raises(CorpusError, match=rf"{name}:3: not UTF-8 text \(.*\): save the file as UTF-8"):
        corpus.check(folder, THEMES, against=[folder / "other.txt"])


def test_corpus_annotation_needs_an_id_of_text(folder):
    put(folder, [row(1, id="1")])
    put(folder, [{"id": 1, "first": [], "second": []}, {"first": [], "second": []}], "annotations.jsonl")
    message = "field 'id' is missing or is not a str"
    found = [(problem.line, problem.message) for problem in corpus.check(folder, THEMES) if problem.path.name == "annotations.jsonl"]
    assert found == [(1, message), (2, message)]
    with pytest.raises(CorpusError, match=rf"annotations.jsonl:1: {message}"):
        corpus.agreement(folder, THEMES)
    assert corpus.settlements(folder) == {}


def test_corpus_check_finds_text_that_is_not_in_the_report(folder):
    (folder / "report.txt").write_text("It began. Police took bribes.", encoding="utf-8")
    put(
        folder,
        [
            row(1, text="It began.", start=0, end=9),
            row(2, text="Police took bribes.", start=9, end=28),
            row(3, text="It rained."),
            row(4, text="It snowed.", start=0, end=10),
        ],
    )
    assert [(p.line, p.message) for p in corpus.check(folder, THEMES)] == [
        (2, "text is not in report.txt at 9 to 28: it stands at 10"),
        (3, "fields 'start' and 'end' must say where in report.txt the passage stands"),
        (4, "text is not in report.txt at 0 to 10: it stands nowhere in it"),
    ]


def test_corpus_check_finds_copied_words(folder):
    (folder / "other.txt").write_text("Among them are sentence one and the others that follow.", encoding="utf-8")
    put(folder, [row(1, text="We know the others that follow."), row(2, text="We know: sentence one and the OTHERS that came.")])
    problems = corpus.check(folder, THEMES, against=[folder / "other.txt"])
    assert [problem.line for problem in problems] == [2]
    assert "'sentence one and the others that'" in problems[0].message


def test_corpus_load_names_the_first_problem_and_counts_the_rest(folder):
    put(folder, ["{", row(1), "["])
    with pytest.raises(CorpusError, match=r"passages.jsonl:1: broken JSON.*\(and 1 more"):
        corpus.load(folder, THEMES)
    with pytest.raises(CorpusError, match="missing: a corpus is a folder"):
        corpus.load(folder / "nowhere", THEMES)


def test_corpus_alpha_of_a_worked_example():
    # Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section A: two observers, binary data.
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert corpus.krippendorff_alpha([first, second]) == pytest.approx(0.095, abs=0.0005)
    assert corpus.krippendorff_alpha([[0, 1, 1], [0, 1, 1]]) == 1.0
    assert math.isnan(corpus.krippendorff_alpha([[0, 0], [0, 0]]))


def test_corpus_agreement_and_its_problems(folder):
    put(folder, [row(n) for n in range(5)])
    passes = [{"id": f"p{n}", "first": ["complicity"] * (n == 0), "second": ["complicity"] * (n == 1)} for n in range(4)]
    passes.append({"id": "p4", "first": row(4)["labels"]})  # labelled once
    put(folder, passes, "annotations.jsonl")
    assert "'settled' does not say" in str(corpus.check(folder, THEMES)[0])
    for line in passes[:2]:
        line["settled"] = "the passage names no official"
    put(folder, passes, "annotations.jsonl")
    found, differing = corpus.agreement(folder, THEMES)
    assert (found[0].theme, found[0].first, found[0].second, found[0].both, found[0].agreement) == ("complicity", 1, 1, 0, 0.5)
    assert found[0].alpha == pytest.approx(corpus.krippendorff_alpha([[1, 0, 0, 0], [0, 1, 0, 0]]))
    assert [line["id"] for line in differing] == ["p0", "p1"]
    assert found[0].passages == 4


def test_corpus_check_takes_a_corrected_label_only_with_a_reason(folder):
    put(folder, [row(0, labels=["complicity"]), row(1)])
    line = {"id": "p0", "first": [], "second": []}
    other = {"id": "p1", "first": ["complicity"], "second": [], "settled": "Names no official."}
    put(folder, [line, other], "annotations.jsonl")
    assert [p.line for p in corpus.check(folder, THEMES)] == [1]
    assert "labelled ['complicity'], and 'settled' does not say why" in str(corpus.check(folder, THEMES)[0])
    put(folder, [{**line, "settled": "Corrected: a mayor is an official."}, other], "annotations.jsonl")
    assert corpus.check(folder, THEMES) == []
    assert corpus.settlements(folder) == {"p0": "Corrected: a mayor is an official.", "p1": "Names no official."}
    assert corpus.settlements(folder / "without") == {}


@pytest.mark.parametrize("name", ["mexico-2014", "composed"])
def test_corpus_of_the_project_keeps_both_passes(root, name, codebook):
    found, differing = corpus.agreement(root / "corpora" / name, codebook.names)
    assert all(theme.alpha > 0.8 for theme in found)
    assert all(line["settled"] for line in differing)


def test_corpus_running_text_is_where_places_follow_each_other(folder):
    places = [("a", 0), ("a", 9), ("b", 0), ("a", 5), ("a", 5), ("a", None)]
    rows = [row(number, document=document) | ({} if start is None else {"start": start}) for number, (document, start) in enumerate(places)]
    assert corpus.running(corpus.load(put(folder, rows), THEMES)) == ["a/1", "a/1", None, None, None, None]


def test_corpus_composed_passages_stand_alone(root):
    assert set(corpus.running(corpus.load(root / "corpora/composed", THEMES))) == {None}
    assert set(corpus.running(corpus.load(root / "corpora/mexico-2014", THEMES))) == {"mexico-2014/1"}


def test_corpus_passages_are_read_whatever_their_labels(folder):
    rows = [row(1, labels=["a theme of another codebook"]), row(2)]
    assert corpus.passages(put(folder, rows)) == rows
    with pytest.raises(CorpusError, match=r"passages\.jsonl:2: field 'text' is missing"):
        corpus.passages(put(folder, [row(1), {"id": "2"}]))


def test_corpus_tells_for_which_themes_a_passage_was_read(folder):
    """What is said, line by line; else what occurs where it is not said: nobody may have looked for the others."""
    rows = [
        row(1),
        row(2, labels=["complicity"]),
        row(3, asked=["data_quality", "forced_labor"]),
        row(4, labels=["data_quality"], asked=["data_quality"]),
    ]
    found = corpus.load(put(folder, rows), THEMES)
    expected = [["complicity"], ["complicity"], ["forced_labor", "data_quality"], ["data_quality"]]
    assert corpus.asked_matrix(found).tolist() == [[theme in asked for theme in THEMES] for asked in expected]
    assert corpus.statistics(folder, THEMES)["asked"] == {"complicity": 2, "forced_labor": 1, "shelter_gaps": 0, "data_quality": 2}
    assert corpus.asked_matrix(found.remove_columns("asked")).all()
