"""The peers' comparison, end to end on a small made-up table."""

from __future__ import annotations

import csv
import json
import platform
import random
import shutil
import sys

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from tagger.evaluation import Predictions
from tagger.learners import decide

HEADER = ["statement_id", "sentence_orig_idxs", "sentence", "Signing, by whom", "Suppliers"]
ABOUT = {
    "Signing, by whom": [
        "The board of directors approved and signed this statement",
        "It was signed by our chief executive on behalf of the board",
    ],
    "Suppliers": ["Our suppliers make garments in other countries", "We buy cotton from suppliers and farms abroad"],
    "": ["We opened an office in town", "The year was a good one for our members", "Our people wear blue shirts"],
}


@pytest.fixture(scope="module")
def run(root):
    """The script, which imports what lies beside it."""
    sys.path.insert(0, str(root / "experiments/peers"))
    import run

    return run


@pytest.fixture(scope="module")
def peers(run):
    import peers

    return peers


@pytest.fixture(scope="module")
def sentences():
    """Ten statements of twelve sentences, in no order, with the labels that their words earn."""
    draw = random.Random(0)
    rows = []
    for statement in range(10):
        for place in range(12):
            label = draw.choice([*ABOUT])
            text = f"{draw.choice(ABOUT[label])} {draw.choice(['again', 'this year', 'in part', 'as before'])}."
            rows.append([f"s{statement}", place, text, *(int(name == label) for name in HEADER[3:])])
    draw.shuffle(rows)
    return rows


@pytest.fixture(scope="module")
def texts(sentences):
    return [row[2] for row in sentences], np.array([row[3:] for row in sentences])


@pytest.fixture
def table(sentences, tmp_path):
    path = tmp_path / "sentences.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *sentences])
    return path


def test_peers_are_measured_on_any_table_with_the_columns(run, table, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "fasttext", None)  # as if it were not installed
    run.main(["aims", str(table), "words_svm", "keywords", "fasttext", "--out", str(tmp_path)])
    results = json.loads((tmp_path / "results/aims.json").read_text(encoding="utf-8"))
    assert list(results["contenders"]) == ["tagger", "words_svm"]
    assert results["skipped"] == {
        "keywords": "nobody wrote a keyword list for these labels",
        "fasttext": "fasttext is not installed: pip install '.[peers]'",
    }
    assert (results["passages"], results["documents"], results["splits"], results["learned_from"]) == (120, 10, 5, 96)
    for value in results["contenders"].values():
        assert value["macro_f1"]["low"] <= value["macro_f1"]["value"] <= value["macro_f1"]["high"]
        assert value["macro_f1"]["value"] > 0.9
    assert (
        0 < results["contenders"]["words_svm"]["ours_less_this"]["p"] <= results["contenders"]["words_svm"]["ours_less_this"]["p_corrected"]
    )
    kept = json.loads((tmp_path / "predictions/aims/words_svm.json").read_text(encoding="utf-8"))
    predictions = Predictions.from_json(kept["predictions"])
    assert len(predictions) == 120
    assert len(kept["chosen"]) == 5
    assert len(set(zip(predictions.documents, predictions.fold, strict=True))) == 10
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| words, linear SVM |" in page
    assert "keyword list (nobody wrote" in page
    assert "<svg" in (tmp_path / "macro_f1.svg").read_text(encoding="utf-8")
    for value in results["contenders"].values():
        assert value["made_by"]["code"] == run.code_digest()
        assert value["made_by"]["python"] == platform.python_version()
    # What is kept of others is taken over, as it was made; without it their figures would be lost.
    del kept["made_by"]
    (tmp_path / "predictions/aims/words_svm.json").write_text(json.dumps(kept), encoding="utf-8")
    run.main(["aims", str(table), "words_bayes", "--out", str(tmp_path)])
    written = (tmp_path / "results/aims.json").read_bytes()
    again = json.loads(written)["contenders"]
    assert list(again) == ["tagger", "words_svm", "words_bayes"]
    assert again["words_svm"]["macro_f1"] == results["contenders"]["words_svm"]["macro_f1"]
    assert again["words_svm"]["made_by"] == {}
    shutil.rmtree(tmp_path / "predictions")
    capsys.readouterr()
    with pytest.raises(SystemExit):
        run.main(["aims", str(table), "words_bayes", "--out", str(tmp_path)])
    assert "the figures of words_svm would be lost, since" in capsys.readouterr().err
    assert (tmp_path / "results/aims.json").read_bytes() == written


def test_peers_table_is_read_in_running_order(run, table, sentences):
    from benchmarks import read_sentences

    corpus = read_sentences(table)
    assert len(set(corpus["id"])) == 120
    assert corpus["start"] == [*range(12)] * 10
    for document in set(corpus["document"]):
        texts = [text for text, name in zip(corpus["text"], corpus["document"], strict=True) if name == document]
        assert texts == [row[2] for row in sorted(sentences, key=lambda row: row[1]) if f"sentences/{row[0]}" == document]


@pytest.mark.parametrize(
    ("line", "change", "message"),
    [
        (1, "sentence_orig_idxs,sentence", "line 1: the columns must be statement_id, sentence_orig_idxs, sentence, then one a label"),
        (2, "s1,0,Text,2,0", "line 2: Signing, by whom is '2': write 0 or 1"),
        (3, "s1,0,,1,0", "line 3: statement_id and sentence must not be empty"),
        (3, "s1,first,Text,1,0", "line 3: sentence_orig_idxs 'first' holds no number"),
        (4, "s1,0,Text", "line 4: 3 fields, not 5"),
    ],
)
def test_peers_name_the_line_of_a_bad_table(run, table, capsys, line, change, message):
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[line - 1] = change
    table.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SystemExit) as exit_code:
        run.main(["aims", str(table)])
    assert exit_code.value.code == 1
    error = capsys.readouterr().err
    assert f"{table}: {message}" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("kind", "package", "parameters"),
    [
        ("WordsLogistic", "sklearn", {}),
        ("WordsCharactersLogistic", "sklearn", {}),
        ("WordsSVM", "sklearn", {}),
        ("WordsBayes", "sklearn", {"alpha": 0.1}),
        ("FastText", "fasttext", {"epoch": 50}),
        ("FastText", "fasttext", {"epoch": 50, "lr": 20.0}),
        ("SpacyBagOfWords", "spacy", {"epochs": 2, "learn_rate": 0.05}),
        ("WordLlamaLogistic", "wordllama", {}),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages themselves
def test_peers_learn_what_words_tell(peers, texts, kind, package, parameters):
    pytest.importorskip(package, reason=f"pip install '.[peers]' brings {package}")
    passages, labels = texts
    fitted = getattr(peers, kind)(**parameters).fit(passages[:80], labels[:80])
    scores = decide(fitted, passages[80:], 2)
    assert average_precision_score(labels[80:], scores, average="macro") > 0.95
    assert np.array_equal(scores, decide(getattr(peers, kind)(**parameters).fit(passages[:80], labels[:80]), passages[80:], 2))


def test_peers_read_static_embeddings_of_a_folder(peers, texts, tmp_path):
    model2vec = pytest.importorskip("model2vec", reason="pip install '.[peers]' brings model2vec")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    passages, labels = texts
    words = ["[UNK]", *sorted({word for text in passages for word in text.replace(".", " .").split()})]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    vectors = np.random.default_rng(0).normal(size=(len(words), 32)).astype(np.float32)
    model2vec.StaticModel(vectors, tokenizer).save_pretrained(str(tmp_path / "m"))
    fitted = peers.Model2VecLogistic(str(tmp_path / "m")).fit(passages[:80], labels[:80])
    assert average_precision_score(labels[80:], decide(fitted, passages[80:], 2), average="macro") > 0.95


def test_peers_keyword_list_needs_no_learning(peers, tmp_path):
    (tmp_path / "words.toml").write_text("a = ['one', 'tw[oi]ce']\nb = ['two']\n", encoding="utf-8")
    keywords = peers.KeywordList(str(tmp_path / "words.toml"), ("a", "b"))
    assert keywords.predict_proba(["One and twice", "two", "neither"]).tolist() == [[0.75, 0.0], [0.0, 0.5], [0.0, 0.0]]


def test_peers_page_says_what_the_results_say(run, root):
    from page import ABOUT, page

    results = {name: json.loads((root / f"experiments/peers/results/{name}.json").read_text(encoding="utf-8")) for name in ABOUT}
    assert page(results) == (root / "experiments/peers/README.md").read_text(encoding="utf-8")
