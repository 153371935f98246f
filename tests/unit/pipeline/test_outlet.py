"""Who is said to publish an item."""

import pytest

from watcher.model import Item
from watcher.pipeline.poll import complete
from watcher.sources import Source, kinds


def source(address: str = "https://feeds.example.com/a.xml", outlet: str = "") -> Source:
    return kinds()["feed"](feed=address, outlet=outlet).named("desk")


@pytest.mark.parametrize(
    ("url", "outlet"),
    [
        ("https://www.bbc.co.uk/news/1", "bbc.co.uk"),
        ("https://news.google.com/articles/1", ""),  # an aggregator speaks for nobody
        ("http://127.0.0.1:8001/a", "desk"),  # an address has no domain: each source stands for itself
        ("http://localhost/a", "desk"),
        ("http://[::1]/a", "desk"),
        ("http://intranet/a", "desk"),
        ("", "example.com"),  # without a link, whoever the feed is from
    ],
)
def test_the_outlet_is_the_registrable_domain(url: str, outlet: str) -> None:
    assert complete(Item("1", "desk", url=url), source()).outlet == outlet


def test_the_configuration_decides_where_it_says_so() -> None:
    assert complete(Item("1", "desk", url="https://a.example.com"), source(outlet="Desk")).outlet == "Desk"
