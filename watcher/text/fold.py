"""Case, marks and apostrophes: what makes two written words the same word, and where words begin and end.

Text is cut at white space into chunks, and every decision is made within one chunk, so that a chunk's tokens can be
remembered. Normalisation is Unicode's NFKC (UAX #15), case is folded as in the Unicode Standard 3.13.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from watcher.text.memo import Memo

CHUNK = re.compile(r"\S+")

_CHUNKS = 20_000  # that are remembered with their tokens, 0.4 kB each, and
_PLAIN_CHUNKS = 50_000  # with their words alone, 0.2 kB

_APOSTROPHES = "’ʼ‘‛ʻ＇`´ꞌ"
_HYPHENS = "‐‑‒–−﹣－"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
)
_UNSPACED = (  # scripts written without spaces between words: Han, kana, Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff"
)
# One letter however it is written; Turkish i, and letters that Unicode does not decompose.
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا"}
)
_SEMITIC_MARK = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06ed]"
)
_CYRILLIC_VOWELS = frozenset("аеиоуыэюяіїєѣѵѫѧ")
_STRESS = frozenset("\u0300\u0301")
_DOT_ABOVE, _DIAERESIS = "\u0307", "\u0308"
_RANGES = re.compile("[" + _INVISIBLE + "]")
UNSPACED = re.compile(f"[{_UNSPACED}]")


class Token(NamedTuple):
    """One word of a text: characters [start, end) of it, without a possessive 's."""

    start: int
    end: int
    plain: str  # folded, without accents: what a query word without accents compares with
    accented: str  # folded, with accents; equal to `plain` where there are none
    exact: str  # as written, after NFKC

    @property
    def capitals(self) -> bool:
        """An unaccented word in capitals, which may stand for an accented one."""
        return len(self.exact) > 1 and self.plain == self.accented and self.exact.isupper()


class Chunk(NamedTuple):
    """A piece of text without white space: its normal form, and its tokens, whose offsets are the normal form's."""

    text: str
    tokens: tuple[Token, ...]
    offsets: tuple[int, ...] | None  # of the normal form's characters in what was written; None: the same

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where tokens `first` to `last`, both included, stand in what was written."""
        start, end = self.tokens[first].start, self.tokens[last].end
        if self.offsets is None:
            return start, end
        while end < len(self.text) and self.offsets[end] == self.offsets[end - 1]:
            end += 1  # one character became several, and the token ends among them
        return self.offsets[start], self.offsets[end]


def fold(word: str) -> tuple[str, str]:
    """A normalised word without case: (without accents, with them).

    Accents are the marks on Latin and Greek letters and the diaeresis of ё; й, ї, kana's voiced marks and Indic vowel
    signs make letters of their own. Arabic and Hebrew points, and a stress mark on a Cyrillic vowel, count for nothing.
    """
    if word.isascii():
        lower = word if word.islower() else word.lower()
        return lower, lower
    folded = unicodedata.normalize("NFC", word.casefold().translate(_LETTERS))
    decomposed = unicodedata.normalize("NFD", folded.translate(_LETTERS))
    if not any(map(unicodedata.combining, decomposed)):
        return folded, folded
    plain: list[str] = []
    accented: list[str] = []
    base = ""
    for char in _SEMITIC_MARK.sub("", decomposed):
        if not unicodedata.combining(char):
            base = _base(char)
            plain.append(base)
            accented.append(base)
            continue
        letter, accent = _mark(base, char)
        if letter:
            plain.append(char)
        if letter or accent:
            accented.append(char)
    return unicodedata.normalize("NFC", "".join(plain)), unicodedata.normalize("NFC", "".join(accented))


def _base(char: str) -> str:
    return char.translate(_LETTERS)


def _mark(base: str, mark: str) -> tuple[bool, bool]:
    """Whether `mark` on `base` makes another letter, and whether it is an accent; neither: it counts for nothing."""
    code = ord(base[-1]) if base else 0
    if (
        code < 0x250
        or 0x370 <= code < 0x400
        or 0x1E00 <= code < 0x2000
        or 0x2C60 <= code < 0x2C80
        or 0xA720 <= code < 0xA800
    ):
        return False, not (base == "i" and mark == _DOT_ABOVE)
    if 0x400 <= code < 0x530:
        if mark in _STRESS and base in _CYRILLIC_VOWELS:
            return False, False
        yo = base == "е" and mark == _DIAERESIS
        return not yo, yo
    return True, True


def chunk(written: str) -> Chunk:
    """The tokens of `written`, which holds no white space."""
    return _chunks[written]


def _chunk(written: str) -> Chunk:
    text, offsets = _normal(written)
    return Chunk(text, tuple(_tokens(text)), offsets)


_chunks = Memo(_chunk, _CHUNKS)


def tokens(written: str) -> tuple[Token, ...]:
    """The tokens of `written` alone, not remembered here: for those that remember what they make of them."""
    return tuple(_tokens(_normal(written)[0]))


def _tokens(text: str) -> Iterator[Token]:
    if text.isascii() and text.isalnum():  # as most are
        plain, accented = fold(text)
        yield Token(0, len(text), plain, accented, text)
        return
    for match in _word().finditer(text):
        exact = match[1]
        plain, accented = fold(exact)
        if plain:  # a mark alone is no word
            yield Token(match.start(1), match.end(1), plain, accented, exact)


@cache
def _word() -> re.Pattern[str]:
    """A word with its marks, and what a possessive leaves behind it; a character of an unspaced script is a word."""
    marks = _classes(code for code in range(0x300, 0x12000) if unicodedata.category(chr(code))[0] == "M")
    spaced = rf"[^\W_{_UNSPACED}]"
    return re.compile(rf"([{_UNSPACED}][{marks}]*|{spaced}(?:{spaced}|[{marks}])*)(?:\.?'[sS](?!\w))?")


def _classes(codes: Iterator[int]) -> str:
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in ranges)


_PUNCTUATION = str.maketrans(
    {**dict.fromkeys(_APOSTROPHES, "'"), **dict.fromkeys(_HYPHENS, "-")}  # before NFKC, which gives ´ a space
)


def normal(text: str) -> tuple[str, tuple[int, ...] | None]:
    """NFKC of any text, and the offset in `text` of each of its characters and of the end; None: all the same."""
    if text.isascii() or unicodedata.is_normalized("NFKC", text):
        return text, None
    return _mapped(text)


def _normal(written: str) -> tuple[str, tuple[int, ...] | None]:
    """One chunk's normal form: NFKC, one apostrophe, one hyphen, nothing invisible; and its offsets, as `normal`'s."""
    if written.isascii():
        return written.replace("`", "'"), None
    text = written.translate(_PUNCTUATION)
    if not _RANGES.search(text) and unicodedata.is_normalized("NFKC", text):
        return text, None
    return _mapped(text, _RANGES)


def _mapped(text: str, drop: re.Pattern[str] | None = None) -> tuple[str, tuple[int, ...]]:
    """NFKC a cluster at a time (a character with what combines with it), so that each result has its place."""
    out: list[str] = []
    offsets: list[int] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and _joins(text[end]):
            end += 1
        cluster = text[start:end]
        piece = unicodedata.normalize("NFKC", drop.sub("", cluster) if drop else cluster)
        out.append(piece)
        offsets.extend([start] * len(piece))
        start = end
    offsets.append(len(text))
    return "".join(out), tuple(offsets)


def _joins(char: str) -> bool:
    """Whether NFKC may compose `char` with what stands before it: marks, Hangul vowels and finals."""
    return (
        bool(unicodedata.combining(char))
        or "\u1160" <= char <= "\u11ff"
        or char in "\uff9e\uff9f"
        or (unicodedata.category(char)[0] == "M")
        or bool(_RANGES.match(char))
    )


# --- only the words -------------------------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """The words of `text`, folded and without accents, in order: what `chunk` finds, six times as fast."""
    return folded(text).decode().split()


def folded(text: str) -> bytes:
    """The same in UTF-8, with spaces between.

    ASCII is folded as a whole and cut at all that is no letter or digit. Typographic signs become ASCII ones before,
    and chunks that are still more than ASCII their words; a text in another script is read by its chunks.
    """
    if not text.isascii():
        text = _typed(text)
    if not text.isascii():
        joined = " ".join([piece if piece.isascii() else _plains[piece] for piece in text.split()])
        if not joined.isascii():
            return " ".join(map(_plains.__getitem__, text.split())).encode()
        text = joined
    return _without_possessives(text.replace("`", "'")).encode().translate(_AS_WORDS)


# Signs of typography as those of a keyboard: no letter among them, and none that NFKC would join to its neighbours.
_TYPOGRAPHY = (
    *((sign, "'") for sign in "’‘"),
    *((sign, '"') for sign in "“”«»„"),
    ("–", "-"),
    ("—", '"'),
    ("…", "..."),
)
_AS_WORDS = bytes(ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else ord(" ") for code in range(256))


def _typed(text: str) -> str:
    for sign, typed in _TYPOGRAPHY:
        text = text.replace(sign, typed)
    return text.replace("\xa0", " ")


def _without_possessives(text: str) -> str:
    """ASCII text without the s of `Mali's` and `U.S.'s`, as `_word` leaves it out."""
    text = text.replace("'S", "'s")
    before, *others = text.split("'s")
    if not others:
        return text
    parts = [before]
    for after in others:
        word = before[-2:-1] if before[-1:] == "." else before[-1:]
        parts.append(" s" if not word.isalnum() or after[:1].isalnum() or after[:1] == "_" else " ")
        parts.append(after)
        before = after
    return "".join(parts)


def _plain(written: str) -> str:
    """The words of a chunk, with spaces between."""
    if written.isascii() and written.isalnum():
        return fold(written)[0]
    folded = (fold(match[1])[0] for match in _word().finditer(_normal(written)[0]))
    return " ".join([plain for plain in folded if plain])


_plains = Memo(_plain, _PLAIN_CHUNKS)
