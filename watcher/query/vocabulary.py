"""The keys of all rules as numbers, and which of them the documents of a batch hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np

from watcher.query.anchors import Key
from watcher.query.leaves import by_word, is_plain
from watcher.query.lexicon import Lexicon
from watcher.query.table import Codes, Cut, Flags, Numbers, Table, cut
from watcher.query.trie import Trie

NONE = 0  # the number of no key, which every document holds: it stands where a rule needs no second key
NO_KEY = ""
MOST_DOCUMENTS = 16  # of a batch
PLACE = 40  # bits of a place in the texts of a batch
_APART = 31  # bits of a place within a text: so far apart are two texts for a NEAR, which can say
MOST_WORDS = (1 << 30) - 1  # at most


class Presence(NamedTuple):
    """What the documents of a batch hold; until the vocabulary is asked for the next one."""

    keys: Numbers  # that are held, some more than once
    held: Numbers  # their places among the flags
    size: int  # how many flags a document has, one for each key that there is
    flags: Flags  # document after document, of each key whether it is held
    text: Cut
    at: Numbers  # where in the text the words stand that are keys
    words: Numbers  # which keys they are
    texts: list[int]  # of each document the number of its first text, and how many there are

    def has(self, document: int) -> Callable[[int], int]:
        """Whether a document holds a key, quick to ask for one."""
        return self.flags[document * self.size : (document + 1) * self.size].data.__getitem__

    def counts(self) -> Numbers:
        """How many documents hold each key."""
        counts: Numbers = self.flags.reshape(-1, self.size).sum(0)
        return counts

    def standing(self) -> Numbers:
        """Where its words stand: the number of a word, then PLACE bits for its place, in order; and an end."""
        found = np.empty(len(self.at) + 1, np.int64)
        np.add(self.words << PLACE, (self.text.texts.take(self.at) << _APART) + self.at, out=found[:-1])
        found[-1] = np.iinfo(np.int64).max
        found.sort()
        return found

    def begins(self) -> Numbers:
        """At which place each document begins, and where the last one ends."""
        return np.array(self.texts, np.int64) << _APART


class Vocabulary:
    """The keys of all rules as numbers, and which of them the documents of a batch hold."""

    def __init__(self, keys: Iterable[Key], written: Iterable[str]) -> None:
        """Number `keys`, of which those in `written` are more than a folded word."""
        self.numbers: dict[Key, int] = {NO_KEY: NONE}
        for key in keys:
            for each in (*key, key) if isinstance(key, tuple) else (key,):
                self.numbers.setdefault(each, len(self.numbers))
        self.size = len(self.numbers)
        self._words = _Words(self.numbers, written)
        pairs = [(key, number) for key, number in self.numbers.items() if isinstance(key, tuple)]
        sides = np.array([[self.numbers[word] for word in key] for key, _ in pairs], np.int64).reshape(-1, 2)
        self._pairs = Table(_pair(sides[:, 0], sides[:, 1]), np.array([number for _, number in pairs], np.int64))
        self._flags = np.zeros(MOST_DOCUMENTS * self.size, np.bool_)
        self._held = np.zeros(0, np.int64)  # which of them are set

    def presence(self, texts: Sequence[Sequence[bytes]], values: Sequence[Iterable[str]]) -> Presence:
        """What each document holds, from its folded texts and the keys of its own fields."""
        text = cut(chain.from_iterable(texts))
        counts = [len(each) for each in texts]
        at, words, besides_at, besides = self._words.within(text)
        beside = (at[1:] - at[:-1] == 1).nonzero()[0]
        pairs_at, pairs = self._pairs.find(_pair(words.take(beside), words.take(beside + 1)))
        places = np.concatenate((at, besides_at, at.take(beside.take(pairs_at))))
        begins = [n * self.size for n, count in enumerate(counts) for _ in range(count)]  # of each text its flags
        own = [(number, n * self.size + number) for n, each in enumerate(values) for number in self._own(each)]
        own_keys, own_held = np.array(own, np.int64).T
        keys = np.concatenate((words, besides, pairs, own_keys))
        held = np.concatenate((np.array(begins, np.int64).take(text.texts.take(places)), own_held))
        held[: len(places)] += keys[: len(places)]
        self._flags[self._held] = False
        self._flags[held] = True
        self._held = held
        firsts = list(accumulate(counts, initial=0))
        return Presence(keys, held, self.size, self._flags[: len(texts) * self.size], text, at, words, firsts)

    def _own(self, values: Iterable[str]) -> Iterator[int]:
        yield NONE
        for value in values:
            if (number := self.numbers.get(value)) is not None:
                yield number


def _pair(left: Numbers, right: Numbers) -> Codes:
    return (left << 32 | right).view(np.uint64)


class _Words:
    """The words among the keys, and the prefixes, patterns and stems."""

    def __init__(self, numbers: dict[Key, int], written: Iterable[str]) -> None:
        words = [key for key in numbers if isinstance(key, str) and key != NO_KEY and is_plain(key)]
        others = {key for key in written if by_word(key) and key in numbers}
        prefixes = {key for key in others if key[0] != "^" and "?" not in key}
        starts = {key[:-1].encode(): numbers[key] for key in prefixes}
        self._trie = Trie({word.encode(): numbers[word] for word in words}, starts)
        self._others = Lexicon(others - prefixes)
        self._numbers = numbers

    def within(self, text: Cut) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Where in a text words stand that are keys, and which; where words that hold others besides, and which."""
        at, words, besides_at, besides = self._trie.find(text)
        if self._others.reads_words:
            held = [self._others.of_word[word] for word in text.data.decode().split()]
            others = [self._numbers[key] for key in chain.from_iterable(held)]
            besides_at = np.concatenate((besides_at, np.arange(len(held)).repeat(list(map(len, held)))))
            besides = np.concatenate((besides, np.array(others, np.int64)))
        return at, words, besides_at, besides
