from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.alerting.notices import item, spans
from watcher.alerting.clean import boundary, cut, link, one_line, visible
from watcher.alerting.excerpt import Excerpt, excerpt, marked
from watcher.model import Item, Span


def shown(what: Item, pattern: str, length: int = 320) -> tuple[str, list[str]]:
    found = excerpt(what, spans(what, pattern), length)
    return found.text, [found.text[a:b] for a, b in found.marks]


def test_the_sentences_that_matched_with_their_words_marked() -> None:
    text, marks = shown(item(), "Russia|Mali|Niger")
    assert text == (
        "Russia has sent some 200 more advisers to Mali, two officials in Bamako said. … "
        "A second group is to leave for Niger in December, according to a letter that this paper has seen."
    )
    assert marks == ["Russia", "Mali", "Niger"]


def test_neighbouring_sentences_have_nothing_between_them() -> None:
    text, _ = shown(item(body="Mali said no. Niger said yes. The end."), "Mali|Niger")
    assert text == "Mali said no. Niger said yes."


def test_further_sentences_that_match_are_shown_where_there_is_room() -> None:
    """As the lines that a page gained: each of them may be what is looked for."""
    lines = item(body="Tender one: build a bridge.\n\nOpening hours.\n\nTender three: a harbour pump.", summary="")
    assert shown(lines, "Tender") == (
        "Tender one: build a bridge. … Tender three: a harbour pump.",
        ["Tender", "Tender"],
    )
    assert shown(lines, "Tender", 40) == ("Tender one: build a bridge.", ["Tender"])


def test_a_title_that_the_text_repeats_is_shown_once() -> None:
    repeats = item(title="Mali votes", body="Mali  votes\n\nPolls opened. In Mali they closed at six.", summary="")
    assert shown(repeats, "Mali") == ("In Mali they closed at six.", ["Mali"])
    assert shown(item(title="Mali votes", body="Mali votes\n\nPolls opened.", summary=""), "Mali") == (
        "Polls opened.",
        [],
    )
    assert shown(item(title="Mali votes", body="Mali votes", summary=""), "Mali") == ("Mali votes", ["Mali"])


def test_the_field_where_more_matched_is_shown() -> None:
    what = item(summary="Mali and Niger spoke.", body="Mali spoke.")
    assert shown(what, "Mali|Niger") == ("Mali and Niger spoke.", ["Mali", "Niger"])


def test_where_only_the_title_matched_the_beginning_is_shown() -> None:
    what = item(title="Mali", body="", summary="First things first. Then others.")
    assert shown(what, "Mali") == ("First things first.", [])
    assert excerpt(item(body=""), []) == Excerpt()


def test_initials_and_decimals_end_no_sentence() -> None:
    text, _ = shown(item(body="Before. The U.S. paid 3.5 million to Mali in J. Smith’s time. After."), "Mali")
    assert text == "The U.S. paid 3.5 million to Mali in J. Smith’s time."


def test_a_long_sentence_is_cut_at_words_around_the_match() -> None:
    body = "word " * 100 + "Mali " + "word " * 100 + "end."
    text, marks = shown(item(body=body), "Mali", 100)
    assert marks == ["Mali"]
    assert len(text) <= 102
    assert text.startswith("…word ") and text.endswith(" word…")


def test_chinese_and_arabic_sentences() -> None:
    assert shown(item(body="前面一句。俄罗斯在马里。后面一句。"), "马里") == ("俄罗斯在马里。", ["马里"])
    text, marks = shown(item(body="لا شيء هنا؟ روسيا في مالي. انتهى."), "مالي")
    assert (text, marks) == ("روسيا في مالي.", ["مالي"])


def test_spans_that_do_not_fit_the_text_do_no_harm() -> None:
    what = item(body="Short.")
    for span in (Span("body", 3, 900), Span("body", -5, 2), Span("body", 5, 2), Span("elsewhere", 0, 3)):
        assert excerpt(what, [span]).text == "Short."
    assert excerpt(what, [Span("body", 0, 3), Span("body", 2, 5)]).marks == ((0, 5),)


def test_marks_stay_on_their_words_when_white_space_goes() -> None:
    found = marked("  A\t\n Mali \u202e of\x00 Niger ", [Span("title", 6, 10), Span("title", 17, 22)])
    assert found.text == "A Mali of Niger"
    assert [found.text[a:b] for a, b in found.marks] == ["Mali", "Niger"]


WORDS = st.text(alphabet="ab .\n\u0301\u200d👍🏽🇫🇷é。\u202e\x00ß", max_size=200)


@given(WORDS, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=6), st.integers(40, 120))
def test_whatever_the_text_the_excerpt_is_one_clean_line_of_it(
    body: str, ranges: list[tuple[int, int]], length: int
) -> None:
    found = excerpt(Item(id="i", source="s", body=body), [Span("body", a, b) for a, b in ranges], length)
    assert found.text == one_line(found.text)
    assert "".join(piece for piece, _ in found.pieces) == found.text
    ends = [0, *(place for mark in found.marks for place in mark), len(found.text)]
    assert ends == sorted(ends)
    assert all(a < b for a, b in found.marks)


@given(st.text(alphabet="ae\u0301\u0308👨\u200d👩👍🏽🇫🇷🇩🇪 ", max_size=60), st.integers(1, 60))
def test_a_cut_tears_no_character(text: str, length: int) -> None:
    result = cut(text, length)
    assert len(result) <= max(length, len("…"))
    if result == text:
        return
    rest = text[len(result.removesuffix("…")) :]
    if rest and result != "…":
        assert unicodedata.category(rest[0]) not in ("Mn", "Me")
        assert rest[0] not in "\u200d🏽"


def test_flags_and_families_stay_whole() -> None:
    assert boundary("🇫🇷🇩🇪", 3) == 2
    assert boundary("a👨\u200d👩\u200d👧b", 4) == 1
    assert boundary("e\u0301x", 1) == 0
    assert cut("👍🏽" * 10, 6) == "👍🏽👍🏽…"


def test_visible() -> None:
    assert not visible("\u200b \u200e\n\x00")
    assert visible("\u200bx")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://n.example/a?b=1&c=%20#d", "https://n.example/a?b=1&c=%20#d"),
        ("HTTP://n.example", "HTTP://n.example"),
        ('https://n.example/"><script>', "https://n.example/%22%3E%3Cscript%3E"),
        ("https://n.example/a|b c\nd\u202e'", "https://n.example/a%7Cb%20c%0Ad%E2%80%AE%27"),
        ("https://n.example/Ночь", "https://n.example/%D0%9D%D0%BE%D1%87%D1%8C"),
        ("https://[::1]/x", "https://[::1]/x"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("ftp://n.example/", ""),
        ("//n.example/", ""),
        ("https://", ""),
        ("https:///path", ""),
        ("https://n.example\\@evil.example/", ""),
        ("https://n.example/" + "x" * 3000, ""),
        ("https://[::1/", ""),
        ("", ""),
    ],
)
def test_link(url: str, expected: str) -> None:
    assert link(url) == expected
