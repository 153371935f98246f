"""Words, and starts of words, as a tree of pieces of eight bytes: a text's are found a column of pieces at a time.

A start ends with a byte that no text has. So a text's words are looked for as they are, and cut short to each number of
bytes that the last piece of a start has, with that byte behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

import numpy as np

from watcher.query.table import BYTES, Codes, Cut, Heads, Numbers, Table, code, distinct, multipliers, opened

_ROOT = 0  # the node that no word reaches


class Trie:
    """Numbers, none of which is 0, of words and of starts of words."""

    def __init__(self, words: Mapping[bytes, int], starts: Mapping[bytes, int]) -> None:
        nodes: dict[tuple[int, int], int] = {}  # by the node before and the code of the piece that leads from there
        ends = [_place(word, nodes) for word in words]
        begun = [_place(opened(start), nodes) for start in starts]
        self._word, self._start = np.zeros((2, len(nodes) + 1), np.int64)
        self._word[ends] = list(words.values())
        self._start[begun] = list(starts.values())
        before = np.array([-1, *(before for before, _ in nodes)], np.int64)
        self._codes = np.array([0, *(piece for _, piece in nodes)], np.uint64)
        self._goes_on = np.bincount(before[1:], minlength=len(nodes) + 1) > 0
        first = (before == _ROOT).nonzero()[0]
        self._first = Table(self._codes[first], first)
        self._first_heads = Heads(start for start in starts if len(start) <= BYTES)
        further = (before > _ROOT).nonzero()[0]
        for self._mix in multipliers():
            mixed = self._mixed(self._codes[further], before[further])
            if len(distinct(mixed.copy())) == len(further):
                break
        self._further = Table(mixed, further)
        self._further_heads = Heads(start for start in starts if len(start) > BYTES)

    def find(self, text: Cut) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Where in a text words stand, in order, and their numbers; where words that begin so, and the starts'."""
        numbers = np.zeros(len(text.codes), np.int64)
        starts_at, starts = [numbers[:0]], [numbers[:0]]
        at = np.arange(len(text.codes))
        places, nodes = self._first.find(self._first_heads.of(text.codes).reshape(-1))
        for done in count(BYTES, BYTES):
            begun = self._start.take(nodes).nonzero()[0]
            if len(begun):
                starts_at.append(at.take(places.take(begun) % len(at)))
                starts.append(self._start.take(nodes.take(begun)))
            whole = places.searchsorted(len(at))  # up to there stand those that are no shorter head
            at, nodes = at.take(places[:whole]), nodes[:whole]
            ended = text.sizes.take(at) <= done
            numbers[at] = self._word.take(nodes) * ended
            more = (self._goes_on.take(nodes) > ended).nonzero()[0]
            if not len(more):
                break
            at = at.take(more)
            places, nodes = self._below(nodes.take(more), text.part(at, done))
        known = numbers.nonzero()[0]
        return known, numbers.take(known), np.concatenate(starts_at), np.concatenate(starts)

    def _below(self, nodes: Numbers, codes: Codes) -> tuple[Numbers, Numbers]:
        """Where in `codes`, once for each head, those stand that lead on from their nodes, and to which nodes."""
        asked = self._further_heads.of(codes)
        places, found = self._further.find(self._mixed(asked, nodes).reshape(-1))
        same = self._codes.take(found) == asked.reshape(-1).take(places)  # then the node before is the same, too
        return places[same], found[same]

    def _mixed(self, codes: Codes, nodes: Numbers) -> Codes:
        """One number for a piece and the node that it leads from, which others may have: what is found is compared."""
        return codes ^ nodes.view(np.uint64) * self._mix


def _place(word: bytes, nodes: dict[tuple[int, int], int]) -> int:
    """The node where `word` ends, which is made where there is none."""
    node = _ROOT
    for at in range(0, len(word), BYTES):
        node = nodes.setdefault((node, code(word[at : at + BYTES])), len(nodes) + 1)
    return node
