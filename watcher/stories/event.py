"""Whether two texts report one event: shared names and rare words, weighed by how few events have them. Pure.

A story's outline is what its title and its lead say. Two outlines are compared by the cosine of their words, each
weighed by its rarity, as topic detection has done it since TDT (Allan et al., "Topic Detection and Tracking Pilot
Study", 1998). A relation folds what is told and holds nothing back, so that a wrong one costs minutes; yet it asks for
words that the titles share and for names, for texts on one subject share a vocabulary.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from watcher.model import Coverage, Item, Report, Story
from watcher.stories import headlines
from watcher.text.fold import Token, tokens
from watcher.text.memo import Memo

LEAD = 100  # words of the text that are read: what happened, who and where
RARE_WORD = 5  # letters of a word that is no name
NAME = 3
COMMON = 32  # events; a word in the titles of so many says nothing
TITLE = 2.0  # how much more a word of the title counts
ALIKE = 0.35  # the cosine of two reports of one event
OF_A_TITLE = 2  # words of each title that the other text has
SAID = 3  # words that an explanation gives

_CHUNKS = 100_000  # of text whose words are remembered, 0.2 kB each
_IN_TITLE, _NAME, _FLAGS = 1, 2, 3
_SENTENCE_ENDS = (".", "!", "?", "…", ":", '."', '!"', '?"', ".”", ".»", "»", "”")


@dataclass(frozen=True, slots=True)
class Outline:
    """What an item says of its event. Hashes are signed 64 bit; 4 divides them."""

    words: frozenset[int] = frozenset()
    title: frozenset[int] = frozenset()  # those of the title
    names: frozenset[int] = frozenset()

    @property
    def marked(self) -> frozenset[int]:
        """The hashes as they are stored: the lowest two bits say whether the word is in the title, and is a name."""
        in_title, names = self.title, self.names
        return frozenset([h | _IN_TITLE * (h in in_title) | _NAME * (h in names) for h in self.words])

    def without(self, common: Collection[int]) -> Outline:
        """The outline without words that many events share."""
        return Outline(self.words.difference(common), self.title.difference(common), self.names.difference(common))


@dataclass(frozen=True, slots=True)
class Relation:
    """The story that reports the same event, and the words that say so, the most telling first."""

    story: Story
    words: tuple[str, ...]
    alike: float

    @property
    def detail(self) -> str:
        """In words, as `watcher stories` and logs give it."""
        return f"same event: {', '.join(self.words)}"


def coverage(stories: Iterable[Sequence[str]]) -> Coverage:
    """Copies and own reports told apart: of each story of an event the outlets, in order of appearance."""
    own: set[str] = set()
    every: set[str] = set()
    for outlets in stories:
        own.update(outlets[:1])
        every.update(outlets)
    return Coverage(len(own), len(every - own))


def outline(item: Item) -> Outline:
    """What `item` names in its title and in the first words of its text."""
    title = _words(item.title)
    lead = _words(_lead(item))
    lower = {hashed for hashed, marks in (*title, *lead) if marks & _LOWER}
    long = [marks for _, marks in title if marks & _CASED and marks & _LONG]
    headed = sum([not marks & _LOWER for marks in long]) > 0.6 * len(long)  # Every Word Has a Capital There
    words: set[int] = set()
    names: set[int] = set()
    for text, said in ((title, headed), (lead, False)):
        begins = True  # a sentence
        for hashed, marks in text:
            if marks & _MAY_NAME and not (marks & _CASED and (begins or said or hashed in lower)):
                names.add(hashed)
            elif marks & _TELLING:
                words.add(hashed)
            begins = bool(marks & _ENDS)
    words |= names
    return Outline(frozenset(words), frozenset([hashed for hashed, _ in title if hashed in words]), frozenset(names))


def spelled(item: Item) -> dict[int, str]:
    """The words of `item`'s outline as they are first written there, by their hashes."""
    found: dict[int, str] = {}
    for text in (item.title, _lead(item)):
        for written in text.split(None, LEAD)[:LEAD]:
            for word in _chunk_words(written):
                found.setdefault(word.hash, word.written)
    return found


def _lead(item: Item) -> str:
    return max(item.body, item.summary, key=len)


def stems(text: str) -> frozenset[int]:
    """The hashes of all words of a text, of names and others, as outlines have them."""
    return frozenset([hashed for hashed, _ in _unpacked(map(_chunks.__getitem__, text.split()))])


def relate(item: Item, new: Outline, held: Mapping[int, int], reports: Sequence[Report]) -> Relation | None:
    """The report of `reports` that tells of the same event as `item`, whose outline is `new`; None where none does.

    `held` says of each word how many known events have it in a title. Reports of the item's own outlet are passed
    over: what one outlet writes is alike by its templates.
    """
    weights = {hashed: weight(held.get(hashed, 0)) for hashed in new.words}
    headline = headlines.read(item.title, item.outlet)
    spelling: dict[int, str] = {}
    found: list[Relation] = []
    for report in reports:
        if item.outlet and item.outlet in report.story.outlets:
            continue
        alike, shared = _compare(new, weights, report)
        if alike < ALIKE or headlines.differ(headline, headlines.read(report.story.title), numbered=False):
            continue
        spelling = spelling or spelled(item)
        telling = sorted(shared, key=lambda h: (h not in new.title, h not in new.names, -weights[h], spelling[h]))
        found.append(Relation(report.story, tuple(spelling[h] for h in telling[:SAID]), alike))
    return max(found, key=lambda relation: relation.alike, default=None)


def weight(events: int) -> float:
    """How telling a word is that so many known events have: 1.0 where it is new, 0.0 where COMMON have it."""
    return _WEIGHTS[events] if events < COMMON else 0.0


_WEIGHTS = [1.0, *(1.0 - math.log(events) / math.log(COMMON) for events in range(1, COMMON))]


def _compare(new: Outline, weights: Mapping[int, float], report: Report) -> tuple[float, list[int]]:
    """How alike two outlines are, 0.0 to 1.0, and the words that both have."""
    marks = {hashed & ~_FLAGS: hashed & _FLAGS for hashed in report.words}
    shared = [hashed for hashed in weights if hashed in marks and weights[hashed]]
    of_theirs = {hashed for hashed in shared if marks[hashed] & _IN_TITLE}
    of_ours = new.title.intersection(shared)
    named = any(marks[hashed] & _NAME or hashed in new.names for hashed in shared)
    if not named or not of_ours & of_theirs or min(len(of_ours), len(of_theirs)) < OF_A_TITLE:
        return 0.0, shared
    ours = {hashed: value * (TITLE if hashed in new.title else 1) for hashed, value in weights.items()}
    # Of what only they have nothing is known here: each such word is taken for a rare one.
    theirs = {h: weights.get(h, 1.0) * (TITLE if mark & _IN_TITLE else 1) for h, mark in marks.items()}
    length = math.hypot(*ours.values()) * math.hypot(*theirs.values())
    return (sum(ours[h] * theirs[h] for h in shared) / length if length else 0.0), shared


# What a word's letters tell; whether a capital makes it a name is told by where it stands.
_CASED = 1  # its script has capitals
_LOWER = 2  # it has none
_MAY_NAME = 4  # it may be a name
_TELLING = 8  # it says something though it be no name
_LONG = 16  # longer than names must be
_ENDS = 32  # with it ends a sentence

_PAIR = struct.Struct("<qq")


class _Word(NamedTuple):
    hash: int  # of its stem
    written: str
    marks: int  # of those above


def _words(text: str) -> list[tuple[int, int]]:
    """The first words: of each its hash and its marks."""
    return _unpacked(map(_chunks.__getitem__, text.split(None, LEAD)[:LEAD]))[:LEAD]


def _unpacked(packed: Iterable[bytes]) -> list[tuple[int, int]]:
    return list(_PAIR.iter_unpack(b"".join(packed)))


def _packed(written: str) -> bytes:
    """The words of a chunk, packed: to read one is to wait for memory once."""
    return b"".join([_PAIR.pack(word.hash, word.marks) for word in _chunk_words(written)])


_chunks = Memo(_packed, _CHUNKS)


def _chunk_words(written: str) -> Iterator[_Word]:
    """The words of a chunk without white space; unspaced scripts, whose characters touch, in overlapping pairs."""
    found = tokens(written)
    for one, after in zip(found, [*found[1:], None], strict=False):
        ends = _ENDS if after is None and written.endswith(_SENTENCE_ENDS) else 0
        if len(one.plain) == 1 and after is not None and after.start == one.end:
            yield _Word(_hash(one.plain + after.plain), one.exact + after.exact, _MAY_NAME | _TELLING)
            continue
        yield _Word(_hash(_stem(one.plain)), one.exact, _marks(one) | ends)


def _marks(word: Token) -> int:
    first = word.exact[0]
    upper, lower = first.isupper(), first.islower()
    return (
        _CASED * (upper or lower)
        | _LOWER * lower
        | _MAY_NAME * (len(word.plain) >= NAME and first.isalpha() and not lower)
        | _TELLING * _is_telling(word.plain)
        | _LONG * (len(word.exact) > NAME)
    )


def _is_telling(word: str) -> bool:
    if word.isdecimal():
        return len(word) > 1 and not (len(word) == 4 and word[:2] in ("19", "20"))  # nor is a year
    return len(word) >= RARE_WORD


def _stem(word: str) -> str:
    """What inflection leaves of a word in most languages: its first letters."""
    return word[:6] if word.isascii() else word[: max(4, min(6, len(word) - 2))]


def _hash(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8, person=b"event").digest()
    return int.from_bytes(digest, "big", signed=True) & ~_FLAGS
