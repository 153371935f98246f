"""What a query's words compare with: keys.

A key says by itself how it compares: `mali` a folded word, `café` one with accents, `=US` a word as written, `niger*` a
prefix, `wom?n` a pattern, `~c++` letters and signs as written, `^en attack` the words of a stem. Whether one of these
holds is seen from a text's folded word alone (`mali`, `niger*`, `wom?n`, `^en attack`) or from the chunk around it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from watcher.text.fold import Chunk, Token, chunk, fold

SHORTEST_PREFIX = 3  # letters

# Letters that no text holds stand for the wildcards while a query's word goes through the same steps as a text's.
_ONE, _MANY = "\ua7f7", "\ua7fb"
_AS_LETTERS = str.maketrans({"?": _ONE, "*": _MANY})
_AS_SIGNS = str.maketrans({_ONE: "?", _MANY: "*"})

_POSSESSIVE = re.compile(r"\.?'[sS]$")
_AROUND = '.,;:!?"()[]'  # signs that are no part of a word
_PART_SIGNS = frozenset({"-", "'", ""})  # between parts of one word, which match without them too


@lru_cache(maxsize=65536)
def keys_of(text: str, exact: bool = False) -> tuple[str, ...]:
    """The keys of a query's word, in order: several where it has parts (`anti-French`, `d'Ivoire`, `日本`).

    Raises ValueError, whose message is for people, where the word can match nothing.
    """
    if text.isascii() and text.isalnum():
        return ("=" + text,) if exact else (text.lower(),)
    piece = chunk(text if exact else text.translate(_AS_LETTERS))
    tokens = [token for token in piece.tokens if token.plain != _MANY or token is not piece.tokens[0]]
    if not tokens:
        raise ValueError("no letter or digit is left to search for")
    open_end = tokens[-1].plain == _MANY
    signs = [piece.text[one.end : other.start] for one, other in itertools.pairwise(tokens)]
    if open_end and not signs[-1]:  # 日*: a character is a word
        tokens, signs, open_end = tokens[:-1], signs[:-1], False
    lead, trail = piece.text[: tokens[0].start], _POSSESSIVE.sub("", piece.text[tokens[-1].end :])
    if lead or trail or open_end or not _PART_SIGNS.issuperset(signs):
        if any(wild(token.plain) for token in (tokens[:-1] if open_end else tokens)):
            raise ValueError(
                "in a word with signs * stands only after a sign, as in 7.2.* and CVE-2025-*, and ? nowhere"
            )
        return (("~=" if exact else "~") + piece.text.translate(_AS_SIGNS),)
    keys = tuple("=" + token.exact if exact else token.accented.translate(_AS_SIGNS) for token in tokens)
    if not exact:
        _check_wildcards(keys)
    return keys


def stem_key(lang: str, key: str) -> str:
    """The key of the words that share `key`'s stem, without accents; what has signs or wildcards stays as it is."""
    if key[0] in "=~" or "*" in key or "?" in key:
        return key
    return f"^{lang} {stem(lang, fold(key)[0])}"


def stem(lang: str, word: str) -> str:
    """The Snowball stem of a folded word."""
    found: str = _stemmer(lang).stemWord(word)
    return found


@lru_cache(maxsize=32)
def _stemmer(lang: str) -> Any:
    import Stemmer  # noqa: PLC0415 - only where a rule asks for stems

    return Stemmer.Stemmer(lang)


def _check_wildcards(keys: tuple[str, ...]) -> None:
    written = "".join(keys)
    if "*" in written[:-1]:
        raise ValueError("* stands at the end of a word only; ? stands for one letter inside of a word")
    if ("*" in written or "?" in written) and len(re.sub(r"[*?]", "", written)) < SHORTEST_PREFIX:
        raise ValueError("a word with * or ? needs three letters at least")


@dataclass(frozen=True, slots=True)
class Written:
    """Letters and signs as written: `C++`, `.NET`, `7.2.1`, `CVE-2025-*`."""

    key: str
    lead: str
    tokens: tuple[Token, ...]
    signs: tuple[str, ...]
    trail: str
    open_end: bool
    exact: bool

    @classmethod
    def of(cls, key: str) -> Written:
        """The one that `key` names."""
        exact = key.startswith("~=")
        text = key[2:] if exact else key[1:]
        piece = chunk(text if exact else text.translate(_AS_LETTERS))
        tokens = piece.tokens
        signs = [piece.text[one.end : other.start] for one, other in itertools.pairwise(tokens)]
        open_end = tokens[-1].plain == _MANY
        trail = "" if open_end else _POSSESSIVE.sub("", piece.text[tokens[-1].end :])
        lead = piece.text[: tokens[0].start]
        return cls(key, lead, tokens[:-1] if open_end else tokens, tuple(signs), trail, open_end, exact)

    def at(self, piece: Chunk, first: int) -> int | None:
        """The last token of it in `piece`, where it begins at token `first`; None where it does not stand there."""
        last = first + len(self.tokens) - 1
        found = piece.tokens[first : last + 1]
        if len(found) < len(self.tokens) or not all(map(self._same, self.tokens, found)):
            return None
        text = piece.text
        between = [text[one.end : other.start] for one, other in itertools.pairwise(found)]
        if between != list(self.signs[: len(between)]):
            return None
        start, end = found[0].start - len(self.lead), found[-1].end
        if start < 0 or not text.startswith(self.lead, start) or not self._begins(text, start):
            return None
        if self.open_end:
            return self._open(piece, last)
        if not text.startswith(self.trail, end) or not self._ends(text, end + len(self.trail)):
            return None
        return last

    def _same(self, mine: Token, found: Token) -> bool:
        if self.exact:
            return mine.exact == found.exact
        if mine.plain == mine.accented:
            return mine.plain == found.plain
        return mine.accented == found.accented or (found.capitals and mine.plain == found.plain)

    def _begins(self, text: str, start: int) -> bool:
        """Not in the middle of something longer: 17.2.1 is not 7.2.1, example.net not .NET."""
        before = text[start - 1 : start] if start else ""
        if self.lead:
            return not before.isalnum() and before != self.lead[0]
        number = (
            self.tokens[0].exact[0].isdigit() and before in (".", ",") and text[max(0, start - 2) : start - 1].isdigit()
        )
        return not number

    def _ends(self, text: str, end: int) -> bool:
        after = text[end : end + 1]
        if self.trail:
            return not after.isalnum() and after != self.trail[-1]
        number = self.tokens[-1].exact[-1].isdigit() and after in (".", ",") and text[end + 1 : end + 2].isdigit()
        return not number

    def _open(self, piece: Chunk, last: int) -> int | None:
        """`*` after a sign: the sign must be there, and what is written on to it belongs to the match."""
        sign, end = self.signs[-1], piece.tokens[last].end
        if not piece.text.startswith(sign, end):
            return None
        follows = last + 1 < len(piece.tokens) and piece.tokens[last + 1].start == end + len(sign)
        return last + 1 if follows else last


def is_plain(key: str) -> bool:
    """Whether `key` is compared with words folded and without accents, so that it is the word itself."""
    if key.isascii():
        return key.isalnum()
    return key[0] not in "=~^" and key[-1] != "*" and "?" not in key and fold(key)[0] == key


def by_word(key: str) -> bool:
    """Whether a folded word alone tells if it holds `key`, which is more than a folded word itself."""
    if key[0] in "=~":
        return False
    return key[0] == "^" or (("*" in key or "?" in key) and (key.isascii() or fold(key)[0] == key))


def wild(word: str) -> bool:
    """Whether a word of a `Written` has wildcards within, so that it is no word of a text."""
    return _ONE in word or _MANY in word
