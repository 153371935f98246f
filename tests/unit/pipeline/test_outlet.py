"""Who is said to publish an item."""

import pytest

from watcher.model import Item, SourceState
from watcher.pipeline.poll import _redirects, complete
from watcher.sources import Source, kinds
from watcher.text.urls import without_user


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


def test_whom_a_search_names_stays_the_outlet() -> None:
    """Google's links lead to Google, but each headline says whose it is."""
    named = Item("1", "desk", url="https://news.google.com/rss/a", outlet="Le Monde", site="news.google.com")
    assert complete(named, source()).outlet == "Le Monde"


@pytest.mark.parametrize("site", ["127.0.0.1", "localhost"])
def test_what_was_made_of_a_host_without_a_domain_is_no_name(site: str) -> None:
    assert complete(Item("1", "desk", url=f"http://{site}:8001/a", outlet=site, site=site), source()).outlet == "desk"


def test_the_configuration_decides_where_it_says_so() -> None:
    assert complete(Item("1", "desk", url="https://a.example.com"), source(outlet="Desk")).outlet == "Desk"


def test_nothing_is_kept_of_where_an_address_with_a_secret_leads() -> None:
    state = SourceState("desk", 0.0)
    plain, secret = source(), source("https://feeds.example.com/a.xml?token=s3cret")
    assert _redirects(plain, state, "https://new.example.com/") == ("https://new.example.com/", 1)
    assert _redirects(secret, state, "https://new.example.com/?token=s3cret") == (None, 0)


def test_a_page_is_linked_without_its_password() -> None:
    assert without_user("https://me:s3cret@example.com/a@b") == "https://example.com/a@b"
