"""A query's text, cut into tokens with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from watcher.errors import QueryError

LONGEST_QUERY = 250_000  # characters
TEXT_FIELDS = ("title", "summary", "body")
ITEM_FIELDS = ("author", "url", "site", "source", "lang", "tag")
FIELDS = TEXT_FIELDS + ITEM_FIELDS
_KNOWN_FIELDS = f"fields: {', '.join(FIELDS)}; "
ALIASES = {"intitle": "title", "headline": "title", "inurl": "url"}
FARTHEST = 1000  # words: the largest distance or count that an operator takes


class Kind(Enum):
    """What a token is."""

    __hash__ = object.__hash__  # each is one object; by its name, as Enum has it, is slow

    WORD = auto()
    EXACT = auto()  # {Word}: value is what stands in the braces
    QUOTE = auto()
    NAMED = auto()  # @name
    REGEX = auto()
    FIELD = auto()
    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    NEAR = auto()  # value is what follows the slash: a number, "s" or "p"; an f makes it ordered
    FIRST = auto()
    ATLEAST = auto()
    LOOSE = auto()  # ~n
    END = auto()


class Token(NamedTuple):
    """One token: `start` and `end` count characters from 0."""

    kind: Kind
    value: str
    start: int
    end: int


QUOTES = '"“”„«»'
_SCAN = re.compile(
    rf"""\s*(?:(?P<end>\Z)
    | (?P<comment>(?:(?<=\s)|(?<![\s\S]))\#(?=\s|\Z)[^\n]*)
    | (?P<open>\() | (?P<close>\))
    | (?P<quote>[{QUOTES}](?:[^{QUOTES}\\]|\\.)*+(?P<closed>[{QUOTES}])?)
    | (?P<exact>\{{[^{{}}]*\}}?)
    | (?P<and>&&) | (?P<or>\|\|)
    | (?P<loose>~[0-9]*)
    | (?P<word>(?:[^\s(){QUOTES}{{}}&|~]|&(?!&)|\|(?!\|))+)
    | (?P<stray>.))""",
    re.VERBOSE | re.DOTALL,
)
_WORD_OPERATORS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}
_NEAR = re.compile(r"(?:(O?NEAR)(?:/(\w*))?|([wW]|pre|PRE)/(\w+))$")
_COUNTED = re.compile(r"(FIRST|ATLEAST)/(\w*)$")
_FIELD = re.compile(r"([^\W\d][\w.]*):")
_NAME = re.compile(r"@([\w.-]+)$")
_NUMBER = re.compile(r"[0-9]{1,4}$")
_VALUE = re.compile(r"[^\s()]+")
_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)+)/")


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, ending with END. Raises QueryError."""
    if len(text) > LONGEST_QUERY:
        raise QueryError(
            f"the query is {len(text):,} characters long; {LONGEST_QUERY:,} are the most",
            LONGEST_QUERY + 1,
            "cut it into several rules, or name its parts under terms",
        )
    return [*_tokens(text), Token(Kind.END, "", len(text), len(text))]


# What most of a query is: words of ASCII, among them AND, OR and NOT, and parentheses; a NEAR is none of them.
_QUICK = re.compile(r"\s*+(?:(?!O?NEAR\b)([A-Za-z0-9]++)(?=[\s()]|\Z)|([()]))")
_QUICK_KINDS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT, "(": Kind.OPEN, ")": Kind.CLOSE}


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        while quick := _QUICK.match(text, at):
            group = quick.lastindex or 0
            written, at = quick[group], quick.end()
            yield Token(_QUICK_KINDS.get(written, Kind.WORD), written, at - len(written), at)
        found = _SCAN.match(text, at)
        assert found is not None and found.lastgroup is not None
        kind, at = found.lastgroup, found.end()
        if kind in ("end", "comment"):
            continue
        written, start = found[kind], found.start(kind)
        if kind == "quote" and not found["closed"]:
            raise QueryError("the quote is not closed", start + 1, 'expected another " after the phrase')
        if kind == "word":
            for token in _word(text, written, start):
                at = token.end
                yield token
        else:
            yield _sign(kind, written, start)


def _sign(kind: str, written: str, start: int) -> Token:
    end = start + len(written)
    if kind == "quote":
        return Token(Kind.QUOTE, re.sub(r"\\(.)", r"\1", written[1:-1]), start, end)
    if kind == "exact":
        if not written.endswith("}"):
            raise QueryError("the brace is not closed", start + 1, "expected } after the word, as in {US}")
        return Token(Kind.EXACT, written[1:-1], start, end)
    if kind == "loose":
        if not _NUMBER.match(written[1:]):
            raise QueryError(
                "~ takes a number of words and follows a quoted phrase", start + 1, 'as in "junta leader"~3'
            )
        return Token(Kind.LOOSE, written[1:], start, end)
    if kind == "stray":
        raise QueryError(f"{written} opens nothing here", start + 1, "exact case is written {US}")
    return Token(Kind[kind.upper()], written, start, end)


def _word(text: str, written: str, start: int) -> Iterator[Token]:
    """The tokens that a run of characters without white space holds: signs before a word are tokens of their own."""
    end = start + len(written)
    sign = written[0]
    if (
        sign in "-!"
        and (text[start + 1 : start + 2].isalpha() or text[start + 1 : start + 2] in (*QUOTES, "(", "{", "@"))
        and (start == 0 or text[start - 1].isspace() or text[start - 1] == "(")
    ):
        yield Token(Kind.NOT, sign, start, start + 1)
        if len(written) > 1:
            yield from _word(text, written[1:], start + 1)
        return
    if sign == "/":
        yield _regex(text, start)
        return
    if written in _WORD_OPERATORS:
        yield Token(_WORD_OPERATORS[written], written, start, end)
    elif near := _NEAR.match(written):
        yield _near(near, start, end)
    elif counted := _COUNTED.match(written):
        yield _counted(counted, start, end)
    elif sign == "@" and (name := _NAME.match(written)):
        yield Token(Kind.NAMED, name[1], start, end)
    elif field := _FIELD.match(written):
        yield from _field(text, field, start)
    else:
        yield Token(Kind.WORD, written, start, end)


def _field(text: str, field: re.Match[str], start: int) -> Iterator[Token]:
    """A field's name, and, where it is compared as written, its value up to the next space or parenthesis."""
    name = field[1].lower()
    name = ALIASES.get(name, name)
    end = start + len(field[0])
    if name not in FIELDS:
        fields = suggest(field[1].lower(), (*FIELDS, *ALIASES)) or _KNOWN_FIELDS
        raise QueryError(
            f"{field[1]} is no field",
            start + 1,
            f"{fields}to search for the colon itself, put it in quotes",
            length=len(field[0]),
        )
    yield Token(Kind.FIELD, name, start, end)
    if name in ITEM_FIELDS and (value := _VALUE.match(text, end)) and value[0][0] not in QUOTES:
        listed = _NAME.match(value[0])
        yield Token(Kind.NAMED, listed[1], end, value.end()) if listed else Token(Kind.WORD, value[0], end, value.end())
    elif name in TEXT_FIELDS and _FIELD.match(text, end):
        raise field_inside(name, end)


def field_inside(name: str, place: int) -> QueryError:
    """The error of a field within a field."""
    return QueryError(f"a field inside of {name}:", place + 1, "a field takes words, phrases and parentheses of these")


def suggest(name: str, known: tuple[str, ...] | list[str]) -> str:
    """`did you mean title? `, or nothing where no known name is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - for errors only

    without_case = {each.casefold(): each for each in known}
    near = get_close_matches(name.casefold(), without_case, n=1, cutoff=0.6)
    return f"did you mean {without_case[near[0]]}? " if near else ""


def _regex(text: str, start: int) -> Token:
    found = _REGEX.match(text, start)
    if not found:
        raise QueryError(
            "the regular expression is not closed", start + 1, "expected /pattern/; a / in it is written \\/"
        )
    after = text[found.end() : found.end() + 1]
    if after and not after.isspace() and after not in "()":
        raise QueryError(
            "expected a space after the regular expression", found.end() + 1, "options go inside: /(?i)pattern/"
        )
    return Token(Kind.REGEX, found[1].replace("\\/", "/"), start, found.end())


def _near(found: re.Match[str], start: int, end: int) -> Token:
    """NEAR/5, ONEAR/5, NEAR/s, NEAR/p, NEAR/5f, w/5 and pre/5; bare NEAR is NEAR/4."""
    ordered = found[1] == "ONEAR" or (found[3] or "").lower() == "pre"
    given = found[2] if found[1] else found[4]
    reach = ("4" if given is None else given).lower()
    if reach.endswith("f") and found[1] == "NEAR":
        reach, ordered = reach[:-1], True
    if not (_NUMBER.match(reach) and int(reach) <= FARTHEST) and (ordered or reach not in ("s", "p")):
        raise QueryError(
            f"{found[0]} is no distance",
            start + 1,
            f"expected NEAR/n or ONEAR/n with n up to {FARTHEST} words between, NEAR/s (sentence), NEAR/p (paragraph)",
            length=end - start,
        )
    return Token(Kind.NEAR, reach + ("f" if ordered else ""), start, end)


def _counted(found: re.Match[str], start: int, end: int) -> Token:
    if not _NUMBER.match(found[2]) or not 1 <= int(found[2]) <= FARTHEST:
        raise QueryError(
            f"{found[1]} takes a number from 1 to {FARTHEST}",
            start + 1,
            f"as in {found[1]}/3(Mali)",
            length=end - start,
        )
    return Token(Kind[found[1]], found[2], start, end)
