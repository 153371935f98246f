"""What a title says about itself: agency heads, dates, numbers, and the names of versions and advisories."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from watcher.text.fold import fold, normal, words


def _folded(text: str) -> str:
    return fold(normal(text)[0])[0]


# What agencies put before a title when they send a text again, in the languages of their services.
_HEADS = (
    "update|updated|wrapup|rpt|repeat|refile|corrected|correction|text|lead|ld|adv|exclusive|breaking|urgent|developing|"
    "watch|mise a jour|actualisation|maj|actualise|urgent|actualiza|actualizacion|repeticion|corregido|corrige|"
    "atualiza|atualizacao|aggiornamento|update|eilmeldung|korrektur|aktualisiert|обновлено|исправлено|срочно|молния|"
    "оновлено|виправлено|терміново"
)
_HEAD = re.compile(
    rf"^\s*(?:(?:{_HEADS})\s*\d{{0,2}}\s*[-–—:|]+\s*|[(\[]\s*(?:\d\w{{0,2}}\s+)?(?:{_HEADS})\s*\d{{0,2}}\s*[)\]]\s*:?\s*)"
)
_TAIL = re.compile(r"\s+[-–—|]+\s+([^-–—|]{2,40})$")
_SUFFIX = re.compile(rf"\s*[(\[]\s*(?:{_HEADS})\s*\d{{0,2}}\s*[)\]]\s*$")

_MONTHS = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "januar februar marz april mai juni juli august september oktober november dezember",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
)
_DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "lunes martes miercoles jueves viernes sabado domingo",
    "понедельник вторник среда четверг пятница суббота воскресенье",
    "понеділок вівторок середа четвер пʼятниця субота неділя",
)
_MONTH = {_folded(name): month for line in _MONTHS for month, name in enumerate(line.split(), 1)}
_DAY = {_folded(name): day for line in _DAYS for day, name in enumerate(line.split(), 1)}
_ISO_DATE = re.compile(r"\b(?:19|20)\d\d-(\d\d)-(\d\d)\b")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")

# CVE-2024-1234, DSA-5678-1, RHSA-2024:1234, GHSA-…, KB5031234; 1.2.3, v1.2, version 7.
_NAMED = re.compile(
    r"\b(?:(?:cve|ghsa|[a-z]{2,6})-\d{4}[-:]\d+(?:-\d+)*|ghsa(?:-[a-z0-9]{4}){3}|[a-z]{2,6}-\d{4,}(?:-\d+)*|kb\d{6,}"
    r"|v?\d+\.\d+(?:\.\d+)+(?:[-+.]?(?:rc|alpha|beta|a|b|dev|pre|post|p)\.?\d+)?|v\d+\.\d+|version\s+\d+(?:\.\d+)*)\b"
)


@dataclass(frozen=True, slots=True)
class Headline:
    """A title as it is compared."""

    text: str  # folded words, without agency heads and the outlet's own name
    shape: tuple[str, ...]  # the same with dates and numbers left out
    marks: tuple[str, ...]  # the names of months and days, and the numbers, that were left out
    dates: frozenset[tuple[int, int]]  # (month, day)
    named: frozenset[str]  # versions and advisory ids

    @property
    def telling(self) -> bool:
        """Whether two texts with this title are likely the same: four words or more besides dates and numbers."""
        return len(self.shape) >= 4


@lru_cache(maxsize=4_000)  # 0.7 kB each
def read(title: str, outlet: str = "") -> Headline:
    """Read a title; `outlet` is whose name may stand at its end."""
    bare = _bare(_folded(title), outlet)
    parts = words(bare)
    marks = tuple([part for part in parts if _is_mark(part)])
    shape = tuple([part for part in parts if part not in marks]) if marks else tuple(parts)
    return Headline(" ".join(parts), shape, marks, _dates(bare, parts), names(bare))


@lru_cache(maxsize=256)
def names(text: str) -> frozenset[str]:
    """The ids of advisories and the versions that a text names, in lower case."""
    return frozenset(found.removeprefix("v") for found in _NAMED.findall(text.lower()))


def numbers(text: str) -> frozenset[str]:
    """The numbers in a text, as written."""
    return frozenset(_NUMBER.findall(text))


def differ(one: Headline, other: Headline, *, numbered: bool) -> bool:
    """Whether the titles alone say that the texts are two: other versions or dates, or other days in the same words.

    `numbered` says that other numbers in the same words make two texts too: so they do in notices and bulletins, where
    a long report whose toll has risen is the same one brought up to date.
    """
    if one.named and other.named and one.named != other.named:
        return True
    if one.dates and other.dates:
        return not one.dates & other.dates
    if one.shape != other.shape:
        return False
    return one.marks != other.marks if numbered else _days(one) != _days(other)


def _days(title: Headline) -> list[str]:
    return [mark for mark in title.marks if mark in _MONTH or mark in _DAY]


def _bare(title: str, outlet: str) -> str:
    while (head := _HEAD.match(title)) and head.end() < len(title):
        title = title[head.end() :]
    title = _SUFFIX.sub("", title)
    tail = _TAIL.search(title)
    name = _squeezed(outlet.partition("/")[0].rpartition(".")[0])
    if tail and name and name.startswith(_squeezed(tail[1])[:20] or " "):
        title = title[: tail.start()]
    return title


def _squeezed(name: str) -> str:
    return re.sub(r"\W+|^the\s+", "", name)


def _is_mark(word: str) -> bool:
    if word.isalpha():  # as most are
        return word in _MONTH or word in _DAY
    return any(character.isdigit() for character in word)


def _dates(title: str, parts: list[str]) -> frozenset[tuple[int, int]]:
    found = {(int(month), int(day)) for month, day in _ISO_DATE.findall(title)}
    for place, word in enumerate(parts):
        if word in _MONTH:
            beside = [*parts[max(place - 2, 0) : place], *parts[place + 1 : place + 2]]
            days = [re.sub(r"(?:st|nd|rd|th|er|го)$", "", near) for near in beside]
            found.update((_MONTH[word], int(day)) for day in days if day.isdecimal() and 1 <= int(day) <= 31)
    return frozenset(found)
