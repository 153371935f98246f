"""Which of many rules a document may match: each is filed under pairs of keys of which a match holds both.

The files are columns of numbers, so that 100,000 rules take a few MB, and a document's candidates are found by some
fifty operations on whole columns, however many rules there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from watcher.query.anchors import Key
from watcher.query.lexicon import Lexicon

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Columns = NDArray[np.int32]  # of entries: one a row

NONE = 0  # the number of no key, which every document holds: it stands where a rule needs no second key
BETWEEN = ""  # a word of no text, between two fields: no two words of them stand side by side
APART = 1 << 31  # and this many words lie between them for a NEAR, which can say
MOST_WORDS = (1 << 30) - 1  # at most
_MOST = 8_000_000  # characters of the words remembered; then they are looked at anew


class Presence(NamedTuple):
    """What a document holds; until the vocabulary is asked for the next one."""

    words: Numbers  # the number of each of its words, field after field
    places: Numbers  # where each stands
    keys: Numbers  # of all keys that it holds, some more than once
    flags: Flags  # of each key whether it holds it
    has: Callable[[int], int]  # the same, quick to ask for one


class Vocabulary:
    """The keys of all rules as numbers, and which of them a document holds."""

    def __init__(self, keys: Iterable[Key], lexicon: Lexicon) -> None:
        self.numbers: dict[Key, int] = {BETWEEN: NONE}
        for key in keys:
            for each in (*key, key) if isinstance(key, tuple) else (key,):
                self.numbers.setdefault(each, len(self.numbers))
        self.size = len(self.numbers)
        self._opened = _Opened(self.numbers, lexicon) if lexicon.reads_words else None
        self._pairs = _Pairs(self.numbers)
        self._held = bytearray(self.size)
        self._flags = np.frombuffer(self._held, np.bool_)
        self._last: Numbers = np.zeros(0, np.int64)

    def presence(self, texts: Sequence[list[str]], values: Iterable[str]) -> Presence:
        """What a document holds, from the words of its texts and the keys of its own fields."""
        written = texts[0].copy() if texts else []
        for text in texts[1:]:
            written.append(BETWEEN)
            written += text
        known = [self.numbers[value] for value in values if value in self.numbers]
        more = [np.array([NONE, *known], np.int64)]
        if self._opened is None:
            words = np.fromiter(map(self.numbers.get, written, repeat(NONE)), np.int64, len(written))
        else:
            words, opened = self._opened.read(written)
            more.append(opened)
        keys = np.concatenate((words, self._pairs.within(words), *more))
        self._flags[self._last] = False  # what the last document held
        self._flags[keys] = True
        self._last = keys
        return Presence(words, _places(texts, len(written)), keys, self._flags, self._held.__getitem__)


def _places(texts: Sequence[list[str]], count: int) -> Numbers:
    places = np.arange(count)
    start = 0
    for text in texts[:-1]:
        start += len(text) + 1
        places[start:] += APART
    return places


class _Opened(dict[str, int]):
    """Of each word its number, where some hold prefixes, patterns or stems besides: these have numbers of their own."""

    def __init__(self, numbers: dict[Key, int], lexicon: Lexicon) -> None:
        super().__init__()
        self._numbers = numbers
        self._lexicon = lexicon
        self._holding = np.zeros((64, 4), np.int64)  # of each own number: the word's, and those that it holds
        self._count = 0
        self._characters = 0

    def __missing__(self, word: str) -> int:
        number = self._numbers.get(word, NONE)
        holds = [self._numbers[key] for key in self._lexicon.of_word[word] if key in self._numbers]
        if holds:
            rows, width = self._holding.shape
            more = (max(0, self._count + 1 - rows) and rows, max(0, len(holds) + 1 - width))
            if any(more):
                self._holding = np.pad(self._holding, [(0, more[0]), (0, more[1])])
            self._holding[self._count, : len(holds) + 1] = (number, *holds)
            number = len(self._numbers) + self._count
            self._count += 1
        self[word] = number
        self._characters += len(word) + 32  # what the entry itself takes is most of it
        return number

    def read(self, words: list[str]) -> tuple[Numbers, Numbers]:
        """The numbers of words, and of what they hold besides."""
        if self._characters > _MOST:
            self.clear()
            self._count = self._characters = 0
            self._holding[:] = NONE
        found = np.fromiter(map(self.__getitem__, words), np.int64, len(words))
        own = np.flatnonzero(found >= len(self._numbers))
        holding = self._holding[found[own] - len(self._numbers)]
        found[own] = holding[:, 0]
        besides = holding[:, 1:]
        return found, besides[besides > NONE]


class _Pairs:
    """The pairs of words among the keys."""

    def __init__(self, numbers: dict[Key, int]) -> None:
        pairs = [
            (numbers[key[0]], numbers[key[1]], number) for key, number in numbers.items() if isinstance(key, tuple)
        ]
        columns = np.array(pairs, np.int64).reshape(-1, 3)
        self._size = len(numbers)
        codes = columns[:, 0] * self._size + columns[:, 1]
        order = np.argsort(codes)
        self._codes = codes[order]
        self._numbers: Numbers = columns[order, 2]
        self._left, self._right = np.zeros((2, self._size), np.bool_)
        self._left[columns[:, 0]] = True
        self._right[columns[:, 1]] = True

    def within(self, found: Numbers) -> Numbers:
        """The numbers of those that stand among words."""
        if not self._codes.size:
            return self._numbers
        at = np.flatnonzero(self._left[found[:-1]] & self._right[found[1:]])
        codes = found[at] * self._size + found[at + 1]
        place = np.minimum(np.searchsorted(self._codes, codes), self._codes.size - 1)
        hit: Numbers = self._numbers[place[self._codes[place] == codes]]
        return hit


class Entry(NamedTuple):
    """Two keys, and the rule that is found where a document holds both, close enough where they are to be close."""

    first: int
    second: int
    rule: int
    after: int = 0  # how many words after the first at most the second begins; 0: wherever both stand
    before: int = 0  # how many words before it


def columns(entries: Sequence[Entry], others: Columns) -> Columns:
    """Entries as columns, with others that are."""
    return np.concatenate((others, np.array(entries, np.int32).reshape(-1, others.shape[1])))


NO_ENTRIES: Columns = np.zeros((0, len(Entry._fields)), np.int32)


class Index:
    """Rules by pairs of keys."""

    def __init__(self, entries: Columns, size: int) -> None:
        """File `entries`, where there are `size` keys."""
        self._columns = np.asfortranarray(entries[np.argsort(entries[:, 0], kind="stable")])
        self._first, self._second, self._rule, self._after, self._before = self._columns.T
        self._near = (self._after > 0) | (self._before > 0)
        counts = np.bincount(self._first, minlength=size)
        self._starts = np.concatenate(([0], np.cumsum(counts)))
        self._files = counts > 0

    def without(self, rules: int) -> Numbers:
        """The rules, of so many, that have no entry."""
        return np.flatnonzero(np.bincount(self._rule, minlength=rules) == 0)

    def moved(self, rules: Mapping[int, int], count: int) -> Columns:
        """The entries of these rules, of `count`, under their new numbers."""
        numbers = np.full(count, -1, np.int32)
        numbers[list(rules)] = list(rules.values())
        found = self._columns.copy()
        found[:, 2] = numbers[found[:, 2]]
        return found[found[:, 2] >= 0]

    def candidates(self, presence: Presence) -> Numbers:
        """The rules of which a document holds both keys of an entry, in order."""
        files = _distinct(presence.keys[self._files[presence.keys]])
        places, _ = _ranges(self._starts[files], self._starts[files + 1])
        entries = places[presence.flags[self._second[places]]]
        near = self._near[entries]
        if near.any():
            entries = np.concatenate((entries[~near], self._close(entries[near], presence)))
        return _distinct(self._rule[entries].astype(np.int64))

    def _close(self, entries: Numbers, presence: Presence) -> Numbers:
        """Those of `entries` whose keys stand close enough: the neighbours of each place of the first are looked at."""
        standing = np.sort(presence.words << 40 | presence.places)  # so that a word's places are side by side
        first, second = self._first[entries].astype(np.int64) << 40, self._second[entries].astype(np.int64) << 40
        at, entry = _ranges(*np.searchsorted(standing, (first, first + (1 << 40))))
        entries = entries[entry]
        wanted = standing[at] + (second - first)[entry]  # the second at the same place
        padded = np.concatenate((standing, [np.iinfo(np.int64).max]))
        following = padded[np.searchsorted(standing, wanted, "right")] - wanted
        preceding = wanted - padded[np.searchsorted(standing, wanted) - 1]
        found: Numbers = entries[
            (following <= self._after[entries]) | ((preceding >= 0) & (preceding <= self._before[entries]))
        ]
        return found


def _distinct(numbers: Numbers) -> Numbers:
    """Each once, in order."""
    numbers = np.sort(numbers)
    first = np.ones(len(numbers), np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=first[1:])
    found: Numbers = numbers[first]
    return found


def _ranges(starts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
    """All numbers of the ranges [start, end), one after the other, and of which range each is."""
    counts = ends - starts
    of = np.repeat(np.arange(len(starts)), counts)
    before = np.cumsum(counts) - counts
    return np.arange(len(of)) + (starts - before)[of], of
