import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import CORPORA
from watcher.text.urls import canonical, host, outlet, resolve


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("http://www.Example.org:80/A/?utm_source=rss&b=2&a=1#top", "https://example.org/A?a=1&b=2"),
        ("https://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("https://example.org:8443/a/", "https://example.org:8443/a"),
        ("https://user:pass@example.org/a", "https://example.org/a"),
        ("https://m.example.org/a?fbclid=1", "https://example.org/a"),
        ("https://amp.example.org/a/amp/", "https://example.org/a"),
        ("https://example.org/news/amp/today", "https://example.org/news/amp/today"),
        ("https://www.com/a", "https://www.com/a"),
        ("https://example.org//a/./b/../c", "https://example.org/a/c"),
        ("https://example.org/caf%c3%a9", "https://example.org/caf%C3%A9"),
        ("https://example.org/café", "https://example.org/caf%C3%A9"),
        ("https://example.org/%7Ea", "https://example.org/~a"),
        ("https://example.org/?p=12", "https://example.org?p=12"),
        ("https://example.org/a?x=1&amp;y=2", "https://example.org/a?x=1&y=2"),
        ("https://example.org/a#!/page", "https://example.org/a#!/page"),
        ("http://пример.рф/а", "https://xn--e1afmkfd.xn--p1ai/%D0%B0"),
        ("http://[::1]:80/", "https://[::1]"),
        ("ftp://example.org/a", ""),
        ("mailto:a@example.org", ""),
        ("//example.org/a", ""),
        ("not a url", ""),
        ("http://", ""),
        ("http://exa mple.org/", ""),
        ("http://[bad", ""),
        ("http://example.org:port/", ""),
        ("", ""),
    ],
)
def test_canonical(url: str, form: str) -> None:
    assert canonical(url) == form


@given(st.text(alphabet="abAB%/.?&=#:;@!~ é日\\[]+-_0123", max_size=40).map(lambda tail: "http://example.org/" + tail))
def test_canonical_is_idempotent(url: str) -> None:
    form = canonical(url)
    assert canonical(form) == form


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.kyivpost.com/post/1", "kyivpost.com"),
        ("https://news.bbc.co.uk/a", "bbc.co.uk"),
        ("https://t.me/some_channel/12", "t.me/some_channel"),
        ("https://t.me/s/some_channel", "t.me/some_channel"),
        ("https://medium.com/@Someone/a-title", "medium.com/@someone"),
        ("https://someone.substack.com/p/a", "someone.substack.com"),
        ("https://someone.github.io/a", "someone.github.io"),
        ("https://www.youtube.com/@Desk/videos", "youtube.com/@desk"),
        ("https://www.youtube.com/feeds/videos.xml?channel_id=UCx", "youtube.com/channel/UCx"),
        ("https://news.google.com/rss/articles/x", ""),
        ("https://www.msn.com/en/x", ""),
        ("http://192.0.2.7/a", "192.0.2.7"),
        ("", ""),
    ],
)
def test_outlet(url: str, name: str) -> None:
    assert outlet(url) == name


def test_host_and_resolve() -> None:
    assert host("https://News.Example.org:8080/a") == "news.example.org"
    assert host("nonsense") == ""
    assert resolve("https://example.org/a/b", "../c?d") == "https://example.org/c?d"
    assert resolve("https://example.org/a", "//cdn.example.net/x") == "https://cdn.example.net/x"
    assert resolve("https://example.org/a", "javascript:alert(1)") == ""
    assert resolve("https://example.org/a", "  ") == ""
    assert resolve("https://example.org/a", "http://[bad") == ""


def test_corpus_pairs() -> None:
    """Pairs of four libraries, which disagree with each other: ours joins nine in ten of what any of them joins."""
    path = CORPORA / "urls" / "canonical_pairs.jsonl"
    if not path.exists():
        pytest.skip("no corpora here")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    same = other = 0
    for row in rows:
        form, wanted = canonical(row["inp"]), canonical(str(row["out"]))
        assert canonical(form) == form
        if form and wanted and not row["kw"]:
            same, other = same + (form == wanted), other + (form != wanted)
    assert same / (same + other) > 0.9
