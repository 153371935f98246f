"""The keys of all rules as numbers, and which of them a document holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import numpy as np

from watcher.query.anchors import Key
from watcher.query.leaves import by_word
from watcher.query.lexicon import Lexicon, remember
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
        self._prefixes = _Prefixes(short)
        self._opened = _Opened(numbers, Lexicon(set(opened).difference(start.decode() + "*" for start in short)))
        longer = {word[:BYTES] for word in chain(words, prefixes) if len(word) > BYTES}
        whole = {word: number << 1 for word, number in words.items() if len(word) <= BYTES}
        self._whole = _table(whole | {head: whole.get(head, NONE) | 1 for head in longer})  # odd: longer ones begin so
        self._long = {word: number for word, number in words.items() if len(word) > BYTES}

    def within(self, text: Cut) -> tuple[Numbers, Numbers, Numbers]:
        """Which words of a text are keys, their numbers, and those of what its words hold besides."""
        at, found = self._whole.find(text.codes)
        numbers = found >> 1
        long = text.sizes.take(at) > BYTES  # of these it was the first bytes that were found
        numbers[long] = NONE
        more = (long & (found & 1 > 0)).nonzero()[0]
        longer = text.slices(at.take(more))
        numbers[more] = [self._long.get(word, NONE) for word in longer]
        known = numbers.nonzero()[0]
        besides = self._prefixes.within(text.codes)
        if self._opened.reads_words:
            read = text.data.split() if self._opened.reads_all else longer
            opened = list(chain.from_iterable(map(self._opened.__getitem__, read)))
            besides = np.concatenate((besides, np.array(opened, np.int64)))
        return at.take(known), numbers.take(known), besides


class _Prefixes:
    """Prefixes of at most eight bytes."""

    def __init__(self, numbers: dict[bytes, int]) -> None:
        sizes = sorted(set(map(len, numbers)))
        self._sizes, self._shortest = heads(sizes), heads(sizes[:1])
        self._starts = _table({start[: sizes[0]]: NONE for start in numbers})
        self._whole = _table(numbers)

    def within(self, codes: Codes) -> Numbers:
        """The numbers of those with which words begin."""
        if not self._sizes.size:
            return np.zeros(0, np.int64)
        begun = self._starts.may_have((codes & self._shortest)[0])  # few words begin as one of few prefixes
        return self._whole.find((codes.take(begun) & self._sizes).reshape(-1))[1]


class _Opened(dict[bytes, tuple[int, ...]]):
    """Of each word the numbers of the keys of a lexicon that it holds, once it was asked for."""

    def __init__(self, numbers: dict[Key, int], lexicon: Lexicon) -> None:
        super().__init__()
        self.reads_words = lexicon.reads_words
        self.reads_all = lexicon.of_word.reads_all
        self._numbers = numbers
        self._of_word = lexicon.of_word

    def __missing__(self, word: bytes) -> tuple[int, ...]:
        found = tuple([self._numbers[key] for key in self._of_word[word.decode()]])
        remember(self, word, found)
        return found


def _table(words: dict[bytes, int]) -> Table:
    """Of words of at most eight bytes."""
    return Table(np.array([code(word) for word in words], np.uint64), np.array(list(words.values()), np.int64))
