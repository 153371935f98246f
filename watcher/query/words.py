"""From a token of a query to the words that it names."""

from __future__ import annotations

import re
import unicodedata

from watcher.errors import QueryError
from watcher.query.ast import Word
from watcher.query.lexer import Kind, Token


def bare_word(token: Token) -> Word:
    """A word outside of quotes, where a stray sign is an error."""
    text = token.value
    if text.isascii() and text.isalnum():
        return Word(text, False, token.start, token.end)
    if "^" in text:
        raise QueryError("^ has no meaning here", token.start + text.index("^") + 1, _SIGN_HINTS["^"])
    cleaned, lead, trail = _cleaned(text)
    stray = lead.strip(".'’‘ʼ…") + trail.strip(".'’‘ʼ…")
    if stray or not cleaned:
        place = token.start if lead.strip(".'’‘ʼ…") or not cleaned else token.end - len(trail)
        stray = stray or text
        raise QueryError(f"{stray[0]} has no meaning here", place + 1, _SIGN_HINTS.get(stray[0], "write it in quotes"))
    return _word(cleaned, False, token.start, token.end)


_SIGN_HINTS = {
    ",": "write OR between alternatives, AND between what must all be there, or put the phrase in quotes",
    "+": "every word must be there already: write a AND b",
    "*": "* stands after letters or digits, or after a point or hyphen that follows them, as in 7.2.*",
    "?": "? stands for one letter inside of a word, as in wom?n",
    "|": "write OR",
    "&": "write AND",
    "~": "~ takes a number and follows a quoted phrase",
    "-": "- means NOT directly before a word; write NOT, or put the phrase in quotes",
    "^": "there is no weighting",
    "[": "there are no ranges, and a field stands before its word: title:word",
    "]": "there are no ranges, and a field stands before its word: title:word",
    "=": "a field is written title:word",
    "<": "there are no comparisons",
    ">": "there are no comparisons",
    "$": "a word's start is written with *, as in biomarker*",
    "\\": "nothing is escaped: put the phrase in quotes",
    "/": "/pattern/ is a regular expression; to search for the sign itself, put the phrase in quotes",
    "'": 'a phrase stands in double quotes: "',
    "!": "! means NOT directly before a word",
}


def _cleaned(text: str) -> tuple[str, str, str]:
    """A word without the punctuation around it, and that punctuation: signs that belong to a term stay."""
    start = 0
    while start < len(text) and not text[start].isalnum():
        if text[start] in "#@.$€£¥₽₴" and text[start + 1 : start + 2].isalnum():
            break
        start += 1
    end = len(text)
    while end > start and not text[end - 1].isalnum() and not _is_mark(text[end - 1]):
        end -= 1
    for sign in ("++", "+", "#", "*", "-*", ".*", "/*", "?*"):
        if text.startswith(sign, end) and end > start:
            end += len(sign)
            break
    return text[start:end], text[:start], text[end:]


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


def exact_words(token: Token) -> list[Word]:
    """The words of {…}."""
    words = [word for piece in token.value.split() if (word := _cleaned(piece)[0])]
    if not words:
        raise QueryError("nothing stands between the braces", token.start + 1, "expected a word, as in {US}")
    return [_word(word, True, token.start, token.end) for word in words]


_QUOTED = re.compile(r"\{[^{}]*\}|[^\s{}]+")


def quoted_words(token: Token) -> list[Word]:
    """The words between quotes; punctuation there is what a text may have, and counts for nothing."""
    words = []
    for piece in _QUOTED.finditer(token.value):
        start = token.start + 1 + piece.start()
        written = piece[0]
        if written.isascii() and written.isalnum():
            words.append(Word(written, False, start, start + len(written)))
        elif written.startswith("{") and len(written) > 2:
            words += exact_words(Token(Kind.EXACT, written[1:-1], start, start + len(written)))
        elif cleaned := _cleaned(written)[0]:
            words.append(_word(cleaned, False, start, start + len(written)))
    if not words:
        raise QueryError("no word stands between the quotes", token.start + 1, "expected a word or a phrase")
    return words


def _word(text: str, exact: bool, start: int, end: int) -> Word:
    try:
        return Word(text, exact, start, end)
    except ValueError as error:
        raise QueryError(str(error), start + 1, length=max(1, end - start)) from None
