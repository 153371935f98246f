"""The article out of a page: its text, and not the menu, the boxes with other topics, the teasers of other articles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from email.message import Message
from typing import TYPE_CHECKING, Any, Protocol

from watcher.errors import FetchError, FetchKind, ParseError

if TYPE_CHECKING:
    from watcher.fetch import Client, Request, Response
    from watcher.model import Item
    from watcher.workers import Workers

EXTRACT = "watcher.extract:extract_values"
DEADLINE = 15.0  # seconds; a usual page takes 15 ms
FULL = 100  # words from which a feed's text counts as the article
WALL = 25  # words under which a page's text is no article

_PAGE_TYPES = ("", "text/html", "application/xhtml+xml", "application/xml", "text/xml")
_ELLIPSIS = re.compile(
    r"(?:…|\.\.\.)\W*$|\b(?:read more|continue reading|weiterlesen|lire la suite)\W*$", re.IGNORECASE
)
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # Thai, Lao, Japanese, Chinese
_WALL_WORDS = re.compile(
    r"enable javascript|javascript is (?:disabled|required)|verify (?:that )?you are (?:a )?human|not a robot"
    r"|access denied|unusual traffic|checking your browser|subscribe to (?:read|continue)|to continue reading"
    r"|already a subscriber|disable your ad ?blocker",
    re.IGNORECASE,
)
_META_CHARSET = re.compile(
    rb"""<(?:meta[^>]{0,200}?charset|\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([\w:-]{2,40})""", re.IGNORECASE
)
_PUBLISHED = re.compile(r'"datePublished"\s*:\s*"([^"]{8,40})"')
_DATE_PROPERTIES = (
    "article:published_time",
    "datepublished",
    "og:article:published_time",
    "date",
    "dc.date.issued",
    "pubdate",
)


@dataclass(frozen=True, slots=True)
class Article:
    """What a page says. Paragraphs of `text` are parted by a blank line; `published` is in seconds since the epoch."""

    title: str
    text: str
    published: float | None
    author: str
    lang: str  # as the page declares it: a primary tag, or ""
    url: str


class _Tools(Protocol):
    @property
    def fetch(self) -> Client: ...
    @property
    def workers(self) -> Workers: ...


class _Asks(Protocol):
    def request(self, url: str, *, robots: bool = ..., accept: str | None = ...) -> Request: ...


def wants_article(full_text: str, item: Item) -> bool:
    """Whether the item's link is to be followed for its text; `full_text` is "auto", "always" or "never".

    `auto` follows it where the feed's text is under FULL words or breaks off.
    """
    if full_text != "auto":
        return full_text == "always"
    text = item.body or item.summary
    return _count(text) < FULL or bool(_ELLIPSIS.search(text[-60:]))


def _count(text: str) -> int:
    """Words; in scripts that part none, two characters count as one."""
    return len(text.split()) + len(_UNSPACED.findall(text)) // 2


async def read_article(url: str, tools: _Tools, source: _Asks) -> Article:
    """The article at `url`, asked for as `source` asks (robots.txt obeyed).

    Raises FetchError; ParseError where there is no web page, or one that holds no article, only a wall or a teaser.
    """
    from watcher.fetch.exchange import ACCEPT_PAGE  # noqa: PLC0415 - workers import this module, and need no aiohttp

    response = await tools.fetch.get(source.request(url, robots=True, accept=ACCEPT_PAGE))
    kind, charset = content_type(response.headers.get("Content-Type", ""))
    if kind not in _PAGE_TYPES:
        raise ParseError(f"{url}: this is {kind}, no web page, so there is no article to read")
    article = await article_of(response.body, response.url, tools.workers, charset)
    words = _count(article.text)
    if words < FULL:
        refuse_challenge(response)
    if words < WALL or (words < FULL and _WALL_WORDS.search(article.text)):
        raise ParseError(f"{url}: the page shows no article, only {words} words: a wall, a teaser or a script's page")
    return article


def refuse_challenge(response: Response) -> None:
    """Raise FetchError(BLOCKED) where `response`, in which little was found, is a challenge that says 200."""
    from watcher.fetch.challenge import challenger  # noqa: PLC0415

    guard = challenger(response.headers, response.body)
    if guard:
        message = f"{guard} takes watcher for a robot and shows a challenge instead of the page"
        raise FetchError(FetchKind.BLOCKED, response.url, message, status=response.status)


async def article_of(page: bytes, url: str, workers: Workers, charset: str = "") -> Article:
    """The article in `page`, which came from `url`, extracted in a worker. Raises ParseError where it is no page."""
    return Article(*await workers.run(EXTRACT, page, url, charset, deadline=DEADLINE))


def extract_values(page: bytes, url: str, charset: str) -> tuple[Any, ...]:
    """`extract` as plain values, for workers."""
    return astuple(extract(page, url, charset))


def extract(page: bytes, url: str, charset: str = "") -> Article:
    """The article in `page`; `charset` is what HTTP said, if anything.

    Its text is empty where the page holds no article. Raises ParseError where `page` is no web page.
    """
    import trafilatura  # noqa: PLC0415 - heavy, and only workers need it
    from trafilatura.utils import load_html  # noqa: PLC0415

    tree = load_html(decode(page, charset))
    if tree is None:
        raise ParseError(f"{url}: this is no web page")
    title, author, published, lang = _about(tree)
    # fast: without its fall-backs on two other extractors, which cost more than they find.
    found = trafilatura.bare_extraction(tree, url=url, fast=True, include_comments=False)
    text = getattr(found, "text", "") or ""
    paragraphs = [" ".join(line.split()) for line in text.splitlines()]
    return Article(title, "\n\n".join(filter(None, paragraphs)), published, author, lang, url)


def content_type(header: str) -> tuple[str, str]:
    """The media type, in lower case, and the charset of a Content-Type header; "" for what it does not say."""
    if not header.strip():
        return "", ""
    message = Message()
    message["Content-Type"] = header
    return message.get_content_type(), str(message.get_param("charset", "") or "")


def decode(page: bytes, charset: str) -> str | bytes:
    """The page as text: UTF-8 where it is that, else as HTTP or the page itself declares; else the bytes as they are.

    Valid UTF-8 that is longer than a few letters is hardly ever anything else, whatever the declaration.
    """
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if page.startswith(mark):
            return page.decode(name, "replace")
    try:
        return page.decode("utf-8")
    except UnicodeDecodeError:
        found = _META_CHARSET.search(page[:4096])
        for name in filter(None, (charset.lower(), found[1].decode("ascii").lower() if found else "")):
            # What calls itself Latin-1 or ASCII is read as browsers do (WHATWG's encoding standard).
            windows = name in ("iso-8859-1", "latin-1", "latin1", "ascii", "us-ascii")
            try:
                return page.decode("windows-1252" if windows else name, "replace")
            except (LookupError, ValueError):  # unknown, or no encoding of text
                continue
    return page


def _about(tree: Any) -> tuple[str, str, float | None, str]:
    """Title, author, date and language as the page's head declares them."""
    meta: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or ""
        content = " ".join((element.get("content") or "").split())
        if content:
            meta.setdefault(name.strip().lower(), content)
    title = meta.get("og:title") or meta.get("twitter:title") or _first_text(tree, "h1") or _first_text(tree, "title")
    author = meta.get("author", "")
    lang = re.match(r"[a-zA-Z]{2,3}(?![a-zA-Z])", (tree.get("lang") or "").strip())
    dates = [moment for text in _dates(tree, meta) if (moment := _moment(text)) is not None]
    return (
        title,
        "" if author.startswith(("http:", "https:")) else author,
        dates[0] if dates else None,
        lang[0].lower() if lang else "",
    )


def _first_text(tree: Any, tag: str) -> str:
    element = next(tree.iter(tag), None)
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _dates(tree: Any, meta: dict[str, str]) -> Iterator[str]:
    yield from (meta[name] for name in _DATE_PROPERTIES if name in meta)
    for script in tree.iter("script"):
        if script.get("type") == "application/ld+json" and script.text:
            yield from _PUBLISHED.findall(script.text)
    yield from (element.get("datetime") for element in tree.iter("time") if element.get("datetime"))


def _moment(text: str) -> float | None:
    """An ISO 8601 date in seconds since the epoch; UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
