"""What a document must hold for a rule to have a chance: keys, as the presearch of Luwak and of percolators names them.

A rule is filed under the two rarest sets of keys of which any match needs one each. A key is what a document's folded
words tell without their places in the text: a word, a prefix, pattern or stem, two words side by side, a value of the
document's own fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
    Or,
    Phrase,
    Value,
    Word,
    children,
)
from watcher.query.document import Document
from watcher.query.evaluate import as_phrase, value_of
from watcher.query.leaves import Written, by_word, is_plain, wild
from watcher.query.lexer import ITEM_FIELDS
from watcher.text.fold import fold
from watcher.text.urls import host

Pair = tuple[str, str]  # two folded words that stand side by side in one field
Key = str | Pair

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


def rarity(key: Key, seen: int, documents: int) -> float:
    """The share of documents that hold `key`, as far as is known: `seen` of so many, before that from its looks."""
    return (seen + _looks(key) * 20) / (documents + 20)


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
    keys: tuple[Key, ...]


def keys_needed(node: Word | Phrase) -> tuple[tuple[Key, ...], bool]:
    """What stands in any text that holds `node`, words beside each other as a pair; whether that is all it asks for."""
    keys = node.keys
    if len(keys) == 1 and keys[0].isascii() and keys[0].isalnum():
        return keys, True
    run, exact = _run(keys)
    if isinstance(node, Phrase) and node.loose is not None:
        return tuple(word for word in run if word), False
    found: list[Key] = []
    paired = False
    for at, word in enumerate(run):
        after = run[at + 1] if at + 1 < len(run) else ""
        pairs = is_plain(word) and is_plain(after) if word and after else False
        if pairs:
            found.append((word, after))
        elif word and not paired:
            found.append(word)
        paired = pairs
    return tuple(found), exact and len(found) == 1


def _run(keys: tuple[str, ...]) -> tuple[list[str], bool]:
    """The words, prefixes, patterns and stems of keys one after the other; and whether these are all they ask for.

    What tells by a chunk is known by its words without signs, capitals and accents; "" is what cannot be known so.
    """
    run: list[str] = []
    exact = True
    for key in keys:
        if is_plain(key) or by_word(key):
            run.append(key)
            continue
        exact = False
        if key[0] == "=":
            run.append(fold(key[1:])[0])
        elif key[0] == "~":
            written = Written.of(key)
            run.extend("" if wild(token.plain) else token.plain for token in written.tokens)
            if written.open_end:
                run.append("")
        else:
            run.append(fold(key)[0])
    return run, exact


def needs(  # noqa: PLR0911 - one case a node
    node: Node, cost: Callable[[Key], float]
) -> tuple[list[Need], bool]:
    """What any match of `node` needs, each of it; and whether that is all that `node` asks for."""
    kind = type(node)  # quicker than `match` for what most nodes are
    if kind is Word or kind is Phrase:
        keys, exact = keys_needed(node)  # type: ignore[arg-type]
        return [Need(cost(key), (key,)) for key in keys], exact
    match node:
        case And(children=below):
            found, exact = [], True
            for child in below:
                more, all_of_it = needs(child, cost)
                found += more
                exact = exact and all_of_it
            return found, exact
        case Or(children=below):
            return _either([needs(child, cost) for child in below])
        case Near(left=left, right=right):
            return needs(left, cost)[0] + needs(right, cost)[0], False
        case Named(child=child):
            return needs(child, cost)
        case Field(name=name, child=child) if name in ITEM_FIELDS:
            return _value_needs(name, child, cost), False
        case Field(child=child) | First(child=child) | AtLeast(child=child) | InLanguage(child=child):
            return needs(child, cost)[0], False
    return [], False


def rarest(found: list[Need]) -> list[Need]:
    """The two rarest of them."""
    return sorted(found, key=_share)[:2] if len(found) > 1 else found


_share = itemgetter(0)


def _either(branches: list[tuple[list[Need], bool]]) -> tuple[list[Need], bool]:
    """What any of the branches needs: the rarest of each together, and the second of each."""
    if all(len(found) == 1 for found, _ in branches):
        return [_together([found[0] for found, _ in branches])], all(exact for _, exact in branches)
    two = [rarest(found) for found, _ in branches]
    return [_together([found[rank] for found in two]) for rank in range(min(map(len, two)))], False


def _together(alternatives: list[Need]) -> Need:
    keys = dict.fromkeys(key for need in alternatives for key in need.keys)
    return Need(sum(need.share for need in alternatives), tuple(keys))


def _value_needs(field: str, node: Node, cost: Callable[[Key], float]) -> list[Need]:
    match node:
        case Value() | Word() | Phrase():
            key = value_key(field, node)
            return [] if key is None else [Need(cost(key), (key,))]
        case Or(children=below):
            return _either([(_value_needs(field, child, cost), False) for child in below])[0]
        case And(children=below):
            return [need for child in below for need in _value_needs(field, child, cost)]
        case Named(child=child):
            return _value_needs(field, child, cost)
    return []


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


def gather(nodes: Iterable[Node]) -> tuple[set[Key], set[str]]:
    """All keys that `needs` may name and the quick test may ask for; and those that a lexicon must know to judge."""
    keys: set[Key] = set()
    written: set[str] = set()
    waiting = [(node, "") for node in nodes]
    named: set[tuple[int, str]] = set()
    while waiting:
        node, field = waiting.pop()
        if type(node) is Word and is_plain(node.keys[0]) and len(node.keys) == 1 and field not in ITEM_FIELDS:
            keys.add(node.keys[0])  # what most nodes are
            continue
        match node:
            case Word() | Phrase() | Value() if field in ITEM_FIELDS:
                if (key := value_key(field, node)) is not None:
                    keys.add(key)
                if field == "author":
                    written.update(as_phrase(node.text if isinstance(node, Value) else value_of(node)).keys)
            case Word() | Phrase():
                needed = keys_needed(node)[0]
                keys.update(needed)
                written.update(node.keys, (key for key in needed if isinstance(key, str)))  # `cafe*` for `café*`
            case And(children=below) | Or(children=below):
                waiting += [(child, field) for child in below]
            case Field(name=name, child=child):
                waiting.append((child, name))
            case Named(child=child):  # often named, looked at once in each field
                if (id(child), field) not in named:
                    named.add((id(child), field))
                    waiting.append((child, field))
            case _:
                waiting += [(child, field) for child in children(node)]
    return keys, {key for key in written if not is_plain(key)}
