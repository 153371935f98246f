"""What may stand where in a query, and how large it may be: beyond what the grammar says."""

from __future__ import annotations

import re

from watcher.errors import QueryError
from watcher.query.ast import (
    And,
    AtLeast,
    Field,
    First,
    InLanguage,
    Named,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Regex,
    Word,
    children,
)
from watcher.query.lexer import ITEM_FIELDS, Token

DEEPEST_TREE = 200  # the same with named terms written out
LARGEST_TREE = 200_000  # words and operators, with named terms written out


def check_pattern(pattern: str, start: int) -> None:
    """Refuse what RE2 does not take. Raises QueryError."""
    import re2  # noqa: PLC0415 - only where a rule has a regular expression

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise QueryError(
            f"the regular expression does not compile: {reason}",
            start + 1,
            "it is RE2, without look-around and back references",
            length=len(pattern) + 2,
        ) from None


def check_operand(node: Node, of: str = "NEAR") -> None:
    """NEAR and ATLEAST take what stands at places: words, phrases, OR of these, terms of these, NEAR."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Word | Phrase):
            continue
        if isinstance(one, Or | Near | Named | InLanguage):
            waiting.extend(children(one))
            continue
        what = {And: "AND", Not: "NOT", First: "FIRST", AtLeast: "ATLEAST", Regex: "a regular expression"}.get(
            type(one), "a field"
        )
        hint = "write title:(a NEAR b)" if isinstance(one, Field) else "it takes words, phrases, and OR of these"
        if isinstance(one, And):
            hint += "; each NEAR stands between two of them, as in (a NEAR/5 b) AND (a NEAR/5 c)"
        place = node if isinstance(node, Named) else one
        raise QueryError(f"{what} inside of {of}", place.start + 1, hint, length=max(1, place.end - place.start))


def check_field_free(node: Node, token: Token, field: str) -> None:
    """Refuse a named term within a field that has fields of its own, or that is no list of values."""
    for one in below(node):
        if isinstance(one, Field):
            raise QueryError(f"@{token.value} has a field, and stands inside of {field}:", token.start + 1)
        if field in ITEM_FIELDS and not isinstance(one, Or | And | Not | Word | Phrase | Named):
            raise QueryError(f"@{token.value} is no list of values for {field}:", token.start + 1)


def check_value(field: str, text: str, token: Token) -> None:
    """Refuse what `lang:` and `site:` cannot be compared with."""
    if field == "lang" and not re.fullmatch(r"[A-Za-z]{2,3}(?:[-_]\w+)*", text):
        raise QueryError(
            f"{text} is no language",
            token.start + 1,
            "expected a code of two or three letters, such as lang:fr or lang:und",
        )
    if field == "site" and not re.fullmatch(r"(?:https?://)?(?:\*\.)?[^\s/?#@]+/?", text):
        raise QueryError(
            f"{text} is no host", token.start + 1, "expected site:example.org; for a part of the path: url:"
        )


def below(node: Node) -> list[Node]:
    """`node` and all below it, named terms written out."""
    found, waiting, seen = [], [node], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        found.append(one)
        waiting.extend(children(one))
    return found


def check_size(node: Node) -> None:
    """Refuse what named terms make too large or too deep; each node is measured once, however often it is named."""
    size: dict[int, tuple[int, int]] = {}
    waiting: list[tuple[Node, bool]] = [(node, False)]
    while waiting:
        one, ready = waiting.pop()
        if id(one) in size:
            continue
        below = children(one)
        if not ready and below:
            waiting.append((one, True))
            waiting.extend((child, False) for child in below)
            continue
        count = 1 + sum(size[id(child)][0] for child in below)
        depth = 1 + max((size[id(child)][1] for child in below), default=0)
        if count > LARGEST_TREE or depth > DEEPEST_TREE:
            raise QueryError(
                f"with its named terms written out it has more than {LARGEST_TREE:,} parts or {DEEPEST_TREE} levels",
                one.start + 1,
                "name fewer terms within each other",
            )
        size[id(one)] = (count, depth)
