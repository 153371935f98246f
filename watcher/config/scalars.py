"""Where each character of a YAML value stands in its file, for all five scalar styles.

A query's error is a column of the *value*; the person who wrote it looks at the file. Between the two lie quotes,
escapes, folded lines and stripped indentation. The rules followed here are those of libyaml's scanner (YAML 1.1,
sections 9.1 to 9.3), which is what reads the files.
"""

from __future__ import annotations

import re

BLANKS = " \t"
BREAKS = "\n\r\x85\u2028\u2029"
_KEPT_BREAKS = "\u2028\u2029"  # the scanner reads every other break as a line feed
_PROPERTY = re.compile(r"[&!]\S*|#[^\n]*|\s+")  # what may stand before the scalar itself
_HEADER = re.compile(rf"[|>]([-+]?)([1-9]?)([-+]?)[^{BREAKS}]*")
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}

Char = tuple[str, int]  # a character of the value, and where it stands in the file


def offsets(text: str, start: int, end: int, style: str, value: str) -> list[int]:
    """Where every character of `value`, and its end, stands in `text`: len(value) + 1 indices.

    `start` and `end` are the scalar's own, properties (`&anchor`, `!tag`) included; `style` is libyaml's: "" for a
    plain scalar, "'", '"', "|" or ">". Where the value cannot be followed, all of it is said to stand at `start`.
    """
    while found := _PROPERTY.match(text, start, end):
        start = found.end()
    if style in ("|", ">"):
        chars = _block(text, start, style, value)
    elif style in ("'", '"'):
        chars = _flow(text, start + 1, end - 1, style)
        end -= 1
    else:
        chars = _flow(text, start, end, style)
    if "".join(char for char, _ in chars) != value:
        return [start] * (len(value) + 1)
    if style in ("|", ">"):
        end = chars[-1][1] + 1 if chars else start
    return [index for _, index in chars] + [end]


def _flow(text: str, i: int, end: int, style: str) -> list[Char]:
    """Read a plain or quoted scalar whose content is text[i:end]."""
    chars: list[Char] = []
    while i < end:
        char = text[i]
        if char in BLANKS or char in BREAKS:
            gap, i = _gap(text, i, end, escaped=False)
            chars += gap
        elif style == "'" and char == "'":
            chars.append((char, i))
            i += 2
        elif style == '"' and char == "\\":
            code = text[i + 1]
            if code in BREAKS:
                gap, i = _gap(text, _after_break(text, i + 1), end, escaped=True)
                chars += gap
            elif code in _HEX_ESCAPES:
                digits = _HEX_ESCAPES[code]
                chars.append((chr(int(text[i + 2 : i + 2 + digits], 16)), i))
                i += 2 + digits
            else:
                chars.append((_ESCAPES[code], i))
                i += 2
        else:
            chars.append((char, i))
            i += 1
    return chars


def _gap(text: str, i: int, end: int, *, escaped: bool) -> tuple[list[Char], int]:
    """Read blanks and line breaks: blanks within a line stay, one break folds into a space, more lose the first.

    `escaped` says that a backslash took away the first break.
    """
    blanks: list[Char] = []
    breaks: list[Char] = []
    while i < end and (text[i] in BLANKS or text[i] in BREAKS):
        if text[i] in BLANKS:
            blanks.append((text[i], i))
            i += 1
        else:
            breaks.append(_break(text, i))
            i = _after_break(text, i)
    if escaped:
        return breaks, i
    if not breaks:
        return blanks, i
    first, *more = breaks
    if first[0] != "\n":
        return breaks, i
    return more or [(" ", first[1])], i


def _block(text: str, start: int, style: str, value: str) -> list[Char]:
    """Read a literal or folded scalar: the first indentation under which the text gives `value`."""
    header = _HEADER.match(text, start)
    if header is None:
        return []
    chomping = header[1] or header[3]
    i = _after_break(text, header.end())
    detected = _detect_indent(text, i)
    chars: list[Char] = []
    for indent in (detected, *range(int(header[2] or 1), detected)):
        chars = _block_at(text, i, indent, chomping, folded=style == ">")
        if "".join(char for char, _ in chars) == value:
            break
    return chars


def _detect_indent(text: str, i: int) -> int:
    """The indentation of the first line with text, or of a longer blank line before it; at least 1."""
    indent = 1
    while i < len(text):
        line = i
        while text[i : i + 1] == " ":
            i += 1
        indent = max(indent, i - line)
        if text[i : i + 1] not in tuple(BREAKS):
            break
        i = _after_break(text, i)
    return indent


def _block_at(text: str, i: int, indent: int, chomping: str, *, folded: bool) -> list[Char]:
    chars: list[Char] = []
    lead: list[Char] = []  # the break that ended the line before
    after_blank = False
    i, column, trail = _blank_lines(text, i, indent)
    while column == indent and i < len(text):
        blank = text[i] in BLANKS
        if folded and lead and lead[0][0] == "\n" and not after_blank and not blank:
            chars += trail or [(" ", lead[0][1])]
        else:
            chars += lead + trail
        after_blank = blank
        while i < len(text) and text[i] not in BREAKS:
            chars.append((text[i], i))
            i += 1
        lead = [_break(text, i)] if i < len(text) else []
        i, column, trail = _blank_lines(text, _after_break(text, i), indent)
    if chomping != "-":
        chars += lead
    if chomping == "+":
        chars += trail
    return chars


def _blank_lines(text: str, i: int, indent: int) -> tuple[int, int, list[Char]]:
    """Skip indentation and blank lines: the next index, its column, and the breaks passed."""
    breaks: list[Char] = []
    while True:
        line = i
        while i - line < indent and text[i : i + 1] == " ":
            i += 1
        if i >= len(text) or text[i] not in BREAKS:
            return i, i - line, breaks
        breaks.append(_break(text, i))
        i = _after_break(text, i)


def _break(text: str, i: int) -> Char:
    return (text[i] if text[i] in _KEPT_BREAKS else "\n", i)


def _after_break(text: str, i: int) -> int:
    return i + 2 if text.startswith("\r\n", i) else i + 1
