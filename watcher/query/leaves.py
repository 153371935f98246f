"""What a query's words compare with: keys, and the lexicon that finds them in a text's chunks.

A key says by itself how it compares: `mali` a folded word, `café` one with accents, `=US` a word as written, `niger*` a
prefix, `wom?n` a pattern, `~c++` letters and signs as written, `^en attack` the words of a stem. What a chunk of text
holds of a set of keys depends on nothing around it, so it is worked out once and remembered: news repeats its words.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterable, Iterator
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
        raise ValueError("* stands at the end of a word only; ? stands for one letter anywhere")
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


class _Plains(dict[str, tuple[str, ...]]):
    """Of each chunk its words, worked out when it is first asked for."""

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon = lexicon

    def __missing__(self, written: str) -> tuple[str, ...]:
        return self._lexicon.learn(written)


def is_plain(key: str) -> bool:
    """Whether `key` is compared with words folded and without accents, so that it is the word itself."""
    if key.isascii():
        return key.isalnum()
    return key[0] not in "=~^" and key[-1] != "*" and "?" not in key and fold(key)[0] == key


class Lexicon:
    """A set of keys, and what each chunk of text seen so far holds: its folded words, and the keys that are more."""

    _MOST_CHARACTERS = 16_000_000  # of remembered chunks; then it starts anew

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._keys: set[str] = set()  # those that are more than a folded word
        self._unaccented: dict[str, list[str]] = {}  # for words in capitals: the accented keys they may stand for
        self._prefix_lengths: list[int] = []
        self._accented_prefixes: list[tuple[str, str]] = []
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        self._written: dict[str, list[Written]] = {}
        self._exact = False
        self._stems: set[str] = set()  # the languages of the keys that are stems
        for key in keys:
            if not is_plain(key):
                self.add(key)
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered of chunks."""
        self.plains = _Plains(self)
        self.special: dict[str, tuple[str, ...]] = {}  # of chunks that hold some: keys that are more than a word
        self.specials: set[str] = set()  # these chunks
        self._holders: dict[str, list[str]] = {}  # of each such key: the chunks that hold it
        self._characters = 0

    def add(self, key: str) -> None:
        """Take `key` into the set; before the first chunk, or followed by `forget`."""
        if key in self._keys:
            return
        self._keys.add(key)
        if key[0] == "=":
            self._exact = True
        elif key[0] == "^":
            self._stems.add(key[1:].partition(" ")[0])
        elif key[0] == "~":
            written = Written.of(key)
            self._written.setdefault(written.tokens[0].plain, []).append(written)
        elif "?" in key:
            self._patterns.append((re.compile(re.escape(key).replace(r"\?", r"\w").replace(r"\*", r"\w*")), key))
        elif key[-1] == "*":
            self._add_prefix(key)
        elif not key.isascii() and (plain := fold(key)[0]) != key:
            self._unaccented.setdefault(plain, []).append(key)

    def _add_prefix(self, key: str) -> None:
        if len(key) - 1 not in self._prefix_lengths:
            self._prefix_lengths.append(len(key) - 1)
        plain = fold(key[:-1])[0]
        if plain != key[:-1]:
            self._accented_prefixes.append((plain, key))

    def learn(self, written: str) -> tuple[str, ...]:
        """Work out what a chunk holds that was not seen before."""
        self._characters += len(written) + 64
        core = written.strip(_AROUND)
        if core.isascii() and core.isalnum() and not self._intricate(core):
            plain = sys.intern(core.lower())
            plains: tuple[str, ...] = (plain,)
            special = tuple(self._simple(plain, core)) if self._keys else ()
        else:
            piece = chunk(written)
            plains = tuple([sys.intern(token.plain) for token in piece.tokens])
            special = tuple({key: None for key, _, _ in self._places(piece)}) if self._keys else ()
        self.plains[written] = plains
        if special:
            self.special[written] = special
            self.specials.add(written)
            for key in special:
                self._holders.setdefault(key, []).append(written)
        return plains

    def _intricate(self, core: str) -> bool:
        """Whether a word of ASCII letters and digits may be part of signs, or stand for an accented one."""
        plain = core.lower()
        if plain in self._written or plain in self._unaccented:
            return True
        return bool(self._accented_prefixes) and core.isupper()

    def _simple(self, plain: str, core: str) -> Iterator[str]:
        """What a chunk that is one word of ASCII letters and digits holds besides the word."""
        keys = self._keys
        if self._exact and "=" + core in keys:
            yield "=" + core
        for length in self._prefix_lengths:
            if length <= len(plain) and plain[:length] + "*" in keys:
                yield plain[:length] + "*"
        for pattern, key in self._patterns:
            if pattern.fullmatch(plain):
                yield key
        yield from self._stemmed(plain)

    def only_plain(self, keys: Iterable[str]) -> bool:
        """Whether each of `keys` can be in a text as a folded word only."""
        return self._keys.isdisjoint(keys)

    @property
    def full(self) -> bool:
        """Whether enough is remembered, so that `forget` is due."""
        return self._characters > self._MOST_CHARACTERS

    def holders(self, key: str) -> list[str]:
        """The chunks seen so far that hold `key`, which is more than a folded word."""
        return self._holders.get(key, [])

    def places(self, written: str, key: str) -> list[tuple[int, int]]:
        """Where `key` stands in a chunk: first and last token."""
        if len(self.plains[written]) == 1:
            return [(0, 0)]
        return [(first, last) for found, first, last in self._places(chunk(written)) if found == key]

    def _places(self, piece: Chunk) -> Iterator[tuple[str, int, int]]:
        keys = self._keys
        for place, token in enumerate(piece.tokens):
            plain, accented = token.plain, token.accented
            if accented is not plain and accented != plain and accented in keys:
                yield accented, place, place
            if self._exact and "=" + token.exact in keys:
                yield "=" + token.exact, place, place
            if self._unaccented and plain in self._unaccented and token.capitals:
                for key in self._unaccented[plain]:
                    yield key, place, place
            if self._prefix_lengths:
                for key in self._prefixes(token):
                    yield key, place, place
            for key in (*self._stemmed(plain), *self._wild(plain, accented)):
                yield key, place, place
            if self._written and plain in self._written:
                for written in self._written[plain]:
                    last = written.at(piece, place)
                    if last is not None:
                        yield written.key, place, last

    def _wild(self, plain: str, accented: str) -> Iterator[str]:
        for pattern, key in self._patterns:
            if pattern.fullmatch(plain) or (accented != plain and pattern.fullmatch(accented)):
                yield key

    def _stemmed(self, plain: str) -> list[str]:
        found = (f"^{lang} {stem(lang, plain)}" for lang in self._stems)
        return [key for key in found if key in self._keys]

    def _prefixes(self, token: Token) -> Iterator[str]:
        plain, accented = token.plain, token.accented
        for length in self._prefix_lengths:
            if plain[:length] + "*" in self._keys and len(plain) >= length:
                yield plain[:length] + "*"
            if accented != plain and accented[:length] != plain[:length] and accented[:length] + "*" in self._keys:
                yield accented[:length] + "*"
        if self._accented_prefixes and token.capitals:
            for start, key in self._accented_prefixes:
                if plain.startswith(start):
                    yield key
