"""What a feed's entries become: items with ids that stay the same from poll to poll. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watcher.model import Item, derive_id
from watcher.text.urls import canonical, host, outlet

_LANG = re.compile(r"[a-z]{2,3}(?![a-z])", re.IGNORECASE)
WEEK = 7 * 86400.0
LONGEST = 300_000  # characters of a text that are kept: 50,000 words, a short novel
LONGEST_TITLE = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as its feed has it, in plain text."""

    guid: str = ""
    url: str = ""
    title: str = ""
    summary: str = ""
    body: str = ""
    author: str = ""
    lang: str = ""
    tags: tuple[str, ...] = ()
    date: str = ""  # as written
    published: float | None = None


def keys(entries: Sequence[Entry]) -> list[str]:
    """What identifies each entry: its guid where no other entry has it, else its canonical URL likewise, else its text.

    Of 250 real feeds 14 repeat or lack ids. An entry that stands twice, word for word, counts once.
    """
    different = set(entries)
    guids = Counter(entry.guid for entry in different)
    urls = Counter(canonical(entry.url) for entry in different)

    def key(entry: Entry) -> str:
        if entry.guid and guids[entry.guid] == 1:
            return entry.guid
        url = canonical(entry.url)
        if url and urls[url] == 1:
            return url
        return derive_id("text", entry.title, entry.date, entry.body or entry.summary)

    return [key(entry) for entry in entries]


def to_items(source: str, entries: Sequence[Entry], now: float) -> list[Item]:
    """The items of `source` (its stable name), in the feed's order, each once. Dates that lie ahead become `now`.

    An entry that says nothing at all is none.
    """
    items: dict[str, Item] = {}
    for entry, key in zip(entries, keys(entries), strict=True):
        made = derive_id("item", source, key)
        if made in items or not (entry.title or entry.summary or entry.body or entry.url):
            continue
        summary, body = texts(entry.summary[:LONGEST], entry.body[:LONGEST])
        items[made] = Item(
            id=made,
            source=source,
            title=entry.title[:LONGEST_TITLE],
            summary=summary,
            body=body,
            author=entry.author,
            url=entry.url,
            outlet=outlet(entry.url) if entry.url else "",
            lang=primary_language(entry.lang),
            tags=entry.tags,
            published=None if entry.published is None else min(entry.published, now),
            key=key,
            site=host(entry.url) if entry.url else "",
        )
    return list(items.values())


def texts(summary: str, body: str) -> tuple[str, str]:
    """Which text is the summary and which the body: feeds confuse them, so the longer is the body; nothing twice."""
    if not body or body == summary:
        return summary, ""
    return (summary, body) if len(body) >= len(summary) else (body, summary)


def primary_language(tag: str) -> str:
    """The primary subtag of a language tag (BCP 47) in lower case: `en-GB` is `en`; "und" where there is none."""
    found = _LANG.match(tag.strip())
    return found[0].lower() if found else "und"


def newest(entries: Sequence[Entry], limit: int) -> list[Entry]:
    """At most `limit` entries, the newest where all are dated, else the first; the order stays."""
    if len(entries) <= limit:
        return list(entries)
    if any(entry.published is None for entry in entries):
        return list(entries[:limit])
    chosen = sorted(range(len(entries)), key=lambda n: entries[n].published or 0.0, reverse=True)[:limit]
    return [entries[n] for n in sorted(chosen)]


def per_day(dates: Iterable[float | None], now: float) -> float | None:
    """How many items a day the source publishes, by its entries' `dates` within the last week; None where none has one.

    Where all of them are younger than a week, the feed holds less than a week, and the oldest says how much.
    """
    ages = sorted(now - date for date in dates if date is not None)
    if not ages:
        return None
    recent = [age for age in ages if age <= WEEK]
    if not recent:
        return 0.0
    span = WEEK if len(recent) < len(ages) or len(recent) < 3 else max(recent[-1], 3600.0)
    return len(recent) * 86400.0 / span
