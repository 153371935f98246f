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

from watcher.text.fold import tokens

SAMPLE = 8  # of the hashes of a long text those are kept that this divides
SHORT_TEXT = 150  # words; a text under this keeps all its hashes
PASSAGE = 24  # words, a sentence or two;
PASSAGES, LEAST_PASSAGE = 8, 6  # of a short text as many, but no shorter: two halves tell a quote from a copy badly

Hashes = NDArray[np.int64]


def signature(text: str) -> frozenset[int]:
    """Hashes of the text's word 3-grams, signed 64-bit and the same in every process.

    Texts of 150 words or more keep the hashes that 8 divides, shorter ones keep all. Scripts that put no space
    between words are taken by overlapping pairs of characters.
    """
    placed = _placed(text)
    hashes = _hashes(placed)
    if len(placed) >= SHORT_TEXT:
        hashes = hashes[hashes & SAMPLE - 1 == 0]
    return frozenset(hashes.tolist())


def extent(text: str) -> int:
    """How many 3-grams a text has."""
    return max(len(_placed(text)) - 2, 0)


def spread(one: str, other: str) -> float:
    """The share of the shorter text's passages that stand in the other one too, in a quarter of their words or more.

    A copy that was edited everywhere is near 1, a report that quotes what another quotes is near a half, for the same
    share of 3-grams in common.
    """
    shorter, longer = sorted((_all_hashes(one), _all_hashes(other)), key=len)
    known, size = set(longer), max(LEAST_PASSAGE, min(PASSAGE, len(shorter) // PASSAGES))
    passages = [shorter[start : start + size] for start in range(0, max(len(shorter) - size // 2, 1), size)]
    found = [sum(value in known for value in passage) >= max(len(passage) / 4, 1) for passage in passages]
    return sum(found) / len(found)


def begins(one: str, other: str) -> float:
    """Where in the longer of two texts what they share begins: 0.0 at its beginning, 1.0 at its end."""
    shorter, longer = sorted((_all_hashes(one), _all_hashes(other)), key=len)
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


def _all_hashes(text: str) -> list[int]:
    hashes: list[int] = _hashes(_placed(text)).tolist()
    return hashes


def _hashes(placed: Hashes) -> Hashes:
    """Of each 3-gram its hash."""
    return placed[:-2, 0] ^ placed[1:-1, 1] ^ placed[2:, 2]


def _placed(text: str) -> Hashes:
    """A row a word: its hash as the first, second and third word of a 3-gram."""
    return np.frombuffer(b"".join(map(_MEMO.__getitem__, text.split())), np.int64).reshape(-1, 3)


def _sampled(hashes: frozenset[int], level: int) -> frozenset[int]:
    return frozenset(value for value in hashes if not value % level)


def _words(written: str) -> list[str]:
    """The words of a chunk without white space; characters of an unspaced script, which touch, as overlapping pairs."""
    found = tokens(written)
    after = [*found[1:], None]
    return [
        one.plain + two.plain if two is not None and two.start == one.end else one.plain
        for one, two in zip(found, after, strict=False)
    ]


def _place(word: str) -> bytes:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=24).digest()
    return np.frombuffer(digest, ">i8").astype(np.int64).tobytes()


class _Memo(dict[str, bytes]):
    """The hashes of chunks met before: news says most things in the same words. Packed, so that each waits once."""

    def __missing__(self, written: str) -> bytes:
        placed = b"".join(map(_place, _words(written)))
        if len(written) <= 40:
            if len(self) >= 200_000:
                self.clear()
            self[written] = placed
        return placed


_MEMO = _Memo()
