"""The sentence that made a rule match, with the matched words marked. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watcher.alerting.clean import ELLIPSIS, boundary, cut, flat, one_line, visible
from watcher.model import Item, Span

LENGTH = 320  # characters in all
MOST_SENTENCES = 3

# A sentence ends at a full stop (of many scripts) and white space, but not after a single initial ("U.S. troops") and
# not before a small letter; at a CJK full stop; and at every blank line.
_END = re.compile(r"(?<!\b\w)[.!?…؟۔।][\"'”’»)\]]*\s+(?![a-zа-я])|[。！？][”’」』）]*|\n\s*\n")

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of an item's text on one line. `marks` are the matched characters, [start, end) in `text`, in order."""

    text: str = ""
    marks: tuple[Range, ...] = ()

    @property
    def pieces(self) -> tuple[tuple[str, bool], ...]:
        """The text in pieces, each with whether it is marked."""
        return tuple(pieces(self.text, self.marks))

    def cut(self, length: int) -> Excerpt:
        """The same in at most `length` characters."""
        text = cut(self.text, length)
        kept = len(text) if text == self.text else len(text) - len(ELLIPSIS)
        return Excerpt(text, tuple((start, min(end, kept)) for start, end in self.marks if start < kept))

    def __str__(self) -> str:
        return self.text


def pieces(text: str, marks: Sequence[Range]) -> Iterator[tuple[str, bool]]:
    """`text` cut at the ends of `marks` (in order, not overlapping), each piece with whether it is marked."""
    at = 0
    for start, end in marks:
        if at < start:
            yield text[at:start], False
        yield text[start:end], True
        at = end
    if at < len(text):
        yield text[at:], False


def excerpt(item: Item, spans: Sequence[Span], length: int = LENGTH) -> Excerpt:
    """What of `item` shows best why a rule matched, in about `length` characters.

    Of the body and the summary, the one where more different words matched; of it, the sentences that hold most of
    them, in their order. Where only the title matched, the beginning of the text. A title that the text repeats is left
    out, for it stands above.
    """
    fields = {"summary": item.summary, "body": item.body}
    marks = {name: _marks(text, [s for s in spans if s.field == name]) for name, text in fields.items()}
    name = max(("body", "summary"), key=lambda one: (len(_words(fields[one], marks[one])), visible(fields[one])))
    text = fields[name]
    chosen = _sentences(text, marks[name], length, one_line(item.title))
    if not chosen:
        return Excerpt()
    fits = sum(end - start for start, end in chosen) <= length
    share = length if fits else max(length // len(chosen), 40)
    out = ""
    ranges: list[Range] = []
    end_before = chosen[0][0]
    for sentence in chosen:
        part = _window(text, sentence, marks[name], share)
        if out:
            adjoins = sentence[0] == end_before or out.endswith(ELLIPSIS)
            out += " " if adjoins else f" {ELLIPSIS} "
        ranges += [(a + len(out), b + len(out)) for a, b in part.marks]
        out += part.text
        end_before = sentence[1]
    return Excerpt(out, tuple(ranges))


def marked(text: str, spans: Sequence[Span]) -> Excerpt:
    """All of `text`, a one-line field such as a title, with `spans` marked."""
    return _clean(text, _marks(text, spans))


def _marks(text: str, spans: Sequence[Span]) -> list[Range]:
    """The spans as ranges that lie in `text`, in order, where they touch or overlap made one."""
    ranges: list[Range] = []
    for start, end in sorted((max(span.start, 0), min(span.end, len(text))) for span in spans):
        if start >= end:
            continue
        if ranges and start <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    return ranges


def _words(text: str, marks: Sequence[Range]) -> set[str]:
    return {text[start:end].casefold() for start, end in marks}


def _sentences(text: str, marks: Sequence[Range], length: int, title: str) -> list[Range]:
    """The few sentences that together hold most of the different marked words, in order; else the first.

    Further ones that hold marked words are added within `length` characters in all; one that is the title counts for
    none where there are others.
    """
    sentences: list[Range] = []
    at = 0
    for found in _END.finditer(text):
        sentences.append((at, found.end()))
        at = found.end()
    sentences.append((at, len(text)))
    held: list[set[str]] = [set() for _ in sentences]
    starts = [start for start, _ in sentences]
    for start, end in marks:
        held[bisect_right(starts, start) - 1].add(text[start:end].casefold())
    repeats = {number for number, (start, end) in enumerate(sentences) if one_line(text[start:end]) == title}
    if any(visible(text[slice(*one)]) for number, one in enumerate(sentences) if number not in repeats):
        sentences = [one for number, one in enumerate(sentences) if number not in repeats]
        held = [words for number, words in enumerate(held) if number not in repeats]
    chosen: set[int] = set()
    missing = set().union(*held)
    while missing and len(chosen) < MOST_SENTENCES:
        best = max(range(len(sentences)), key=lambda number: len(held[number] & missing))
        chosen.add(best)
        missing -= held[best]
    room = length - sum(sentences[number][1] - sentences[number][0] for number in chosen)
    for number, (start, end) in enumerate(sentences):  # then others that match, as many as there is room for
        if held[number] and number not in chosen and len(chosen) < MOST_SENTENCES and end - start <= room:
            chosen.add(number)
            room -= end - start
    if chosen:
        return [sentences[number] for number in sorted(chosen)]
    return [one for one in sentences if visible(text[slice(*one)])][:1]


def _window(text: str, sentence: Range, marks: Sequence[Range], length: int) -> Excerpt:
    """The sentence, or so much of it around its marks as `length` allows."""
    start, end = sentence
    inside = [(max(a, start), min(b, end)) for a, b in marks if start <= a < end]
    if end - start > length:
        start, end = _narrow(text, sentence, inside, length)
    before = ELLIPSIS if start > sentence[0] else ""
    after = ELLIPSIS if end < sentence[1] and visible(text[end : sentence[1]]) else ""
    kept = [(max(a, start) - start, min(b, end) - start) for a, b in inside if a < end and b > start]
    return _clean(text[start:end], kept, before, after)


def _narrow(text: str, sentence: Range, marks: Sequence[Range], length: int) -> Range:
    """A range of at most `length` characters in `sentence`, from some way before the first mark, ending at words."""
    first = marks[0][0] if marks else sentence[0]
    start = max(sentence[0], min(first - length // 3, sentence[1] - length))
    if start > sentence[0]:
        space = text.find(" ", start, first)
        start = space + 1 if space >= 0 else boundary(text, start)
    end = min(start + length, sentence[1])
    if end < sentence[1]:
        last = max((b for _, b in marks if b <= end), default=start)
        space = text.rfind(" ", max(last, start + length // 2), end)
        end = space if space >= 0 else boundary(text, end)
    return start, end


def _clean(text: str, marks: Sequence[Range], before: str = "", after: str = "") -> Excerpt:
    """The text as one line, with its marks where they then are."""
    out = before
    ranges: list[Range] = []
    for piece, is_marked in pieces(text, marks):
        line = flat(piece) if out not in ("", before) and not out.endswith(" ") else flat(piece).lstrip()
        if is_marked and line.strip():
            ranges.append((len(out), len(out) + len(line.rstrip())))
        out += line
    return Excerpt(out.rstrip() + after, tuple(ranges))
