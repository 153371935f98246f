"""Notices that the tests of rendering share."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from watcher.alerting.excerpt import excerpt
from watcher.alerting.notice import Earlier, Notice, Told
from watcher.model import Coverage, Item, Span, Update

NOW = 1_795_500_600.0  # Tuesday 24 November 2026, 08:10 in Kyiv

BODY = """The ministry met reporters on Tuesday morning.

Russia has sent some 200 more advisers to Mali, two officials in Bamako said. Their number was not confirmed.
A second group is to leave for Niger in December, according to a letter that this paper has seen."""


def item(**fields: str) -> Item:
    usual = {"title": "Russia to train troops in Mali & Niger", "summary": "", "body": BODY}
    return Item(id="i", source="s", **{**usual, **fields})


def spans(what: Item, pattern: str) -> list[Span]:
    return [
        Span(name, found.start(), found.end())
        for name in ("title", "summary", "body")
        for found in re.finditer(pattern, getattr(what, name))
    ]


def told(number: int = 1, **facts: Any) -> Told:
    what = facts.pop("item", None) or item()
    found = facts.pop("spans", None)
    found = spans(what, "Russia|Mali|Niger") if found is None else found
    usual = {
        "alert": f"alert{number}",
        "rule": "russia-sahel",
        "priority": "normal",
        "story": f"story{number}",
        "title": what.title,
        "url": "https://news.example/world/1?a=1&b=<2>",
        "outlet": "news.example",
        "published": NOW - 1200 * number,
        "seen": NOW - 60,
        "excerpt": excerpt(what, found),
        "title_spans": tuple(span for span in found if span.field == "title"),
    }
    return Told(**{**usual, **facts})


def notice(*alerts: Told, kind: str = "alert", zone: str = "Europe/Kyiv") -> Notice:
    return Notice("desk", kind, alerts, ZoneInfo(zone), NOW)


def single() -> Notice:
    """One story for two rules, one of them urgent, in other outlets, judged without its article."""
    facts: dict[str, Any] = {
        "story": "story1",
        "others": tuple(f"outlet{number}.example" for number in range(8)),
        "note": "judged on the feed's text: the article could not be read",
        "reach": Coverage(own=3, copies=8),
    }
    return notice(told(1, **facts), told(2, rule="troops", priority="high", **facts))


def digest(count: int = 8) -> Notice:
    """A digest of two rules."""
    alerts = [
        told(
            number,
            rule="floods" if number % 3 else "russia-sahel",
            title=f"Headline {number} of the day",
            title_spans=(),
            url=f"https://news.example/{number}",
            others=("b.example", "c.example")[: number % 3],
        )
        for number in range(1, count + 1)
    ]
    return notice(*alerts, kind="digest", zone="Asia/Dushanbe")


def baseline() -> Notice:
    """A first poll."""
    return notice(told(1), told(2, published=None, url="ftp://news.example/x", title="  "), kind="baseline")


def follow_up(count: int = 3, outlets: int = 7) -> Notice:
    """More of an event that was told."""
    alerts = [told(number, title=f"Own report {number}", title_spans=()) for number in range(1, count + 1)]
    earlier = Earlier(
        "Officers seize the palace in Sarma", tuple(f"outlet{number}.example" for number in range(outlets))
    )
    return replace(notice(*alerts), thread="event1", earlier=earlier)


def catch_up() -> Notice:
    """What a channel missed in six hours."""
    return replace(digest(9), cause="held", since=NOW - 6 * 3600)


def updated(number: int = 1, how: str = "reply", **facts: Any) -> Told:
    """An alert whose text changed after it was told: a figure, and a passage that came."""
    edits = (
        ("Russia to train troops in Mali & Niger", "Russia to train 400 troops in Mali & Niger"),
        ("Russia has sent some 200 more …", "Russia has sent some 400 more …"),
        ("", "The first of them landed in Gao on Monday night, a pilot told this paper."),
    )
    usual = {"title": edits[0][1], "title_spans": (), "reach": Coverage(own=1, copies=1), "others": ("b.example",)}
    return told(number, update=Update("alert0", how, "200 → 400", edits), **{**usual, **facts})


def update() -> Notice:
    """An update as a message of its own."""
    return notice(updated(how="alert"))


def update_reply() -> Notice:
    """Two stories of an event say something else, and one more outlet reports it."""
    earlier = Earlier("Russia to train troops in Mali & Niger", ("c.example",), "Russia trains them", Coverage(2, 1))
    return replace(notice(updated(), updated(2, title="Advisers land in Gao")), thread="event1", earlier=earlier)
