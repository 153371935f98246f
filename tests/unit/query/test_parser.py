import time

import pytest

from watcher.errors import QueryError
from watcher.query import Node, has_not, parse
from watcher.query.ast import Named, Phrase, Word


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("a OR b AND c", "a OR (b AND c)"),
        ("a b AND NOT c", '"a b" AND NOT c'),
        ("a NOT b", "a AND NOT b"),
        ("(((a)))", "a"),
        ("a NEAR b NEAR/2 c", "a NEAR/4 b NEAR/2 c"),
        ("a NEAR (b NEAR c)", "a NEAR/4 (b NEAR/4 c)"),
        ("title:a OR b", "title:a OR b"),
        ("title:(a NEAR b)", "title:(a NEAR/4 b)"),
        ("NOT (a OR b)", "NOT (a OR b)"),
        ('"a b"~2', '"a b"~2'),
        ("{US} army", '"{US} army"'),
        ("/a\\/b/", "/a\\/b/"),
        ('"AND"', '"AND"'),
        ('"@x"', '"@x"'),
        ("a -(b c)", 'a AND NOT "b c"'),
        ("HEADLINE:a", "title:a"),
    ],
)
def test_reads_and_writes(query: str, text: str) -> None:
    node = parse(query)
    assert str(node) == text
    assert parse(text) == node


def test_named_terms() -> None:
    mali = parse("Mali OR Bamako")
    sahel = parse("@mali OR Niger", {"mali": mali})
    node = parse("@sahel AND coup", {"mali": mali, "sahel": sahel})
    assert str(node) == "@sahel AND coup"
    assert parse(str(node), {"sahel": sahel}) == node
    with pytest.raises(QueryError, match="did you mean sahel"):
        parse("@sahal", {"sahel": sahel})


def test_places_of_nodes() -> None:
    query = 'Mali AND "Burkina Faso"'
    node = parse(query)
    assert query[node.start : node.end] == query
    phrase = parse(query).children[1]  # type: ignore[attr-defined]  # it is an And
    assert query[phrase.start : phrase.end] == '"Burkina Faso"'


def test_has_not() -> None:
    assert has_not(parse("a NOT b"))
    assert not has_not(parse('a AND "not"'))
    assert has_not(parse("a AND @t", {"t": parse("NOT b")}))


@pytest.mark.parametrize(
    "query",
    [
        "(" * 5_000 + "a" + ")" * 5_000,
        "NOT " * 5_000 + "a",
        "a NEAR " * 5_000 + "a",
        "title:" * 5_000 + "a",
        "a " * 500_000,
        "FIRST/5(" * 1_000 + "a" + ")" * 1_000,
        '"' * 9_999,
        "{" * 9_999,
        "@" * 9_999,
        "/" * 9_999,
        "a-" * 50_000,
    ],
    ids=lambda query: query[:10],
)
def test_what_could_hang_is_a_clear_error_at_once(query: str) -> None:
    start = time.process_time()
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert time.process_time() - start < 0.5
    assert caught.value.column >= 1


def test_ten_thousand_alternatives() -> None:
    start = time.process_time()
    node = parse(" OR ".join(f"word{number}" for number in range(10_000)))
    assert time.process_time() - start < 1
    assert len(node.children) == 10_000  # type: ignore[attr-defined]  # it is an Or


def test_terms_that_explode() -> None:
    terms: dict[str, Node] = {"t0": Word("a")}
    with pytest.raises(QueryError, match="written out"):
        for level in range(1, 40):
            terms[f"t{level}"] = parse(f"@t{level - 1} OR @t{level - 1} OR b", terms)


def test_a_term_in_a_field_is_a_list_of_values() -> None:
    outlets = parse("example.org OR example.net")
    assert str(parse("site:@outlets", {"outlets": outlets})) == "site:@outlets"
    with pytest.raises(QueryError, match="has a field"):
        parse("title:@t", {"t": parse("body:a")})
    assert Named("a", Word("x")) != Named("b", Word("x"))


def test_word_with_no_letters_is_refused() -> None:
    with pytest.raises(ValueError, match="no letter or digit"):
        Word("…")
    assert Phrase((Word("d'Or"), Word("x"))).keys == ("d", "or", "x")
