"""Words read as columns are the words of the text; a table of numbers gives what a dictionary would."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from watcher.query.table import BYTES, Table, code, cut, heads

codes = st.integers(0, 2**64 - 2)
near = st.sampled_from([1 << shift for shift in range(64)])  # many in few slots


@given(st.dictionaries(codes | near, st.integers(1, 2**31 - 1)), st.lists(codes | near))
def test_a_table_finds_what_a_dictionary_does(numbers: dict[int, int], others: list[int]) -> None:
    table = Table(np.array(list(numbers), np.uint64), np.array(list(numbers.values()), np.int64))
    asked = [*others, *numbers, *others, 0]
    at, found = table.find(np.array(asked, np.uint64))
    assert list(zip(at.tolist(), found.tolist(), strict=True)) == [
        (place, numbers[one]) for place, one in enumerate(asked) if one in numbers
    ]


@given(st.lists(st.text("abyz09яш日é", min_size=1).map(str.encode)), st.lists(st.text("abя").map(str.encode)))
def test_words_are_cut_and_coded_as_they_stand(words: list[bytes], others: list[bytes]) -> None:
    found = cut([b"  ".join(words), b" ".join(others)])
    expected = [*words, b"\0", *b" ".join(others).split()]
    assert found.slices(np.arange(len(expected))) == expected
    assert found.codes.tolist() == [code(word[:BYTES]) if word != b"\0" else 0 for word in expected]
    assert found.sizes.tolist() == list(map(len, expected))
    shorter = found.codes & heads([3, 5])
    assert shorter.tolist() == [[code(word[:size]) for word in expected] for size in (3, 5)]
    assert cut([]).codes.tolist() == []
