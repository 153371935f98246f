"""Where sentences and paragraphs end."""

from __future__ import annotations

import re

from watcher.text.fold import CHUNK

# Abbreviations that stand before a name or number, without their stop; folded.
_ABBREVIATIONS = frozenset(
    "mr mrs ms messrs dr prof gen lt col maj capt cmdr cpl sgt adm brig gov sen rep pres hon rev fr st ste mt ft no nos"
    " vs jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun inc ltd co corp bros jr sr dept"
    " univ approx est fig al etc eg ie cf ca p pp vol ed eds art sec ch par"
    " m mm mme mmes mlle mlles pr me mgr env av bd janv fevr juil"
    " hr hrn fr frau nr str bzw usw vgl abs bzw inkl evtl ggf sog gest geb z b d h u a"
    " sr sra srta ud uds dra lic ing gral cnel pdte"
    " г гг ул им др пр тыс млн млрд трлн руб коп стр рис см тов т д п е к н акад проф ген полк кап лейт св о"
    " вул ім тис буд обл р рр"
    " sn dr doç yrd av alb org kor tug bkz vb vs".split()
)
_STOP = re.compile(r"[.!?…。！？؟۔।॥]+[\"'»”’)\]]*$")
_INNER_STOP = re.compile(r"[。！？]+[」』”’）]*")  # unspaced scripts end sentences inside of a chunk
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+$|[^\W\d_]\.$")
_OPENING = re.compile(r"[\"'«“„‘(\[]*")
_WORDS = re.compile(r"[^\W_]+(?=\W*$)")
_BLANK_LINE = re.compile(r"\n\s*\n")


def breaks(text: str) -> tuple[list[int], list[int]]:
    """The offsets in `text` at which a sentence begins, and at which a paragraph does, in order; 0 not among them.

    A paragraph ends at a blank line, and a sentence with it. Else a sentence ends at a full stop, question or
    exclamation mark at the end of a chunk, unless an abbreviation or initials carry it or what follows begins in lower
    case; in scripts without spaces, wherever the mark stands.
    """
    sentences: list[int] = []
    paragraphs: list[int] = []
    before = None
    for found in CHUNK.finditer(text):
        start = found.start()
        if before is not None:
            if "\n" in (gap := text[before.end() : start]) and _BLANK_LINE.search(gap):
                paragraphs.append(start)
                sentences.append(start)
            elif _ends(before[0], found[0]):
                sentences.append(start)
        sentences.extend(start + stop.end() for stop in _INNER_STOP.finditer(found[0]) if stop.end() < len(found[0]))
        before = found
    return sentences, paragraphs


def _ends(last: str, following: str) -> bool:
    stop = _STOP.search(last)
    if not stop:
        return False
    begin = following[_OPENING.match(following).end() :][:1]  # type: ignore[union-attr]  # it matches the empty string
    if begin.islower():
        return False
    if not stop[0].startswith("."):
        return True
    if stop[0].startswith(".."):
        return True
    core = last[: stop.start() + 1].lstrip("\"'«“„‘([")
    if _INITIALS.match(core) and (len(core) > 2 or core.isupper()):  # J., U.S., e.g.
        return False
    word = _WORDS.search(core)
    return not word or word[0].casefold() not in _ABBREVIATIONS
