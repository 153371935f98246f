"""Which of a set of keys a word or chunk of text holds: worked out once, then remembered, as news repeats its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from watcher.query.leaves import Written, by_word, is_plain, stem
from watcher.text.fold import Chunk, Token, chunk, fold
from watcher.text.memo import Memo

_MOST = 50_000  # words or chunks remembered

Held = tuple[str, int, int]  # a key, and the first and last token of the chunk where it stands


class Lexicon:
    """The keys of `keys` that are more than a folded word, which needs no lexicon to be found."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        more = [key for key in set(keys) if not is_plain(key)]
        words, chunks = [key for key in more if by_word(key)], [key for key in more if not by_word(key)]
        self.of_word = _OfWord(words)
        self.of_chunk = _OfChunk(chunks)
        self.reads_words = bool(words)
        self.reads_chunks = bool(chunks)


class _OfWord(Memo[tuple[str, ...]]):
    """Of each folded word the keys that it holds: prefixes, patterns and stems."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(lambda word: tuple(self._of(word)), _MOST)
        self._stems = {key for key in keys if key[0] == "^"}
        self._languages = sorted({key[1:].partition(" ")[0] for key in self._stems})
        self._patterns = [(_pattern(key), key) for key in keys if key[0] != "^" and "?" in key]
        self._prefixes = {key[:-1]: key for key in keys if key[0] != "^" and "?" not in key}
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def _of(self, word: str) -> Iterator[str]:
        size = len(word)
        for length in self._lengths:
            if length > size:
                break
            if (key := self._prefixes.get(word[:length])) is not None:
                yield key
        for pattern, key in self._patterns:
            if pattern.fullmatch(word):
                yield key
        for lang in self._languages:
            if (key := f"^{lang} {stem(lang, word)}") in self._stems:
                yield key


class _OfChunk(Memo[tuple[Held, ...]]):
    """Of each chunk the keys that it holds for its signs, capitals or accents, and where."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(lambda written: tuple(dict.fromkeys(self._of(chunk(written)))), _MOST)
        self._keys = frozenset(keys)
        self._written: dict[str, list[Written]] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        self._lengths: set[int] = set()
        self._prefixes: list[tuple[str, str]] = []  # what a prefix begins with where accents count for nothing
        self._unaccented: dict[str, list[str]] = {}  # for words in capitals: the accented keys they may stand for
        for key in keys:
            if key[0] == "~":
                written = Written.of(key)
                self._written.setdefault(written.tokens[0].plain, []).append(written)
            elif "?" in key and key[0] != "=":
                self._patterns.append((_pattern(key), key))
            elif key[-1] == "*" and key[0] != "=":
                self._lengths.add(len(key) - 1)
                self._prefixes.append((fold(key[:-1])[0], key))
            elif key[0] != "=":
                self._unaccented.setdefault(fold(key)[0], []).append(key)

    def _of(self, piece: Chunk) -> Iterator[Held]:
        for place, token in enumerate(piece.tokens):
            for key in self._one(token):
                yield key, place, place
            for written in self._written.get(token.plain, ()):
                last = written.at(piece, place)
                if last is not None:
                    yield written.key, place, last

    def _one(self, token: Token) -> Iterator[str]:
        plain, accented = token.plain, token.accented
        if "=" + token.exact in self._keys:
            yield "=" + token.exact
        if accented != plain:
            if accented in self._keys:
                yield accented
            for length in self._lengths:
                if accented[:length] + "*" in self._keys:
                    yield accented[:length] + "*"
        elif token.capitals:
            yield from self._unaccented.get(plain, ())
            yield from (key for start, key in self._prefixes if plain.startswith(start))
        yield from (key for pattern, key in self._patterns if pattern.fullmatch(accented))


def _pattern(key: str) -> re.Pattern[str]:
    return re.compile(re.escape(key).replace(r"\?", r"\w").replace(r"\*", r"\w*"))
