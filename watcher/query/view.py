"""A document's words for one lexicon: which keys it holds, and, only where that is asked, where."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import cached_property
from itertools import accumulate

from watcher.query.document import Document
from watcher.query.leaves import Lexicon
from watcher.query.lexer import TEXT_FIELDS
from watcher.query.sentences import breaks
from watcher.text.fold import CHUNK, chunk

Place = tuple[int, int]  # first and last token, counted over the field


_FEW = 8  # keys that are looked for one by one, before all chunks are put in order once


class FieldText:
    """One field's text: everything about it is worked out when it is first asked for."""

    def __init__(self, lexicon: Lexicon, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._lexicon = lexicon
        self.pieces = text.split()
        self._unique = set(self.pieces)
        self.keys: set[str] = set().union(*map(lexicon.held.__getitem__, self._unique))
        self._where: dict[str, list[int]] | None = None
        self._asked = 0
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

    def side_by_side(self, keys: tuple[str, ...]) -> bool:
        """Whether a phrase of `keys` may stand in it: next to its rarest word there must be a neighbour. No is no."""
        lexicon, pieces = self._lexicon, self.pieces
        rarest = min(range(len(keys)), key=lambda at: len(lexicon.holders(keys[at])))
        step = 1 if rarest + 1 < len(keys) else -1
        neighbour = keys[rarest + step]
        for written in self._unique.intersection(lexicon.holders(keys[rarest])):
            if neighbour in lexicon.held[written]:
                return True
            for at in self._indices(written):
                beside = at + step
                while 0 <= beside < len(pieces) and not lexicon.counts[pieces[beside]]:  # a dash, a bullet
                    beside += step
                if 0 <= beside < len(pieces) and neighbour in lexicon.held[pieces[beside]]:
                    return True
        return False

    def _find(self, key: str) -> list[Place]:
        if key not in self.keys:
            return []
        holders = self._unique.intersection(self._lexicon.holders(key))
        starts = self._starts
        found = []
        for written in holders:
            within = self._lexicon.places(written, key)
            for at in self._indices(written):
                start = starts[at]
                for first, last in within:
                    found.append((start + first, start + last))
        found.sort()
        return found

    def _indices(self, written: str) -> list[int]:
        """At which places a chunk stands."""
        if self._where is None:
            self._asked += 1
            if self._asked < _FEW:
                return _indices(self.pieces, written)
            where: dict[str, list[int]] = defaultdict(list)
            for at, piece in enumerate(self.pieces):
                where[piece].append(at)
            self._where = where
        return self._where[written]

    @cached_property
    def _starts(self) -> list[int]:
        """Of each chunk, the number of its first token; and the number of all tokens."""
        return list(accumulate(map(self._lexicon.counts.__getitem__, self.pieces), initial=0))

    @property
    def length(self) -> int:
        """How many words it is."""
        return self._starts[-1]

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


def _indices(pieces: list[str], written: str) -> list[int]:
    found = []
    at = -1
    try:
        while True:
            at = pieces.index(written, at + 1)
            found.append(at)
    except ValueError:
        return found


class View:
    """A document's fields, each looked at when it is first asked for."""

    def __init__(self, lexicon: Lexicon, document: Document) -> None:
        self.document = document
        self._lexicon = lexicon
        self._fields: dict[str, FieldText] = {}

    def field(self, name: str) -> FieldText:
        """One of its texts."""
        found = self._fields.get(name)
        if found is None:
            found = self._fields[name] = FieldText(self._lexicon, name, self.document.text(name))
        return found

    def texts(self, scope: tuple[str, ...] = TEXT_FIELDS) -> list[FieldText]:
        """Those of `scope` that are not empty."""
        return [self.field(name) for name in scope if self.document.text(name)]
