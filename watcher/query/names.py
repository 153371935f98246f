"""Names that are taken for others: prefixes that catch two, words that another language has; Ukrainian cases."""

from __future__ import annotations

import re
from dataclasses import dataclass

# One name with what is made of it in each group; a prefix that catches two groups is told so.
_GROUPS = [
    group.split()
    for group in (
        "niger nigerien;nigeria nigerian;mali malian;malaysia malaysian;malawi malawian;malta maltese;"
        "maldives maldivian;malaria;malicious;malnutrition;iran iranian;iraq iraqi;ukraine ukrainian;"
        "austria austrian;australia australian;slovakia slovak;slovenia slovenian;somalia somali;"
        "somaliland;sudan sudanese;india indian;indiana;indigenous;indonesia indonesian;"
        "mauritania mauritanian;mauritius mauritian;china chinese;chinook;chile chilean;chad chadian;"
        "libya libyan;liberia liberian;liberal;liberty;congo congolese;congress;congestion;"
        "colombia colombian;columbia;cuba cuban;israel israeli;ireland irish;iceland icelandic;"
        "turkey turkish;turkmenistan turkmen;guinea guinean;georgia georgian;oman omani;russia russian;"
        "romania romanian;roman;rwanda rwandan;kenya kenyan;korea korean;senegal senegalese;"
        "serbia serbian;syria syrian;togo togolese;together;uganda ugandan;gambia gambian;"
        "ghana ghanaian;gabon gabonese;benin beninese;burundi burundian;burkina burkinabe;"
        "belarus belarusian;belgium belgian;peru peruvian;poland polish;policy;police;politics;"
        "portugal portuguese;jordan jordanian;japan japanese;jamaica jamaican;france french;"
        "germany german;germ;greece greek;armenia armenian;army;armed;azerbaijan azerbaijani;"
        "albania albanian;algeria algerian;angola angolan;egypt egyptian;eritrea eritrean;"
        "ethiopia ethiopian;ethics;finland finnish;нигер;нигерия;мали;малина;малик;россия российский;"
        "россиянин;украина украинский;иран иранский;ирак иракский;австрия;австралия;конго;конгресс;"
        "судан суданский"
    ).split(";")
]


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a name is in another language, or, in small letters, in its own."""

    lang: str
    said: str
    same_language: bool = False


# Names that are common words elsewhere: what they are there.
_FOREIGN = {
    "мали": Foreign("uk", "Ukrainian for “they had”"),
    "mali": Foreign("tr", "Turkish for “financial”"),
    "чад": Foreign("ru", "Russian for “fumes”", same_language=True),
    "перу": Foreign("ru", "Russian for “to the pen”", same_language=True),
}

_UKRAINIAN = re.compile(r"(?=.*[іїєґІЇЄҐ])[А-Яа-яіїєґІЇЄҐ]{4,}$")
_UKRAINIAN_ENDINGS = (("ія", ("ії", "ію", "ією")), ("а", ("и", "у", "ою", "і")), ("я", ("і", "ю", "ею")))
_UKRAINIAN_CONSONANTS = frozenset("бвгґджзклмнпрстфхцчшщ")


def confusable(start: str) -> list[str]:
    """Names that a prefix catches besides the one that it most likely means; folded, [] where there is none."""
    caught = [group for group in _GROUPS if group[0].startswith(start)]
    if len(caught) < 2:
        return []
    meant = min(caught, key=lambda group: len(group[0]))
    return [group[0].capitalize() for group in caught if group is not meant][:3]


def foreign(word: str) -> Foreign | None:
    """What `word` is in another language, where it is a common word there."""
    return _FOREIGN.get(word.casefold())


def is_ukrainian(name: str) -> bool:
    """Whether a name has letters that Russian does not."""
    return bool(_UKRAINIAN.match(name))


def ukrainian(name: str) -> list[str]:
    """The usual cases of a Ukrainian name, itself first, by its ending; only itself where none are known."""
    if name[-1] in _UKRAINIAN_CONSONANTS:
        return [name, *(name + ending for ending in ("а", "у", "ом", "і"))]
    for ending, cases in _UKRAINIAN_ENDINGS:
        if name.endswith(ending):
            return [name, *(name[: -len(ending)] + case for case in cases)]
    return [name]
