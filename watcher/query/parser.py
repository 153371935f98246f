"""The strict parser: what it does not understand is an error with its column, what was expected, and a suggestion.

expr  := and (OR and)*
and   := not ((AND | AND NOT | NOT | ε) not)*
not   := NOT not | near
near  := unit ((NEAR[/n|/s|/p] | ONEAR[/n]) unit)*
unit  := field:unit | "(" expr ")" | ATLEAST/n(unit) | FIRST/n(expr) | phrase | words | @name | /regex/
words := WORD+
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from watcher.errors import QueryError
from watcher.query.ast import (
    And,
    AtLeast,
    Field,
    First,
    Named,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Regex,
    Value,
)
from watcher.query.checks import below, check_field_free, check_operand, check_pattern, check_size, check_value
from watcher.query.lexer import ITEM_FIELDS, Kind, Token, field_inside, suggest, tokenize
from watcher.query.words import bare_word, exact_words, quoted_words

SHORT = 100  # characters, in which no tree is too large or deep unless by a named term
DEEPEST = 50  # levels of parentheses and operators within each other; a person writes four

_NAMES = {
    Kind.AND: "AND",
    Kind.OR: "OR",
    Kind.NOT: "NOT",
    Kind.CLOSE: ")",
    Kind.END: "the end of the query",
    Kind.LOOSE: "~",
}
_STARTS = frozenset(
    {Kind.WORD, Kind.EXACT, Kind.QUOTE, Kind.NAMED, Kind.REGEX, Kind.FIELD, Kind.OPEN, Kind.FIRST, Kind.ATLEAST}
)
_CONTINUES = _STARTS | {Kind.AND, Kind.NOT}  # an AND, with or without its operator
_JOINED = frozenset({Kind.WORD, Kind.EXACT, Kind.NEAR})  # after a word: it is not the whole operand


def parse(text: str, terms: Mapping[str, Node] | None = None) -> Node:
    """The tree of a query. `terms` are what @name may name.

    Raises QueryError with the column, what was expected, and a hint.
    """
    parser = _Parser(text, terms or {})
    node = parser.whole()
    if "@" in text or len(text) >= SHORT:
        check_size(node)
    return node


def named_in(text: str) -> list[tuple[str, int]]:
    """The terms that a query names, and at which character each. Raises QueryError."""
    return [(token.value, token.start) for token in tokenize(text) if token.kind is Kind.NAMED]


class _Parser:
    def __init__(self, text: str, terms: Mapping[str, Node]) -> None:
        self._tokens = tokenize(text)
        self._terms = terms
        self._at = 0
        self._depth = 0
        self._field = ""  # the one that the parser is inside of

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    @property
    def _kind(self) -> Kind:
        return self._tokens[self._at][0]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def whole(self) -> Node:
        """The whole query."""
        if self._kind is Kind.END:
            raise QueryError("the query is empty", 1, "expected a word, such as Mali")
        node = self._or()
        token = self._token
        if token.kind is Kind.CLOSE:
            raise QueryError("this parenthesis closes nothing", token.start + 1, "take it away, or open one before it")
        if token.kind is not Kind.END:
            raise self._unexpected()
        return node

    def _or(self) -> Node:
        first = self._and()
        if self._kind is not Kind.OR:
            return first
        branches = [first]
        while self._kind is Kind.OR:
            self._at += 1
            branches.append(self._and())
        return Or(tuple(branches), branches[0].start, branches[-1].end)

    def _and(self) -> Node:
        first = self._not()
        branches, implicit = [first], []
        while (kind := self._kind) in _CONTINUES:
            if kind is Kind.AND:
                self._at += 1
            elif kind is not Kind.NOT:
                implicit.append(self._token.start)
            branches.append(self._not())
        if len(branches) == 1:
            return first
        return And(tuple(branches), first.start, branches[-1].end, tuple(implicit))

    def _not(self) -> Node:
        token = self._tokens[self._at]
        if token.kind is Kind.WORD and not self._field and self._tokens[self._at + 1].kind not in _JOINED:
            self._at += 1  # what most operands are: one word
            return bare_word(token)
        if token.kind is not Kind.NOT:
            return self._near()
        self._at += 1
        child = self._deeper(self._not, token)
        return Not(child, token.start, child.end)

    def _near(self) -> Node:
        left = self._unit()
        links = 0
        while self._kind is Kind.NEAR:
            token = self._take()
            if self._field in ITEM_FIELDS:
                raise QueryError(
                    "a distance has no meaning here", token.start + 1, f"{self._field}: takes values, AND, OR and NOT"
                )
            links += 1
            if links > DEEPEST:
                raise QueryError(f"more than {DEEPEST} distances in a chain", token.start + 1, "use parentheses and OR")
            if links == 1:
                check_operand(left)
            right = self._unit()
            check_operand(right)
            unit = token.value[0] if token.value[0] in "sp" else "w"
            distance = int(token.value.rstrip("f")) if unit == "w" else None
            left = Near(left, right, distance, unit, token.value.endswith("f"), left.start, right.end)
        return left

    def _unit(self) -> Node:
        token = self._token
        if token.kind not in _STARTS:
            raise self._unexpected()
        if self._field in ITEM_FIELDS and token.kind in _VALUES:
            return self._value()
        return _UNITS[token.kind](self)

    def _deeper(self, inner: Callable[[], Node], token: Token) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise QueryError(
                f"more than {DEEPEST} levels within each other",
                token.start + 1,
                "take needless parentheses away, or name parts of the query under terms",
            )
        node = inner()
        self._depth -= 1
        return node

    def _group(self) -> Node:
        token = self._take()
        if self._kind is Kind.CLOSE:
            raise QueryError("nothing stands between the parentheses", token.start + 1, "expected a word or phrase")
        node = self._deeper(self._or, token)
        end = self._close(token)
        return _grouped(node, token.start, end)

    def _close(self, opened: Token) -> int:
        if self._kind is Kind.END:
            raise QueryError(
                "this parenthesis is not closed", opened.start + 1, "expected ) at the end of what it holds"
            )
        if self._kind is not Kind.CLOSE:
            raise self._unexpected()
        return self._take().end

    def _words(self) -> Node:
        """Bare words side by side: one word, or a phrase."""
        words = []
        while self._kind in (Kind.WORD, Kind.EXACT):
            token = self._take()
            if token.kind is Kind.EXACT:
                words += exact_words(token)
            else:
                words.append(bare_word(token))
        return words[0] if len(words) == 1 else Phrase(tuple(words), None, words[0].start, words[-1].end)

    def _quote(self) -> Node:
        token = self._take()
        words = quoted_words(token)
        loose = None
        end = token.end
        if self._kind is Kind.LOOSE:
            mark = self._take()
            loose, end = int(mark.value), mark.end
        if len(words) == 1:
            return replace(words[0], start=token.start, end=end)
        return Phrase(tuple(words), loose, token.start, end)

    def _named(self) -> Node:
        token = self._take()
        if token.value not in self._terms:
            raise QueryError(
                f"no term is named {token.value}",
                token.start + 1,
                f"{suggest(token.value, list(self._terms))}terms stand under terms:; the handle itself is written "
                f'"@{token.value}"',
                length=token.end - token.start,
            )
        node = Named(token.value, self._terms[token.value], token.start, token.end)
        if self._field:
            check_field_free(node.child, token, self._field)
        return node

    def _regex(self) -> Node:
        token = self._take()
        check_pattern(token.value, token.start)
        return Regex(token.value, token.start, token.end)

    def _in_field(self) -> Node:
        token = self._take()
        if self._field:
            raise field_inside(self._field, token.start)
        if self._kind not in _STARTS:
            raise self._unexpected(f"after {token.value}: ")
        self._field = token.value
        child = self._deeper(self._unit, token)
        self._field = ""
        return Field(token.value, child, token.start, child.end)

    def _value(self) -> Node:
        token = self._take()
        text = " ".join(token.value.split())
        if not text:
            raise QueryError("an empty value", token.start + 1, f"expected what {self._field}: is compared with")
        if token.kind is Kind.WORD and self._field not in ("url", "lang"):
            while self._kind is Kind.WORD and self._tokens[self._at - 1].end < self._token.start:
                following = self._take()
                text, token = f"{text} {following.value}", token._replace(end=following.end)
        check_value(self._field, text, token)
        return Value(text, token.start, token.end)

    def _first(self) -> Node:
        token = self._take()
        child, end = self._argument(token, self._or)
        for one in below(child):
            if isinstance(one, Field):
                raise QueryError(
                    f"a field inside of FIRST/{token.value}",
                    one.start + 1 if not isinstance(child, Named) else token.start + 1,
                    f"write {one.name}:FIRST/{token.value}(…)",
                )
        return First(int(token.value), child, token.start, end)

    def _at_least(self) -> Node:
        token = self._take()
        child, end = self._argument(token, self._or)
        check_operand(child, f"ATLEAST/{token.value}")
        return AtLeast(int(token.value), child, token.start, end)

    def _argument(self, token: Token, inner: Callable[[], Node]) -> tuple[Node, int]:
        if self._kind is not Kind.OPEN:
            name = token.kind.name
            raise QueryError(
                f"{name}/{token.value} takes what it counts in parentheses",
                self._token.start + 1,
                f"as in {name}/{token.value}(Mali OR Niger)",
            )
        opened = self._take()
        child = self._deeper(inner, opened)
        return child, self._close(opened)

    def _unexpected(self, after: str = "") -> QueryError:
        token = self._token
        found = _NAMES.get(token.kind, token.value)
        if token.kind is Kind.NEAR:
            found = "a distance"
        hint = ""
        if token.kind in (Kind.AND, Kind.OR, Kind.NEAR, Kind.END):
            hint = "an operator needs something on both sides; to search for the word itself, write it in quotes"
        elif token.kind is Kind.LOOSE:
            hint = 'as in "junta leader"~3'
        message = f"{after}expected a word, a phrase or a parenthesis, found {found}"
        return QueryError(message, token.start + 1, hint, length=max(1, token.end - token.start))


_UNITS: dict[Kind, Callable[[_Parser], Node]] = {
    Kind.OPEN: _Parser._group,
    Kind.WORD: _Parser._words,
    Kind.EXACT: _Parser._words,
    Kind.QUOTE: _Parser._quote,
    Kind.NAMED: _Parser._named,
    Kind.REGEX: _Parser._regex,
    Kind.FIELD: _Parser._in_field,
    Kind.FIRST: _Parser._first,
    Kind.ATLEAST: _Parser._at_least,
}
_VALUES = frozenset({Kind.WORD, Kind.QUOTE, Kind.EXACT})


def _grouped(node: Node, start: int, end: int) -> Node:
    """`node` with the parentheses around it."""
    if isinstance(node, And):
        return And(node.children, start, end, node.implicit, grouped=True)
    if type(node) is Or:  # and not Forms, which is one with more
        return Or(node.children, start, end)
    return replace(node, start=start, end=end)  # type: ignore[type-var]  # every node is a dataclass
