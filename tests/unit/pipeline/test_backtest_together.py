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
