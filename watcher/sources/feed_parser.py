"""Bytes to entries, for every dialect of feed. For worker processes: no body may be trusted with time or memory.

RSS, RDF, Atom and CDF are feedparser's; JSON Feed (jsonfeed.org, versions 1 and 1.1) is ours.
"""

from __future__ import annotations

import calendar
import io
import json
import re
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from watcher.errors import ParseError
from watcher.model import Item
from watcher.sources.cut import Memory, Pieces, cut, is_too_deep
from watcher.sources.entries import Entry, newest, per_day, to_items
from watcher.sources.hub import Link, named_in
from watcher.text.html import to_text
from watcher.text.urls import canonical, resolve

MAX_ITEMS = 2000  # of one body; the newest are kept
_MAX_TAGS = 50
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_PERIODS = {"hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0, "yearly": 31536000.0}

_SPACE = re.compile(r"[^\S\n]+")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINK_TAG = re.compile(rb"<link\b[^>]{0,2000}>", re.IGNORECASE)
_FEED_TYPE = re.compile(r"type\s*=\s*[\"']?application/(?:rss\+xml|atom\+xml|feed\+json|rdf\+xml)", re.IGNORECASE)
_HREF = re.compile(r"href\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)


def parse_bytes(body: bytes, content_type: str, url: str, source: str, now: float, seen: str = "") -> dict[str, Any]:
    """The feed in `body`, which came from `url`, as plain values that can leave a worker.

    `source` is the stable name that ids are derived from; `now` (seconds since the epoch) bounds the dates; `seen` is
    what the last parse of this feed remembered: entries that are in it are not parsed again, where that is certain to
    make no difference. Gives title, ttl (seconds or None), per_day (items a day or None), entries (how many there are),
    dropped (how many of them were over the limit), items: the fields of model.Item, in their order, of those not
    `seen`; listed: the ids of all items; hub, with what it knows the feed by, or None; flaw: what is wrong with the
    body, or ""; and seen, for the next time.
    Raises ParseError, with advice, where `body` is no feed.
    """
    start = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise ParseError("the feed is empty: the server sent no body")
    if start.startswith(b"{"):
        return _whole(_json_feed(body, url), source, now)
    pieces = cut(body, content_type)
    if pieces is None and is_too_deep(body):
        raise ParseError("this is nested too deeply for a feed")
    names = pieces.names(url, content_type) if pieces else []
    if pieces and seen and len(set(names)) == len(names):
        part = _new_alone(pieces, names, Memory.load(seen), content_type, url, source, now)
        if part is not None:
            return part
    return _whole(_xml_feed(body, content_type, url), source, now, names)


def _whole(feed: dict[str, Any], source: str, now: float, names: Sequence[str] = ()) -> dict[str, Any]:
    """What `parse_bytes` gives of a feed that was parsed whole; `names` are those of its pieces, if it was cut."""
    entries = newest(feed["entries"], MAX_ITEMS)
    items = to_items(source, entries, now)
    by = _identified_by(entries, items) if feed.get("strict") and len(entries) == len(set(names)) == len(names) else ""
    pieces = {name: (item.id, entry.published) for name, item, entry in zip(names, items, entries, strict=False)}
    return {
        "title": feed["title"],
        "ttl": feed["ttl"],
        "per_day": per_day((entry.published for entry in entries), now),
        "entries": len(feed["entries"]),
        "dropped": len(feed["entries"]) - len(entries),
        "items": [_plain_item(item) for item in items],
        "listed": [item.id for item in items],
        "hub": feed["hub"],
        "flaw": feed["flaw"],
        "seen": Memory(by, pieces).dump() if by else "",
    }


def _new_alone(
    pieces: Pieces, names: Sequence[str], known: Memory, content_type: str, url: str, source: str, now: float
) -> dict[str, Any] | None:
    """What `parse_bytes` gives where only the pieces that are not `known` are parsed; None where that is not certain.

    An entry's id hangs on the other entries only where two have the same guid or URL, so all must differ.
    """
    new = [number for number, name in enumerate(names) if name not in known.pieces]
    if len(new) == len(names):
        return None
    try:
        feed = _xml_feed(pieces.only(new), content_type, url)
    except ParseError:
        return None
    entries = feed["entries"]
    items = to_items(source, entries, now)
    if not feed["strict"] or len(entries) != len(new) or (new and _identified_by(entries, items) != known.by):
        return None
    fresh = {names[n]: (item.id, entry.published) for n, item, entry in zip(new, items, entries, strict=True)}
    all_pieces = {name: fresh.get(name) or known.pieces[name] for name in names}
    listed = [id_ for id_, _ in all_pieces.values()]
    if len(set(listed)) < len(listed):
        return None
    return {
        "title": feed["title"],
        "ttl": feed["ttl"],
        "per_day": per_day((date for _, date in all_pieces.values()), now),
        "entries": len(names),
        "dropped": 0,
        "items": [_plain_item(item) for item in items],
        "listed": listed,
        "hub": feed["hub"],
        "flaw": "",
        "seen": Memory(known.by, all_pieces).dump(),
    }


def _identified_by(entries: Sequence[Entry], items: Sequence[Item]) -> str:
    """What the items of all `entries` are identified by, "guid" or "url"; "" where it is not the same for all."""
    if not entries or len(items) != len(entries):
        return ""
    if all(entry.guid and item.key == entry.guid for entry, item in zip(entries, items, strict=True)):
        return "guid"
    if all(not entry.guid and item.key == canonical(entry.url) for entry, item in zip(entries, items, strict=True)):
        return "url"
    return ""


def _plain_item(item: Item) -> tuple[Any, ...]:
    return tuple(getattr(item, name) for name in item.__slots__)


def advise(body: bytes, url: str) -> str:
    """What to tell the user about a body that is no feed."""
    head = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not (head.startswith((b"<!doctype html", b"<html")) or b"<html" in head or b"<title>" in head):
        return "this is no feed: neither RSS, Atom nor JSON Feed"
    for tag in _LINK_TAG.findall(body[:200_000]):
        text = tag.decode("utf-8", "replace")
        href = _HREF.search(text)
        if href and _FEED_TYPE.search(text):
            found = resolve(url, next(filter(None, href.groups()), ""))
            if found and found != url:
                return f"this is a web page, not a feed; it names this feed: {found}"
    return "this is a web page, not a feed, and it names none; watch it with `page:` instead of `feed:`"


# RSS, RDF, Atom


def _xml_feed(body: bytes, content_type: str, url: str) -> dict[str, Any]:
    import feedparser  # noqa: PLC0415 - heavy, and only workers need it

    # A stream, since feedparser opens the file that a text or bytes might name.
    parsed = feedparser.parse(
        io.BytesIO(body),
        # Without the address: links are resolved here, guids stay as written, and feedparser joins no URLs at each tag.
        response_headers={"content-type": content_type},
        sanitize_html=False,  # what is shown is escaped; the time is better spent
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries:
        raise ParseError(advise(body, url))
    feed = parsed.feed
    # What it was unsure of but an encoding or a media type, its strict parser gave up on.
    unsure = parsed.get("bozo_exception")
    certain = unsure is None or isinstance(unsure, (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType))
    lang = _text(feed.get("language"))
    return {
        "title": _line(feed.get("title_detail")),
        "ttl": _ttl(feed),
        "entries": [_xml_entry(entry, url, lang) for entry in parsed.entries],
        "hub": named_in(((_text(link.get("rel")), _text(link.get("href"))) for link in feed.get("links", ())), url),
        "strict": certain,
        "flaw": "" if certain else f"its XML is broken, so that entries may be missing: {_said(unsure)}",
    }


def _said(error: Any) -> str:
    """What feedparser's strict parser said, without a line, which is not that of the body."""
    return _line_of(str(error.getMessage() if hasattr(error, "getMessage") else error))[:100]


def _xml_entry(entry: Any, base: str, lang: str) -> Entry:
    title = entry.get("title_detail") or {}
    bodies = [_block(content) for content in entry.get("content", ())]
    published, date = _xml_date(entry)
    author = entry.get("author_detail") or {}
    return Entry(
        guid=_text(entry.get("id")),
        url=resolve(base, _text(entry.get("link"))) if entry.get("link") else "",
        title=_line(title),
        summary=_block(entry.get("summary_detail")),
        body=max(bodies, key=len, default=""),
        author=_line_of(_text(author.get("name")) or _text(entry.get("author"))),
        lang=_text(title.get("language")) or lang,
        tags=_tags(tag.get("label") or tag.get("term") for tag in entry.get("tags", ())),
        date=date,
        published=published,
    )


def _xml_date(entry: Any) -> tuple[float | None, str]:
    """The first date that can be read, in seconds since the epoch, and the first that is written."""
    written = ""
    for name in ("published", "created", "updated"):
        # dict.get: feedparser's own looks for other dates where one is missing, and warns.
        written = written or _text(dict.get(entry, name))
        parsed = dict.get(entry, f"{name}_parsed")
        if isinstance(parsed, time.struct_time):
            try:
                return float(calendar.timegm(parsed)), written
            except (ValueError, OverflowError):
                continue
    return None, written


def _ttl(feed: Any) -> float | None:
    """RSS's ttl (minutes), or the syndication module's period over its frequency; in seconds."""
    ttl = _text(feed.get("ttl"))
    if ttl.isascii() and ttl.isdigit():
        return min(float(ttl[:6]) * 60.0, 604800.0)
    period = _PERIODS.get(_text(feed.get("sy_updateperiod")).lower())
    if period is None:
        return None
    frequency = _text(feed.get("sy_updatefrequency"))
    times = int(frequency[:6]) if frequency.isascii() and frequency.isdigit() else 1
    return period / max(times, 1)


# JSON Feed


def _json_feed(body: bytes, url: str) -> dict[str, Any]:
    try:
        feed = json.loads(body.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise ParseError("this JSON is nested too deeply for a feed") from None
    except ValueError as error:
        raise ParseError(f"this is no JSON Feed: {str(error)[:100]}") from None
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise ParseError("this JSON is no JSON Feed: it has no list of items")
    lang = _text(feed.get("language"))
    items = [item for item in feed["items"] if isinstance(item, dict)]
    return {
        "title": _line_of(_text(feed.get("title"))),
        "ttl": None,
        "entries": [_json_entry(item, feed, url, lang) for item in items],
        "hub": _json_hub(feed, url),
        "flaw": "",
    }


def _json_hub(feed: dict[str, Any], url: str) -> Link | None:
    hubs = feed.get("hubs")
    listed = [hub for hub in hubs if isinstance(hub, dict)] if isinstance(hubs, list) else []
    found = [("hub", _text(hub.get("url"))) for hub in listed if _text(hub.get("type")).lower() == "websub"]
    return named_in([("self", _text(feed.get("feed_url"))), *found], url)


def _json_entry(item: dict[str, Any], feed: dict[str, Any], base: str, lang: str) -> Entry:
    identifier = item.get("id")
    link = _text(item.get("url")) or _text(item.get("external_url"))
    html, plain = _text(item.get("content_html")), _text(item.get("content_text"))
    date = _text(item.get("date_published")) or _text(item.get("date_modified"))
    tags = item.get("tags")
    return Entry(
        guid=_text(identifier) or (str(identifier) if isinstance(identifier, (int, float)) else ""),
        url=resolve(base, link) if link else "",
        title=_line_of(_text(item.get("title"))),
        summary=_tidy(_text(item.get("summary"))),
        body=to_text(html) if html else _tidy(plain),
        author=_json_authors(item) or _json_authors(feed),
        lang=_text(item.get("language")) or lang,
        tags=_tags(tags if isinstance(tags, list) else ()),
        date=date,
        published=_iso_date(date),
    )


def _json_authors(holder: dict[str, Any]) -> str:
    """The names in `authors`, or in version 1's `author`."""
    authors = holder.get("authors") or [holder.get("author")]
    named = [each for each in authors if isinstance(each, dict)] if isinstance(authors, list) else []
    return _line_of(", ".join(name for each in named if (name := _text(each.get("name")))))


def _iso_date(text: str) -> float | None:
    """An RFC 3339 date in seconds since the epoch; UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


# Text


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _block(detail: Any) -> str:
    """A text construct's plain text, paragraphs parted by a blank line. What is no markup stays as written."""
    if not detail:
        return ""
    value = _text(detail.get("value"))
    return to_text(value) if detail.get("type") in _HTML_TYPES else _tidy(value)


def _line(detail: Any) -> str:
    """A text construct in one line."""
    return _line_of(_block(detail))


def _line_of(text: str) -> str:
    return " ".join(_CONTROLS.sub("", text).split())


def _tidy(text: str) -> str:
    """Plain text with its white space folded; its own paragraphs are kept."""
    lines = [_SPACE.sub(" ", line).strip() for line in _CONTROLS.sub("", text).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _tags(values: Iterable[Any]) -> tuple[str, ...]:
    found = dict.fromkeys(_line_of(to_text(value)) for value in values if isinstance(value, str))
    return tuple(tag for tag in found if tag)[:_MAX_TAGS]
