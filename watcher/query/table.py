"""Numbers by codes of 64 bits, and the codes of a text's words: both a whole column at a time.

A word of at most eight bytes is its own code, so that no two words share one. Looking a column of them up lets the
processor wait for many places of memory at once, where a dictionary waits for one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.uint64]

BYTES = 8  # of a word that is its own code
_BREAK = b" \0 "  # between two texts: a word that none is
_ALL = 2**64 - 1
_HEADS = np.array([(1 << 8 * count) - 1 for count in range(BYTES + 1)], np.uint64)  # the first bytes of a code
_OPEN = 0xFF  # no byte of UTF-8
_GOLDEN = 0x9E3779B97F4A7C15  # 2⁶⁴ over the golden ratio: Knuth's multiplicative hashing (TAOCP 6.4)
_STEP = 40_503  # from one move to the next: odd, so that all are different
_MOVES = 1_000  # of a bucket that are tried; a few dozen is usual
_NOWHERE = np.zeros(0, np.int64)


class Table:
    """Numbers by codes, none of which is there twice.

    Each code has a slot of its own: its hash, moved as all of its bucket are moved so that no two codes meet (hash and
    displace). So one look tells whether a code is there, whatever a text asks for.
    """

    def __init__(self, codes: Codes, numbers: Numbers) -> None:
        bits = max(8, (2 * len(codes)).bit_length())  # half of the slots stay empty
        self._home, self._bucket, self._buckets = np.uint64(64 - bits), np.uint64(66 - 2 * bits), 1 << bits - 2
        self._any = len(codes) > 0
        if not self._any:
            return
        for self._multiplier in multipliers():
            slots = self._move(codes, 1 << bits)
            if len(np.unique(slots)) == len(slots):
                break
        self._codes = np.full(1 << bits, codes[0])  # no empty slot is where the first one is looked for
        self._codes[slots] = codes
        self._numbers = np.zeros(1 << bits, np.int32)
        self._numbers[slots] = numbers

    def _hashed(self, codes: Codes) -> tuple[Numbers, Numbers]:
        """Where each code would be if none were moved, and its bucket."""
        hashes = codes * self._multiplier
        return (hashes >> self._home).view(np.int64), (hashes >> self._bucket).view(np.int64) & (self._buckets - 1)

    def _slots(self, codes: Codes) -> Numbers:
        home, bucket = self._hashed(codes)
        return home ^ self._moved.take(bucket)

    def _move(self, codes: Codes, slots: int) -> Numbers:
        """Move each bucket, full ones first, until nothing is where its codes come to stand: where these stand."""
        home, bucket = self._hashed(codes)
        self._moved = np.zeros(self._buckets, np.int64)
        sizes = np.bincount(bucket).take(bucket)
        owners = np.full(slots, -1)
        for size in np.unique(sizes)[::-1]:
            left = (sizes == size).nonzero()[0]
            for move in range(0, _MOVES * _STEP, _STEP):
                self._moved[bucket.take(left)] = move % slots
                left = left[_met(owners, home.take(left) ^ move % slots, bucket.take(left))]
                if not len(left):
                    break
        return self._slots(codes)

    def find(self, codes: Codes) -> tuple[Numbers, Numbers]:
        """Where in `codes` those stand that it has, in order, and their numbers."""
        if not self._any:
            return _NOWHERE, _NOWHERE
        slots = self._slots(codes)
        at = (self._codes.take(slots) == codes).nonzero()[0]
        return at, self._numbers.take(slots.take(at)).astype(np.int64)


def multipliers() -> Iterator[np.uint64]:
    """Odd numbers to hash by, until one is found by which no two of what is there are alike."""
    return (np.uint64(pow(_GOLDEN, power, 1 << 64)) for power in count(1))


def _met(owners: Numbers, slots: Numbers, buckets: Numbers) -> Flags:
    """Give each bucket its slots where none is another's; which of the slots are of one that could not have them."""
    free = owners.take(slots) < 0
    owners[slots[free]] = buckets[free]
    own = free & (owners.take(slots) == buckets)
    met = np.zeros(buckets.max() + 1, np.bool_)
    met[buckets[~own]] = True
    again: Flags = met.take(buckets)
    owners[slots[own & again]] = -1
    return again


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
