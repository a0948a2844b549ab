"""A picture that matplotlib drew, made part of a page: it takes the page's colours and letters and needs no style of its own.

Styles become attributes, which a strict content-security policy allows; names are set apart from those of other pictures.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

LINE, FAINT = "#1f5f8b", "#b3b3b3"
"""The colours of what is shown and of what it is held against."""
_COLOURS = {LINE: "var(--line)", FAINT: "var(--faint)", "#000000": "currentColor", "#ffffff": "none"}


def inline(svg: str, name: str, said: str) -> str:
    """Return an element of a page; ``name`` is unlike that of any other picture of it, ``said`` is read out for the picture."""
    root = ET.fromstring(svg)
    for parent in [*root.iter()]:
        for child in [*parent]:
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = _attributes(element.attrib, name, used)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": said}
    return ET.tostring(root, encoding="unicode")


def _attributes(given: dict[str, str], name: str, used: set[str]) -> dict[str, str]:
    found = {_local(key): value for key, value in given.items()}
    for declaration in found.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font":  # shorthand, which no attribute stands for
            key, value = "font-size", value.split()[0]
        if key and key != "font-family":
            found[key] = _COLOURS.get(value, value)
    if found.get("id") in used:
        found["id"] = f"{name}-{found['id']}"
    else:
        found.pop("id", None)
    for key, before in (("href", "#"), ("clip-path", "url(#")):
        if key in found:
            found[key] = found[key].replace(before, f"{before}{name}-")
    return found


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]
