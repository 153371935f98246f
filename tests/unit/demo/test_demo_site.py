"""The demo's sites behave as sites do; read here by a client, a feed parser and an extractor that are not watcher's."""

import urllib.request

import aiohttp
import feedparser
import pytest
import trafilatura

from watcher.demo import content
from watcher.demo.site import Site, in_thread

NOW = 1_900_000_000.0


@pytest.mark.parametrize("outlet", content.OUTLETS, ids=lambda outlet: outlet.domain)
async def test_a_feed_lists_what_was_published_newest_first(outlet: content.Outlet) -> None:
    async with Site() as site, aiohttp.ClientSession() as client:
        old = site.publish(outlet, content.GEOLOGY, NOW)
        new = site.publish(outlet, content.WIRE_TRACKED, NOW + 60)
        site.publish(next(other for other in content.OUTLETS if other != outlet), content.HALVORSEN, NOW)
        async with client.get(site.address(outlet)) as response:
            parsed = feedparser.parse(await response.read())
    assert not parsed.bozo
    assert [entry.link for entry in parsed.entries] == [new.link, old.link]
    assert "utm_source=rss" in parsed.entries[0].link
    assert parsed.entries[0].title == content.WIRE_TRACKED.title
    assert parsed.entries[0].id != parsed.entries[1].id
    assert parsed.entries[1].published_parsed[:6] == (2030, 3, 17, 17, 46, 40)


async def test_conditional_requests_are_answered_with_304_until_something_is_published() -> None:
    async with Site() as site, aiohttp.ClientSession() as client:
        site.publish(content.COURIER, content.GEOLOGY, NOW)
        address = site.address(content.COURIER)
        async with client.get(address) as response:
            etag, modified = response.headers["ETag"], response.headers["Last-Modified"]
        for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
            async with client.get(address, headers=headers) as response:
                assert response.status == 304
                assert await response.read() == b""
        async with client.get(address, headers={"If-Modified-Since": "nonsense"}) as response:
            assert response.status == 200
        site.publish(content.COURIER, content.WIRE, NOW)  # within the same second: only the ETag tells
        async with client.get(address, headers={"If-None-Match": etag, "If-Modified-Since": modified}) as response:
            assert response.status == 200
    assert site.answers[content.COURIER.domain] == {200: 3, 304: 2}


@pytest.mark.parametrize("outlet", content.OUTLETS, ids=lambda outlet: outlet.domain)
async def test_an_extractor_finds_the_article_and_nothing_of_the_boxes(outlet: content.Outlet) -> None:
    pieces = (content.WIRE, content.WIRE_CUT, content.GEOLOGY, content.HALVORSEN, *content.TRAPS, *content.OTHERS)
    async with Site() as site, aiohttp.ClientSession() as client:
        for piece in pieces:
            async with client.get(site.publish(outlet, piece, NOW).link) as response:
                page = await response.text()
            text = trafilatura.extract(page, fast=True, include_comments=False) or ""
            assert all(paragraph in text for paragraph in piece.paragraphs), piece.slug
            boxes = {"newsletter", "cookies", "Most read", "topics of interest", "reading list", "Imprint"}
            if piece is not content.HALVORSEN:
                boxes.add("Halvorsen")
            assert not [words for words in boxes if words in text], piece.slug
            assert all(name in page for name in ("Russia", "Mali", "Niger", "Burkina Faso")), "the page is no trap"


def test_a_site_runs_in_a_thread_and_is_gone_afterwards() -> None:
    with in_thread(Site()) as site:
        link = site.publish(content.LEDGER, content.GEOLOGY).link
        with urllib.request.urlopen(link, timeout=5) as response:
            assert content.GEOLOGY.title in response.read().decode()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(site.address(content.LEDGER, "/nothing"), timeout=5)
    with pytest.raises(OSError):
        urllib.request.urlopen(link, timeout=5)
