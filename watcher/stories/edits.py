"""What an edit of an item put in the place of what, to be shown to a reader: a few short pieces of text. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from watcher.model import Item
from watcher.stories.difference import difference

MOST = 4  # edits that are shown
AROUND = 6  # words on each side of what differs
LONGEST = 240  # characters of a piece
ELLIPSIS = "…"

Edit = tuple[str, str]  # what was said before and what is said now; either may be ""


def edits(before: Item, after: Item, detail: str = "") -> tuple[Edit, ...]:
    """How `after` differs from `before`, the headline first; what `detail` (of stories.change) comes from is not lost.

    Sentences that were edited stand before those that came, and these before those that went.
    """
    found = list(_edits(before, after))
    wanted = detail.rpartition("→")[2].strip().casefold()
    told = [edit for edit in found if wanted and wanted in " ".join(edit[1].casefold().split())]
    first = [edit for edit in found[:1] if edit == (before.title, after.title)]
    ordered = dict.fromkeys([*first, *told[:1], *found])
    return tuple(_around(*edit) for edit in list(ordered)[:MOST])


def _edits(before: Item, after: Item) -> Iterator[Edit]:
    if after.title and before.title != after.title:
        yield before.title, after.title
    old, new = (max(item.body, item.summary, key=len) for item in (before, after))
    if not old or not new:  # the feed gives the text at one time and not at another
        return
    found = difference(old, new)
    for was, became in found.edited:
        yield was.written, became.written
    for sentence in found.added:
        yield "", sentence.written
    for sentence in found.dropped:
        yield sentence.written, ""


def _around(was: str, became: str) -> Edit:
    """The two without the words that they begin and end with alike, but for a few."""
    old, new = was.split(), became.split()
    shorter = min(len(old), len(new))
    start = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    end = next((n for n in range(shorter - start) if old[-1 - n] != new[-1 - n]), shorter - start)
    if not old or not new:
        start = end = 0
    return _piece(old, start, end), _piece(new, start, end)


def _piece(words: list[str], start: int, end: int) -> str:
    first, last = max(start - AROUND, 0), len(words) - max(end - AROUND, 0)
    text = " ".join(words[first:last])
    text = f"{ELLIPSIS} {text}" if first else text
    if len(text) > LONGEST:
        return text[: LONGEST - 1].rstrip() + ELLIPSIS
    return f"{text} {ELLIPSIS}" if last < len(words) else text
