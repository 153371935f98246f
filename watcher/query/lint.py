"""What is allowed in a query and probably not meant; each finding with its place and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from watcher.query.ast import And, Field, First, Named, Node, Not, Or, Phrase, Regex, Value, Word, children
from watcher.query.evaluate import compiled
from watcher.query.lexer import QUOTES
from watcher.query.lint_names import foreign_words, rewrite, single_forms
from watcher.query.names import confusable, foreign


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say of a query: `column` counts characters of the query from 1."""

    column: int
    length: int
    level: str  # "error" or "warning"
    message: str
    hint: str = ""


def lint(node: Node, text: str, *, term: bool = False, forms: Collection[str] = ()) -> list[Finding]:
    """What to say of a query that parses, a rule's or a `term`'s, in the order of its text.

    `forms` are the languages whose names match in all their forms.
    """
    found = [finding for rule in _RULES for one in _own_nodes(node) for finding in rule(one, text)]
    found += _whole(node, term, forms)
    return sorted(set(found), key=lambda finding: (finding.column, finding.message))


def _own_nodes(node: Node) -> Iterator[Node]:
    """The nodes that stand in the query itself, not in its named terms, which are linted where they are."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if not isinstance(one, Named):
            waiting.extend(children(one))


def _at(node: Node, level: str, message: str, hint: str = "") -> Finding:
    return Finding(node.start + 1, max(1, node.end - node.start), level, message, hint)


def _mixed(node: Node, text: str) -> Iterator[Finding]:
    if not isinstance(node, Or):
        return
    for child in node.children:
        if isinstance(child, And) and not child.grouped:
            yield _at(child, "warning", "AND and OR are mixed without parentheses", f"this is read as ({child}) OR …")
            return


def _side_by_side(node: Node, text: str) -> Iterator[Finding]:
    if isinstance(node, And):
        for place in node.implicit:
            yield Finding(
                place + 1, 1, "warning", "side by side without an operator means AND here", "write AND, OR or NOT"
            )


def _lower_case(node: Node, text: str) -> Iterator[Finding]:
    """Words of a bare phrase, and words between other units, as in `(a) and (b)`."""
    if isinstance(node, Phrase):
        words = () if text[node.start : node.start + 1] in QUOTES else node.words
    else:
        words = tuple(one for one in children(node) if isinstance(one, Word) and text[one.start] not in QUOTES)
    for word in words:
        if word.text.lower() in ("and", "or", "not") and not word.exact:
            operator = word.text.upper()
            yield _at(
                word, "warning", f"{word.text} is searched for as a word here", f"the operator is written {operator}"
            )


def _prefix(node: Node, text: str) -> Iterator[Finding]:
    if isinstance(node, Word) and node.text.endswith("*") and not node.exact:
        key = node.keys[-1]
        others = confusable(key[:-1]) if key[0] != "~" else []
        if others:
            stem = node.text[:-1]
            yield _at(
                node, "warning", f"{node.text} also catches {', '.join(others)}", f"name what you mean: {stem} OR …"
            )
        elif key[0] != "~" and len(key) < 5 and len(node.keys) == 1:
            yield _at(node, "warning", f"{node.text} catches many words", "write more letters, or the words themselves")


def _redundant(node: Node, text: str) -> Iterator[Finding]:
    if not isinstance(node, And | Or):
        return
    seen: set[Node] = set()
    for child in node.children:
        if child in seen:
            yield _at(child, "warning", f"{child} stands here twice", "take one away")
        seen.add(child)
    singles: dict[str, Word] = {}
    for child in node.children:
        if isinstance(child, Word) and len(child.keys) == 1:
            singles.setdefault(child.keys[0], child)
    lengths = {len(key) - 1 for key in singles if key[-1] == "*"}
    for child in node.children:
        other = _held_within(child, singles, lengths)
        if other is None or (isinstance(node, And) and other.text.endswith("*") and isinstance(child, Phrase)):
            continue
        spare, by = (child, other) if isinstance(node, Or) else (other, child)
        yield _at(spare, "warning", f"{spare} changes nothing beside {by}", "take it away")


def _held_within(node: Node, singles: dict[str, Word], lengths: set[int]) -> Word | None:
    """The first of `singles`, words and prefixes of `lengths` by their key, that every text with `node` holds."""
    held = [
        single
        for key in _keys(node)
        for wanted in (key, *(key[:length] + "*" for length in lengths if len(key) >= length))
        if (single := singles.get(wanted)) is not None and single != node
    ]
    return min(held, key=lambda single: single.start, default=None)


def _keys(node: Node) -> tuple[str, ...]:
    if isinstance(node, Word):
        return node.keys
    return node.keys if isinstance(node, Phrase) and node.loose is None else ()


def _language(node: Node, text: str) -> Iterator[Finding]:
    for one in children(node) if not isinstance(node, Not) else ():
        yield from _languages(one)


def _languages(node: Node) -> Iterator[Finding]:
    if isinstance(node, Field) and node.name == "lang":
        values = [one.text for one in _own_nodes(node.child) if isinstance(one, Value)]
        if values and "und" not in values:
            yield _at(
                node,
                "warning",
                "items whose language is not known are left out",
                f"to keep them write lang:({' OR '.join([*values, 'und'])})",
            )


def _single_forms(node: Node, forms: Collection[str]) -> Iterator[Finding]:
    units = [one for one in _own_nodes(node) if not isinstance(one, Phrase)]
    grouped = {id(child) for one in units if isinstance(one, Or) for child in one.children}
    within = {id(word) for one in _own_nodes(node) if isinstance(one, Phrase) for word in one.words}
    inner = grouped | within
    units = [one for one in units if id(one) not in inner]
    for word, _, hint in single_forms(units, forms):
        yield _at(word, "warning", f"{word.text} matches this one form of the name only", hint)


def _foreign(node: Node) -> Iterator[Finding]:
    for word, place in foreign_words(node):
        meaning = foreign(word.text)
        assert meaning is not None
        where = f" (in {place})" if isinstance(place, Named) else ""
        yield _at(place, "warning", f"{word.text}{where} is also {meaning.said}", rewrite(node, word, meaning))


# --- the whole ------------------------------------------------------------------------------------------------------


def _whole(node: Node, term: bool, forms: Collection[str]) -> Iterator[Finding]:
    if _holds_for_nothing(node):
        yield _at(
            node,
            "error",
            "this holds for a text with none of its words",
            _instead(node) or "say what must be there, then what must not: Mali NOT football",
        )
        return
    yield from _single_forms(node, forms)
    if not term:
        yield from _foreign(node)
    for one in _own_nodes(node):
        impossible = _impossible(one)
        if impossible:
            yield _at(one, "warning", impossible, "nothing can match this")


def _holds_for_nothing(node: Node) -> bool:
    match node:
        case And(children=below):
            return all(map(_holds_for_nothing, below))
        case Or(children=below):
            return any(map(_holds_for_nothing, below))
        case Not(child=child):
            return not _holds_for_nothing(child)
        case Named(child=child) | Field(child=child) | First(child=child):
            return _holds_for_nothing(child)
        case Regex(pattern=pattern):
            return compiled(pattern).search("") is not None
    return False


def _instead(node: Node) -> str:
    """`NOT a OR b` was meant as `b NOT a`."""
    if isinstance(node, Or):
        wanted = [child for child in node.children if not _holds_for_nothing(child)]
        barred = [child.child for child in node.children if isinstance(child, Not)]
        if len(wanted) == 1 and len(barred) == 1:
            return f"write {wanted[0]} NOT {_grouped(barred[0])}"
    return ""


def _grouped(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)


def _impossible(node: Node) -> str:
    """Why `node` can never hold, or ""."""
    if isinstance(node, First) and isinstance(node.child, Phrase) and node.child.loose is None:
        length = len(node.child.keys)
        if length > node.count:
            return f"a phrase of {length} words does not fit into the first {node.count}"
    if not isinstance(node, And):
        return ""
    wanted = list(_flat(node))
    for one in wanted:
        if isinstance(one, Not):
            barred = one.child.children if isinstance(one.child, Or) else (one.child,)
            both = next((other for other in wanted if other in barred or _covers(barred, other)), None)
            if both is not None:
                return f"{both} must be there and must not"
    for field in ("lang", "source"):
        values = {
            one.child for one in wanted if isinstance(one, Field) and one.name == field and isinstance(one.child, Value)
        }
        if len(values) > 1:
            return f"an item has one {field}, not {len(values)}"
    return ""


def _covers(barred: tuple[Node, ...], wanted: Node) -> bool:
    """Whether every match of `wanted` holds one of the barred words."""
    keys = _keys(wanted)
    return any(isinstance(one, Word) and len(_keys(one)) == 1 and _keys(one)[0] in keys for one in barred)


def _flat(node: And) -> Iterator[Node]:
    for child in node.children:
        if isinstance(child, And):
            yield from _flat(child)
        else:
            yield child


_RULES: tuple[Callable[[Node, str], Iterator[Finding]], ...] = (
    _mixed,
    _side_by_side,
    _lower_case,
    _prefix,
    _redundant,
    _language,
)
