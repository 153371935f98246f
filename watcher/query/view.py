"""A document's words for one lexicon: which keys it holds, and, only where that is asked, where."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import cached_property
from itertools import accumulate

from watcher.query.document import Document
from watcher.query.leaves import Lexicon
from watcher.query.lexer import TEXT_FIELDS
from watcher.query.sentences import breaks
from watcher.text.fold import CHUNK, chunk

Place = tuple[int, int]  # first and last token, counted over the field


_WINDOW = 64  # characters in which the next word is looked for
_FEW = 8  # keys that are looked for one by one, before all chunks are put in order once


class FieldText:
    """One field's text: everything about it is worked out when it is first asked for."""

    def __init__(self, lexicon: Lexicon, name: str, text: str, lang: str = "und") -> None:
        self.name = name
        self.lang = lang  # the item's
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

    def side_by_side(self, keys: tuple[str, ...]) -> bool | None:
        """Whether a phrase of `keys` stands in it, looking only next to its rarest word; None: it may."""
        lexicon, text = self._lexicon, self.text
        sizes = [len(lexicon.holders(key)) for key in keys]
        rarest = sizes.index(min(sizes))
        step = 1 if rarest + 1 < len(keys) else -1
        neighbour = keys[rarest + step]
        for written in self._unique.intersection(lexicon.holders(keys[rarest])):
            if neighbour in lexicon.held[written]:
                return None
            at = text.find(written)
            while at != -1:
                end = at + len(written)
                if text[at - 1 : at].strip() or text[end : end + 1].strip():  # within a longer run
                    at = text.find(written, at + 1)
                    continue
                beside = self._after(end) if step > 0 else self._before(at)
                if beside is None or neighbour in lexicon.held[beside]:
                    sure = beside and len(keys) == 2 and lexicon.counts[written] == lexicon.counts[beside] == 1
                    return True if sure else None
                at = text.find(written, end)
        return False

    def _after(self, end: int) -> str | None:
        """The first chunk with a word in it after character `end`; "" where none is, None where it is not near."""
        near = self.text[end : end + _WINDOW]
        for piece in near.split():
            if self._lexicon.counts.get(piece):
                return None if near.endswith(piece) and end + _WINDOW < len(self.text) else piece
        return None if end + _WINDOW < len(self.text) else ""

    def _before(self, start: int) -> str | None:
        """The same before character `start`."""
        near = self.text[max(0, start - _WINDOW) : start]
        for piece in reversed(near.split()):
            if self._lexicon.counts.get(piece):
                return None if near.startswith(piece) and start > _WINDOW else piece
        return None if start > _WINDOW else ""

    def _find(self, key: str) -> list[Place]:
        if key not in self.keys:
            return []
        holders = self._unique.intersection(self._lexicon.holders(key))
        found = []
        for written in holders:
            within = self._lexicon.places(written, key)
            for at in self._indices(written):
                start = self._start(at)
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
    def _odd(self) -> tuple[list[int], list[int]]:
        """The places of chunks that are not one word, and how many words more than chunks stand before each and all."""
        odd, counts = self._lexicon.odd, self._lexicon.counts
        places = [at for at, piece in enumerate(self.pieces) if piece in odd]
        return places, list(accumulate((counts[self.pieces[at]] - 1 for at in places), initial=0))

    def _start(self, at: int) -> int:
        """The number of the first token of chunk `at`."""
        places, extra = self._odd
        return at + extra[bisect_left(places, at)]

    @cached_property
    def length(self) -> int:
        """How many words it is."""
        return self._start(len(self.pieces))

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate(map(self._lexicon.counts.__getitem__, self.pieces), initial=0))

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
            found = self._fields[name] = FieldText(self._lexicon, name, self.document.text(name), self.document.lang)
        return found

    def texts(self, scope: tuple[str, ...] = TEXT_FIELDS) -> list[FieldText]:
        """Those of `scope` that are not empty."""
        return [self.field(name) for name in scope if self.document.text(name)]
