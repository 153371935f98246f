"""How a problem is shown."""

import pytest

from watcher.errors import SHOWN, Problem


@pytest.mark.parametrize("column", [1, 2, 51, 52, 300, 500, 949, 950, 951, 999, 1000, 1001])
def test_the_caret_stands_under_its_column_in_a_long_line(column: int) -> None:
    line = "".join(chr(0x4E00 + number) for number in range(1000))  # no character twice
    _, shown, caret = str(Problem("a.yaml", 1, column, "wrong", source_line=line)).splitlines()
    assert len(shown.strip("… ")) == SHOWN
    under = shown[caret.index("^") : caret.index("^") + 1]
    assert under == line[column - 1 : column] or (column == 1001 and not under)


def test_a_short_line_is_shown_whole() -> None:
    assert str(Problem("a.yaml", 1, 3, "wrong", "do", source_line="x" * SHOWN)).splitlines() == [
        "a.yaml:1:3: error: wrong", "    " + "x" * SHOWN, "      ^", "    do",
    ]  # fmt: skip
