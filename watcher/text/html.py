"""Markup to plain text, in one pass and without a tree."""

from __future__ import annotations

import re
from html import unescape

_BLOCKS = frozenset(
    "address article aside audio blockquote body caption center dd details dialog dir div dl dt fieldset figcaption"
    " figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html iframe legend li main menu nav ol optgroup option p"
    " pre section summary table tbody td tfoot th thead title tr ul video".split()
)
_DROPPED = frozenset("script style noscript template textarea object svg math".split())
_LONGEST_TAG = 8192  # characters in which a quoted attribute may hide a `>`

_TAG = re.compile(r"""</?[a-zA-Z](?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_MARKUP = re.compile(r"<[a-zA-Z/!?]|&#?\w")
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?[\x00\x01][ \x00\x01]*")
_PARAGRAPHS = re.compile(r"\s*\n\s*\n\s*")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BLOCK, _LINE = "\x00", "\x01"  # stand for a block's edge and for a <br> until white space is folded


def to_text(markup: str) -> str:
    """Plain text of `markup`, which may be plain text itself: entities decoded, block elements parted by a blank line.

    What stands in script, style, noscript and the like is dropped, white space is folded, <br> ends a line; text
    without any tag keeps its own lines. Never raises, and takes time in proportion to the input's length whatever is
    in it: a tag that never ends is text, a comment or script that never ends takes the rest with it, as in a browser.
    """
    markup = _without_controls(markup)
    if not _MARKUP.search(markup):
        return _plain(markup)
    if "<![CDATA[" in markup:
        markup = markup.replace("<![CDATA[", "").replace("]]>", "")
    pieces = _pieces(markup)
    if len(pieces) == 1:  # entities only
        return _plain(pieces[0])
    text = " ".join("".join(pieces).split())
    return _BREAKS.sub(lambda found: "\n\n" if _BLOCK in found[0] else "\n" * found[0].count(_LINE), text).strip()


def _plain(text: str) -> str:
    """Text without tags: its lines and paragraphs are kept."""
    text = _SPACES.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    parts = (part.strip().replace(" \n", "\n").replace("\n ", "\n") for part in _PARAGRAPHS.split(text))
    return "\n\n".join(part for part in parts if part)


def _pieces(markup: str) -> list[str]:
    """Text and marks of breaks in turn; one piece where there is no tag."""
    pieces: list[str] = []
    at, seen, last = markup.find("<"), 0, markup.rfind(">")
    lower = ""
    closed: dict[str, int] = {}  # where an element is closed for the last time
    while at != -1:
        end = _tag_end(markup, at, last)
        if end == at:  # a bare `<`
            at = markup.find("<", at + 1)
            continue
        name = found[1].lower() if (found := _NAME.match(markup, at)) else ""
        pieces.append(_text(markup[seen:at]))
        pieces.append(_BLOCK if name in _BLOCKS else _LINE if name == "br" else "")
        if name in _DROPPED and markup[at + 1] != "/" and markup[end - 2] != "/":
            lower = lower or markup.replace("İ", "I").lower()  # of all letters only İ changes its length
            if name not in closed:
                closed[name] = lower.rfind("</" + name)
            if closed[name] >= end:
                end = lower.index("</" + name, end)
            elif name in ("script", "style"):
                end = len(markup)
        seen = end
        at = markup.find("<", end)
    pieces.append(_text(markup[seen:]))
    return pieces


def _tag_end(markup: str, at: int, last: int) -> int:
    """Where the tag or comment at `at` ends; `at` itself if there is none. `last` is where the last `>` stands."""
    if markup.startswith("<!--", at):
        end = markup.find("-->", at + 2)
        return end + 3 if end != -1 else len(markup)
    if at > last or not _MARKUP.match(markup, at):
        return at
    whole = _TAG.match(markup, at, at + _LONGEST_TAG)
    return whole.end() if whole else markup.index(">", at) + 1


def _text(raw: str) -> str:
    return _without_controls(unescape(raw)) if "&" in raw else raw


def _without_controls(text: str) -> str:
    return text if text.isprintable() else _CONTROLS.sub("", text)  # it is quicker to ask
