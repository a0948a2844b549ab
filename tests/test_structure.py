from __future__ import annotations

import doctest

import pytest

import tagger.countries
import tagger.invisible
import tagger.reading.hyphens
import tagger.structure
from tagger.structure import Header, header_line, heading, one_heading, reports


@pytest.mark.parametrize("module", [tagger.countries, tagger.invisible, tagger.structure, tagger.reading.hyphens])
def test_structure_examples_of_the_docstrings(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("line", "section"),
    [
        ("PRIORITIZED RECOMMENDATIONS:", "Recommendations"),
        ("Recommendations for the Gambia", "Recommendations"),
        ("Trafficking Profile", "Profile"),
        ("Scope and Magnitude", "Profile"),
        ("Government Efforts", "Government efforts"),
        ("Protection and Assistance to Victims", "Protection"),
        ("Law Enforcement", "Prosecution"),
        ("Prevention of Trafficking", "Prevention"),
        ("Protection was weak.", None),
    ],
)
def test_structure_headings_older_and_newer(line, section):
    assert heading(line) == section


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("Trafficking in Persons Report 2014 - Mexico", ("Mexico", 2014, None)),
        ("2023 Trafficking in Persons Report: Mexico - United States Department of State", ("Mexico", 2023, None)),
        ("Refworld | U.S. Department of State Trafficking in Persons Report 2005 - Burma", ("Burma", 2005, None)),
        ("TRAFFICKING IN PERSONS REPORT JUNE 2009", (None, 2009, None)),
        ("MEXICO (Tier 2 Watch List)", ("MEXICO", None, "Tier 2 Watch List")),
        ("MEXICO: Tier 2", ("MEXICO", None, "Tier 2")),
        ("Mexico | Tier 3", ("Mexico", None, "Tier 3")),
        ("Special Case: Haiti", ("Haiti", None, "Special Case")),
        ("Somalia: Special Case", ("Somalia", None, "Special Case")),
        ("Côte d’Ivoire", ("Côte d’Ivoire", None, None)),
        ("Police took bribes.", None),
        ("Therefore it remained on Tier 2", None),
        ("Zanzibar (Tier 2)", ("Zanzibar", None, "Tier 2")),
    ],
)
def test_structure_header_lines(line, header):
    found = header_line(line)
    assert (found and (found.country, found.year, found.tier)) == header
    assert header_line("Tier 1", Header(country="Mali")) == Header(country="Mali", tier="Tier 1")


def test_structure_reports_cover_the_text_and_a_running_head_begins_none():
    body = "\n\n" + "The government made efforts. " * 20 + "\n\n"
    text = f"MALI: Tier 2{body}MALI: Tier 2{body}NIGER\n\nTier 1{body}"
    found = reports([text])
    assert [text[start : start + 5].strip() for start, _ in found] == ["MALI:", "NIGER"]
    assert "".join(text[start:end] for start, end in found) == text


@pytest.mark.parametrize(
    ("first", "second", "wrapped"),
    [
        ("PRIORITIZED", "RECOMMENDATIONS:", True),
        ("Prioritized Recommendations for the", "Democratic Republic of the Congo:", True),
        ("PROTECTION AND ASSISTANCE", "TO VICTIMS", True),
        ("Scope and", "Magnitude", True),
        ("Recommendations for Mali:", "Train police:", False),
        ("Recommendations for Mali", "Train police", False),
        ("Prosecution", "Protection", False),
        ("prioritized", "recommendations:", False),  # in the middle of a sentence
    ],
)
def test_structure_heading_on_two_lines(first, second, wrapped):
    assert one_heading(first, second) is wrapped
