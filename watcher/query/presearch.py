"""Many rules against one document: which could match is found from the document's words, and only these are judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from watcher.model import Match
from watcher.query.anchors import Test, compile_test, document_keys, needs, rarity, simple, text_keys
from watcher.query.ast import Field, Node, walk
from watcher.query.document import Document
from watcher.query.evaluate import holds, spans
from watcher.query.leaves import Lexicon
from watcher.query.lexer import ITEM_FIELDS
from watcher.query.view import View

LEARNING = 256  # documents whose words are counted, before the rules are filed anew by how rare their words are


class _Rule:
    """One query, with what is worked out of it when it is first a candidate."""

    __slots__ = ("decides", "name", "node", "settled", "test")

    def __init__(self, name: str, node: Node) -> None:
        self.name = name
        self.node = node
        self.test: Test | None = None
        count, self.decides = simple(node)
        self.settled = 0 < count <= 2  # the quick test would ask what the files have answered

    def passes(self, keys: set[str]) -> bool:
        """The quick test: no is no."""
        if self.test is None:
            self.test, self.decides = compile_test(self.node)
        return self.test(keys)


class _File:
    """The rules under one key: those that need no other, and those that need one of some other keys too."""

    __slots__ = ("alone", "paired")

    def __init__(self) -> None:
        self.alone: list[int] = []
        self.paired: dict[str, list[int]] = {}

    def put(self, number: int, others: Collection[str]) -> None:
        """File a rule."""
        if not others:
            self.alone.append(number)
        for other in others:
            self.paired.setdefault(other, []).append(number)


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

        self._files: dict[str, _File] = {}
        self._always: list[int] = []
        for number, rule in enumerate(self._rules):
            found = needs(rule.node, cost)
            if not found:
                self._always.append(number)
                continue
            for key in found[0].keys:
                file = self._files.get(key)
                if file is None:
                    file = self._files[key] = _File()
                file.put(number, found[1].keys if len(found) > 1 else ())

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
        keys = set().union(*(text.keys for text in view.texts()))
        if self._own_fields:
            keys.update(document_keys(view.document))
        if self._documents < LEARNING:
            self._learn(keys)
        found = []
        for number in self._candidates(keys):
            rule = self._rules[number]
            if names is not None and rule.name not in names:
                continue
            if (rule.settled or rule.passes(keys)) and (rule.decides or holds(rule.node, view)):
                found.append(number)
        found.sort()
        return [self._rules[number] for number in found]

    def _learn(self, keys: set[str]) -> None:
        """Count what documents hold; when enough were seen, file the rules by it."""
        self._seen.update(keys)
        self._documents += 1
        if self._documents == LEARNING:
            self._file()

    def _candidates(self, keys: set[str]) -> set[int]:
        """The rules whose two rarest needs the document meets, and those that have none."""
        found = set(self._always)
        files = self._files
        for key in files.keys() & keys:
            file = files[key]
            if file.alone:
                found.update(file.alone)
            paired = file.paired
            if not paired.keys().isdisjoint(keys):
                found.update(*map(paired.__getitem__, paired.keys() & keys))
        return found
