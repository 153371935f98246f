"""A peer that finds words, made to say which rules hold: what one who uses it for that would write.

The words, prefixes and phrases that are found name the rules to look at, and each of these is judged from where they
stand: AND, OR and NOT by whether, NEAR by the words between, a title by itself. Case is folded; possessives, accents,
signs, and prefixes within phrases are not looked after.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import ahocorasick_rs

from watcher.query import Document, Node, parse
from watcher.query.ast import And, Field, Near, Not, Or, Phrase, Word, children

SPACED = re.compile(r"\W+")
Places = dict[int, list[int]]  # of each part that stands in a text: the characters where it begins
Judge = Callable[[str, Places, Places], bool]  # from a text, its parts, and those of its title


def judged(queries: list[str]) -> Callable[[Document], list[int]]:
    """What gives the numbers of the rules that hold for a document."""
    nodes = [parse(query) for query in queries]
    parts: dict[str, int] = {}
    rules: list[list[int]] = []
    for rule, node in enumerate(nodes):
        for part in set(named(node)):
            if parts.setdefault(part, len(parts)) == len(rules):
                rules.append([])
            rules[parts[part]].append(rule)
    find = ahocorasick_rs.AhoCorasick(list(parts)).find_matches_as_indexes
    judges = [judge(node, parts) for node in nodes]

    def places(text: str) -> Places:
        found: Places = {}
        for part, start, _ in find(text, overlapping=True):
            found.setdefault(part, []).append(start)
        return found

    def match(document: Document) -> list[int]:
        title, text = spaced(document.title), spaced(f"{document.title}\n\n{document.body}")
        found, in_title = places(text), places(title)
        candidates = {rule for part in found for rule in rules[part]}
        return [rule for rule in sorted(candidates) if judges[rule](text, found, in_title)]

    return match


def spaced(text: str) -> str:
    return f" {SPACED.sub(' ', text.casefold())} "


def written(node: Word | Phrase) -> str:
    """As it stands in spaced text."""
    text = node.text if isinstance(node, Word) else " ".join(word.text for word in node.words)
    return f" {text[:-1]}" if text.endswith("*") else f" {text} "


def named(node: Node) -> Iterator[str]:
    if isinstance(node, Word | Phrase):
        yield written(node)
        return
    for child in children(node):
        yield from named(child)


def judge(node: Node, parts: dict[str, int]) -> Judge:
    """A function for a rule, of the operators that the benchmark's have."""
    match node:
        case Word() | Phrase():
            part = parts[written(node)]
            return lambda text, found, title: part in found
        case And(children=below):
            every = [judge(child, parts) for child in below]
            return lambda text, found, title: all(one(text, found, title) for one in every)
        case Or(children=below):
            either = [judge(child, parts) for child in below]
            return lambda text, found, title: any(one(text, found, title) for one in either)
        case Not(child=child):
            inner = judge(child, parts)
            return lambda text, found, title: not inner(text, found, title)
        case Field(name="title", child=child):
            within = judge(child, parts)
            return lambda text, found, title: within(text, title, title)
        case Near(left=left, right=right, distance=int(distance)):
            ones, others = [parts[part] for part in named(left)], [parts[part] for part in named(right)]
            return lambda text, found, title: close(text, starts(found, ones), starts(found, others), distance)
    raise TypeError(f"no rule of the benchmark has {type(node).__name__}")


def starts(found: Places, parts: list[int]) -> list[int]:
    return [start for part in parts for start in found.get(part, ())]


def close(text: str, ones: list[int], others: list[int], distance: int) -> bool:
    """Whether two different words stand with at most so many words between, by the spaces from one to the other."""
    return any(
        text.count(" ", min(one, other) + 1, max(one, other) + 1) <= distance + 1
        for one in ones
        for other in others
        if one != other
    )
