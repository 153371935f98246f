"""A document's words for one lexicon: which keys it holds, and, only where that is asked, where."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import accumulate

from watcher.query.document import Document
from watcher.query.lexer import TEXT_FIELDS
from watcher.query.lexicon import Lexicon
from watcher.query.sentences import breaks
from watcher.text.fold import CHUNK, chunk, folded

Place = tuple[int, int]  # first and last token, counted over the field


class FieldText:
    """One field's text: which keys it holds, and where; each worked out when it is first asked for."""

    def __init__(self, lexicon: Lexicon, name: str, text: str, lang: str = "und") -> None:
        self.name = name
        self.lang = lang  # the item's
        self.text = text
        self.folded = folded(text)
        self._lexicon = lexicon
        self._places: dict[str, list[Place]] = {}
        self._sentences: tuple[list[int], list[int]] | None = None
        self._offsets: list[tuple[int, int]] | None = None

    @cached_property
    def tokens(self) -> list[str]:
        """Its words, folded, in order."""
        return self.folded.decode().split()

    @cached_property
    def words(self) -> frozenset[str]:
        """The folded words that stand in it."""
        return frozenset(self.tokens)

    def holds(self, key: str) -> bool:
        """Whether `key` stands in it."""
        return key in self.words or key in self._by_word or key in self._by_chunk

    def places(self, key: str) -> list[Place]:
        """Where `key` stands, in order."""
        known = self._places.get(key)
        if known is None:
            known = self._places[key] = self._find(key)
        return known

    def side_by_side(self, words: tuple[str, ...]) -> bool:
        """Whether these folded words stand one after the other."""
        if not self.words.issuperset(words):
            return False
        tokens, size = self.tokens, len(words)
        return any(tuple(tokens[at : at + size]) == words for at in self._at[words[0]])

    def near(self, left: AbstractSet[str], right: AbstractSet[str], distance: int, ordered: bool) -> bool:
        """Whether folded words of two kinds stand with at most `distance` words between them."""
        reach = distance + 1
        others = sorted(at for word in right & self.words for at in self._at[word])
        for word in left & self.words if others else ():
            for at in self._at[word]:
                following = bisect_right(others, at)
                if following < len(others) and others[following] - at <= reach:
                    return True
                if not ordered and (before := bisect_left(others, at)) and at - others[before - 1] <= reach:
                    return True
        return False

    @cached_property
    def _at(self) -> dict[str, list[int]]:
        """Where each word stands."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, word in enumerate(self.tokens):
            found[word].append(at)
        return found

    def _find(self, key: str) -> list[Place]:
        if key in self.words:
            return [(at, at) for at in self._at[key]]
        if key in self._by_word:
            return sorted((at, at) for word in self._by_word[key] for at in self._at[word])
        return sorted(self._by_chunk.get(key, ()))

    @cached_property
    def _by_word(self) -> dict[str, list[str]]:
        """Of each prefix, pattern and stem that stands in it: the words that hold it."""
        found: dict[str, list[str]] = {}
        if self._lexicon.reads_words:
            for word in self.words:
                for key in self._lexicon.of_word[word]:
                    found.setdefault(key, []).append(word)
        return found

    @cached_property
    def _by_chunk(self) -> dict[str, set[Place]]:
        """Of each key with signs, capitals or accents that stands in it: where."""
        found: dict[str, set[Place]] = {}
        if self._lexicon.reads_chunks:
            for at, written in enumerate(self.pieces):
                for key, first, last in self._lexicon.of_chunk[written]:
                    start = self._starts[at]
                    found.setdefault(key, set()).add((start + first, start + last))
        return found

    @cached_property
    def pieces(self) -> list[str]:
        """Its chunks."""
        return self.text.split()

    @cached_property
    def length(self) -> int:
        """How many words it is."""
        return len(self.tokens)

    @cached_property
    def _starts(self) -> list[int]:
        """Of each chunk the number of its first token."""
        return list(accumulate((len(chunk(written).tokens) for written in self.pieces), initial=0))

    def offsets(self, place: Place) -> tuple[int, int]:
        """The characters [start, end) of a place."""
        first, last = place
        return self._token(first)[0], self._token(last)[1]

    def _token(self, number: int) -> tuple[int, int]:
        if self._offsets is None:
            self._offsets = [found.span() for found in CHUNK.finditer(self.text)]
        at = bisect_right(self._starts, number) - 1
        within = number - self._starts[at]
        start = self._offsets[at][0]
        first, last = chunk(self.pieces[at]).span(within, within)
        return start + first, start + last

    def same(self, unit: str, one: Place, other: Place) -> bool:
        """Whether two places are within the same sentence ("s") or paragraph ("p")."""
        if self.name == "title":
            return True
        first, last = min(one[0], other[0]), max(one[1], other[1])
        if self._sentences is None:
            self._sentences = breaks(self.text)
        marks = self._sentences[0 if unit == "s" else 1]
        return bisect_right(marks, self._token(first)[0]) == bisect_right(marks, self._token(last)[0])


class View:
    """A document's fields, each looked at when it is first asked for."""

    def __init__(self, lexicon: Lexicon, document: Document) -> None:
        self.document = document
        self._lexicon = lexicon
        self._fields: dict[str, FieldText] = {}
        self._texts: list[FieldText] | None = None

    def field(self, name: str) -> FieldText:
        """One of its texts."""
        found = self._fields.get(name)
        if found is None:
            found = self._fields[name] = FieldText(self._lexicon, name, self.document.text(name), self.document.lang)
        return found

    def texts(self, scope: tuple[str, ...] = TEXT_FIELDS) -> list[FieldText]:
        """Those of `scope` that are not empty."""
        if scope is TEXT_FIELDS:
            if self._texts is None:
                self._texts = [self.field(name) for name in scope if self.document.text(name)]
            return self._texts
        return [self.field(name) for name in scope if self.document.text(name)]
