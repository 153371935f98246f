"""YAML is read with places, and every way in which it can be broken is one clear complaint."""

from itertools import pairwise

import pytest

from watcher.config.nodes import MAX_ALIASED, Mapping, Scalar, Sequence, read, walk


def complaints(text: str) -> list[tuple[int, int, str]]:
    file = read("f.yaml", text)
    return [(*file.place(complaint.index), complaint.message) for complaint in file.complaints]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a:\n  query: @sahel AND x\n", 2, 10, "a value cannot start with @"),
        ("a:\n  query: {US} AND x\n  b: c\n", 2, 15, "this does not fit what stands before it"),
        ('a:\n  query: "x y" AND z\n', 2, 16, "this does not fit what stands before it"),
        ("a:\n  query: title: Mali\n", 2, 15, 'a second ": " stands in this value'),
        ("a: 'x\nb: c\n", 1, 4, "a quote is opened here and never closed"),
        ("a:\n\tb: c\n", 2, 1, "a tab stands in the indentation"),
        ("a: [1, 2\nb: 3\n", 2, 2, "a comma or ] is missing before this"),
        ("a: {b: 1, c: 2\nd: 3\n", 2, 2, "a comma or } is missing before this"),
        ("a: *x\n", 1, 4, "this alias names an anchor that is not defined"),
        ("a: &x [*x]\n", 1, 8, "this alias stands inside of what it names"),
        ("a: - b\n", 1, 4, 'a "- " stands where a value was expected'),
        ("é: 1\né: 2\n", 2, 1, '"é" is defined twice'),
        ("- a\nb: c\n", 2, 1, "this does not fit the list before it"),
        ("a: !foo b\n", 1, 4, "YAML tags (a leading !) have no meaning here"),
        ("[1]: 2\n", 1, 1, "a key must be a plain word"),
        ("---\na: b\n---\nc: d\n", 3, 1, "a second YAML document begins here"),
        ("[" * 100_000, 1, 41, "nested more than 40 deep"),
        ("é: 😀\x07", 1, 5, "the character U+0007 is not allowed in YAML"),
        ("a: %x\n", 1, 4, "a value cannot start with %"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text: str, line: int, column: int, message: str) -> None:
    assert complaints(text)[0] == (line, column, message)


def test_every_scalar_stays_text() -> None:
    file = read("f.yaml", "\ufeffa: NO\nb: 12:30:45\nc: 0x10\nd: ~\ne: 2024-01-01\nf:\n")
    assert file.root is not None
    assert [scalar.value for _, scalar in walk(file.root)] == ["NO", "12:30:45", "0x10", "~", "2024-01-01", ""]
    assert file.place(0) == (1, 1)


def test_aliases_that_explode_are_refused_at_once() -> None:
    names = "abcdefghij"
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]" for old, new in pairwise(names)]
    [(line, _, message)] = complaints("\n".join(lines))
    assert line < len(lines)
    assert f"{MAX_ALIASED:,}" in message


def test_aliases_in_moderation_are_fine() -> None:
    file = read("f.yaml", "a: &x [one, two]\nb: *x\nc: &t text\nd: *t\n")
    assert not file.complaints
    assert isinstance(file.root, Mapping)
    assert isinstance(file.root.get("b"), Sequence)
    assert isinstance(d := file.root.get("d"), Scalar) and d.value == "text"


def test_what_stood_before_an_error_is_kept() -> None:
    file = read("f.yaml", "settings: {store: 'sqlite:///x.db'}\nrules:\n  a:\n    query: @x\n")
    assert not file.parsed
    assert isinstance(file.root, Mapping)
    assert file.root.get("settings") is not None


def test_lines_are_an_editors_lines() -> None:
    file = read("f.yaml", "a: x\r\nb: 'y\u2028z'\nc: 1\nc: 2\n")
    assert file.place(file.complaints[0].index) == (4, 1)
    assert file.line(1) == (0, "a: x")
