"""An XML feed cut into its entries, so that only those not seen before need to be parsed. Pure.

Most of what a changed feed holds was there the last time, and feedparser takes half a millisecond for each entry. Expat
walks the whole body in a fraction of that and says at which bytes each entry begins and ends, so that a feed of the new
ones alone can be put together: the head, the new pieces, the foot. Where it is not certain that feedparser makes the
same of an entry in that feed as in the whole, there is no cut, and the whole is parsed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Any
from xml.parsers import expat

MOST = 1000  # pieces that are worth remembering
DEEPEST = 1000  # elements within another that a feed may have; of 250 real ones none has more than 10

# Where a format has its entries: the local names from the root to them.
_PLACES = {("rss", "channel", "item"), ("rdf", "item"), ("feed", "entry")}
_ENTRIES = ("item", "entry")
_CLOSING = re.compile(rb"</(?:[^\s:>]+:)?(?:item|entry)\s*>", re.IGNORECASE)
_DECLARED = re.compile(rb"^<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
# In these a piece of text reads the same alone as in its place, and "<" is always a "<".
_STATELESS = re.compile(r"utf-8|ascii|iso8859-\d+|cp125\d|koi8-[ru]")


@dataclass(frozen=True, slots=True)
class Pieces:
    """A feed's entries as bytes, and what stands before and behind them."""

    head: bytes
    entries: tuple[bytes, ...]
    foot: bytes
    frame: bytes  # the tags that the entries stand in

    def names(self, *context: str) -> list[str]:
        """What each entry is remembered by: equal names mean equal bytes in an equal frame and `context`."""
        frame = blake2b(b"\0".join([self.frame, *(part.encode() for part in context)]), digest_size=16).digest()
        return [blake2b(piece, digest_size=8, key=frame).hexdigest() for piece in self.entries]

    def only(self, numbers: Collection[int]) -> bytes:
        """The feed with those of its entries alone."""
        return b"".join([self.head, *(self.entries[number] for number in sorted(numbers)), self.foot])


def cut(body: bytes, content_type: str = "") -> Pieces | None:
    """The pieces of `body`, or None where the cut is not certain.

    Refused is what feedparser would read by guessing (not well-formed, of unclear encoding) or by rules that reach over
    the whole body (a document type, text between entries), and what holds entries in unusual places.
    """
    if not _certain_encoding(body, content_type):
        return None
    walk = _Walk()
    try:
        walk.parse(body)
    except (expat.ExpatError, _Refused, ValueError, LookupError):
        return None
    spans = walk.spans
    if not spans or len(spans) > MOST:
        return None
    if any(body[end:start].strip() for (_, end), (start, _) in pairwise(spans)):
        return None
    return Pieces(
        head=body[: spans[0][0]],
        entries=tuple(body[start:end] for start, end in spans),
        foot=body[spans[-1][1] :],
        frame=body[walk.frame[0] : walk.frame[1]],
    )


def is_too_deep(body: bytes) -> bool:
    """Whether elements of `body` are nested deeper than DEEPEST: feedparser takes seconds for it, and 50 MB."""
    depth = 0

    def opened(*_: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise _Refused

    def closed(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    try:
        parser.Parse(body, True)
    except _Refused:
        return True
    except (expat.ExpatError, ValueError, LookupError):  # not well-formed: that is feedparser's to read
        pass
    return False


def _certain_encoding(body: bytes, content_type: str) -> bool:
    """Whether feedparser decodes any part of `body` as it decodes the whole.

    It takes the first of several encodings in which all bytes are valid; so there must be no doubt about the first.
    """
    declared = _DECLARED.match(body.removeprefix(codecs.BOM_UTF8))
    charset = _CHARSET.search(content_type)
    named = [found[1].decode() if isinstance(found[1], bytes) else found[1] for found in (declared, charset) if found]
    try:
        encodings = {codecs.lookup(name).name for name in named} or {"utf-8"}
        (encoding,) = encodings
        if not _STATELESS.fullmatch(encoding):
            return False
        body.decode(encoding)
    except (LookupError, ValueError):
        return False
    return bool(named) or body.isascii() or not content_type.lower().lstrip().startswith("text/")


class _Refused(Exception):
    pass


class _Walk:
    """One pass of expat over a feed: where its entries begin and end."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []
        self.frame = (0, 0)  # from the root's tag to the first element in what holds the entries
        self._path: list[str] = []
        self._place: tuple[str, ...] = ()
        self._start = 0
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.StartDoctypeDeclHandler = self._refuse
        parser.ProcessingInstructionHandler = self._refuse_within

    def parse(self, body: bytes) -> None:
        """Raises ExpatError where `body` is not well-formed, namespaces included."""
        self._body = body
        self._parser.Parse(body, True)

    def _open(self, name: str, attributes: Any) -> None:
        local = name.rpartition(" ")[2].lower()
        path = self._path
        path.append(local)
        depth = len(path)
        if depth > DEEPEST:
            raise _Refused
        if depth == 1:
            self.frame = (self._parser.CurrentByteIndex, 0)
        elif not self.frame[1] and depth == (3 if path[0] == "rss" else 2):
            self.frame = (self.frame[0], self._parser.CurrentByteIndex)
        if local in _ENTRIES:
            place = tuple(path)
            if place not in _PLACES or (self._place and place != self._place):
                raise _Refused
            self._place = place
            self._start = self._parser.CurrentByteIndex

    def _close(self, name: str) -> None:
        path = self._path
        if path[-1] in _ENTRIES:
            end = _CLOSING.match(self._body, self._parser.CurrentByteIndex)
            if end is None:  # an opening tag that closes itself
                raise _Refused
            self.spans.append((self._start, end.end()))
        path.pop()

    def _refuse(self, *_: Any) -> None:
        raise _Refused

    def _refuse_within(self, *_: Any) -> None:
        if self._path:
            raise _Refused


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a feed's pieces: by the name of each, its item's id and its entry's date.

    `by` says what the items are identified by, "guid" or "url"; of a feed that mixes them nothing is remembered.
    """

    by: str
    pieces: Mapping[str, tuple[str, float | None]]

    def dump(self) -> str:
        """One text: it is read with every poll, and a store reads a text ten times as fast as a structure."""
        lines = (f"{name},{id_},{'' if date is None else repr(date)}" for name, (id_, date) in self.pieces.items())
        return " ".join([self.by, *lines])

    @classmethod
    def load(cls, text: str) -> Memory:
        """What `dump` wrote."""
        by, *lines = text.split()
        found = {}
        for line in lines:
            name, id_, date = line.split(",")
            found[name] = (id_, float(date) if date else None)
        return cls(by, found)
