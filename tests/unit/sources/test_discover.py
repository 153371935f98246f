import asyncio
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from watcher.cli import app
from watcher.config import load
from watcher.fetch import Request
from watcher.sources.discover import Offer, as_yaml, discover, name_for, sitemaps_of

STORIES = "".join(
    f'<h3><a href="/2027/01/15/{slug}">{slug.replace("-", " ").capitalize()}</a></h3>'
    for slug in ("river-rises-over-mill", "council-votes-on-ferry", "rowers-win-spring-cup", "glassworks-hires-forty")
)
FRONT = f"""<!doctype html><html lang="en"><head><title>Lake Town News</title>
<link rel="alternate" type="application/rss+xml" title="All news" href="/feed">
<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">
<link rel="alternate" hreflang="fr" href="/fr"><link rel="stylesheet" href="/s.css">
<link rel="alternate" type="application/feed+json" href="/feed.json"></head><body>{STORIES}</body></html>""".encode()
ROBOTS = b"User-agent: *\nDisallow: /admin\nSitemap: {0}/sitemap.xml\nsitemap:{0}/news-sitemap.xml\nSitemap: nonsense\n"


async def test_feeds_sitemaps_and_listed_articles(serve, tools, ok) -> None:
    pages: dict[str, bytes] = {}
    site = await serve(pages)
    pages["/robots.txt"] = ok(ROBOTS.replace(b"{0}", site.url.encode()))
    offers = await discover(FRONT, "", f"{site.url}/", tools, Request)
    assert [(offer.kind, offer.address.removeprefix(site.url)) for offer in offers] == [
        ("feed", "/feed"),
        ("feed", "/feed.json"),
        ("sitemap", "/news-sitemap.xml"),
        ("sitemap", "/sitemap.xml"),
        ("links", "/"),
    ]
    assert offers[0].title == "All news"
    assert offers[-1].examples[0] == "River rises over mill"


async def test_a_page_that_offers_nothing_can_be_watched(serve, tools) -> None:
    site = await serve({})
    (offer,) = await discover(b"<title>Notice</title><p>Closed.", "", f"{site.url}/notice", tools, Request)
    assert (offer.kind, offer.title) == ("page", "Notice")


async def test_a_page_within_a_site_can_be_watched_too(serve, ok, tools) -> None:
    site = await serve({"/robots.txt": ok(b"Sitemap: https://lake.example/map.xml")})
    offers = await discover(b"<title>Notice</title><p>Closed.", "", f"{site.url}/notice", tools, Request)
    assert [offer.kind for offer in offers] == ["sitemap", "page"]
    offers = await discover(b"<title>Lake</title><p>Hello.", "", f"{site.url}/", tools, Request)
    assert [offer.kind for offer in offers] == ["sitemap"]


def test_what_is_printed_can_be_pasted(tmp_path: Path) -> None:
    addresses = ["https://www.lake.example/feed", "https://lake.example/a?b=[1]&c={x},#y:&$z", "https://t.me/s/lake"]
    text = as_yaml([Offer("feed", address) for address in addresses])
    assert list(yaml.safe_load(text)["sources"]) == ["lake"]
    (tmp_path / "a.yaml").write_text(text.replace("  # ", "  "))
    sources = load(tmp_path, {}).sources
    assert [source.address for source in sources.values()] == addresses
    assert list(sources)[:2] == ["lake", "lake-2"]


def test_names() -> None:
    assert name_for("https://www.bbc.co.uk/feed", set()) == "bbc"
    assert name_for("https://www.bbc.co.uk/feed", {"bbc", "bbc-2"}) == "bbc-3"
    assert name_for("http://127.0.0.1:80/x", set()) == "127-0-0-1"


def test_robots_txt_without_sitemaps() -> None:
    assert sitemaps_of(b"User-agent: *\nDisallow:") == []


@pytest.fixture
async def front(serve, ok):
    pages = {"/": ok(FRONT, "Content-Type: text/html")}
    site = await serve(pages)
    pages["/robots.txt"] = ok(ROBOTS.replace(b"{0}", site.url.encode()))
    pages["/feed"] = ok(b"<rss version='2.0'><channel><title>T</title><item><title>One</title></item></channel></rss>")
    return site


async def preview(*arguments: str) -> str:
    def call() -> str:
        result = CliRunner().invoke(app, ["preview", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    return await asyncio.to_thread(call)


async def test_the_command_shows_what_a_site_offers(front) -> None:
    out = await preview(f"{front.url}/")
    assert f"feed: {front.url}/feed  (All news)" in out
    assert "River rises over mill" in out
    assert f"127-0-0-1: {{feed: {front.url}/feed}}" in out.replace('"', "")
    value = json.loads(await preview(f"{front.url}/", "--json"))
    assert (value["kind"], value["offers"][0]["kind"]) == ("site", "feed")


async def test_a_feed_keeps_its_shape(front) -> None:
    value = json.loads(await preview(f"{front.url}/feed", "--json"))
    assert sorted(value) == ["items", "kind", "title"]
    assert "put this into your configuration" in await preview(f"{front.url}/feed")
