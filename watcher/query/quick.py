"""A test of the keys that a document holds, which spares most rules their exact judgement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from watcher.query.anchors import Key, keys_needed, value_key
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
    Value,
    Word,
    children,
)
from watcher.query.lexer import ITEM_FIELDS

Has = Callable[[int], object]  # whether a document holds a key, by the key's number
Test = Callable[[Has], bool]
Numbers = Mapping[Key, int]


def compile_test(node: Node, numbers: Numbers) -> tuple[Test, bool]:  # noqa: PLR0911 - one case a node
    """A test of the keys that a document holds, and whether it decides; else it may say yes too often."""
    match node:
        case Word() | Phrase():
            return _all((node,), numbers)
        case And(children=below):
            return _all(below, numbers)
        case Or(children=below):
            return _any(below, numbers)
        case Near(left=left, right=right):
            return _all((left, right), numbers)[0], False
        case Not(child=child):
            test, decides = compile_test(child, numbers)
            return ((lambda has: not test(has)), True) if decides else (_maybe, False)
        case Named(child=child):
            return compile_test(child, numbers)
        case Field(name=name, child=child) if name in ITEM_FIELDS:
            return _value_test(name, child, numbers)
        case InLanguage(child=child) | Field(child=child) | First(child=child) | AtLeast(child=child):
            return (_maybe if _excludes(child) else compile_test(child, numbers)[0]), False
    return _maybe, False


def undecided(node: Node, numbers: Numbers) -> Node:
    """What of `node`, which its test does not decide, is left to be judged where the test says yes."""
    if isinstance(node, And):
        return And(tuple(child for child in node.children if not compile_test(child, numbers)[1]))
    return node


def _maybe(_: Has) -> bool:
    return True


def _excludes(node: Node) -> bool:
    """Whether more text could end a match of `node`, so that a test over the whole item says nothing of a part."""
    return isinstance(node, Not) or any(map(_excludes, children(node)))


def _value_test(field: str, node: Node, numbers: Numbers) -> tuple[Test, bool]:
    match node:
        case Value() | Word() | Phrase():
            key = value_key(field, node)
            return (_maybe, False) if key is None else (_conjunction([numbers[key]], []), True)
        case Named(child=child):
            return _value_test(field, child, numbers)
        case And(children=below):
            return _all([Field(field, child) for child in below], numbers)
        case Or(children=below):
            return _any([Field(field, child) for child in below], numbers)
        case Not(child=child):
            return compile_test(Not(Field(field, child)), numbers)
    return _maybe, False


def _all(below: Iterable[Node], numbers: Numbers) -> tuple[Test, bool]:
    need: list[int] = []
    others: list[Test] = []
    decide = True
    for child in below:
        if isinstance(child, Word | Phrase):
            found, decides = keys_needed(child)
            need.extend(map(numbers.__getitem__, found))
        else:
            test, decides = compile_test(child, numbers)
            if test is not _maybe:
                others.append(test)
        decide = decide and decides
    return _conjunction(need, others), decide


def _conjunction(need: list[int], others: list[Test]) -> Test:
    if not others:
        return (lambda has: all(map(has, need))) if need else _maybe
    return lambda has: all(map(has, need)) and all(other(has) for other in others)


def _any(below: Iterable[Node], numbers: Numbers) -> tuple[Test, bool]:
    either: list[int] = []
    others: list[Test] = []
    decide = True
    for child in below:
        if isinstance(child, Word | Phrase) and keys_needed(child)[1]:
            either.extend(map(numbers.__getitem__, keys_needed(child)[0]))
            continue
        test, decides = compile_test(child, numbers)
        if test is _maybe:
            return _maybe, False
        decide = decide and decides
        others.append(test)
    return (lambda has: any(map(has, either)) or any(other(has) for other in others)), decide
