"""What a site offers: its feeds, its news sitemaps, the articles that a page lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from watcher.errors import FetchError, ParseError
from watcher.sources.base import Tools

READ = "watcher.sources.discover:read_offers"
READ_DEADLINE = 15.0  # seconds
MAX_SITEMAPS = 10
ENOUGH = 3  # links to articles from which a page is a listing

_FEED_TYPES = re.compile(r"^application/(?:rss\+xml|atom\+xml|feed\+json|rdf\+xml)|^text/(?:rss|atom)", re.IGNORECASE)
_SITEMAP = re.compile(rb"^[ \t]*sitemap[ \t]*:[ \t]*(\S{1,2000})", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to read a site: a kind of source and its address."""

    kind: str
    address: str
    title: str = ""
    examples: tuple[str, ...] = field(default=())  # titles of what it lists, where that is known


async def discover(body: bytes, charset: str, url: str, tools: Tools, request: Any) -> list[Offer]:
    """What the page in `body`, which came from `url`, and its site offer, the best first.

    Feeds that the page names, sitemaps that robots.txt names (news before others), the page's own list of articles,
    and the page itself, to be watched for changes, where it is no front page or there is nothing else. `request(url)`
    makes a request; that there is no robots.txt is no error.
    """
    found: dict[str, Any] = await tools.workers.run(READ, body, charset, url, deadline=READ_DEADLINE)
    offers = [Offer("feed", address, title) for address, title in found["feeds"]]
    offers += [Offer("sitemap", address) for address in await _sitemaps(url, tools, request)]
    if len(found["articles"]) >= ENOUGH:
        offers.append(Offer("links", url, found["title"], tuple(found["articles"])))
    if not offers or urlsplit(url).path.strip("/"):  # a site's front page is seldom watched for its own sake
        offers.append(Offer("page", url, found["title"]))
    return offers


async def _sitemaps(url: str, tools: Tools, request: Any) -> list[str]:
    parts = urlsplit(url)
    try:
        response = await tools.fetch.get(request(f"{parts.scheme}://{parts.netloc}/robots.txt"))
    except (FetchError, ParseError):
        return []
    return sitemaps_of(response.body[:500_000])


def sitemaps_of(robots: bytes) -> list[str]:
    """The sitemaps that a robots.txt names, those of news first."""
    from watcher.text.urls import resolve  # noqa: PLC0415 - brings the list of public suffixes

    named = [resolve("", match.decode("utf-8", "replace")) for match in _SITEMAP.findall(robots)]
    found = list(dict.fromkeys(filter(None, named)))
    return sorted(found, key=lambda address: "news" not in address.lower())[:MAX_SITEMAPS]


def read_offers(body: bytes, charset: str, url: str) -> dict[str, Any]:
    """The feeds ([address, title]) and the titles of the `articles` that a page names; for workers."""
    from watcher.extract import decode  # noqa: PLC0415 - for workers only, as all below
    from watcher.sources.link_finder import articles, links_of  # noqa: PLC0415
    from watcher.sources.select import tree_of  # noqa: PLC0415
    from watcher.text.urls import resolve  # noqa: PLC0415

    tree = tree_of(decode(body, charset))
    feeds: dict[str, str] = {}
    for link in tree.iter("link", "a"):
        kind, relation = link.get("type") or "", (link.get("rel") or "").lower().split()
        if _FEED_TYPES.match(kind.strip()) and (link.tag == "a" or {"alternate", "feed"} & set(relation)):
            address = resolve(url, (link.get("href") or "").strip())
            if address and "/comments/" not in address:
                feeds.setdefault(address, " ".join((link.get("title") or "").split()))
    title = next((" ".join("".join(found.itertext()).split()) for found in tree.iter("title")), "")
    listed = [link.text or link.url for link in articles(links_of(tree, url), url)]
    return {"feeds": [[address, name] for address, name in feeds.items()], "title": title, "articles": listed}


def as_yaml(offers: Sequence[Offer]) -> str:
    """The offers as a piece of configuration; all but the first are commented out."""
    lines = ["sources:"]
    names: set[str] = set()
    for number, offer in enumerate(offers):
        name = name_for(offer.address, names)
        names.add(name)
        mark = "  " if number == 0 else "  # "
        lines.append(f"{mark}{name}: {{{offer.kind}: {quoted(offer.address)}}}")
    return "\n".join(lines) + "\n"


def name_for(address: str, taken: set[str] | frozenset[str]) -> str:
    """A name for a source out of its address that none of `taken` has: bbc, bbc-2."""
    from watcher.text.urls import outlet  # noqa: PLC0415

    site = outlet(address) or urlsplit(address).hostname or "source"
    first = site.partition("/")[2] or site.partition(".")[0] if not site.replace(".", "").isdigit() else site
    name = re.sub(r"[^\w-]+", "-", first).strip("-").lower() or "source"
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def quoted(text: str) -> str:
    """A value as it is written inside of YAML's braces: plain where that is safe, else in double quotes."""
    if re.fullmatch(r"[A-Za-z][\w./:+~=%@-]*", text) and not text.endswith(":") and ": " not in text:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'
