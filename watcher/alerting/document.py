"""What a program is told: the same as people are, as a JSON document (docs/webhook.md)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from watcher.model import Coverage, Message, Style, Update

if TYPE_CHECKING:
    from watcher.alerting.notice import Notice, Told

VERSION = 1  # counts up where something that was there changes its meaning or goes
MOST = 500  # alerts in one document; how many more there are stands in it


def write(notice: Notice, subject: str, thread: str) -> Message:
    """The document of `notice`."""
    kind = notice.cause or notice.kind if notice.earlier is None else "follow-up"
    if notice.only_updates and not notice.cause and notice.kind == "alert":
        kind = "update"
    content = {
        "type": kind,
        "channel": notice.channel,
        "event": thread,
        "title": subject,
        "at": _iso(notice.now),
        "told_before": notice.earlier.title if notice.earlier else None,
        "outlets_since": list(notice.earlier.outlets) if notice.earlier else [],
        "remarks": list(notice.remarks),
        "alerts": [_alert(told) for told in notice.told[:MOST]],
        "more": max(0, len(notice.told) - MOST),
    }
    return _message(subject, content, thread)


def note(title: str, text: str) -> Message:
    """The document of a message that is no alert."""
    return _message(title, {"type": "note", "title": title, "lines": text.splitlines()})


def _message(title: str, content: dict[str, Any], thread: str = "") -> Message:
    return Message(title, json.dumps({"version": VERSION, **content}), Style.JSON, thread=thread)


def _alert(told: Told) -> dict[str, Any]:
    return {
        "id": told.alert,
        "rule": told.rule,
        "priority": told.priority,
        "story": told.story,
        "title": told.title,
        "url": told.url,
        "outlet": told.outlet,
        "published": _iso(told.published),
        "seen": _iso(told.seen),
        "excerpt": {"text": told.excerpt.text, "marks": [list(mark) for mark in told.excerpt.marks]},
        "outlets": [told.outlet, *told.others],
        "reach": reach_of(told.reach),
        "update": update_of(told.update),
        "note": told.note,
    }


def reach_of(reach: Coverage | None) -> dict[str, int] | None:
    """Who reports an event, in numbers."""
    return None if reach is None else {"outlets": reach.outlets, "copies": reach.copies, "own": reach.own}


def update_of(update: Update | None) -> dict[str, Any] | None:
    """What changed of what was told."""
    if update is None:
        return None
    edits = [{"before": before, "after": after} for before, after in update.edits]
    return {"of": update.of, "how": update.how, "detail": update.detail, "edits": edits}


def _iso(when: float | None) -> str | None:
    try:
        return None if when is None else datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):  # a feed's date that no calendar has
        return None
