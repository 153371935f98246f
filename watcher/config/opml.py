"""OPML (opml.org, versions 1 and 2): the list of feeds that readers exchange. Folders are tags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watcher.errors import ConfigError

if TYPE_CHECKING:
    from watcher.sources import Source

MAX_OUTLINES = 20_000


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed of an OPML file; its tags are the folders that it lies in, and its categories."""

    title: str
    address: str
    tags: tuple[str, ...]


def read_opml(data: bytes, name: str) -> list[Outline]:
    """The feeds in `data`, each address once; `name` is what errors call it. Raises ConfigError."""
    from lxml import etree  # noqa: PLC0415 - for this command only

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None or root.tag.lower() != "opml":
        raise ConfigError.of(name, "this is no OPML file", "feed readers export one: look for “Export” or “OPML”")
    found: dict[str, Outline] = {}
    for element in list(root.iter("outline"))[:MAX_OUTLINES]:
        address = (element.get("xmlUrl") or element.get("xmlurl") or "").strip()
        if address and address not in found:
            found[address] = Outline(_title(element), address, tuple(dict.fromkeys(_tags(element))))
    return list(found.values())


def _title(element: Any) -> str:
    return " ".join((element.get("title") or element.get("text") or "").split())


def _tags(element: Any) -> Iterable[str]:
    folders = list(element.iterancestors("outline"))
    yield from filter(None, (tag_of(_title(folder)) for folder in reversed(folders)))
    for category in (element.get("category") or "").split(","):
        yield from filter(None, map(tag_of, category.split("/")))


def tag_of(text: str) -> str:
    """A folder's name as a tag: one word in lower case."""
    return re.sub(r"[^\w.-]+", "-", text.lower()).strip("-")


def write_opml(sources: Iterable[Source]) -> str:
    """The feeds among `sources` as OPML 2.0: each in the folder of its first tag, all its tags as categories.

    Addresses are written as they are; headers, logins and proxies are left out.
    """
    from lxml import etree  # noqa: PLC0415 - for this command only

    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "watcher"
    body = etree.SubElement(root, "body")
    folders: dict[str, Any] = {}
    for source in sources:
        if source.kind != "feed":
            continue
        folder = body
        if source.tags:
            first = source.tags[0]
            if first not in folders:
                folders[first] = etree.SubElement(body, "outline", text=first)
            folder = folders[first]
        outline = etree.SubElement(folder, "outline", type="rss", text=source.name, xmlUrl=source.address)
        if source.tags:
            outline.set("category", ",".join(f"/{tag}" for tag in source.tags))
    return etree.tostring(root, encoding="unicode", pretty_print=True)
