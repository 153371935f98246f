"""Why a query holds for a document, or does not: the verdict of every branch, and what came nearest."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from watcher.model import Span
from watcher.query.anchors import gather
from watcher.query.ast import (
    And,
    AtLeast,
    Field,
    First,
    Forms,
    InLanguage,
    Named,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Regex,
    Value,
    Word,
    children,
)
from watcher.query.document import Document
from watcher.query.evaluate import EVERYWHERE, Hit, Scope, gap, hits, holds, spans, times
from watcher.query.lexer import ITEM_FIELDS
from watcher.query.lexicon import Lexicon
from watcher.query.view import View
from watcher.text.fold import fold, words

MOST_BRANCHES = 50  # shown of one OR


@dataclass(frozen=True, slots=True)
class Verdict:
    """One branch: its query, whether it holds, and, in words, what was found or came nearest."""

    query: str
    holds: bool
    note: str = ""
    children: tuple[Verdict, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Verdict:
        """The one that `to_json` gave."""
        below = tuple(cls.from_json(child) for child in value.get("children", ()))
        return cls(value["query"], value["holds"], value.get("note", ""), below)

    def lines(self) -> Iterator[str]:
        """The tree, one branch a line, indented."""
        return _lines(self, "")

    def to_json(self) -> dict[str, Any]:
        """For JSON; without empty parts."""
        found: dict[str, Any] = {"query": self.query, "holds": self.holds}
        if self.note:
            found["note"] = self.note
        if self.children:
            found["children"] = [child.to_json() for child in self.children]
        return found


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict, the words that decided it, and the tree of verdicts."""

    holds: bool
    spans: tuple[Span, ...]
    tree: Verdict

    def to_json(self) -> dict[str, Any]:
        """`{"holds", "spans": [{"field", "start", "end"}], "tree": {"query", "holds", "note", "children"}}`."""
        marked = [{"field": span.field, "start": span.start, "end": span.end} for span in self.spans]
        return {"holds": self.holds, "spans": marked, "tree": self.tree.to_json()}

    def lines(self) -> Iterator[str]:
        """The tree, one branch a line, indented."""
        return self.tree.lines()


def _lines(verdict: Verdict, indent: str) -> Iterator[str]:
    note = f"  ({verdict.note})" if verdict.note else ""
    yield f"{indent}{'✓' if verdict.holds else '✗'} {verdict.query}{note}"
    for child in verdict.children:
        yield from _lines(child, indent + "  ")


def explain(node: Node, document: Document) -> Explanation:
    """Judge `node` on `document`, with reasons. For one query and one document: a RuleSet is for many."""
    view = View(Lexicon(gather([node])[1]), document)
    verdict = _verdict(node, view, EVERYWHERE)
    return Explanation(verdict.holds, spans(node, view) if verdict.holds else (), verdict)


def _verdict(  # noqa: PLR0911, PLR0912 - one case a node
    node: Node, view: View, scope: Scope
) -> Verdict:
    held = holds(node, view, scope)
    match node:
        case Forms():
            note = _forms_note(node, view, scope) if held else _word_note(node.written, view, scope)
            return Verdict(str(node), held, note)
        case InLanguage(lang=lang, child=child):
            if not node.reads(view.document.lang):
                return Verdict(f"for items in {lang}", held, f"the item is in {view.document.lang}")
            return Verdict(f"for items in {lang}", held, "", (_verdict(child, view, scope),))
        case And() | Or():
            below = tuple(_verdict(child, view, scope) for child in children(node)[:MOST_BRANCHES])
            word = "all" if isinstance(node, And) else "any"
            return Verdict(f"{word} of", held, _count(below, len(children(node))), below)
        case Not(child=child):
            return Verdict("NOT", held, "", (_verdict(child, view, scope),))
        case Named(name=name, child=child):
            return Verdict(f"@{name}", held, "", (_verdict(child, view, scope),))
        case Field(name=name, child=child):
            inner = Scope((name,), scope.limit)
            if name in ITEM_FIELDS:
                return Verdict(str(node), held, "" if held else _value_note(name, view))
            if isinstance(child, Word | Phrase):
                return Verdict(str(node), held, _field_note(node, view, held))
            return Verdict(f"in {name}", held, "", (_verdict(child, view, inner),))
        case First(count=count):
            return Verdict(str(node), held, "" if held else _first_note(node, view, scope), ())
        case AtLeast(count=count, child=child):
            found = {text.name: times(hits(child, text, scope.limit)) for text in view.texts(scope.fields)}
            most = max(found, key=lambda name: found[name], default="")
            return Verdict(str(node), held, f"{found[most]} of {count} times in {most}" if most else "no text")
        case Near():
            return Verdict(str(node), held, "" if held else _near_note(node, view, scope))
        case Regex() | Value():
            return Verdict(str(node), held)
    if held and isinstance(node, Word) and node.stem:
        return Verdict(str(node), held, _forms_note(node, view, scope))
    return Verdict(str(node), held, _places(node, view, scope) if held else _word_note(node, view, scope))


def _count(below: tuple[Verdict, ...], whole: int) -> str:
    held = sum(child.holds for child in below)
    more = f", the first {len(below)} shown" if whole > len(below) else ""
    return f"{held} of {len(below)} hold{more}"


def _forms_note(node: Node, view: View, scope: Scope) -> str:
    """`as России, Россией: 1 in title, 2 in body`."""
    found = {
        text.text[text.offsets((hit.first, hit.last))[0] : text.offsets((hit.first, hit.last))[1]]: None
        for text in view.texts(scope.fields)
        for hit in hits(node, text, scope.limit)
    }
    return f"as {', '.join(list(found)[:5])}: {_places(node, view, scope)}"


def _places(node: Node, view: View, scope: Scope) -> str:
    """`2 in title, 5 in body`."""
    found = {text.name: len(hits(node, text, scope.limit)) for text in view.texts(scope.fields)}
    return ", ".join(f"{count} in {name}" for name, count in found.items() if count)


def _value_note(field: str, view: View) -> str:
    value = ", ".join(view.document.tags) if field == "tag" else view.document.text(field)
    return f"the item's {field} is {value}" if value else f"the item has no {field}"


def _field_note(node: Field, view: View, held: bool) -> str:
    if held:
        return _places(node.child, view, Scope((node.name,)))
    elsewhere = _places(node.child, view, EVERYWHERE)
    return elsewhere + " only" if elsewhere else _word_note(node.child, view, Scope((node.name,)))


def _first_note(node: First, view: View, scope: Scope) -> str:
    child = node.child
    if not isinstance(child, Word | Phrase | Near):
        return f"not within the first {node.count} words of a field"
    found = [hit for text in view.texts(scope.fields) for hit in hits(child, text)]
    return f"first as word {min(hit.last for hit in found) + 1}" if found else "not found"


def _near_note(node: Near, view: View, scope: Scope) -> str:
    """The closest pair of what was to be near, over the fields."""
    best: tuple[int, str, Hit, Hit] | None = None
    missing: set[str] = {str(node.left), str(node.right)}
    for text in view.texts(scope.fields):
        left, right = hits(node.left, text, scope.limit), hits(node.right, text, scope.limit)
        missing -= {str(node.left)} if left else set()
        missing -= {str(node.right)} if right else set()
        for one, other in _neighbours(left, right):
            distance = gap(one, other)
            if best is None or distance < best[0]:
                best = (distance, text.name, one, other)
    if missing:
        return f"{' and '.join(sorted(missing))} not found"
    if best is None:
        return "never in the same field"
    distance, name, one, other = best
    closest = f"closest pair {distance} word{'s' * (distance != 1)} apart in {name}"
    if node.ordered and other.first <= one.last and (node.distance is None or distance <= node.distance):
        return closest + ", in the other order"
    if node.distance is None:
        return closest + f", in different {'sentences' if node.unit == 's' else 'paragraphs'}"
    return closest


def _neighbours(left: list[Hit], right: list[Hit]) -> Iterator[tuple[Hit, Hit]]:
    """Each hit with its neighbours of the other side: the closest pair is among these."""
    merged = sorted([(hit, 0) for hit in left] + [(hit, 1) for hit in right])
    for (one, side), (other, other_side) in itertools.pairwise(merged):
        if side != other_side:
            yield (one, other) if side == 0 else (other, one)


def _word_note(node: Node, view: View, scope: Scope) -> str:
    """What came nearest to a word or phrase that was not found."""
    if isinstance(node, Phrase):
        return _phrase_note(node, view, scope)
    if not isinstance(node, Word):
        return ""
    for text in view.texts(scope.fields):
        near = _variants(node, text.text)
        if near:
            return f"not found; {text.name} has {', '.join(sorted(near)[:3])}"
    return "not found"


def _variants(word: Word, text: str) -> set[str]:
    """Words of `text` that differ in accents or case only, or begin with it."""
    plain = fold(word.text.strip("*"))[0]
    if len(plain) < 4 or len(word.keys) > 1:
        return set()
    return {found for found in words(text[:100_000]) if found.startswith(plain) and len(found) <= len(plain) + 3}


def _phrase_note(node: Phrase, view: View, scope: Scope) -> str:
    missing = [word.text for word in node.words if not holds(word, view, scope)]
    if missing:
        return f"{', '.join(missing)} not found"
    distance = node.loose or 0
    for text in view.texts(scope.fields):
        for reach in (5, 20, 100):
            if reach > distance and hits(Phrase(node.words, reach), text, scope.limit):
                closer = "closer" if distance else "side by side"
                return f"its words stand in {text.name} within {reach} words of each other, not {closer}"
    return "its words are there, but not together"
