from __future__ import annotations

import pytest
from making import LAYOUTS, PAGES, assert_equal_passages, mexico, page_in_layout, plain, web_page

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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_reading_html_of_any_layout_gives_the_passages_of_the_plain_text(layout, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_in_layout(mexico(), layout), encoding="utf-8")
    document = tagger.read(path)
    assert_equal_passages(document, plain(mexico(), tmp_path), 1.0)
    assert (document.country, document.year, document.tier) == ("Mexico", 2014, "Tier 2")
    assert document.notes == ()


BOX = "<div class='{}'><p>The embassy announced a new programme for young leaders in the capital.</p></div>"
READERS = "<h3>Comments</h3><ol>" + "<li>I disagree, the report says nothing of the coast where we live.</li>" * 9 + "</ol>"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", BOX.format("related-posts")),
        ("", BOX.format("newsletter")),
        ("", BOX.format("cookie-notice")),
        ("", READERS),
        (BOX.format("x") + "<h3>News</h3>", ""),
    ],
    ids=["related", "newsletter", "cookies", "comments", "teaser"],
)
@pytest.mark.parametrize("layout", ["article", "div", "buttons"])
def test_reading_html_takes_no_more_than_the_article_where_its_lists_are_missing(before, after, layout, tmp_path):
    path = tmp_path / "page.html"
    begin, end, _ = LAYOUTS[layout]
    page = page_in_layout(mexico(), layout).replace(f"{begin}<h1>", f"{before}{begin}<h1>").replace(f"\n{end}\n", f"\n{end}\n{after}\n")
    path.write_text(page, encoding="utf-8")
    assert_equal_passages(tagger.read(path), plain(mexico(), tmp_path), 1.0)


def test_reading_html_notes_that_much_was_left_out(tmp_path):
    path = tmp_path / "page.html"
    page = page_in_layout(mexico(), "article")
    path.write_text(page.replace("<h2>Protection", "<aside><h2>Protection").replace("<h2>Prevention", "</aside><h2>Prevention"))
    (note,) = tagger.read(path).notes
    assert note.endswith("% of the page's text are left out as no part of the report: see whether anything is missing")


@pytest.mark.parametrize(
    ("body", "passages"),
    [
        ("<ul><li>Train police;</li><li>fund shelters.</li></ul>", ["Train police;", "fund shelters."]),
        ("<p>Police bribes</p>", ["Police bribes"]),
        ("<b>Prosecution</b><br>Police took bribes.", ["Police took bribes."]),
        ("<a href='x'><p>Police took bribes.</p><p>It rained.</p>", ["Police took bribes.", "It rained."]),
        ("<aside><p>Police took bribes.</p></aside>", ["Police took bribes."]),
        ("<p>Police took bribes in <time>June</time>, <ins>too</ins>.</p>", ["Police took bribes in June, too."]),
        (
            "<div><p>It rained.</p><div>Police took bribes.</div><p>It snowed.</p></div>",
            ["It rained.", "Police took bribes.", "It snowed."],
        ),
    ],
)
def test_reading_html_of_a_few_words_loses_none(body, passages, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(f"<html><body>{body}</body></html>")
    assert [p.text for p in tagger.read(path).passages] == passages


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
