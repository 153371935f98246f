"""Names that are taken for others: prefixes that catch two, words that another language has, forms that names take."""

from __future__ import annotations

import re

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

# Names that are common words elsewhere: what they are there.
_FOREIGN = {
    "мали": "Ukrainian for “they had”",
    "mali": "Turkish for “financial”",
    "чад": "Russian for “fumes”",
    "перу": "Russian for “to the pen”",
}

_CYRILLIC = re.compile(r"[А-ЯЁ][а-яё]{3,}$")
_ENDINGS = (  # of Russian names: what is taken off, and what each case puts there
    ("ия", ("ия", "ии", "ию", "ией")),
    ("ея", ("ея", "еи", "ею", "еей")),
    ("а", ("а", "ы", "е", "у", "ой")),
    ("я", ("я", "и", "е", "ю", "ей")),
    ("ий", ("ий", "ия", "ию", "ием", "ии")),
    ("й", ("й", "я", "ю", "ем", "е")),
    ("ь", ("ь", "я", "ю", "ем", "е", "и", "ью")),
)
_CONSONANTS = frozenset("бвгджзклмнпрстфхцчшщ")
_HUSHING = frozenset("гкхжчшщ")  # after these и stands where others have ы


def confusable(start: str) -> list[str]:
    """Names that a prefix catches besides the one that it most likely means; folded, [] where there is none."""
    caught = [group for group in _GROUPS if group[0].startswith(start)]
    if len(caught) < 2:
        return []
    meant = min(caught, key=lambda group: len(group[0]))
    return [group[0].capitalize() for group in caught if group is not meant][:3]


def foreign(word: str) -> str:
    """What `word` is in another language, or ""."""
    return _FOREIGN.get(word.casefold(), "")


def forms(name: str) -> list[str]:
    """The forms that a Russian name takes, by its ending; [] where it takes none or is no Cyrillic name.

    The cases of the regular declensions, singular: Россия, России, Россию, Россией; Нигер, Нигера, Нигеру, Нигером,
    Нигере. Names in -о, -е, -и, -у and -ю (Мали, Конго) stay as they are.
    """
    if not _CYRILLIC.match(name):
        return []
    if name[-1] in _CONSONANTS:
        return [name + ending for ending in ("", "а", "у", "ом", "е")]
    for ending, cases in _ENDINGS:
        if name.endswith(ending):
            stem = name[: -len(ending)]
            found = [stem + case for case in cases]
            return [stem + "и" if form == stem + "ы" and stem[-1] in _HUSHING else form for form in found]
    return []
