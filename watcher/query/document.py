"""What a query is judged on: an item's texts, and its own fields in the form in which they are compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from watcher.model import Item
from watcher.text.urls import host


@dataclass(frozen=True, slots=True)
class Document:
    """An item as queries see it."""

    title: str = ""
    summary: str = ""
    body: str = ""
    author: str = ""
    url: str = ""
    site: str = ""  # host name
    source: str = ""
    lang: str = "und"
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, item: Item, source_tags: Iterable[str] = ()) -> Document:
        """The item, with the tags of its source besides its own."""
        return cls(
            item.title,
            item.summary,
            item.body,
            item.author,
            item.url,
            item.site,
            item.source,
            item.lang or "und",
            (*item.tags, *source_tags),
        )

    def text(self, field: str) -> str:
        """The text of title, summary, body or author."""
        value: str = getattr(self, field)
        return value

    def holds_value(self, field: str, value: str) -> bool:
        """Whether one of the item's own fields is `value`: see each case for what that means."""
        value = value.casefold()
        match field:
            case "url":
                return value in self.url.casefold()
            case "site":
                value = value.removeprefix("https://").removeprefix("http://").removeprefix("*.").strip("/.")
                value = value.removeprefix("www.")
                name = self.site or host(self.url)
                return name == value or name.endswith("." + value)
            case "source":
                return self.source.casefold() == value
            case "lang":
                return self.lang.casefold() == value.replace("_", "-").partition("-")[0]
            case _:
                return any(tag.casefold() == value for tag in self.tags)
