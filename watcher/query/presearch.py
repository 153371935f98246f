"""Many rules against one document: which could match is found from the document's words, and only these are judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from watcher.model import Match
from watcher.query.anchors import Test, anchors, compile_test, document_keys, rarity, text_keys
from watcher.query.ast import Field, Node, walk
from watcher.query.document import Document
from watcher.query.evaluate import holds, spans
from watcher.query.leaves import Lexicon
from watcher.query.lexer import ITEM_FIELDS
from watcher.query.view import View


class _Rule:
    """One query, with what is worked out of it when it is first a candidate."""

    __slots__ = ("decides", "name", "node", "test")

    def __init__(self, name: str, node: Node) -> None:
        self.name = name
        self.node = node
        self.test: Test | None = None
        self.decides = False

    def passes(self, keys: set[str]) -> bool:
        """The quick test: no is no."""
        if self.test is None:
            self.test, self.decides = compile_test(self.node)
        return self.test(keys)


class RuleSet:
    """Rules ready to be matched; made once, and used by one thread at a time."""

    def __init__(self, queries: Mapping[str, Node], *, before: RuleSet | None = None) -> None:
        known = before._by_name if before else {}
        self._by_name: dict[str, _Rule] = {
            name: rule if (rule := known.get(name)) and rule.node == node else _Rule(name, node)
            for name, node in queries.items()
        }
        self._rules = list(self._by_name.values())
        self._seen: Counter[str] = before._seen if before else Counter()
        self._documents: int = before._documents if before else 0
        self._lexicon = Lexicon({key: None for rule in self._rules for key in text_keys(rule.node)})
        self._own_fields = any(
            isinstance(one, Field) and one.name in ITEM_FIELDS for rule in self._rules for one in walk(rule.node)
        )
        self._file()

    def __len__(self) -> int:
        return len(self._rules)

    def reuse(self, queries: Mapping[str, Node]) -> RuleSet:
        """The same for other queries: what did not change is not compiled again, what was learnt is kept."""
        return RuleSet(queries, before=self)

    def _file(self) -> None:
        """Put each rule under its rarest anchors."""
        costs: dict[str, float] = {}

        def cost(key: str) -> float:
            found = costs.get(key)
            if found is None:
                found = costs[key] = rarity(key, self._seen, self._documents)
            return found

        self._files: dict[str, list[int]] = {}
        self._always: list[int] = []
        for number, rule in enumerate(self._rules):
            keys = anchors(rule.node, cost)
            if keys is None:
                self._always.append(number)
            else:
                for key in keys:
                    self._files.setdefault(key, []).append(number)

    def match(self, document: Document, names: Collection[str] | None = None) -> list[Match]:
        """The rules that hold for `document`, of those in `names`, in their order, with the words that decided it."""
        view = View(self._lexicon, document)
        return [Match(rule.name, spans(rule.node, view)) for rule in self._holding(document, view, names)]

    def names(self, document: Document) -> list[str]:
        """The names of the rules that hold for `document`, in their order."""
        return [rule.name for rule in self._holding(document, View(self._lexicon, document), None)]

    def _holding(self, document: Document, view: View, names: Collection[str] | None) -> list[_Rule]:
        keys = self._keys(document)
        numbers = self._candidates(keys)
        found = []
        for number in numbers:
            rule = self._rules[number]
            if rule.passes(keys) and (names is None or rule.name in names):
                if rule.decides or holds(rule.node, view):
                    found.append(number)
        found.sort()
        return [self._rules[number] for number in found]

    def _keys(self, document: Document) -> set[str]:
        """All keys that the document holds, whichever field they are in."""
        lexicon = self._lexicon
        if lexicon.full:
            lexicon.forget()
        pieces = set(document.title.split())
        pieces.update(document.summary.split())
        pieces.update(document.body.split())
        unknown = pieces.difference(lexicon.counts)
        if unknown:
            lexicon.learn(unknown)
        hits = lexicon.hits
        keys: set[str] = set().union(*map(hits.__getitem__, hits.keys() & pieces))
        if self._own_fields:
            keys.update(document_keys(document))
        return keys

    def _candidates(self, keys: set[str]) -> Iterable[int]:
        files = self._files
        filed = files.keys() & keys
        if not filed:
            return self._always
        return set(self._always).union(*map(files.__getitem__, filed))
