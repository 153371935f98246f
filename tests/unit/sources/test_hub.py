import hashlib
import hmac
import re

import pytest
from multidict import CIMultiDict

from tests.paths import CORPORA
from watcher.sources import kinds
from watcher.sources.feed_parser import parse_bytes
from watcher.sources.hub import ask_again, is_signed, lease, may_subscribe, named_by_headers, named_in

FEED = "https://news.example/feed"
HUB, TOPIC = "https://hub.example/", "https://news.example/feed.xml"
REAL = CORPORA / "feeds" / "real"


@pytest.mark.parametrize(
    ("links", "found"),
    [
        ([("hub", HUB), ("self", TOPIC)], (HUB, TOPIC)),
        ([("self", "/feed.xml"), ("hub", "//hub.example/")], (HUB, TOPIC)),
        ([("hub", "http://a.example/"), ("hub", HUB), ("self", TOPIC)], (HUB, TOPIC)),
        ([("hub", "http://a.example/"), ("hub", "http://b.example/"), ("self", TOPIC)], ("http://a.example/", TOPIC)),
        ([("hub", HUB), ("self", "https://news.example\n/feed.xml")], (HUB, TOPIC)),
        ([("hub", HUB)], None),
        ([("self", TOPIC)], None),
        ([("hub", "file:///etc/passwd"), ("self", TOPIC)], None),
        ([("hub", ""), ("self", TOPIC)], None),
    ],
)
def test_a_hub_and_what_it_knows_the_feed_by(links, found) -> None:
    assert named_in(links, FEED) == found


@pytest.mark.parametrize(
    "values",
    [
        [f'<{HUB}>; rel="hub", <{TOPIC}>; rel="self"'],
        [f"<{HUB}>; rel=hub", f"<{TOPIC}>;rel=self"],
        [f'<{TOPIC}>; title="a, <b>; rel=hub"; rel="alternate self"', f'<{HUB}>; REL="Hub"'],
        [f'<https://x.example/>; rel="next", <{HUB}>; foo=1; rel="hub", <{TOPIC}>; rel="self"'],
    ],
)
def test_link_headers_name_a_hub_too(values: list[str]) -> None:
    assert named_by_headers(CIMultiDict([("Link", value) for value in values]), FEED) == (HUB, TOPIC)


def test_other_headers_name_none() -> None:
    for headers in (
        {},
        {"Link": '<https://a.example/>; rel="hub"'},
        {"Link": "<" * 50_000},
        {"Link": '<a>; t="' * 999},
    ):
        assert named_by_headers(headers, FEED) is None


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_signature_is_an_hmac_by_any_of_four_methods(method: str) -> None:
    made = hmac.new(b"secret", b"body", getattr(hashlib, method)).hexdigest()
    assert is_signed("secret", f"{method}={made}", b"body")
    assert is_signed("secret", f"{method.upper()}={made.upper()}", b"body")
    assert not is_signed("secret", f"{method}={made}", b"bodY")
    assert not is_signed("other", f"{method}={made}", b"body")
    assert not is_signed("secret", f"{method}={made[:-1]}", b"body")
    assert not is_signed("secret", made, b"body")


@pytest.mark.parametrize("header", ["", "=", "sha256=", "md5=" + hashlib.md5(b"").hexdigest(), "sha256=é", "none=x"])
def test_anything_else_is_no_signature(header: str) -> None:
    assert not is_signed("secret", header, b"")


@pytest.mark.parametrize(
    ("said", "seconds"), [("86400", 86400), ("", 864_000), ("x", 864_000), ("1", 300), ("9" * 40, 30 * 86400)]
)
def test_a_lease_is_what_the_hub_says_within_reason(said: str, seconds: float) -> None:
    assert lease(said) == seconds


def test_a_hub_that_does_not_work_out_is_asked_ever_more_seldom() -> None:
    assert [ask_again(n) for n in (1, 2, 3, 4, 30)] == [600, 1200, 2400, 4800, 86400]


@pytest.mark.parametrize(
    ("keys", "may"),
    [
        ({}, True),
        ({"feed": "https://news.example/feed?channel_id=UC1"}, True),
        ({"feed": "https://news.example/feed?token=abc"}, False),
        ({"feed": "https://me:word@news.example/feed"}, False),
        ({"auth": {"bearer": "abc"}}, False),
        ({"headers": {"X-Key": "abc"}}, False),
        ({"cookies": {"session": "abc"}}, False),
        ({"proxy": "socks5h://127.0.0.1:9050"}, False),
    ],
)
def test_no_hub_hears_of_a_source_that_has_a_secret(keys, may: bool) -> None:
    assert may_subscribe(kinds()["feed"].model_validate({"feed": FEED} | keys)) is may


def test_a_json_feed_names_its_hub() -> None:
    body = (
        '{"version": "https://jsonfeed.org/version/1.1", "feed_url": "https://news.example/feed.xml", "items": [],'
        ' "hubs": [{"type": "rssCloud", "url": "https://cloud.example/"}, {"type": "WebSub", "url": "//hub.example/"}]}'
    )
    assert parse_bytes(body.encode(), "application/feed+json", FEED, "s", 0.0)["hub"] == (HUB, TOPIC)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the corpora")
def test_real_feeds_that_name_a_hub() -> None:
    found, named = 0, 0
    for path in sorted(REAL.iterdir()):
        body = path.read_bytes()
        if re.search(rb"<[^>]*\brel=.hub\b", body):
            named += 1
            found += parse_bytes(body, "", FEED, "s", 1.8e9)["hub"] is not None
    assert named >= 30
    assert found == named
