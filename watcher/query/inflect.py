"""A query whose words match in more than the form that is written: a name's cases and particles, or a stem."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import reduce

from watcher.query import arabic, russian
from watcher.query.ast import And, AtLeast, Field, First, Forms, Near, Node, Not, Or, Phrase, Word
from watcher.query.lexer import TEXT_FIELDS

FORMS: dict[str, Callable[[str], list[str]]] = {"ru": russian.forms, "ar": arabic.forms}
STEMS = ("ar", "da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv", "tr")


def inflected(node: Node, forms: Collection[str] = (), stem: str = "") -> Node:  # noqa: PLR0911 - one case a node
    """`node` with its words and phrases in all their forms: of the languages `forms`, else by the stems of `stem`.

    {Exact} words, prefixes, patterns and what stands in named terms, which say this for themselves, stay as they are.
    """

    def inner(child: Node) -> Node:
        return inflected(child, forms, stem)

    match node:
        case Word():
            return _word(node, forms, stem)
        case Phrase():
            return _phrase(node, forms, stem)
        case And(children=below) | Or(children=below) if not isinstance(node, Forms):
            return replace(node, children=tuple(map(inner, below)))
        case Near(left=left, right=right):
            return replace(node, left=inner(left), right=inner(right))
        case Field(name=name, child=child) if name in TEXT_FIELDS:
            return replace(node, child=inner(child))
        case Not(child=child) | First(child=child) | AtLeast(child=child):
            return replace(node, child=inner(child))
    return node


def name_forms(word: Word, languages: Collection[str]) -> list[str]:
    """The forms of `word` in the first of `languages` that has any, itself first."""
    if not word.exact and not set(word.text) & {"*", "?"}:
        for language in languages:
            found = FORMS[language](word.text)
            if len(found) > 1:
                return found
    return [word.text]


def _word(word: Word, languages: Collection[str], stem: str) -> Word | Forms:
    found = name_forms(word, languages)
    if len(found) == 1:
        return replace(word, stem=stem)
    alike = tuple(Word(form, False, word.start, word.end) for form in found)
    return Forms(alike, word.start, word.end, written=word)


def _phrase(phrase: Phrase, languages: Collection[str], stem: str) -> Phrase | Forms:
    """Word by word: in Russian each word of a name takes its case; Arabic particles stand before the first only."""
    others = [language for language in languages if language != "ar"]
    words = [_word(word, others if at else languages, stem) for at, word in enumerate(phrase.words)]
    plain = tuple(word for word in words if isinstance(word, Word))
    if len(plain) == len(words):
        return replace(phrase, words=plain)
    distance = phrase.loose or 0
    chain = reduce(lambda left, right: Near(left, right, distance, ordered=True), words[1:], words[0])  # type: ignore[arg-type, return-value]
    return Forms((chain,), phrase.start, phrase.end, written=phrase)
