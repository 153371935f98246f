"""A rule's query as a search service can be asked it. Pure.

What a service cannot express is left out, so that it finds at least what the rule does; the rule itself is judged here,
on each item. A query becomes clauses that must all hold, each a choice of words and phrases, and words that must not be
there: what GDELT's and Google's syntax have in common (OR only within one pair of parentheses).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from watcher.query.ast import And, AtLeast, Field, First, Named, Near, Node, Not, Or, Phrase, Word, children

MAX_PRODUCT = 4  # clauses that a choice between conjunctions may make before the shortest stands for it

Clause = frozenset[str]  # quoted phrases and words, one of which must be there


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a service is asked: all of `clauses`, none of `without`."""

    clauses: tuple[Clause, ...]
    without: tuple[str, ...] = ()

    def text(self, longest: int) -> str:
        """The query in at most `longest` characters: the longest clauses are left out. Raises ValueError."""
        clauses = list(self.clauses)
        without = list(self.without)
        while True:
            parts = [_joined(clause) for clause in clauses] + [f"-{term}" for term in without]
            text = " ".join(parts)
            if len(text) <= longest:
                return text
            if without:
                without.pop()
            elif len(clauses) > 1:
                clauses.remove(max(clauses, key=lambda clause: len(_joined(clause))))
            else:
                raise ValueError(f"its shortest part has more than the {longest} characters that the service takes")


def _joined(clause: Clause) -> str:
    terms = sorted(clause)
    return terms[0] if len(terms) == 1 else "(" + " OR ".join(terms) + ")"


def compile_query(node: Node, term: Callable[[str], str | None]) -> Compiled:
    """`node` as a service can be asked it; `term` writes words as the service takes them, or gives None.

    Raises ValueError where nothing is left that must be there.
    """
    clauses = _clauses(node, term)
    if not clauses:
        raise ValueError("the service cannot search for it: it needs a word or a phrase that must be there")
    kept = [clause for clause in clauses if not any(other < clause for other in clauses)]
    return Compiled(tuple(dict.fromkeys(kept)), tuple(dict.fromkeys(_without(node, term))))


def _clauses(node: Node, term: Callable[[str], str | None]) -> list[Clause]:
    """What must hold wherever `node` does; empty where that cannot be said."""
    match node:
        case Word() | Phrase():
            return _terms(node, term)
        case And() | Near():
            return [clause for child in children(node) for clause in _clauses(child, term)]
        case Or():
            return _choice([_clauses(child, term) for child in node.children])
        case First() | AtLeast() | Named():
            return _clauses(node.child, term)
        case Field() if node.name in ("title", "summary", "body"):
            return _clauses(node.child, term)
    return []


def _choice(choices: list[list[Clause]]) -> list[Clause]:
    if not all(choices):
        return []
    size = 1
    for clauses in choices:
        size *= len(clauses)
    if size <= MAX_PRODUCT:
        return [frozenset().union(*each) for each in product(*choices)]
    return [frozenset().union(*(min(clauses, key=len) for clauses in choices))]


def _terms(node: Word | Phrase, term: Callable[[str], str | None]) -> list[Clause]:
    words = [node.text] if isinstance(node, Word) else [word.text for word in node.words]
    plain = [word for word in words if not set(word) & set("*?")]
    if isinstance(node, Word) or (node.loose is None and len(plain) == len(words)):
        found = [term(" ".join(words))] if len(plain) == len(words) else []
    else:
        found = [term(word) for word in plain]
    return [frozenset((each,)) for each in found if each]


def _without(node: Node, term: Callable[[str], str | None]) -> list[str]:
    """The words and phrases that the query as a whole excludes, in any field."""
    match node:
        case Named(child=child):
            return _without(child, term)
        case And():
            return [each for child in node.children for each in _without(child, term)]
        case Not(child=child):
            return _excluded(child, term)
    return []


def _excluded(node: Node, term: Callable[[str], str | None]) -> list[str]:
    match node:
        case Or():
            return [each for child in node.children for each in _excluded(child, term)]
        case Named(child=child):
            return _excluded(child, term)
        case Word(exact=False) | Phrase(loose=None):
            clauses = _terms(node, term)
            words = 1 if isinstance(node, Word) else len(node.words)
            return [each for clause in clauses for each in clause] if len(clauses) == 1 and words else []
    return []


def gdelt_term(text: str) -> str | None:
    """A word or phrase for GDELT, which searches in English translation and refuses what is short."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    plain = " ".join("".join(char if char.isalnum() or char in "'-." else " " for char in plain).split())
    if not plain.isascii() or len(plain) < 3:
        return None
    return f'"{plain}"' if not plain.isalnum() else plain


def google_term(text: str) -> str | None:
    """A word or phrase for Google News; in quotes, since it takes bare words for hints."""
    plain = " ".join("".join(char if char.isalnum() or char in "'-.&+#" else " " for char in text).split())
    return f'"{plain}"' if plain else None
