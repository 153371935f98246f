"""A document's words for one lexicon: which keys it holds, and, only where that is asked, where."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import accumulate, chain

from watcher.query.document import Document
from watcher.query.leaves import Lexicon
from watcher.query.lexer import TEXT_FIELDS
from watcher.query.sentences import breaks
from watcher.text.fold import CHUNK, chunk

Place = tuple[int, int]  # first and last token, counted over the field


class FieldText:
    """One field's text: which keys it holds, and, worked out when it is first asked for, where."""

    def __init__(self, lexicon: Lexicon, name: str, text: str, lang: str = "und") -> None:
        self.name = name
        self.lang = lang  # the item's
        self.text = text
        self._lexicon = lexicon
        self.pieces = text.split()
        self.tokens = list(chain.from_iterable(map(lexicon.plains.__getitem__, self.pieces)))
        self.keys = set(self.tokens)
        self._special: set[str] = set()  # chunks that hold more than words
        if lexicon.special:
            self._special = lexicon.specials.intersection(self.pieces)
            self.keys.update(*map(lexicon.special.__getitem__, self._special))
        self._places: dict[str, list[Place]] = {}
        self._sentences: tuple[list[int], list[int]] | None = None
        self._offsets: list[tuple[int, int]] | None = None

    def holds(self, key: str) -> bool:
        """Whether `key` stands in it."""
        return key in self.keys

    def places(self, key: str) -> list[Place]:
        """Where `key` stands, in order."""
        known = self._places.get(key)
        if known is None:
            known = self._places[key] = self._find(key)
        return known

    def plain(self, keys: Iterable[str]) -> bool:
        """Whether each of `keys` can stand here as a folded word only."""
        return self._lexicon.only_plain(keys)

    def side_by_side(self, words: tuple[str, ...]) -> bool:
        """Whether these folded words stand one after the other."""
        tokens, size = self.tokens, len(words)
        first = words[0]
        return any(tuple(tokens[at : at + size]) == words for at in indices(tokens, first))

    def near(self, left: AbstractSet[str], right: frozenset[str], distance: int, ordered: bool) -> bool:
        """Whether folded words of two kinds stand with at most `distance` words between them."""
        tokens, keys = self.tokens, self.keys
        reach = distance + 1
        for word in left:
            if word in keys:
                for at in indices(tokens, word):
                    if not right.isdisjoint(tokens[at + 1 : at + 1 + reach]):
                        return True
                    if not ordered and not right.isdisjoint(tokens[max(0, at - reach) : at]):
                        return True
        return False

    def _find(self, key: str) -> list[Place]:
        if key not in self.keys:
            return []
        found = [(at, at) for at in indices(self.tokens, key)]
        for written in self._special.intersection(self._lexicon.holders(key)):
            within = self._lexicon.places(written, key)
            for at in indices(self.pieces, written):
                start = self._starts[at]
                found.extend((start + first, start + last) for first, last in within)
        return sorted(set(found))

    @cached_property
    def length(self) -> int:
        """How many words it is."""
        return len(self.tokens)

    @cached_property
    def _starts(self) -> list[int]:
        """Of each chunk the number of its first token."""
        return list(accumulate(map(len, map(self._lexicon.plains.__getitem__, self.pieces)), initial=0))

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


def indices(items: list[str], wanted: str) -> list[int]:
    """At which places `wanted` stands."""
    found = []
    at = -1
    try:
        while True:
            at = items.index(wanted, at + 1)
            found.append(at)
    except ValueError:
        return found


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
