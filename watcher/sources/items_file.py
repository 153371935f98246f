"""Items files: JSON Lines (https://jsonlines.org), one item a line.

    {"id", "title", "summary", "body", "author", "url", "source", "lang", "tags", "published"}

All but `id` are optional; every text is plain text; `published` is ISO 8601 or seconds since the epoch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from watcher.errors import ConfigError, Problem
from watcher.model import Item
from watcher.text import urls

TEXTS = ("title", "summary", "body", "author", "url", "source", "lang")


def read_items(path: Path) -> Iterator[Item]:
    """The items of a file in its order, read as they are asked for. Raises ConfigError that names the line."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise ConfigError.of(path, f"cannot be read: {error.strerror}") from error
    with file:
        yield from parse_items(file, str(path))


def parse_items(lines: BinaryIO, name: str) -> Iterator[Item]:
    """The items of an open file; `name` is what errors call it. Blank lines are passed over."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _item(json.loads(line))
        except json.JSONDecodeError as error:
            raise _error(name, number, error.colno, f"not JSON: {error.msg}", "one JSON object a line") from error
        except RecursionError as error:
            raise _error(name, number, 1, "nested too deeply") from error
        except (UnicodeDecodeError, ValueError) as error:
            raise _error(name, number, 1, str(error)) from error


def _error(name: str, line: int, column: int, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem(name, line, column, message, hint)])


def _item(value: Any) -> Item:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object with at least an id, found {type(value).__name__}")
    if not isinstance(value.get("id"), str | int):
        raise ValueError('expected an "id": a string or a number')
    texts = {key: _text(value, key) for key in TEXTS}
    tags = value.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError('"tags": expected a list of strings')
    url = texts["url"]
    return Item(
        id=str(value["id"]),
        source=texts["source"],
        title=texts["title"],
        summary=texts["summary"],
        body=texts["body"],
        author=texts["author"],
        url=url,
        outlet=urls.outlet(url),
        lang=texts["lang"] or "und",
        tags=tuple(tags),
        published=_time(value.get("published")),
        site=urls.host(url),
    )


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise ValueError(f'"{key}": expected a string, found {type(text).__name__}')
    return text


def _time(value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f'"published": expected ISO 8601 or seconds since the epoch, found {value!r}') from error
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
