"""The cases of Russian names, from the nominative, by its ending.

The declensions of any grammar (such as Русская грамматика, 1980), for names: places, first names, surnames in -ов, -ин
and -ский, and the plurals of peoples and groups. Where the ending leaves open which declension a name has
(Ростовом, but Ивановым; Израиля, but Казани), the forms of both are given: what is no word stands in no text.
"""

from __future__ import annotations

import re

_CYRILLIC = re.compile(r"[А-Яа-яЁё]+(?:[-'’][А-Яа-яЁё]+)*$")
_VOWELS = frozenset("аеёиоуыэюя")
_HUSHING = frozenset("жчшщц")  # -ем and -ей, where others have -ом and -ой
_NO_Y = frozenset("гкхжчшщ")  # after these и stands where others have ы
_IRREGULAR = {"египет": "египт", "павел": "павл", "лев": "льв", "орёл": "орл", "пётр": "петр"}
_SOFT_ADJECTIVES = frozenset("нижний верхний ближний средний дальний крайний".split())

# The endings of adjectives, and of surnames made like them: what is taken off, and what the cases put there.
_ADJECTIVES = (
    ("ая", ("ой", "ую", "ою")),
    ("яя", ("ей", "юю", "ею")),
    ("ое", ("ого", "ому", "ым", "им", "ом")),
    ("ее", ("его", "ему", "им", "ем")),
    ("ые", ("ых", "ым", "ыми")),
    ("ие", ("их", "им", "ими")),
    ("ый", ("ого", "ому", "ым", "ом")),
    ("ой", ("ого", "ому", "ым", "им", "ом")),
)


def forms(name: str) -> list[str]:
    """The forms that a Russian name takes, itself first; only itself where it takes no others.

    One word, nominative; of hyphenated names the last part that can change does. Россия: России, Россию, Россией.
    Нигер: Нигера, Нигеру, Нигером, Нигере, and nothing of Нигерия. Мали, Конго and ООН stay as they are.
    """
    if not _CYRILLIC.match(name):
        return [name]
    pieces = re.split(r"([-'’])", name)
    for at in range(len(pieces) - 1, -1, -2):
        changed = _cases(pieces[at])
        if changed:
            before, after = "".join(pieces[:at]), "".join(pieces[at + 1 :])
            return list(dict.fromkeys([name, *(before + form + after for form in changed)]))
    return [name]


def _cases(word: str) -> list[str]:  # noqa: PLR0911 - one return an ending
    """The other cases of one part of a name; [] where it has none."""
    small = word.lower()
    if len(word) < 3 or word.isupper():
        return []
    if small == "острова":
        return [word[:-1] + ending for ending in ("ов", "ам", "ами", "ах")]
    if small in _IRREGULAR:
        stem = _like(word, _IRREGULAR[small])
        return [stem + ending for ending in ("а", "у", "ом", "е")]
    adjective = _adjective(word, small)
    if adjective:
        return adjective
    last = small[-1]
    if last in "ая":
        return _feminine(word, small)
    if last == "й":
        stem = word[:-1]
        return [stem + ending for ending in ("я", "ю", "ем", "и" if small[-2] == "и" else "е")]
    if last == "ь":
        return [word[:-1] + ending for ending in ("я", "ю", "ем", "е", "и", "ью")]
    if last in "ыи":
        return _plural(word, small)
    if last in "ое":
        return _neuter(word, small)
    return [] if last in _VOWELS or last == "ъ" else _consonant(word, small)


def _like(word: str, stem: str) -> str:
    return stem.capitalize() if word[0].isupper() else stem


def _adjective(word: str, small: str) -> list[str]:
    if len(word) < 5 or small == "ханой":
        return []
    if small.endswith(("ский", "цкий", "кий", "хий")):
        return [word[:-2] + ending for ending in ("ого", "ому", "им", "ом")]
    if small.endswith(("жий", "ший", "щий", "чий")) or small in _SOFT_ADJECTIVES:
        return [word[:-2] + ending for ending in ("его", "ему", "им", "ем")]
    if small.endswith(("ние", "тие", "ствие")):  # nouns: движение, развитие
        return []
    for ending, cases in _ADJECTIVES:
        if small.endswith(ending) and small[-3] not in _VOWELS:
            if ending in ("ое", "ее", "ие") and small[-3] not in "вгкнсхшщж":
                continue
            return [word[:-2] + case for case in cases]
    return []


def _feminine(word: str, small: str) -> list[str]:
    stem, before = word[:-1], small[-2]
    if small[-1] == "я":
        dative = "и" if before == "и" else "е"
        return [stem + ending for ending in ("и", dative, "ю", "ей")]
    if before in _VOWELS:  # Никарагуа
        return []
    found = ["и" if before in _NO_Y else "ы", "е", "у", "ой", "ою"]
    if before in _HUSHING:
        found.append("ей")
    return [stem + ending for ending in found]


def _plural(word: str, small: str) -> list[str]:
    """Peoples, groups and countries in the plural: талибы, боевики, Филиппины. Names in -и stay as they are."""
    stem = word[:-1]
    if small.endswith(("овы", "евы", "ины")) and word[0].isupper():  # Соломоновы Острова, and Филиппины
        return [stem, *(stem + ending for ending in ("ых", "ым", "ыми", "ам", "ами", "ах"))]
    if small[-1] == "и" and (word[0].isupper() or small[-2] not in "гкх"):
        return []
    bare = [stem] if stem.endswith(("ин", "ив", "ан", "ел")) else []  # из Филиппин
    return [*bare, *(stem + ending for ending in ("ов", "ам", "ами", "ах"))]


def _neuter(word: str, small: str) -> list[str]:
    """Nouns such as государство and движение; a name in -о or -е (Конго, Того) stays as it is."""
    if small.endswith(("ство", "войско")) or (word[0].islower() and small[-1] == "о"):
        return [word[:-1] + ending for ending in ("а", "у", "ом", "е")]
    if small.endswith(("ние", "тие", "ствие", "ье")):
        return [word[:-1] + ending for ending in ("я", "ю", "ем", "и")]
    if word[0].islower() and small[-1] == "е" and small[-2] in "рл":
        return [word[:-1] + ending for ending in ("я", "ю", "ем")]
    return []


def _consonant(word: str, small: str) -> list[str]:
    if small.endswith(("ых", "их")):  # Черных
        return []
    if small.endswith("ец"):  # Донец: Донца
        stem = word[:-2] + ("йц" if small[-3] in _VOWELS else "ц")
        return [form + ending for form in (stem, word) for ending in ("а", "у", "ом", "ем", "е")]
    found = ["а", "у", "ем" if small[-1] in _HUSHING else "ом", "е"]
    if small.endswith(("ов", "ев", "ёв", "ин", "ын")):  # Путин: Путиным
        found.append("ым")
    return [word + ending for ending in found]
