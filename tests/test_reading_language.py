from __future__ import annotations

import doctest
import json

import pytest

import tagger
import tagger.reading.language
from tagger.reading.language import looks_english

SPANISH = """México es un país de origen, tránsito y destino de hombres, mujeres y niños que son víctimas de trata y de trabajo forzoso. El gobierno
no cumple del todo con las normas mínimas, pero hace esfuerzos para lograrlo. El año pasado las autoridades condenaron a más tratantes que en el
anterior, aunque la corrupción de algunos funcionarios siguió siendo un problema grave. Había pocos albergues, y la mayoría de los estados no
ofrecía ningún servicio. Por eso muchas víctimas volvieron a sus pueblos sin ayuda, y nadie sabe cuántas fueron identificadas. """
FRENCH = """Le pays est une source et une destination pour des hommes, des femmes et des enfants soumis à la traite et au travail forcé. Le gouvernement
ne respecte pas entièrement les normes minimales, mais il fait des efforts importants. L\u2019an dernier, les tribunaux ont condamné plus de
trafiquants que l\u2019année précédente, bien que la corruption de certains fonctionnaires soit restée un problème grave. Les foyers étaient rares, et
la plupart des régions n\u2019offraient aucun service. C\u2019est pourquoi beaucoup de victimes sont rentrées chez elles sans aide. """
DUTCH = """Het land is een herkomst- en doorvoerland voor mannen, vrouwen en kinderen die slachtoffer zijn van uitbuiting. De regering voldoet niet aan
de normen, maar doet er wel moeite voor. In het jaar van dit verslag was er in de stad een opvang open, of twee als men die van de kerk meetelt. """


def test_reading_language_examples_of_the_docstrings():
    assert doctest.testmod(tagger.reading.language).failed == 0


@pytest.mark.parametrize("text", [SPANISH, FRENCH, DUTCH], ids=["Spanish", "French", "Dutch"])
def test_reading_language_that_is_not_english(text, tmp_path):
    assert not looks_english(text * 4)
    path = tmp_path / "report.txt"
    path.write_text(text * 4, encoding="utf-8")
    assert tagger.read(path).notes == ("does not look like English; the model knows English only",)
    assert looks_english(text[:300])  # too few words to tell


def test_reading_language_english_in_capitals_and_of_every_part_of_the_corpora(report, corpora):
    assert tagger.read(report).notes == ()
    text = report.read_text(encoding="utf-8")
    assert looks_english(text.upper())
    lines = (corpora[1] / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    composed = " ".join(json.loads(line)["text"] for line in lines)
    for source in (text, composed[:400_000]):
        assert all(looks_english(source[start : start + 2000]) for start in range(0, len(source), 2000))
