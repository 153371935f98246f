"""An Arabic word with the particles that are written on to it.

In front of a noun stand, in this order, و or ف (and, so), ب, ل or ك (in, for, like) and the article ال; ل and the
article are written لل (any grammar, such as Ryding, A Reference Grammar of Modern Standard Arabic, 2005). The word
itself must remain.
"""

from __future__ import annotations

import re

SHORTEST = 3  # letters: particles before two letters make other words
_ARABIC = re.compile(r"[\u0621-\u064a\u066e-\u06d3]+$")
_ARTICLE = "ال"
_CONJUNCTIONS = ("", "و", "ف")
_PREPOSITIONS = ("", "ب", "ل", "ك")


def forms(word: str) -> list[str]:
    """`word` itself first, then with each combination of particles; only itself where it is no Arabic word."""
    if not _ARABIC.match(word) or len(word) < SHORTEST:
        return [word]
    bare = word.removeprefix(_ARTICLE) if len(word) >= SHORTEST + len(_ARTICLE) else word
    nouns = (word,) if bare != word else (word, _ARTICLE + word)
    found = [
        conjunction + _joined(preposition, noun, _ARTICLE + bare)
        for noun in nouns
        for preposition in _PREPOSITIONS
        for conjunction in _CONJUNCTIONS
    ]
    return list(dict.fromkeys(found))


def _joined(preposition: str, noun: str, definite: str) -> str:
    """ل before the article takes its alef away: للسودان; before a noun in ل also one of three lams: لليبيا."""
    if preposition == "ل" and noun == definite:
        rest = noun.removeprefix(_ARTICLE)
        return "لل" + rest.removeprefix("ل")
    return preposition + noun
