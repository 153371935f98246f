import pytest

from watcher.query import lint, parse


@pytest.mark.parametrize(
    ("query", "column", "level", "message"),
    [
        ("a AND b OR c", 1, "warning", "mixed without parentheses"),
        ("c OR a AND b", 6, "warning", "mixed without parentheses"),
        ("Chad and Togo", 6, "warning", "and is searched for as a word here"),
        ("coup or junta", 6, "warning", "or is searched for as a word here"),
        ('(a OR b) "c d"', 10, "warning", "side by side"),
        ("Niger*", 1, "warning", "Niger* also catches Nigeria"),
        ("war*", 1, "warning", "catches many words"),
        ("NOT a OR b", 1, "error", "none of its words"),
        ("NOT a", 1, "error", "none of its words"),
        ("a OR NOT (b OR c)", 1, "error", "none of its words"),
        ("/x*/", 1, "error", "none of its words"),
        ("a NOT a", 1, "warning", "must be there and must not"),
        ('"a b" NOT (a OR c)', 1, "warning", "must be there and must not"),
        ("a AND lang:en AND lang:fr", 1, "warning", "an item has one lang"),
        ('FIRST/2("a b c")', 1, "warning", "does not fit"),
        ('coup OR "coup plot"', 9, "warning", "changes nothing beside coup"),
        ("militar* OR militants OR military", 26, "warning", "military changes nothing beside militar*"),
        ('coup AND "coup plot"', 1, "warning", "coup changes nothing"),
        ("coup OR junta OR coup", 18, "warning", "stands here twice"),
        ("coup AND lang:fr", 10, "warning", "language is not known"),
        ("Россия AND coup", 1, "warning", "this one form of the name only"),
        ("Нигер", 1, "warning", "this one form of the name only"),
        ("мали", 1, "warning", "Ukrainian"),
        ("coup AND Mali", 10, "warning", "Turkish"),
    ],
)
def test_finding(query: str, column: int, level: str, message: str) -> None:
    found = lint(parse(query), query)
    assert any(one.column == column and one.level == level and message in one.message for one in found), found


@pytest.mark.parametrize(
    "query",
    [
        "(a AND b) OR c",
        "Russia AND (Chad OR Togo OR Burkina Faso)",
        '"war and peace"',
        "a NOT b",
        "lang:(fr OR und) AND coup",
        "jihadist*",
        "Россия OR России OR Россию OR Россией",
        "title:(a AND b)",
        "a NEAR/5 (b OR c)",
        "Mali AND lang:(fr OR und)",
    ],
)
def test_nothing_to_say(query: str) -> None:
    assert lint(parse(query), query) == []


def test_hints_say_what_to_write() -> None:
    hints = {one.message: one.hint for one in lint(parse("NOT a OR b"), "NOT a OR b")}
    assert list(hints.values()) == ["write b NOT a"]
    query = "Россия"
    assert "России" in lint(parse(query), query)[0].hint


def test_named_terms_are_linted_where_they_stand() -> None:
    terms = {"t": parse("a AND b OR c")}
    assert lint(parse("@t AND d", terms), "@t AND d") == []
