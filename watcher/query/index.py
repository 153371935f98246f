"""Which of many rules a document may match: each is filed under pairs of keys of which a match holds both.

The files are columns of numbers, so that 100,000 rules take a few MB, and a document's candidates are found by
operations on whole columns, however many rules there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from watcher.query.table import Flags, Numbers, distinct
from watcher.query.vocabulary import PLACE, Presence

NUMBER = 32  # bits of a number that stands behind that of its document
LOW = (1 << NUMBER) - 1  # which they are
Columns = NDArray[np.int32]  # of entries: one a row


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
        self._entries = entries[np.argsort(entries[:, 0], kind="stable")]
        first, second, rule, after, before = self._entries.T
        self._second, self._rule = second.copy(), rule.copy()  # side by side, as they are asked for most
        self._near = (after > 0) | (before > 0)
        counts = np.bincount(first, minlength=size)
        self._starts = np.concatenate(([0], np.cumsum(counts)))
        self._files = counts > 0

    def without(self, rules: int) -> Numbers:
        """The rules, of so many, that have no entry."""
        return np.flatnonzero(np.bincount(self._rule, minlength=rules) == 0)

    def moved(self, rules: Mapping[int, int], count: int) -> Columns:
        """The entries of these rules, of `count`, under their new numbers."""
        numbers = np.full(count, -1, np.int32)
        numbers[list(rules)] = list(rules.values())
        found = self._entries.copy()
        found[:, 2] = numbers[found[:, 2]]
        return found[found[:, 2] >= 0]

    def candidates(self, presence: Presence) -> Numbers:
        """The rules of which a document holds both keys of an entry: each document's number beside the rule's."""
        held = distinct(presence.held[self._files.take(presence.keys)])
        files = held % presence.size
        places, of = _ranges(self._starts.take(files), self._starts.take(files + 1))
        begins = (held - files).take(of)  # the flags of the document
        both = presence.flags.take(begins + self._second.take(places)).nonzero()[0]
        entries, documents = places.take(both), begins.take(both) // presence.size
        near = self._near.take(entries)
        if near.any():
            close = ~near
            close[near] = self._close(entries[near], documents[near], presence)
            entries, documents = entries[close], documents[close]
        return distinct(documents << NUMBER | self._rule.take(entries))

    def _close(self, entries: Numbers, documents: Numbers, presence: Presence) -> Flags:
        """Which of `entries` have keys close enough: the neighbours of each place of the first are looked at."""
        first, second, _, after, before = self._entries.take(entries, 0).astype(np.int64).T
        first, second = first << PLACE, second << PLACE
        standing, begins = presence.standing(), presence.begins()
        starts, ends = begins.take(documents), begins.take(documents + 1)
        at, entry = _ranges(standing.searchsorted(first + starts), standing.searchsorted(first + ends))
        wanted = standing.take(at) + (second - first).take(entry)  # the second at the same place
        place = standing.searchsorted(wanted, "right")
        following = standing.take(place) - wanted
        preceding = wanted - standing.take(place - 1)  # 0 or less: none, or the first one itself
        close = (following <= after.take(entry)) | ((preceding > 0) & (preceding <= before.take(entry)))
        found = np.zeros(len(entries), np.bool_)
        found[entry[close]] = True
        return found


def _ranges(starts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
    """All numbers of the ranges [start, end), one after the other, and of which range each is."""
    counts = ends - starts
    of = np.arange(len(starts)).repeat(counts)
    before = counts.cumsum() - counts
    return np.arange(len(of)) + (starts - before).take(of), of
