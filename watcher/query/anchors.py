"""What a document must hold for a rule to have a chance, and a quick test of that.

Both look at the set of keys that a document holds and not at places, as the presearch of Luwak and of percolators does:
a rule is filed under the rarest set of keys of which any match needs one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet

from watcher.query.ast import And, AtLeast, Field, First, Named, Near, Node, Not, Or, Phrase, Value, Word, children
from watcher.query.document import Document
from watcher.query.evaluate import as_phrase, phrase_keys, value_of
from watcher.query.leaves import keys_of
from watcher.query.lexer import ITEM_FIELDS, TEXT_FIELDS
from watcher.text.urls import host

Test = Callable[[AbstractSet[str]], bool]

# Words of which most texts hold some; folded.
_COMMON = frozenset(
    "the of and to in a is that for on it with as was at by be from are this have has he his but not an they were which"
    " or we you will said who their been more one had its about would there after all can also up out new when if what"
    " year years last two people over than her she first time could into some other only most state government"
    " president no so do my our me us him them may just like now world news says say week day monday tuesday wednesday thursday"
    " friday saturday sunday country police court party national minister"
    " le la les des de du et un une en est que qui dans pour sur pas par au aux ce avec il son plus se ont été"
    " der die das und ist von den mit zu im auf für ein eine nicht des dem auch als an es bei"
    " el los las del y que en un una por con para su al no se es lo"
    " и в на не что с по к из за от для о как это его он при года году было но а до во также"
    " і у та що з до про від за як його є"
    " في من على ان إلى عن مع هذا التي الذي كان ما و أن بعد"
    " ve bir bu da de ile için olarak olan çok".split()
)


def rarity(key: str, seen: Mapping[str, int], documents: int) -> float:
    """The share of documents that hold `key`, as far as is known: from documents seen, before that from its looks."""
    looks = _looks(key)
    return looks if not documents else (seen.get(key, 0) + looks * 20) / (documents + 20)


def _looks(key: str) -> float:
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


def anchors(node: Node, cost: Callable[[str], float]) -> frozenset[str] | None:
    """Keys of which a matching document holds at least one, the rarest such set; None where there is none."""
    return _anchors(node, cost)[1]


_NONE: tuple[float, frozenset[str] | None] = (1.0, None)


def _anchors(  # noqa: PLR0911 - one case a node
    node: Node, cost: Callable[[str], float]
) -> tuple[float, frozenset[str] | None]:
    match node:
        case Word(text=text, exact=exact):
            return _rarest(keys_of(text, exact), cost)
        case Phrase():
            return _rarest(phrase_keys(node), cost)
        case And(children=below):
            best = _NONE
            for child in below:
                found = _anchors(child, cost)
                if found[1] is not None and (best[1] is None or found[0] < best[0]):
                    best = found
            return best
        case Or(children=below):
            total = 0.0
            union: set[str] = set()
            for child in below:
                share, keys = _anchors(child, cost)
                if keys is None:
                    return _NONE
                total += share
                union |= keys
            return total, frozenset(union)
        case Near(left=left, right=right):
            return _anchors(And((left, right)), cost)
        case Field(name=name, child=child) if name in ITEM_FIELDS:
            return _value_anchors(name, child, cost)
        case Field(child=child) | First(child=child) | AtLeast(child=child) | Named(child=child):
            return _anchors(child, cost)
    return _NONE


def _rarest(keys: Collection[str], cost: Callable[[str], float]) -> tuple[float, frozenset[str]]:
    best = min(keys, key=cost) if len(keys) > 1 else next(iter(keys))
    return cost(best), frozenset((best,))


def _value_anchors(field: str, node: Node, cost: Callable[[str], float]) -> tuple[float, frozenset[str] | None]:
    match node:
        case Value() | Word() | Phrase():
            key = value_key(field, node)
            return _NONE if key is None else (cost(key), frozenset((key,)))
        case Or(children=below):
            found = [_value_anchors(field, child, cost) for child in below]
            if any(keys is None for _, keys in found):
                return _NONE
            return sum(share for share, _ in found), frozenset().union(*(keys for _, keys in found if keys))
        case And(children=below):
            found = [one for child in below if (one := _value_anchors(field, child, cost))[1] is not None]
            return min(found, key=lambda one: one[0], default=_NONE)
        case Named(child=child):
            return _value_anchors(field, child, cost)
    return _NONE


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
            yield from keys_of(one.text, one.exact)
        elif field == "author" and isinstance(one, Value | Word | Phrase):
            phrase = as_phrase(one.text if isinstance(one, Value) else value_of(one))
            yield from phrase_keys(phrase)
        elif isinstance(one, Field):
            waiting.append((one.child, one.name))
        elif not isinstance(one, Named) or (id(one.child), field) not in seen:
            if isinstance(one, Named):
                seen.add((id(one.child), field))
            waiting.extend((child, field) for child in children(one))


# --- the quick test -------------------------------------------------------------------------------------------------


def compile_test(node: Node) -> tuple[Test, bool]:  # noqa: PLR0911 - one case a node
    """A test of the set of keys that a document holds, and whether it decides; else it may say yes too often."""
    match node:
        case Word(text=text, exact=exact):
            keys = keys_of(text, exact)
            return frozenset(keys).issubset, len(keys) == 1
        case Phrase():
            return frozenset(phrase_keys(node)).issubset, False
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
        case Field(name=name, child=child) if name in ITEM_FIELDS:
            return _value_test(name, child)
        case Field(child=child) | First(child=child) | AtLeast(child=child):
            return (_maybe if _excludes(child) else compile_test(child)[0]), False
    return _maybe, False


def _maybe(_: AbstractSet[str]) -> bool:
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
    need: set[str] = set()
    others: list[Test] = []
    decide = True
    for child in below:
        if isinstance(child, Word | Phrase):
            keys = keys_of(child.text, child.exact) if isinstance(child, Word) else phrase_keys(child)
            need.update(keys)
            decide = decide and len(keys) == 1
            continue
        test, decides = compile_test(child)
        decide = decide and decides
        if test is not _maybe:
            others.append(test)
    return _conjunction(frozenset(need), tuple(others)), decide


def _conjunction(need: frozenset[str], others: tuple[Test, ...]) -> Test:
    if not others:
        return need.issubset if need else _maybe
    if len(others) == 1:
        other = others[0]
        return (lambda keys: need.issubset(keys) and other(keys)) if need else other

    def test(keys: AbstractSet[str]) -> bool:
        if not need.issubset(keys):
            return False
        return all(other(keys) for other in others)

    return test


def _any(below: tuple[Node, ...]) -> tuple[Test, bool]:
    either: set[str] = set()
    others: list[Test] = []
    decide = True
    for child in below:
        if isinstance(child, Word) and len(keys := keys_of(child.text, child.exact)) == 1:
            either.update(keys)
            continue
        test, decides = compile_test(child)
        decide = decide and decides
        if test is _maybe:
            return _maybe, False
        others.append(test)
    return _disjunction(frozenset(either), tuple(others)), decide


def _disjunction(either: frozenset[str], others: tuple[Test, ...]) -> Test:
    if not others:
        return lambda keys: not either.isdisjoint(keys)

    def test(keys: AbstractSet[str]) -> bool:
        if not either.isdisjoint(keys):
            return True
        return any(other(keys) for other in others)

    return test
