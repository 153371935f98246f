"""Feed text made fit to be shown: one line, no control characters, cut where no character is torn. Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

ELLIPSIS = "…"
LONGEST_URL = 2000

# Embeddings, overrides and isolates reorder what stands around them (Unicode TR 9); marks (LRM, RLM) do not.
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[\s\x85\u2028\u2029]+")
_WEB = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
# What RFC 3986 lets stand in a URL, without the quote that could end an attribute; the rest is percent-encoded.
_URL_SAFE = "%/?#[]@!$&()*+,;=:-._~"
_JOINS_BACK = ("Mn", "Me", "Mc")
_ZWJ = "\u200d"


def flat(text: str) -> str:
    """`text` without line breaks, control characters and whatever reorders the text around it."""
    text = _SPACE.sub(" ", _CONTROL.sub("", _REORDERING.sub("", text)))
    return _SURROGATE.sub("\ufffd", text)


def one_line(text: str) -> str:
    """`flat`, without spaces at its ends."""
    return flat(text).strip()


def visible(text: str) -> bool:
    """Whether any character of `text` can be seen."""
    return any(unicodedata.category(char)[0] not in "CZ" for char in text)


def boundary(text: str, index: int) -> int:
    """The nearest place at or before `index` that lies between two user-perceived characters.

    Covers combining marks, variation selectors, emoji with modifiers, joined emoji and flags: the cases of Unicode
    TR 29 that news text holds.
    """
    while 0 < index < len(text) and _inside(text, index):
        index -= 1
    return index


def _inside(text: str, index: int) -> bool:
    char, before = text[index], text[index - 1]
    if _ZWJ in (char, before) or unicodedata.category(char) in _JOINS_BACK:
        return True
    if "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f":
        return True
    if _regional(char) and _regional(before):
        run = index
        while run > 0 and _regional(text[run - 1]):
            run -= 1
        return (index - run) % 2 == 1
    return False


def _regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def cut(text: str, length: int) -> str:
    """`text` in at most `length` characters: cut at a word's end where one is near, with an ellipsis."""
    if len(text) <= length:
        return text
    end = max(length - len(ELLIPSIS), 0)
    space = text.rfind(" ", end * 2 // 3, end + 1)
    end = space if space > 0 else boundary(text, end)
    return text[:end].rstrip() + ELLIPSIS


def link(url: str) -> str:
    """`url` as it may stand in a message's markup, or "" where it is no http(s) URL that a reader should follow.

    Whatever could end an attribute, a Slack link or a line is percent-encoded.
    """
    url = url.strip()
    if not _WEB.match(url) or "\\" in url or len(url) > LONGEST_URL:
        return ""
    try:
        if not urlsplit(url).hostname:
            return ""
    except ValueError:
        return ""
    encoded = quote(_SURROGATE.sub("\ufffd", url), safe=_URL_SAFE)
    return encoded if len(encoded) <= LONGEST_URL else ""
