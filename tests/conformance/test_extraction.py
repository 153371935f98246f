"""How much of real articles is found, and of what is around them."""

import pytest

from benchmarks.extraction import FLOOR, measure, shares
from tests.paths import CORPORA


def test_the_measure() -> None:
    assert shares("a b c d", "a b c d") == (1.0, 0.0, 0.0)
    assert shares("a b c d", "e f g h") == (0.0, 0.5, 0.5)
    assert shares("", "") == (1.0, 0.0, 0.0)


@pytest.mark.skipif(not CORPORA.exists(), reason="the corpora are not here")
def test_real_pages() -> None:
    result = measure(CORPORA / "pages")
    assert result["f1"] >= FLOOR
    assert result["recall"] >= 0.97
