"""Many rules against one document: which could match is found from the document's words, and only these are judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from threading import Lock, Thread
from typing import NamedTuple

import numpy as np

from watcher.garbage import keep_freed, uncollected
from watcher.model import Match
from watcher.query.anchors import Key, document_keys, gather, needs, rarest, rarity
from watcher.query.ast import Near, Node
from watcher.query.document import Document
from watcher.query.evaluate import either, holds, spans
from watcher.query.index import LOW, NO_ENTRIES, NUMBER, Columns, Entry, Index, columns
from watcher.query.leaves import is_plain
from watcher.query.lexicon import Lexicon
from watcher.query.quick import Has, Test, compile_test, undecided
from watcher.query.table import Flags, Numbers
from watcher.query.view import View
from watcher.query.vocabulary import MOST_DOCUMENTS, MOST_WORDS, NO_KEY, Presence, Vocabulary

MOST_CHARACTERS = 64_000  # of the texts of a batch, unless one alone has more
LEARNING = 256  # documents whose words are counted, before the rules are filed anew by how rare their words are
FILING = "filing rules"  # the thread that does so
MANY = 64  # pairs of keys, beyond which a rule is filed under its rarest need alone


class RuleSet:
    """Rules ready to be matched; made once."""

    def __init__(self, queries: Mapping[str, Node], *, before: RuleSet | None = None) -> None:
        self._lock = Lock()
        keep_freed()
        with uncollected():
            self._names = list(queries)
            self._nodes = list(queries.values())
            kept = before._kept(queries) if before else {}
            new = sorted(set(range(len(self._nodes))).difference(kept.values()))
            keys, self._written = gather(self._nodes[rule] for rule in new)
            known: Iterable[Key] = before._vocabulary.numbers if before else ()
            if before:
                self._written |= before._written
            self._lexicon = Lexicon(self._written)
            self._vocabulary: Vocabulary = Vocabulary((*known, *keys), self._written)  # known ones keep their numbers
            self._counts = np.zeros(self._vocabulary.size, np.int64)
            self._documents = 0
            self._tests: dict[int, tuple[Test, Node | None]] = {}
            sure, entries = np.zeros(len(self._nodes), np.bool_), NO_ENTRIES
            if before:
                filed = before._filed
                self._take(before, kept)
                sure[list(kept.values())] = filed.sure[list(kept)]
                entries = filed.files.moved(kept, len(before))
            self._filed: _Filed = self._file(new, sure, entries)

    def __len__(self) -> int:
        return len(self._nodes)

    def reuse(self, queries: Mapping[str, Node]) -> RuleSet:
        """The same for other queries: what did not change is not compiled again, what was learnt is kept."""
        return RuleSet(queries, before=self)

    def _kept(self, queries: Mapping[str, Node]) -> dict[int, int]:
        """Of each rule that stands unchanged in `queries` its number here and its number there."""
        places = {name: rule for rule, name in enumerate(self._names)}
        return {
            places[name]: rule
            for rule, (name, node) in enumerate(queries.items())
            if name in places and self._nodes[places[name]] == node
        }

    def _take(self, before: RuleSet, kept: Mapping[int, int]) -> None:
        """What another set learnt, and the tests that it made of rules that are here too."""
        self._counts[: before._vocabulary.size] = before._counts
        self._documents = before._documents if before._filed.learnt else min(before._documents, LEARNING - 1)
        self._tests = {kept[rule]: test for rule, test in before._tests.copy().items() if rule in kept}

    def _file(self, rules: Iterable[int], sure: Flags, others: Columns) -> _Filed:
        """Put each of these rules under its two rarest needs, beside the entries of others."""
        numbers = self._vocabulary.numbers
        learnt = self._documents >= LEARNING
        costs = _Costs(numbers, self._counts, self._documents)
        entries: list[Entry] = []
        for rule in rules:
            found, sure[rule] = _filed(self._nodes[rule], rule, costs, numbers)
            entries += found
        index = Index(columns(entries, others), len(numbers))
        return _Filed(index, index.without(len(self._nodes)), sure, learnt)

    def _file_anew(self) -> None:
        with uncollected():
            self._filed = self._file(range(len(self._nodes)), np.zeros(len(self._nodes), np.bool_), NO_ENTRIES)

    def match(self, document: Document, names: Collection[str] | None = None) -> list[Match]:
        """The rules that hold for `document`, of those in `names`, in their order, with the words that decided it."""
        return next(self.match_all((document,), names))

    def match_all(
        self, documents: Iterable[Document], names: Collection[str] | None = None, *, most: int = MOST_CHARACTERS
    ) -> Iterator[list[Match]]:
        """The same of each of many documents, as they are asked for: batch by batch, which is quicker.

        A batch has `most` characters, unless one document alone has more; for who may not be held up for long.
        """
        for view, found in self._all(documents, names, most):
            yield [Match(self._names[rule], spans(self._nodes[rule], view)) for rule in found]

    def names(self, document: Document) -> list[str]:
        """The names of the rules that hold for `document`, in their order."""
        return next(self.names_all((document,)))

    def names_all(self, documents: Iterable[Document]) -> Iterator[list[str]]:
        """The same of each of many documents, as they are asked for."""
        for _, found in self._all(documents, None, MOST_CHARACTERS):
            yield [self._names[rule] for rule in found]

    def _all(
        self, documents: Iterable[Document], names: Collection[str] | None, most: int
    ) -> Iterator[tuple[View, list[int]]]:
        """Each document with the rules that hold for it."""
        for batch in _batches(documents, most):
            yield from self._judged([View(self._lexicon, document) for document in batch], names)

    def _judged(self, views: Sequence[View], names: Collection[str] | None) -> list[tuple[View, list[int]]]:
        """The documents of a batch, each with the rules that hold for it."""
        texts = [[text.folded for text in view.texts()] for view in views]
        with self._lock:  # the vocabulary knows one batch at a time
            presence = self._vocabulary.presence(texts, [document_keys(view.document) for view in views])
            filed = self._filed
            if self._documents < LEARNING:
                self._learn(presence, len(views))
            found = filed.candidates(presence, len(views))
            ends = found.searchsorted(np.arange(1, len(views) + 1) << NUMBER).tolist()
            found &= LOW
            sure, rules = filed.sure.take(found).tolist(), found.tolist()
            judged, start = [], 0
            for number, (view, end) in enumerate(zip(views, ends, strict=True)):
                has = presence.has(number)
                held = [
                    rule
                    for rule, is_sure in zip(rules[start:end], sure[start:end], strict=True)
                    if (names is None or self._names[rule] in names) and (is_sure or self._holds(rule, view, has))
                ]
                judged.append((view, held))
                start = end
        return judged

    def _holds(self, rule: int, view: View, has: Has) -> bool:
        """The quick test, which is made when a rule is first a candidate; then, where that does not decide, exactly."""
        known = self._tests.get(rule)
        if known is None:
            node, numbers = self._nodes[rule], self._vocabulary.numbers
            made, decides = compile_test(node, numbers)
            known = self._tests[rule] = made, None if decides else undecided(node, numbers)
        test, rest = known
        return test(has) and (rest is None or holds(rest, view))

    def _learn(self, presence: Presence, documents: int) -> None:
        """Count what documents hold; when enough were seen, file the rules by it, while matching goes on."""
        self._counts += presence.counts()
        self._documents += documents
        if self._documents >= LEARNING:
            Thread(target=self._file_anew, name=FILING, daemon=True).start()


def _batches(documents: Iterable[Document], most: int) -> Iterator[list[Document]]:
    """As many documents at a time as share well what operations on columns cost, of `most` characters together."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        more = len(document.title) + len(document.summary) + len(document.body)
        if batch and (len(batch) == MOST_DOCUMENTS or size + more > most):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += more
    if batch:
        yield batch


class _Filed(NamedTuple):
    """The rules by what they need."""

    files: Index
    always: Numbers  # those that need nothing, which are always judged
    sure: Flags  # of each whether it holds wherever it is found
    learnt: bool  # whether from enough documents

    def candidates(self, presence: Presence, documents: int) -> Numbers:
        """Those that each of so many documents may match: its number beside the rule's, in order."""
        found = self.files.candidates(presence)
        if not self.always.size:
            return found
        always = (np.arange(documents) << NUMBER)[:, None] | self.always
        return np.sort(np.concatenate((found, always.reshape(-1))))


def _filed(node: Node, rule: int, costs: _Costs, numbers: Mapping[Key, int]) -> tuple[list[Entry], bool]:
    """The entries of a rule, and whether it holds wherever one of them is found; none where it needs no key."""
    if isinstance(node, Near) and node.distance is not None:
        left, right = either(node.left), either(node.right)
        if left and right and len(left) * len(right) <= MANY and all(map(is_plain, (*left, *right))):
            reach = min(node.distance, MOST_WORDS) + 1
            after, before = reach, 0 if node.ordered else reach
            if costs.of(left) > costs.of(right):
                left, right, after, before = right, left, before, after
            return [  # a word near itself is found by the later one, whichever side it stands for
                Entry(numbers[one], numbers[two], rule, max(after, before) if one == two else after, before)
                for one in left
                for two in right
            ], True
    all_of_it, exact = needs(node, costs.__getitem__)
    if not all_of_it:
        return [], False
    first, *others = rarest(all_of_it)
    seconds = others[0].keys if others else (NO_KEY,)
    if len(first.keys) * len(seconds) > MANY:
        seconds, exact = (NO_KEY,), False
    entries = [Entry(numbers[one], numbers[two], rule) for one in first.keys for two in seconds]
    return entries, exact and len(all_of_it) <= 2


class _Costs(dict[Key, float]):
    """The share of documents that hold a key, worked out when it is first asked for."""

    def __init__(self, numbers: Mapping[Key, int], counts: Numbers, documents: int) -> None:
        super().__init__()
        self._numbers = numbers
        self._counts = counts
        self._documents = documents

    def __missing__(self, key: Key) -> float:
        share = self[key] = rarity(key, int(self._counts[self._numbers[key]]), self._documents)
        return share

    def of(self, keys: Collection[Key]) -> float:
        """The share of documents that hold one of them, at most."""
        return sum(map(self.__getitem__, keys))
