"""What differs between two versions of a text: sentences that only one has, and those that were edited. Pure.

A sentence that only moved differs in nothing; neither does one whose case, marks or punctuation changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from watcher.text.fold import words

_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])|\n+")
MOST = 400  # sentences of a text that are compared
EDITED = 0.5  # of the words of two sentences in common: one is the other, edited
COMPARED = 40  # sentences that only one text has, each compared with each of the other's


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as written, and its folded words, by which it is compared."""

    written: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What one text has and the other has not, each in its own order."""

    dropped: tuple[Sentence, ...]
    added: tuple[Sentence, ...]
    edited: tuple[tuple[Sentence, Sentence], ...]  # before and after
    kept: int  # sentences that both have

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.dropped or self.added or self.edited)


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text that have words."""
    parts = (part.strip() for part in _SENTENCE.split(text) if part)
    found = (Sentence(part, tuple(words(part))) for part in parts if part)
    return [sentence for sentence in found if sentence.words][:MOST]


def difference(before: str, after: str) -> Difference:
    """How `after` differs from `before`."""
    old, new = sentences(before), sentences(after)
    gone = _without(old, Counter(sentence.words for sentence in new))
    come = _without(new, Counter(sentence.words for sentence in old))
    kept = len(old) - len(gone)
    edited = _pairs(gone, come)
    was, became = {id(pair[0]) for pair in edited}, {id(pair[1]) for pair in edited}
    dropped = tuple(sentence for sentence in gone if id(sentence) not in was)
    added = tuple(sentence for sentence in come if id(sentence) not in became)
    return Difference(dropped, added, tuple(edited), kept)


def replaced(before: Sequence[str], after: Sequence[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The runs of words that were put in the place of others, in order; either may be empty."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [(tuple(before[a:b]), tuple(after[c:d])) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]


def _without(found: Sequence[Sentence], others: Counter[tuple[str, ...]]) -> list[Sentence]:
    """Those of `found` for which there is none among `others`, each of which stands for one."""
    left = others.copy()
    only = []
    for sentence in found:
        if left[sentence.words]:
            left[sentence.words] -= 1
        else:
            only.append(sentence)
    return only


def _pairs(gone: Sequence[Sentence], come: Sequence[Sentence]) -> list[tuple[Sentence, Sentence]]:
    """Each new sentence with the old one that it is an edited form of, the likest first; none is used twice."""
    scored = []
    for old_place, old in enumerate(gone[:COMPARED]):
        have = Counter(old.words)
        for new_place, new in enumerate(come[:COMPARED]):
            common = (have & Counter(new.words)).total()
            alike = 2 * common / (len(old.words) + len(new.words))
            if alike >= EDITED:
                scored.append((-alike, new_place, old_place))
    used_old: set[int] = set()
    used_new: dict[int, int] = {}
    for _, new_place, old_place in sorted(scored):
        if old_place not in used_old and new_place not in used_new:
            used_old.add(old_place)
            used_new[new_place] = old_place
    return [(gone[used_new[place]], come[place]) for place in sorted(used_new)]
