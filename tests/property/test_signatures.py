"""A text's hashes, read by whole texts and joined columns, are those of its words taken one at a time."""

from __future__ import annotations

import hashlib
import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from watcher.stories.shingles import SAMPLE, SHORT_TEXT, extent, signature
from watcher.text.fold import tokens

WORDS = st.sampled_from(
    "Mali Mali’s U.S.'s d'Ivoire é Éire naïve Россия ёлка й 漢字 かなカナ ไทย a漢b ㍻ ﷺ -- _ x_y 12".split()
)
TEXTS = st.lists(WORDS | st.text(max_size=6), max_size=40).map(" ".join)


def words(text: str) -> list[str]:
    found = []
    for written in text.split():
        here = [*tokens(written)]
        touching = [one.end == two.start for one, two in pairwise(here)] + [False]
        after = [token.plain for token in here[1:]] + [""]
        found += [one.plain + (two if touch else "") for one, two, touch in zip(here, after, touching, strict=False)]
    return found


def hashes(found: list[str]) -> list[int]:
    placed = [struct.unpack(">qqq", hashlib.blake2b(word.encode(), digest_size=24).digest()) for word in found]
    return [one[0] ^ two[1] ^ three[2] for one, two, three in zip(placed, placed[1:], placed[2:], strict=False)]


@given(TEXTS, st.integers(1, 12))
def test_a_signature_is_that_of_the_words(text: str, times: int) -> None:
    text = " ".join([text] * times)
    found = words(text)
    every = hashes(found)
    kept = [value for value in every if not value % SAMPLE] if len(found) >= SHORT_TEXT else every
    assert signature(text) == frozenset(kept)
    assert extent(text) == len(every)
