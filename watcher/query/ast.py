"""A query as a tree of frozen nodes. `str(node)` is a query that parses to an equal tree.

`start` and `end` are where a node stands in the query that it was read from, counted from 0; they do not take part in
comparison. A new operator is one class here and its row in the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from watcher.query.leaves import keys_of, stem_key

_BARE = re.compile(r"[^\W_]+(?:[-.'][^\W_]+)*\*?$")
_OPERATOR = re.compile(r"(?:AND|OR|NOT|O?NEAR)$")


class Node(Protocol):
    """Any node of a query's tree."""

    @property
    def start(self) -> int:
        """Where it begins in the query's text."""
        ...

    @property
    def end(self) -> int:
        """Where it ends."""
        ...


def _place() -> int:
    return field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Word:
    """One word as written: plain, `prefix*`, `wom?n`, with signs (`C++`), or, where `exact`, {Exact}."""

    text: str
    exact: bool = False
    start: int = _place()
    end: int = _place()
    stem: str = ""  # the language by whose stems it compares; "": as written
    keys: tuple[str, ...] = field(init=False, compare=False, repr=False)  # what it compares with, in order

    def __post_init__(self) -> None:
        """Raise ValueError, for people, where the word can match nothing."""
        keys = keys_of(self.text, self.exact)
        if self.stem and not self.exact:
            keys = tuple(stem_key(self.stem, key) for key in keys)
        object.__setattr__(self, "keys", keys)

    def __str__(self) -> str:
        if self.exact:
            return "{" + self.text + "}"
        if _BARE.match(self.text) and not _OPERATOR.match(self.text):
            return self.text
        return _quote(self.text)

    @property
    def in_quotes(self) -> str:
        """As it is written inside of a quoted phrase."""
        return "{" + self.text + "}" if self.exact else _escape(self.text)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words side by side; where `loose` is a number, in this order with at most so many words in each gap."""

    words: tuple[Word, ...]
    loose: int | None = None
    start: int = _place()
    end: int = _place()
    keys: tuple[str, ...] = field(init=False, compare=False, repr=False)  # of all its words, in order

    def __post_init__(self) -> None:
        """Gather the keys."""
        object.__setattr__(self, "keys", tuple([key for word in self.words for key in word.keys]))

    def __str__(self) -> str:
        text = '"' + " ".join(word.in_quotes for word in self.words) + '"'
        return text if self.loose is None else f"{text}~{self.loose}"


@dataclass(frozen=True, slots=True)
class Regex:
    """An RE2 pattern, searched in each field's text."""

    pattern: str
    start: int = _place()
    end: int = _place()

    def __str__(self) -> str:
        return "/" + self.pattern.replace("/", "\\/") + "/"


@dataclass(frozen=True, slots=True)
class And:
    """All of them. `implicit` are the places where no operator stood; `grouped`: it stood in parentheses."""

    children: tuple[Node, ...]
    start: int = _place()
    end: int = _place()
    implicit: tuple[int, ...] = field(default=(), compare=False, repr=False)
    grouped: bool = field(default=False, compare=False, repr=False)

    def __str__(self) -> str:
        return " AND ".join(_inside(child, (And, Or)) for child in self.children)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them."""

    children: tuple[Node, ...]
    start: int = _place()
    end: int = _place()

    def __str__(self) -> str:
        return " OR ".join(_inside(child, (And, Or)) for child in self.children)


@dataclass(frozen=True, slots=True)
class Forms(Or):
    """A name in all its forms: each of `children` is one, or a chain of its words' forms; `written` is the name."""

    written: Word | Phrase = field(kw_only=True)

    def __str__(self) -> str:
        return str(self.written)


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where `child` does not."""

    child: Node
    start: int = _place()
    end: int = _place()

    def __str__(self) -> str:
        return "NOT " + _inside(self.child, (And, Or))


@dataclass(frozen=True, slots=True)
class Near:
    """Both close together: at most `distance` words between, or in one sentence ("s") or paragraph ("p")."""

    left: Node
    right: Node
    distance: int | None
    unit: str = "w"
    ordered: bool = False
    start: int = _place()
    end: int = _place()

    @property
    def operator(self) -> str:
        """As it is written."""
        reach = self.unit if self.distance is None else str(self.distance)
        return f"{'O' if self.ordered else ''}NEAR/{reach}"

    def __str__(self) -> str:
        left = _inside(self.left, (And, Or, Not))
        return f"{left} {self.operator} {_inside(self.right, (And, Or, Not, Near))}"


@dataclass(frozen=True, slots=True)
class First:
    """`child` within the first `count` words of one field."""

    count: int
    child: Node
    start: int = _place()
    end: int = _place()

    def __str__(self) -> str:
        return f"FIRST/{self.count}({self.child})"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`child` at least `count` times in one field."""

    count: int
    child: Node
    start: int = _place()
    end: int = _place()

    def __str__(self) -> str:
        return f"ATLEAST/{self.count}({self.child})"


@dataclass(frozen=True, slots=True)
class Field:
    """`child` in one field of the item."""

    name: str
    child: Node
    start: int = _place()
    end: int = _place()

    def __str__(self) -> str:
        return f"{self.name}:{_inside(self.child, (And, Or, Not, Near))}"


@dataclass(frozen=True, slots=True)
class Named:
    """A named term: `child` is what it stands for."""

    name: str
    child: Node
    start: int = _place()
    end: int = _place()

    def __str__(self) -> str:
        return f"@{self.name}"


@dataclass(frozen=True, slots=True)
class InLanguage:
    """`child`, for items of one language and those whose language is not known: a named term's part."""

    lang: str
    child: Node
    start: int = _place()
    end: int = _place()

    def __str__(self) -> str:
        return f"[{self.lang}] {_inside(self.child, (And, Or, Not, Near))}"

    def reads(self, lang: str) -> bool:
        """Whether it looks at items of the language `lang`."""
        return lang.casefold().partition("-")[0] in (self.lang, "und")


@dataclass(frozen=True, slots=True)
class Value:
    """What an item's field is compared with, as written."""

    text: str
    start: int = _place()
    end: int = _place()

    def __str__(self) -> str:
        return self.text if _VALUE.fullmatch(self.text) else _quote(self.text)


_VALUE = re.compile(r"[\w./:%=?&*+@-]*\w[\w./:%=?&*+@-]*")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _quote(text: str) -> str:
    return '"' + _escape(text) + '"'


def _inside(child: Node, loose: tuple[type, ...]) -> str:
    """A child's text, in parentheses where its operator would bind more loosely than what stands around it."""
    return f"({child})" if isinstance(child, loose) and not isinstance(child, Forms) else str(child)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    match node:
        case And(children=below) | Or(children=below):
            return below
        case Near(left=left, right=right):
            return (left, right)
        case Not(child=child) | First(child=child) | AtLeast(child=child) | Field(child=child) | Named(child=child):
            return (child,)
        case InLanguage(child=child):
            return (child,)
        case Phrase(words=words):
            return words
    return ()


def walk(node: Node) -> Iterator[Node]:
    """`node` and everything below it, each named term once."""
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, Named):
            if one.name in seen:
                continue
            seen.add(one.name)
        yield one
        waiting.extend(reversed(children(one)))


def has_not(node: Node) -> bool:
    """Whether `node` excludes something, so that more text can end a match."""
    return any(isinstance(one, Not) for one in walk(node))
