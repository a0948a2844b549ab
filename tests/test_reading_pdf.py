from __future__ import annotations

import pytest
from making import Report, assert_equal_passages, assert_sound, composed, differences, mexico, plain, three_countries
from making_docx import by_libreoffice, word_document
from making_pdf import html_pdf, picture_pdf, reportlab_pdf, weasyprint_pdf

import tagger


def read(tmp_path, data: bytes):
    path = tmp_path / "report.pdf"
    path.write_bytes(data)
    return tagger.read(path)


MAKERS = {
    "weasyprint": lambda report: weasyprint_pdf([report]),
    "down the columns": lambda report: reportlab_pdf([report]),
    "across the columns": lambda report: reportlab_pdf([report], rows_first=True),
    "three columns, across": lambda report: reportlab_pdf([report], columns=3, rows_first=True, size=8),
    "one column, indented": lambda report: reportlab_pdf([report], columns=1, indent=True),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_reading_pdf_gives_the_passages_of_the_plain_text(maker, tmp_path):
    document = read(tmp_path, MAKERS[maker](mexico()))
    assert_equal_passages(document, plain(mexico(), tmp_path))
    assert (document.country, document.year, document.tier) == ("Mexico", 2014, "Tier 2")


def test_reading_pdf_written_by_libreoffice_in_two_columns(tmp_path):
    path = tmp_path / "report.docx"
    path.write_bytes(word_document(mexico(), footnotes=False, table=False, columns=2))
    document = tagger.read(by_libreoffice(path, "pdf"))
    assert_equal_passages(document, plain(mexico(), tmp_path))
    assert document.country == "Mexico"


@pytest.fixture(scope="module")
def long_pdf(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "tip.pdf"
    path.write_bytes(reportlab_pdf(three_countries(), size=13.95))
    return path


def test_reading_pdf_of_three_countries_gives_a_document_each(long_pdf, tmp_path):
    documents = tagger.read_all(long_pdf)
    assert [(d.name, d.country, d.year, d.tier) for d in documents] == [
        ("tip-bolivia", "Bolivia", 2014, "Tier 2"),
        ("tip-cote-d-ivoire", "Côte d'Ivoire", 2014, "Tier 2 Watch List"),
        ("tip-timor-leste", "Timor-Leste", 2014, "Tier 3"),
    ]
    for document, report in zip(documents, three_countries(), strict=True):
        assert_equal_passages(document, plain(report, tmp_path))
        pages = [passage.page for passage in document.passages]
        assert pages == sorted(pages)
        assert pages[0] == document.pages[0][1]
    assert documents[-1].pages[-1][1] == 60
    assert "".join(document.text for document in documents) == tagger.read(long_pdf).text


def test_reading_pdf_of_three_countries_as_one_document(long_pdf):
    parts, whole = tagger.read_all(long_pdf), tagger.read(long_pdf)
    assert_sound(whole)
    assert whole.country is None
    assert [p.text for p in whole.passages] == [p.text for part in parts for p in part.passages]
    assert [p.page for p in whole.passages] == [p.page for part in parts for p in part.passages]
    assert len({p.id for p in whole.passages}) == len(whole.passages)


def test_reading_pdf_pages_are_those_of_the_file(tmp_path):
    import pypdfium2

    data = weasyprint_pdf([mexico()])
    document = read(tmp_path, data)
    pages = ["".join(page.get_textpage().get_text_range().split()) for page in pypdfium2.PdfDocument(data)]
    assert {passage.page for passage in document.passages} == {1, 2, 3, 4}
    for passage in document.passages:
        assert "".join(passage.text.split())[:8] in pages[passage.page - 1].replace("\ufffe", ""), passage


def test_reading_pdf_mends_hyphens_of_words_never_seen_when_it_was_written(tmp_path):
    """Of lines that end in a hyphen, how many come out as they were: on composed passages that are in no other test."""
    report = composed("Georgia", "Tier 1", ["prosecution", "protection", "profiles-a-1", "profiles-a-2", "profiles-a-3"], 400)
    equal, listed = differences(read(tmp_path, reportlab_pdf([report])).passages, plain(report, tmp_path).passages)
    assert equal >= 0.985, listed


def test_reading_pdf_names_scanned_pages_and_reads_the_others(tmp_path):
    document = read(tmp_path, picture_pdf(2, "Police took bribes from traffickers."))
    assert [(passage.page, passage.text) for passage in document.passages] == [(3, "Police took bribes from traffickers.")]
    assert document.notes == ("pages 1, 2 passed over: only a picture, no text; OCR (such as ocrmypdf) would make it readable",)


def test_reading_pdf_ligatures_become_letters_and_curly_quotes_stay(tmp_path):
    page = html_pdf("<p style='width: 40em'>The o\ufb03ce \ufb01led \u201cone\u201d case\u2019s \ufb02ow.</p>")
    assert read(tmp_path, page).passages[0].text == "The office filed \u201cone\u201d case\u2019s flow."


def test_reading_pdf_a_line_of_a_sentence_that_ends_in_a_tier_is_no_header(tmp_path):
    sentence = "After two years without a conviction, the department said, Hong Kong remained on Tier 2 Watch List for the third year, as Mali remained on Tier 2 Watch List."
    report = Report("Mexico", "Tier 2", [("p", " ".join([sentence] * 12))])
    assert_equal_passages(read(tmp_path, reportlab_pdf([report])), plain(report, tmp_path), 1.0)


def test_reading_pdf_columns_between_stretches_across_the_page(tmp_path):
    blocks = mexico().blocks
    across, down = "<p>{}</p>", "<div style='columns: 2; text-align: justify'>{}</div>"
    parts = [blocks[:2], blocks[2:8], blocks[8:10], blocks[10:]]
    made = ["".join(f"<{'h3' if kind == 'h' else 'p'}>{text}</{'h3' if kind == 'h' else 'p'}>" for kind, text in part) for part in parts]
    page = "<h1>MEXICO (Tier 2)</h1>" + "".join((down if place % 2 else across).format(part) for place, part in enumerate(made))
    document = read(tmp_path, html_pdf(f"<style>body {{ font: 10pt 'Liberation Serif' }}</style>{page}"))
    assert_equal_passages(document, plain(mexico(), tmp_path))


def test_reading_pdf_of_one_page_and_of_two(tmp_path):
    for blocks in (mexico().blocks[:3], mexico().blocks[:12]):
        report = Report("Mexico", "Tier 2", blocks)
        for maker in (reportlab_pdf, weasyprint_pdf):
            document = read(tmp_path, maker([report]))
            assert_equal_passages(document, plain(report, tmp_path), 1.0)


@pytest.mark.parametrize(
    "css", ["h2 { font: bold 14pt serif; width: 150pt; margin: 12pt 0 4pt }", "h2, p { font: 10pt serif; margin: 0 } h2 { width: 130pt }"]
)
def test_reading_pdf_heading_on_two_lines_and_items_with_bullets(css, tmp_path):
    items = "".join(f"<li>{text}</li>" for text in ("Train police officers to find victims.", "Fund shelters in the provinces."))
    page = f"<style>{css} h2 {{ line-height: 1.2 }} h2 span {{ display: block }}</style><p>Mali: Tier 2</p><p>The government tried. It failed.</p>"
    page += (
        f"<h2><span>PRIORITIZED</span> <span>RECOMMENDATIONS:</span></h2><ul>{items}</ul><p>\u2022 Count the victims of forced labor.</p>"
    )
    document = read(tmp_path, html_pdf(f"<html><body>{page}</body></html>"))
    assert [(passage.section, passage.text) for passage in document.passages] == [
        ("Introduction", "The government tried."),
        ("Introduction", "It failed."),
        ("Recommendations", "Train police officers to find victims."),
        ("Recommendations", "Fund shelters in the provinces."),
        ("Recommendations", "Count the victims of forced labor."),
    ]
    assert_sound(document)
