from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import tagger
from tagger import bundle
from tagger.errors import ModelError

spacy = pytest.importorskip("spacy", reason="spaCy is not installed: pip install '.[integrations]'")

TEXTS = [
    "Police officers took bribes from traffickers. The sky is blue.",
    "",
    "There were no shelters for male victims. Migrant workers are subjected to forced labor on farms.",
]


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("theme_tagger")
    return nlp


def test_integrations_spacy_finds_the_component_without_an_import_and_leaves_spacys_own():
    code = "import spacy; nlp = spacy.blank('en'); nlp.add_pipe('theme_tagger'); print(nlp.pipe_names, *nlp('Police took bribes.').spans)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['theme_tagger'] tagger\n"
    assert "token.tag" in spacy.blank("en").get_factory_meta("tagger").assigns


def test_integrations_spacy_gives_a_report_what_tagger_gives_it(nlp, default_tagger, report):
    document = tagger.read(report)
    doc, expected = nlp(document.text), default_tagger.tag(document)
    assert [(record["start"], record["end"]) for record in doc._.tagger] == [(item.passage.start, item.passage.end) for item in expected]
    assert [tuple(record["labels"]) for record in doc._.tagger] == [item.labels for item in expected]
    assert [record["scores"]["complicity"] for record in doc._.tagger] == [round(item.scores["complicity"], 6) for item in expected]
    group = doc.spans["tagger"]
    given = [(item.text, theme, np.float32(item.scores[theme])) for item in expected for theme in item.labels]
    assert len(group) == len(given) > 40
    for span, score, (text, theme, value) in zip(group, group.attrs["scores"], given, strict=True):
        assert text in span.text
        assert span.label_ == theme
        assert abs(score - value) < 1e-6
        assert theme in span._.tagger["labels"]
    assert doc.cats == {theme: max(record["scores"][theme] for record in doc._.tagger) for theme in default_tagger.themes}


def test_integrations_spacy_takes_the_sentences_of_the_pipeline(default_tagger):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", config={"punct_chars": ["|"]})
    nlp.add_pipe("theme_tagger")
    doc = nlp("Police took bribes. The sky is blue | No shelters were open.")
    assert [doc.text[record["start"] : record["end"]] for record in doc._.tagger] == [sentence.text for sentence in doc.sents]
    assert len(doc._.tagger) == 2
    assert doc[8]._.has("tagger") is False
    assert doc[-2:]._.tagger is doc._.tagger[1]


def test_integrations_spacy_pipes_batches_and_processes_alike(nlp):
    alone = [nlp(text) for text in TEXTS]
    for options in ({"batch_size": 2}, {"n_process": 2, "batch_size": 1}):
        for doc, expected in zip(nlp.pipe(TEXTS, **options), alone, strict=True):
            assert doc._.tagger == expected._.tagger
            assert doc.cats == expected.cats
            assert [(span.text, span.label_) for span in doc.spans["tagger"]] == [(s.text, s.label_) for s in expected.spans["tagger"]]
    assert alone[1].cats == dict.fromkeys(alone[0].cats, 0.0)
    assert spacy.tokens.Span(nlp.make_doc("Not tagged."), 0, 1)._.tagger is None


def test_integrations_spacy_documents_keep_their_tags_when_stored(nlp):
    doc = nlp(TEXTS[2])
    again = spacy.tokens.Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert again._.tagger == doc._.tagger
    assert [span.label_ for span in again.spans["tagger"]] == [span.label_ for span in doc.spans["tagger"]]
    assert np.array_equal(again.spans["tagger"].attrs["scores"], doc.spans["tagger"].attrs["scores"])


def test_integrations_spacy_a_saved_pipeline_has_its_own_model(default_model, tmp_path):
    mine = replace(default_model, intercepts=default_model.intercepts + 1, readme="# Mine\n")
    bundle.save(mine, tmp_path / "mine")
    nlp = spacy.blank("en")
    nlp.add_pipe("theme_tagger", config={"model": str(tmp_path / "mine"), "thresholds": {"shelter_gaps": 1.0}})
    expected = nlp(TEXTS[2])
    assert "shelter_gaps" not in {span.label_ for span in expected.spans["tagger"]}
    assert expected.cats["shelter_gaps"] > spacy.blank("en").add_pipe("theme_tagger")(nlp.make_doc(TEXTS[2])).cats["shelter_gaps"]
    nlp.to_disk(tmp_path / "pipeline")
    data = nlp.to_bytes()
    saved = tmp_path / "pipeline/theme_tagger/model"
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == {p.name: p.read_bytes() for p in (tmp_path / "mine").iterdir()}
    shutil.rmtree(tmp_path / "mine")
    other = spacy.blank("en")
    other.add_pipe("theme_tagger")
    for loaded in (spacy.load(tmp_path / "pipeline"), other.from_bytes(data)):
        assert loaded(TEXTS[2])._.tagger == expected._.tagger


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model": "no/such"}, "no/such: no such model folder"),
        ({"thresholds": {"weather": 0.5}}, "no theme 'weather'; it has complicity"),
        ({"thresholds": {"complicity": 50}}, "that of 'complicity' is 50, not a probability"),
    ],
)
def test_integrations_spacy_names_a_bad_setting(config, message):
    nlp = spacy.blank("en")
    nlp.add_pipe("theme_tagger", config=config)
    with pytest.raises(ModelError, match=message):
        nlp("Police took bribes.")


def test_integrations_spacy_refuses_a_damaged_copy(nlp, tmp_path):
    nlp.to_disk(tmp_path / "pipeline")
    weights = tmp_path / "pipeline/theme_tagger/model/weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match="damaged"):
        spacy.load(tmp_path / "pipeline")
    with pytest.raises(ModelError, match=r"manifest\.json: missing"):
        bundle.parse({})
