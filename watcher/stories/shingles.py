"""A text as a small set of hashes: word 3-grams, of long texts one in eight.

The sampling is Broder's ("On the resemblance and containment of documents", 1997): the hashes that a modulus divides.
A 3-gram's hash is the XOR of a hash of each word at its place (tabulation hashing, Pătraşcu and Thorup, "The power of
simple tabulation hashing", 2012), so that each word is hashed once and each 3-gram costs two XORs.
"""

from __future__ import annotations

import hashlib
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from watcher.text.fold import UNSPACED, folded, tokens
from watcher.text.memo import Memo

SAMPLE = 8  # of the hashes of a long text those are kept that this divides
SHORT_TEXT = 150  # words; a text under this keeps all its hashes
PASSAGE = 24  # words, a sentence or two;
PASSAGES, LEAST_PASSAGE = 8, 6  # of a short text as many, but no shorter: two halves tell a quote from a copy badly
_WORDS = 100_000  # whose hashes are remembered, 0.2 kB each

Hashes = NDArray[np.int64]


def signature(text: str) -> frozenset[int]:
    """Hashes of the text's word 3-grams, signed 64-bit and the same in every process.

    Texts of 150 words or more keep the hashes that 8 divides, shorter ones keep all. Scripts that put no space
    between words are taken by overlapping pairs of characters.
    """
    hashes = _all_hashes(text)
    if len(hashes) + 2 >= SHORT_TEXT:
        hashes = hashes[hashes & (SAMPLE - 1) == 0]
    return frozenset(hashes.tolist())


def extent(text: str) -> int:
    """How many 3-grams a text has."""
    return max(len(_words(text)) - 2, 0)


def spread(one: str, other: str) -> float:
    """The share of the shorter text's passages that stand in the other one too, in a quarter of their words or more.

    A copy that was edited everywhere is near 1, a report that quotes what another quotes is near a half, for the same
    share of 3-grams in common.
    """
    shorter, longer = sorted((_all_hashes(one).tolist(), _all_hashes(other).tolist()), key=len)
    known, size = set(longer), max(LEAST_PASSAGE, min(PASSAGE, len(shorter) // PASSAGES))
    passages = [shorter[start : start + size] for start in range(0, max(len(shorter) - size // 2, 1), size)]
    found = [sum(value in known for value in passage) >= max(len(passage) / 4, 1) for passage in passages]
    return sum(found) / len(found)


def begins(one: str, other: str) -> float:
    """Where in the longer of two texts what they share begins: 0.0 at its beginning, 1.0 at its end."""
    shorter, longer = sorted((_all_hashes(one).tolist(), _all_hashes(other).tolist()), key=len)
    known = set(shorter)
    places = [place for place, value in enumerate(longer) if value in known]
    return places[len(places) // 20] / len(longer) if places else 0.0  # a stray set phrase before it does not count


def whole_hash(text: str) -> int:
    """One hash of a whole text. 8 divides it, so that it stands among sampled hashes as among all."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, person=b"whole").digest()
    return int.from_bytes(digest, "big", signed=True) & ~(SAMPLE - 1)


def at_one_level(one: frozenset[int], other: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Two signatures, or filed parts of them, at the coarser level of the two, at which they can be compared."""
    mine, theirs = _level(one), _level(other)
    if mine == theirs:
        return one, other
    return _sampled(one, max(mine, theirs)), _sampled(other, max(mine, theirs))


def _level(hashes: frozenset[int]) -> int:
    """By how much all hashes of a set can be divided, 8 at most. Ten of them tell it, or nearly: then it is coarser."""
    some = list(islice(hashes, 10))
    for level in (SAMPLE, SAMPLE // 2, SAMPLE // 4):
        if not any(value % level for value in some) and (level == SAMPLE or len(some) == 10):
            return level
    return 1


def _all_hashes(text: str) -> Hashes:
    """The hash of each 3-gram, in order."""
    placed = np.frombuffer(b"".join(map(_placed.__getitem__, _words(text))), ">i8").astype(np.int64).reshape(-1, 3)
    hashes: Hashes = placed[:-2, 0] ^ placed[1:-1, 1] ^ placed[2:, 2]
    return hashes


def _sampled(hashes: frozenset[int], level: int) -> frozenset[int]:
    return frozenset(value for value in hashes if not value % level)


def _words(text: str) -> list[str]:
    """The words of a text, folded; characters of an unspaced script, which touch, as overlapping pairs."""
    found = folded(text).decode()
    if found.isascii() or not UNSPACED.search(found):
        return found.split()
    return [word for written in text.split() for word in _pairs(written)]


def _pairs(written: str) -> list[str]:
    found = tokens(written)
    after = [*found[1:], None]
    return [
        one.plain + two.plain if two is not None and two.start == one.end else one.plain
        for one, two in zip(found, after, strict=False)
    ]


def _place(word: str) -> bytes:
    """A word's hash as the first, as the second and as the third word of a 3-gram, 64 bits each."""
    return hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=24).digest()


_placed = Memo(_place, _WORDS)
