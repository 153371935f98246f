"""The exact meaning of every node: whether it holds for a document, and where."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from watcher.model import Span
from watcher.query.ast import (
    And,
    AtLeast,
    Field,
    First,
    InLanguage,
    Named,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Regex,
    Value,
    Word,
)
from watcher.query.leaves import is_plain
from watcher.query.lexer import ITEM_FIELDS, TEXT_FIELDS
from watcher.query.view import FieldText, Place, View
from watcher.text.fold import normal

MOST_PLACES = 20_000  # of one operator in one field: more is a text made to be slow


class Hit(NamedTuple):
    """An occurrence: tokens `first` to `last` of a field, of which `words` are those that the query names."""

    first: int
    last: int
    words: tuple[Place, ...]


class Scope(NamedTuple):
    """Where an expression is looked for: these fields, each up to `limit` words."""

    fields: tuple[str, ...] = TEXT_FIELDS
    limit: int | None = None


EVERYWHERE = Scope()


def holds(  # noqa: PLR0911, PLR0912 - one case a node
    node: Node, view: View, scope: Scope = EVERYWHERE
) -> bool:
    """Whether `node` holds. Without a field it looks into title, summary and body; a phrase runs within one of them."""
    match node:
        case Word() | Phrase() if scope.fields[0] in ITEM_FIELDS:  # a list of values by name, as in site:@outlets
            return holds_value(view, scope.fields[0], value_of(node))
        case Word() if scope.limit is None and len(node.keys) == 1:
            return any(text.holds(node.keys[0]) for text in view.texts(scope.fields))
        case And(children=below):
            return all(holds(child, view, scope) for child in below)
        case Or(children=below):
            return any(holds(child, view, scope) for child in below)
        case Not(child=child):
            return not holds(child, view, scope)
        case Named(child=child):
            return holds(child, view, scope)
        case InLanguage(child=child):
            return node.reads(view.document.lang) and holds(child, view, scope)
        case Field(name=name, child=child):
            return holds(child, view, Scope((name,), scope.limit))
        case First(count=count, child=child):
            return any(holds(child, view, Scope((name,), _least(count, scope.limit))) for name in scope.fields)
        case AtLeast(count=count, child=child):
            return any(times(hits(child, text, scope.limit)) >= count for text in view.texts(scope.fields))
        case Near() if scope.limit is None:
            return _near(node, view, scope.fields)
        case Regex(pattern=pattern):
            return any(search(pattern, text, scope.limit) for text in view.texts(scope.fields))
        case Value(text=value):
            return holds_value(view, scope.fields[0], value)
    if isinstance(node, Word | Phrase) and scope.limit is None and (isinstance(node, Word) or node.loose is None):
        return any(_stands(node, text) for text in view.texts(scope.fields))
    return any(hits(node, text, scope.limit) for text in view.texts(scope.fields))


def _stands(node: Word | Phrase, text: FieldText) -> bool:
    """Whether words stand side by side in a field."""
    return text.side_by_side(node.keys) if all(map(is_plain, node.keys)) else bool(hits(node, text))


def _near(node: Near, view: View, fields: tuple[str, ...]) -> bool:
    """Whether a NEAR holds: by the words around each word where it is of folded words only, else by all its places."""
    texts = view.texts(fields)
    if node.distance is not None and texts:
        left, right = either(node.left), either(node.right)
        if left and right and all(map(is_plain, (*left, *right))):
            return any(text.near(left, right, node.distance, node.ordered) for text in texts)
    return any(hits(node, text) for text in texts)


def either(node: Node) -> frozenset[str]:
    """The keys of a word, or of OR of words of one key; none where it is anything else."""
    match node:
        case Word(keys=keys) if len(keys) == 1:
            return frozenset(keys)
        case Or(children=below) if all(isinstance(child, Word) and len(child.keys) == 1 for child in below):
            return frozenset(child.keys[0] for child in below if isinstance(child, Word))
        case Named(child=child):
            return either(child)
    return frozenset()


def holds_value(view: View, field: str, value: str) -> bool:
    """Whether a field of the item is `value`; an author's name is compared by words."""
    if field == "author":
        return bool(hits(as_phrase(value), view.field("author"), None))
    return view.document.holds_value(field, value)


@lru_cache(maxsize=4096)
def as_phrase(value: str) -> Phrase:
    """A value as a phrase of its words."""
    return Phrase(tuple(Word(piece) for piece in value.split() if any(map(str.isalnum, piece))))


def value_of(node: Word | Phrase) -> str:
    """The words of a named list as a value."""
    return node.text if isinstance(node, Word) else " ".join(word.text for word in node.words)


def _least(one: int, other: int | None) -> int:
    return one if other is None else min(one, other)


def times(found: Iterable[Hit]) -> int:
    """How many of `found` there are without two that overlap."""
    count, last = 0, -1
    for hit in sorted(found, key=lambda hit: hit.last):
        if hit.first > last:
            count, last = count + 1, hit.last
    return count


# --- where ----------------------------------------------------------------------------------------------------------


def hits(node: Node, text: FieldText, limit: int | None = None) -> list[Hit]:
    """All occurrences in one field of a word, a phrase, OR of these, or NEAR, by their first word."""
    found = _hits(node, text)
    return found if limit is None else [hit for hit in found if hit.last < limit]


def _hits(node: Node, text: FieldText) -> list[Hit]:
    match node:
        case Word() | Phrase(loose=None):
            return _side_by_side(node.keys, text)
        case Phrase(words=words, loose=loose):
            found = _hits(words[0], text)
            for word in words[1:]:
                found = _pairs(found, _hits(word, text), text, loose, "w", ordered=True)
            return found
        case Or(children=below):
            return sorted({hit for child in below for hit in _hits(child, text)})[:MOST_PLACES]
        case Near():
            left = _hits(node.left, text)
            right = _hits(node.right, text) if left else []
            return _pairs(left, right, text, node.distance, node.unit, node.ordered)
        case Named(child=child):
            return _hits(child, text)
        case InLanguage(child=child):
            return _hits(child, text) if node.reads(text.lang) else []
    raise TypeError(f"{type(node).__name__} has no places")  # the parser refuses it


def _side_by_side(keys: tuple[str, ...], text: FieldText) -> list[Hit]:
    if len(keys) == 1:
        return [Hit(first, last, ((first, last),)) for first, last in text.places(keys[0])]
    if not all(map(text.holds, keys)) or (all(map(is_plain, keys)) and not text.side_by_side(keys)):
        return []
    runs = [(first, last) for first, last in text.places(keys[0])]
    for key in keys[1:]:
        following: dict[int, list[int]] = {}
        for first, last in text.places(key):
            following.setdefault(first, []).append(last)
        runs = [(first, last) for first, before in runs for last in following.get(before + 1, ())]
    return [Hit(first, last, ((first, last),)) for first, last in runs]


def _pairs(
    left: list[Hit], right: list[Hit], text: FieldText, distance: int | None, unit: str, ordered: bool
) -> list[Hit]:
    """Pairs of hits that are close enough and share no word; the gap is between their nearest edges."""
    if not left or not right:
        return []
    firsts = [hit.first for hit in right]
    longest = max(hit.last - hit.first for hit in right)
    found: set[Hit] = set()
    for one in left:
        if distance is None:
            near: Iterable[Hit] = right
        else:
            low = one.last + 1 if ordered else one.first - distance - 1 - longest
            near = right[bisect_left(firsts, low) : bisect_left(firsts, one.last + distance + 2)]
        for other in near:
            if _close(one, other, text, distance, unit, ordered):
                found.add(_joined(one, other))
        if len(found) > MOST_PLACES:
            break
    return sorted(found)


def _close(one: Hit, other: Hit, text: FieldText, distance: int | None, unit: str, ordered: bool) -> bool:
    if ordered and other.first <= one.last:
        return False
    if distance is not None and gap(one, other) > distance:
        return False
    if other.first <= one.last and one.first <= other.last and _share(one, other):
        return False
    return distance is not None or text.same(unit, (one.first, one.last), (other.first, other.last))


def gap(one: Hit, other: Hit) -> int:
    """The words between two hits; 0 where one stands within the other."""
    return max(0, other.first - one.last - 1, one.first - other.last - 1)


def _share(one: Hit, other: Hit) -> bool:
    return any(a[0] <= b[1] and b[0] <= a[1] for a in one.words for b in other.words)


def _joined(one: Hit, other: Hit) -> Hit:
    words = tuple(sorted((*one.words, *other.words)))
    return Hit(min(one.first, other.first), max(one.last, other.last), words)


# --- regular expressions --------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The RE2 object of a pattern that the parser has checked."""
    import re2  # noqa: PLC0415 - only where a rule has a regular expression

    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def search(pattern: str, text: FieldText, limit: int | None) -> tuple[int, int] | None:
    """The first match of a pattern in a field's NFKC text: its characters in the text itself."""
    written = text.text
    if limit is not None and limit < text.length:
        written = written[: text.offsets((limit - 1, limit - 1))[1]]
    form, offsets = normal(written)
    found = compiled(pattern).search(form)
    if found is None:
        return None
    start, end = found.span()
    return (start, end) if offsets is None else (offsets[start], offsets[end])


# --- what decided it ------------------------------------------------------------------------------------------------

MOST_SPANS = 100  # shown of one rule


def spans(node: Node, view: View) -> tuple[Span, ...]:
    """The words that decided it, where `node` holds: in the item's own texts, in order, none overlapping."""
    found: dict[str, set[tuple[int, int]]] = {}
    for field, start, end in _deciding(node, view, EVERYWHERE):
        found.setdefault(field, set()).add((start, end))
    merged = []
    for field in TEXT_FIELDS:
        last = -1
        for start, end in sorted(found.get(field, ())):
            if start >= last:
                merged.append(Span(field, start, end))
                last = end
            elif end > last:
                merged[-1] = Span(field, merged[-1].start, end)
                last = end
    return tuple(merged[:MOST_SPANS])


def _deciding(  # noqa: PLR0912 - one case a node
    node: Node, view: View, scope: Scope
) -> Iterator[tuple[str, int, int]]:
    match node:
        case And(children=below):
            for child in below:
                yield from _deciding(child, view, scope)
        case Or(children=below):
            for child in below:
                if holds(child, view, scope):
                    yield from _deciding(child, view, scope)
        case Not() | Value():
            return
        case Named(child=child):
            yield from _deciding(child, view, scope)
        case InLanguage(child=child):
            if node.reads(view.document.lang):
                yield from _deciding(child, view, scope)
        case Field(name=name, child=child):
            if name in TEXT_FIELDS:
                yield from _deciding(child, view, Scope((name,), scope.limit))
        case First(count=count, child=child):
            for name in scope.fields:
                inner = Scope((name,), _least(count, scope.limit))
                if holds(child, view, inner):
                    yield from _deciding(child, view, inner)
        case AtLeast(count=count, child=child):
            for text in view.texts(scope.fields):
                if times(hits(child, text, scope.limit)) >= count:
                    yield from _words(hits(child, text, scope.limit), text)
        case Regex(pattern=pattern):
            for text in view.texts(scope.fields):
                place = search(pattern, text, scope.limit)
                if place and place[0] < place[1]:
                    yield (text.name, *place)
        case _:
            for text in view.texts(scope.fields):
                yield from _words(hits(node, text, scope.limit), text)


def _words(found: list[Hit], text: FieldText) -> Iterator[tuple[str, int, int]]:
    for hit in found[:MOST_SPANS]:
        for word in hit.words:
            yield (text.name, *text.offsets(word))
