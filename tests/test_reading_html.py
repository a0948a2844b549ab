from __future__ import annotations

import pytest
from making import PAGES, assert_equal_passages, mexico, plain, web_page

import tagger


@pytest.mark.parametrize("site", PAGES)
def test_reading_html_gives_the_passages_of_the_plain_text(site, tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(web_page(mexico(), site))
    document = tagger.read(path)
    assert_equal_passages(document, plain(mexico(), tmp_path), 1.0)
    assert (document.country, document.year, document.tier) == ("Mexico", 2014, "Tier 2")
    assert document.notes == ()


def test_reading_html_leaves_menus_notices_and_related_documents_out(tmp_path):
    for site in PAGES:
        path = tmp_path / "page.html"
        path.write_bytes(web_page(mexico(), site))
        together = tagger.read(path).text
        for words in (
            "cookies",
            "Search",
            "Privacy",
            "Disclaimer",
            "UNHCR",
            "Albania",
            "Policy Issues",
            "Red Cross",
            "1262490",
            "Office to Monitor",
        ):
            assert words not in together, (site, words)


@pytest.mark.parametrize(("name", "encoding"), [("a.html", "utf-16"), ("a.txt", "utf-8"), ("saved", "utf-8-sig"), ("a.pdf.htm", "utf-8")])
def test_reading_html_is_known_by_its_content(name, encoding, tmp_path):
    path = tmp_path / name
    path.write_bytes(web_page(mexico(), "state.gov").decode().replace("UTF-8", encoding).encode(encoding))
    assert len(tagger.read(path).passages) == 112


def test_reading_html_of_few_words(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        "<html><body><h2>Prosecution</h2><p>Police took bribes.<br>It rained.</p><ul><li>Boys herd cattle.</li></ul></body></html>"
    )
    assert [(p.section, p.text) for p in tagger.read(path).passages] == [
        ("Prosecution", "Police took bribes."),
        ("Prosecution", "It rained."),
        ("Prosecution", "Boys herd cattle."),
    ]


def test_reading_html_of_three_countries_gives_a_document_each(tmp_path):
    body = "<p>" + "The government does not fully comply with the minimum standards. " * 8 + "</p>"
    parts = "".join(
        f"<h2>{country} (Tier {tier})</h2>{body}<h3>Prosecution</h3>{body}" for tier, country in enumerate(("MALI", "NIGER", "CHAD"), 1)
    )
    path = tmp_path / "page.html"
    path.write_text(f"<html><title>2019 Trafficking in Persons Report</title><body><main>{parts}</main></body></html>")
    assert [(d.country, d.tier, len(d.passages)) for d in tagger.read_all(path)] == [
        ("Mali", "Tier 1", 16),
        ("Niger", "Tier 2", 16),
        ("Chad", "Tier 3", 16),
    ]
