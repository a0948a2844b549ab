from __future__ import annotations

import pytest
from making import Report, assert_equal_passages, mexico, plain
from making_docx import FOOTNOTES, by_libreoffice, word_document

import tagger


def with_footnotes(report: Report) -> Report:
    return Report(report.country, report.tier, [*report.blocks, ("h", "Footnotes"), *(("p", text) for text in FOOTNOTES)])


@pytest.fixture
def word_file(tmp_path):
    path = tmp_path / "report.docx"
    path.write_bytes(word_document(mexico()))
    return path


def test_reading_docx_gives_the_passages_of_the_plain_text(word_file, tmp_path):
    document = tagger.read(word_file)
    assert_equal_passages(document, plain(with_footnotes(mexico()), tmp_path), 1.0)
    assert (document.country, document.tier) == ("Mexico", "Tier 2")
    together = " ".join(passage.text for passage in document.passages)
    assert "Page 1" not in together
    assert "JUNE 2014" not in together


def test_reading_docx_written_by_libreoffice(word_file, tmp_path):
    document = tagger.read(by_libreoffice(word_file, "docx"))
    assert_equal_passages(document, plain(with_footnotes(mexico()), tmp_path))


def test_reading_docx_is_known_by_its_content(word_file, tmp_path):
    other = tmp_path / "report.txt"
    other.write_bytes(word_file.read_bytes())
    assert len(tagger.read(other).passages) == len(tagger.read(word_file).passages)


def test_reading_docx_leaves_out_what_was_deleted(word_file, tmp_path):
    import zipfile

    xml = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Police took </w:t></w:r>'
        "<w:del><w:r><w:delText>no </w:delText></w:r></w:del><w:ins><w:r><w:t>many</w:t><w:tab/><w:t>bribes</w:t></w:r></w:ins>"
        "<w:r><w:instrText>PAGEREF x</w:instrText><w:noBreakHyphen/><w:t>s.</w:t></w:r></w:p></w:body></w:document>"
    )
    path = tmp_path / "changed.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", xml)
    assert [passage.text for passage in tagger.read(path).passages] == ["Police took many\tbribes-s."]
