"""A Telegram channel's web preview (t.me/s/NAME) to posts. For workers.

The page is made of `tgme_widget_message` blocks, each with `data-post="NAME/7"`; `tgme_widget_message_text` holds the
text, a `time datetime` the date, and `tme_messages_more` with `data-before` leads to the posts before.
"""

from __future__ import annotations

from typing import Any

from watcher.sources.entries import Entry, per_day, to_items
from watcher.text.html import to_text

MAX_TITLE = 120


def parse_channel(body: bytes, name: str, source: str, now: float) -> dict[str, Any]:
    """The posts of one page of the preview of channel `name`, as plain values.

    Gives `channel` (whether this is a channel's preview at all), `title`, `posts` ([number, the fields of model.Item]),
    `before` (what to ask for next, 0 at the beginning of the channel) and `per_day`. Posts without any text, and
    notices such as a new picture of the channel, are left out.
    """
    from watcher.sources.select import tree_of  # noqa: PLC0415

    tree = tree_of(body.decode("utf-8", "replace"))
    entries: list[Entry] = []
    for message in tree.xpath('//div[@data-post and contains(@class, "tgme_widget_message")]'):
        number = (message.get("data-post") or "").rpartition("/")[2]
        if number.isascii() and number.isdigit() and "service_message" not in (message.get("class") or ""):
            entries.append(_entry(message, name, number))
    items = to_items(source, [entry for entry in entries if entry.body], now)
    posts = [[int(item.key), tuple(getattr(item, field) for field in item.__slots__)] for item in items]
    before = [link.get("data-before") or "" for link in _by_class(tree, "tme_messages_more", "a")]
    titles = _by_class(tree, "tgme_channel_info_header_title", "div")
    return {
        "channel": bool(entries or titles),
        "title": _line(titles[0]) if titles else "",
        "posts": posts,
        "before": next((int(text) for text in before if text.isascii() and text.isdigit()), 0),
        "per_day": per_day((entry.published for entry in entries), now),
    }


def _entry(message: Any, name: str, number: str) -> Entry:
    from watcher.sources.json_parser import moment  # noqa: PLC0415

    texts = [each for each in _by_class(message, "tgme_widget_message_text", "div") if not _in_reply(each)]
    body = "\n\n".join(filter(None, (_text(each) for each in texts)))
    if not body:  # a link alone: what its preview says
        previews = _by_class(message, "link_preview_title", "div") + _by_class(
            message, "link_preview_description", "div"
        )
        body = "\n\n".join(filter(None, (_text(each) for each in previews)))
    dates = message.xpath('.//a[contains(@class, "tgme_widget_message_date")]//time/@datetime')
    authors = _by_class(message, "tgme_widget_message_from_author", "span")
    date = str(dates[0]) if dates else ""
    return Entry(
        guid=number,
        url=f"https://t.me/{name}/{number}",
        title=headline(body),
        body=body,
        author=_line(authors[0]) if authors else "",
        date=date,
        published=moment(date),
    )


def headline(text: str) -> str:
    """The first line of a post, cut at a word where it is long."""
    line = next((line.strip() for line in text.splitlines() if any(map(str.isalnum, line))), "")
    if len(line) <= MAX_TITLE:
        return line
    return line[: MAX_TITLE - 1].rsplit(" ", 1)[0].rstrip(" ,;:.-–—") + "…"


def _by_class(element: Any, name: str, tag: str) -> list[Any]:
    found: list[Any] = element.xpath(f'.//{tag}[contains(concat(" ", @class, " "), " {name} ")]')
    return found


def _in_reply(element: Any) -> bool:
    """Whether it quotes another post, or is nested in a text that is taken anyway."""
    return any(
        "tgme_widget_message_reply" in (above.get("class") or "")
        or "tgme_widget_message_text" in (above.get("class") or "").split()
        for above in element.iterancestors()
    )


def _text(element: Any) -> str:
    from lxml import etree  # noqa: PLC0415

    return to_text(etree.tostring(element, encoding="unicode", method="html", with_tail=False))


def _line(element: Any) -> str:
    return " ".join(_text(element).split())
