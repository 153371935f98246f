"""What search services answer, as items. For workers."""

from __future__ import annotations

import io
import json
import re
from typing import Any

from watcher.errors import ParseError
from watcher.sources.entries import Entry, to_items
from watcher.sources.json_parser import moment
from watcher.text.html import to_text
from watcher.text.urls import canonical, outlet, resolve

_ESCAPE = re.compile(r'\\(?!["\\/bfnrtu])')
_LANGUAGES = {
    "english": "en", "french": "fr", "german": "de", "spanish": "es", "portuguese": "pt", "italian": "it",
    "russian": "ru", "ukrainian": "uk", "arabic": "ar", "chinese": "zh", "japanese": "ja", "korean": "ko",
    "turkish": "tr", "polish": "pl", "dutch": "nl", "persian": "fa", "hindi": "hi", "indonesian": "id",
    "romanian": "ro", "greek": "el", "czech": "cs", "hungarian": "hu", "swedish": "sv", "hebrew": "he",
    "vietnamese": "vi", "thai": "th", "bulgarian": "bg", "serbian": "sr", "croatian": "hr", "danish": "da",
    "finnish": "fi", "norwegian": "no", "slovak": "sk", "urdu": "ur", "bengali": "bn", "swahili": "sw",
}  # fmt: skip


def gdelt(body: bytes, url: str, source: str, now: float) -> list[tuple[Any, ...]]:
    """The articles of GDELT's document API (mode=artlist, format=json).

    Raises ParseError with the service's own words: it refuses a query with a line of text and status 200.
    """
    text = body.decode("utf-8-sig", "replace").strip()
    if not text:
        return []
    if not text.startswith("{"):
        raise ParseError(f"GDELT does not take the query: {' '.join(to_text(text).split())[:200]}")
    try:
        value = json.loads(_ESCAPE.sub(r"\\\\", text), strict=False)  # it leaves backslashes of titles as they are
    except (ValueError, RecursionError) as error:
        raise ParseError(f"GDELT's answer is no JSON: {str(error)[:100]}") from None
    found = value.get("articles") or []
    entries = [_article(row) for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return _plain(to_items(source, [entry for entry in entries if entry.url], now))


def _article(row: dict[str, Any]) -> Entry:
    url = resolve("", str(row.get("url") or ""))
    title = re.sub(r"\s+([,.:;!?%)])", r"\1", " ".join(to_text(str(row.get("title") or "")).split()))
    date = str(row.get("seendate") or "")
    lang = _LANGUAGES.get(str(row.get("language") or "").lower(), "")
    return Entry(guid=canonical(url), url=url, title=title, lang=lang, date=date, published=moment(date))


def google(body: bytes, url: str, source: str, now: float) -> list[tuple[Any, ...]]:
    """The headlines of Google News's RSS. A headline is identified by its words and the outlet that is named."""
    import feedparser  # noqa: PLC0415 - heavy, and only workers need it

    parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    if not parsed.get("version"):
        raise ParseError("Google News answers with a page instead of a feed: it asks for consent, or has had too much")
    made = []
    for entry in parsed.entries[:200]:
        named = entry.get("source") or {}
        house = " ".join(str(named.get("title") or "").split())
        title = " ".join(to_text(str(entry.get("title") or "")).split())
        title = title.removesuffix(f" - {house}") if house else title
        link = resolve(url, str(entry.get("link") or ""))
        when = entry.get("published_parsed")
        made.append((_headline(title, house, link, when), outlet(str(named.get("href") or "")) or house))
    items: dict[str, tuple[Any, ...]] = {}
    for entry, house in made:
        for values in _plain(to_items(source, [entry], now)):
            items.setdefault(values[0], (*values[:7], house, *values[8:]))
    return list(items.values())


def _headline(title: str, house: str, link: str, when: Any) -> Entry:
    import calendar  # noqa: PLC0415

    published = float(calendar.timegm(when)) if when else None
    return Entry(guid=f"{house.casefold()}: {title.casefold()}", url=link, title=title, published=published)


def _plain(items: list[Any]) -> list[tuple[Any, ...]]:
    return [tuple(getattr(item, name) for name in item.__slots__) for item in items]
