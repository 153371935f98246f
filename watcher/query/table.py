"""Numbers by codes of 64 bits, and the codes of a text's words: both a whole column at a time.

A word of at most eight bytes is its own code, so that no two words share one. Looking a column of them up lets the
processor wait for many places of memory at once, where a dictionary waits for one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.uint64]
_Number = TypeVar("_Number", np.int64, np.uint64)

BYTES = 8  # of a word that is its own code
_BREAK = b" \0 "  # between two texts: a word that none is
_ALL = 2**64 - 1
_HEADS = np.array([(1 << 8 * count) - 1 for count in range(BYTES + 1)], np.uint64)  # the first bytes of a code
_OPEN = 0xFF  # no byte of UTF-8
_GOLDEN = 0x9E3779B97F4A7C15  # 2⁶⁴ over the golden ratio: Knuth's multiplicative hashing (TAOCP 6.4)
_FOLD = np.uint64(29)  # bits: about half of a code
_STEP = 40_503  # from one move of a bucket to the next: odd, so that all are different
_MOVES = 200  # that are tried; some dozens do
_FREE = -1
_NOWHERE = np.zeros(0, np.int64)


class Table:
    """Numbers by codes, none of which is there twice.

    Each code has a slot of its own: its hash, moved as all codes of its bucket are, so that no two of them meet ("hash
    and displace"). One look tells whether a code is there, whatever a text asks for.
    """

    def __init__(self, codes: Codes, numbers: Numbers) -> None:
        bits = max(8, (2 * len(codes)).bit_length())  # at least half of the slots stay free
        self._home, self._bucket = np.uint64(64 - bits), np.uint64(66 - bits)
        self._moves = np.zeros(1 << bits - 2, np.int64)  # of each bucket
        self._is_empty = not len(codes)
        if self._is_empty:
            return
        for self._multiplier, self._other in pairwise(multipliers()):
            slots = self._place(codes, 1 << bits)
            if len(distinct(slots.copy())) == len(slots):
                break
        self._codes = np.full(1 << bits, codes[0])  # which is looked for in its own slot, so in no free one
        self._codes[slots] = codes
        self._numbers = np.zeros(1 << bits, np.int64)
        self._numbers[slots] = numbers

    def _hashed(self, codes: Codes) -> tuple[Numbers, Numbers]:
        """The slot of each code where it is not moved, and its bucket."""
        mixed = codes ^ codes >> _FOLD  # the last letters tell as much as the first
        slots, buckets = mixed * self._multiplier >> self._home, mixed * self._other >> self._bucket
        return slots.view(np.int64), buckets.view(np.int64)

    def _place(self, codes: Codes, size: int) -> Numbers:
        """Move the buckets, full ones first, until each has its slots to itself, of `size`: those of the codes."""
        home, bucket = self._hashed(codes)
        full = np.bincount(bucket).take(bucket)
        owners = np.full(size, _FREE)
        for many in distinct(full.copy())[::-1]:
            left = (full == many).nonzero()[0]
            for move in range(0, _MOVES * _STEP, _STEP):
                self._moves[bucket.take(left)] = move % size
                left = left[_refused(owners, home.take(left) ^ move % size, bucket.take(left))]
                if not len(left):
                    break
        return home ^ self._moves.take(bucket)

    def find(self, codes: Codes) -> tuple[Numbers, Numbers]:
        """Where in `codes` those stand that it has, in order, and their numbers."""
        if self._is_empty:
            return _NOWHERE, _NOWHERE
        home, bucket = self._hashed(codes)
        slots = home ^ self._moves.take(bucket)
        at = (self._codes.take(slots) == codes).nonzero()[0]
        return at, self._numbers.take(slots.take(at))


def multipliers() -> Iterator[np.uint64]:
    """Odd numbers to hash by, to be tried until one tells all that is there apart."""
    return (np.uint64(pow(_GOLDEN, power, 1 << 64)) for power in count(1))


def distinct(numbers: NDArray[_Number]) -> NDArray[_Number]:
    """Each once, in order; `numbers` are put in order themselves."""
    if len(numbers) <= 1:
        return numbers
    numbers.sort()
    first = np.ones(len(numbers), np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=first[1:])
    return numbers[first]


def _refused(owners: Numbers, slots: Numbers, buckets: Numbers) -> Flags:
    """Give `slots` to the buckets that ask for them; which of them belong to one that another is in the way of."""
    free = owners.take(slots) == _FREE
    owners[slots[free]] = buckets[free]  # the last one has it, where several ask
    own = free & (owners.take(slots) == buckets)
    refused = np.zeros(len(owners), np.bool_)
    refused[buckets[~own]] = True
    found: Flags = refused.take(buckets)
    owners[slots[own & found]] = _FREE
    return found


class Cut(NamedTuple):
    """The words of documents, text after text, with a word that none is between two texts."""

    data: bytes
    starts: Numbers  # of each word its first byte
    sizes: Numbers  # and how many it has
    codes: Codes  # its first eight; 0: between two texts
    texts: Numbers  # the number of its text, over all documents

    def part(self, at: Numbers, start: int) -> Codes:
        """Eight bytes, or what is left, of the words that stand there, from their byte `start` on."""
        left = self.sizes.take(at) - start
        return _eights(self.data).take(self.starts.take(at) + start) & _HEADS.take(left, mode="clip")


def cut(texts: Iterable[bytes]) -> Cut:
    """The words of texts, which are folded and have spaces between."""
    data = b" " + _BREAK.join(texts) + b" " * (BYTES + 1)
    letters = np.frombuffer(data, np.uint8) != ord(" ")
    edges = (letters[1:] != letters[:-1]).nonzero()[0] + 1
    starts, ends = edges[::2], edges[1::2]
    sizes = ends - starts
    codes = _eights(data).take(starts) & _HEADS.take(sizes, mode="clip")
    return Cut(data, starts, sizes, codes, (codes == 0).cumsum())


def _eights(data: bytes) -> Codes:
    """From each byte on eight of them as a number."""
    return np.ndarray(len(data) - BYTES + 1, "<u8", data, strides=(1,))


def code(word: bytes) -> int:
    """The code of a word of at most eight bytes."""
    return int.from_bytes(word, "little")


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
