"""Numbers by codes of 64 bits, and the codes of a text's words: both a whole column at a time.

A word of at most eight bytes is its own code, so that no two words share one. Looking a column of them up lets the
processor wait for many places of memory at once, where a dictionary waits for one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.uint64]

BYTES = 8  # of a word that is its own code
_BREAK = b" \0 "  # between two texts: a word that none is
_HEADS = np.array([(1 << 8 * count) - 1 for count in range(BYTES + 1)], np.uint64)  # the first bytes of a code
_OPEN = 0xFF << 56  # no byte of UTF-8 is 255
_ALL = 2**64 - 1
_OPEN = 0xFF  # no byte of UTF-8
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio: Knuth's multiplicative hashing (TAOCP 6.4)
_EMPTY = np.uint64(_ALL)  # no code of a word, as no byte of UTF-8 is 255
_SLOTS = 1  # of a table, at least so many a code
_MARKS = 4  # bits more of a code tell apart what the table may have


class Table:
    """Numbers by codes, none of which has all bits set."""

    def __init__(self, codes: Codes, numbers: Numbers) -> None:
        bits = max(8, (_SLOTS * len(codes)).bit_length())
        self._shift = np.uint64(64 - bits - _MARKS)
        marks = self._marks(codes)
        self._marked = np.zeros(1 << bits + _MARKS, np.bool_)
        self._marked[marks] = True
        slots = marks >> _MARKS
        order = np.argsort(slots, kind="stable")
        slots = slots[order]
        place = np.arange(len(slots)) - np.searchsorted(slots, slots)  # among those of one slot
        self._width = int(place.max(initial=0)) + 1
        self._codes = np.full((1 << bits, self._width), _EMPTY)
        self._codes[slots, place] = codes[order]
        found = np.zeros(self._codes.shape, np.int32)
        found[slots, place] = numbers[order]
        self._numbers = found.reshape(-1)

    def _marks(self, codes: Codes) -> Numbers:
        return (codes * _GOLDEN >> self._shift).view(np.int64)

    def find(self, codes: Codes) -> tuple[Numbers, Numbers]:
        """Where in `codes` those stand that it has, in order, and their numbers."""
        marks = self._marks(codes)
        at = self._marked.take(marks).nonzero()[0]
        slots = marks.take(at) >> _MARKS
        hit = (self._codes.take(slots, 0) == codes.take(at)[:, None]).reshape(-1).nonzero()[0]
        row = hit // self._width
        numbers = self._numbers.take((slots.take(row) - row) * self._width + hit)
        return at.take(row), numbers.astype(np.int64)


class Cut(NamedTuple):
    """The words of documents, text after text, with a word that none is between two texts."""

    data: bytes
    starts: Numbers  # of each word its first byte
    sizes: Numbers  # and how many it has
    codes: Codes  # its first eight; 0: between two texts
    texts: Numbers  # the number of its text, over all documents

    def part(self, at: Numbers, start: int) -> Codes:
        """Eight bytes, or what is left, of the words that stand there, from their byte `start` on."""
        left = np.minimum(self.sizes.take(at) - start, BYTES)
        return _eights(self.data).take(self.starts.take(at) + start) & _HEADS.take(left)


def cut(texts: Iterable[bytes]) -> Cut:
    """The words of texts, which are folded and have spaces between."""
    data = b" " + _BREAK.join(texts) + b" " * (BYTES + 1)
    letters = np.frombuffer(data, np.uint8) != ord(" ")
    edges = (letters[1:] != letters[:-1]).nonzero()[0] + 1
    starts, ends = edges[::2], edges[1::2]
    sizes = ends - starts
    codes = _eights(data).take(starts) & _HEADS.take(np.minimum(sizes, BYTES))
    return Cut(data, starts, sizes, codes, (codes == 0).cumsum())


def _eights(data: bytes) -> Codes:
    """From each byte on eight of them as a number."""
    return np.ndarray(len(data) - BYTES + 1, "<u8", data, strides=(1,))


def code(word: bytes) -> int:
    """The code of a word of at most eight bytes."""
    return int.from_bytes(word, "little")


def open_code(start: bytes) -> int:
    """The code of a start of words, of at most eight bytes: no other word's, though eight bytes are both."""
    return code(start) | (_OPEN if len(start) < BYTES else 0)


class Heads:
    """The first so many bytes of words, as the words that `opened` makes of starts."""

    def __init__(self, starts: Iterable[bytes]) -> None:
        """As many bytes as there are in the last pieces of `starts`, and all eight."""
        sizes = sorted({len(start) % BYTES for start in starts} - {0})
        self._bytes = np.array([[_ALL], *([_ALL >> 64 - 8 * size] for size in sizes)], np.uint64)
        self._ends = np.array([[0], *([_OPEN << 8 * size] for size in sizes)], np.uint64)

    def of(self, codes: Codes) -> Codes:
        """A row of `codes` as they are, then one for each other number of bytes."""
        return codes & self._bytes | self._ends


def opened(start: bytes) -> bytes:
    """A start of words as a word that no other one is, but where it is made of whole pieces of eight bytes."""
    return start + bytes([_OPEN]) if len(start) % BYTES else start


def code(word: bytes) -> int:
    """The code of a word of at most eight bytes."""
    return int.from_bytes(word, "little")
