"""JSON to entries by JMESPath. For workers: neither an answer nor an expression may be trusted with time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from watcher.errors import ParseError
from watcher.sources.entries import Entry, newest, per_day, to_items
from watcher.text.html import to_text
from watcher.text.urls import resolve

MAX_ITEMS = 2000
_MAX_TAGS = 50
_MARKUP = re.compile(r"<[a-zA-Z/!][^>]*>|&(?:#\d+|#x[0-9a-f]+|[a-z]+);", re.IGNORECASE)


def parse_json(body: bytes, url: str, source: str, items: str, fields: Mapping[str, str], now: float) -> dict[str, Any]:
    """The items of the JSON in `body`, which came from `url`, as plain values.

    `items` names their list and `fields` what each of them is made of, in JMESPath. Raises ParseError, with what is
    there instead, where `items` names no list.
    """
    import jmespath  # noqa: PLC0415 - only workers need it
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415

    value = read_json(body)
    try:
        found = jmespath.search(items, value)
        if not isinstance(found, list):
            raise ParseError(f"`items: {items}` names no list; {_what(value)}")
        rows = [{name: jmespath.search(path, row) for name, path in fields.items()} for row in found[: MAX_ITEMS * 5]]
    except JMESPathError as error:
        raise ParseError(f"a JMESPath expression cannot be evaluated: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ParseError("this JSON is nested too deeply") from None
    entries = [entry for row in rows if (entry := _entry(row, url)).title or entry.url or entry.body or entry.summary]
    if rows and not entries:
        raise ParseError(
            f"no item has a title, a link or a text: say with `map` where they are, as in "
            f"map: {{title: headline, url: link}}; an item is {_what(found[0])}"
        )
    kept = newest(entries, MAX_ITEMS)
    plain = [tuple(getattr(item, name) for name in item.__slots__) for item in to_items(source, kept, now)]
    return {"items": plain, "per_day": per_day((entry.published for entry in kept), now)}


def read_json(body: bytes) -> Any:
    """The value that `body` says. Raises ParseError."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"), strict=False)
    except RecursionError:
        raise ParseError("this JSON is nested too deeply") from None
    except ValueError as error:
        start = " ".join(body[:80].decode("utf-8", "replace").split())
        raise ParseError(f"the answer is no JSON ({str(error)[:80]}); it begins with: {start}") from None


def _what(value: Any) -> str:
    """What there is instead, in a few words."""
    if isinstance(value, dict):
        return "an object with the keys " + ", ".join(sorted(map(str, value))[:12])
    return "a list" if isinstance(value, list) else f"of the type {type(value).__name__}"


def _entry(row: Mapping[str, Any], base: str) -> Entry:
    link = _text(row.get("url"))
    tags = row.get("tags")
    date = row.get("published")
    return Entry(
        guid=_text(row.get("id")),
        url=resolve(base, link) if link else "",
        title=" ".join(_plain(row.get("title")).split()),
        summary=_plain(row.get("summary")),
        body=_plain(row.get("body")),
        author=" ".join(_text(row.get("author")).split()),
        lang=_text(row.get("lang")),
        tags=tuple(dict.fromkeys(filter(None, map(_text, tags if isinstance(tags, list) else [tags]))))[:_MAX_TAGS],
        date=_text(date),
        published=moment(date),
    )


def _text(value: Any) -> str:
    """A scalar as text; a list's scalars joined (authors, paragraphs)."""
    if isinstance(value, list):
        return ", ".join(filter(None, (_text(each) for each in value if not isinstance(each, list))))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "\n\n".join(filter(None, map(_plain, value)))
    text = _text(value)
    return to_text(text) if _MARKUP.search(text) else text


def moment(value: Any) -> float | None:
    """A date as APIs write it, in seconds since the epoch; UTC where it names no zone."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and re.fullmatch(r"\d{9,13}(\.\d+)?", value)):
            number = float(value)
            return number / 1000 if number > 1e11 else number
        if not isinstance(value, str):
            return None
        if found := re.fullmatch(r"(\d{8})T(\d{6})Z?", value):  # GDELT's
            when = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S")
        else:
            try:
                when = datetime.fromisoformat(value.strip())
            except ValueError:
                when = parsedate_to_datetime(value.strip())
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
