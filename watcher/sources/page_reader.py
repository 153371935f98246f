"""What a page shows, line by line. For workers: no page may be trusted with time or memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from watcher.errors import ParseError

_ERROR_TITLE = re.compile(
    r"\b(?:error\b|40[0-9]\b|50[0-9]\b|not found|forbidden|unavailable|bad gateway|gateway time-?out|maintenance"
    r"|under construction|temporarily|wartung|erreur|ошибка|технические работы)",
    re.IGNORECASE,
)
_SHORT = 1500  # characters; an error page has no more


def read_page(
    body: bytes, kind: str, charset: str, url: str, select: str | None, ignore: Sequence[str]
) -> dict[str, Any]:
    """What the page in `body` shows, or its part `select`; else the page's article, or all text where it has none.

    Gives `title`, `lang`, `lines` ([mark, text], where the mark is of the text without what `ignore` matches; lines of
    which nothing is left are not there), `length` (characters of all of it) and `error`: the words by which it looks
    like an error page, or "". Raises ParseError where `body` is no text or has no such part.
    """
    from watcher.extract import decode, extract  # noqa: PLC0415
    from watcher.text.html import to_text  # noqa: PLC0415

    text = decode(body, charset)
    title = lang = ""
    if kind.startswith("text/") and kind not in ("text/html", "text/xml"):
        shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    elif kind and not kind.startswith("text/") and "xml" not in kind:
        raise ParseError(f"this is {kind}, no web page")
    else:
        article = extract(body, url, charset)
        title, lang = article.title, article.lang
        if select is not None:
            shown = _part(text, select)
        else:
            shown = article.text or to_text(text if isinstance(text, str) else text.decode("latin-1"))
    lines = [line for part in shown.splitlines() if (line := " ".join(part.split()))]
    length = sum(map(len, lines))
    found = _ERROR_TITLE.search(title) if length < _SHORT else None
    return {
        "title": title,
        "lang": lang,
        "lines": marked(lines, ignore),
        "length": length,
        "error": title if found else "",
    }


def _part(page: str | bytes, select: str) -> str:
    from lxml import etree  # noqa: PLC0415

    from watcher.sources.select import selected, tree_of  # noqa: PLC0415
    from watcher.text.html import to_text  # noqa: PLC0415

    parts = selected(tree_of(page), select)
    return "\n".join(
        str(part)
        if isinstance(part, str)
        else to_text(etree.tostring(part, encoding="unicode", method="html", with_tail=False))
        for part in parts
    )


def marked(lines: Sequence[str], ignore: Sequence[str]) -> list[list[str]]:
    """Each line with a hash of what it says apart from what `ignore` matches; none where nothing else is left."""
    import re2  # noqa: PLC0415

    patterns = [re2.compile(pattern) for pattern in ignore]
    found = []
    for line in lines:
        rest = line
        for pattern in patterns:
            rest = pattern.sub("", rest)
        rest = " ".join(rest.split())
        if rest:
            digest = blake2b(rest.encode("utf-8", "surrogatepass"), digest_size=8)
            found.append([digest.hexdigest(), line])
    return found
