import pytest

from watcher.text.fold import chunk, fold, normal, words


@pytest.mark.parametrize(
    ("written", "plain", "accented"),
    [
        ("Café", "cafe", "café"),
        ("Straße", "strasse", "strasse"),
        ("Łódź", "lodz", "lódź"),
        ("Œuvre", "oeuvre", "oeuvre"),
        ("İstanbul", "istanbul", "istanbul"),
        ("ISPARTA", "isparta", "isparta"),
        ("ılık", "ilik", "ilik"),
        ("Королёв", "королев", "королёв"),
        ("Україна", "україна", "україна"),
        ("йод", "йод", "йод"),
        ("Ма́ли", "мали", "мали"),
        ("ѝ", "и", "и"),
        ("أحمد", "احمد", "احمد"),
        ("مَالِي", "مالي", "مالي"),
        ("हिन्दी", "हिन्दी", "हिन्दी"),
        ("Ελλάδας", "ελλαδασ", "ελλάδασ"),
        ("ガ", "ガ", "ガ"),
    ],
)
def test_fold(written: str, plain: str, accented: str) -> None:
    assert fold(written) == (plain, accented)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mali’s army", ["mali", "army"]),
        ("the U.S.'s", ["the", "u", "s"]),
        ("d'Ivoire anti-French", ["d", "ivoire", "anti", "french"]),
        ("日本とMali", ["日", "本", "と", "mali"]),
        ("so\u00adft ze\u200bro", ["soft", "zero"]),
        ("a_b 3.5 ½", ["a", "b", "3", "5", "1", "2"]),
        ("…—!?", []),
        ("", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    "text", ["ｶﾞｰﾅ", "Cafe\u0301", "½km", "ﬁsh", "Ma\u00adli", "\u200fمـالي", "Ｇ７", "한국\u1112\u1161\u11ab"]
)
def test_spans_lie_in_what_was_written(text: str) -> None:
    piece = chunk(text)
    last = 0
    for number in range(len(piece.tokens)):
        start, end = piece.span(number, number)
        assert last <= start < end <= len(text) or start < last  # a character that became two words is both
        last = end
    assert piece.span(0, len(piece.tokens) - 1)[1] == len(text)


def test_normal_maps_back() -> None:
    text = "ﬁne Cafe\u0301 x"
    form, offsets = normal(text)
    assert form == "fine Café x"
    assert offsets is not None
    assert text[offsets[0] : offsets[4]] == "ﬁne"
    assert len(offsets) == len(form) + 1
    assert normal("plain") == ("plain", None)


def test_capitals_may_stand_for_accents() -> None:
    assert chunk("CAFE").tokens[0].capitals
    assert not chunk("CAFÉ").tokens[0].capitals
    assert not chunk("Cafe").tokens[0].capitals
    assert not chunk("A").tokens[0].capitals
