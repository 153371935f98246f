"""Whether an item that changed at its own address says something else than before. Pure.

What counts: a number or a name that stood nowhere in it, a "not" put in or taken out, a new passage on the same matter.
What does not: commas, case, spelling, other words for the same, an agency's head, a passage that moved or went, a line
with the time or the number of comments, and a passage without a word of the story, such as an advertisement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from watcher.model import Item
from watcher.stories import headlines
from watcher.stories.difference import Sentence, difference, replaced
from watcher.stories.event import outline, spelled, stems
from watcher.text.fold import words

PASSAGE = 6  # words of a new sentence that says something
ABOUT = 2  # words that it shares with the story's outline
STAMP = 8  # words; a shorter sentence with a time or a count in it is a stamp: "Updated 14:05", "12 comments"
_TIME = re.compile(r"^\d{1,2}[:.h]\d\d$")
_NOT = frozenset(
    "not no never without deny denies denied ne pas jamais sans nicht kein keine nie ohne nunca sin nao non mai senza"
    " не нет никогда без ні немає niet geen nie bez".split()
)


@dataclass(frozen=True, slots=True)
class Change:
    """A change that matters, in words: `4 → 11`, or the passage that came."""

    detail: str


def change(before: Item, after: Item) -> Change | None:
    """What of substance is new in `after`, the same item as `before` in a later poll; None where nothing is."""
    old, new = _text(before), _text(after)
    if not new and old:  # the feed gives the text at one time and not at another: nothing to compare
        old = ""
    known = frozenset(words(f"{before.title} {old}")), stems(f"{before.title} {old}")
    heads = headlines.read(before.title, before.outlet).text, headlines.read(after.title, after.outlet).text
    if heads[1] and heads[0] != heads[1]:
        edited = Sentence(before.title, tuple(heads[0].split())), Sentence(after.title, tuple(heads[1].split()))
        if detail := _telling(*edited, known):
            return Change(detail)
    found = difference(old, new)
    for pair in found.edited:
        if not _is_stamp(pair[1]) and (detail := _telling(*pair, known)):
            return Change(detail)
    about = outline(before).words
    for sentence in found.added if old else ():
        if len(sentence.words) >= PASSAGE and not _is_stamp(sentence) and len(about & stems(sentence.written)) >= ABOUT:
            return Change(sentence.written)
    return None


def _text(item: Item) -> str:
    return max(item.body, item.summary, key=len)


def _telling(old: Sentence, new: Sentence, known: tuple[frozenset[str], frozenset[int]]) -> str:
    """What an edit puts in that tells something, as `before → after`; "" where it tells nothing."""
    written, stemmed = known
    said = Item("", "", body=new.written)
    spelling = spelled(said)
    names = {word for hashed in outline(said).names - stemmed for word in words(spelling[hashed])}
    for gone, come in replaced(old.words, new.words):
        numbers = any(_has_digit(word) and word not in written for word in come)
        denied = bool(_NOT.intersection(gone)) != bool(_NOT.intersection(come))
        if numbers or denied or not names.isdisjoint(come):
            return f"{' '.join(gone) or '…'} → {' '.join(come) or '…'}"
    return ""


def _has_digit(word: str) -> bool:
    return any(char.isdigit() for char in word)


def _is_stamp(sentence: Sentence) -> bool:
    pieces: Sequence[str] = sentence.written.split()
    return len(sentence.words) < STAMP and any(
        _TIME.match(piece.strip("(),.;")) or piece.strip("(),.;").isdecimal() for piece in pieces
    )
