from __future__ import annotations

import pytest
from making import PAGES, assert_equal_passages, mexico, plain, web_page

import tagger


@pytest.mark.parametrize("site", PAGES)
def test_reading_html_gives_the_passages_of_the_plain_text(site, tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(web_page(mexico(), site))
    document = tagger.read(path)
    assert_equal_passages(document, plain(mexico(), tmp_path))
    assert (document.country, document.tier) == ("MEXICO", "Tier 2") if site == "none" else (document.country, document.tier)
    assert (document.year, document.country.title()) == (2014, "Mexico")
