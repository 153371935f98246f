"""Words read as columns are the words of the text; a table or a tree of numbers gives what a dictionary would."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.query import table, trie
from watcher.query.table import BYTES, Heads, Table, code, cut, multipliers, opened
from watcher.query.trie import Trie

GOLDEN = 0x9E3779B97F4A7C15

codes = st.integers(0, 2**64 - 1)
near = st.sampled_from([1 << shift for shift in range(64)])


def finds(numbers: dict[int, int], others: list[int]) -> bool:
    """Whether a table of `numbers` finds what a dictionary does."""
    made = Table(np.array(list(numbers), np.uint64), np.array(list(numbers.values()), np.int64))
    asked = [*others, *numbers, *others, 0]
    at, found = made.find(np.array(asked, np.uint64))
    expected = [(place, numbers[one]) for place, one in enumerate(asked) if one in numbers]
    return list(zip(at.tolist(), found.tolist(), strict=True)) == expected


@given(st.dictionaries(codes | near, st.integers(1, 2**31 - 1)), st.lists(codes | near))
def test_a_table_finds_what_a_dictionary_does(numbers: dict[int, int], others: list[int]) -> None:
    assert finds(numbers, others)


def test_a_table_of_many_has_a_slot_for_each() -> None:
    numbers = {number * number * 0x9E3779B1 % 2**64: number for number in range(1, 20_000)}
    assert finds(numbers, list(range(20_000)))


@pytest.mark.parametrize(
    "alike",
    [
        [code(b"word%d" % number) for number in range(10_000)],
        [code(b"%08d" % number) for number in range(100_000)],
        [code(b"abcdef" + bytes([97 + number // 26, 97 + number % 26])) for number in range(676)],
        [number << 32 | number + 1 for number in range(20_000)],
        [left << 32 | right for left in range(150) for right in range(150)],
        list(range(1, 30_000)),
        [number << 48 for number in range(1, 30_000)],
    ],
)
def test_codes_that_are_much_alike_are_soon_told_apart(alike: list[int]) -> None:
    numbers = {one: number for number, one in enumerate(alike, 1)}
    tried = []

    def counted() -> Iterator[np.uint64]:
        for multiplier in multipliers():
            tried.append(multiplier)
            yield multiplier

    with mock.patch.object(table, "multipliers", counted):
        assert finds(numbers, [0, 1, 2**64 - 1])
    assert len(tried) <= 8


def test_codes_that_meet_are_hashed_by_another_multiplier() -> None:
    with mock.patch.object(table, "multipliers", lambda: iter(map(np.uint64, (0, 0, GOLDEN, GOLDEN + 2)))):
        assert finds({1 << 30: 1, 1 << 31: 2, 7: 3}, [1, 2, 3])


@given(st.lists(st.text("abyz09яш日é", min_size=1).map(str.encode)), st.lists(st.text("abя").map(str.encode)))
def test_words_are_cut_and_coded_as_they_stand(words: list[bytes], others: list[bytes]) -> None:
    found = cut([b"  ".join(words), b" ".join(others)])
    expected = [*words, b"\0", *b" ".join(others).split()]
    assert found.data.split() == expected
    assert found.codes.tolist() == [code(word[:BYTES]) if word != b"\0" else 0 for word in expected]
    assert found.sizes.tolist() == list(map(len, expected))
    assert found.texts.tolist() == [int(at >= len(words)) for at in range(len(expected))]
    longer = [at for at, word in enumerate(expected) if len(word) > BYTES]
    assert found.part(np.array(longer, np.int64), BYTES).tolist() == [code(expected[at][8:16]) for at in longer]
    assert cut([]).codes.tolist() == []


@given(st.text("abcdefghijя", min_size=1, max_size=8).map(str.encode), st.sets(st.integers(1, 8)))
def test_the_heads_of_a_word_are_the_starts_that_it_has(word: bytes, sizes: set[int]) -> None:
    word = word[:BYTES]
    starts = [b"abcdefgh"[:size] for size in sizes] + [word[:size] for size in sizes if size <= len(word)]
    found = Heads(starts).of(np.array([code(word)], np.uint64))
    assert found[0] == code(word)
    for start in starts:
        if len(start) < BYTES:
            assert (code(opened(start)) in found[1:]) is word.startswith(start)


# Words of one, two and three pieces, which share their first, their last, or all but a letter.
PIECES = ["abcdefgh", "abcdefgx", "яшяш", "h", "abc", "abcdefg"]
spelled = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join).map(str.encode)


def found_in(words: set[bytes], starts: set[bytes], text: list[bytes]) -> bool:
    """Whether a tree finds in a text what looking at each word of it does."""
    numbers = {word: number for number, word in enumerate(sorted(words), 1)}
    others = {start: number for number, start in enumerate(sorted(starts), 1)}
    at, found, starts_at, started = Trie(numbers, others).find(cut([b" ".join(text)]))
    expected = [(place, numbers[word]) for place, word in enumerate(text) if word in numbers]
    begun = {
        (place, number) for place, word in enumerate(text) for start, number in others.items() if word.startswith(start)
    }
    same = list(zip(at.tolist(), found.tolist(), strict=True)) == expected
    return same and set(zip(starts_at.tolist(), started.tolist(), strict=True)) == begun


@given(st.sets(spelled), st.sets(spelled), st.lists(spelled))
def test_a_tree_finds_words_and_what_begins_like_its_starts(
    words: set[bytes], starts: set[bytes], text: list[bytes]
) -> None:
    assert found_in(words, starts, text)
    assert found_in(words, starts, list(chain(words, starts, text)))


def test_pieces_are_told_apart_by_what_leads_to_them() -> None:
    words = {b"abcdefghij", b"abcdefgxij", b"ij"}
    text = [*words, b"abcdefgyij", b"abcdefgh"]
    assert found_in(words, {b"abcdefghi", b"abcdefgxi"}, text)
    with mock.patch.object(trie, "multipliers", lambda: iter(map(np.uint64, (0, GOLDEN)))):
        assert found_in(words, {b"abcdefghi", b"abcdefgxi"}, text)


def test_a_piece_that_a_text_makes_to_look_like_another_is_not_found() -> None:
    with mock.patch.object(trie, "multipliers", lambda: iter([np.uint64(1)])):  # so that node 1 and c look like 3 and a
        assert found_in({b"abcdefghc", b"abcdefgxc"}, set(), [b"abcdefgxa", b"abcdefghc", b"abcdefgxc", b"abcdefgha"])


def test_pieces_of_one_code_are_one() -> None:
    """A zero byte, which no word of a text has, may stand in a rule's value."""
    at, _, _, _ = Trie({b"source:abc": 1, b"source:abc\0": 2}, {}).find(cut([b"x source:abc"]))
    assert at.tolist() == [1]
