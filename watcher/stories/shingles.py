"""A text as a small set of hashes: word 3-grams, of long texts one in eight.

The sampling is Broder's ("On the resemblance and containment of documents", 1997): the hashes that a modulus divides.
A 3-gram's hash is the XOR of a hash of each word at its place (tabulation hashing, Pătraşcu and Thorup, "The power of
simple tabulation hashing", 2012), so that each word is hashed once and each 3-gram costs two XORs.
"""

from __future__ import annotations

import hashlib
import re
import struct
import unicodedata
from itertools import islice

SAMPLE = 8  # of the hashes of a long text those are kept that this divides
SHORT_TEXT = 150  # words; a text under this keeps all its hashes

# Scripts that put no space between words: Thai, Lao, Myanmar, Khmer, kana, Han.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_has_unspaced = re.compile(rf"[{_UNSPACED}]").search
_parts = re.compile(rf"[{_UNSPACED}]+|[^\W{_UNSPACED}]+").findall
_words = re.compile(r"\w+").findall
_unpack = struct.Struct(">qqq").unpack

Placed = tuple[int, int, int]  # a word's hash as the first, second and third word of a 3-gram


def signature(text: str) -> frozenset[int]:
    """Hashes of the text's word 3-grams, signed 64-bit and the same in every process.

    Texts of 150 words or more keep the hashes that 8 divides, shorter ones keep all. Scripts that put no space
    between words are taken by overlapping pairs of characters.
    """
    placed = list(map(_MEMO.__getitem__, words(text)))
    mask = SAMPLE - 1 if len(placed) >= SHORT_TEXT else 0
    return frozenset(
        [
            value
            for (first, _, _), (_, second, _), (_, _, third) in zip(placed, placed[1:], placed[2:], strict=False)
            if not (value := first ^ second ^ third) & mask
        ]
    )


def words(text: str) -> list[str]:
    """The text's words as written; runs of an unspaced script come as overlapping pairs of characters."""
    found: list[str] = _words(text)
    if text.isascii() or not _has_unspaced(text):
        return found
    return [word for run in _parts(text) for word in (_pairs(run) if _has_unspaced(run) else [run])]


def whole_hash(text: str) -> int:
    """One hash of a whole text. 8 divides it, so that it stands among sampled hashes as among all."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, person=b"whole").digest()
    return int.from_bytes(digest, "big", signed=True) & ~(SAMPLE - 1)


def is_sampled(hashes: frozenset[int]) -> bool:
    """Whether the set holds only what sampling keeps. Ten hashes tell it: all would be so by chance once in 8¹⁰."""
    return not any(value % SAMPLE for value in islice(hashes, 10))


def at_one_level(one: frozenset[int], other: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Two signatures at the coarser level of the two, at which they can be compared."""
    if is_sampled(one) == is_sampled(other):
        return one, other
    return _sampled(one), _sampled(other)


def fold(word: str) -> str:
    """A word without case and marks."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(max(len(run) - 1, 1))]


def _sampled(hashes: frozenset[int]) -> frozenset[int]:
    return frozenset(value for value in hashes if not value % SAMPLE)


class _Memo(dict[str, Placed]):
    """The hashes of words met before: news says most things in the same words."""

    def __missing__(self, word: str) -> Placed:
        if len(self) >= 200_000:
            self.clear()
        digest = hashlib.blake2b(fold(word).encode("utf-8", "surrogatepass"), digest_size=24).digest()
        first, second, third = _unpack(digest)
        self[word] = first, second, third
        return first, second, third


_MEMO = _Memo()
