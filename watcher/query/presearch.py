"""Many rules against one document: which could match is found from the document's words, and only these are judged."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from itertools import islice

from watcher.model import Match
from watcher.query.anchors import Key, Pair, Test, compile_test, document_keys, gather, needs, rarity, simple
from watcher.query.ast import Node
from watcher.query.document import Document
from watcher.query.evaluate import holds, spans
from watcher.query.leaves import Lexicon
from watcher.query.view import FieldText, View

LEARNING = 256  # documents whose words are counted, before the rules are filed anew by how rare their words are
MANY = 5_000  # pairs, beyond which all pairs of a text are looked up
SMALL = 4  # keys, up to which a set is larger than it is quick
FEW = 12  # words of pairs in a text, beyond which all its pairs are looked up; up to it, these words' neighbours are


class _Rule:
    """One query, with what is worked out of it when it is first a candidate."""

    __slots__ = ("decides", "name", "node", "settled", "test")

    def __init__(self, name: str, node: Node) -> None:
        self.name = name
        self.node = node
        self.test: Test | None = None
        count, self.decides = simple(node)
        self.settled = 0 < count <= 2  # the quick test would ask what the files have answered

    def passes(self, keys: set[Key]) -> bool:
        """The quick test: no is no."""
        if self.test is None:
            self.test, self.decides = compile_test(self.node)
        return self.test(keys)


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection, which only costs where much is made and nothing thrown away."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Pairs:
    """Pairs of words that rules need side by side, and the finding of those that a document holds."""

    def __init__(self, pairs: Collection[Pair]) -> None:
        self._all = frozenset(pairs)
        self._by_word: dict[str, list[Pair]] = {}  # each under one of its words
        self._words: frozenset[str] = frozenset()  # these words

    def file(self, share: Callable[[str], float]) -> None:
        """Put each pair under the rarer of its words, where there are not so many that none is looked at by itself."""
        if len(self._all) > MANY:
            return
        self._by_word.clear()
        for pair in self._all:
            one, other = pair
            self._by_word.setdefault(one if share(one) <= share(other) else other, []).append(pair)
        self._words = frozenset(self._by_word)

    def within(self, texts: list[FieldText], keys: AbstractSet[Key]) -> set[Pair]:
        """Those that stand in one of the texts, whose keys together are `keys`."""
        found: set[Pair] = set()
        present = self._words & keys
        if len(self._all) > MANY or len(present) > FEW:
            for text in texts:
                found |= self._all.intersection(zip(text.tokens, islice(text.tokens, 1, None), strict=False))
            return found
        for word in present:
            for pair in self._by_word[word]:
                if pair[0] in keys and pair[1] in keys and any(text.side_by_side(pair) for text in texts):
                    found.add(pair)
        return found


class RuleSet:
    """Rules ready to be matched; made once, and used by one thread at a time."""

    def __init__(self, queries: Mapping[str, Node], *, before: RuleSet | None = None) -> None:
        known = before._by_name if before else {}
        with uncollected():
            self._by_name: dict[str, _Rule] = {
                name: rule if (rule := known.get(name)) and rule.node == node else _Rule(name, node)
                for name, node in queries.items()
            }
            self._rules = list(self._by_name.values())
            self._seen: Counter[Key] = before._seen if before else Counter()
            self._documents: int = before._documents if before else 0
            words: set[str] = set()
            pairs: set[Pair] = set()
            self._own_fields = gather([rule.node for rule in self._rules], words, pairs)
            self._lexicon = Lexicon(words)
            self._pairs = _Pairs(pairs)
            # The rules of which the files decide whether they hold.
            self._sure = frozenset(n for n, rule in enumerate(self._rules) if rule.settled and rule.decides)
            self._file()

    def __len__(self) -> int:
        return len(self._rules)

    def reuse(self, queries: Mapping[str, Node]) -> RuleSet:
        """The same for other queries: what did not change is not compiled again, what was learnt is kept."""
        return RuleSet(queries, before=self)

    def _file(self) -> None:
        """Put each rule under its rarest anchors: alone, or under both where it needs two."""
        costs = _Costs(self._seen, self._documents)
        cost = costs.__getitem__
        self._alone: dict[Key, list[int]] = {}
        self._always: list[int] = []
        paired: dict[Key, dict[Key, list[int]]] = {}
        for number, rule in enumerate(self._rules):
            found = needs(rule.node, cost)
            if not found:
                self._always.append(number)
            elif len(found) == 1:
                for key in found[0].keys:
                    self._alone.setdefault(key, []).append(number)
            else:
                for key in found[0].keys:
                    others = paired.setdefault(key, {})
                    for other in found[1].keys:
                        others.setdefault(other, []).append(number)
        self._paired = paired
        self._partners: dict[Key, Collection[Key]] = {
            key: frozenset(others) if len(others) > SMALL else tuple(others) for key, others in paired.items()
        }
        # Sets beside the dictionaries: a set of which another is looked for has its hashes at hand.
        self._first = frozenset(paired)
        self._single = frozenset(self._alone)
        self._pairs.file(cost)

    def match(self, document: Document, names: Collection[str] | None = None) -> list[Match]:
        """The rules that hold for `document`, of those in `names`, in their order, with the words that decided it."""
        view = View(self._lexicon, document)
        return [Match(rule.name, spans(rule.node, view)) for rule in self._holding(view, names)]

    def names(self, document: Document) -> list[str]:
        """The names of the rules that hold for `document`, in their order."""
        return [rule.name for rule in self._holding(View(self._lexicon, document), None)]

    def _holding(self, view: View, names: Collection[str] | None) -> list[_Rule]:
        if self._lexicon.full:
            self._lexicon.forget()
        texts = view.texts()
        keys: set[Key] = set().union(*(text.keys for text in texts))
        if self._own_fields:
            keys.update(document_keys(view.document))
        keys |= self._pairs.within(texts, keys)
        if self._documents < LEARNING:
            self._learn(keys)
        rules = self._rules
        found = self._candidates(keys)
        if names is not None:
            found = {number for number in found if rules[number].name in names}
        sure = found & self._sure
        for number in found - sure:
            rule = rules[number]
            if (rule.settled or rule.passes(keys)) and (rule.decides or holds(rule.node, view)):
                sure.add(number)
        return [rules[number] for number in sorted(sure)]

    def _learn(self, keys: set[Key]) -> None:
        """Count what documents hold; when enough were seen, file the rules by it."""
        self._seen.update(keys)
        self._documents += 1
        if self._documents == LEARNING:
            with uncollected():
                self._file()

    def _candidates(self, keys: set[Key]) -> set[int]:
        """The rules whose two rarest needs the document meets, and those that have none."""
        found = set(self._always)
        found.update(*map(self._alone.__getitem__, self._single & keys))
        present = list(self._first & keys)
        partners = self._partners
        for key, apart in zip(present, map(keys.isdisjoint, map(partners.__getitem__, present)), strict=True):
            if not apart:
                found.update(*map(self._paired[key].__getitem__, keys.intersection(partners[key])))
        return found


class _Costs(dict[Key, float]):
    """The share of documents that hold a key, worked out when it is first asked for."""

    def __init__(self, seen: Mapping[Key, int], documents: int) -> None:
        super().__init__()
        self._seen = seen
        self._documents = documents

    def __missing__(self, key: Key) -> float:
        share = self[key] = rarity(key, self._seen, self._documents)
        return share
