"""Sitemaps (sitemaps.org 0.9, with Google's news extension) to entries. For workers: no body may be trusted.

The XML goes through expat piece by piece as it is decompressed, with a cap on both; a document type that declares
entities is refused, which is what every XML bomb needs.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat

from watcher.errors import ParseError
from watcher.sources.entries import Entry, per_day, to_items
from watcher.text.urls import canonical, resolve, words_of

MAX_BYTES = 60_000_000  # decompressed; the protocol allows 50 MB
MAX_URLS = 60_000  # the protocol allows 50,000
MAX_ITEMS = 2000  # that are kept of one file

_PIECE = 65536
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/"
_GOOGLE = "http://www.google.com/schemas/sitemap/"
_NEWS = "http://www.google.com/schemas/sitemap-news/"
_MONTH = re.compile(r"(\d{4})(?:-(\d\d))?")


def parse_sitemap(body: bytes, url: str, source: str, now: float, undated: float | None = None) -> dict[str, Any]:
    """The sitemap in `body`, which came from `url`, as plain values.

    `undated` is the date of entries that have none. Gives `children` ([address, lastmod or None]) of an index, and
    `items` (the fields of model.Item), `urls` (how many there are) and `per_day` of a list. Raises ParseError.
    """
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not body.startswith(b"\x1f\x8b") and start.startswith((b"http://", b"https://")):
        found = [{"loc": line.decode("utf-8", "replace").strip()} for line in body.splitlines()[:MAX_URLS]]
        return _listed(found, url, source, now, undated)
    if not start:
        raise ParseError("the sitemap is empty: the server sent no body")
    reader = _Reader()
    reader.read(body)
    if reader.root == "sitemapindex":
        children = [[resolve(url, row["loc"]), moment(row.get("lastmod", ""))] for row in reader.rows if row.get("loc")]
        return {"children": [child for child in children if child[0]], "items": [], "urls": 0, "per_day": None}
    if reader.root != "urlset":
        what = "a web page" if reader.root == "html" else "a feed" if reader.root in ("rss", "feed", "RDF") else "XML"
        hint = "; read it with `feed:`" if what == "a feed" else ""
        raise ParseError(f"this is {what}, and no sitemap{hint}")
    return _listed(reader.rows, url, source, now, undated)


def _listed(rows: list[dict[str, str]], base: str, source: str, now: float, undated: float | None) -> dict[str, Any]:
    entries = [entry for row in rows if (entry := _entry(row, base, undated)) is not None]
    kept = _kept(entries)
    items = [tuple(getattr(item, name) for name in item.__slots__) for item in to_items(source, kept, now)]
    news = any("title" in row for row in rows)  # else the dates are changes', and say nothing of how much is new
    return {
        "children": [],
        "items": items,
        "urls": len(entries),
        "per_day": per_day((entry.published for entry in kept), now) if news else None,
    }


def _entry(row: dict[str, str], base: str, undated: float | None) -> Entry | None:
    url = resolve(base, row.get("loc", ""))
    if not url:
        return None
    date = row.get("publication_date") or row.get("lastmod", "")
    published = moment(date)
    return Entry(
        guid=canonical(url),
        url=url,
        title=" ".join(row.get("title", "").split()) or words_of(url),
        lang=row.get("language", ""),
        tags=tuple(dict.fromkeys(tag for each in row.get("keywords", "").split(",") if (tag := each.strip())))[:50],
        date=date,
        published=undated if published is None else published,
    )


def _kept(entries: list[Entry]) -> list[Entry]:
    """The newest; of undated ones both ends, since some sitemaps grow at their head and some at their foot."""
    if len(entries) <= MAX_ITEMS:
        return entries
    dated = sorted(
        (entry for entry in entries if entry.published is not None), key=lambda entry: -(entry.published or 0)
    )
    undated = [entry for entry in entries if entry.published is None]
    room = MAX_ITEMS - min(len(dated), MAX_ITEMS // 2 if undated else MAX_ITEMS)
    half = room // 2
    ends = undated if len(undated) <= room else [*undated[:half], *undated[-half:]]
    return [*dated[: MAX_ITEMS - len(ends)], *ends]


def moment(text: str) -> float | None:
    """A W3C date (https://www.w3.org/TR/NOTE-datetime) in seconds since the epoch, UTC where it names no zone."""
    text = text.strip()
    try:
        if found := _MONTH.fullmatch(text):
            return datetime(int(found[1]), int(found[2] or 1), 1, tzinfo=UTC).timestamp()
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


class _Reader:
    """Gathers the rows of a sitemap as expat reads it."""

    def __init__(self) -> None:
        self.root = ""
        self.rows: list[dict[str, str]] = []
        self._row: dict[str, str] | None = None
        self._depth = 0
        self._text: list[str] | None = None

    def read(self, body: bytes) -> None:
        """Read all of `body`, gzip or not. Raises ParseError."""
        parser = expat.ParserCreate(namespace_separator="\n")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        parser.buffer_text = True
        try:
            for piece in pieces(body):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise ParseError(f"this is no sitemap: {expat.ErrorString(error.code)}, in line {error.lineno}") from None

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition("\n")
        self._depth += 1
        if self._depth > 32:
            raise ParseError("this XML is nested too deeply for a sitemap")
        if self._depth == 1:
            self.root = local
        elif self._depth == 2:
            self._row = {}
            if len(self.rows) >= MAX_URLS:
                raise ParseError(f"the sitemap lists more than {MAX_URLS:,} addresses")
        ours = not space or space.startswith((_SITEMAP, _GOOGLE))
        self._text = [] if (ours and self._depth == 3) or space.startswith(_NEWS) else None

    def _end(self, name: str) -> None:
        local = name.rpartition("\n")[2]
        if self._text is not None and self._row is not None:
            self._row.setdefault(local, "".join(self._text).strip())
        self._text = None
        if self._depth == 2 and self._row:
            self.rows.append(self._row)
            self._row = None
        self._depth -= 1

    def _characters(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _entity(self, *_: Any) -> None:
        raise ParseError("this XML declares entities, which no sitemap needs: refused")


def pieces(body: bytes) -> Iterator[bytes]:
    """`body` in pieces, decompressed where it is gzip (RFC 1952). Raises ParseError past MAX_BYTES."""
    if not body.startswith(b"\x1f\x8b"):
        yield from (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))
        return
    size = 0
    rest = body
    while rest.startswith(b"\x1f\x8b"):  # a file may hold several members
        inflate = zlib.decompressobj(wbits=31)
        while not inflate.eof:
            try:
                piece = inflate.decompress(rest, _PIECE)
            except zlib.error:
                raise ParseError("the sitemap's gzip is broken") from None
            if not piece and not inflate.eof:
                raise ParseError("the sitemap's gzip ends too early")
            size += len(piece)
            if size > MAX_BYTES:
                raise ParseError(f"the sitemap is longer than {MAX_BYTES:,} bytes when decompressed")
            yield piece
            rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
