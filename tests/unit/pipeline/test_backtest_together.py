"""A backtest judges many stored items at once, and counts each."""

from unittest import mock

from watcher.model import Item
from watcher.pipeline.backtest import TOGETHER, Backtest
from watcher.query import parse
from watcher.query.vocabulary import Vocabulary


def test_items_are_judged_together_and_all_of_them_counted() -> None:
    with mock.patch.object(Vocabulary, "presence", autospec=True, side_effect=Vocabulary.presence) as presence:
        test = Backtest(parse("Mali"), parse("coup"), 0.0, 100.0, "UTC")
        for number in range(TOGETHER + 6):
            test.look(Item(str(number), "wire", title="Mali" if number % 2 else "A coup"), ("war",), 50.0)
        found = test.finish()
    assert (found.items, found.hits, found.before) == (70, 35, 35)
    assert (found.gained, found.lost) == (35, 35)
    assert [hit.item.id for hit in found.samples] == ["61", "63", "65", "67", "69"]
    assert presence.call_count == 5


def test_the_samples_are_the_latest_whatever_order_the_items_come_in() -> None:
    test = Backtest(parse("Mali"), None, 0.0, 100.0, "UTC")
    for at in (90.0, 10.0, 80.0, 20.0, 70.0, 30.0, 60.0, 40.0):  # a feed's newest first, and the next feed's
        test.look(Item(f"{at:g}", "wire", title="Mali"), (), at)
    assert [hit.at for hit in test.finish().samples] == [40.0, 60.0, 70.0, 80.0, 90.0]
