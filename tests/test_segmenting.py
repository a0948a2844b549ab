from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.records import Document
from tagger.segmenting import segment
from tagger.structure import FOOTER, INLINE_HEADING, MARK, header_line, heading, lines
from tagger.tagging import read


def texts(text: str) -> list[str]:
    return [passage.text for passage in segment(Document("d", text)).passages]


def test_segmenting_mexico_gives_the_committed_passages(report, root):
    document = read(report, name="mexico-2014")
    expected = [json.loads(line) for line in (root / "corpora/mexico-2014/passages.jsonl").read_text(encoding="utf-8").splitlines()]
    found = [(p.id, p.text, p.section, p.paragraph, p.start, p.end) for p in document.passages]
    assert found == [(r["id"], r["text"], r["section"], r["paragraph"], r["start"], r["end"]) for r in expected]
    assert len(found) == 112
    assert (document.title, document.country, document.year, document.tier) == (
        "Trafficking in Persons Report 2014 - Mexico",
        "Mexico",
        2014,
        "Tier 2",
    )


def test_segmenting_drops_header_and_related_documents(report):
    together = " ".join(passage.text for passage in read(report).passages)
    assert "Associated" not in together
    assert "Metholdologie" not in together
    assert "Tier 2" not in together


def test_segmenting_makes_one_passage_of_each_recommendation(report):
    items = [passage.text for passage in read(report).passages if passage.section == "Recommendations"]
    assert len(items) == 11
    assert items[6] == "strengthen data collection efforts;"


@pytest.mark.parametrize(
    "sentence",
    [
        "Authorities partnered with the U.S. government on 18 cases.",
        "Judge J. A. Smith of the U.S. Court paid $2.5 million (see para. 3 and Art. 5).",
        "Approx. 20 men, incl. boys, were found in Ft. Worth by Lt. Gen. Doe.",
        "The law (passed in 2012. It was amended.) is good.",
        "The minister said \u201cIt is bad. We go.\u201d and left.",
        "Under Law No. 28 of Jan. 2013, fines rose by 3.5 percent.",
    ],
)
def test_segmenting_keeps_a_sentence_whole(sentence):
    assert texts(f"It began. {sentence} It ended.") == ["It began.", sentence, "It ended."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He came to the U.S. In 2013 he left.", ["He came to the U.S.", "In 2013 he left."]),
        ("It ratified the Protocol.12 It did no more.", ["It ratified the Protocol.12", "It did no more."]),
        ("(He left.) It rained.", ["(He left.)", "It rained."]),
        ("The fine is low; it is rarely paid.", ["The fine is low; it is rarely paid."]),
        ("Train police; open (one; two) shelters; fund NGOs.", ["Train police;", "open (one; two) shelters;", "fund NGOs."]),
    ],
)
def test_segmenting_cuts(text, expected):
    assert texts(text) == expected


def test_segmenting_reads_hard_wrapped_text_as_paragraphs():
    text = "The government opened one\nshelter in the capital. It\nclosed soon.\n\nPolice took\nbribes.\n"
    document = segment(Document("d", text))
    assert [(p.paragraph, p.text) for p in document.passages] == [
        (1, "The government opened one\nshelter in the capital."),
        (1, "It\nclosed soon."),
        (2, "Police took\nbribes."),
    ]


def test_segmenting_finds_sections_of_older_and_newer_reports():
    text = "2021 Trafficking in Persons Report: Chad\nTIER 2 WATCH LIST\nIt tried.\n\nPRIORITIZED RECOMMENDATIONS:\nTrain police; fund NGOs.\n\nTRAFFICKING PROFILE\nBoys herd cattle.\nRecommendations for Chad: Act now.\n"
    document = segment(Document("chad", text))
    assert (document.country, document.year, document.tier) == ("Chad", 2021, "TIER 2 WATCH LIST")
    assert [(p.section, p.text) for p in document.passages] == [
        ("Introduction", "It tried."),
        ("Recommendations", "Train police;"),
        ("Recommendations", "fund NGOs."),
        ("Profile", "Boys herd cattle."),
        ("Recommendations", "Act now."),
    ]


def test_segmenting_takes_two_lines_of_a_heading_for_one():
    text = "Tier 2\n\nIt tried.\n\nPRIORITIZED\nRECOMMENDATIONS:\nTrain police; fund NGOs.\n\nProtection and Assistance\nto Victims\n\nIt rained."
    assert [(p.section, p.text) for p in segment(Document("d", text)).passages] == [
        ("Introduction", "It tried."),
        ("Recommendations", "Train police;"),
        ("Recommendations", "fund NGOs."),
        ("Protection", "It rained."),
    ]


@pytest.mark.parametrize("title", ["Country notes of our group", "Annual Review\n2009\n\nPart 4"])
@pytest.mark.parametrize("header", ["BURMA (Tier 2 Watch List)", "Burma\n\nTier 2 Watch List"])
def test_segmenting_finds_country_and_tier_below_a_title(title, header):
    document = segment(Document("d", f"{title}\n\n{header}\n\nIt tried. It failed.\n"))
    assert (document.title, document.country, document.tier) == (title.partition("\n")[0], "Burma", "Tier 2 Watch List")
    assert [passage.text for passage in document.passages] == ["It tried.", "It failed."]


@pytest.mark.parametrize(
    "text", ["It tried.\nBURMA (Tier 2)\nIt failed.", "Prosecution\nBURMA (Tier 2)\nIt failed.", "Police\ntook bribes."]
)
def test_segmenting_takes_no_text_for_a_title(text):
    document = segment(Document("d", text))
    assert document.title is None
    assert document.passages[0].text.split()[0] in ("It", "BURMA", "Police")


def test_segmenting_drops_the_marks_of_lists():
    text = "Recommendations:\n\u2022 Train police.\n\u2022\tFund NGOs; \u2022 act.\n- Open shelters - many.\n\u2022\n1. Count (2) beds.\n\uf0b7 Amend the law."
    document = segment(Document("d", text))
    assert [passage.text for passage in document.passages] == [
        "Train police.",
        "Fund NGOs;",
        "act.",
        "Open shelters - many.",
        "1. Count (2) beds.",
        "Amend the law.",
    ]
    assert all(text[passage.start : passage.end] == passage.text for passage in document.passages)


RELATED = "Related documents\nMali 2013 (Periodical Report)\n"


@pytest.mark.parametrize("above", ["", "It tried.\n", "Prosecution\nPolice took bribes.\n"])
@pytest.mark.parametrize(
    "below", ["Protection\nIt rained.", "Recommendations: Train police.", "PRIORITIZED\nRECOMMENDATIONS:\nTrain police."]
)
def test_segmenting_goes_on_below_related_documents_where_a_section_follows(above, below):
    document = segment(Document("d", above + RELATED + below))
    sections = [passage.section for passage in segment(Document("d", above + below)).passages]
    assert [passage.section for passage in document.passages if not passage.text.startswith("Mali")] == sections
    assert document.notes == ()


def test_segmenting_ends_at_the_related_documents_below_the_last_section():
    document = segment(Document("d", f"{RELATED}Prosecution\nPolice took bribes.\n{RELATED * 2}Footnotes\n1 Law."))
    assert [(passage.section, passage.text) for passage in document.passages] == [
        ("Introduction", "Mali 2013 (Periodical Report)"),
        ("Prosecution", "Police took bribes."),
    ]


def test_segmenting_says_what_it_leaves_out_below_related_documents():
    text = "Prosecution\nPolice took bribes.\nRELATED DOCUMENTS\nIt opened a shelter.\n\nIt closed soon."
    note = "2 paragraphs below 'RELATED DOCUMENTS' left out: take that line away if they belong to the report"
    assert segment(Document("d", text)).notes == (note,)
    assert segment(Document("d", text[: text.index("It opened")] + "Mali 2013")).notes == ()


@pytest.mark.parametrize(
    "signs", [";" * 30_000, "; " * 30_000, "x; " * 10_000, "(;" * 15_000, "(x); " * 6_000, "\u201c" * 30_000, '" ' * 15_000]
)
def test_segmenting_takes_time_in_proportion_to_the_text(signs):
    started = time.perf_counter()
    assert texts(f"Police took bribes {signs}")[0].startswith("Police took bribes")
    assert time.perf_counter() - started < 3


def test_segmenting_cuts_at_semicolons_between_words_alone():
    assert texts("Train police;; ; fund NGOs; ;; (open; shelters); ;") == ["Train police;", "; ; fund NGOs;", ";; (open; shelters); ;"]


PIECES = st.sampled_from(
    [
        "U.S. ",
        "(",
        ")",
        "\u201c",
        "\u201d",
        "; ",
        ". ",
        "! ",
        "\n",
        "\n\n",
        "para. ",
        "Mr. A. ",
        "word ",
        "Ends",
        "3.5",
        "\U0001f600 ",
        "\r",
        "\x85",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)))
def test_segmenting_any_text_keeps_offsets_and_loses_nothing(text):
    passages = segment(Document("d", text)).passages
    last = 0
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() != ""
        assert passage.start >= last
        last = passage.end
    left_out = list(text)
    for passage in passages:
        left_out[passage.start : passage.end] = " " * len(passage.text)
    rest = "".join(left_out)
    left = [rest[start:end] for start, end in lines(rest) if start < end and not MARK.fullmatch(rest, start, end)]
    furniture = [
        line for line in left if heading(line) or header_line(line) or FOOTER.fullmatch(line) or INLINE_HEADING.fullmatch(line + " ")
    ]
    assert left == furniture or any(FOOTER.fullmatch(line) for line in left)  # below the footer, all falls away
