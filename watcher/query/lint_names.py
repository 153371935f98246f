"""What is said of names: that another language has the word too, or that one form of several is looked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from watcher.query import arabic, russian
from watcher.query.ast import And, AtLeast, Field, First, Forms, Named, Near, Node, Not, Or, Word, children
from watcher.query.lexer import TEXT_FIELDS
from watcher.query.names import Foreign, foreign, is_ukrainian, ukrainian

LONGEST_REWRITE = 80  # characters: a longer query is not written out in a hint


def foreign_words(node: Node) -> list[tuple[Word, Node]]:
    """Words that another language has too and that `node` can hold by alone; each once, with where it is named.

    A word that stands with another required one, that is no such word, says what is meant by that: Russia AND Mali.
    """
    found: dict[str, tuple[Word, Node]] = {}
    for word, place in _alone(node) or ():
        found.setdefault(word.text.casefold(), (word, place))
    return list(found.values())


def _alone(node: Node) -> list[tuple[Word, Node]] | None:  # noqa: PLR0911 - one case a node
    """The foreign words by which alone `node` can hold; None where it needs more, or says the language."""
    match node:
        case Word():
            return [(node, node)] if not node.exact and foreign(node.text) else None
        case Forms(written=Word() as word):
            return _alone(word)
        case And(children=below):
            if any(
                isinstance(one, Field) and one.name == "lang" for child in below for one in (child, *children(child))
            ):
                return None
            return _all([_alone(child) for child in below if not isinstance(child, Not)])
        case Near(left=left, right=right):
            return _all([_alone(left), _alone(right)])
        case Or(children=below):
            found = [one for child in below for one in _alone(child) or ()]
            return found or None
        case Named(child=child):
            below_term = _alone(child)
            return below_term and [(word, node) for word, _ in below_term]
        case Field(name=name, child=child) if name in TEXT_FIELDS:
            return _alone(child)
        case First(child=child) | AtLeast(child=child):
            return _alone(child)
    return None


def _all(found: list[list[tuple[Word, Node]] | None]) -> list[tuple[Word, Node]] | None:
    return [one for part in found for one in part or ()] if found and None not in found else None


def rewrite(node: Node, word: Word, meaning: Foreign) -> str:
    """The query with what takes the other language's word away."""
    if meaning.same_language:
        return f"write {{{word.text.capitalize()}}}, which is exact case"
    text, compound = str(node), isinstance(node, And | Or | Near)
    if len(text) > LONGEST_REWRITE:
        return f"{'put all of it in parentheses and ' if compound else ''}add NOT lang:{meaning.lang} behind it"
    return f"write {f'({text})' if compound else text} NOT lang:{meaning.lang}"


def single_forms(nodes: Iterable[Node], known: Collection[str]) -> Iterator[tuple[Word, str, str]]:
    """The first name of each language that stands in one of its forms only: the name, the language, what to write.

    `known` are the languages whose forms match as it is.
    """
    said = set(known)
    for node in nodes:
        group = children(node) if isinstance(node, Or) else (node,)
        words = [one for one in group if isinstance(one, Word) and not one.exact]
        written = Counter(form for word in words for form in {word.text, *_forms(word.text)[1]})
        prefixes = tuple(word.text[:-1].casefold() for word in words if word.text[-1] == "*")
        for word in words:
            language, forms = _forms(word.text)
            alone = len(forms) > 1 and all(written[form] == 1 for form in forms)
            if alone and language not in said and not word.text.casefold().startswith(prefixes):
                said.add(language)
                yield word, language, _hint(language, forms)


def _forms(name: str) -> tuple[str, list[str]]:
    """The language that `name` is of, and its forms there."""
    if name[:1].isupper() and len(name) > 3:
        if is_ukrainian(name):
            return "uk", ukrainian(name)
        return "ru", russian.forms(name)
    return "ar", arabic.forms(name)


def _hint(language: str, forms: list[str]) -> str:
    written = f"write ({' OR '.join(forms[:6])}{' …' if len(forms) > 6 else ''})"
    return written if language == "uk" else f"add forms: [{language}] beside the query, or {written}"
