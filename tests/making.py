"""Files of every format, made by real tools from reports whose plain text is known."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tagger import Document, tagging
from tagger.records import Passage

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "corpora/mexico-2014/report.txt"
HEADINGS = ("Recommendations for Mexico:", "Prosecution", "Protection", "Prevention")


@dataclass(frozen=True)
class Report:
    """A report as blocks: country, tier, then headings (kind h) and paragraphs (kind p)."""

    country: str
    tier: str
    blocks: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n\n".join([self.country, self.tier, *(text for _, text in self.blocks)]) + "\n"


def mexico() -> Report:
    """The real report, without the archive's title and list of related documents."""
    text = REPORT.read_text(encoding="utf-8").partition("Associated documents")[0]
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    assert lines[:2] == ["Trafficking in Persons Report 2014 - Mexico", "Tier 2"]
    return Report("Mexico", "Tier 2", [("h" if line in HEADINGS else "p", line) for line in lines[2:]])


def composed(country: str, tier: str, documents: Sequence[str], passages: int) -> Report:
    """A report of composed passages under the five headings, five to eight passages a paragraph."""
    lines = (ROOT / "corpora/composed/passages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["document"] in documents]
    texts = [row["text"] for row in rows if row["text"].endswith(".")][:passages]
    assert len(texts) == passages, len(texts)
    items = [row["text"].rstrip(";.") for row in rows if row["text"].endswith(";")][:8]
    paragraphs, size = [], 5
    while texts:
        paragraphs.append(" ".join(texts[:size]))
        texts, size = texts[size:], 5 + (size + 2) % 4
    names = ["Trafficking Profile", "Prosecution", "Protection", "Prevention"]
    blocks = [("p", paragraphs.pop(0))]
    if items:
        blocks += [("h", "Prioritized Recommendations:"), ("p", "; ".join(items) + ".")]
    share = -(-len(paragraphs) // len(names))
    for number, name in enumerate(names):
        blocks += [("h", name), *(("p", text) for text in paragraphs[number * share : (number + 1) * share])]
    return Report(country, tier, blocks)


def three_countries(passages: int = 450) -> list[Report]:
    """Long reports, so that the PDF of the three has 60 pages."""
    groups = (
        ("Bolivia", "Tier 2", ("europe-americas", "government-a-1", "protection-b-1", "prevention-b-1", "contrast-b-1")),
        ("Côte d’Ivoire", "Tier 2 Watch List", ("africa-mideast", "government-a-2", "protection-b-2", "prevention-b-2", "contrast-b-2")),
        ("Timor-Leste", "Tier 3", ("asia-pacific", "government-a-3", "protection-b-3", "prevention-b-3", "contrast-b-3")),
    )
    return [composed(country, tier, documents, passages) for country, tier, documents in groups]


# -- comparing ---------------------------------------------------------------------------------------------------------------


def differences(found: Iterable[Passage], expected: Iterable[Passage]) -> tuple[float, str]:
    """The share of the expected passages that were found as they are, with their section, in order; and what differs, to be read."""
    import difflib

    left, right = [(p.section, p.text) for p in expected], [(p.section, p.text) for p in found]
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    equal = sum(block.size for block in matcher.get_matching_blocks())
    listed = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            listed += [f"- {section}: {text}" for section, text in left[a:b]] + [f"+ {section}: {text}" for section, text in right[c:d]]
    return equal / max(len(left), len(right)), "\n".join(listed)


def assert_equal_passages(found: Document, expected: Document, share: float = 0.99) -> None:
    equal, listed = differences(found.passages, expected.passages)
    assert equal >= share, f"{equal:.1%} of the passages equal those of the plain text:\n{listed}"
    assert_sound(found)


def assert_sound(document: Document) -> None:
    for passage in document.passages:
        assert document.text[passage.start : passage.end] == passage.text
    assert [passage.start for passage in document.passages] == sorted(passage.start for passage in document.passages)


def plain(report: Report, folder: Path) -> Document:
    path = folder / "truth.txt"
    path.write_text(report.text, encoding="utf-8")
    return tagging.read(path)


# -- web pages ---------------------------------------------------------------------------------------------------------------

_STATE = """<!DOCTYPE html>
<html lang="en-US"><head><meta charset="UTF-8"><title>2014 Trafficking in Persons Report: {country} - United States Department of State</title>
<meta property="og:title" content="2014 Trafficking in Persons Report: {country} - United States Department of State">
<script>window.dataLayer = ["Official complicity"];</script><style>.menu {{ color: red }}</style></head>
<body class="report">
<a class="skip-link" href="#content">Skip to content</a>
<div class="usa-banner">An official website of the United States Government. Here's how you know. Official websites use .gov.
A .gov website belongs to an official government organization in the United States.</div>
<header class="site-header"><nav aria-label="Primary"><ul><li><a href="/policy">Policy Issues</a><ul><li><a href="/a">Anti-Corruption and Transparency</a></li>
<li><a href="/b">Human Trafficking</a></li></ul></li><li><a href="/c">Countries &amp; Areas</a></li><li><a href="/d">Bureaus &amp; Offices</a></li>
<li><a href="/e">Travel</a></li></ul></nav><form role="search"><input placeholder="Search"><button>Search</button></form></header>
<nav class="breadcrumb"><a href="/">Home</a> ... <a href="/r">2014 Trafficking in Persons Report</a></nav>
<main id="content"><article class="report-content"><header class="article-header"><h1 class="article-title">2014 Trafficking in Persons Report: {country}</h1>
<p class="article-meta">Report<br>OFFICE TO MONITOR AND COMBAT TRAFFICKING IN PERSONS</p>
<div class="share"><button>Share</button><button>Print</button></div></header>
<div class="entry-content">
<h2>{capitals} ({tier})</h2>
{body}
</div></article>
<aside class="toc"><h4>In this section</h4><ol><li><a href="#1">Prosecution</a></li><li><a href="#2">Protection</a></li></ol></aside></main>
<section class="related"><h2>Tags</h2><a href="/t">Bureau of Western Hemisphere Affairs</a> <a href="/u">Human Trafficking</a> <a href="/v">{country}</a></section>
<div class="cookie-consent" role="dialog"><p>We use cookies to improve your experience on our site. By continuing you accept our privacy policy.</p>
<button>Accept all</button></div>
<footer><div class="footer-seal">U.S. Department of State</div><p>The Lessons of 1989: Freedom and Our Future</p><ul><li><a href="/p">Privacy Policy</a></li>
<li><a href="/q">Accessibility Statement</a></li><li><a href="/foia">FOIA</a></li></ul></footer></body></html>"""

_ECOI = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Trafficking in Persons Report 2014 - {country} | ecoi.net</title></head>
<body>
<div id="cookie-notice" class="cookie-banner"><div>This website uses cookies, which are needed for technical reasons. You can find more in our data protection notice.</div><a href="#">OK</a></div>
<div class="header"><div class="logo"><a href="/">ecoi.net</a></div><div class="menu"><a href="/en/search">Search</a><a href="/en/countries">Countries</a>
<a href="/en/sources">Sources</a><a href="/en/about">About us</a><a href="/de/">Deutsch</a></div></div>
<div class="container"><div class="row"><div class="col-md-3 sidebar"><h4>Source:</h4><div>USDOS &ndash; US Department of State</div>
<h4>Original link</h4><a href="http://www.state.gov/j/tip/rls/tiprpt/2014/">http://www.state.gov/j/tip/rls/tiprpt/2014/</a><h4>Document ID</h4><div>1262490</div></div>
<div class="col-md-9 document"><div class="doc-meta">Document #1262490</div><div class="doc-source">USDOS &ndash; US Department of State (Author)</div>
<h1>Trafficking in Persons Report 2014 - {country}</h1>
<div class="doc-body">
<p><b>{tier}</b></p>
{body}
<h3>Associated documents</h3>
<ul class="related"><li>Document ID 1262490 Related / Associated</li><li><a href="/en/document/1.html">Methodology associated with Annual report on trafficking in persons (covering April 2013 to March 2014)</a></li>
<li><a href="/en/document/2.html">Trafficking in Persons Report 2014 - Albania (Periodical Report, English)</a></li></ul>
</div></div></div></div>
<div class="footer"><p>ecoi.net is run by the Austrian Red Cross (department ACCORD) in cooperation with Informationsverbund Asyl &amp; Migration.</p>
<p>It is funded by the Asylum, Migration and Integration Fund and the Austrian Ministry of the Interior.</p></div></body></html>"""

_REFWORLD = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">
<html><head><meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><title>Refworld | Trafficking in Persons Report 2014 - {country}</title></head>
<body bgcolor="#FFFFFF">
<table width="100%"><tr><td><a href="/">Refworld</a></td><td><a href="/legal">Legal Information</a> | <a href="/policy">Policy Documents</a> | <a href="/coi">Country of Origin Information</a> | <a href="/kc">Keywords</a></td></tr></table>
<div id="toolbar"><a href="#">Text size</a> <a href="#">Email this document</a> <a href="#">Printable version</a></div>
<h1>Trafficking in Persons Report 2014 - {country}</h1>
<table class="metadata" border="0"><tr><td>Publisher</td><td><a href="/p">United States Department of State</a></td></tr>
<tr><td>Author</td><td>Office to Monitor and Combat Trafficking in Persons</td></tr>
<tr><td>Publication Date</td><td>20 June 2014</td></tr>
<tr><td>Cite as</td><td>United States Department of State, <i>Trafficking in Persons Report 2014 - {country}</i>, 20 June 2014, available at: https://www.refworld.org/docid/53aaba000.html [accessed 1 March 2020]</td></tr>
<tr><td>Disclaimer</td><td>This is not a UNHCR publication. UNHCR is not responsible for, nor does it necessarily endorse, its content. Any views expressed are solely those of the author or publisher.</td></tr></table>
<div id="document">
<p><strong>{capitals} ({tier})</strong></p>
{body}
</div>
<hr><div class="search"><b>Search Refworld</b><form><input><select><option>All countries</option><option>Albania</option><option>Algeria</option></select></form></div>
<div class="bottom"><a href="/c">Contact us</a> | <a href="/d">Disclaimer</a> | <a href="/rss">RSS</a> | &copy; UNHCR</div></body></html>"""

PAGES = {"state.gov": _STATE, "ecoi.net": _ECOI, "refworld.org": _REFWORLD}


def _broken_up(text: str) -> str:
    """Markup as editors leave it: entities, a link and emphasis inside a sentence, hard line breaks in the source."""
    words = html.escape(text).replace("’", "&rsquo;").split(" ")
    if len(words) > 40:
        words[12] = f'<a href="/laws/1">{words[12]}</a>'
        words[25] = f"<em>{words[25]}</em>"
        words[31] = f"<span class='x'>{words[31]}</span>"
    lines = [" ".join(words[place : place + 14]) for place in range(0, len(words), 14)]
    return "\n".join(lines)


def web_page(report: Report, site: str) -> bytes:
    """A page as saved from one of the sites."""
    marks = {
        "state.gov": ("<h3>{}</h3>", "<p>{}</p>"),
        "ecoi.net": ("<p><b>{}</b></p>", "<p>{}</p>"),
        "refworld.org": ("<p><b>{}</b></p>", "<p align='justify'>{}"),
    }
    heading, paragraph = marks[site]
    body = "\n".join((heading if kind == "h" else paragraph).format(_broken_up(text)) for kind, text in report.blocks)
    page = PAGES[site].format(country=report.country, capitals=report.country.upper(), tier=report.tier, body=body)
    return page.encode("windows-1252" if site == "refworld.org" else "utf-8")


_AROUND = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>2014 Trafficking in Persons Report: {country}</title></head><body>
<div class="banner">An official website of the United States Government. Here's how you know.</div>
<div class="top"><a href="/">Home</a> <a href="/c">Countries &amp; Areas</a></div>
<nav><ul><li>Policy Issues</li><li><a href="#1">Prosecution</a></li></ul></nav>
{begin}<h1>2014 Trafficking in Persons Report: {country}</h1><p><b>{capitals} ({tier})</b></p>
{body}
{end}
<footer><a href="/p">Privacy Policy</a></footer></body></html>"""

LAYOUTS = {
    "article": ("<article>", "</article>", "<h2>{}</h2>"),
    "bare": ("", "", "<h5>{}</h5>"),
    "bold": ("<div>", "</div>", "<p><strong>{}</strong></p>"),
    "div": ("<div>", "</div>", "<h3>{}</h3>"),
    "class": ("<div class='content entry'>", "</div>", "<h2>{}</h2>"),
    "comments": ("<div class='report-comments'>", "</div>", "<h2>{}</h2>"),
    "table": ("<table><tr><td><a href='/m'>Media</a></td><td>", "</td></tr></table>", "<h2>{}</h2>"),
    "div each": ("<div>", "</div>", "</div><div class='sec'><h2>{}</h2>"),
    "section each": ("<section>", "</section>", "</section><section><h2>{}</h2>"),
    "details": ("<details open><summary>Narrative</summary>", "</details>", "</details><details><summary>{}</summary>"),
    "buttons": ("<div><div>", "</div></div>", "</div></div><div class='accordion-item'><button>{}</button><div>"),
    "links": ("<ul><li><div>", "</div></li></ul>", "</div></li><li><a href='#'>{}</a><div>"),
    "labels": ("<div><div>", "</div></div>", "</div></div><div><input type='checkbox' id='a'><label for='a'>{}</label><div>"),
    "hidden": ("<div><div>", "</div></div>", "</div></div><div><h3>{}</h3><div style='display: none' aria-hidden='true'>"),
    "tabs": ("<ul><li><button>Prosecution</button></li><li>Protection</li><li>Prevention</li></ul><div>", "</div>", "<h3>{}</h3>"),
    "form": ("<form method='post'><div>", "</div></form>", "<h3>{}</h3>"),
    "dialog": ("<div role='dialog'>", "</div>", "<h3>{}</h3>"),
    "line breaks": ("<div>", "</div>", "{}<br><br>"),
    "headings and line breaks": ("<article>", "</article>", "<h2>{}</h2>"),
    "bold line": ("<table><tr><td>", "</td></tr></table>", "<b>{}</b><br>"),
    "text": ("<pre>", "</pre>", "\n{}\n"),
}
"""Ways in which pages set an article apart and write a section's heading."""


def page_in_layout(report: Report, layout: str) -> str:
    """A page with menus, a banner, a footer and the recommendations as a list, unless its paragraphs are no elements."""
    begin, end, heading = LAYOUTS[layout]
    paragraph = {"line breaks": "{}<br><br>", "headings and line breaks": "{}<br><br>", "bold line": "{}<br><br>", "text": "\n{}\n"}.get(
        layout, "<p>{}</p>"
    )
    pieces = []
    for (before, title), (kind, text) in zip([("", ""), *report.blocks], report.blocks, strict=False):
        if kind == "h":
            pieces.append(heading.format(text))
        elif before == "h" and title.startswith("Recommendations") and paragraph == "<p>{}</p>":
            pieces.append("<ul>" + "".join(f"<li>{html.escape(item)}</li>" for item in text.replace("; ", ";\n").split("\n")) + "</ul>")
        else:
            pieces.append(paragraph.format(html.escape(text)))
    return _AROUND.format(
        begin=begin, end=end, body="\n".join(pieces), country=report.country, capitals=report.country.upper(), tier=report.tier
    )
