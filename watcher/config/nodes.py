"""A YAML file as a tree that knows where everything stands.

The tree is built from the events of PyYAML's C parser, without recursion and with every scalar kept as text, so that
`NO` and `12:30:45` stay what was written, and so that nesting, aliases and duplicate keys are judged while reading.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Never

import yaml

from watcher.config.scalars import offsets

MAX_DEPTH = 40
MAX_ALIASED = 100_000  # nodes that aliases may add to what is written
WITHHELD = "!withheld"  # the tag that stands where a secret was taken out (secrets.withhold)


@dataclass(slots=True)
class Scalar:
    """A text, and the span of the file that it was written in (anchor and tag included)."""

    value: str
    style: str
    start: int
    end: int
    withheld: bool = False
    size: int = 1


@dataclass(slots=True)
class Sequence:
    """A list of nodes."""

    start: int
    end: int = 0
    items: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class Mapping:
    """Keys and values in the order of the file, each key once."""

    start: int
    end: int = 0
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    size: int = 1

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None."""
        found = self.entries.get(key)
        return found[1] if found else None


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong at an index of the text."""

    index: int
    message: str
    hint: str = ""
    by_value: bool = False  # how a value is written may be what is wrong


@dataclass
class File:
    """One file as read. `root` is None where there is nothing; after a syntax error it holds what came before."""

    path: str
    text: str
    root: Node | None = None
    complaints: list[Complaint] = field(default_factory=list)
    dropped: list[Node] = field(default_factory=list)  # values of keys that were there before
    parsed: bool = True

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", self.text))]

    def place(self, index: int) -> tuple[int, int]:
        """Line and column, from 1, as an editor counts them."""
        line = bisect_right(self._line_starts, index)
        return line, index - self._line_starts[line - 1] + 1

    def line(self, number: int) -> tuple[int, str]:
        """Where line `number` (from 1) starts, and its text without the line break."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] if number < len(self._line_starts) else len(self.text)
        return start, self.text[start:end].rstrip("\r\n")

    def index_in(self, scalar: Scalar, offset: int) -> int:
        """Where the character `offset` (from 0) of a scalar's value stands."""
        found = offsets(self.text, scalar.start, scalar.end, scalar.style, scalar.value)
        return found[min(max(offset, 0), len(scalar.value))]


def read(path: str, text: str, *, withheld: bool = False) -> File:
    """Read one YAML file. Nothing is raised: what is wrong is in `complaints`.

    `withheld` allows the tag that stands where a secret was taken out.
    """
    file = File(path, text.removeprefix("\ufeff"))
    builder = _Builder(file, withheld)
    try:
        for event in yaml.parse(file.text, Loader=yaml.CBaseLoader):
            builder.take(event)
    except _Stop:
        file.parsed = False
    except yaml.YAMLError as error:
        file.parsed = False
        file.complaints.append(_syntax(file, error))
    return file


class _Stop(Exception):
    """Nothing more is read of this file."""


class _Builder:
    """Takes the parser's events and builds the tree."""

    def __init__(self, file: File, withheld: bool) -> None:
        self.file = file
        self.withheld = withheld
        self.open: list[Sequence | Mapping] = []
        self.keys: list[Scalar | None] = []  # per open container: the key that waits for its value
        self.anchors: dict[str, Node] = {}
        self.aliased = 0
        self.documents = 0

    def take(self, event: Any) -> None:
        """Take one event."""
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(event.value, event.style or "", start, end, withheld=event.tag == WITHHELD)
            self._tag(event.tag, start)
            self._add(node, event.anchor)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._tag(event.tag, start)
            container = Mapping(start) if isinstance(event, yaml.MappingStartEvent) else Sequence(start)
            self._add(container, event.anchor)
            if len(self.open) >= MAX_DEPTH:
                self._stop(start, f"nested more than {MAX_DEPTH} deep")
            self.open.append(container)
            self.keys.append(None)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self.open.pop()
            self.keys.pop()
            done.end = end
            if self.open:
                self.open[-1].size += done.size
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, start)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._stop(start, "a second YAML document begins here", "write it into a file of its own")

    def _alias(self, name: str | None, start: int) -> None:
        node = self.anchors.get(name or "")
        if node is None:
            self._stop(
                start, "this alias names an anchor that is not defined", "a value that starts with * belongs in quotes"
            )
        if any(node is container for container in self.open):
            self._stop(start, "this alias stands inside of what it names")
        self.aliased += node.size
        if self.aliased > MAX_ALIASED:
            self._stop(start, f"the aliases of this file repeat more than {MAX_ALIASED:,} values")
        self._add(node, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.file.root = node
            return
        parent, key = self.open[-1], self.keys[-1]
        if not isinstance(node, Sequence | Mapping) or node.end:
            parent.size += node.size
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif key is None:
            self.keys[-1] = self._key(node)
        else:
            self.keys[-1] = None
            first = parent.entries.get(key.value)
            if first is None:
                parent.entries[key.value] = (key, node)
            else:
                self.file.dropped.append(node)
                line, _ = self.file.place(first[0].start)
                self._complain(key.start, f'"{key.value}" is defined twice', f"the first one is on line {line}")

    def _key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        self._stop(node.start, "a key must be a plain word", 'a value that starts with "{" or "[" belongs in quotes')

    def _tag(self, tag: str | None, start: int) -> None:
        if tag and not (self.withheld and tag == WITHHELD):
            self._complain(
                start, "YAML tags (a leading !) have no meaning here", "a value that starts with ! belongs in quotes"
            )

    def _complain(self, index: int, message: str, hint: str = "") -> None:
        self.file.complaints.append(Complaint(index, message, hint))

    def _stop(self, index: int, message: str, hint: str = "") -> Never:
        self._complain(index, message, hint)
        raise _Stop


_EXPLAINED = (
    ("mapping values are not allowed", 'a second ": " stands in this value', "put the value in quotes"),
    ("block sequence entries are not allowed", 'a "- " stands where a value was expected', "put the value in quotes"),
    ("found unexpected end of stream", "a quote is opened here and never closed", ""),
    ("found unexpected document indicator", "a quote is opened here and never closed", ""),
    ("could not find expected ':'", 'this is neither "key: value" nor a list', ""),
    ("did not find expected key", "this does not fit what stands before it",
     "look for an indentation that differs, or text after a closing quote or bracket"),
    ("did not find expected '-'", "this does not fit the list before it",
     "every line of a list starts with - at the same column"),
    ("did not find expected ',' or '}'", "a comma or } is missing before this", ""),
    ("did not find expected ',' or ']'", "a comma or ] is missing before this", ""),
    ("did not find expected <document start>", "this does not fit what stands before it", ""),
)  # fmt: skip
_OPENED = ("found unexpected end of stream", "found unexpected document indicator")


def _syntax(file: File, error: yaml.YAMLError) -> Complaint:
    """Say what libyaml found in words for people, at the place where they must look."""
    if isinstance(error, yaml.reader.ReaderError):
        index = len(file.text.encode("utf-8", "surrogatepass")[: error.position].decode("utf-8", "ignore"))
        return Complaint(index, f"the character U+{int(error.character):04X} is not allowed in YAML")
    problem = str(getattr(error, "problem", "") or error)
    mark = getattr(error, "problem_mark", None)
    if any(text in problem for text in _OPENED) and getattr(error, "context_mark", None):
        mark = error.context_mark  # type: ignore[attr-defined]  # a MarkedYAMLError
    index = min(mark.index, len(file.text)) if mark else 0
    if "cannot start any token" in problem:
        char = file.text[index]
        if char == "\t":
            return Complaint(index, "a tab stands in the indentation", "YAML indents with spaces")
        return Complaint(index, f"a value cannot start with {char}", "put the value in quotes", by_value=True)
    for text, message, hint in _EXPLAINED:
        if text in problem:
            return Complaint(index, message, hint, by_value=True)
    return Complaint(index, f"invalid YAML: {problem}", by_value=True)


def walk(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    """Every scalar value under `node`, with the keys that lead to it (list positions count from 0)."""
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            yield from walk(item, (*path, str(number)))
    else:
        for key, (_, value) in node.entries.items():
            yield from walk(value, (*path, key))


def keys(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Scalar, Node]]:
    """Every key under `node` with its value, and the keys that lead to it."""
    if isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            yield from keys(item, (*path, str(number)))
    elif isinstance(node, Mapping):
        for key, value in node.entries.values():
            yield path, key, value
            yield from keys(value, (*path, key.value))
