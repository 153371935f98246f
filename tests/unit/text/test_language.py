import pytest

from watcher.text.language import detect

TEXTS = {
    "en": "Ministers of three states met in the capital on Thursday and said they would work more closely together.",
    "fr": "Les ministres de trois États se sont réunis jeudi dans la capitale et veulent coopérer plus étroitement.",
    "ru": "Министры трёх государств встретились в четверг в столице и договорились о более тесном сотрудничестве.",
    "uk": "Міністри трьох держав зустрілися у четвер у столиці та домовилися про тіснішу співпрацю між собою.",
    "ar": "اجتمع وزراء ثلاث دول يوم الخميس في العاصمة واتفقوا على تعاون أوثق بينهم في المستقبل القريب",
    "tr": "Üç ülkenin bakanları perşembe günü başkentte bir araya geldi ve daha yakın iş birliği yapacağını söyledi.",
    "de": "Die Minister dreier Staaten trafen sich am Donnerstag in der Hauptstadt und wollen enger zusammenarbeiten.",
    "zh": "三国部长星期四在首都举行会谈,同意进一步加强安全与经济合作,并将在下个月再次会面",
    "ja": "三か国の閣僚は木曜日に首都で会談し、安全保障と経済の協力をさらに深めることで合意した。",
}


@pytest.mark.parametrize(("lang", "text"), TEXTS.items())
def test_tells_languages_apart_whatever_the_feed_declares(lang: str, text: str) -> None:
    assert detect("", text, "en") == lang


def test_believes_the_feed_of_a_short_text() -> None:
    assert detect("Storm warning", "", "en-GB") == "en"


@pytest.mark.parametrize("declared", ["", "und", "--", "x"])
def test_says_und_where_nobody_knows(declared: str) -> None:
    assert detect("Storm", "", declared) == "und"


def test_numbers_and_marks_are_no_language() -> None:
    assert detect("", "1 2 3 " * 200) == "und"
