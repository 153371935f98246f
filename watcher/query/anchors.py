"""What a document must hold for a rule to have a chance, and a quick test of that.

Both look at the set of keys that a document holds and not at places, as the presearch of Luwak and of percolators does:
a rule is filed under the rarest set of keys of which any match needs one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

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
from watcher.query.document import Document
from watcher.query.evaluate import as_phrase, value_of
from watcher.query.leaves import is_plain
from watcher.query.lexer import ITEM_FIELDS, TEXT_FIELDS
from watcher.text.urls import host

Pair = tuple[str, str]  # two folded words that stand side by side in one field
Key = str | Pair
Test = Callable[[AbstractSet[Key]], bool]

# Words of which most texts hold some; folded.
_COMMON = frozenset(
    "the of and to in a is that for on it with as was at by be from are this have has he his but not an they were which"
    " or we you will said who their been more one had its about would there after all can also up out new when if what"
    " year years last two people over than her she first time could into some other only most state government"
    " president no so do my our me us him them may just like now world news says say week day monday tuesday wednesday"
    " thursday friday saturday sunday country police court party national minister"
    " le la les des de du et un une en est que qui dans pour sur pas par au aux ce avec il son plus se ont été"
    " der die das und ist von den mit zu im auf für ein eine nicht des dem auch als an es bei"
    " el los las del y que en un una por con para su al no se es lo"
    " и в на не что с по к из за от для о как это его он при года году было но а до во также"
    " і у та що з до про від за як його є"
    " في من على ان إلى عن مع هذا التي الذي كان ما و أن بعد"
    " ve bir bu da de ile için olarak olan çok".split()
)


def rarity(key: Key, seen: Mapping[Key, int], documents: int) -> float:
    """The share of documents that hold `key`, as far as is known: from documents seen, before that from its looks."""
    looks = _looks(key)
    return looks if not documents else (seen.get(key, 0) + looks * 20) / (documents + 20)


def _looks(key: Key) -> float:
    if isinstance(key, tuple):
        return min(_looks(key[0]), _looks(key[1])) / 20
    head = key[0]
    if head == "~":
        return 0.001
    if ":" in key:
        return 0.3 if key.startswith("lang:") else 0.02
    word = key.lstrip("=").lower()
    if word in _COMMON:
        return 0.7
    share = (0.2, 0.2, 0.1, 0.08, 0.05, 0.03, 0.02, 0.015, 0.01)[min(len(word), 8)]
    return min(1.0, share * 3) if key[-1] == "*" else share


class Need(NamedTuple):
    """Keys of which a matching document holds at least one, and the share of documents that do."""

    share: float
    keys: frozenset[Key]


def keys_needed(node: Word | Phrase) -> tuple[Key, ...]:
    """What stands in any text that holds `node`: its words, and as pairs those that must stand side by side."""
    keys = node.keys
    if len(keys) == 1 or (isinstance(node, Phrase) and node.loose is not None):
        return keys
    plain = [is_plain(key) for key in keys]
    if all(plain):
        return tuple(pairwise(keys))
    pairs = [pair for pair, sides in zip(pairwise(keys), pairwise(plain), strict=True) if all(sides)]
    return (*keys, *pairs)


def _decides(node: Word | Phrase) -> bool:
    """Whether what `node` needs is all that it asks for."""
    found = keys_needed(node)
    return len(found) == 1


def needs(node: Node, cost: Callable[[Key], float]) -> list[Need]:  # noqa: PLR0911 - one case a node
    """The two rarest sets of keys of which any match holds one each: fewer where there are none."""
    match node:
        case Word() | Phrase():
            return _each(keys_needed(node), cost)
        case And(children=below):
            return _rarest(need for child in below for need in needs(child, cost))
        case Or(children=below):
            return _either([needs(child, cost) for child in below])
        case Near(left=left, right=right):
            return _rarest([*needs(left, cost), *needs(right, cost)])
        case Field(name=name, child=child) if name in ITEM_FIELDS:
            return _value_needs(name, child, cost)
        case (
            Field(child=child)
            | First(child=child)
            | AtLeast(child=child)
            | Named(child=child)
            | InLanguage(child=child)
        ):
            return needs(child, cost)
    return []


def _each(keys: tuple[Key, ...], cost: Callable[[Key], float]) -> list[Need]:
    if len(keys) == 1:
        return [Need(cost(keys[0]), frozenset(keys))]
    return _rarest(Need(cost(key), frozenset((key,))) for key in set(keys))


def _rarest(found: Iterable[Need]) -> list[Need]:
    return sorted(found, key=_share)[:2]


_share = itemgetter(0)


def _either(branches: list[list[Need]]) -> list[Need]:
    """What any of the branches needs: the first of each together, and the second of each."""
    found = []
    for rank in (0, 1):
        if all(len(branch) > rank for branch in branches):
            keys = frozenset().union(*(branch[rank].keys for branch in branches))
            found.append(Need(sum(branch[rank].share for branch in branches), keys))
    return found


def _value_needs(field: str, node: Node, cost: Callable[[Key], float]) -> list[Need]:
    match node:
        case Value() | Word() | Phrase():
            key = value_key(field, node)
            return [] if key is None else [Need(cost(key), frozenset((key,)))]
        case Or(children=below):
            return _either([_value_needs(field, child, cost) for child in below])
        case And(children=below):
            return _rarest(need for child in below for need in _value_needs(field, child, cost))
        case Named(child=child):
            return _value_needs(field, child, cost)
    return []


def simple(node: Node) -> tuple[int, bool]:
    """How many needs `node` comes down to, 0 where it is more than needs; and whether these decide it."""
    match node:
        case Word() | Phrase():
            found = len(keys_needed(node))
            return found, found == 1
        case Or(children=below):
            words = all(isinstance(child, Word | Phrase) and _decides(child) for child in below)
            return int(words), words
        case And(children=below):
            return _sum(below)
        case Near(left=left, right=right):
            return _sum((left, right))[0], False
        case Named(child=child):
            return simple(child)
    return 0, False


def _sum(below: tuple[Node, ...]) -> tuple[int, bool]:
    found = [simple(child) for child in below]
    if any(count == 0 for count, _ in found):
        return 0, False
    return sum(count for count, _ in found), all(decides for _, decides in found)


def value_key(field: str, node: Value | Word | Phrase) -> str | None:
    """The key under which a document's own field is known; None where it is not compared as a whole."""
    value = (node.text if isinstance(node, Value) else value_of(node)).casefold()
    if field == "lang":
        return "lang:" + value.replace("_", "-").partition("-")[0]
    if field == "site":
        value = value.removeprefix("https://").removeprefix("http://").removeprefix("*.").strip("/.")
        return "site:" + value.removeprefix("www.")
    return f"{field}:{value}" if field in ("source", "tag") else None


def document_keys(document: Document) -> Iterator[str]:
    """The keys of a document's own fields."""
    yield "lang:" + document.lang.casefold()
    yield "source:" + document.source.casefold()
    for tag in document.tags:
        yield "tag:" + tag.casefold()
    name = document.site or host(document.url)
    while name:
        yield "site:" + name
        name = name.partition(".")[2]


def text_keys(node: Node) -> Iterator[str]:
    """The keys that the lexicon must know to judge `node`."""
    waiting: list[tuple[Node, str]] = [(node, "")]
    seen = set()
    while waiting:
        one, field = waiting.pop()
        if isinstance(one, Word) and (not field or field in TEXT_FIELDS):
            yield from one.keys
        elif field == "author" and isinstance(one, Value | Word | Phrase):
            phrase = as_phrase(one.text if isinstance(one, Value) else value_of(one))
            yield from phrase.keys
        elif isinstance(one, Field):
            waiting.append((one.child, one.name))
        elif not isinstance(one, Named) or (id(one.child), field) not in seen:
            if isinstance(one, Named):
                seen.add((id(one.child), field))
            waiting.extend((child, field) for child in children(one))


def gather(nodes: Iterable[Node], words: set[str], pairs: set[Pair]) -> bool:
    """Add the keys that the lexicon must know, and the pairs that rules may need; whether any asks for own fields."""
    own_fields = False
    waiting = list(nodes)
    named: set[int] = set()
    while waiting:
        node = waiting.pop()
        match node:
            case Word():
                words.update(node.keys)
                if len(node.keys) > 1:
                    pairs.update(key for key in keys_needed(node) if isinstance(key, tuple))
            case Phrase():
                words.update(node.keys)
                pairs.update(key for key in keys_needed(node) if isinstance(key, tuple))
            case And(children=below) | Or(children=below):
                waiting.extend(below)
            case Field(name=name) if name in ITEM_FIELDS:
                own_fields = True
                words.update(text_keys(node))
            case Named(child=child):
                if id(child) not in named:
                    named.add(id(child))
                    waiting.append(child)
            case _:
                waiting.extend(children(node))
    return own_fields


# --- the quick test -------------------------------------------------------------------------------------------------


def compile_test(node: Node) -> tuple[Test, bool]:  # noqa: PLR0911 - one case a node
    """A test of the set of keys that a document holds, and whether it decides; else it may say yes too often."""
    match node:
        case Word() | Phrase():
            found = keys_needed(node)
            return frozenset(found).issubset, len(found) == 1
        case And(children=below):
            return _all(below)
        case Or(children=below):
            return _any(below)
        case Near(left=left, right=right):
            return _all((left, right))[0], False
        case Not(child=child):
            test, decides = compile_test(child)
            return ((lambda keys: not test(keys)), True) if decides else (_maybe, False)
        case Named(child=child):
            return compile_test(child)
        case InLanguage(child=child):
            return (_maybe if _excludes(child) else compile_test(child)[0]), False
        case Field(name=name, child=child) if name in ITEM_FIELDS:
            return _value_test(name, child)
        case Field(child=child) | First(child=child) | AtLeast(child=child):
            return (_maybe if _excludes(child) else compile_test(child)[0]), False
    return _maybe, False


def _maybe(_: AbstractSet[Key]) -> bool:
    return True


def _excludes(node: Node) -> bool:
    """Whether more text could end a match of `node`, so that a test over the whole item says nothing of a part."""
    return isinstance(node, Not) or any(map(_excludes, children(node)))


def _value_test(field: str, node: Node) -> tuple[Test, bool]:
    match node:
        case Value() | Word() | Phrase():
            key = value_key(field, node)
            return (_maybe, False) if key is None else (frozenset((key,)).issubset, True)
        case Named(child=child):
            return _value_test(field, child)
        case And(children=below):
            return _all(tuple(Field(field, child) for child in below))
        case Or(children=below):
            return _any(tuple(Field(field, child) for child in below))
        case Not(child=child):
            return compile_test(Not(Field(field, child)))
    return _maybe, False


def _all(below: tuple[Node, ...]) -> tuple[Test, bool]:
    need: set[Key] = set()
    others: list[Test] = []
    decide = True
    for child in below:
        if isinstance(child, Word | Phrase):
            found = keys_needed(child)
            need.update(found)
            decide = decide and len(found) == 1
            continue
        test, decides = compile_test(child)
        decide = decide and decides
        if test is not _maybe:
            others.append(test)
    return _conjunction(frozenset(need), tuple(others)), decide


def _conjunction(need: frozenset[Key], others: tuple[Test, ...]) -> Test:
    if not others:
        return need.issubset if need else _maybe
    if len(others) == 1:
        other = others[0]
        return (lambda keys: need.issubset(keys) and other(keys)) if need else other

    def test(keys: AbstractSet[Key]) -> bool:
        if not need.issubset(keys):
            return False
        return all(other(keys) for other in others)

    return test


def _any(below: tuple[Node, ...]) -> tuple[Test, bool]:
    either: set[Key] = set()
    others: list[Test] = []
    decide = True
    for child in below:
        if isinstance(child, Word | Phrase) and _decides(child):
            either.update(keys_needed(child))
            continue
        test, decides = compile_test(child)
        decide = decide and decides
        if test is _maybe:
            return _maybe, False
        others.append(test)
    return _disjunction(frozenset(either), tuple(others)), decide


def _disjunction(either: frozenset[Key], others: tuple[Test, ...]) -> Test:
    if not others:
        return lambda keys: not either.isdisjoint(keys)

    def test(keys: AbstractSet[Key]) -> bool:
        if not either.isdisjoint(keys):
            return True
        return any(other(keys) for other in others)

    return test
