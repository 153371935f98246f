from watcher.text.memo import LONGEST, Memo


def test_a_piece_is_worked_out_once() -> None:
    asked: list[str] = []
    memo = Memo(lambda piece: asked.append(piece) or piece.upper(), 10)
    assert [memo["a"], memo["b"], memo["a"]] == ["A", "B", "A"]
    assert asked == ["a", "b"]


def test_no_more_are_kept_than_it_may_and_what_is_met_again_stays() -> None:
    asked: list[str] = []
    memo = Memo(lambda piece: asked.append(piece) or piece, 100)
    for number in range(1000):
        assert memo["the"] == "the"
        assert memo[str(number)] == str(number)
        assert len(memo) + len(memo._older) <= 100
    assert asked.count("the") == 1
    assert memo["999"] == "999"
    assert asked.count("999") == 1
    assert memo["5"] == "5"
    assert asked.count("5") == 2  # long not met, and forgotten


def test_a_long_piece_is_not_kept() -> None:
    memo = Memo(len, 10)
    assert memo["x" * (LONGEST + 1)] == LONGEST + 1
    assert memo["x" * LONGEST] == LONGEST
    assert list(memo) == ["x" * LONGEST]
