"""The keys of all rules as numbers, and which of them a document holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import numpy as np

from watcher.query.anchors import Key
from watcher.query.leaves import by_word
from watcher.query.lexicon import Lexicon
from watcher.query.table import BYTES, Codes, Cut, Flags, Numbers, Table, code, cut, heads

NONE = 0  # the number of no key, which every document holds: it stands where a rule needs no second key
NO_KEY = ""
PLACE = 40  # bits of a place in a text
_APART = 1 << 31  # so many words lie between two fields for a NEAR, which can say
MOST_WORDS = (1 << 30) - 1  # at most


class Presence:
    """What a document holds; until the vocabulary is asked for the next one."""

    def __init__(self, at: Numbers, words: Numbers, breaks: Numbers, keys: Numbers, held: bytearray) -> None:
        self.keys = keys  # all that it holds, each once
        self.flags: Flags = np.frombuffer(held, np.bool_)  # of each key whether it holds it
        self.has: Callable[[int], int] = held.__getitem__  # the same, quick to ask for one
        self._at = at
        self._words = words
        self._breaks = breaks

    def standing(self) -> Numbers:
        """Where its words stand: the number of a word, then PLACE bits for its place, in order; and an end."""
        found = np.empty(len(self._at) + 1, np.int64)
        np.add(self._words << PLACE, self._at + self._breaks.searchsorted(self._at) * _APART, out=found[:-1])
        found[-1] = np.iinfo(np.int64).max
        found.sort()
        return found


class Vocabulary:
    """The keys of all rules as numbers, and which of them a document holds."""

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
        self._held = bytearray(self.size)
        self._flags = np.frombuffer(self._held, np.bool_)
        self._order = np.zeros(self.size, np.int64)

    def presence(self, texts: Sequence[bytes], values: Iterable[str]) -> Presence:
        """What a document holds, from its folded texts and the keys of its own fields."""
        text = cut(texts)
        at, words, besides = self._words.within(text)
        beside = (at[1:] - at[:-1] == 1).nonzero()[0]
        _, pairs = self._pairs.find(_pair(words.take(beside), words.take(beside + 1)))
        own = np.array([NONE, *(self.numbers[value] for value in values if value in self.numbers)], np.int64)
        keys = self._distinct(np.concatenate((words, pairs, besides, own)))
        self._flags[:] = False
        self._flags[keys] = True
        return Presence(at, words, (text.codes == 0).nonzero()[0], keys, self._held)

    def _distinct(self, keys: Numbers) -> Numbers:
        """Each once."""
        places = np.arange(len(keys))
        self._order[keys] = places  # the last place of each
        found: Numbers = keys[self._order.take(keys) == places]
        return found


def _pair(left: Numbers, right: Numbers) -> Codes:
    return (left << 32 | right).view(np.uint64)


class _Words:
    """The words among the keys, and the prefixes, patterns and stems."""

    def __init__(self, numbers: dict[Key, int], written: Iterable[str]) -> None:
        words = {key.encode(): number for key, number in numbers.items() if isinstance(key, str) and number != NONE}
        opened = [key for key in written if by_word(key) and key in numbers]
        prefixes = {key[:-1].encode(): numbers[key] for key in opened if key[0] != "^" and "?" not in key}
        short = {start: number for start, number in prefixes.items() if len(start) <= BYTES}
        self._numbers = numbers
        self._others = Lexicon(set(opened).difference(start.decode() + "*" for start in short))
        self._long = {word: number for word, number in words.items() if len(word) > BYTES}
        longer = {word[:BYTES] for word in chain(words, prefixes) if len(word) > BYTES}
        known = sorted({word for word in words if len(word) <= BYTES} | longer | short.keys())
        self._table = Table(np.array([code(word) for word in known], np.uint64), np.arange(len(known)))
        self._word = np.array([words.get(word, NONE) for word in known], np.int64)
        self._longer = np.array([word in longer for word in known], np.bool_)
        self._prefix = np.array([short.get(word, NONE) for word in known], np.int64)
        self._heads = heads([BYTES, *sorted(set(map(len, short)) - {BYTES})])

    def within(self, text: Cut) -> tuple[Numbers, Numbers, Numbers]:
        """Which words of a text are keys, their numbers, and those of what its words hold besides."""
        at, found = self._table.find((text.codes & self._heads).reshape(-1))
        besides = self._prefix.take(found)
        whole = at.searchsorted(len(text.codes))  # up to there stand those that are no shorter head
        at, found = at[:whole], found[:whole]
        numbers = self._word.take(found)
        long = text.sizes.take(at) > BYTES  # of these it was the first bytes that were found
        numbers[long] = NONE
        more = (long & self._longer.take(found)).nonzero()[0]
        longer = text.slices(at.take(more))
        numbers[more] = [self._long.get(word, NONE) for word in longer]
        if self._others.reads_words:
            read = text.data if self._others.of_word.reads_all else b" ".join(longer)
            held = chain.from_iterable(map(self._others.of_word.__getitem__, read.decode().split()))
            besides = np.concatenate((besides, np.array([self._numbers[key] for key in held], np.int64)))
        known = numbers.nonzero()[0]
        return at.take(known), numbers.take(known), besides
